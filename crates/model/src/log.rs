//! Rows of the audit log as a store sees them: opaque.

/// One row. The store keeps it byte for byte and never looks inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRow {
    /// Position in the chain, from 1, without gaps.
    pub sequence: u64,
    /// The sealed record with its link.
    pub body: Vec<u8>,
}

/// The head of the chain as a store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogHead {
    /// Position of the last row; 0 for an empty log.
    pub sequence: u64,
    /// The sealed head: what the log's owner needs to go on, and to notice a rewind.
    pub body: Vec<u8>,
}

/// Rows to append, valid only on top of the head they were made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogAppend {
    /// The `body` of the head that the rows follow; `None` for a log that has none yet. A store
    /// refuses the append when its head differs.
    pub expected: Option<Vec<u8>>,
    /// The rows, ascending, beginning one above the head. May be empty: then only the head changes.
    pub rows: Vec<LogRow>,
    /// The head afterwards.
    pub head: LogHead,
}
