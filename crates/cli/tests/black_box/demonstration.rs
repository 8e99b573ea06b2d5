//! The demonstration holds what it shows, and leaves nothing.

use std::collections::BTreeSet;

use crate::house::House;

#[test]
fn every_attack_that_applies_is_held_and_nothing_stays() {
    let house = House::bare();
    let temporary = house.path("tmp");
    crate::house::folder(&temporary);
    let back = house
        .call(["--json", "demo"])
        .without_proof()
        .variable("TMPDIR", &temporary)
        .run();
    let told = back.json();
    assert_eq!(told["held"], true, "{told}");
    assert_eq!(told["audit"]["sound"], true);
    let rows = told["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 48);
    let held: BTreeSet<u64> = rows
        .iter()
        .filter(|row| row["verdict"] == "held")
        .map(|row| row["number"].as_u64().unwrap())
        .collect();
    assert_eq!(
        held,
        BTreeSet::from([3, 4, 13, 25, 27, 28, 29, 31, 39, 40, 42, 45])
    );
    assert_eq!(
        std::fs::read_dir(&temporary).unwrap().count(),
        0,
        "the folder is gone"
    );
    assert_eq!(
        std::fs::read_dir(house.path("home")).unwrap().count(),
        0,
        "nothing of the user's is touched"
    );
    assert_eq!(std::fs::read_dir(house.path("state")).unwrap().count(), 0);
}

#[test]
fn the_story_is_told_and_the_folder_kept_on_request() {
    let house = House::bare();
    let temporary = house.path("tmp");
    crate::house::folder(&temporary);
    let back = house
        .call(["demo", "--keep"])
        .without_proof()
        .variable("TMPDIR", &temporary)
        .run();
    let text = back.ok();
    for part in [
        "[REDACTED:shop/STRIPE_KEY]",
        "not built: part 6",
        "The audit log verifies",
        "Where to go next",
    ] {
        assert!(text.contains(part), "{part:?} is missing: {text}");
    }
    let folder = std::fs::read_dir(&temporary)
        .unwrap()
        .next()
        .expect("the folder stays")
        .unwrap()
        .path();
    assert!(folder.join("home/data/vault.db").exists());
}
