//! A value that may be used and not seen.

use std::collections::BTreeSet;
use std::fmt;
use std::io::Read;

use subrosa_crypto::{Aad, Key, MemoryError, OpenError, ReadError, Rng, SecretBuf};
use subrosa_model::Label;
use subrosa_redact::Added;

use crate::Transform;

/// Which entries and versions a value derives from.
pub type Labels = BTreeSet<Label>;

/// Bytes in locked memory that leave only through a [`crate::Sink`].
///
/// It has no `Display`, `Deref`, `Clone`, `PartialEq` or serialisation; `Debug` is a constant.
///
/// ```
/// use subrosa_crypto::SecretBuf;
/// use subrosa_egress::Sensitive;
/// let value = Sensitive::input(SecretBuf::copy_from(b"hunter2-hunter2")?);
/// assert_eq!(format!("{value:?}"), "Sensitive(***)");
/// # Ok::<(), subrosa_crypto::MemoryError>(())
/// ```
pub struct Sensitive {
    value: SecretBuf,
    labels: Labels,
}

impl Sensitive {
    /// Whether somebody who can try a million times finds it: to an agent, whether a guess is masked
    /// says that it is right. A rough judgement, and rather too strict.
    #[must_use]
    pub fn is_guessable(&self) -> bool {
        crate::strength::is_guessable(self.bytes())
    }

    /// A value that came from outside: typed, piped or imported. It derives from no entry yet.
    #[must_use]
    pub fn input(value: SecretBuf) -> Self {
        Self {
            value,
            labels: Labels::new(),
        }
    }

    /// Reads a value to the end of `reader`, straight into locked memory; at most `limit` bytes.
    ///
    /// # Errors
    /// [`ReadError::TooLong`] beyond the limit, else what reading or locking gave.
    pub fn read(reader: &mut dyn Read, limit: usize) -> Result<Self, ReadError> {
        SecretBuf::read_to_end(reader, limit).map(Self::input)
    }

    /// Opens a sealed value; the result stays sensitive and carries `label`.
    ///
    /// # Errors
    /// [`OpenError::WrongKey`] when the key does not fit, [`OpenError::Tampered`] when the bytes or
    /// `aad` are not those that were sealed.
    pub fn open(key: &Key, aad: &Aad, sealed: &[u8], label: Label) -> Result<Self, OpenError> {
        let value = key.open(aad, sealed)?;
        Ok(Self {
            value,
            labels: Labels::from([label]),
        })
    }

    /// Seals the value; what returns may be stored anywhere.
    #[must_use]
    pub fn seal(&self, key: &Key, rng: &dyn Rng, aad: &Aad) -> Vec<u8> {
        key.seal(rng, aad, self.value.as_slice())
    }

    /// The entries that it derives from.
    #[must_use]
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// Whether it has more than `limit` bytes. The length itself stays inside.
    #[must_use]
    pub fn exceeds(&self, limit: usize) -> bool {
        self.value.len() > limit
    }

    /// Why the redactor would not search for this value, or `None` when it would.
    #[must_use]
    pub fn why_not_searched(&self) -> Option<Added> {
        subrosa_redact::why_not_searched(self.value.as_slice())
    }

    /// Makes a new value from `inputs`; it carries the union of their labels.
    ///
    /// # Errors
    /// [`MemoryError`] when the result does not fit into locked memory.
    pub fn derive(transform: &dyn Transform, inputs: &[&Self]) -> Result<Self, MemoryError> {
        let bytes: Vec<&[u8]> = inputs.iter().map(|input| input.value.as_slice()).collect();
        let mut out = SecretBuf::new();
        transform.run(&bytes, &mut out)?;
        let labels = inputs
            .iter()
            .flat_map(|input| input.labels.iter().cloned())
            .collect();
        Ok(Self { value: out, labels })
    }

    /// The bytes, for the gate and its sinks alone.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.value.as_slice()
    }
}

impl fmt::Debug for Sensitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sensitive(***)")
    }
}
