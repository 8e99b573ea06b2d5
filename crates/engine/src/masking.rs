//! Values of the vault that text is looked through for: `redact` and `scan`.
//!
//! Nothing is handed over, so nothing is remembered as handed out; but what is found tells whoever
//! chose the text, so each use is decided and recorded like any other.

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::io::{self, Read, Write};

use subrosa_crypto::random;
use subrosa_egress::{Facts, Gate, Released, Search, kind};
use subrosa_model::{Action, Destination, Outcome, RequestId, SecretUse, SinkKind, UseRequest};
use subrosa_redact::{KnownSet, RedactingWriter};

use crate::select::Selected;
use crate::{EngineError, Session};

/// How much of a text is taken at a time.
const BLOCK: usize = 64 * 1024;

/// What a text is looked through for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To mask the values in it.
    Redact,
    /// To say where they stand.
    Scan,
}

impl Purpose {
    /// The word in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Redact => "redact",
            Self::Scan => "scan",
        }
    }
}

/// Which values to look for.
#[derive(Debug, Clone)]
pub struct MaskOptions {
    /// What for.
    pub purpose: Purpose,
    /// Keys, `key#field`, patterns and references, beside all that was ever handed out.
    pub selectors: Vec<String>,
    /// Whether values with something inside them are found.
    pub fold: bool,
}

/// What came of text that was looked through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Looked {
    /// How often something was found.
    pub found: u64,
    /// How many pieces of compressed data were not looked into.
    pub unopened: u64,
}

impl Looked {
    /// What to tell of what went through as it was, if anything did.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        unopened_warning(self.unopened)
    }
}

/// Says that so many pieces of compressed data were not looked into, and why.
#[must_use]
pub fn unopened(pieces: u64) -> String {
    let (what, it) = match pieces {
        1 => ("1 piece of compressed data was".to_owned(), "it"),
        _ => (format!("{pieces} pieces of compressed data were"), "them"),
    };
    format!("{what} not looked into, since there is more in {it} than may be read")
}

/// The same of text that was passed on; `None` where all was looked into.
pub(crate) fn unopened_warning(pieces: u64) -> Option<String> {
    let it = if pieces == 1 { "it" } else { "them" };
    (pieces > 0).then(|| {
        format!(
            "{}: a value in {it} is not masked; unpack {it} first, and mask what comes out: \
             gzip -dc FILE | subrosa redact --known-from '**'",
            unopened(pieces)
        )
    })
}

/// A filter in use. Dropped without [`Masking::complete`], it leaves the outcome unknown.
#[must_use = "complete it, or the log says that the outcome is unknown"]
pub struct Masking {
    known: KnownSet,
    released: Released,
    gate: Gate,
    warnings: Vec<String>,
}

impl Masking {
    /// What to look for.
    #[must_use]
    pub fn known(&self) -> &KnownSet {
        &self.known
    }

    /// Passes text on with every value masked, and what has the shape of a credential with `shapes`;
    /// returns how much was.
    ///
    /// # Errors
    /// What reading or writing gave.
    pub fn filter(
        &self,
        from: &mut dyn Read,
        to: &mut dyn Write,
        shapes: bool,
    ) -> io::Result<Looked> {
        let mut redactor = self.known.redactor().listing(0);
        if shapes {
            redactor = redactor.with_shapes();
        }
        let mut writer = RedactingWriter::new(to, redactor);
        let mut block = vec![0; BLOCK];
        loop {
            match from.read(&mut block) {
                Ok(0) => break,
                Ok(count) => writer.write_all(&block[..count])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let (_, redactor) = writer.finish()?;
        Ok(Looked {
            found: redactor.counts().total(),
            unopened: redactor.unopened(),
        })
    }

    /// What the user should know about what is not looked for.
    pub fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// Writes the completion record: how often something was found, or why the text did not end.
    pub fn complete(self, found: Result<u64, String>) {
        match found {
            Ok(found) => self
                .released
                .complete(&self.gate, Outcome::Delivered, found),
            Err(reason) => {
                let outcome = Outcome::Failed { reason };
                self.released.complete(&self.gate, outcome, 0);
            }
        }
    }
}

impl fmt::Debug for Masking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Masking({:?})", self.known)
    }
}

/// The keys of values that are left out, and why.
#[derive(Default)]
struct LeftOut {
    guessable: BTreeSet<String>,
    unsearched: BTreeSet<String>,
}

/// So many keys are named.
const NAMED: usize = 5;

/// Some keys, and how many more there are.
fn named(keys: &BTreeSet<String>) -> String {
    let some: Vec<&str> = keys.iter().take(NAMED).map(String::as_str).collect();
    match keys.len().saturating_sub(NAMED) {
        0 => some.join(", "),
        more => format!("{} and {more} more", some.join(", ")),
    }
}

impl Session {
    /// Makes a filter of every value that was ever handed out and is not rotated, and of those that
    /// are selected. Whoever uses it needs no open vault for that.
    ///
    /// Without a proof of presence, values that are found by trying are not selected: the answer to
    /// a guess would be worth as much as the value.
    ///
    /// # Errors
    /// [`EngineError::Refused`] for an agent; [`EngineError::NothingFits`], but not for `**` in an
    /// empty vault; [`EngineError::Vault`].
    pub fn start_masking(&mut self, options: &MaskOptions) -> Result<Masking, EngineError> {
        let selected = self.sought(&options.selectors)?;
        self.recall()?;
        let request = self.mask_request(options.purpose, &selected);
        let permit = self
            .gate
            .authorize::<kind::Filter>(request, Facts::default())
            .wait()?;
        let mut search = self.gate.search(permit);
        if !options.fold {
            search = search.without_fold();
        }
        let mut left_out = LeftOut::default();
        for one in &selected {
            self.look_for(&mut search, one, &mut left_out)?;
        }
        let (known, released) = search.finish();
        let mut warnings = self.masking_warnings();
        if !left_out.unsearched.is_empty() {
            warnings.push(format!(
                "not looked for, too short or too common to be told from ordinary text: {}",
                named(&left_out.unsearched)
            ));
        }
        if !left_out.guessable.is_empty() {
            warnings.push(format!(
                "not looked for, since what could be found by trying is not told without your passphrase: \
                 {}; with it: --no-daemon, which asks for it, or --no-daemon --passphrase-fd 3 3<FILE",
                named(&left_out.guessable)
            ));
        }
        Ok(Masking {
            known,
            released,
            gate: self.gate.clone(),
            warnings,
        })
    }

    /// Opens one value at a time: locked memory need not hold all of them.
    fn look_for(
        &mut self,
        search: &mut Search,
        one: &Selected,
        left_out: &mut LeftOut,
    ) -> Result<(), EngineError> {
        if !one.wanted.searched {
            left_out.unsearched.insert(one.wanted.label.key.to_string());
            return Ok(());
        }
        let field = &one.wanted.label.field;
        let value = self
            .vault
            .open_value(&mut self.journal, &one.located, field, one.version)?;
        let added = match self.present {
            true => Some(search.add(&value, true)?),
            false => search.add_strong(&value)?,
        };
        let Some(added) = added else {
            left_out.guessable.insert(one.wanted.label.key.to_string());
            return Ok(());
        };
        if !added.is_searched() {
            left_out.unsearched.insert(one.wanted.label.key.to_string());
        }
        Ok(())
    }

    /// The selected fields, each once. A pattern means what is sensitive; what is named is meant.
    fn sought(&mut self, selectors: &[String]) -> Result<Vec<Selected>, EngineError> {
        let mut found: Vec<Selected> = Vec::new();
        let mut seen = HashSet::new();
        for selector in selectors {
            let selected = match self.select(selector) {
                // Nothing is all that there is.
                Err(EngineError::NothingFits { .. }) if selector == "**" => continue,
                selected => selected?,
            };
            for one in selected {
                let about = one.located.head.fields.get(&one.wanted.label.field);
                let is_meant = !selector.contains('*') || selector.contains('#');
                let sensitive = about.is_none_or(|about| about.sensitive);
                if (sensitive || is_meant) && seen.insert(one.wanted.label.clone()) {
                    found.push(one);
                }
            }
        }
        Ok(found)
    }

    fn mask_request(&self, purpose: Purpose, selected: &[Selected]) -> UseRequest {
        let secrets: Vec<SecretUse> = selected.iter().map(|one| one.wanted.clone()).collect();
        UseRequest {
            id: RequestId::from_bytes(random(&*self.setting.effects.rng)),
            caller: self.caller.clone(),
            action: Action::Mask,
            secrets,
            sink: SinkKind::Filter,
            destination: Destination::Filter {
                purpose: purpose.name().to_owned(),
            },
            place: None,
            command: None,
            capability: None,
            time: self.now(),
        }
    }
}
