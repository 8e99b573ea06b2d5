//! The log's ports to a store: one to append, one that only looks.

use subrosa_model::{LogAppend, LogHead, LogRow, StoreError};

/// Where rows of the log are kept. Blocking; one thread owns it.
pub trait LogStore: Send {
    /// The head as it was last committed, by whichever process.
    ///
    /// # Errors
    /// [`StoreError`].
    fn log_head(&mut self) -> Result<Option<LogHead>, StoreError>;

    /// Appends rows and replaces the head, durably and at once or not at all.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the head is not the expected one.
    fn append(&mut self, append: &LogAppend) -> Result<(), StoreError>;

    /// Up to `limit` rows from `from` (inclusive) upwards, ascending.
    ///
    /// # Errors
    /// [`StoreError`].
    fn rows(&mut self, from: u64, limit: usize) -> Result<Vec<LogRow>, StoreError>;

    /// Removes all rows below `keep_from`, and appends, in one transaction.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the head is not the expected one.
    fn prune(&mut self, keep_from: u64, append: &LogAppend) -> Result<(), StoreError>;
}

/// What is needed to read a log. Every [`LogStore`] is one; a consistent view of a vault's store
/// can be one too.
pub trait LogView {
    /// The head of the log in this view.
    ///
    /// # Errors
    /// [`StoreError`].
    fn head(&mut self) -> Result<Option<LogHead>, StoreError>;

    /// Up to `limit` rows from `from` (inclusive) upwards, ascending.
    ///
    /// # Errors
    /// [`StoreError`].
    fn page(&mut self, from: u64, limit: usize) -> Result<Vec<LogRow>, StoreError>;
}

impl<S: LogStore + ?Sized> LogView for S {
    fn head(&mut self) -> Result<Option<LogHead>, StoreError> {
        self.log_head()
    }

    fn page(&mut self, from: u64, limit: usize) -> Result<Vec<LogRow>, StoreError> {
        self.rows(from, limit)
    }
}

/// Rows that are asked for at a time wherever a log is walked. With
/// [`PAYLOAD_MAX`](crate::PAYLOAD_MAX) this bounds the memory of a walk.
pub(crate) const PAGE: usize = 128;
