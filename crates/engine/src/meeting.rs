//! The first meeting: what lies in the clear around here, and how it gets into the vault.
//!
//! [`look`] finds files and tells names, never values. [`Session::take`] stores what looks like a
//! secret, and then, when that is asked for, puts placeholders in its place: the values are durable
//! in the vault before the file is touched, so that whoever is killed in between has them twice.

mod sight;
mod versioned;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::path::Path;

use serde::Serialize;
use subrosa_crypto::SecretBuf;
use subrosa_egress::Escapes;
use subrosa_model::{FieldName, KeyName};

pub use sight::{SeenVariable, Sighting, SightingKind, State, look};
pub use versioned::{Versioned, versioned};

use crate::envfile::{self, EnvFile, Point};
use crate::import::{self, Conflict, ImportForm, Imported, dotenv, likely};
use crate::placeholder::Shape;
use crate::placeholders::Wanted;
use crate::providers::Providers;
use crate::{EngineError, Session};

/// How a file is taken in.
#[derive(Debug, Clone, Default)]
pub struct TakeOptions {
    /// Goes in front of every key.
    pub prefix: String,
    /// What happens to secrets that are there already with another value.
    pub conflict: Conflict,
    /// Also what does not look like a secret.
    pub all: bool,
    /// Put placeholders in the place of the values.
    pub replace: bool,
    /// Only tell what would happen.
    pub dry_run: bool,
}

/// What became of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Taken {
    /// What was stored.
    #[serde(flatten)]
    pub imported: Imported,
    /// Variables that have a placeholder now.
    pub replaced_by_placeholders: Vec<Replaced>,
    /// Variables that kept their value.
    pub kept: Vec<Kept>,
}

/// A variable that has a placeholder now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Replaced {
    /// The variable.
    pub variable: String,
    /// The secret that the placeholder stands for.
    pub key: KeyName,
    /// The placeholder.
    pub placeholder: String,
}

/// A variable that kept its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// The variable.
    pub variable: String,
    /// Where it stands, from 1.
    pub line: usize,
    /// Why.
    pub reason: String,
}

/// A value in a file that is about to be replaced.
struct Spot {
    variable: String,
    line: usize,
    key: KeyName,
    place: Range<usize>,
    quote: Option<u8>,
    /// How it is written between double quotes; the inner `None` where that is not to be told.
    escapes: Option<Option<Escapes>>,
    shape: Shape,
}

impl Session {
    /// Stores what looks like a secret in a dotenv file, in one transaction, and puts placeholders
    /// in its place when that is asked for. All else in the file stays byte for byte.
    ///
    /// # Errors
    /// [`EngineError::Import`] with the line, [`EngineError::Conflicts`]: then nothing happened.
    /// [`EngineError::EnvFile`] for a file that is not to be changed; one that was changed meanwhile
    /// was left alone, and its secrets are stored.
    pub fn take(
        &mut self,
        path: &Path,
        options: &TakeOptions,
        providers: &Providers,
    ) -> Result<Taken, EngineError> {
        self.take_watched(path, options, providers, &mut |_| Ok(()))
    }

    fn take_watched(
        &mut self,
        path: &Path,
        options: &TakeOptions,
        providers: &Providers,
        reached: &mut dyn FnMut(Step) -> Result<(), EngineError>,
    ) -> Result<Taken, EngineError> {
        let what = path.display().to_string();
        let file = match options.replace {
            true => Some(EnvFile::open(path)?),
            false => None,
        };
        let own = match &file {
            Some(_) => None,
            None => Some(content(path)?),
        };
        let Some(content) = file.as_ref().map(EnvFile::content).or(own.as_ref()) else {
            return Ok(Taken::default());
        };
        let mut taken = Taken {
            imported: Imported {
                form: Some(ImportForm::Dotenv),
                ..Imported::default()
            },
            ..Taken::default()
        };
        let mut incoming = Vec::new();
        let mut spots = Vec::new();
        let mut seen = BTreeSet::new();
        for entry in dotenv::parse(&what, content)? {
            if entry.reference().is_some() {
                taken.imported.references += 1;
                continue;
            }
            let claimed = providers.claim(&entry.name, entry.value.as_slice());
            if entry.value.is_empty()
                || !(options.all
                    || claimed.is_some()
                    || likely::is_secret(&entry.name, entry.value.as_slice()))
            {
                taken.imported.not_secret.push(entry.name);
                continue;
            }
            let shape = claimed.map(|(_, credential)| credential.shape.clone());
            let (variable, line) = (entry.name.clone(), entry.line);
            let (place, quote) = (entry.place.clone(), entry.quote);
            let escapes = match quote {
                Some(b'"') => {
                    let raw = &content.as_slice()[place.start + 1..place.end - 1];
                    Some(Escapes::of(raw, entry.value.as_slice())?)
                }
                _ => None,
            };
            let secret = import::from_line(entry, &what, &options.prefix)?;
            if !seen.insert(secret.key.clone()) {
                return Err(import::twice(&what, line, &variable));
            }
            spots.push(Spot {
                variable,
                line,
                key: secret.key.clone(),
                place,
                quote,
                escapes,
                shape: shape.unwrap_or_default(),
            });
            incoming.push(secret);
        }
        self.take_in(
            incoming,
            (options.conflict, options.dry_run),
            &mut taken.imported,
        )?;
        let Some(file) = file.filter(|_| !options.dry_run) else {
            return Ok(taken);
        };
        reached(Step::Stored)?;
        let (spots, wanted) = self.replaceable(spots, &mut taken)?;
        let placeholders = self.placeholders(&wanted)?;
        reached(Step::Named)?;
        let mut pieces = Vec::new();
        for (spot, placeholder) in spots.into_iter().zip(placeholders) {
            match placeholder {
                Some(placeholder) => {
                    taken.replaced_by_placeholders.push(Replaced {
                        variable: spot.variable.clone(),
                        key: spot.key.clone(),
                        placeholder: placeholder.clone(),
                    });
                    pieces.push((spot, placeholder));
                }
                None => taken
                    .kept
                    .push(spot.kept("it is escaped otherwise than where it stood before")),
            }
        }
        if pieces.is_empty() {
            return Ok(taken);
        }
        file.replace_watched(
            &mut |out| {
                write(file.content(), &pieces, out)
                    .map_err(EngineError::io(format!("{what} cannot be written")))
            },
            &mut |point| reached(Step::File(point)),
        )?;
        Ok(taken)
    }

    /// Which of the values a command gets by their placeholder: taking away the others would make
    /// them useless.
    fn replaceable(
        &mut self,
        spots: Vec<Spot>,
        taken: &mut Taken,
    ) -> Result<(Vec<Spot>, Vec<Wanted>), EngineError> {
        let scope = self.scope().clone();
        let now = self.now();
        let field = FieldName::default_field();
        let mut good = Vec::new();
        let mut wanted = Vec::new();
        for spot in spots {
            let located = self.vault.find(&mut self.journal, &scope, &spot.key)?;
            let Some(located) = located.filter(|located| located.head.removed.is_none()) else {
                continue;
            };
            let head = &located.head;
            let searched = head.fields.get(&field).is_some_and(|about| about.searched);
            let why = if taken.imported.skipped.contains(&spot.key) {
                Some("the vault has another value of this key".to_owned())
            } else if let Some(pin) = &head.pin {
                Some(format!(
                    "its secret is pinned to {}, and the broker that uses such is not built: part 6",
                    pin.provider
                ))
            } else if head.expires.is_some_and(|end| end <= now) {
                Some("its secret has expired".to_owned())
            } else if !searched {
                Some(
                    "it is too short or too common to be masked, so commands do not get it"
                        .to_owned(),
                )
            } else if spot.escapes == Some(None) {
                Some(
                    "some of its characters are escaped in one place and not in another".to_owned(),
                )
            } else {
                None
            };
            match why {
                Some(why) => taken.kept.push(spot.kept(&why)),
                None => {
                    wanted.push(Wanted {
                        field: field.clone(),
                        shape: spot.shape.clone(),
                        escapes: spot.escapes.flatten(),
                        located,
                    });
                    good.push(spot);
                }
            }
        }
        Ok((good, wanted))
    }
}

/// How far taking in has come, for tests that end it there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The values are in the vault.
    Stored,
    /// So are their placeholders.
    Named,
    /// The file is being changed.
    File(Point),
}

impl Spot {
    fn kept(&self, reason: &str) -> Kept {
        Kept {
            variable: self.variable.clone(),
            line: self.line,
            reason: reason.to_owned(),
        }
    }
}

fn content(path: &Path) -> Result<SecretBuf, EngineError> {
    let what = || format!("opening {}", path.display());
    let mut file = File::open(path).map_err(EngineError::io(what()))?;
    Ok(SecretBuf::read_to_end(&mut file, envfile::LENGTH_MAX)?)
}

/// The content, with placeholders in the place of values, and the quotes as they were.
fn write(
    content: &SecretBuf,
    pieces: &[(Spot, String)],
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let bytes = content.as_slice();
    let mut end = 0;
    for (spot, placeholder) in pieces {
        out.write_all(&bytes[end..spot.place.start])?;
        let quote = spot.quote.as_slice();
        out.write_all(quote)?;
        out.write_all(placeholder.as_bytes())?;
        out.write_all(quote)?;
        end = spot.place.end;
    }
    out.write_all(&bytes[end..])
}

#[cfg(test)]
#[path = "meeting/tests.rs"]
mod tests;
