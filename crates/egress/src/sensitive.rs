//! A value that may be used and not seen.

use std::fmt;
use std::io::Read;
use std::sync::Arc;

use subrosa_crypto::{Aad, Key, MemoryError, OpenError, ReadError, Rng, SecretBuf};
use subrosa_model::Label;
use subrosa_redact::Added;

use crate::feather::Fault;
use crate::{Labels, Transform};

/// Bytes in locked memory that leave only through a [`crate::Sink`].
///
/// It has no `Display`, `Deref`, `Clone`, `PartialEq` or serialisation; `Debug` is a constant. Who
/// needs one in several places holds an `Arc<Sensitive>`.
///
/// ```
/// use subrosa_crypto::SecretBuf;
/// use subrosa_egress::Sensitive;
/// let value = Sensitive::input(SecretBuf::copy_from(b"hunter2-hunter2")?);
/// assert_eq!(format!("{value:?}"), "Sensitive(***)");
/// # Ok::<(), subrosa_crypto::MemoryError>(())
/// ```
pub struct Sensitive {
    /// Shared with what [`Sensitive::tainted`] made; wiped with the last of them.
    value: Arc<SecretBuf>,
    labels: Labels,
}

/// What a computation takes: a text that everybody may see, or a value.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// A public text; it brings no label.
    Public(&'a [u8]),
    /// A value; the result carries its labels.
    Sensitive(&'a Sensitive),
}

impl<'a> Input<'a> {
    fn bytes(self) -> &'a [u8] {
        match self {
            Self::Public(text) => text,
            Self::Sensitive(value) => value.bytes(),
        }
    }

    fn labels(self) -> Option<&'a Labels> {
        match self {
            Self::Public(_) => None,
            Self::Sensitive(value) => Some(value.labels()),
        }
    }
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
        Self::new(value, Labels::new())
    }

    /// A public text that is a value from here on: what it is tells of the entries in `labels`,
    /// since it depends on them whether it stands here.
    ///
    /// # Errors
    /// [`MemoryError`] when it does not fit into locked memory.
    pub fn public(text: &[u8], labels: Labels) -> Result<Self, MemoryError> {
        Ok(Self::new(SecretBuf::copy_from(text)?, labels))
    }

    fn new(value: SecretBuf, labels: Labels) -> Self {
        let value = Arc::new(value);
        Self { value, labels }
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
        Ok(Self::new(key.open(aad, sealed)?, Labels::from([label])))
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
        let join = |labels: Labels, input: &&Self| labels.with(&input.labels);
        Ok(Self::new(out, inputs.iter().fold(Labels::new(), join)))
    }

    /// Makes a new value from public texts and values; it carries the union of their labels and of
    /// `also`: the entries that it depends on whether the computation takes place.
    ///
    /// ```
    /// use subrosa_crypto::SecretBuf;
    /// use subrosa_egress::{Input, Labels, Sensitive, feather::Operation};
    /// let token = Sensitive::input(SecretBuf::copy_from(b"hunter2-hunter2")?);
    /// let inputs = [Input::Public(b"Bearer "), Input::Sensitive(&token)];
    /// let header = Sensitive::derive_from(&Operation::Concat, &inputs, &Labels::new())?;
    /// assert_eq!(format!("{header:?}"), "Sensitive(***)");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Fault`], which tells something of the inputs by being there, and holds none.
    pub fn derive_from(
        transform: &dyn Transform<Fault>,
        inputs: &[Input<'_>],
        also: &Labels,
    ) -> Result<Self, Fault> {
        let mut out = SecretBuf::new();
        transform.run(&bytes(inputs), &mut out)?;
        Ok(Self::new(out, union(inputs, also)))
    }

    /// As [`Sensitive::derive_from`] with several results, each of which carries all labels.
    /// How many there are is told: [`crate::danger::derive_all`] is the way to it.
    pub(crate) fn derive_all(
        transform: &dyn Transform<Fault, Vec<SecretBuf>>,
        inputs: &[Input<'_>],
        also: &Labels,
    ) -> Result<Vec<Self>, Fault> {
        let mut out = Vec::new();
        transform.run(&bytes(inputs), &mut out)?;
        let labels = union(inputs, also);
        let values = out.into_iter();
        Ok(values
            .map(|value| Self::new(value, labels.clone()))
            .collect())
    }

    /// The same value with `labels` beside its own. Nothing is copied: both share the locked memory,
    /// and the value is wiped when the last of them is dropped.
    #[must_use]
    pub fn tainted(&self, labels: &Labels) -> Self {
        Self {
            value: Arc::clone(&self.value),
            labels: self.labels.with(labels),
        }
    }

    /// The bytes, for the gate and its sinks alone.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.value.as_slice()
    }
}

fn bytes<'a>(inputs: &[Input<'a>]) -> Vec<&'a [u8]> {
    inputs.iter().map(|input| input.bytes()).collect()
}

fn union(inputs: &[Input<'_>], also: &Labels) -> Labels {
    let theirs = inputs.iter().filter_map(|input| input.labels());
    theirs.fold(also.clone(), |all, labels| all.with(labels))
}

impl fmt::Debug for Sensitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sensitive(***)")
    }
}
