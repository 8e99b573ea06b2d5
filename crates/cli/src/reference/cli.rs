//! The page of the command line.

use clap::{Arg, ArgAction, Command};

use super::text::{Part, parts};
use super::{each, shown, text_cell};

/// Variables that are read, beside those of an option: name, and what it is for.
pub(super) const VARIABLES: [(&str, &str); 13] = [
    (
        "SUBROSA_KEY",
        "The secret of a slot that `key add environment` made; it is taken out of the environment at once.",
    ),
    ("SUBROSA_KEY_FILE", "As `--key-file`."),
    (
        "SUBROSA_TOKEN",
        "The token of an agent: what is done is done as that agent.",
    ),
    ("SUBROSA_AGE_IDENTITY", "As `--age-identity`."),
    (
        "SUBROSA_HOME",
        "The folder of everything: `data`, `state`, `config` and `run` are in it. Absolute.",
    ),
    (
        "XDG_DATA_HOME",
        "The vault is in its folder `subrosa`, without SUBROSA_HOME.",
    ),
    (
        "XDG_STATE_HOME",
        "Pins and the log's anchor are in its folder `subrosa`, without SUBROSA_HOME.",
    ),
    (
        "XDG_CONFIG_HOME",
        "`config.toml` is in its folder `subrosa`, without SUBROSA_HOME.",
    ),
    (
        "XDG_RUNTIME_DIR",
        "The daemon's socket is in its folder `subrosa`, without SUBROSA_HOME.",
    ),
    (
        "HOME",
        "Where the XDG folders are looked for when they are not set.",
    ),
    ("NO_COLOR", "No colours, when it is set and not empty."),
    ("VISUAL", "The editor of `policy edit`."),
    ("EDITOR", "The editor of `policy edit`, without VISUAL."),
];

/// Exit statuses: the number, whose, and what it says.
const STATUSES: [(&str, &str); 8] = [
    ("0", "Done. For `run`: the command ended with 0."),
    (
        "1",
        "Failed; `audit verify`, `policy check`, `policy test` and `demo` also when they found something wrong.",
    ),
    ("2", "Wrong usage."),
    ("125", "`run` only: refused, wrongly used, or failed here."),
    ("126", "`run` only: the command cannot be executed."),
    ("127", "`run` only: the command was not found."),
    ("130", "Cancelled by a person."),
    ("141", "Whoever read the output went away."),
];

pub(super) fn page(root: &Command) -> String {
    let mut page = "# Command line\n\n".to_owned();
    each(root, &mut |command| {
        let name = full_name(command);
        let indent = "  ".repeat(name.split(' ').count() - 1);
        let about = about(command);
        page.push_str(&format!(
            "{indent}- [`{name}`](#{}): {about}\n",
            name.replace(' ', "-")
        ));
    });
    page.push_str("- [Global options](#global-options), [environment](#environment), [exit status](#exit-status), [errors](errors.md), [JSON](json.md)\n");
    each(root, &mut |command| page.push_str(&section(command)));
    page.push_str("\n## Global options\n\nBefore or after the name of any command.\n\n");
    let global: Vec<&Arg> = root
        .get_arguments()
        .filter(|arg| arg.is_global_set())
        .collect();
    page.push_str(&table(&global));
    page.push_str("\n## Environment\n\nA flag wins over the environment, the environment over `config.toml`.\n\n| Variable | Means |\n| --- | --- |\n");
    for arg in &global {
        if let (Some(name), Some(long)) = (arg.get_env(), arg.get_long()) {
            page.push_str(&format!(
                "| `{}` | As `--{long}`. |\n",
                name.to_string_lossy()
            ));
        }
    }
    for (name, means) in VARIABLES {
        page.push_str(&format!("| `{name}` | {means} |\n"));
    }
    page.push_str("\n## Exit status\n\n| Status | Means |\n| --- | --- |\n");
    for (number, means) in STATUSES {
        page.push_str(&format!("| {number} | {means} |\n"));
    }
    page.push_str("\nOtherwise `run` ends with the command's own status, and with 128 and the signal's number when a signal ended it. Every code of an error is in [errors](errors.md).\n");
    page
}

fn full_name(command: &Command) -> &str {
    command.get_bin_name().unwrap_or_else(|| command.get_name())
}

fn about(command: &Command) -> String {
    command
        .get_about()
        .map(ToString::to_string)
        .unwrap_or_default()
}

fn section(command: &Command) -> String {
    let name = full_name(command);
    let usage = command.clone().render_usage().to_string();
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage);
    let mut text = format!(
        "\n## {name}\n\n{}.\n\n```text\n{usage}\n```\n",
        about(command).trim_end_matches('.')
    );
    let long = command.get_long_about().map(ToString::to_string);
    if let Some((_, more)) = long.as_deref().and_then(|long| long.split_once("\n\n")) {
        text.push_str(&format!("\n{}\n", prose(more)));
    }
    let own = |arg: &&Arg| !arg.is_global_set() && !arg.is_hide_set() && !is_help(arg);
    let own: Vec<&Arg> = command.get_arguments().filter(own).collect();
    if !own.is_empty() {
        text.push_str(&format!("\n{}", table(&own)));
    }
    if command.get_name() == "subrosa" || shown(command).next().is_some() {
        let under: Vec<String> = shown(command)
            .map(|one| {
                format!(
                    "[`{}`](#{})",
                    one.get_name(),
                    full_name(one).replace(' ', "-")
                )
            })
            .collect();
        text.push_str(&format!("\nCommands: {}.\n", under.join(", ")));
    }
    for part in parts(command) {
        text.push_str(&closing(&part));
    }
    text
}

fn closing(part: &Part) -> String {
    let lines = part
        .lines
        .iter()
        .map(|line| line.strip_prefix("  ").unwrap_or(line));
    let lines: Vec<&str> = lines.collect();
    let code = part.is_code() || part.lines.iter().any(|line| line.starts_with("    "));
    let heading = match part.heading.as_str() {
        "" => String::new(),
        heading => format!("\n{heading}:\n"),
    };
    match code {
        true => format!("{heading}\n```text\n{}\n```\n", lines.join("\n")),
        false => format!("{heading}\n{}\n", prose(&lines.join("\n"))),
    }
}

/// Text in which nothing is taken for a tag, a link or emphasis.
fn prose(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(|one| one.replace('\n', " "));
    let escaped = paragraphs.map(|one| escape(&one));
    escaped.collect::<Vec<_>>().join("\n\n")
}

/// Text outside of code in which `<`, `*`, `[` and `|` stand for themselves.
pub(super) fn escape(text: &str) -> String {
    let mut inside = false;
    let mut out = String::new();
    for c in text.chars() {
        inside ^= c == '`';
        match c {
            '|' => out.push_str("\\|"),
            '<' | '>' | '*' | '[' | ']' | '_' if !inside => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

/// Help and version, which every command has.
fn is_help(arg: &Arg) -> bool {
    matches!(
        arg.get_action(),
        ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong | ArgAction::Version
    )
}

/// Options and arguments with all that is known of them.
fn table(args: &[&Arg]) -> String {
    let mut text = "| Option | Means |\n| --- | --- |\n".to_owned();
    for arg in args {
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let mut means = text_cell(&help.replace('\n', " "));
        let takes = arg
            .get_num_args()
            .is_some_and(|number| number.takes_values());
        let choices = arg.get_possible_values();
        if takes && !choices.is_empty() {
            let shown = choices.iter().filter(|choice| !choice.is_hide_set());
            let shown = shown.map(|choice| match choice.get_help() {
                Some(help) => format!(
                    "`{}` ({})",
                    choice.get_name(),
                    lower(&text_cell(&help.to_string()))
                ),
                None => format!("`{}`", choice.get_name()),
            });
            means.push_str(&format!(
                ". One of {}",
                shown.collect::<Vec<_>>().join(", ")
            ));
        }
        let defaults = arg
            .get_default_values()
            .iter()
            .map(|one| one.to_string_lossy());
        let defaults: Vec<_> = defaults.filter(|one| takes && !one.is_empty()).collect();
        if !defaults.is_empty() {
            means.push_str(&format!(". Without it: `{}`", defaults.join(" ")));
        }
        text.push_str(&format!("| {} | {means} |\n", spelling(arg)));
    }
    text
}

/// How it is typed.
fn spelling(arg: &Arg) -> String {
    let value = match arg.get_value_names() {
        Some(names) => names
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" "),
        None => arg.get_id().to_string().to_uppercase(),
    };
    let value = value.replace('|', "\\|");
    let takes = arg
        .get_num_args()
        .is_some_and(|number| number.takes_values());
    if arg.is_positional() {
        let more = arg
            .get_num_args()
            .is_some_and(|number| number.max_values() > 1);
        return format!("`{value}{}`", if more { "…" } else { "" });
    }
    let value = if takes {
        format!(" {value}")
    } else {
        String::new()
    };
    match (arg.get_short(), arg.get_long()) {
        (Some(short), Some(long)) => format!("`-{short}`, `--{long}{value}`"),
        (Some(short), None) => format!("`-{short}{value}`"),
        (None, long) => format!("`--{}{value}`", long.unwrap_or_default()),
    }
}

/// With a small first letter, where the second is small too.
fn lower(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(first), Some(next)) if next.is_lowercase() || next == ' ' => {
            first.to_lowercase().to_string() + &text[first.len_utf8()..]
        }
        _ => text.to_owned(),
    }
}
