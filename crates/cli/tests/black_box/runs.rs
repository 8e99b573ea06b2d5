//! `run`: statuses, ways in, streams.

use crate::house::{House, VALUE};

const ANY: &str = "version: 1\nrules:\n";

/// A rule for one shell line.
fn rule(script: &str, inject: &str) -> String {
    let script = serde_json::to_string(script).unwrap();
    format!(
        "  - allow: run\n    command: sh\n    args: [\"-c\", {script}]\n    secrets: [\"**\"]\n    inject: {inject}\n"
    )
}

#[test]
fn the_status_is_the_commands_own() {
    let house = House::new();
    let status = |words: &[&str]| house.call([&["run", "--"], words].concat()).run().code;
    assert_eq!(status(&["true"]), Some(0));
    assert_eq!(status(&["false"]), Some(1));
    assert_eq!(status(&["sh", "-c", "exit 42"]), Some(42));
    assert_eq!(status(&["sh", "-c", "kill -TERM $$"]), Some(128 + 15));
    assert_eq!(status(&["no-such-command"]), Some(127));
    house.write("plain.txt", "no program");
    assert_eq!(status(&["./plain.txt"]), Some(126));
}

#[test]
fn what_fails_on_our_side_is_125() {
    let house = House::with_key();
    let run = |words: &[&str]| house.call([&["--json", "run"], words].concat()).run();
    let refused = run(&["-k", "api/key", "--", "true"]);
    assert_eq!(
        (refused.code, refused.error_code().as_str()),
        (Some(125), "refused")
    );
    let missing = run(&["-k", "no/key", "--", "true"]);
    assert_eq!(
        (missing.code, missing.error_code().as_str()),
        (Some(125), "missing")
    );
    let placeholder = run(&["-k", "api/key", "--inject", "placeholder", "--", "true"]);
    assert_eq!(
        (placeholder.code, placeholder.error_code().as_str()),
        (Some(125), "not_built")
    );
    let strict = run(&["--sandbox", "strict", "--", "true"]);
    assert_eq!(
        (strict.code, strict.error_code().as_str()),
        (Some(125), "not_built")
    );
    let wrong = house
        .call(["run", "--", "true"])
        .proof("--passphrase-fd", &house.path("recovery"))
        .run();
    assert_eq!(wrong.code, Some(125));
    let limit = run(&["--timeout", "1s", "--", "sleep", "60"]);
    assert_eq!(limit.code, Some(125));
    assert!(limit.err.contains("\"ending\":\"limited\""), "{limit:?}");
}

#[test]
fn values_arrive_as_a_variable_a_file_and_standard_input() {
    let house = House::with_key();
    let scripts = [
        ("test \"$API_KEY\" = WANTED && echo yes", "env"),
        ("test \"$(cat \"$API_KEY\")\" = WANTED && echo yes", "file"),
        ("test \"$(cat)\" = WANTED && echo yes", "stdin"),
    ];
    let scripts = scripts.map(|(script, inject)| (script.replace("WANTED", VALUE), inject));
    let rules: String = scripts
        .iter()
        .map(|(script, inject)| rule(script, inject))
        .collect();
    house.apply(&format!("{ANY}{rules}"));
    for (script, inject) in &scripts {
        for words in [
            &["run", "-k", "api/key"][..],
            &["run", "-k", "api/key", "--inject", inject],
        ] {
            let back = house
                .call([words, &["--", "sh", "-c", script]].concat())
                .run();
            assert_eq!(back.ok(), "yes\n", "{inject}");
        }
    }
    let wrong = house
        .call([
            "run",
            "-k",
            "api/key",
            "--inject",
            "file",
            "--",
            "sh",
            "-c",
            &scripts[0].0,
        ])
        .run();
    assert_eq!(
        wrong.code,
        Some(125),
        "a rule for `env` does not allow `file`"
    );
}

#[test]
fn standard_input_belongs_to_the_command() {
    let house = House::with_key();
    house.apply(&format!("{ANY}{}", rule("cat; echo $API_KEY >&2", "env")));
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let back = house
        .call([
            "run",
            "-k",
            "api/key",
            "--",
            "sh",
            "-c",
            "cat; echo $API_KEY >&2",
        ])
        .input(bytes.clone())
        .run();
    assert_eq!(back.code, Some(0), "{}", back.err);
    assert_eq!(back.out, bytes);
    assert_eq!(back.err, "[REDACTED:api/key]\n");
}

#[test]
fn a_command_sees_neither_our_proof_nor_our_variables() {
    let house = House::with_key();
    let script = "ls /proc/self/fd | tr '\\n' ' '; cat <&3 2>/dev/null; echo ${SECRET_OF_OURS-none} ${SUBROSA_KEY_FILE-none}";
    let back = house
        .call(["run", "--", "sh", "-c", script])
        .variable("SECRET_OF_OURS", "x")
        .run();
    let text = back.text();
    assert!(text.ends_with("none none\n"), "{text}");
    let code = std::fs::read_to_string(house.path("recovery")).unwrap();
    assert!(
        !text.contains(code.trim()),
        "the descriptor of the proof was handed on"
    );
    let passed = house
        .call([
            "run",
            "--env",
            "SECRET_OF_OURS",
            "--",
            "sh",
            "-c",
            "echo $SECRET_OF_OURS",
        ])
        .variable("SECRET_OF_OURS", "x");
    assert_eq!(passed.run().ok(), "x\n");
}

#[test]
fn references_in_files_are_resolved() {
    let house = House::with_key();
    house.set("db/main#password", "password-of-the-db");
    let script = "echo $TOKEN $PGPASSWORD $PLAIN";
    house.apply(&format!("{ANY}{}", rule(script, "env")));
    house.write(".env", "TOKEN=subrosa://api/key\nPGPASSWORD=\"subrosa:///db/main#password\"\nPLAIN=not-a-reference\n");
    let implicit = house.call(["run", "--", "sh", "-c", script]).run();
    assert_eq!(
        implicit.ok(),
        "[REDACTED:api/key] [REDACTED:db/main#password]\n"
    );
    house.write("other.env", "TOKEN=subrosa://default/api/key?version=1\n");
    let explicit = house
        .call(["run", "--env-file", "other.env", "--", "sh", "-c", script])
        .run();
    assert_eq!(explicit.ok(), "[REDACTED:api/key]\n");
    let bound = house
        .call([
            "run",
            "--bind",
            "PGPASSWORD=db/main#password",
            "--",
            "sh",
            "-c",
            script,
        ])
        .run();
    assert_eq!(bound.ok(), "[REDACTED:db/main#password]\n");
}

#[test]
fn two_secrets_do_not_share_a_variable() {
    let house = House::new();
    house.set("api/key", "value-number-one-1");
    house.set("api-key", "value-number-two-2");
    let back = house
        .call(["--json", "run", "-k", "api*", "-k", "api/key", "--", "true"])
        .run();
    assert_eq!(back.error_code(), "collision");
}

#[test]
fn a_report_is_json_on_standard_error() {
    let house = House::with_key();
    house.apply(&format!("{ANY}{}", rule("echo $API_KEY$API_KEY", "env")));
    let back = house
        .call([
            "--json",
            "run",
            "-k",
            "api/key",
            "--",
            "sh",
            "-c",
            "echo $API_KEY$API_KEY",
        ])
        .run();
    assert_eq!(back.ok(), "[REDACTED:api/key][REDACTED:api/key]\n");
    let report: serde_json::Value = serde_json::from_str(back.err.lines().last().unwrap()).unwrap();
    assert_eq!(report["run"]["redacted"], 2);
    assert_eq!(report["run"]["used"], serde_json::json!(["api/key"]));
}

#[test]
fn an_expired_secret_is_refused() {
    let house = House::with_key();
    house.apply(&format!("{ANY}{}", rule("echo $API_KEY", "env")));
    house
        .call(["edit", "api/key", "--expires", "2020-01-01"])
        .run()
        .ok();
    let back = house
        .call(["run", "-k", "api/key", "--", "sh", "-c", "echo $API_KEY"])
        .run();
    assert!(back.failed(125).contains("expired"), "{back:?}");
    assert_eq!(house.call(["read", "api/key"]).run().code, Some(1));
}
