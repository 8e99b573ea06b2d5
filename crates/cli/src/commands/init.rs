//! `init`: a new vault.

use serde_json::json;
use subrosa_engine::{InitOptions, Session};

use crate::context::Context;
use crate::failure::Failure;

/// Make a vault
///
/// It asks for a passphrase twice, makes the vault, and shows a recovery code once: whoever has
/// that code opens the vault, so write it down and keep it elsewhere.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  subrosa init
  SUBROSA_HOME=/srv/vault subrosa init --passphrase-fd 3 3<passphrase
  subrosa init --no-recovery           without a recovery code: a lost passphrase is then final")]
pub(crate) struct Init {
    /// Make no recovery code
    #[arg(long)]
    no_recovery: bool,
}

impl Init {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        if subrosa_engine::status(&context.home)?.exists {
            let path = context.home.data.clone();
            return Err(subrosa_engine::EngineError::VaultExists { path }.into());
        }
        let passphrase = context.new_passphrase(context.global.passphrase_fd, "--passphrase-fd")?;
        let options = InitOptions {
            passphrase,
            recovery: !self.no_recovery,
            params: None,
        };
        let (session, code) = Session::init(context.setting(), options)?;
        for notice in session.notices() {
            context.out.warn(notice);
        }
        let folder = context.home.data.display().to_string();
        let fingerprint = session.fingerprint().to_string();
        session.close()?;
        let out = &context.out;
        if out.json {
            out.document(&json!({
                "folder": folder,
                "fingerprint": fingerprint,
                "recovery": code.is_some(),
            }))?;
        } else {
            out.done(&format!(
                "The vault is in {folder}.\nIts root fingerprint is {fingerprint}."
            ));
        }
        if let Some(code) = code {
            out.warn(
                "this recovery code opens the vault and is shown this once; keep it elsewhere:",
            );
            out.show_once(code.as_slice())?;
        }
        out.done(
            "Next:\n  subrosa set api/key                  store a secret\n  \
             subrosa run -k api/key -- COMMAND    use it",
        );
        Ok(())
    }
}
