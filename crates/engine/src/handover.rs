//! Values out, to the person who asks: `read` and `export`. Both need presence.

use std::io::Write;
use std::path::Path;

use subrosa_crypto::random;
use subrosa_egress::{
    Document, DocumentForm, Facts, Filling, Gap, Lent, Presence, Sensitive, Sink, SinkError,
    Transform, kind,
};
use subrosa_model::{
    Action, Destination, Outcome, RequestId, SecretUse, SinkKind, UseRequest, VarName,
};

use crate::envfile::EnvFile;
use crate::import::dotenv;
use crate::placeholder;
use crate::select::Selected;
use crate::{EngineError, Session};

/// Hands values to whoever reads the given output, in the order in which they come.
pub struct ClientSink<'a> {
    purpose: &'static str,
    out: &'a mut dyn Write,
}

impl Sink for ClientSink<'_> {
    type Kind = kind::Client;

    fn destination(&self) -> Destination {
        Destination::Client {
            purpose: self.purpose.to_owned(),
        }
    }

    fn accept(&mut self, lent: Lent<'_>) -> Result<(), SinkError> {
        for (_, value) in lent.iter() {
            self.out
                .write_all(value)
                .map_err(|error| SinkError::io("writing the value", error))?;
        }
        self.out
            .flush()
            .map_err(|error| SinkError::io("writing the value", error))
    }
}

impl Session {
    /// Writes the value of one field to `out`, byte for byte.
    ///
    /// # Errors
    /// [`EngineError::Refused`] without presence or by a rule.
    pub fn read_value(
        &mut self,
        what: &str,
        version: Option<u32>,
        out: &mut dyn Write,
    ) -> Result<(), EngineError> {
        let mut selected = self.select(what)?;
        if selected.len() > 1 {
            // A secret with several fields has a plain value only in the field of that name.
            selected.retain(|one| one.wanted.label.field.is_default());
        }
        let [one] = selected.as_slice() else {
            return Err(EngineError::usage(format!(
                "{what} is not one value; name a field: {what}#FIELD"
            )));
        };
        let field = one.wanted.label.field.clone();
        let version = version.or(one.version);
        let one = crate::select::selected(&one.located, &field, version)?;
        self.hand_over(Action::Read, "read", &[one], None, out)
    }

    /// Writes values as one document to `out`; returns how many.
    ///
    /// # Errors
    /// [`EngineError::Refused`] without presence or by a rule; [`EngineError::NothingFits`].
    pub fn export(
        &mut self,
        patterns: &[String],
        form: DocumentForm,
        out: &mut dyn Write,
    ) -> Result<usize, EngineError> {
        let every = ["**".to_owned()];
        let patterns = if patterns.is_empty() {
            &every
        } else {
            patterns
        };
        let mut selected: Vec<Selected> = Vec::new();
        for pattern in patterns {
            for one in self.select(pattern)? {
                let there = |earlier: &Selected| {
                    earlier.wanted == one.wanted && earlier.variable == one.variable
                };
                if !selected.iter().any(there) {
                    selected.push(one);
                }
            }
        }
        // A pinned value goes to its provider alone: it is in a backup, and in no export.
        let exported: Vec<Selected> = selected
            .into_iter()
            .filter(|one| one.wanted.label.pin.is_none())
            .collect();
        if exported.is_empty() {
            let pattern = patterns.join(" ");
            return Err(EngineError::NothingFits {
                pattern,
                scope: self.scope().to_string(),
            });
        }
        let names = exported.iter().map(|one| match form {
            DocumentForm::Dotenv => one.variable.to_string(),
            _ => one.name(),
        });
        let document = Document::new(form, names.collect());
        self.hand_over(Action::Client, "export", &exported, Some(&document), out)?;
        Ok(exported.len())
    }

    /// Puts values in the place of the placeholders of a dotenv file; returns how many. The rest of
    /// the file stays byte for byte.
    ///
    /// # Errors
    /// [`EngineError::Refused`] without presence or by a rule; [`EngineError::Placeholder`];
    /// [`EngineError::EnvFile`], when the file was left as it is.
    pub fn undo_placeholders(&mut self, path: &Path) -> Result<usize, EngineError> {
        let file = EnvFile::open(path)?;
        let mut gaps = Vec::new();
        let mut selected = Vec::new();
        for entry in dotenv::parse(&path.display().to_string(), file.content())? {
            let text = entry.reference().unwrap_or_default();
            if !placeholder::is_ours(text.as_bytes()) {
                continue;
            }
            let variable = VarName::new(entry.name)?;
            let (one, escapes) = self
                .behind(&text)
                .map_err(|error| error.about_variable(&variable))?;
            selected.push(Selected { variable, ..one });
            gaps.push(Gap {
                place: entry.place,
                quote: entry.quote,
                escapes,
            });
        }
        if selected.is_empty() {
            return Ok(0);
        }
        let filling = Filling::new(file.copy()?, gaps)
            .ok_or_else(|| EngineError::usage("the places of the values overlap"))?;
        file.replace(&mut |out| {
            self.hand_over(Action::Client, "export", &selected, Some(&filling), out)
        })?;
        Ok(selected.len())
    }

    fn hand_over(
        &mut self,
        action: Action,
        purpose: &'static str,
        selected: &[Selected],
        document: Option<&dyn Transform>,
        out: &mut dyn Write,
    ) -> Result<(), EngineError> {
        let mut secrets: Vec<SecretUse> = Vec::new();
        for one in selected {
            if !secrets.contains(&one.wanted) {
                secrets.push(one.wanted.clone());
            }
        }
        let request = UseRequest {
            id: RequestId::from_bytes(random(&*self.setting.effects.rng)),
            caller: self.caller.clone(),
            action,
            secrets,
            sink: SinkKind::Client,
            destination: Destination::Client {
                purpose: purpose.to_owned(),
            },
            place: None,
            command: None,
            capability: None,
            time: self.now(),
        };
        let presence = self
            .is_present()
            .then(|| Presence::proven_for(self.gate.digest(&request, None)));
        let facts = Facts {
            presence,
            ..Facts::default()
        };
        let permit = self.gate.authorize::<kind::Client>(request, facts).wait()?;
        self.remember(selected)?;
        let values = self.open_all(selected)?;
        let mut sink = ClientSink { purpose, out };
        let released = match document {
            None => {
                let lent: Vec<(&str, &Sensitive)> = selected
                    .iter()
                    .map(|one| one.variable.as_str())
                    .zip(&values)
                    .collect();
                self.gate.release(permit, &lent, &mut sink)?
            }
            Some(document) => {
                let inputs: Vec<&Sensitive> = values.iter().collect();
                let whole = Sensitive::derive(document, &inputs)?;
                self.gate
                    .release(permit, &[("document", &whole)], &mut sink)?
            }
        };
        released.complete(&self.gate, Outcome::Delivered, 0);
        Ok(())
    }
}
