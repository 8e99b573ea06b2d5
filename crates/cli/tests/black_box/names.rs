//! What the shells' scripts are told: names, never values, and nothing that a shell could run.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::house::{Call, House, VALUE};

/// A vault with names in it, and a key file that opens it.
pub(crate) fn named() -> House {
    let house = House::with_key();
    house.set("db/main", VALUE);
    house.set("db/main#password", VALUE);
    house.set("solo", VALUE);
    let work = |words: &[&str]| {
        let words = [&["-w", "work", "-g", "staging", "set"], words, &["--stdin"]].concat();
        house.call(words).input(VALUE).run().ok();
    };
    work(&["payments/key", "--tag", "prod"]);
    house.set("gone/key", VALUE);
    house.call(["rm", "gone/key"]).run().ok();
    house.call(["key", "add", "key-file", "job.key"]).run().ok();
    house
}

/// Names that would do harm if a shell read them.
const HOSTILE: [&str; 7] = [
    "$(touch${IFS}pwned)",
    "`touch${IFS}pwned`",
    "x;touch${IFS}pwned",
    "'$(touch${IFS}pwned)'",
    "\"$(touch${IFS}pwned)\"",
    "y|touch${IFS}pwned",
    "*",
];

pub(crate) fn key_file(house: &House) -> std::path::PathBuf {
    house.work("job.key")
}

fn ask(house: &House, words: &[&str]) -> Call {
    let words = [&["complete-words", "fish", "--", "subrosa"], words].concat();
    house
        .call(words)
        .without_proof()
        .variable("SUBROSA_KEY_FILE", key_file(house))
}

/// The words that the program offers.
fn offered(house: &House, words: &[&str]) -> Vec<String> {
    let back = ask(house, words).run();
    assert!(back.err.is_empty(), "{back:?}");
    let text = back.ok();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("names"), "{text}");
    lines
        .filter_map(|line| line.split('\t').next().map(str::to_owned))
        .collect()
}

#[test]
fn names_come_from_a_vault_that_a_key_file_opens() {
    let house = named();
    assert_eq!(
        offered(&house, &["show", ""]),
        ["api/key", "db/main", "solo"]
    );
    assert_eq!(offered(&house, &["read", "db/"]), ["db/main"]);
    assert_eq!(
        offered(&house, &["run", "-k", "db/main#"]),
        ["db/main#password", "db/main#value"]
    );
    assert_eq!(
        offered(&house, &["run", "--bind", "PGPASSWORD=db/main#p"]),
        ["PGPASSWORD=db/main#password"]
    );
    assert_eq!(offered(&house, &["run", "--key=so"]), ["--key=solo"]);
    assert_eq!(
        offered(&house, &["edit", "db/main", "--unbind", "pa"]),
        ["password"]
    );
    assert_eq!(offered(&house, &["-w", "wo"]), ["work"]);
    assert_eq!(offered(&house, &["-w", "work", "-g", ""]), ["staging"]);
    assert_eq!(
        offered(&house, &["-w", "work", "-g", "staging", "show", "pay"]),
        ["payments/key"]
    );
    assert_eq!(offered(&house, &["ls", "--tag", ""]), ["prod"]);
    assert_eq!(offered(&house, &["rollback", "go"]), ["gone/key"]);
    assert_eq!(offered(&house, &["show", "go"]), [""; 0]);
    assert_eq!(
        offered(&house, &["key", "rm", ""]),
        ["key-file", "passphrase", "recovery"]
    );
}

#[test]
fn no_value_is_ever_completed_and_every_opening_is_recorded() {
    let house = named();
    house.set("user#name", "visible-user-name");
    for words in [
        &["show", ""][..],
        &["read", "db/main#"],
        &["run", "-k", "user#"],
    ] {
        let back = ask(&house, words).run();
        let text = back.ok();
        assert!(
            !text.contains(&VALUE[..6]) && !text.contains("visible"),
            "{text}"
        );
    }
    let log = house.call(["log"]).run().ok();
    assert_eq!(log.matches("opened      with key-file").count(), 3, "{log}");
}

#[test]
fn where_only_a_person_opens_the_vault_nothing_is_asked_or_said() {
    let house = House::with_key();
    let before = std::fs::read(house.path("home/data/vault.db")).unwrap();
    for words in [
        &["show", ""][..],
        &["--passphrase-fd", "0", "read", "ap"],
        &["-w", "wo"],
        &["key", "rm", "pass"],
    ] {
        let words = [&["complete-words", "bash", "--", "subrosa"], words].concat();
        let back = house.call(words).without_proof().input("x").run();
        assert!(back.err.is_empty(), "{back:?}");
        let text = back.ok();
        assert!(
            text.starts_with("names\n") && !text.contains("api"),
            "{text}"
        );
    }
    // Nobody tried a proof: no attempt was noted, and the vault was not written to.
    assert_eq!(
        std::fs::read(house.path("home/data/vault.db")).unwrap(),
        before
    );
    let log = house.call(["log", "--kind", "unlock"]).run().ok();
    assert!(!log.contains("NOT opened"), "{log}");
}

#[test]
fn names_come_from_the_daemon_while_it_holds_the_vault_open() {
    let house = House::with_key();
    let with = |words: &[&str]| house.call(words).variable("SUBROSA_NO_DAEMON", "0");
    let words = ["complete-words", "bash", "--", "subrosa", "show", ""];
    let ask = || with(&words).without_proof().run().ok();
    assert_eq!(
        ask().lines().nth(1),
        Some("--workspace"),
        "nothing is started"
    );
    assert!(!house.path("home/run").exists());
    with(&["unlock"]).run().ok();
    let open = ask();
    let off = ["--no-daemon", "show", "a"];
    let off = [&words[..4], &off].concat();
    let aside = with(&off).without_proof().run().ok();
    with(&["lock"]).without_proof().run().ok();
    let locked = ask();
    with(&["daemon", "stop"]).without_proof().run().ok();
    assert_eq!(open, "names\napi/key\n");
    assert_eq!(aside, "names\n");
    assert!(!locked.contains("api"), "{locked}");
    let log = house.call(["log", "--kind", "unlock"]).run().ok();
    // Making it, setting the key, unlocking the daemon, and reading this log: completing opens nothing.
    assert_eq!(log.matches(" opened ").count(), 4, "{log}");
}

#[test]
fn whatever_is_broken_is_no_news_while_typing() {
    let house = named();
    let silent = |call: Call| {
        let back = call.run();
        assert!(back.err.is_empty(), "{back:?}");
        assert_eq!(back.ok().lines().next(), Some("names"));
    };
    let words = ["complete-words", "zsh", "--", "subrosa", "show", ""];
    let call = || house.call(words).without_proof();
    silent(call().variable("SUBROSA_KEY_FILE", "/nowhere"));
    silent(call().variable("SUBROSA_HOME", "not/absolute"));
    silent(call().at(Path::new("/proc/nope")));
    let other = house.write("other.key", "not a key");
    std::fs::set_permissions(&other, std::fs::Permissions::from_mode(0o600)).unwrap();
    silent(call().variable("SUBROSA_KEY_FILE", &other));
    // A pipe that nobody writes to must not hold the shell.
    let pipe = house.work("pipe.key");
    let made = Command::new("mkfifo")
        .args(["-m", "600"])
        .arg(&pipe)
        .status();
    assert!(made.unwrap().success());
    silent(call().variable("SUBROSA_KEY_FILE", &pipe));
    let config = house.path("home/config");
    crate::house::folder(&config);
    std::fs::write(config.join("config.toml"), "nonsense").unwrap();
    silent(call());
    std::fs::write(house.path("home/data/vault.db"), "nonsense").unwrap();
    silent(call().variable("SUBROSA_KEY_FILE", key_file(&house)));
}

#[test]
fn a_key_file_of_the_configuration_is_as_good() {
    let house = named();
    let config = house.path("home/config");
    crate::house::folder(&config);
    let text = format!(
        "key_file = {:?}\nworkspace = \"work\"\ngroup = \"staging\"\n",
        key_file(&house)
    );
    std::fs::write(config.join("config.toml"), text).unwrap();
    let words = ["complete-words", "bash", "--", "subrosa", "show", "p"];
    let back = house.call(words).without_proof().run();
    assert_eq!(back.ok(), "names\npayments/key\n");
}

/// Puts every hostile name into a vault, wherever one is taken.
pub(crate) fn attacked() -> House {
    let house = named();
    for (index, name) in HOSTILE.iter().enumerate() {
        let key = format!("k{index}");
        house
            .call(["set", &key, "--stdin", "--tag", name])
            .input(VALUE)
            .run()
            .ok();
        house
            .call(["key", "add", "recovery", "--label", name])
            .run()
            .ok();
    }
    let label = "new\nline\u{1b}[2J $(touch pwned)";
    let refused = house
        .call(["key", "add", "recovery", "--label", label])
        .run();
    assert!(refused.failed(1).contains("without control characters"));
    house
}

#[test]
fn a_hostile_name_is_not_given_to_a_shell() {
    let house = attacked();
    assert_eq!(offered(&house, &["ls", "--tag", ""]), ["prod"]);
    assert_eq!(
        offered(&house, &["key", "rm", ""]),
        ["key-file", "passphrase", "recovery"]
    );
    for shell in ["bash", "zsh", "fish"] {
        for words in [
            &["ls", "--tag", ""][..],
            &["key", "rm", ""],
            &["ls", "--tag", "$("],
            &["$(touch pwned)", ""],
        ] {
            let words = [&["complete-words", shell, "--", "subrosa"], words].concat();
            let call = house.call(words).without_proof();
            let text = call
                .variable("SUBROSA_KEY_FILE", key_file(&house))
                .run()
                .ok();
            assert!(
                !text.contains("touch") && !text.contains('\u{1b}'),
                "{text}"
            );
        }
    }
}
