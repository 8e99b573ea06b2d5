//! What the stores do differently: where they are, and what stands in the way.

use subrosa_model::{StoreError, VaultId};
use subrosa_store::postgres::PgStore;
use subrosa_store::sqlite::{CreateOptions, OpenOptions, SqliteStore};
use subrosa_vault::port::VaultStore;

use crate::{Postgres, StoreUnderTest, head, put, records_of, writes};

#[test]
fn a_file_is_made_once() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("v/vault.db");
    let open = || SqliteStore::open(&path, &OpenOptions::default());
    assert!(matches!(open(), Err(StoreError::Missing { .. })));
    SqliteStore::create(&path, &CreateOptions::default()).unwrap();
    let again = SqliteStore::create(&path, &CreateOptions::default());
    assert!(matches!(again, Err(StoreError::Exists { .. })));
    assert_eq!(records_of(&mut open().unwrap()), []);
}

#[test]
fn a_file_appears_with_its_contents_or_not_at_all() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("v/vault.db");
    let options = CreateOptions::default();
    let failed = SqliteStore::create_with(&path, &options, |store| {
        store.commit(&writes(vec![put(head(1), 1, b"half")]))?;
        assert!(!path.exists());
        Err(StoreError::Full)
    });
    assert!(matches!(failed, Err(StoreError::Full)));
    assert_eq!(std::fs::read_dir(home.path().join("v")).unwrap().count(), 0);
    let mut store = SqliteStore::create_with(&path, &options, |store| {
        store.commit(&writes(vec![put(head(1), 1, b"whole")]))
    })
    .unwrap();
    assert_eq!(records_of(&mut store).len(), 1);
    store.inspect().unwrap();
}

#[test]
fn what_a_killed_maker_left_is_swept() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("v/vault.db");
    drop(SqliteStore::create(&path, &CreateOptions::default()).unwrap());
    // As if the rename had not happened.
    std::fs::rename(&path, path.with_file_name("vault.db.new")).unwrap();
    std::fs::write(path.with_file_name("vault.db.new-wal"), b"rest").unwrap();
    let store = SqliteStore::create(&path, &CreateOptions::default()).unwrap();
    drop(store);
    let names: Vec<_> = std::fs::read_dir(home.path().join("v"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["vault.db"]);
}

#[test]
fn a_database_holds_many_vaults_that_do_not_meet() {
    let home = Postgres::new();
    let (mut one, _) = home.make();
    let (mut two, _) = home.make();
    one.commit(&writes(vec![put(head(1), 1, b"one")])).unwrap();
    two.commit(&writes(vec![put(head(1), 1, b"two")])).unwrap();
    assert_eq!(records_of(&mut one)[0].body, b"one");
    assert_eq!(records_of(&mut two)[0].body, b"two");
    assert_eq!(records_of(&mut one).len(), 1);
}

#[test]
fn a_vault_is_made_once_in_a_database() {
    let home = Postgres::new();
    let vault = VaultId::from_bytes([0xaa; 16]);
    assert!(matches!(
        PgStore::open(&home.0, vault),
        Err(StoreError::Missing { .. })
    ));
    PgStore::create(&home.0, vault).unwrap();
    assert!(matches!(
        PgStore::create(&home.0, vault),
        Err(StoreError::Exists { .. })
    ));
    let other = VaultId::from_bytes([0xbb; 16]);
    assert!(matches!(
        PgStore::open(&home.0, other),
        Err(StoreError::Missing { .. })
    ));
    assert_eq!(records_of(&mut PgStore::open(&home.0, vault).unwrap()), []);
}

#[test]
fn a_later_format_in_a_database_is_refused() {
    let home = Postgres::new();
    let (_, place) = home.make();
    let crate::Place::Vault(vault) = place else {
        unreachable!("a vault of PostgreSQL")
    };
    let mut client = postgres::Client::connect(&home.0, postgres::NoTls).unwrap();
    client
        .batch_execute("UPDATE subrosa_meta SET format = 7")
        .unwrap();
    for result in [
        PgStore::open(&home.0, vault),
        PgStore::create(&home.0, vault),
    ] {
        assert!(
            matches!(result, Err(StoreError::Future { found: 7, known: 1 })),
            "{result:?}"
        );
    }
}

#[test]
fn a_far_database_is_refused_and_no_text_holds_the_password() {
    let vault = VaultId::from_bytes([1; 16]);
    for connection in [
        "host=db.example.com user=u password=canary-8841 dbname=d",
        "host=localhost hostaddr=192.0.2.7 user=u password=canary-8841",
        "postgres://u:canary-8841@10.0.0.1/d",
        "user=u password=canary-8841 nonsense",
        "password='canary-8841",
        // Nobody listens there.
        "host=127.0.0.1 port=1 user=u password=canary-8841 connect_timeout=1",
    ] {
        let error = PgStore::open(connection, vault).unwrap_err();
        let told = format!("{error} {error:?}");
        assert!(!told.contains("canary-8841"), "{told}");
    }
    let far = PgStore::open("host=db.example.com user=u", vault).unwrap_err();
    assert!(matches!(far, StoreError::Unsafe { .. }), "{far:?}");
}

#[test]
fn a_broken_connection_is_made_again() {
    let home = Postgres::new();
    let (mut store, _) = home.make();
    store
        .commit(&writes(vec![put(head(1), 1, b"kept")]))
        .unwrap();
    let mut client = postgres::Client::connect(&home.0, postgres::NoTls).unwrap();
    client
        .batch_execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE pid <> pg_backend_pid() AND datname = current_database()",
        )
        .unwrap();
    // The end of the old connection may be met once, at whichever attempt; then there is a new one.
    let attempts: Vec<_> = (2..5)
        .map(|at| store.commit(&writes(vec![put(head(1), at, b"again")])))
        .collect();
    let failed: Vec<_> = attempts
        .iter()
        .filter_map(|attempt| attempt.as_ref().err())
        .collect();
    assert!(failed.len() <= 1, "{failed:?}");
    assert!(
        failed
            .iter()
            .all(|error| matches!(error, StoreError::Failed { .. })),
        "{failed:?}"
    );
    assert!(records_of(&mut store)[0].revision >= 3);
}
