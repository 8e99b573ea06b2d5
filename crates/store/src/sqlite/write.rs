//! Writing: the steps of a commit, inside its transaction.

use rusqlite::{Connection, OptionalExtension, params};
use subrosa_model::{LogAppend, StoreError};
use subrosa_vault::port::{Batch, Collection, Expect, Record, RecordKey, Write};

use super::{Outcome, read};
use crate::batch::{
    Changed, KeyRange, Tip, check_follows, check_prune, damaged, key_bytes, number,
};

/// Why a step failed: the store's own reason, or SQLite's, not yet translated.
pub(super) enum Failure {
    Store(StoreError),
    Sql(rusqlite::Error),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

pub(super) fn commit(conn: &Connection, batch: &Batch) -> Result<Outcome, Failure> {
    for expect in &batch.expect {
        check_expectation(conn, expect)?;
    }
    if batch.writes.is_empty() && batch.log.is_none() {
        return Ok(Outcome::Unchanged);
    }
    let mut changed = Changed::with_capacity(batch.writes.len());
    for write in &batch.writes {
        match write {
            Write::Put(record) => put(conn, record, &mut changed)?,
            Write::Remove(key) => remove(conn, key, &mut changed)?,
            Write::RemoveAll { collection, parent } => {
                remove_all(conn, *collection, parent, &mut changed)?;
            }
        }
    }
    let mut tip = read::tip(conn)??;
    if let Some(log) = &batch.log {
        add_rows(conn, log, &mut tip)?;
    }
    if !changed.is_empty() {
        tip.touch(changed)?;
    }
    replace_tip(conn, &tip)
}

pub(super) fn append(conn: &Connection, append: &LogAppend) -> Result<Outcome, Failure> {
    let mut tip = read::tip(conn)??;
    add_rows(conn, append, &mut tip)?;
    replace_tip(conn, &tip)
}

pub(super) fn prune(
    conn: &Connection,
    keep_from: u64,
    append: &LogAppend,
) -> Result<Outcome, Failure> {
    let mut tip = read::tip(conn)??;
    check_follows(append, tip.log.as_ref())?;
    check_prune(keep_from, tip.log.as_ref())?;
    conn.prepare_cached("DELETE FROM log WHERE sequence < ?1")?
        .execute([number(keep_from)?])?;
    add_rows(conn, append, &mut tip)?;
    replace_tip(conn, &tip)
}

fn add_rows(conn: &Connection, append: &LogAppend, tip: &mut Tip) -> Result<(), Failure> {
    check_follows(append, tip.log.as_ref())?;
    let mut insert = conn.prepare_cached("INSERT INTO log (sequence, body) VALUES (?1, ?2)")?;
    for row in &append.rows {
        insert.execute(params![number(row.sequence)?, row.body])?;
    }
    tip.log = Some(append.head.clone());
    Ok(())
}

fn replace_tip(conn: &Connection, tip: &Tip) -> Result<Outcome, Failure> {
    let sequence = tip
        .log
        .as_ref()
        .map(|head| number(head.sequence))
        .transpose()?;
    let head = tip.log.as_ref().map(|head| head.body.as_slice());
    conn.prepare_cached("UPDATE tip SET change = ?1, recent = ?2, sequence = ?3, head = ?4")?
        .execute(params![
            number(tip.change)?,
            tip.recent.as_bytes(),
            sequence,
            head
        ])?;
    Ok(Outcome::Changed)
}

fn check_expectation(conn: &Connection, expect: &Expect) -> Result<(), Failure> {
    let found: Option<i64> = conn
        .prepare_cached("SELECT revision FROM records WHERE key = ?1")?
        .query_row([&key_bytes(&expect.key)], |row| row.get(0))
        .optional()?;
    if found == expect.revision.map(number).transpose()? {
        Ok(())
    } else {
        Err(StoreError::Conflict.into())
    }
}

fn put(conn: &Connection, record: &Record, changed: &mut Changed) -> Result<(), Failure> {
    let key = key_bytes(&record.key);
    let sql = "INSERT INTO records (key, revision, body) VALUES (?1, ?2, ?3) \
               ON CONFLICT (key) DO UPDATE SET revision = excluded.revision, body = excluded.body";
    conn.prepare_cached(sql)?
        .execute(params![key, number(record.revision)?, record.body])?;
    changed.push(key);
    Ok(())
}

fn remove(conn: &Connection, key: &RecordKey, changed: &mut Changed) -> Result<(), Failure> {
    let key = key_bytes(key);
    if conn
        .prepare_cached("DELETE FROM records WHERE key = ?1")?
        .execute([&key])?
        == 0
    {
        return Err(StoreError::Conflict.into());
    }
    changed.push(key);
    Ok(())
}

fn remove_all(
    conn: &Connection,
    collection: Collection,
    parent: &[u8; 16],
    changed: &mut Changed,
) -> Result<(), Failure> {
    let range = KeyRange::new(collection, Some(parent));
    let sql = "DELETE FROM records WHERE key >= ?1 AND key < ?2 RETURNING key";
    let mut statement = conn.prepare_cached(sql)?;
    let mut gone = statement.query([&range.first, &range.end])?;
    while let Some(row) = gone.next()? {
        let key = row
            .get_ref(0)?
            .as_blob()
            .ok()
            .and_then(|key| key.try_into().ok());
        changed.push(key.ok_or_else(|| damaged("a row has an unexpected form"))?);
    }
    Ok(())
}
