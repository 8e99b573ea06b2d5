//! Why an operation has no result.

use subrosa_crypto::MemoryError;

/// An operation that has no result. Its text is for users and never holds an input.
///
/// That there is one, and which, tells something of the inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} {kind}")]
pub struct Fault {
    /// The operation as scripts write it: `math add`.
    pub what: &'static str,
    /// What was wrong.
    pub kind: FaultKind,
}

/// What was wrong with an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FaultKind {
    /// It takes more or fewer texts: an error of the script.
    #[error("takes another number of values")]
    Operands,
    /// A text is not a number.
    #[error("needs a number")]
    Number,
    /// A number is not whole.
    #[error("needs a whole number")]
    Whole,
    /// A number is below zero.
    #[error("needs a number that is not below zero")]
    Negative,
    /// A text is not a truth.
    #[error("needs 'true' or 'false'")]
    Truth,
    /// Something was to be divided by zero.
    #[error("cannot divide by zero")]
    Zero,
    /// A number is too large, or exact only with more digits than are kept.
    #[error("needs a number with more than the 28 digits that are kept")]
    Range,
    /// The result is too long.
    #[error("makes a text of more than {limit} bytes")]
    TooLong {
        /// Bytes that are allowed.
        limit: usize,
    },
    /// There are too many parts.
    #[error("makes more than {limit} parts")]
    TooMany {
        /// Parts that are allowed.
        limit: usize,
    },
    /// Locked memory is used up. How much was needed is not said: it follows from the inputs.
    #[error(
        "needs more locked memory than the system gives; raise the limit with `ulimit -l` (or \
         LimitMEMLOCK= in a service) and start again"
    )]
    Memory,
}

impl FaultKind {
    pub(super) fn of(self, what: &'static str) -> Fault {
        Fault { what, kind: self }
    }
}

impl From<MemoryError> for FaultKind {
    fn from(_: MemoryError) -> Self {
        Self::Memory
    }
}
