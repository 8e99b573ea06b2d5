//! Help that teaches: the main pages word for word, and examples on every page.

use std::path::Path;

use crate::house::{Back, House};

fn help(words: &[&str]) -> Back {
    House::bare()
        .call(words)
        .without_proof()
        .variable("COLUMNS", "100")
        .run()
}

/// Compares with a page that was read by a person; UPDATE_GOLDEN=1 writes it anew.
fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/black_box/golden")
        .join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        text, known,
        "{name} changed: look at it, then UPDATE_GOLDEN=1"
    );
}

#[test]
fn the_first_page_says_what_to_type() {
    let back = help(&[]);
    golden("first.txt", &back.ok());
}

#[test]
fn the_main_pages_are_as_they_were_read() {
    for (name, words) in [
        ("main.txt", &["--help"][..]),
        ("run.txt", &["run", "--help"]),
        ("set.txt", &["set", "-h"]),
        ("policy.txt", &["policy", "-h"]),
    ] {
        golden(name, &help(words).ok());
    }
}

/// The commands that a page lists.
fn listed(page: &str) -> Vec<String> {
    page.lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| line.starts_with("  "))
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .filter(|name| name != "help")
        .collect()
}

#[test]
fn every_page_has_examples() {
    let mut pages: Vec<Vec<String>> = listed(&help(&["-h"]).ok())
        .into_iter()
        .map(|name| vec![name])
        .collect();
    assert!(pages.len() > 20, "{pages:?}");
    while let Some(page) = pages.pop() {
        let mut words: Vec<&str> = page.iter().map(String::as_str).collect();
        words.push("-h");
        let text = help(&words).ok();
        assert!(text.contains("Examples:\n  "), "{page:?} has no examples");
        assert!(text.contains("subrosa "), "{page:?}");
        for name in listed(&text) {
            pages.push(page.iter().cloned().chain([name]).collect());
        }
    }
}

#[test]
fn long_names_are_understood_and_not_shown() {
    let page = help(&["-h"]).ok();
    for (long, short) in [
        ("list", "ls"),
        ("remove", "rm"),
        ("reveal", "read"),
        ("rename", "mv"),
    ] {
        assert_eq!(help(&[long, "-h"]).ok(), help(&[short, "-h"]).ok());
        assert!(!listed(&page).contains(&long.to_owned()));
    }
}

#[test]
fn colours_are_honoured() {
    let house = House::with_key();
    let log = |words: &[&str], plain: bool| {
        let call = house.call([words, &["log"]].concat());
        let call = if plain {
            call.variable("NO_COLOR", "1")
        } else {
            call
        };
        call.run().ok().contains('\u{1b}')
    };
    assert!(!log(&[], false), "a pipe gets no colours");
    assert!(log(&["--color", "always"], false));
    assert!(
        log(&["--color", "always"], true),
        "what is typed wins over the environment"
    );
    assert!(!log(&["--color", "never"], false));
}

#[test]
fn global_options_stand_before_and_after_the_command() {
    let house = House::with_key();
    let one = house.call(["--no-daemon", "--json", "ls"]).run().json();
    let other = house.call(["ls", "--json", "--no-daemon"]).run().json();
    assert_eq!(one, other);
    let version = house.call(["--version"]).without_proof().run().ok();
    assert_eq!(version, format!("subrosa {}\n", env!("CARGO_PKG_VERSION")));
}
