//! Import and export, there and back.

use std::os::unix::fs::PermissionsExt;

use crate::house::House;

/// What each key of a vault reads as.
fn all(house: &House) -> Vec<(String, Vec<u8>)> {
    let listed = house.call(["--json", "ls"]).run().json();
    let keys = listed.as_array().unwrap().iter();
    keys.map(|one| one["key"].as_str().unwrap().to_owned())
        .map(|key| {
            let value = house.read(&key);
            (key, value)
        })
        .collect()
}

#[test]
fn dotenv_goes_out_and_comes_back() {
    let house = House::new();
    let values = [
        "plain-value-1",
        "with \"quotes\" and $dollar `tick`",
        "two\nlines\r\nand \\ back",
        " spaces around ",
        "# no comment",
    ];
    for (index, value) in values.iter().enumerate() {
        house.set(&format!("KEY_{index}"), *value);
    }
    house.call(["export", "-o", "out.env"]).run().ok();
    let mode = std::fs::metadata(house.work("out.env"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(
        house
            .call(["--json", "export", "-o", "out.env"])
            .run()
            .error_code(),
        "file_exists"
    );

    let other = House::new();
    let imported = other
        .call(["--json", "import", house.work("out.env").to_str().unwrap()])
        .run()
        .json();
    assert_eq!(imported["created"].as_array().unwrap().len(), values.len());
    assert_eq!(all(&other), all(&house));
}

#[test]
fn json_carries_bytes_and_fields() {
    let house = House::new();
    house.set("bin/key", (0..=255).collect::<Vec<u8>>());
    house.set("text/key", "ein schlüssel\t\"mit\"\n\u{1}allem");
    house.set("db/main#password", "password-of-the-db");
    house.set("db/main#user", "user-name-of-the-db");
    let document = house.call(["export", "--format", "json"]).run().ok();
    let parsed: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_eq!(parsed["db/main#user"], "user-name-of-the-db");
    assert!(parsed["bin/key"]["base64"].is_string());

    let other = House::new();
    let plain = r#"{"bin/key": BIN, "text/key": TEXT, "db/main": {"password": "password-of-the-db", "user": "user-name-of-the-db"}}"#
        .replace("BIN", &parsed["bin/key"].to_string())
        .replace("TEXT", &parsed["text/key"].to_string());
    other
        .call(["import", "--format", "json", "-"])
        .input(plain)
        .run()
        .ok();
    for what in ["bin/key", "text/key", "db/main#password", "db/main#user"] {
        assert_eq!(other.read(what), house.read(what), "{what}");
    }
}

#[test]
fn conflicts_are_settled_as_asked_and_all_or_nothing() {
    let house = House::new();
    house.set("app/A", "the-value-that-is-there");
    house.write(
        "new.env",
        "B=a-new-value-for-b\nA=another-value-for-a\nC=subrosa://app/A\n",
    );
    let import = |words: &[&str]| {
        house
            .call([&["--json", "import", "new.env", "--prefix", "app/"], words].concat())
            .run()
    };
    assert_eq!(import(&[]).error_code(), "conflicts");
    assert_eq!(all(&house).len(), 1, "nothing of a failed import is stored");
    let tried = import(&["--conflict", "replace", "--dry-run"]).json();
    assert_eq!(
        (&tried["created"], &tried["replaced"]),
        (&serde_json::json!(["app/B"]), &serde_json::json!(["app/A"]))
    );
    assert_eq!(all(&house).len(), 1, "a dry run stores nothing");
    let skipped = import(&["--conflict", "skip"]).json();
    assert_eq!(
        (&skipped["skipped"], &skipped["references"]),
        (&serde_json::json!(["app/A"]), &1.into())
    );
    assert_eq!(house.read("app/A"), b"the-value-that-is-there");
    import(&["--conflict", "replace"]).json();
    assert_eq!(house.read("app/A"), b"another-value-for-a");
    let same = import(&[]).json();
    assert_eq!(same["unchanged"].as_array().unwrap().len(), 2);
    let shown = house.call(["--json", "show", "app/B"]).run().json();
    assert_eq!(
        shown["about"][0]["variable"], "B",
        "the name stays the variable"
    );
}

#[test]
fn a_broken_file_names_its_line_and_none_of_its_content() {
    let house = House::new();
    house.write("broken.env", "A=canary-in-a-file\nB canary-in-a-file\n");
    let back = house.call(["import", "broken.env"]).run();
    assert!(back.failed(1).contains("broken.env: line 2"), "{back:?}");
    assert!(!back.err.contains("canary"), "{back:?}");
    assert_eq!(
        house
            .call(["--json", "import", "nowhere.env"])
            .run()
            .error_code(),
        "io"
    );
    assert_eq!(all(&house), []);
}

#[test]
fn an_export_needs_a_person() {
    let house = House::with_key();
    house
        .call(["key", "add", "key-file", "ambient.key"])
        .run()
        .ok();
    let ambient = |words: &[&str]| {
        let words = [&["--json", "--key-file", "ambient.key"], words].concat();
        house.call(words).without_proof().run()
    };
    assert_eq!(ambient(&["ls"]).json()[0]["key"], "api/key");
    for words in [
        &["export"][..],
        &["backup", "x.backup"],
        &["key", "rotate"],
        &["rm", "api/key", "--purge"],
        &["audit", "prune", "--before", "1d"],
    ] {
        let back = ambient(words);
        assert_eq!(back.error_code(), "presence", "{words:?}");
        assert!(back.out.is_empty());
    }
    let read = house
        .call(["--key-file", "ambient.key", "read", "api/key"])
        .without_proof()
        .run();
    assert!(read.out.is_empty() && read.code == Some(1), "{read:?}");
}
