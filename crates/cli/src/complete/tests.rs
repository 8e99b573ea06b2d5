//! What is completed without a vault, and what is never printed.

use std::ffi::{OsStr, OsString};

use super::*;

fn ask(words: &[&str]) -> String {
    complete(Shell::Bash, words.iter().map(OsString::from).collect())
}

#[test]
fn commands_options_and_choices_are_completed() {
    assert_eq!(ask(&["subrosa", "roll"]), "names\nrollback\n");
    assert_eq!(ask(&["subrosa", "key", "ro"]), "names\nrotate\n");
    assert_eq!(ask(&["subrosa", "run", "--time"]), "names\n--timeout\n");
    assert_eq!(
        ask(&["subrosa", "run", "--inject", ""]),
        "names\nenv\nfile\nstdin\nplaceholder\n"
    );
    assert_eq!(
        ask(&["subrosa", "run", "--inject=e"]),
        "names\n--inject=env\n"
    );
    assert_eq!(
        ask(&["subrosa", "import", "--conflict", "re"]),
        "names\nreplace\n"
    );
    assert_eq!(ask(&["subrosa", "--color", "al", "ls"]), "names\nls\n");
    assert_eq!(ask(&["subrosa", "--color", "al"]), "names\nalways\n");
    assert_eq!(
        ask(&["subrosa", "man", "key", "add", "pass"]),
        "names\npassphrase\n"
    );
    assert_eq!(ask(&["subrosa", "completions", "f"]), "names\nfish\n");
}

#[test]
fn what_a_shell_knows_best_is_left_to_it() {
    assert_eq!(ask(&["subrosa", "import", "x"]), "files\n");
    assert_eq!(ask(&["subrosa", "--key-file=x"]), "files\n");
    assert_eq!(
        ask(&["subrosa", "import", "--conflict=re"]),
        "names\n--conflict=replace\n"
    );
    assert_eq!(ask(&["subrosa", "run", "--", "gi"]), "commands\n");
    assert_eq!(ask(&["subrosa", "run", "--", "git", "pu"]), "files\n");
    let options = ask(&["subrosa", "import", "--d"]);
    assert!(
        options.contains("\n--dry-run\n") && options.contains("\n--debug\n"),
        "{options}"
    );
}

#[test]
fn options_stay_out_of_the_way() {
    let commands = ask(&["subrosa", ""]);
    assert!(
        commands.contains("\nrun\n") && !commands.contains("\n-"),
        "{commands}"
    );
    assert!(!commands.contains("complete-words"), "{commands}");
    assert!(ask(&["subrosa", "status", ""]).contains("\n--verify\n"));
}

#[test]
fn nothing_typed_makes_it_fail() {
    let wild = [
        vec![],
        vec![""],
        vec!["subrosa", "run", "--", "--", "--"],
        vec!["subrosa", "-w", "run", "show", ""],
        vec!["subrosa", "--nonsense", "lst", "=", "'"],
        vec!["subrosa", "man", "nothing", "at", "all"],
        vec!["subrosa", "run", "--bind", "=", "-", "--="],
    ];
    for words in wild {
        assert!(ask(&words).ends_with('\n'), "{words:?}");
    }
    let bytes = unsafe_bytes();
    assert!(complete(Shell::Zsh, vec!["subrosa".into(), bytes.clone(), bytes]).ends_with('\n'));
}

fn unsafe_bytes() -> OsString {
    use std::os::unix::ffi::OsStringExt;
    OsString::from_vec(vec![b'-', 0xff, b'=', 0xfe])
}

#[test]
fn only_words_that_mean_nothing_to_a_shell_are_given_to_one() {
    for word in [
        "api/key",
        "db/main#password",
        "--inject=env",
        "PG=db#x",
        "grün",
        "a.b_c-d@e:f",
    ] {
        assert!(harmless(word), "{word}");
    }
    for word in [
        "",
        "$(touch x)",
        "`touch x`",
        "a;b",
        "a&b",
        "a|b",
        "a>b",
        "a b",
        "a\nb",
        "a\tb",
        "'a'",
        "\"a\"",
        "a\\b",
        "~root",
        "a*",
        "a?",
        "[a]",
        "{a,b}",
        "!!",
        "a^b",
        "%1",
        "=ls",
        "#a",
        "(a)",
        "a\u{1b}[2J",
        "a\u{202e}b",
        "a\u{200b}b",
        "a\0b",
    ] {
        assert!(!harmless(word), "{word:?}");
    }
}

#[test]
fn quotes_are_taken_off_and_nothing_is_expanded() {
    for (typed, plain) in [
        ("api/k", "api/k"),
        ("'api/k", "api/k"),
        ("\"a b\"c", "a bc"),
        (r"a\ b", "a b"),
        (r#""a\"b""#, "a\"b"),
        (r"'a\b'", r"a\b"),
        ("$(touch x)", "$(touch x)"),
        ("$HOME", "$HOME"),
        ("\\", ""),
    ] {
        assert_eq!(unquoted(OsStr::new(typed)), OsStr::new(plain), "{typed}");
    }
}

/// The closed words of an argument are those that it understands.
#[test]
fn every_word_that_is_offered_is_understood() {
    fn check(command: &Command, found: &mut usize) {
        for arg in command.get_arguments() {
            let Some(Takes::One(words)) = arg.get::<Takes>() else {
                continue;
            };
            *found += 1;
            for word in *words {
                let alone = Command::new("alone").arg(arg.clone());
                let long = format!("--{}", arg.get_long().unwrap());
                let parsed = alone.try_get_matches_from(["alone", &long, word]);
                assert!(parsed.is_ok(), "{} {arg} {word}", command.get_name());
            }
        }
        for one in command.get_subcommands() {
            check(one, found);
        }
    }
    let mut built = command();
    built.build();
    let mut found = 0;
    check(&built, &mut found);
    assert!(found >= 4, "{found}");
}
