//! Marks of a log without a log.

use subrosa_audit::{MARK_LEN, Mark};
use subrosa_crypto::{Aad, sha256};

/// A mark as an anchor keeps it, whole but not authentic: its MAC is made up. Layout and checksum
/// are those of `spec/audit.md`.
///
/// # Panics
/// When the layout has changed and this has not.
#[must_use]
pub fn mark(vault: u8, sequence: u64) -> Mark {
    let mut bytes = vec![1];
    bytes.extend_from_slice(&1_u32.to_le_bytes());
    bytes.extend_from_slice(&[vault; 16]);
    bytes.extend_from_slice(&sequence.to_le_bytes());
    bytes.extend_from_slice(&[9; MARK_LEN - 8 - 29]);
    let sum = sha256(&Aad::new("subrosa/audit/mark/sum/v1").bytes(&bytes));
    bytes.extend_from_slice(&sum[..8]);
    Mark::from_bytes(&bytes).expect("a mark of the layout that the log documents")
}
