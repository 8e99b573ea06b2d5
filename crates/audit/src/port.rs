//! The log's port to a store.

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
