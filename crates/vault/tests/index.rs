//! The index of a large workspace: it tells what the heads tell, or nothing.

mod house;

use house::{House, NOW, key, patch, quick_unlock, scope};
use subrosa_model::{Change, ChangeKind, KeyName, Scope, Timestamp, WorkspaceName};
use subrosa_testkit::MemoryStore;
use subrosa_vault::port::{Collection, RecordKey};
use subrosa_vault::{Brief, Patch, VaultError};

/// Enough that an index is kept.
const MANY: usize = 2100;

fn fill(house: &mut House, scope: &Scope, count: usize) {
    let items: Vec<(Scope, KeyName, Patch)> = (0..count)
        .map(|number| {
            let value = format!("value-number-{number}");
            let name = key(&format!("app/key-{number}"));
            (scope.clone(), name, patch(value.as_bytes()))
        })
        .collect();
    let change = Change {
        kind: ChangeKind::Import,
        subjects: Vec::new(),
        detail: String::new(),
    };
    house
        .vault
        .set_many(&mut house.journal, &items, &change, NOW)
        .unwrap();
}

fn large() -> House {
    let mut house = House::quick();
    fill(&mut house, &scope(), MANY);
    house
}

fn briefs_in(house: &mut House, workspace: &WorkspaceName) -> Result<Vec<Brief>, VaultError> {
    house
        .vault
        .list_as(&mut house.journal, workspace, &Some, |brief| {
            (brief.group.as_ref().map(|group| group.as_str()), &brief.key)
        })
}

fn briefs(house: &mut House) -> Result<Vec<Brief>, VaultError> {
    briefs_in(house, &scope().workspace)
}

/// What the heads themselves tell.
fn opened(house: &mut House) -> Vec<Brief> {
    let heads = house
        .vault
        .list(&mut house.journal, &scope().workspace)
        .unwrap();
    heads.iter().map(subrosa_vault::Head::brief).collect()
}

fn reopened(store: &MemoryStore) -> House {
    House::open(store, &quick_unlock()).unwrap()
}

fn of(store: &MemoryStore, collection: Collection) -> Vec<RecordKey> {
    let contents = store.contents();
    let keys = contents.records.keys();
    keys.filter(|key| key.collection == collection)
        .copied()
        .collect()
}

fn flip(store: &MemoryStore, key: &RecordKey) {
    let mut contents = store.contents();
    let body = &mut contents.records.get_mut(key).unwrap().1;
    let middle = body.len() / 2;
    body[middle] ^= 1;
}

#[test]
fn it_is_written_by_the_first_list_and_tells_the_next_ones() {
    let mut house = large();
    assert!(of(&house.store, Collection::Index).is_empty());
    let first = briefs(&mut house).unwrap();
    assert_eq!(first.len(), MANY);
    assert_eq!(of(&house.store, Collection::Index).len(), 32);

    let mut again = reopened(&house.store);
    assert_eq!(briefs(&mut again).unwrap(), first);
    assert_eq!(opened(&mut again), first);

    // It is read indeed: a head that was changed shows where it is used, and not before.
    let heads = of(&house.store, Collection::Head);
    heads.iter().for_each(|head| flip(&house.store, head));
    let mut again = reopened(&house.store);
    assert_eq!(briefs(&mut again).unwrap(), first);
    let used = again
        .vault
        .find(&mut again.journal, &scope(), &key("app/key-7"));
    assert!(matches!(used, Err(VaultError::Tampered { .. })), "{used:?}");
}

#[test]
fn a_small_workspace_has_none() {
    let mut house = House::quick();
    fill(&mut house, &scope(), 700);
    assert_eq!(briefs(&mut house).unwrap().len(), 700);
    assert!(of(&house.store, Collection::Index).is_empty());
}

#[test]
fn every_change_shows_in_the_next_list() {
    let mut house = large();
    briefs(&mut house).unwrap();
    let later = Timestamp::from_micros(NOW.as_micros() + 5);
    house.set("app/new", b"a-value-that-is-new");
    let dated = Patch {
        expires: Some(Some(later)),
        ..Patch::default()
    };
    house.set_in(&scope(), "app/key-3", dated).unwrap();
    house
        .vault
        .remove(&mut house.journal, (&scope(), &key("app/key-4")), later)
        .unwrap();
    let from = (&scope(), &key("app/key-5"));
    let to = (&scope(), &key("moved/key"));
    house
        .vault
        .rename(&mut house.journal, from, to, later)
        .unwrap();
    let expected = opened(&mut house);
    let found = briefs(&mut reopened(&house.store)).unwrap();
    assert_eq!(found, expected);
    let one = |name: &str| found.iter().find(|brief| brief.key.as_str() == name);
    assert_eq!(found.len(), MANY + 1);
    assert!(one("app/new").is_some() && one("moved/key").is_some());
    assert!(one("app/key-5").is_none());
    assert_eq!(one("app/key-3").unwrap().expires, Some(later));
    assert_eq!(one("app/key-4").unwrap().removed, Some(later));
}

#[test]
fn row_40_an_index_that_was_put_back_removed_or_changed_tells_nothing() {
    let mut house = large();
    briefs(&mut house).unwrap();
    let old = house.store.copy();
    // A later version of so many that every bucket has some.
    fill(&mut house, &scope(), 600);
    let expected = briefs(&mut house).unwrap();
    let indexed = of(&house.store, Collection::Index);
    assert_eq!(indexed.len(), 32);
    for record in &indexed {
        let before = old.contents().records[record].clone();
        let now = house.store.contents().records[record].clone();
        assert_ne!(before.1, now.1, "it was written anew");

        let copy = house.store.copy();
        copy.contents().records.insert(*record, before);
        assert_eq!(briefs(&mut reopened(&copy)).unwrap(), expected, "put back");
        let copy = house.store.copy();
        copy.contents().records.remove(record);
        assert_eq!(briefs(&mut reopened(&copy)).unwrap(), expected, "removed");
        let copy = house.store.copy();
        flip(&copy, record);
        assert_eq!(briefs(&mut reopened(&copy)).unwrap(), expected, "changed");
    }
    // That of one bucket in place of another's.
    let copy = house.store.copy();
    let other = copy.contents().records[&indexed[1]].clone();
    copy.contents().records.insert(indexed[0], other);
    assert_eq!(briefs(&mut reopened(&copy)).unwrap(), expected);
}

#[test]
fn row_40_heads_that_the_index_does_not_tell_of_are_checked() {
    let mut house = large();
    briefs(&mut house).unwrap();
    let head = of(&house.store, Collection::Head)[0];
    let index = of(&house.store, Collection::Index)[0];
    // Its bucket must be opened, and a head of it is missing.
    house.store.contents().records.remove(&index);
    house.store.contents().records.remove(&head);
    let found = briefs(&mut reopened(&house.store));
    assert!(
        matches!(found, Err(VaultError::Tampered { .. })),
        "{found:?}"
    );
}

#[test]
fn an_index_of_another_workspace_tells_nothing() {
    let mut house = large();
    let other = Scope {
        workspace: WorkspaceName::new("other").unwrap(),
        group: None,
    };
    fill(&mut house, &other, MANY + 5);
    let own = briefs(&mut house).unwrap();
    let others = briefs_in(&mut house, &other.workspace).unwrap();
    assert_eq!((own.len(), others.len()), (MANY, MANY + 5));
    let indexed = of(&house.store, Collection::Index);
    assert_eq!(indexed.len(), 64);
    let mut contents = house.store.contents();
    let (first, second) = indexed.split_at(32);
    for (one, two) in first.iter().zip(second) {
        let body = contents.records[one].clone();
        let swapped = contents.records.insert(*two, body).unwrap();
        contents.records.insert(*one, swapped);
    }
    drop(contents);
    let mut again = reopened(&house.store);
    assert_eq!(briefs(&mut again).unwrap(), own);
    assert_eq!(briefs_in(&mut again, &other.workspace).unwrap(), others);
}

#[test]
fn what_is_removed_for_good_leaves_the_index() {
    let mut house = large();
    briefs(&mut house).unwrap();
    let name = key("app/key-9");
    house
        .vault
        .purge(&mut house.journal, (&scope(), &name))
        .unwrap();
    assert_eq!(of(&house.store, Collection::Index).len(), 31);
    let found = briefs(&mut reopened(&house.store)).unwrap();
    assert!(found.iter().all(|brief| brief.key != name));
    assert_eq!(found.len(), MANY - 1);
}

#[test]
fn new_keys_leave_no_index_under_the_old_ones() {
    let mut house = large();
    let before = briefs(&mut house).unwrap();
    house
        .vault
        .rotate(&mut house.journal, &[], &mut |_| Ok(()))
        .unwrap();
    assert!(of(&house.store, Collection::Index).is_empty());
    assert_eq!(briefs(&mut house).unwrap(), before);
    assert_eq!(of(&house.store, Collection::Index).len(), 32);
}

#[test]
fn a_backup_has_none() {
    let mut house = large();
    let backup = |house: &mut House| {
        let mut out = Vec::new();
        house
            .vault
            .backup(&mut house.journal, &mut out, &mut |_| ())
            .unwrap();
        out
    };
    let before = backup(&mut house);
    briefs(&mut house).unwrap();
    assert_eq!(backup(&mut house), before);
}
