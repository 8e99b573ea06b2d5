//! Proofs that a person is there: each for one action, used once.

use subrosa_crypto::Aad;
use subrosa_model::{Caller, CallerKind, Digest, KeyName, Scope};
use subrosa_vault::{Unlock, VaultError};

use crate::session::unlocked;
use crate::{EngineError, Session, Setting};

impl Session {
    /// Somebody has just proven to be there, for what is done next and nothing else: until
    /// [`Session::act_for`].
    pub fn proven(&mut self) {
        self.present = true;
        self.caller.kind = CallerKind::Operator;
        self.journal.set_caller(self.caller.clone());
    }

    /// Stands for an action that needs presence: what is asked, by whom, and what it rests on. A
    /// proof that was given for one digest is none for another. `asked` is the request, whole;
    /// `touched` the secrets that it names.
    ///
    /// # Errors
    /// [`EngineError::Vault`].
    pub fn action_digest(
        &mut self,
        asked: &[u8],
        touched: &[(&Scope, &KeyName)],
        nonce: &[u8; 32],
    ) -> Result<Digest, EngineError> {
        let Caller {
            uid,
            pid,
            executable,
            session,
            ..
        } = self.caller.clone();
        let mut aad = Aad::new("subrosa/action/v1")
            .bytes(nonce)
            .u32(uid)
            .u32(pid)
            .text(executable.as_deref().unwrap_or_default())
            .bytes(session.as_bytes())
            .u64(self.policy_revision.unwrap_or(0))
            .bytes(self.fingerprint().as_bytes())
            .bytes(asked);
        for (scope, key) in touched {
            // Removed ones too: they can be brought back, and changed, and removed again.
            let found = self.vault.find(&mut self.journal, scope, key)?;
            aad = match found {
                Some(located) => aad
                    .bytes(located.head.id.as_bytes())
                    .u32(located.head.current().number)
                    .bytes(&located.head.modified.as_micros().to_le_bytes()),
                None => aad.text("none"),
            };
        }
        Ok(self.gate.surroundings(&aad))
    }

    /// Whether a proof of presence opens this very vault as it is now.
    ///
    /// # Errors
    /// [`EngineError::Presence`] for a proof that says nothing of who is there;
    /// [`EngineError::Vault`] with `WrongKey`, which is noted as an attempt.
    pub fn check_proof(
        setting: &Setting,
        caller: &Caller,
        unlock: &Unlock,
        fingerprint: Digest,
    ) -> Result<(), EngineError> {
        if !unlock.kind().proves_presence() {
            return Err(EngineError::Presence {
                what: "what was asked",
            });
        }
        match unlocked(setting, caller, unlock)?.fingerprint() == fingerprint {
            true => Ok(()),
            false => Err(VaultError::Replaced.into()),
        }
    }
}
