//! `doctor`: what is wrong here, and what to do about it.

use std::path::PathBuf;

use serde::Serialize;
use subrosa_engine::{Check, Health, doctor};

use crate::context::Context;
use crate::failure::Failure;
use crate::serving::PROGRAM;
use crate::table::Table;
use crate::text::plain;

/// Look for what keeps the vault from working, or protects it less than it could
///
/// Needs no passphrase and changes nothing. The exit status is 1 when something is wrong; a warning
/// leaves it at 0.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  subrosa doctor
  subrosa doctor --json")]
pub(crate) struct Doctor {}

/// What `--json` gives.
#[derive(Serialize)]
struct Report {
    version: &'static str,
    health: Health,
    checks: Vec<Check>,
}

impl Doctor {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failure> {
        let runtime = context.variables().into_iter();
        let runtime = runtime.filter(|(name, _)| name == "XDG_RUNTIME_DIR");
        let runtime = runtime.map(|(_, path)| PathBuf::from(path)).next();
        let mut checks = doctor(&context.home, runtime.as_deref());
        checks.push(daemon(context));
        let health = checks.iter().map(|check| check.health).max();
        let health = health.unwrap_or(Health::Good);
        let status = u8::from(health == Health::Bad);
        if context.out.json {
            let report = Report {
                version: PROGRAM,
                health,
                checks,
            };
            context.out.document(&report)?;
            return Ok(status);
        }
        let mut table = Table::new(&["", "WHAT", "SEEN"]);
        for check in &checks {
            let mark = match check.health {
                Health::Good => "ok",
                Health::Warning => "warn",
                Health::Bad => "BAD",
            };
            table.row(&[mark, check.name, &plain(&check.seen)]);
            if let Some(remedy) = &check.remedy {
                table.row(&["", "", &format!("  {}", plain(remedy))]);
            }
        }
        context.out.print(&table.render())?;
        Ok(status)
    }
}

/// Whether the daemon can be used; one of another version cannot.
fn daemon(context: &Context) -> Check {
    const NAME: &str = "daemon";
    let asked = match context.daemon() {
        Ok(None) => return Check::good(NAME, "not running; subrosa unlock starts it"),
        Ok(Some(mut remote)) => remote.state().map_err(Failure::from),
        Err(failure) => Err(failure),
    };
    match asked {
        Ok(state) if state.unlocked => Check::good(
            NAME,
            format!("runs as process {}, the vault is open", state.pid),
        ),
        Ok(state) => Check::good(NAME, format!("runs as process {}, locked", state.pid)),
        Err(failure) => Check::bad(NAME, failure.message, failure.remedy),
    }
}
