//! Where results are written, each bounded before it grows.

use subrosa_crypto::SecretBuf;

use super::FaultKind;

/// The longest public result, in bytes.
pub const PUBLIC_LIMIT: usize = 16 << 20;
/// The longest result that is a value, in bytes: a system may let a process lock no more than 8 MiB.
pub const SENSITIVE_LIMIT: usize = 1 << 20;

/// Takes a result piece by piece.
pub(super) trait Output {
    fn put(&mut self, piece: &[u8]) -> Result<(), FaultKind>;
}

/// Ordinary memory, for what is public.
impl Output for Vec<u8> {
    fn put(&mut self, piece: &[u8]) -> Result<(), FaultKind> {
        sum(self.len(), piece, PUBLIC_LIMIT)?;
        self.extend_from_slice(piece);
        Ok(())
    }
}

impl Output for SecretBuf {
    fn put(&mut self, piece: &[u8]) -> Result<(), FaultKind> {
        sum(self.len(), piece, SENSITIVE_LIMIT)?;
        Ok(self.extend(piece)?)
    }
}

/// Counts the bytes of a value, so that it need not move in locked memory while it grows.
#[derive(Default)]
pub(super) struct Size(pub(super) usize);

impl Output for Size {
    fn put(&mut self, piece: &[u8]) -> Result<(), FaultKind> {
        self.0 = sum(self.0, piece, SENSITIVE_LIMIT)?;
        Ok(())
    }
}

fn sum(held: usize, piece: &[u8], limit: usize) -> Result<usize, FaultKind> {
    held.checked_add(piece.len())
        .filter(|size| *size <= limit)
        .ok_or(FaultKind::TooLong { limit })
}
