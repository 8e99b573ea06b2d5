//! Reading: one read-only transaction a snapshot, long answers in pieces.

use std::ops::{ControlFlow, RangeInclusive};

use postgres::{Client, IsolationLevel, Row, Transaction};
use subrosa_model::{LogHead, LogRow, StoreError};
use subrosa_vault::port::{Collection, Record, RecordKey, RecordRef, Snapshot};

use super::fault::{Failure, translate};
use crate::batch::{BODY_MAX, KeyRange, Tip, counter, damaged, key_bytes, key_from, number};

/// Rows fetched at a time. Large values come a few at a time too: this bounds memory at
/// [`BODY_MAX`] for each row.
const PIECE: i32 = 64;

/// A read-only transaction; ended when it is dropped.
pub(super) struct PgSnapshot<'a> {
    transaction: Transaction<'a>,
    vault: Vec<u8>,
    /// What was read first.
    tip: Tip,
}

impl<'a> PgSnapshot<'a> {
    pub(super) fn begin(client: &'a mut Client, vault: Vec<u8>) -> Result<Self, Failure> {
        // Repeatable read is one view of committed states, which is all that a reader needs; every
        // writer is serializable. It never has to be tried again.
        let mut transaction = client
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .read_only(true)
            .start()?;
        // PostgreSQL takes its view at the first query, not at BEGIN.
        let tip = tip(&mut transaction, &vault)?;
        Ok(Self {
            transaction,
            vault,
            tip,
        })
    }

    pub(super) fn tip(&self) -> &Tip {
        &self.tip
    }

    fn visit(
        &mut self,
        range: &KeyRange,
        visit: &mut dyn FnMut(RecordRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let sql = "SELECT key, revision, body FROM subrosa_records \
                   WHERE vault = $1 AND key >= $2 AND key < $3 ORDER BY key";
        let (first, end) = (range.first.as_slice(), range.end.as_slice());
        let portal = self
            .transaction
            .bind(sql, &[&self.vault, &first, &end])
            .map_err(translate)?;
        loop {
            let rows = self
                .transaction
                .query_portal(&portal, PIECE)
                .map_err(translate)?;
            for row in &rows {
                let record = RecordRef {
                    key: key_from(bytes(row, 0)?)?,
                    revision: integer(row, 1)?,
                    body: body(row, 2)?,
                };
                if visit(record).is_break() {
                    return Ok(());
                }
            }
            if i32::try_from(rows.len()).is_ok_and(|count| count < PIECE) {
                return Ok(());
            }
        }
    }
}

impl Snapshot for PgSnapshot<'_> {
    fn get(&mut self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        let sql = "SELECT revision, body FROM subrosa_records WHERE vault = $1 AND key = $2";
        let bytes = key_bytes(key);
        let row = self
            .transaction
            .query_opt(sql, &[&self.vault, &bytes.as_slice()])
            .map_err(translate)?;
        row.map(|row| {
            Ok(Record {
                key: *key,
                revision: integer(&row, 0)?,
                body: body(&row, 1)?.to_vec(),
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
        let Ok(from) = number(from) else {
            return Ok(Vec::new());
        };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let sql = "SELECT sequence, body FROM subrosa_log WHERE vault = $1 AND sequence >= $2 \
                   ORDER BY sequence LIMIT $3";
        let rows = self
            .transaction
            .query(sql, &[&self.vault, &from, &limit])
            .map_err(translate)?;
        rows.iter()
            .map(|row| {
                Ok(LogRow {
                    sequence: integer(row, 0)?,
                    body: body(row, 1)?.to_vec(),
                })
            })
            .collect()
    }
}

pub(super) fn tip(transaction: &mut Transaction<'_>, vault: &[u8]) -> Result<Tip, Failure> {
    let sql = "SELECT change, recent, sequence, head FROM subrosa_tip WHERE vault = $1";
    let row = transaction
        .query_opt(sql, &[&vault])?
        .ok_or_else(|| damaged("the vault was removed from its database"))?;
    Ok(Tip::from_row(
        row.try_get(0)?,
        row.try_get(1)?,
        row.try_get(2)?,
        row.try_get(3)?,
    )?)
}

fn bytes(row: &Row, column: usize) -> Result<&[u8], StoreError> {
    row.try_get(column).map_err(translate)
}

fn body(row: &Row, column: usize) -> Result<&[u8], StoreError> {
    bytes(row, column).and_then(|body| {
        if body.len() > BODY_MAX {
            Err(damaged("a row is too long"))
        } else {
            Ok(body)
        }
    })
}

fn integer(row: &Row, column: usize) -> Result<u64, StoreError> {
    counter(row.try_get(column).map_err(translate)?)
}
