//! `init`: a new vault, and a first meeting with what lies around it.
#![allow(
    clippy::disallowed_methods,
    reason = "asks the system why the folder is not there"
)]

mod meeting;

use std::path::{Path, PathBuf};

use serde_json::json;
use subrosa_engine::{EngineError, InitOptions, Session};
use subrosa_model::StoreError;

use crate::commands::import::OnConflict;
use crate::context::{Context, Need};
use crate::failure::Failure;
use meeting::Meeting;

/// Make a vault, and bring in what lies around
///
/// It asks for a passphrase twice, makes the vault, and shows a recovery code once: whoever has
/// that code opens the vault, so write it down and keep it elsewhere. The code goes to standard
/// error, as plain text on a line of its own, with --json too.
///
/// On a terminal it then looks for .env files here and for configurations of agents, shows what
/// looks like a secret and which provider it belongs to, never a value, and offers to store the
/// secrets and to put placeholders in their place: `subrosa run` resolves those under a rule.
/// Without a terminal nothing is looked for unless --yes or --import says so. Where there is a
/// vault already, it does the same with that one.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  subrosa init
  SUBROSA_HOME=/srv/vault subrosa init --passphrase-fd 3 3<passphrase
  subrosa init --no-recovery           without a recovery code: a lost passphrase is then final
  subrosa init --yes                   whatever it would ask is answered with yes
  subrosa init --import .env --replace --prefix app/
  subrosa export --undo .env           puts the values back")]
pub(crate) struct Init {
    /// Make no recovery code
    #[arg(long)]
    no_recovery: bool,
    /// Answer every question with yes: store what looks like a secret, and replace it in .env files
    #[arg(long, conflicts_with = "no_scan")]
    yes: bool,
    /// Store the secrets of this .env or mcp.json, and ask nothing; repeat for several
    #[arg(long, value_name = "FILE", conflicts_with = "yes")]
    import: Vec<PathBuf>,
    /// With --import: put placeholders in the place of the values in .env files
    #[arg(long, requires = "import")]
    replace: bool,
    /// Goes in front of every key: app/
    #[arg(long, value_name = "TEXT", default_value = "")]
    prefix: String,
    /// What happens to a secret that is there with another value
    #[arg(long, value_enum, default_value_t = OnConflict::Fail)]
    conflict: OnConflict,
    /// With --import: also what does not look like a secret
    #[arg(long, requires = "import")]
    all: bool,
    /// Look for nothing, and ask nothing but the passphrase
    #[arg(long)]
    no_scan: bool,
}

impl Init {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let mut meeting = Meeting::new(context, &self)?;
        let exists = subrosa_engine::status(&context.home)?.exists;
        if exists && !meeting.has_work() {
            let path = context.home.data.clone();
            return Err(EngineError::VaultExists { path }.into());
        }
        let (mut session, recovery) = match exists {
            true => (context.open(Need::Any)?, false),
            false => self.make(context)?,
        };
        let outcome = meeting.hold(context, &mut session);
        // What was stored is stored, whatever became of the rest.
        let fingerprint = session.fingerprint().to_string();
        session.close()?;
        let taken = outcome?;
        if context.out.json {
            return context.out.document(&json!({
                "folder": context.home.data.display().to_string(),
                "fingerprint": fingerprint,
                "made": !exists,
                "recovery": recovery,
                "found": meeting.found(),
                "taken": taken,
            }));
        }
        context.out.done(&meeting.next(&taken));
        Ok(())
    }

    /// Makes the vault; says whether with a recovery code.
    fn make(&self, context: &Context) -> Result<(Session, bool), Failure> {
        let passphrase = context.new_passphrase(context.global.passphrase_fd, "--passphrase-fd")?;
        let options = InitOptions {
            passphrase,
            recovery: !self.no_recovery,
            params: None,
        };
        let (session, code) = Session::init(context.setting(), options)
            .map_err(|error| no_folder(&context.home.data, error))?;
        context.tell(&session);
        let out = &context.out;
        out.done(&format!(
            "The vault is in {}.\nIts root fingerprint is {}.",
            context.home.data.display(),
            session.fingerprint()
        ));
        // Now: should anything below fail, the code could not be shown again.
        if let Some(code) = &code {
            out.warn(
                "this recovery code opens the vault and is shown this once; keep it elsewhere:",
            );
            out.show_once(code.as_slice())?;
        }
        Ok((session, code.is_some()))
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
