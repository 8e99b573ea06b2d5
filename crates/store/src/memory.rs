//! A log in memory, for a vault that ends with its process.

use std::collections::BTreeMap;

use subrosa_audit::LogStore;
use subrosa_model::{LogAppend, LogHead, LogRow, StoreError};

/// Keeps the rows of a log as long as it lives.
#[derive(Debug, Default)]
pub struct MemoryLog {
    head: Option<LogHead>,
    rows: BTreeMap<u64, Vec<u8>>,
}

impl LogStore for MemoryLog {
    fn log_head(&mut self) -> Result<Option<LogHead>, StoreError> {
        Ok(self.head.clone())
    }

    fn append(&mut self, append: &LogAppend) -> Result<(), StoreError> {
        if self.head.as_ref().map(|head| &head.body) != append.expected.as_ref() {
            return Err(StoreError::Conflict);
        }
        let rows = append.rows.iter();
        self.rows
            .extend(rows.map(|row| (row.sequence, row.body.clone())));
        self.head = Some(append.head.clone());
        Ok(())
    }

    fn rows(&mut self, from: u64, limit: usize) -> Result<Vec<LogRow>, StoreError> {
        let rows = self.rows.range(from..).take(limit);
        Ok(rows
            .map(|(sequence, body)| LogRow {
                sequence: *sequence,
                body: body.clone(),
            })
            .collect())
    }

    fn prune(&mut self, keep_from: u64, append: &LogAppend) -> Result<(), StoreError> {
        self.append(append)?;
        self.rows = self.rows.split_off(&keep_from);
        Ok(())
    }
}
