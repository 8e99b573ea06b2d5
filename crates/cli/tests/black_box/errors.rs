//! Every error says what to do.

use crate::house::House;

#[test]
fn errors_have_a_code_a_message_and_a_remedy() {
    let house = House::with_key();
    let wrong = house.write("wrong", "not the passphrase");
    let cases: [(&[&str], &str, i32); 9] = [
        (&["show", "no/key"], "missing", 1),
        (&["read", "api/key#nofield"], "no_field", 1),
        (&["history", "no/key"], "missing", 1),
        (&["rollback", "api/key", "--to", "9"], "no_version", 1),
        (&["mv", "api/key", "api/key"], "exists", 1),
        (&["init"], "vault_exists", 1),
        (&["export", "nothing/**"], "nothing_fits", 1),
        (&["edit", "api/key"], "usage", 2),
        (&["restore", "/nowhere"], "io", 1),
    ];
    for (words, code, status) in cases {
        let words: Vec<&str> = ["--json"].iter().chain(words).copied().collect();
        if words[1] == "read" {
            // `read` gives a value or nothing: its errors are plain.
            let back = house.call(&words[1..]).run();
            assert!(
                back.failed(status).contains("\n  try: subrosa show")
                    || back.err.contains("See its fields"),
                "{back:?}"
            );
            continue;
        }
        let back = house.call(&words).run();
        assert_eq!(
            (back.error_code().as_str(), back.code),
            (code, Some(status)),
            "{words:?}"
        );
        assert!(back.out.is_empty(), "{words:?}");
        let error: serde_json::Value = serde_json::from_str(&back.err).unwrap();
        let remedy = error["error"]["remedy"].as_str().unwrap_or_default();
        assert!(remedy.len() > 10, "{words:?}: {remedy:?}");
    }
    let back = house.call(["ls"]).proof("--passphrase-fd", &wrong).run();
    let said = back.failed(1);
    assert_eq!(
        said.lines().next(),
        Some("subrosa: this passphrase does not open the vault")
    );
    assert!(said.contains("\n  try: "), "{said}");
}

#[test]
fn without_a_vault_the_first_step_is_named() {
    let house = House::bare();
    let back = house.call(["ls"]).run();
    assert!(
        back.failed(1).contains("try: Make one: subrosa init"),
        "{back:?}"
    );
    let status = house
        .call(["--json", "status"])
        .without_proof()
        .run()
        .json();
    assert_eq!(status["exists"], false);
    assert!(!house.path("home/data").exists(), "looking makes nothing");
}

#[test]
fn without_a_terminal_the_ways_in_are_named() {
    let house = House::new();
    // `setsid` leaves the terminal of whoever runs the tests behind.
    let back = std::process::Command::new("setsid")
        .args(["-w", crate::house::PROGRAM, "ls"])
        .env("SUBROSA_HOME", house.path("home"))
        .env("SUBROSA_NO_DAEMON", "1")
        .env("XDG_STATE_HOME", house.path("state"))
        .output()
        .unwrap();
    let said = String::from_utf8(back.stderr).unwrap();
    assert_eq!(back.status.code(), Some(1), "{said}");
    for way in ["--passphrase-fd", "--key-file", "--recovery-fd"] {
        assert!(said.contains(way), "{said}");
    }
}

#[test]
fn standard_input_is_read_once() {
    let house = House::new();
    for words in [
        &["--passphrase-fd", "0", "set", "a", "--stdin"][..],
        &["--recovery-fd", "0", "import", "-"],
        &["--passphrase-fd", "0", "apply", "-f", "-"],
    ] {
        let back = house.call(words).without_proof().input("x").run();
        assert!(
            back.failed(2).contains("both read standard input"),
            "{words:?}: {back:?}"
        );
    }
}

#[test]
fn wrong_usage_is_2_and_json_when_asked() {
    let house = House::new();
    let back = house.call(["lst"]).without_proof().run();
    assert!(back.failed(2).contains("ls"), "{back:?}");
    for words in [
        &["--json", "lst"][..],
        &["--json", "ls", "--nonsense"],
        &["--json", "set", "a b"],
    ] {
        let back = house.call(words).without_proof().run();
        assert_eq!(
            (back.error_code().as_str(), back.code),
            ("usage", Some(2)),
            "{words:?}"
        );
    }
}

#[test]
fn wrong_usage_of_run_is_no_answer_of_the_command() {
    let house = House::new();
    for words in [
        &["run"][..],
        &["run", "--"],
        &["run", "--timeout", "banana", "--", "true"],
        &["run", "-k", "api/key", "./x"],
        &["--color", "never", "-wwork", "run", "--nonsense"],
        &["-w", "work", "run"],
    ] {
        let back = house.call(words).without_proof().run();
        back.failed(125);
        let json = [&["--json"], words].concat();
        let back = house.call(&json).without_proof().run();
        assert_eq!(
            (back.error_code().as_str(), back.code),
            ("usage", Some(125)),
            "{words:?}"
        );
    }
    // A value or a name that reads like the subcommand is none.
    for words in [&["-w", "run", "lst"][..], &["show"], &["lst", "run"]] {
        house.call(words).without_proof().run().failed(2);
    }
    let missing = house.call(["--json", "run"]).without_proof().run();
    assert!(missing.failed(125).contains("<COMMAND>"), "{missing:?}");
    for words in [
        &["run", "-k", "api/key", "./x"][..],
        &["--json", "run", "-k", "api/key", "./x"],
    ] {
        let back = house.call(words).without_proof().run();
        let said = back.failed(125);
        assert!(
            said.contains("put `--` before the command") && !said.contains("./x"),
            "{back:?}"
        );
    }
}

#[test]
fn a_missing_descriptor_is_named() {
    let house = House::new();
    let back = house
        .call(["--passphrase-fd", "77", "ls"])
        .without_proof()
        .run();
    assert!(back.failed(1).contains("descriptor 77"), "{back:?}");
    let empty = house.write("empty", "");
    let back = house.call(["ls"]).proof("--passphrase-fd", &empty).run();
    assert!(back.failed(1).contains("holds no passphrase"), "{back:?}");
}

#[test]
fn a_reader_that_goes_away_is_not_an_error_to_talk_about() {
    let house = House::new();
    house.set(
        "big",
        vec![b'x'; 1024 * 1024 - 7]
            .into_iter()
            .chain(*b"-and-y!")
            .collect::<Vec<u8>>(),
    );
    let mut child = house
        .call(["read", "big"])
        .command()
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let reader = std::process::Command::new("sh")
        .args(["-c", "head -c 10 >/dev/null"])
        .stdin(child.stdout.take().unwrap())
        .status()
        .unwrap();
    assert!(reader.success());
    let output = child.wait_with_output().unwrap();
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_ne!(output.status.code(), Some(0));
}

#[test]
fn a_key_that_was_misspelt_is_met_with_the_one_that_is_near() {
    let house = House::with_key();
    for words in [
        &["show", "api/kye"][..],
        &["history", "api/kye"],
        &["rm", "api/kye"],
        &["read", "api/kye"],
        &["edit", "api/kye", "--tag", "x"],
        &["mv", "api/kye", "b"],
    ] {
        let back = house.call(words).run();
        assert!(
            back.failed(1).contains("did you mean `api/key`?"),
            "{back:?}"
        );
    }
    let back = house.call(["run", "-k", "api/kye", "--", "true"]).run();
    assert!(
        back.failed(125).contains("did you mean `api/key`?"),
        "{back:?}"
    );
    let back = house.call(["show", "nothing/like/it"]).run();
    assert!(!back.failed(1).contains("did you mean"), "{back:?}");
}

#[test]
fn remedies_name_the_key_and_the_next_step() {
    let house = House::with_key();
    let said = |words: &[&str]| {
        let back = house.call(words).input("0123-abcdef-4567").run();
        back.text() + &format!("{back:?}")
    };
    let lone = said(&["rollback", "api/key"]);
    assert!(
        lone.contains("no earlier version") && lone.contains("subrosa history api/key"),
        "{lone}"
    );
    let taken = said(&["set", "api/key", "--create", "--stdin"]);
    assert!(
        taken.contains("leave --create out") && !taken.contains("purge"),
        "{taken}"
    );
    house.set("other", "fedcba-9876-3210");
    let taken = said(&["mv", "other", "api/key"]);
    assert!(
        taken.contains("another name") && !taken.contains("purge"),
        "{taken}"
    );
    for words in [
        &["set", "new", "--bind", "LD_PRELOAD", "--stdin"][..],
        &["edit", "api/key", "--bind", "LD_PRELOAD"],
    ] {
        let back = house.call(words).input("0123-abcdef-4567").run();
        assert!(
            back.failed(2)
                .contains("no command may get the variable LD_PRELOAD"),
            "{back:?}"
        );
    }
    let named = said(&["set", "ld/preload", "--stdin"]);
    assert!(
        named.contains("subrosa edit ld/preload --bind NAME"),
        "{named}"
    );
    let past = said(&["edit", "api/key", "--expires", "2020-01-01"]);
    assert!(past.contains("has expired already"), "{past}");
    let short = house
        .call(["set", "pin", "--stdin", "--force"])
        .input("123")
        .run();
    assert!(
        format!("{short:?}").contains("it is not masked at all"),
        "{short:?}"
    );
}

#[test]
fn a_folder_that_cannot_be_made_is_not_met_with_init() {
    let house = House::bare();
    let word = house.write("word", "a long passphrase");
    let back = house
        .call(["init"])
        .at(std::path::Path::new("/proc/nope"))
        .proof("--passphrase-fd", &word)
        .run();
    let said = back.failed(1);
    assert!(
        said.contains("cannot be made") && said.contains("set SUBROSA_HOME to a folder"),
        "{back:?}"
    );
}

#[test]
fn a_wrong_policy_is_named_with_its_file() {
    let house = House::new();
    let file = house.write("mine.yaml", "version: 1\nrules: yes\n");
    let file = file.to_str().unwrap();
    for words in [&["policy", "check", file][..], &["apply", "-f", file]] {
        let back = house.call(words).run();
        let said = back.failed(1);
        assert!(
            said.contains("mine.yaml: line 2") && said.contains("begins on a line of its own"),
            "{back:?}"
        );
    }
}
