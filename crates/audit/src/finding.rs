//! What verification finds, in words for people and in codes for programs.

use std::fmt;

use serde::Serialize;

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "fault")]
#[non_exhaustive]
pub enum Fault {
    /// A row's content or header differs from what was written.
    Edited,
    /// A row that was written for another place.
    Reordered {
        /// The place it was written for.
        belongs_at: u64,
    },
    /// A row is genuine, but not what followed the row before it.
    Unlinked,
    /// A row that no key of this vault sealed, or whose first bytes were edited.
    Foreign,
    /// Rows are absent between others.
    Deleted {
        /// The first absent row.
        from: u64,
        /// The last absent row.
        to: u64,
    },
    /// Rows that were pruned are there again, or a row stands before the first.
    Leftover,
    /// The last rows are absent: the head knows more.
    Truncated {
        /// The last row that is there; 0 for none.
        last: u64,
        /// The last row by the head.
        head: u64,
    },
    /// There is a row after the last one that the head knows: the head was rewound, or a row added.
    BeyondHead {
        /// The last row by the head.
        head: u64,
    },
    /// The head knows another last row.
    HeadMismatch,
    /// There are rows but no head.
    HeadMissing,
    /// The head does not open.
    HeadDamaged,
    /// The head was sealed before the last rotation of keys.
    HeadOutdated {
        /// The head's epoch.
        epoch: u32,
    },
    /// The log was rewound: a record outside the folder knows more.
    Rewound {
        /// The last row by the head.
        head: u64,
        /// A row that is known to have been written.
        known: u64,
    },
    /// The log continues from an earlier state: a record outside the folder knows another row here.
    Forked,
    /// There is neither a head nor a row.
    LogMissing,
    /// The vault's records are not those that the log's head was written for.
    StateMismatch,
    /// What the anchor holds was not written by this vault.
    AnchorAltered,
    /// The anchor is of another vault.
    WrongVault,
    /// A checkpoint's or prune marker's signature is not of its epoch's key.
    BadSignature,
    /// A checkpoint vouches for other rows than those before it.
    CheckpointMismatch,
    /// No checkpoint where one is due.
    CheckpointMissing,
    /// The first row that is kept is not the one that a prune marker names.
    PruneUnexplained {
        /// The first row that the head says is kept.
        first: u64,
    },
    /// A row's epoch is not in the key ring.
    UnknownEpoch {
        /// The epoch.
        epoch: u32,
    },
    /// A row's epoch is not the one that must follow.
    EpochOrder {
        /// The epoch of the row before.
        before: u32,
        /// The row's.
        epoch: u32,
    },
    /// A later program wrote this.
    FutureFormat {
        /// The format.
        found: u8,
    },
    /// A genuine row holds something that this program cannot read.
    Unreadable,
}

impl Fault {
    /// What to do about it.
    #[must_use]
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::FutureFormat { .. } | Self::Unreadable => {
                "use a newer subrosa; if there is none, take it as edited"
            }
            Self::UnknownEpoch { .. } => {
                "if the keys were rotated elsewhere just now, verify again; otherwise take the row \
                 as forged"
            }
            Self::HeadOutdated { .. } | Self::Rewound { .. } | Self::Forked => {
                "an earlier copy of the vault's folder was put back: if you did that yourself, take the \
                 log as it is with subrosa audit verify --accept; if not, treat every use since that \
                 copy as unknown and rotate the secrets"
            }
            Self::StateMismatch => {
                "the vault's records or its log were put back or edited alone: compare with a \
                 backup, and restore both together"
            }
            Self::AnchorAltered | Self::WrongVault => {
                "find out who can write the anchor's file; then write a new one with subrosa audit verify --accept"
            }
            Self::CheckpointMissing | Self::PruneUnexplained { .. } => {
                "the log's keys wrote this without its rules: treat the log as forged, rotate the \
                 keys and the secrets"
            }
            _ => {
                "keep a copy of the folder as evidence, find out who could write it, compare with \
                 the last export or backup, and rotate the secrets that were in use"
            }
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edited => f.write_str("was edited"),
            Self::Reordered { belongs_at } => {
                write!(f, "was moved: it was written as record {belongs_at}")
            }
            Self::Unlinked => {
                f.write_str("does not follow the record before it: a link was edited or replaced")
            }
            Self::Foreign => f.write_str(
                "was sealed under no key of this vault: it comes from elsewhere or was edited",
            ),
            Self::Deleted { from, to } if from == to => write!(f, "record {from} was deleted"),
            Self::Deleted { from, to } => write!(f, "records {from} to {to} were deleted"),
            Self::Leftover => f.write_str("stands before the first record that the log keeps"),
            Self::Truncated { last, head } => write!(
                f,
                "the log was cut off: it ends at record {last}, its head at {head}"
            ),
            Self::BeyondHead { head } => write!(
                f,
                "stands after the last record by the head, {head}: the head was rewound or the \
                 record added"
            ),
            Self::HeadMismatch => {
                f.write_str("is not the last record that the head was sealed for")
            }
            Self::HeadMissing => f.write_str("the log has records but its head was deleted"),
            Self::HeadDamaged => {
                f.write_str("the log's head was edited or belongs to another vault")
            }
            Self::HeadOutdated { epoch } => write!(
                f,
                "the log's head was put back: it is of key epoch {epoch}, before the last rotation"
            ),
            Self::Rewound { head, known } => write!(
                f,
                "the log was put back to an earlier state: it ends at record {head}, and record \
                 {known} was written"
            ),
            Self::Forked => f.write_str(
                "is another record than the anchor knows: the log was put back and went on from \
                 there",
            ),
            Self::LogMissing => f.write_str("the whole log was deleted"),
            Self::StateMismatch => {
                f.write_str("the vault's records are not those that the log's head was sealed for")
            }
            Self::AnchorAltered => f.write_str("the anchor was not written by this vault"),
            Self::WrongVault => f.write_str("the anchor belongs to another vault"),
            Self::BadSignature => {
                f.write_str("carries a signature that is not of this vault's key")
            }
            Self::CheckpointMismatch => {
                f.write_str("is a checkpoint for other records than those before it")
            }
            Self::CheckpointMissing => f.write_str("stands where a checkpoint is due"),
            Self::PruneUnexplained { first } => write!(
                f,
                "the records before {first} are gone and no prune marker accounts for them"
            ),
            Self::UnknownEpoch { epoch } => {
                write!(f, "names key epoch {epoch}, which this vault does not have")
            }
            Self::EpochOrder { before, epoch } => write!(
                f,
                "is of key epoch {epoch}, which cannot follow epoch {before} there"
            ),
            Self::FutureFormat { found } => {
                write!(f, "has format {found}, which this program does not know")
            }
            Self::Unreadable => f.write_str("is genuine but holds what this program cannot read"),
        }
    }
}

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The row that it shows at; `None` for the log as a whole.
    pub sequence: Option<u64>,
    /// What is wrong.
    #[serde(flatten)]
    pub fault: Fault,
}

impl Finding {
    /// A finding at a row.
    #[must_use]
    pub const fn at(sequence: u64, fault: Fault) -> Self {
        Self {
            sequence: Some(sequence),
            fault,
        }
    }

    /// A finding about the log as a whole.
    #[must_use]
    pub const fn whole(fault: Fault) -> Self {
        Self {
            sequence: None,
            fault,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.sequence, &self.fault) {
            // These name their records themselves.
            (_, Fault::Deleted { .. }) | (None, _) => write!(f, "{}", self.fault),
            (Some(sequence), fault) => write!(f, "record {sequence} {fault}"),
        }
    }
}
