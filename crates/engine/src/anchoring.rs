//! The anchor of the log, where it is missing or speaks against the vault.
#![allow(clippy::disallowed_methods, reason = "an anchor is a file")]

use subrosa_audit::Finding;
use subrosa_model::{Change, ChangeKind, Event, EventBody};
use subrosa_vault::Unlock;

use crate::{EngineError, Session, Setting};

impl Session {
    /// Tells when there is nothing to compare the log with, and leaves that in the log.
    pub(crate) fn heed_anchor(&mut self) {
        let path = self.anchor_path();
        let status = self.writer.status();
        if let Some(error) = status.anchor_error {
            self.notices.push(format!(
                "the anchor of the log cannot be used, so it is not noticed when the vault is put \
                 back to an earlier state: {error}; mend or remove {}",
                path.display()
            ));
            return;
        }
        if !status.anchor_missing {
            return;
        }
        self.notices.push(format!(
            "the anchor of the log is gone, so it cannot be told whether the vault was put back to an \
             earlier state: {}; compare with what you know: subrosa log",
            path.display()
        ));
        if !self.setting.inspect {
            self.record_anchor("there was none".to_owned());
        }
    }

    fn record_anchor(&self, detail: String) {
        let change = Change {
            kind: ChangeKind::Anchor,
            subjects: Vec::new(),
            detail,
        };
        self.writer.submit_later(Event {
            time: self.setting.effects.clock.now(),
            caller: self.caller.clone(),
            body: EventBody::Change(change),
        });
    }

    /// Opens a vault that was put back to an earlier state, and anchors its log as it is. What the
    /// anchor said is returned and recorded; its file is kept beside the new one. `None` when there
    /// was nothing to accept.
    ///
    /// # Errors
    /// [`EngineError::Presence`]; as [`Session::open`].
    pub fn open_accepting(
        setting: Setting,
        unlock: &Unlock,
    ) -> Result<(Self, Option<Finding>), EngineError> {
        let look = Setting {
            inspect: true,
            ..setting.clone()
        };
        let looking = Self::open(look, unlock)?;
        looking.require_presence("taking the log as it is")?;
        let Some(finding) = looking.rolled_back.clone() else {
            return Ok((Self::open(setting, unlock)?, None));
        };
        let anchor = looking.anchor_path();
        drop(looking);
        let refused = anchor.with_extension("refused");
        std::fs::rename(&anchor, &refused)
            .map_err(EngineError::io(format!("moving {}", anchor.display())))?;
        let session = Self::open_unanchored(setting, unlock)?;
        session.record_anchor(format!("accepted though {finding}"));
        Ok((session, Some(finding)))
    }
}
