//! What to type next, for each error that has an answer.

use subrosa_audit::AuditError;
use subrosa_model::StoreError;
use subrosa_vault::{SlotKind, VaultError};

use crate::EngineError;

impl EngineError {
    /// What the user can do about it, in one line; `None` where the message says it all.
    #[must_use]
    pub fn remedy(&self) -> Option<String> {
        let text = match self {
            Self::Home { .. } => "Set SUBROSA_HOME to an absolute path.",
            Self::NoVault { .. } | Self::Store(StoreError::Missing { .. }) => {
                "Make one: subrosa init"
            }
            Self::VaultExists { .. } => {
                "Use it as it is, or choose another folder: SUBROSA_HOME=/path subrosa init"
            }
            Self::Forged { .. } => {
                "If you replaced the vault yourself, open it once with its passphrase and --accept-root; \
                 otherwise restore a backup."
            }
            Self::Unpinned { .. } => "Open it once with its passphrase: subrosa status",
            Self::RolledBack { .. } => {
                "See what is missing: subrosa audit verify. If you put the old copy back yourself, take it as it \
                 is: subrosa audit verify --accept"
            }
            Self::BackupKey { .. } => {
                "Give the backup's own passphrase: --backup-passphrase-fd 4 4<FILE"
            }
            Self::Anchor { .. } => {
                "Find out who can write there. Move it away, and the next command starts a new anchor: \
                 what happened before is then not compared with anything."
            }
            Self::Presence { .. } => {
                "Give the passphrase: on a terminal, or --passphrase-fd 3 3<FILE"
            }
            Self::Age { reason } if reason.contains("passphrase") => {
                "Make one without: age-keygen -o FILE, or ssh-keygen -t ed25519 -N '' -f FILE; then: \
                 subrosa key add age --recipient-file FILE.pub"
            }
            Self::Age { .. } => {
                "Make an identity: age-keygen -o FILE. It shows the recipient: subrosa key add age age1…"
            }
            Self::Secret { kind, .. } => secret(*kind),
            Self::Refused(refusal) => {
                return Some(refusal.remedy.clone()).filter(|text| !text.is_empty());
            }
            Self::Token { .. } => "Ask an operator for a new one: subrosa agent add NAME",
            Self::ImportItem { remedy, .. } => return remedy.clone(),
            Self::EnvFile { .. } => "Mend that, and run the command again.",
            Self::Placeholder { gone: None, .. } => {
                "For an agent: its token may not reach it; name what to use: subrosa run -k KEY. Else it was \
                 made elsewhere, or changed since: put the value or a reference (subrosa://KEY) in its \
                 place, or open the vault that made it: SUBROSA_HOME=/path"
            }
            Self::Placeholder {
                gone: Some(key), ..
            } => {
                return Some(format!("Bring it back: subrosa rollback {key}"));
            }
            Self::NothingFits { .. } => "See what there is: subrosa ls --all",
            Self::Ambiguous { .. } => {
                "Write subrosa:///KEY for the current workspace, or choose the workspace with -w."
            }
            Self::ReferenceLoop { key } => {
                return Some(format!("See what it stands for: subrosa show {key}"));
            }
            Self::Collision { .. } => "Name one of them: --bind NAME=key#field",
            Self::Conflicts { .. } => {
                "Choose what happens to them: --conflict skip or --conflict replace"
            }
            Self::Memory(_) => "Allow more locked memory: ulimit -l unlimited",
            Self::Vault(error) => return vault(error),
            Self::Store(error) => return store(error),
            Self::Audit(AuditError::Store(error)) => return store(error),
            Self::Audit(AuditError::Tampered(_)) => "See all that is wrong: subrosa audit verify",
            _ => return None,
        };
        Some(text.to_owned())
    }
}

/// How the secret of a slot is made.
fn secret(kind: SlotKind) -> &'static str {
    match kind {
        SlotKind::Environment => {
            "Set it as `subrosa key add environment` showed it; or add another: subrosa key add environment"
        }
        SlotKind::Command => {
            "See what it does by itself, and name it in config.toml: key_command = [\"/usr/bin/pass\", \"show\", \"subrosa\"]. \
             A secret that it could print: openssl rand -hex 32"
        }
        SlotKind::Keyring => {
            "Unlock the keyring, and see that secret-tool is there (Debian: libsecret-tools); or add the slot anew: \
             subrosa key add keyring"
        }
        SlotKind::Tpm => {
            "See that tpm2-tools is there and that you may use the TPM (Debian: tpm2-tools, group tss); locked by wrong \
             PINs, it forgives with time: tpm2_getcap properties-variable. Or open with the passphrase"
        }
        _ => "Try another slot: subrosa --help, \"Opening the vault\"",
    }
}

fn vault(error: &VaultError) -> Option<String> {
    let text = match error {
        VaultError::WrongKey { what: "passphrase" } => {
            "Try again; with the recovery code: --recovery-fd N"
        }
        VaultError::WrongKey { what: "PIN" } => {
            "Try again, a few times at most: the TPM locks itself then. With the passphrase: --open-with passphrase"
        }
        VaultError::WrongKey { .. } => "Try another slot: subrosa --help, \"Opening the vault\"",
        VaultError::NoSlot { .. } => "See which slots there are: subrosa status",
        VaultError::SlotMissing { .. } => "See which slots there are: subrosa key ls",
        VaultError::LastSlot { .. } => "subrosa key add passphrase",
        VaultError::Missing { .. } => "See what there is: subrosa ls --all",
        VaultError::Exists { key, .. } => {
            return Some(format!(
                "Choose another key, or give this one a new version: subrosa set {key}"
            ));
        }
        VaultError::NoVersion { key, .. } => {
            return Some(format!("See its versions: subrosa history {key}"));
        }
        VaultError::NoField { key, .. } => {
            return Some(format!("See its fields: subrosa show {key}"));
        }
        VaultError::Tampered { .. } => {
            "See what the log says: subrosa audit verify. Then restore a backup: subrosa restore FILE"
        }
        VaultError::Backup { .. } => {
            "Copy it again from where it was kept, or take an earlier one. Nothing was changed."
        }
        VaultError::Replaced => {
            "Run the command again; where a daemon held it open: subrosa unlock"
        }
        VaultError::Memory(_) => "Allow more locked memory: ulimit -l unlimited",
        VaultError::Store(error) => return store(error),
        _ => return None,
    };
    Some(text.to_owned())
}

fn store(error: &StoreError) -> Option<String> {
    let text = match error {
        StoreError::Missing { .. } => "Make one: subrosa init",
        StoreError::Busy => "Try again when the other process is done.",
        StoreError::Full => "Make room and run the command again.",
        StoreError::Damaged { .. } => "Restore a backup: subrosa restore FILE",
        _ => return None,
    };
    Some(text.to_owned())
}
