use subrosa_crypto::SecretBuf;

use super::super::entry::Place;
use super::*;

fn item(path: &[&str], fields: &[(&str, &'static str, &str)]) -> Entry {
    let mut entry = Entry {
        place: Place::Item(7),
        path: path.iter().map(ToString::to_string).collect(),
        ..Entry::default()
    };
    for (name, kind, value) in fields {
        let value = SecretBuf::copy_from(value.as_bytes()).unwrap();
        match *kind {
            "shown" => entry.open(*name, "", value),
            kind => entry.secret(*name, kind, value),
        }
    }
    entry
}

fn settled(entries: Vec<Entry>) -> Result<(Vec<String>, Imported), EngineError> {
    let mut report = Imported::default();
    let found = Found {
        entries,
        ..Found::default()
    };
    let secrets = settle(found, "file", "p/", &mut report)?;
    let words = |secret: &Incoming| {
        let fields: Vec<String> = secret
            .about
            .iter()
            .map(|(name, about)| {
                let aliases: Vec<&str> = about.aliases.iter().map(FieldName::as_str).collect();
                let open = if about.sensitive { "" } else { " shown" };
                format!("{name}{open} {}", aliases.join("/"))
            })
            .collect();
        format!("{}: {}", secret.key, fields.join(", "))
    };
    Ok((secrets.iter().map(words).collect(), report))
}

#[test]
fn the_main_value_is_found() {
    let (secrets, _) = settled(vec![
        item(
            &["a"],
            &[
                ("user", "shown", "u"),
                ("value", "password", "x"),
                ("notes", "note", "n"),
            ],
        ),
        item(&["b"], &[("notes", "note", "only")]),
        item(&["c"], &[("number", "card", "1"), ("code", "card", "2")]),
        item(&["d"], &[("pin", "", "1"), ("Credential", "", "2")]),
        item(
            &["e"],
            &[
                ("value", "password", "1"),
                ("password", "", "2"),
                ("value", "", "3"),
            ],
        ),
    ])
    .unwrap();
    assert_eq!(
        secrets,
        [
            "p/a: value password, user shown , notes ",
            "p/b: value notes",
            "p/c: number , code ",
            "p/d: value Credential, pin ",
            "p/e: value , password , value-2 ",
        ]
    );
}

#[test]
fn what_holds_nothing_is_named_and_takes_no_key() {
    let (secrets, report) = settled(vec![
        item(&["Work", "A b"], &[("username", "shown", "u")]),
        item(&["Work", "A b"], &[("value", "password", "")]),
        item(&["Work", "A b"], &[("value", "password", "x")]),
        item(&["Work", "A-b"], &[("value", "password", "y")]),
    ])
    .unwrap();
    assert_eq!(secrets.len(), 2);
    assert_eq!(report.empty, ["Work/A-b", "Work/A-b"]);
    assert_eq!(
        report
            .numbered
            .iter()
            .map(KeyName::as_str)
            .collect::<Vec<_>>(),
        ["p/Work/A-b-2"]
    );
}

#[test]
fn bounds_name_the_item_and_no_value() {
    let many: Vec<_> = (0..=FIELDS_MAX).map(|_| ("f", "", "hunter2")).collect();
    let long = "hunter2".repeat(VALUE_MAX / 7 + 1);
    for entry in [item(&["a"], &many), item(&["a"], &[("value", "", &long)])] {
        let error = settled(vec![entry]).unwrap_err();
        let said = format!("{error} {error:?}");
        assert!(
            said.contains("item 7") && !said.contains("hunter2"),
            "{said}"
        );
    }
}

#[test]
fn a_variable_that_no_command_may_get_is_not_bound() {
    let mut entry = item(&["a"], &[("value", "", "x")]);
    entry.variable = Some("LD_PRELOAD".to_owned());
    let found = Found {
        entries: vec![entry],
        ..Found::default()
    };
    let secrets = settle(found, "file", "", &mut Imported::default()).unwrap();
    assert_eq!(secrets[0].variable, None);
}
