//! The audit log: read, verify, export, prune.

use std::io::Write;
use std::path::Path;

use subrosa_audit::{
    Entry, Exporter, Filter, Format, Known, Mark, Reader, Report, Strength, first_since, verify,
};
use subrosa_model::{Change, ChangeKind, Digest, Event, EventBody, Timestamp};
use subrosa_store::anchor::FileAnchor;
use subrosa_store::sqlite::SqliteStore;
use subrosa_vault::VaultError;

use crate::session::open_store;
use crate::{EngineError, Session};

impl Session {
    /// The newest entries that fit, oldest of them first.
    ///
    /// # Errors
    /// [`EngineError::Audit`] when the log cannot be read.
    pub fn log(&mut self, filter: &Filter, most: usize) -> Result<Vec<Entry>, EngineError> {
        self.gate.flush()?;
        let mut store = self.log_store()?;
        let ring = self.journal.ring();
        let reader = Reader::newest_first(&ring, &mut store)?;
        let mut entries = Vec::new();
        for entry in reader {
            let entry = entry?;
            if filter.matches(&entry) {
                entries.push(entry);
                if entries.len() == most {
                    break;
                }
            }
        }
        entries.reverse();
        Ok(entries)
    }

    /// Verifies the whole log against the keys, the anchor and the vault.
    ///
    /// # Errors
    /// [`EngineError::Audit`] when it cannot be read; what is wrong with it is in the report.
    pub fn verify_log(
        &mut self,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Report, EngineError> {
        // What this process wrote must be there before it is measured.
        if !self.setting.inspect {
            self.gate.flush()?;
        }
        let state = self.vault.state_digest();
        let report = self.walk_log(Some(state), progress)?;
        if report.is_sound() {
            return Ok(report);
        }
        // Another process may have changed the vault since it was read here: then its state is that
        // of an earlier head, and a later root key is unknown. Reading it anew compares state and
        // head in one view.
        match self.vault.slots(&mut self.journal) {
            Ok(_) if self.vault.state_digest() != state => self.walk_log(None, progress),
            Ok(_) | Err(VaultError::Tampered { .. }) => Ok(report),
            Err(error) => Err(error.into()),
        }
    }

    fn walk_log(
        &mut self,
        state: Option<Digest>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Report, EngineError> {
        let mut store = self.log_store()?;
        let ring = self.journal.ring();
        let (mark, strength) = self.mark()?;
        let known = Known {
            mark,
            strength,
            state,
        };
        Ok(verify(&mut store, &ring, &known, progress)?)
    }

    /// Writes the entries that fit to `out`; returns how many.
    ///
    /// # Errors
    /// [`EngineError::Audit`].
    pub fn export_log(
        &mut self,
        format: Format,
        filter: &Filter,
        out: &mut dyn Write,
    ) -> Result<u64, EngineError> {
        self.gate.flush()?;
        let mut store = self.log_store()?;
        let ring = self.journal.ring();
        let mut exporter = Exporter::new(format, ring.vault(), out)?;
        let mut count = 0;
        for entry in Reader::forward(&ring, &mut store, 1) {
            let entry = entry?;
            if filter.matches(&entry) {
                exporter.write(&entry)?;
                count += 1;
            }
        }
        exporter.finish()?;
        Ok(count)
    }

    /// Removes the records before a time, and leaves a signed marker of them. Returns how many.
    ///
    /// # Errors
    /// [`EngineError::Presence`]; [`EngineError::Usage`] when the log does not verify.
    pub fn prune_log(
        &mut self,
        before: Timestamp,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<u64, EngineError> {
        self.require_presence("pruning the audit log")?;
        let report = self.verify_log(progress)?;
        if let Some(finding) = report.findings.first() {
            return Err(EngineError::usage(format!(
                "the log does not verify, and pruning would remove the evidence: {finding}"
            )));
        }
        let mut store = self.log_store()?;
        let ring = self.journal.ring();
        let keep_from = first_since(&ring, &mut store, before)?.unwrap_or(report.last);
        if keep_from <= report.first {
            return Ok(0);
        }
        let removed = keep_from - report.first;
        let change = Change {
            kind: ChangeKind::Prune,
            subjects: Vec::new(),
            detail: format!("{removed} records before {before}"),
        };
        let event = Event {
            time: self.now(),
            caller: self.caller.clone(),
            body: EventBody::Change(change),
        };
        self.writer.prune(keep_from, event).wait()?;
        Ok(removed)
    }

    /// What the anchor remembers, and how much it proves: nothing where there is none.
    fn mark(&self) -> Result<(Option<Mark>, Strength), EngineError> {
        use subrosa_audit::Anchor as _;
        let mut anchor = FileAnchor::at(&self.anchor_path());
        let mark = anchor.read().map_err(|error| EngineError::Anchor {
            reason: error.to_string(),
        })?;
        let strength = match &mark {
            Some(_) => anchor.strength(),
            None => Strength::None,
        };
        Ok((mark, strength))
    }

    pub(crate) fn anchor_path(&self) -> std::path::PathBuf {
        self.setting
            .home
            .anchors()
            .join(self.vault.id().to_string())
    }

    fn log_store(&self) -> Result<SqliteStore, EngineError> {
        let path: &Path = &self.setting.home.vault();
        open_store(&self.setting.home, path)
    }
}
