//! Manual pages.

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::shown;
use super::text::{Part, parts};

/// The page of a command of the whole command line, in roff.
pub(crate) fn page(command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage).to_owned();
    // A page holds what short help leaves out.
    let whole = command
        .clone()
        .override_usage(usage)
        .mut_args(|arg| arg.hide_short_help(false).hide_possible_values(false));
    let man = Man::new(whole)
        // No date, so that the page changes with the program alone; an empty one would be lost.
        .date(" ")
        .source(format!("subrosa {}", env!("CARGO_PKG_VERSION")))
        .manual("Subrosa");
    let mut bytes = Vec::new();
    // Writing into memory does not fail.
    let _ = man.render_title(&mut bytes);
    let _ = man.render_name_section(&mut bytes);
    let _ = man.render_synopsis_section(&mut bytes);
    let _ = man.render_description_section(&mut bytes);
    let _ = man.render_options_section(&mut bytes);
    if shown(command).next().is_some() {
        let _ = man.render_subcommands_section(&mut bytes);
    }
    let _ = closing(command).to_writer(&mut bytes);
    // Each piece begins with the same preamble.
    let text = String::from_utf8_lossy(&bytes).into_owned();
    once(&text)
}

/// What stands behind the options, and the pages that are near.
fn closing(command: &Command) -> Roff {
    let mut roff = Roff::new();
    for part in parts(command) {
        section(&mut roff, &part);
    }
    let name = command.get_display_name().unwrap_or("subrosa");
    let above = name.rsplit_once('-').map(|(above, _)| above);
    // `key-file` is one word of a command.
    let above = match command.get_name().contains('-') {
        true => name.strip_suffix(&format!("-{}", command.get_name())),
        false => above,
    };
    if let Some(above) = above {
        roff.control("SH", ["SEE ALSO"]);
        roff.text([bold(above), roman("(1)")]);
    }
    roff
}

fn section(roff: &mut Roff, part: &Part) {
    match part.heading.as_str() {
        "" => roff.control("PP", []),
        heading => roff.control("SH", [heading.to_uppercase().as_str()]),
    };
    let mut kept = false;
    for line in &part.lines {
        let keep = part.is_code() || line.starts_with("    ");
        if keep != kept {
            roff.control(if keep { "nf" } else { "fi" }, []);
            kept = keep;
        }
        let shown = if keep {
            line.get(2..).unwrap_or_default()
        } else {
            line.trim()
        };
        roff.text([roman(shown)]);
    }
    if kept {
        roff.control("fi", []);
    }
}

/// The text without the repeated preamble.
fn once(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let preamble = line.starts_with(".ie \\n(.g") || line.starts_with(".el .ds Aq");
        if !(preamble && lines.contains(&line)) {
            lines.push(line);
        }
    }
    lines.join("\n") + "\n"
}
