//! Secrets: store, look at, change, move, remove, bring back.

use crate::house::{House, VALUE};

#[test]
fn a_value_comes_back_byte_for_byte() {
    let house = House::new();
    let every: Vec<u8> = (0..=255).chain(*b"\n\n").collect();
    for value in [
        every.as_slice(),
        b"line\n",
        b"a\0b-and-more-of-it",
        "schlüssel-wörter".as_bytes(),
    ] {
        house.set("bin/value", value);
        assert_eq!(house.read("bin/value"), value);
    }
}

#[test]
fn fields_variables_and_metadata_are_kept() {
    let house = House::new();
    house.set("db/main#user", "shop-user-name");
    house
        .call([
            "set",
            "db/main#password",
            "--stdin",
            "--bind",
            "PGPASSWORD",
            "--tag",
            "prod",
            "--note",
            "team",
        ])
        .input(VALUE)
        .run()
        .ok();
    let shown = house.call(["--json", "show", "db/main"]).run().json();
    assert_eq!(shown["fields"], serde_json::json!(["password", "user"]));
    assert_eq!(shown["about"][0]["variable"], "PGPASSWORD");
    assert_eq!(shown["about"][1]["variable"], "DB_MAIN_USER");
    assert_eq!(
        (&shown["tags"], &shown["note"]),
        (&serde_json::json!(["prod"]), &"team".into())
    );
    assert_eq!(shown["version"], 2);
    assert!(!shown.to_string().contains(VALUE));

    house
        .call([
            "edit",
            "db/main",
            "--tag",
            "eu",
            "--no-tag",
            "prod",
            "--expires",
            "30d",
            "--unbind",
            "password",
        ])
        .run()
        .ok();
    let shown = house.call(["--json", "show", "db/main"]).run().json();
    assert_eq!(shown["tags"], serde_json::json!(["eu"]));
    assert_eq!(shown["about"][0]["variable"], "DB_MAIN_PASSWORD");
    assert!(shown["expires"].is_string());
    assert_eq!(shown["version"], 2, "metadata makes no version");
    house
        .call([
            "edit",
            "db/main",
            "--expires",
            "never",
            "--drop-field",
            "user",
        ])
        .run()
        .ok();
    let shown = house.call(["--json", "show", "db/main"]).run().json();
    assert!(shown["expires"].is_null());
    assert_eq!(shown["fields"], serde_json::json!(["password"]));
}

#[test]
fn what_is_known_of_a_field_survives_a_new_value() {
    let house = House::new();
    let about = [
        "set",
        "login#name",
        "--stdin",
        "--not-sensitive",
        "--field-kind",
        "user",
        "--hint",
        "yours",
        "--alias",
        "user",
    ];
    house.call(about).input("somebody-or-other").run().ok();
    house.set("login#user", "somebody-else-now");
    let shown = house.call(["--json", "show", "login"]).run().json();
    let field = &shown["about"][0];
    assert_eq!(
        (&field["kind"], &field["hint"], &field["sensitive"]),
        (&"user".into(), &"yours".into(), &false.into())
    );
    assert_eq!(field["aliases"], serde_json::json!(["user"]));
}

#[test]
fn create_and_update_mean_what_they_say() {
    let house = House::with_key();
    let create = house
        .call(["--json", "set", "api/key", "--stdin", "--create"])
        .input("other-value-of-it")
        .run();
    assert_eq!(create.error_code(), "exists");
    let update = house
        .call(["--json", "set", "api/nokey", "--stdin", "--update"])
        .input("other-value-of-it")
        .run();
    assert_eq!(update.error_code(), "missing");
    assert_eq!(house.read("api/key"), VALUE.as_bytes());
}

#[test]
fn a_value_that_cannot_be_masked_is_said_loudly() {
    let house = House::new();
    let short = house
        .call(["--json", "-q", "set", "pin", "--stdin"])
        .input("1234")
        .run();
    assert_eq!(short.json()["masked"], false);
    assert!(
        short
            .err
            .contains("not masked in output, because it is too short"),
        "{short:?}"
    );
    house.apply("version: 1\nrules:\n  - allow: run\n    command: sh\n    args: [\"-c\", \"echo $PIN\"]\n    secrets: [\"pin\"]\n    inject: env\n");
    let line = ["run", "-k", "pin", "--", "sh", "-c", "echo $PIN"];
    let refused = house.call(line).run();
    assert_ne!(refused.code, Some(0), "{refused:?}");
    assert!(refused.out.is_empty());
    let forced = house
        .call(["--json", "set", "pin", "--stdin", "--force"])
        .input("1234")
        .run();
    assert_eq!(forced.json()["masked"], true);
    assert_eq!(house.call(line).run().ok(), "[REDACTED:pin]\n");
}

#[test]
fn a_generated_value_is_of_its_alphabet_and_never_shown() {
    let house = House::new();
    for (alphabet, length, fits) in [
        (
            "alnum",
            40,
            (|b: u8| b.is_ascii_alphanumeric()) as fn(u8) -> bool,
        ),
        ("hex", 64, |b| {
            b.is_ascii_digit() || (b'a'..=b'f').contains(&b)
        }),
        ("symbols", 50, |b| b.is_ascii_graphic()),
        ("bytes", 100, |_| true),
    ] {
        let length = length.to_string();
        let made = house
            .call([
                "generate",
                "gen/one",
                "--alphabet",
                alphabet,
                "--length",
                &length,
            ])
            .run();
        let value = house.read("gen/one");
        assert_eq!(value.len().to_string(), length);
        assert!(value.iter().all(|byte| fits(*byte)), "{alphabet}");
        let said = [made.out.as_slice(), made.err.as_bytes()].concat();
        assert!(!said.windows(8).any(|part| part == &value[..8]));
    }
    house
        .call(["generate", "gen/one", "--length", "0"])
        .run()
        .failed(2);
}

#[test]
fn history_rolls_back_and_removed_secrets_come_back() {
    let house = House::new();
    for number in 1..=3 {
        house.set("api/key", format!("value-number-{number}-of-it"));
    }
    let versions = house.call(["--json", "history", "api/key"]).run().json();
    assert_eq!(versions.as_array().unwrap().len(), 3);
    assert_eq!(
        house.call(["read", "api/key", "--version", "1"]).run().ok(),
        "value-number-1-of-it"
    );
    let back = house.call(["--json", "rollback", "api/key"]).run().json();
    assert_eq!(back["version"], 4);
    assert_eq!(house.read("api/key"), b"value-number-2-of-it");
    house.call(["rollback", "api/key", "--to", "1"]).run().ok();
    assert_eq!(house.read("api/key"), b"value-number-1-of-it");

    house.call(["rm", "api/key"]).run().ok();
    assert_eq!(
        house.call(["--json", "read", "api/key"]).run().code,
        Some(2)
    );
    house.call(["read", "api/key"]).run().failed(1);
    assert_eq!(
        house.call(["--json", "ls"]).run().json(),
        serde_json::json!([])
    );
    assert_eq!(
        house.call(["--json", "ls", "--removed"]).run().json()[0]["key"],
        "api/key"
    );
    house.call(["rollback", "api/key"]).run().ok();
    assert_eq!(house.read("api/key"), b"value-number-1-of-it");

    house.call(["rm", "api/key", "--purge"]).run().ok();
    assert_eq!(
        house
            .call(["--json", "rollback", "api/key"])
            .run()
            .error_code(),
        "missing"
    );
}

#[test]
fn workspaces_and_groups_hide_and_reveal() {
    let house = House::new();
    house
        .call(["-w", "global", "set", "ca/root", "--stdin"])
        .input("value-of-everybody")
        .run()
        .ok();
    house
        .call(["-g", "staging", "set", "api/key", "--stdin"])
        .input("value-of-staging-1")
        .run()
        .ok();
    house.set("api/key", "value-of-the-default");
    assert_eq!(house.read("api/key"), b"value-of-the-default");
    assert_eq!(
        house.call(["-g", "staging", "read", "api/key"]).run().ok(),
        "value-of-staging-1"
    );
    assert_eq!(
        house.call(["read", "ca/root", "-w", "default"]).run().ok(),
        "value-of-everybody"
    );
    let group = house
        .call(["read", "api/key"])
        .variable("SUBROSA_GROUP", "staging");
    assert_eq!(group.run().ok(), "value-of-staging-1");
    let flag = house
        .call(["-w", "other", "read", "api/key"])
        .variable("SUBROSA_WORKSPACE", "default");
    assert_eq!(
        flag.run().failed(1).lines().next().unwrap(),
        "subrosa: there is no secret api/key in other"
    );

    house
        .call(["mv", "api/key", "api/moved", "--to-workspace", "other"])
        .run()
        .ok();
    assert_eq!(
        house.call(["-w", "other", "read", "api/moved"]).run().ok(),
        "value-of-the-default"
    );
    let all = house.call(["--json", "ls", "--all"]).run().json();
    let places: Vec<String> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            format!(
                "{}/{}",
                one["workspace"].as_str().unwrap(),
                one["key"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(
        places,
        ["default/api/key", "global/ca/root", "other/api/moved"]
    );
}

#[test]
fn the_configuration_names_the_workspace() {
    let house = House::new();
    std::fs::create_dir_all(house.path("home/config")).unwrap();
    std::fs::write(
        house.path("home/config/config.toml"),
        "workspace = \"shop\"\n",
    )
    .unwrap();
    house.set("api/key", VALUE);
    assert_eq!(
        house.call(["--json", "ls"]).run().json()[0]["workspace"],
        "shop"
    );
    std::fs::write(
        house.path("home/config/config.toml"),
        "workspaces = \"shop\"\n",
    )
    .unwrap();
    assert_eq!(house.call(["--json", "ls"]).run().error_code(), "config");
}

#[test]
fn lists_are_filtered_by_pattern_and_tag() {
    let house = House::new();
    for key in ["github/token", "github/org/token", "aws/key"] {
        house.set(key, VALUE);
    }
    house.call(["edit", "aws/key", "--tag", "prod"]).run().ok();
    let keys = |words: &[&str]| -> Vec<String> {
        let listed = house.call([&["--json", "ls"], words].concat()).run().json();
        listed
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["key"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(keys(&["github/*"]), ["github/token"]);
    assert_eq!(keys(&["github/**"]), ["github/org/token", "github/token"]);
    assert_eq!(keys(&["--tag", "prod"]), ["aws/key"]);
    assert_eq!(
        house.call(["list", "aws/*"]).run().ok().lines().count(),
        2,
        "a header and a line"
    );
}

#[test]
fn a_pinned_secret_goes_to_no_command_and_keeps_its_pin() {
    let house = House::new();
    let pinned = [
        "set",
        "openai/key",
        "--stdin",
        "--pin",
        "openai",
        "--host",
        "api.openai.com",
    ];
    house.call(pinned).input(VALUE).run().ok();
    house.apply("version: 1\nrules:\n  - allow: run\n    command: sh\n    args: [\"-c\", \"echo $X\"]\n    secrets: [\"**\"]\n    inject: env\n");
    for key in ["openai/key", "free/key"] {
        let bind = format!("X={key}");
        let refused = house
            .call([
                "--json", "run", "--bind", &bind, "--", "sh", "-c", "echo $X",
            ])
            .run();
        assert_eq!(refused.code, Some(125));
        assert_eq!(refused.error_code(), "refused");
        if key == "openai/key" {
            house.call(["mv", key, "free/key"]).run().ok();
        }
    }
    assert_eq!(
        house.call(["--json", "ls"]).run().json()[0]["pin"],
        "openai"
    );
    house
        .call(["set", "x", "--stdin", "--pin", "openai"])
        .input(VALUE)
        .run()
        .failed(2);
    let bad = [
        "--json",
        "set",
        "x",
        "--stdin",
        "--pin",
        "openai",
        "--host",
        "https://api.openai.com/",
    ];
    assert_eq!(house.call(bad).input(VALUE).run().error_code(), "usage");
}
