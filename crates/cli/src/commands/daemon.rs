//! `unlock`, `lock`, `daemon`: the vault held open for all programs of the user.

use std::time::Duration;

use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;
use crate::when::parse_duration;

/// Open the vault once, for all commands that follow
///
/// A daemon keeps the keys in locked memory until `subrosa lock`, until nothing was asked for so
/// long, or for so long in any case, and until the machine sleeps. Opening it when it is open does
/// nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  subrosa unlock
  subrosa unlock --idle 15m --for 8h
  subrosa unlock --passphrase-fd 3 3<FILE")]
pub(crate) struct Unlock {
    /// Lock when nothing was asked for so long [default: 1h]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    idle: Option<Duration>,
    /// Lock after this time in any case [default: 12h]
    #[arg(long = "for", value_name = "TIME", value_parser = parse_duration)]
    absolute: Option<Duration>,
}

impl Unlock {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        context.demand_person()?;
        let mut remote = context.daemon_or_start()?;
        let before = remote.state()?;
        let already = before.unlocked;
        if !already {
            context.unlock_daemon(&mut remote, (self.idle, self.absolute))?;
        }
        let state = remote.state()?;
        if context.out.json {
            return context.out.document(&json!({
                "unlocked": state.unlocked, "already": already, "pid": state.pid,
                "slot": state.slot,
                "idle_seconds": state.locks_in.map(|(idle, _)| idle.as_secs()),
                "seconds": state.locks_in.map(|(_, absolute)| absolute.as_secs()),
            }));
        }
        let text = match already {
            true => "The vault is open already.",
            false => "The vault is open. Lock it: subrosa lock",
        };
        context.out.done(text);
        Ok(())
    }
}

/// Forget the keys; commands need the passphrase again
///
/// Commands that run go on. Locking when it is locked does nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  subrosa lock")]
pub(crate) struct Lock {}

impl Lock {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let was_open = match context.daemon()? {
            None => false,
            Some(mut remote) => {
                let open = remote.state()?.unlocked;
                remote.lock()?;
                open
            }
        };
        if context.out.json {
            return context
                .out
                .document(&json!({ "unlocked": false, "was_unlocked": was_open }));
        }
        context.out.done(match was_open {
            true => "The vault is locked.",
            false => "The vault was locked already.",
        });
        Ok(())
    }
}

/// The process that holds the vault open
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  subrosa daemon stop                  forget the keys and end
  subrosa daemon run                   in the foreground, for a service manager")]
pub(crate) struct Daemon {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Clone, Copy, clap::Subcommand)]
enum What {
    /// Start it, locked; `subrosa unlock` does that by itself
    #[command(after_help = "Examples:\n  subrosa daemon start")]
    Start,
    /// Forget the keys and end; commands that it runs are ended
    #[command(after_help = "Examples:\n  subrosa daemon stop")]
    Stop,
    /// Serve in the foreground until it is stopped
    #[command(after_help = "Examples:\n  subrosa daemon run")]
    Run,
}

impl Daemon {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        match self.what {
            What::Start => {
                let mut remote = context.daemon_or_start()?;
                let state = remote.state()?;
                context
                    .out
                    .done(&format!("The daemon runs, as process {}.", state.pid));
                Ok(())
            }
            What::Stop => {
                let stopped = match context.daemon()? {
                    None => false,
                    Some(mut remote) => {
                        remote.stop()?;
                        true
                    }
                };
                context.out.done(match stopped {
                    true => "The daemon has stopped.",
                    false => "No daemon was running.",
                });
                Ok(())
            }
            What::Run => crate::serving::serve(context),
        }
    }
}
