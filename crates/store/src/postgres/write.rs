//! Writing: the steps of a commit, inside its transaction.

use postgres::Transaction;
use subrosa_model::{LogAppend, StoreError};
use subrosa_vault::port::{Batch, Expect, Record, Write};

use super::fault::Failure;
use super::read;
use crate::batch::{
    Changed, KeyRange, Tip, check_follows, check_prune, damaged, key_bytes, number,
};

pub(super) fn commit(
    transaction: &mut Transaction<'_>,
    vault: &[u8],
    batch: &Batch,
) -> Result<(), Failure> {
    if batch.yields {
        transaction.batch_execute("SET LOCAL lock_timeout = '1ms'")?;
    }
    for expect in &batch.expect {
        check_expectation(transaction, vault, expect)?;
    }
    if batch.writes.is_empty() && batch.log.is_none() {
        return Ok(());
    }
    let mut changed = Changed::with_capacity(batch.writes.len());
    for write in &batch.writes {
        match write {
            Write::Put(record) => {
                put(transaction, vault, record)?;
                changed.push(key_bytes(&record.key));
            }
            Write::Remove(key) => {
                let key = key_bytes(key);
                let sql = "DELETE FROM subrosa_records WHERE vault = $1 AND key = $2";
                if transaction.execute(sql, &[&vault, &key.as_slice()])? == 0 {
                    return Err(StoreError::Conflict.into());
                }
                changed.push(key);
            }
            Write::RemoveAll { collection, parent } => {
                let range = KeyRange::new(*collection, Some(parent));
                remove_range(transaction, vault, &range, &mut changed)?;
            }
        }
    }
    let mut tip = read::tip(transaction, vault)?;
    if let Some(log) = &batch.log {
        add_rows(transaction, vault, log, &mut tip)?;
    }
    if !changed.is_empty() {
        tip.touch(changed)?;
    }
    replace_tip(transaction, vault, &tip)
}

pub(super) fn append(
    transaction: &mut Transaction<'_>,
    vault: &[u8],
    append: &LogAppend,
) -> Result<(), Failure> {
    let mut tip = read::tip(transaction, vault)?;
    add_rows(transaction, vault, append, &mut tip)?;
    replace_tip(transaction, vault, &tip)
}

pub(super) fn prune(
    transaction: &mut Transaction<'_>,
    vault: &[u8],
    keep_from: u64,
    append: &LogAppend,
) -> Result<(), Failure> {
    let mut tip = read::tip(transaction, vault)?;
    check_follows(append, tip.log.as_ref())?;
    check_prune(keep_from, tip.log.as_ref())?;
    let sql = "DELETE FROM subrosa_log WHERE vault = $1 AND sequence < $2";
    transaction.execute(sql, &[&vault, &number(keep_from)?])?;
    add_rows(transaction, vault, append, &mut tip)?;
    replace_tip(transaction, vault, &tip)
}

fn check_expectation(
    transaction: &mut Transaction<'_>,
    vault: &[u8],
    expect: &Expect,
) -> Result<(), Failure> {
    let key = key_bytes(&expect.key);
    let sql = "SELECT revision FROM subrosa_records WHERE vault = $1 AND key = $2";
    let found: Option<i64> = transaction
        .query_opt(sql, &[&vault, &key.as_slice()])?
        .map(|row| row.try_get(0))
        .transpose()?;
    if found == expect.revision.map(number).transpose()? {
        Ok(())
    } else {
        Err(StoreError::Conflict.into())
    }
}

fn put(transaction: &mut Transaction<'_>, vault: &[u8], record: &Record) -> Result<(), Failure> {
    let key = key_bytes(&record.key);
    let sql = "INSERT INTO subrosa_records (vault, key, revision, body) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (vault, key) \
               DO UPDATE SET revision = excluded.revision, body = excluded.body";
    let revision = number(record.revision)?;
    transaction.execute(sql, &[&vault, &key.as_slice(), &revision, &record.body])?;
    Ok(())
}

fn remove_range(
    transaction: &mut Transaction<'_>,
    vault: &[u8],
    range: &KeyRange,
    changed: &mut Changed,
) -> Result<(), Failure> {
    let sql = "DELETE FROM subrosa_records WHERE vault = $1 AND key >= $2 AND key < $3 \
               RETURNING key";
    let (first, end) = (range.first.as_slice(), range.end.as_slice());
    for row in transaction.query(sql, &[&vault, &first, &end])? {
        let key: &[u8] = row.try_get(0)?;
        let key = key
            .try_into()
            .map_err(|_| damaged("a row has an unexpected form"))?;
        changed.push(key);
    }
    Ok(())
}

fn add_rows(
    transaction: &mut Transaction<'_>,
    vault: &[u8],
    append: &LogAppend,
    tip: &mut Tip,
) -> Result<(), Failure> {
    check_follows(append, tip.log.as_ref())?;
    for row in &append.rows {
        let sql = "INSERT INTO subrosa_log (vault, sequence, body) VALUES ($1, $2, $3)";
        transaction.execute(sql, &[&vault, &number(row.sequence)?, &row.body])?;
    }
    tip.log = Some(append.head.clone());
    Ok(())
}

fn replace_tip(transaction: &mut Transaction<'_>, vault: &[u8], tip: &Tip) -> Result<(), Failure> {
    let sequence = tip
        .log
        .as_ref()
        .map(|head| number(head.sequence))
        .transpose()?;
    let head = tip.log.as_ref().map(|head| head.body.as_slice());
    let sql = "UPDATE subrosa_tip SET change = $2, recent = $3, sequence = $4, head = $5 \
               WHERE vault = $1";
    let change = number(tip.change)?;
    transaction.execute(
        sql,
        &[&vault, &change, &tip.recent.as_bytes(), &sequence, &head],
    )?;
    Ok(())
}
