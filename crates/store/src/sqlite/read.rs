//! Reading: one transaction a snapshot.

use std::ops::{ControlFlow, RangeInclusive};

use rusqlite::{Connection, OptionalExtension};
use subrosa_model::{LogHead, LogRow, StoreError};
use subrosa_vault::port::{Collection, Record, RecordKey, RecordRef, Snapshot};

use super::fault;
use crate::batch::{KeyRange, Tip, counter, damaged, key_bytes, key_from, number};
use crate::folder::Folder;

/// A read transaction; ended when it is dropped.
pub(super) struct SqliteSnapshot<'a> {
    conn: &'a Connection,
    folder: &'a Folder,
    /// What was read first.
    tip: Tip,
}

impl<'a> SqliteSnapshot<'a> {
    pub(super) fn begin(conn: &'a Connection, folder: &'a Folder) -> Result<Self, StoreError> {
        let fault = |error| fault::translate(error, folder);
        conn.prepare_cached("BEGIN")
            .and_then(|mut begin| begin.execute([]))
            .map_err(fault)?;
        // SQLite takes its view at the first read, not at BEGIN.
        match tip(conn).map_err(fault).flatten() {
            Ok(tip) => Ok(Self { conn, folder, tip }),
            Err(error) => {
                end(conn);
                Err(error)
            }
        }
    }

    pub(super) fn tip(&self) -> &Tip {
        &self.tip
    }

    fn visit(
        &self,
        range: &KeyRange,
        visit: &mut dyn FnMut(RecordRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let fault = |error| self.fault(error);
        let sql = "SELECT key, revision, body FROM records WHERE key >= ?1 AND key < ?2 \
                   ORDER BY key";
        let mut statement = self.conn.prepare_cached(sql).map_err(fault)?;
        let mut rows = statement.query([&range.first, &range.end]).map_err(fault)?;
        while let Some(row) = rows.next().map_err(fault)? {
            let key = row
                .get_ref(0)
                .map_err(fault)?
                .as_blob()
                .map_err(|_| bad_row())?;
            let revision = row
                .get_ref(1)
                .map_err(fault)?
                .as_i64()
                .map_err(|_| bad_row())?;
            let body = row
                .get_ref(2)
                .map_err(fault)?
                .as_blob()
                .map_err(|_| bad_row())?;
            let record = RecordRef {
                key: key_from(key)?,
                revision: counter(revision)?,
                body,
            };
            if visit(record).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn fault(&self, error: rusqlite::Error) -> StoreError {
        fault::translate(error, self.folder)
    }
}

impl Snapshot for SqliteSnapshot<'_> {
    fn get(&mut self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        let sql = "SELECT revision, body FROM records WHERE key = ?1";
        let found: Option<(i64, Vec<u8>)> = self
            .conn
            .prepare_cached(sql)
            .and_then(|mut statement| {
                statement
                    .query_row([&key_bytes(key)], |row| Ok((row.get(0)?, row.get(1)?)))
                    .optional()
            })
            .map_err(|e| self.fault(e))?;
        found
            .map(|(revision, body)| {
                Ok(Record {
                    key: *key,
                    revision: counter(revision)?,
                    body,
                })
            })
            .transpose()
    }

    fn scan(
        &mut self,
        collection: Collection,
        parent: Option<&[u8; 16]>,
        visit: &mut dyn FnMut(RecordRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.visit(&KeyRange::new(collection, parent), visit)
    }

    fn scan_bucket(
        &mut self,
        collection: Collection,
        parent: &[u8; 16],
        first: RangeInclusive<u8>,
        visit: &mut dyn FnMut(RecordRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.visit(&KeyRange::bucket(collection, parent, &first), visit)
    }

    fn log_head(&mut self) -> Result<Option<LogHead>, StoreError> {
        Ok(self.tip.log.clone())
    }

    fn log_rows(&mut self, from: u64, limit: usize) -> Result<Vec<LogRow>, StoreError> {
        log_rows(self.conn, from, limit).map_err(|e| self.fault(e))?
    }
}

impl Drop for SqliteSnapshot<'_> {
    fn drop(&mut self) {
        end(self.conn);
    }
}

/// Ends a transaction that only read: nothing is lost when this fails, and the next one tries again.
fn end(conn: &Connection) {
    if !conn.is_autocommit() {
        let _ = conn
            .prepare_cached("COMMIT")
            .and_then(|mut end| end.execute([]));
    }
}

/// SQLite's error outside, what the rows hold inside.
type Read<T> = rusqlite::Result<Result<T, StoreError>>;

pub(super) fn tip(conn: &Connection) -> Read<Tip> {
    conn.prepare_cached("SELECT change, recent, sequence, head FROM tip")?
        .query_row([], |row| {
            Ok(Tip::from_row(
                row.get(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get(3)?,
            ))
        })
}

pub(super) fn log_rows(conn: &Connection, from: u64, limit: usize) -> Read<Vec<LogRow>> {
    let sql = "SELECT sequence, body FROM log WHERE sequence >= ?1 ORDER BY sequence LIMIT ?2";
    let Ok(from) = number(from) else {
        return Ok(Ok(Vec::new()));
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = conn.prepare_cached(sql)?;
    let rows = statement.query_map([from, limit], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let rows: Vec<(i64, Vec<u8>)> = rows.collect::<rusqlite::Result<_>>()?;
    Ok(rows
        .into_iter()
        .map(|(sequence, body)| {
            Ok(LogRow {
                sequence: counter(sequence)?,
                body,
            })
        })
        .collect())
}

fn bad_row() -> StoreError {
    damaged("a row has an unexpected form")
}
