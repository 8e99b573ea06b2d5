use std::time::Duration;

use super::*;

#[test]
fn keys_keep_to_their_alphabet_and_have_no_climbing_parts() {
    for good in ["a", "api/key", "A.b-c_d/9", ".env/KEY", &"k".repeat(256)] {
        assert_eq!(
            KeyName::new(good).map(|k| k.to_string()),
            Ok(good.to_owned())
        );
    }
    for bad in [
        "",
        "/a",
        "a/",
        "a//b",
        "a/../b",
        ".",
        "..",
        "a b",
        "a\n",
        "ключ",
        "a#b",
        "a?b",
        &"k".repeat(257),
    ] {
        assert!(KeyName::new(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn a_name_error_says_what_is_wrong() {
    let error = KeyName::new("a b").unwrap_err();
    assert_eq!(
        error.to_string(),
        "' ' may not stand in a key; allowed are letters, digits and . _ / -"
    );
    assert!(
        KeyName::new("k".repeat(300))
            .unwrap_err()
            .to_string()
            .contains("at most 256 bytes")
    );
}

#[test]
fn a_variable_is_the_key_in_upper_case() {
    let value = FieldName::default_field();
    let variable = |key: &str, field: &FieldName| {
        KeyName::new(key)
            .unwrap()
            .default_variable(field)
            .to_string()
    };
    assert_eq!(variable("api/key", &value), "API_KEY");
    assert_eq!(
        variable("db/prod.main", &FieldName::new("user").unwrap()),
        "DB_PROD_MAIN_USER"
    );
    assert_eq!(variable("9lives", &value), "_9LIVES");
}

#[test]
fn tags_are_normalised() {
    assert_eq!(Tag::new("e\u{301}").unwrap(), Tag::new("\u{e9}").unwrap());
    assert!(Tag::new("a,b").is_err());
}

#[test]
fn references_round_trip() {
    for text in [
        "subrosa://api/key",
        "subrosa://work/db/password#user?version=3",
        "subrosa:///api/key",
        "vault://secret/app:password",
        "ssm:///prod/db?version=7",
        "env://DB",
        "op://team/item#field",
    ] {
        assert_eq!(text.parse::<Reference>().unwrap().to_string(), text);
    }
}

#[test]
fn bad_references_are_refused() {
    for text in [
        "api/key",
        "subrosa://",
        "subrosa:///",
        "subrosa://a//b",
        "subrosa://a/../b",
        "nope://x",
        "subrosa://a?version=0",
        "subrosa://a?version=01",
        "subrosa://a?version=-1",
        "subrosa://a?version=4294967296",
        "subrosa://a?v=1",
        "subrosa://a?version=1#b",
        "subrosa://a#",
        "subrosa://a b",
        "env://a\u{0}",
        "ssm:///a/../b",
        "SUBROSA://a",
    ] {
        assert!(text.parse::<Reference>().is_err(), "{text:?}");
    }
}

#[test]
fn a_reference_offers_both_readings_of_its_first_part() {
    let names = |text: &str| -> Vec<String> {
        let reference: Reference = text.parse().unwrap();
        reference
            .candidates()
            .into_iter()
            .map(|c| {
                format!(
                    "{}|{}",
                    c.workspace.map_or_else(|| "-".into(), |w| w.to_string()),
                    c.key
                )
            })
            .collect()
    };
    assert_eq!(
        names("subrosa://work/api/key"),
        ["-|work/api/key", "work|api/key"]
    );
    assert_eq!(names("subrosa:///work/api"), ["-|work/api"]);
    assert_eq!(names("subrosa://key"), ["-|key"]);
    assert!(names("vault://secret/app").is_empty());
}

#[test]
fn times_are_rfc_3339_in_utc() {
    let time: Timestamp = "2026-11-22T10:00:00+02:00".parse().unwrap();
    assert_eq!(time.to_string(), "2026-11-22T08:00:00Z");
    assert_eq!(
        "2026-11-22".parse::<Timestamp>().unwrap().to_string(),
        "2026-11-22T00:00:00Z"
    );
    assert_eq!(
        time.plus(Duration::from_micros(1)).as_micros() - time.as_micros(),
        1
    );
    assert!("yesterday".parse::<Timestamp>().is_err());
    // A damaged record must not panic whoever shows it.
    assert_eq!(
        Timestamp::from_micros(i64::MAX).to_string(),
        format!("@{}us", i64::MAX)
    );
}

#[test]
fn ids_are_read_only_in_their_one_spelling() {
    let id = SecretId::from_bytes([0xab; 16]);
    assert_eq!(SecretId::from_hex(&id.to_string()), Some(id));
    assert_eq!(SecretId::from_hex(&id.to_string().to_uppercase()), None);
    assert_eq!(SecretId::from_hex("ab"), None);
    assert_eq!(
        Digest::from_hex(&"0f".repeat(32)).map(|d| d.to_string()),
        Some("0f".repeat(32))
    );
}

#[test]
fn decisions_default_to_no() {
    assert_eq!(Verdict::default(), Verdict::Deny);
    assert_eq!(Inject::default(), Inject::Placeholder);
}

#[test]
fn each_destination_fits_the_kinds_that_can_reach_it() {
    let process = Destination::Process {
        executable: "/bin/true".into(),
        arguments: vec!["true".into()],
        directory: "/".into(),
        inject: Inject::Env,
    };
    let fits = |d: &Destination| {
        SinkKind::ALL
            .into_iter()
            .filter(|k| d.fits(*k))
            .map(SinkKind::name)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        fits(&process),
        ["environment", "file", "descriptor", "stdin"]
    );
    assert_eq!(fits(&Destination::Console), ["console"]);
    assert_eq!(
        fits(&Destination::Client {
            purpose: "read".into()
        }),
        ["client"]
    );
    assert_eq!(process.to_string(), "process /bin/true");
}
