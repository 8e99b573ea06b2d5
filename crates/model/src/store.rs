//! Why a store fails: shared by the ports of the vault and of the log.

/// Why a store could not do its work. Texts name no contents.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Somebody else wrote first: read again and retry.
    #[error("another process changed the vault at the same time")]
    Conflict,
    /// The store stayed locked by another process for longer than it waits.
    #[error("another process holds the vault; try again when it is done")]
    Busy,
    /// No space left.
    #[error("the disk is full; nothing was written")]
    Full,
    /// The store may be read but not written.
    #[error("the vault cannot be written: {reason}")]
    ReadOnly {
        /// Why.
        reason: String,
    },
    /// What is stored cannot be read as a store of ours.
    #[error("the vault file is damaged: {reason}")]
    Damaged {
        /// What was found.
        reason: String,
    },
    /// Permissions, ownership or the kind of file are not what they must be.
    #[error("{path}: {reason}")]
    Unsafe {
        /// The file or folder.
        path: String,
        /// What is wrong and how to mend it.
        reason: String,
    },
    /// The store was made by a later program.
    #[error(
        "the vault has store format {found}; this program reads up to {known}. Use a newer subrosa"
    )]
    Future {
        /// The format that was found.
        found: u32,
        /// The newest that this program knows.
        known: u32,
    },
    /// There is nothing there.
    #[error("there is no vault at {path}")]
    Missing {
        /// Where it was looked for.
        path: String,
    },
    /// There is something there already.
    #[error("there is already a vault at {path}")]
    Exists {
        /// Where it is.
        path: String,
    },
    /// The operating system or the database failed otherwise.
    #[error("the store failed: {reason}")]
    Failed {
        /// What it said, without contents.
        reason: String,
        /// The cause.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
}
