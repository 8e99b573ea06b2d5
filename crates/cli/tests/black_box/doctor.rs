//! `doctor`: what is wrong is found with what to do, and what is right is left alone.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use crate::house::{House, VALUE};

fn look(house: &House) -> (Option<i32>, serde_json::Value) {
    let back = house.call(["doctor", "--json"]).run();
    let document = serde_json::from_slice(&back.out).unwrap_or_else(|_| panic!("{back:?}"));
    (back.code, document)
}

#[track_caller]
fn check<'a>(document: &'a serde_json::Value, name: &str) -> &'a serde_json::Value {
    let checks = document["checks"].as_array().expect("a list");
    let found = checks.iter().find(|check| check["name"] == name);
    found.unwrap_or_else(|| panic!("no {name}: {document}"))
}

#[test]
fn a_sound_installation_is_sound() {
    let house = House::with_key();
    house.read("api/key");
    let (code, document) = look(&house);
    assert_eq!(code, Some(0), "{document}");
    for name in [
        "configuration",
        "vault",
        "state folder",
        "pin",
        "anchor",
        "attempts",
        "daemon",
    ] {
        assert_eq!(check(&document, name)["health"], "good", "{document}");
    }
    let text = house.call(["doctor"]).run().ok();
    assert!(text.contains("ok") && !text.contains("BAD"), "{text}");
    assert!(!text.contains(VALUE));
}

/// What is looked at, how it stands then, a word of the remedy, and how it is broken and mended.
type Fault<'a> = (&'a str, &'a str, &'a str, (&'a dyn Fn(), &'a dyn Fn()));

#[test]
fn each_fault_is_found_with_a_remedy() {
    let house = House::with_key();
    let faults: [Fault<'_>; 4] = [
        (
            "vault",
            "bad",
            "chmod",
            (&|| mode(&house, "home/data", 0o755), &|| {
                mode(&house, "home/data", 0o700)
            }),
        ),
        (
            "state folder",
            "bad",
            "chmod",
            (&|| mode(&house, "home/state", 0o777), &|| {
                mode(&house, "home/state", 0o700)
            }),
        ),
        (
            "anchor",
            "bad",
            "audit verify",
            (
                &|| {
                    fs::rename(house.path("home/state/anchors"), house.path("away")).expect("moved")
                },
                &|| {
                    let _ = fs::remove_dir_all(house.path("home/state/anchors"));
                    fs::rename(house.path("away"), house.path("home/state/anchors"))
                        .expect("moved");
                },
            ),
        ),
        (
            "attempts",
            "warning",
            "subrosa log",
            (
                &|| {
                    fs::write(house.path("wrong"), "another").expect("written");
                    let wrong = house.path("wrong");
                    let call = house.call(["ls"]);
                    call.proof("--passphrase-fd", &wrong).run().failed(1);
                },
                &|| {
                    house.read("api/key");
                },
            ),
        ),
    ];
    for (name, health, remedy, (broken, mended)) in faults {
        broken();
        let (code, document) = look(&house);
        assert_eq!(code, Some(i32::from(health == "bad")), "{name}: {document}");
        let found = check(&document, name);
        assert_eq!(found["health"], health, "{document}");
        // What is wrong with a folder says itself what to type.
        assert!(found.to_string().contains(remedy), "{found}");
        mended();
        let (_, document) = look(&house);
        assert_eq!(check(&document, name)["health"], "good", "{document}");
    }
}

fn mode(house: &House, name: &str, mode: u32) {
    fs::set_permissions(house.path(name), Permissions::from_mode(mode)).expect("ours");
}

#[test]
fn without_a_vault_it_says_how_to_begin() {
    let house = House::with_key();
    fs::remove_dir_all(house.path("home/data")).expect("removed");
    let (code, document) = look(&house);
    assert_eq!(code, Some(0), "{document}");
    let vault = check(&document, "vault");
    assert!(
        vault["remedy"]
            .as_str()
            .expect("one")
            .contains("subrosa init"),
        "{vault}"
    );
}
