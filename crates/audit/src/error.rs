//! Why the log could not do its work.

use std::sync::Arc;

use subrosa_crypto::MemoryError;
use subrosa_model::StoreError;

use crate::Finding;

/// Why the log could not do its work. Cheap to clone: all waiters of a group get the same one.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The epochs of a key ring are none, not ascending, or not a continuation.
    #[error("the keys of the audit log do not fit: {reason}. Restore the vault from a backup")]
    Ring {
        /// What does not fit.
        reason: &'static str,
    },
    /// The event does not fit into a row.
    #[error("the audit record would have {size} bytes, more than {limit}; do less in one step")]
    TooLarge {
        /// Bytes of the encoded event.
        size: usize,
        /// Bytes that a row takes.
        limit: usize,
    },
    /// The event cannot be written as JSON.
    #[error("the audit record could not be encoded: {reason}")]
    Encode {
        /// What the encoder said.
        reason: String,
    },
    /// The log, its head or its anchor are not what they must be.
    #[error("the audit log does not verify: {0}. Type `subrosa audit verify`")]
    Tampered(Finding),
    /// Another process replaced the keys since this one opened the vault.
    #[error("another process rotated the keys of the vault; start this command again")]
    Rotated,
    /// Other processes were faster too many times.
    #[error("other processes write to the vault without pause; try again")]
    Contended,
    /// The range to prune is empty or not in the log.
    #[error(
        "records can be pruned up to one between {first} and {last}; {keep_from} was asked for"
    )]
    PruneRange {
        /// The first record that is kept now.
        first: u64,
        /// The last record.
        last: u64,
        /// The first record that was to be kept.
        keep_from: u64,
    },
    /// The store failed. Nothing may move: what is not recorded is denied.
    #[error("the audit log cannot be written or read: {0}")]
    Store(#[source] Arc<StoreError>),
    /// There was no locked memory for a key.
    #[error(transparent)]
    Memory(Arc<MemoryError>),
    /// Output could not be written.
    #[error("the export could not be written: {0}")]
    Output(#[source] Arc<std::io::Error>),
    /// The system gave no thread for the writer.
    #[error("the audit log's thread could not be started: {0}; end other programs and try again")]
    Thread(#[source] Arc<std::io::Error>),
    /// The writer's thread has ended.
    #[error("the audit log was closed before the record was written; start the command again")]
    Stopped,
}

impl From<StoreError> for AuditError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

impl From<MemoryError> for AuditError {
    fn from(error: MemoryError) -> Self {
        Self::Memory(Arc::new(error))
    }
}

impl From<std::io::Error> for AuditError {
    fn from(error: std::io::Error) -> Self {
        Self::Output(Arc::new(error))
    }
}

impl From<Finding> for AuditError {
    fn from(finding: Finding) -> Self {
        Self::Tampered(finding)
    }
}
