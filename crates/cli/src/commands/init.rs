//! `init`: a new vault.
#![allow(
    clippy::disallowed_methods,
    reason = "asks the system why the folder is not there"
)]

use std::path::Path;

use serde_json::json;
use subrosa_engine::{EngineError, InitOptions, Session};
use subrosa_model::StoreError;

use crate::context::Context;
use crate::failure::Failure;

/// Make a vault
///
/// It asks for a passphrase twice, makes the vault, and shows a recovery code once: whoever has
/// that code opens the vault, so write it down and keep it elsewhere. The code goes to standard
/// error, as plain text on a line of its own, with --json too.
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
        let (session, code) = Session::init(context.setting(), options)
            .map_err(|error| no_folder(&context.home.data, error))?;
        context.tell(&session);
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

/// A folder that cannot be made, with the system's reason: that there is no vault in it is no news.
fn no_folder(folder: &Path, error: EngineError) -> Failure {
    let absent = matches!(
        error,
        EngineError::Store(StoreError::Missing { .. }) | EngineError::NoVault { .. }
    );
    if !absent {
        return error.into();
    }
    match std::fs::create_dir_all(folder) {
        Err(why) => Failure::new(
            "home",
            format!("the folder {} cannot be made: {why}", folder.display()),
        )
        .remedy("set SUBROSA_HOME to a folder that you can write to"),
        Ok(()) => error.into(),
    }
}
