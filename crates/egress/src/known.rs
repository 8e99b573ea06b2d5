//! What the redactor has been taught in this process.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};

use subrosa_crypto::{MemoryError, SecretBuf, ct_eq};
use subrosa_model::{KeyName, Label, SecretId};
use subrosa_redact::{Known, KnownSet};

use crate::{Sensitive, strength};

/// Values that were ever released here, with the key each is masked by.
pub(crate) struct Learned {
    values: Mutex<Values>,
}

/// What a mask says, and of which secret.
struct Named {
    name: String,
    key: KeyName,
    secret: SecretId,
}

#[derive(Default)]
struct Values {
    all: Vec<(Option<Named>, SecretBuf)>,
    /// Places of values by a hash under a random key: it tells nothing of a value to whoever does
    /// not have the key.
    places: HashMap<u64, Vec<usize>>,
    hasher: RandomState,
}

impl Values {
    /// Where a value would be looked for, unless it is there.
    fn place_for(&self, value: &[u8]) -> Option<u64> {
        let hash = self.hasher.hash_one(value);
        let known = self.places.get(&hash).is_some_and(|places| {
            let mut there = places.iter().map(|place| self.all[*place].1.as_slice());
            there.any(|known| ct_eq(known, value))
        });
        (!known).then_some(hash)
    }
}

impl Learned {
    pub(crate) fn new() -> Self {
        Self {
            values: Mutex::new(Values::default()),
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
            let Some(place) = learned.place_for(value.bytes()) else {
                continue;
            };
            let name = value.labels().first().map(|label| Named {
                name: mask_name(label),
                key: label.key.clone(),
                secret: label.secret,
            });
            let value = SecretBuf::copy_from(value.bytes())?;
            let last = learned.all.len();
            learned.all.push((name, value));
            learned.places.entry(place).or_default().push(last);
        }
        Ok(())
    }

    /// Compiles what is known so far. With `named`, for an agent: masks name only these secrets, and
    /// what can be guessed is not masked, since a mask would say that a guess is right: values, and
    /// parts and beginnings of them. An agent is handed no such value that could come back.
    pub(crate) fn known(&self, named: Option<&HashSet<SecretId>>) -> KnownSet {
        self.collected(named).build()
    }

    /// As [`Learned::known`], not compiled yet.
    pub(crate) fn collected(&self, named: Option<&HashSet<SecretId>>) -> Known {
        let values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = Known::new();
        if named.is_some() {
            known = known.parts_if(|part| !strength::is_guessable(part));
        }
        for (name, value) in &values.all {
            if named.is_some() && strength::is_guessable(value.as_slice()) {
                continue;
            }
            let name = name.as_ref();
            let name = name.filter(|one| named.is_none_or(|named| named.contains(&one.secret)));
            // What cannot be searched for was refused before it came here, or has under four bytes.
            let _ = known.add_forced(name.map(|one| one.name.as_str()), value.as_slice());
        }
        known
    }

    /// The secrets that masks could name, each once.
    pub(crate) fn names(&self) -> BTreeSet<(KeyName, SecretId)> {
        let values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        let names = values.all.iter().filter_map(|(name, _)| name.as_ref());
        names.map(|one| (one.key.clone(), one.secret)).collect()
    }
}

/// What the mask of a value says: its key, and its field where that is no matter of course.
pub(crate) fn mask_name(label: &Label) -> String {
    match label.field.is_default() {
        true => label.key.to_string(),
        false => format!("{}#{}", label.key, label.field),
    }
}
