//! What the redactor has been taught in this process.

use std::sync::{Mutex, PoisonError};

use subrosa_crypto::{MemoryError, SecretBuf, ct_eq};
use subrosa_redact::{Known, KnownSet};

use crate::Sensitive;

/// Values that were ever released here, with the key each is masked by.
pub(crate) struct Learned {
    values: Mutex<Vec<(Option<String>, SecretBuf)>>,
}

impl Learned {
    pub(crate) fn new() -> Self {
        Self {
            values: Mutex::new(Vec::new()),
        }
    }

    /// Adds values.
    ///
    /// Everything released goes in as forced: whoever let a short value out had to insist, and then
    /// it is searched for as well as it can be.
    pub(crate) fn learn<'a>(
        &self,
        values: impl Iterator<Item = &'a Sensitive>,
    ) -> Result<(), MemoryError> {
        let mut learned = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        for value in values {
            if learned
                .iter()
                .any(|(_, known)| ct_eq(known.as_slice(), value.bytes()))
            {
                continue;
            }
            let name = value
                .labels()
                .first()
                .map(|label| match label.field.is_default() {
                    true => label.key.to_string(),
                    false => format!("{}#{}", label.key, label.field),
                });
            learned.push((name, SecretBuf::copy_from(value.bytes())?));
        }
        Ok(())
    }

    /// Compiles what is known so far.
    pub(crate) fn known(&self) -> KnownSet {
        compile(&self.values.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn compile(values: &[(Option<String>, SecretBuf)]) -> KnownSet {
    let mut known = Known::new();
    for (name, value) in values {
        // What cannot be searched for was refused before it came here, or has under four bytes.
        let _ = known.add_forced(name.as_deref(), value.as_slice());
    }
    known.build()
}
