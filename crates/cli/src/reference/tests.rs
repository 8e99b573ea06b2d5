//! The pages hold everything that the program has.

use std::path::Path;

use super::*;

#[test]
fn every_command_has_a_page_and_a_section() {
    let pages = pages();
    let mut names = Vec::new();
    let root = whole();
    each(&root, &mut |command| {
        names.push(command.get_bin_name().unwrap_or("subrosa").to_owned());
    });
    assert!(names.len() > 35, "{names:?}");
    for name in &names {
        let page = &pages[&format!("man/{}.1", name.replace(' ', "-"))];
        assert!(
            page.contains(".SH NAME") && page.contains(".SH EXAMPLES") || name == "subrosa",
            "{name}"
        );
        assert!(
            pages["cli.md"].contains(&format!("\n## {name}\n")),
            "{name}"
        );
    }
    assert_eq!(pages.len(), names.len() + 2);
    for hidden in ["complete-words", "reference"] {
        assert!(!pages.keys().any(|page| page.contains(hidden)));
        assert!(!pages["cli.md"].contains(&format!("subrosa {hidden}")));
    }
}

#[test]
fn every_option_is_on_its_page() {
    let pages = pages();
    let root = whole();
    each(&root, &mut |command| {
        let man = &pages[&format!("man/{}.1", command.get_display_name().unwrap_or("subrosa"))];
        for long in command.get_arguments().filter_map(clap::Arg::get_long) {
            let escaped = format!("\\-\\-{}", long.replace('-', "\\-"));
            let headed = |line: &str| line.starts_with(r"\fB") && line.contains(&escaped);
            let said = man.lines().skip_while(|line| !headed(line)).nth(1);
            assert!(
                said.is_some_and(|line| line.len() > 3),
                "{}: --{long}",
                command.get_name()
            );
            assert!(
                pages["cli.md"].contains(&format!("--{long}"))
                    || ["help", "version"].contains(&long),
                "--{long}"
            );
        }
    });
}

/// A variable that is read and stands on no page would be a switch that nobody knows.
#[test]
fn every_variable_that_is_read_is_on_the_page() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let engine = crates.join("../../engine/src");
    let page = &pages()["cli.md"];
    let mut found = 0;
    for file in [
        crates.join("context.rs"),
        crates.join("output.rs"),
        crates.join("args.rs"),
        crates.join("proofs.rs"),
        crates.join("commands/policy/editor.rs"),
        engine.join("home.rs"),
    ] {
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for word in code.split('"').skip(1).step_by(2) {
            let variable =
                word.len() > 3 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_');
            if variable && !["KIND", "NAME", "PATH", "WHEN"].contains(&word) {
                found += 1;
                assert!(
                    page.contains(&format!("| `{word}` |")),
                    "{}: {word}",
                    file.display()
                );
            }
        }
    }
    assert!(found >= 9, "{found}");
}

#[test]
fn markdown_stands_for_itself() {
    assert_eq!(cli::escape("a|b <c> `*|*` *d*"), r"a\|b \<c\> `*\|*` \*d\*");
}
