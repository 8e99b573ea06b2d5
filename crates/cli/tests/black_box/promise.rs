//! The promise of the first page, word for word.

use std::process::{Command, Stdio};

use crate::house::{House, PROGRAM};

/// Runs a line of shell as a user would type it, with the folders of a test.
fn shell(house: &House, line: &str) -> std::process::Output {
    Command::new("sh")
        .args(["-c", line])
        .env("PROGRAM", PROGRAM)
        .env("V", "sk-live-canary-20260722-xyz")
        .env("SUBROSA_HOME", house.path("home"))
        .env("SUBROSA_NO_DAEMON", "1")
        .env("XDG_STATE_HOME", house.path("state"))
        .env("HOME", house.path("account"))
        .current_dir(house.path("work"))
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[test]
fn a_command_uses_a_secret_that_nobody_sees() {
    let house = House::bare();
    let run = |line: &str| {
        shell(
            &house,
            &format!("subrosa() {{ \"$PROGRAM\" \"$@\"; }}; {line}"),
        )
    };
    let made = run("subrosa init --passphrase-fd 3 3<../passphrase");
    assert!(made.status.success(), "{made:?}");
    assert!(made.stdout.is_empty(), "the recovery code is no data");

    let stored =
        run("printf %s \"$V\" | subrosa --passphrase-fd 3 set api/key --stdin 3<../passphrase");
    assert!(stored.status.success(), "{stored:?}");

    let line = "subrosa run --passphrase-fd 3 -k api/key -- sh -c 'echo $API_KEY' 3<../passphrase";
    let refused = run(line);
    assert_eq!(refused.status.code(), Some(125), "{refused:?}");
    assert!(refused.stdout.is_empty());
    let said = String::from_utf8(refused.stderr).unwrap();
    for part in [
        "refused",
        "try: ",
        "allow: run",
        "command: \"sh\"",
        "echo $API_KEY",
        "inject: env",
        "subrosa apply -f",
    ] {
        assert!(said.contains(part), "{part:?} is missing: {said}");
    }

    house.write(
        "policy.yaml",
        "version: 1\nrules:\n  - allow: run\n    command: sh\n    args: [\"-c\", \"echo $API_KEY\"]\n    \
         secrets: [\"api/key\"]\n    inject: env\n",
    );
    let applied = run("subrosa apply -f policy.yaml --passphrase-fd 3 3<../passphrase");
    assert!(applied.status.success(), "{applied:?}");

    let allowed = run(line);
    assert!(allowed.status.success(), "{allowed:?}");
    assert_eq!(allowed.stdout, b"[REDACTED:api/key]\n");
    assert!(allowed.stderr.is_empty(), "{allowed:?}");
}

#[test]
fn the_rule_that_a_refusal_shows_is_the_one_that_allows() {
    let house = House::with_key();
    let line = [
        "run",
        "-k",
        "api/key",
        "--",
        "sh",
        "-c",
        "echo \"$API_KEY\" 'and more'",
    ];
    let refused = house.call(line).run();
    let said = refused.failed(125);
    let rule: String = said
        .lines()
        .skip_while(|line| !line.contains("- allow: run"))
        .take_while(|line| !line.contains("or in a file"))
        .map(|line| format!("{line}\n"))
        .collect();
    house.apply(&format!("version: 1\nrules:\n{rule}"));
    assert_eq!(house.call(line).run().ok(), "[REDACTED:api/key] and more\n");
}

#[test]
fn one_final_newline_of_a_passphrase_is_dropped_and_no_more() {
    let house = House::bare();
    house.call(["init", "--no-recovery"]).run().ok();
    let open = |text: &str| {
        house.write("try", text);
        house
            .call(["key", "ls"])
            .proof("--passphrase-fd", &house.work("try"))
            .run()
            .code
    };
    assert_eq!(open("correct horse battery"), Some(0));
    assert_eq!(open("correct horse battery\n"), Some(0));
    assert_eq!(open("correct horse battery\n\n"), Some(1));
    assert_eq!(open("correct horse battery "), Some(1));
}
