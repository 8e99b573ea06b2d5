//! A log store in memory that several writers share and that a test can damage.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use subrosa_audit::LogStore;
use subrosa_model::{LogAppend, LogHead, LogRow, StoreError};

/// A log in memory. Clones share it, as connections share a file.
#[derive(Debug, Clone, Default)]
pub struct MemoryLog {
    shared: Arc<Mutex<LogContents>>,
}

/// What a [`MemoryLog`] holds; a test may change all of it behind the log's back.
#[derive(Debug, Clone, Default)]
pub struct LogContents {
    /// The head.
    pub head: Option<LogHead>,
    /// Bodies of rows by their sequence.
    pub rows: BTreeMap<u64, Vec<u8>>,
    /// While set, every write fails with [`StoreError::Full`].
    pub full: bool,
    /// This many writes fail with [`StoreError::Busy`] before one succeeds.
    pub busy: usize,
    /// Appends and prunes that were carried out.
    pub commits: usize,
    /// The sequences that each commit added, lowest and how many.
    pub groups: Vec<(u64, usize)>,
}

impl MemoryLog {
    /// An empty log.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The contents, locked while the guard lives.
    ///
    /// Nothing in here can panic half-way, so a poisoned lock is taken all the same.
    pub fn contents(&self) -> MutexGuard<'_, LogContents> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy that shares nothing with this one.
    #[must_use]
    pub fn fork(&self) -> Self {
        let contents = self.contents().clone();
        Self {
            shared: Arc::new(Mutex::new(contents)),
        }
    }
}

impl LogContents {
    fn write(&mut self, append: &LogAppend) -> Result<(), StoreError> {
        if self.full {
            return Err(StoreError::Full);
        }
        if self.busy > 0 {
            self.busy -= 1;
            return Err(StoreError::Busy);
        }
        let last = self.head.as_ref().map_or(0, |head| head.sequence);
        let consecutive = (last + 1..)
            .zip(&append.rows)
            .all(|(due, row)| due == row.sequence);
        if self.head.as_ref().map(|head| &head.body) != append.expected.as_ref() || !consecutive {
            return Err(StoreError::Conflict);
        }
        for row in &append.rows {
            self.rows.insert(row.sequence, row.body.clone());
        }
        self.head = Some(append.head.clone());
        self.commits += 1;
        if let Some(first) = append.rows.first() {
            self.groups.push((first.sequence, append.rows.len()));
        }
        Ok(())
    }
}

impl LogStore for MemoryLog {
    fn log_head(&mut self) -> Result<Option<LogHead>, StoreError> {
        Ok(self.contents().head.clone())
    }

    fn append(&mut self, append: &LogAppend) -> Result<(), StoreError> {
        self.contents().write(append)
    }

    fn rows(&mut self, from: u64, limit: usize) -> Result<Vec<LogRow>, StoreError> {
        Ok(self
            .contents()
            .rows
            .range(from..)
            .take(limit)
            .map(|(sequence, body)| LogRow {
                sequence: *sequence,
                body: body.clone(),
            })
            .collect())
    }

    fn prune(&mut self, keep_from: u64, append: &LogAppend) -> Result<(), StoreError> {
        let mut contents = self.contents();
        contents.write(append)?;
        contents.rows = contents.rows.split_off(&keep_from);
        Ok(())
    }
}
