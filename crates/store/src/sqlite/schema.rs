//! The file's identity, its tables, and how a connection is set up.

use std::time::Duration;

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use subrosa_model::StoreError;

use crate::batch::{BODY_MAX, damaged};

/// "sbRs", in the header of each file: `PRAGMA application_id`.
const APPLICATION: i32 = 0x7362_5273;
/// The newest store format that this program knows: `PRAGMA user_version`.
pub(super) const FORMAT: u32 = 1;

/// The tables, as `sqlite_schema` lists them by name.
///
/// `records` keeps a collection's records side by side, in the order that scans want; bodies that
/// do not fit go to overflow pages by themselves, so large values do not stand between heads.
/// `tip` is one row: what every commit reads and replaces.
const TABLES: [(&str, &str); 3] = [
    (
        "log",
        "CREATE TABLE log (sequence INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT",
    ),
    (
        "records",
        "CREATE TABLE records (key BLOB PRIMARY KEY NOT NULL, revision INTEGER NOT NULL, \
         body BLOB NOT NULL) STRICT, WITHOUT ROWID",
    ),
    (
        "tip",
        "CREATE TABLE tip (id INTEGER PRIMARY KEY CHECK (id = 1), change INTEGER NOT NULL, \
         recent BLOB NOT NULL, sequence INTEGER, head BLOB) STRICT",
    ),
];

/// Bytes of a page. Small, because a commit writes each page whole that it touches.
const PAGE: u32 = 4096;
/// Pages in the write-ahead log before they are moved into the database.
const CHECKPOINT: u32 = 1000;
/// The write-ahead log shrinks to this after a large commit, in bytes.
const JOURNAL_KEPT: u32 = 16 * 1024 * 1024;
/// Page cache of a connection, in KiB.
const CACHE: u32 = 8 * 1024;

/// Settings that need nothing from the file.
pub(super) fn harden(conn: &Connection, busy: Duration) -> rusqlite::Result<()> {
    conn.busy_timeout(busy)?;
    for (setting, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_CREATE, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_WRITE, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DDL, false),
    ] {
        conn.set_db_config(setting, on)?;
    }
    conn.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    // A row is a body and little else.
    let longest = i32::try_from(BODY_MAX + 4096).unwrap_or(i32::MAX);
    conn.set_limit(Limit::SQLITE_LIMIT_LENGTH, longest)?;
    conn.set_prepared_statement_cache_capacity(32);
    // Nothing of ours goes to a temporary file, and a file's cells are checked as they are read.
    conn.execute_batch(
        "PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0; PRAGMA cell_size_check = ON;",
    )
}

/// Settings that touch the file; it is known to be ours.
pub(super) fn tune(conn: &Connection) -> rusqlite::Result<()> {
    // secure_delete: what is removed is overwritten with zeros in the database. Older page images
    // stay in the write-ahead log until it is written over. fullfsync: for macOS, where fsync(2)
    // leaves the data in the disk's own memory; elsewhere it means nothing.
    conn.execute_batch(&format!(
        "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA secure_delete = ON; PRAGMA cache_size = -{CACHE}; \
         PRAGMA wal_autocheckpoint = {CHECKPOINT}; PRAGMA journal_size_limit = {JOURNAL_KEPT};"
    ))
}

/// Writes identity and tables into an empty file.
pub(super) fn create(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(&format!(
        "PRAGMA page_size = {PAGE}; PRAGMA encoding = 'UTF-8'; PRAGMA auto_vacuum = NONE;"
    ))?;
    write_ahead(conn)?;
    tune(conn)?;
    let tables: String = TABLES.iter().map(|(_, sql)| format!("{sql};")).collect();
    conn.execute_batch(&format!(
        "BEGIN IMMEDIATE; {tables} INSERT INTO tip (id, change, recent) VALUES (1, 1, x''); \
         PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {FORMAT}; COMMIT;"
    ))
}

/// Whose file it is and of which format, before anything is written to it.
pub(super) fn identify(conn: &Connection) -> rusqlite::Result<Result<(), StoreError>> {
    let application: i32 = conn.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let format: i32 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if application != APPLICATION {
        return Ok(Err(damaged("it is a database of another program")));
    }
    Ok(match u32::try_from(format) {
        Ok(FORMAT) => Ok(()),
        Ok(found) if found > FORMAT => Err(StoreError::Future {
            found,
            known: FORMAT,
        }),
        _ => Err(damaged("its store format is unknown")),
    })
}

/// Exactly our tables: no trigger, view or index that somebody added.
pub(super) fn has_our_tables(conn: &Connection) -> rusqlite::Result<bool> {
    let mut listing = conn.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name")?;
    let mut rows = listing.query([])?;
    let mut wanted = TABLES.iter();
    while let Some(row) = rows.next()? {
        let found = (row.get_ref(0)?.as_str(), row.get_ref(1)?.as_str());
        match (wanted.next(), found) {
            (Some((name, sql)), (Ok(n), Ok(s))) if n == *name && s == *sql => {}
            _ => return Ok(false),
        }
    }
    Ok(wanted.next().is_none())
}

/// Turns the write-ahead log on, or finds it on.
pub(super) fn write_ahead(conn: &Connection) -> rusqlite::Result<bool> {
    let mode: String =
        conn.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    Ok(mode == "wal")
}
