//! `status`: what there is, and which custody is in force.

use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::text::plain;

/// Say where the vault is, what opens it, and what protects it
///
/// Needs no passphrase. Custody says honestly against whom the vault protects as it is now.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  subrosa status
  subrosa status --verify              open the vault too, and say what that shows
  subrosa status --json")]
pub(crate) struct Status {
    /// Open the vault as well
    #[arg(long)]
    verify: bool,
}

/// What `--json` gives.
#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    status: subrosa_engine::Status,
    daemon: Daemon,
    #[serde(skip_serializing_if = "Option::is_none")]
    opened: Option<Opened>,
}

/// The daemon of this vault.
#[derive(Serialize)]
struct Daemon {
    running: bool,
    unlocked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
    /// The slot that opened it.
    #[serde(skip_serializing_if = "Option::is_none")]
    slot: Option<String>,
    /// Seconds until it locks, for want of commands or in any case.
    #[serde(skip_serializing_if = "Option::is_none")]
    locks_in: Option<u64>,
    /// Commands that it runs.
    commands: u32,
    /// Why it cannot be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

impl Daemon {
    fn look(context: &Context) -> Self {
        let mut daemon = Self {
            running: false,
            unlocked: false,
            pid: None,
            slot: None,
            locks_in: None,
            commands: 0,
            problem: None,
        };
        let state = match context.daemon() {
            Ok(None) => return daemon,
            Ok(Some(mut remote)) => remote.state().map_err(Failure::from),
            Err(failure) => Err(failure),
        };
        daemon.running = true;
        match state {
            Ok(state) => {
                daemon.unlocked = state.unlocked;
                daemon.pid = Some(state.pid);
                daemon.slot = state.slot;
                daemon.locks_in = state
                    .locks_in
                    .map(|(idle, absolute)| idle.min(absolute).as_secs());
                daemon.commands = state.running;
            }
            // A status that cannot be had is part of the status.
            Err(failure) => daemon.problem = Some(failure.message),
        }
        daemon
    }

    fn human(&self) -> String {
        if let Some(problem) = &self.problem {
            return plain(problem).into_owned();
        }
        let (Some(pid), true) = (self.pid, self.running) else {
            return "not running; subrosa unlock starts it".to_owned();
        };
        let state = match self.locks_in.filter(|_| self.unlocked) {
            None => "locked".to_owned(),
            Some(seconds) if seconds < 120 => {
                format!("open, locks in {seconds} s unless it is used")
            }
            Some(seconds) => format!("open, locks in {} min unless it is used", seconds / 60),
        };
        match self.commands {
            0 => format!("{state} (process {pid})"),
            count => format!("{state}, runs {count} (process {pid})"),
        }
    }
}

#[derive(Serialize)]
struct Opened {
    slot: String,
    presence: bool,
    fingerprint: String,
}

impl Status {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let status = subrosa_engine::status(&context.home)?;
        let opened = if self.verify {
            let session = context.open(crate::context::Need::Any)?;
            let opened = Opened {
                slot: session
                    .slot()
                    .map(|slot| slot.label.clone())
                    .unwrap_or_default(),
                presence: session.is_present(),
                fingerprint: session.fingerprint().to_string(),
            };
            session.close()?;
            Some(opened)
        } else {
            None
        };
        let report = Report {
            status,
            daemon: Daemon::look(context),
            opened,
        };
        if context.out.json {
            return context.out.document(&report);
        }
        context.out.print(&human(&report))?;
        if !report.status.exists {
            context.out.done("Make one: subrosa init");
        }
        Ok(())
    }
}

fn human(report: &Report) -> String {
    let status = &report.status;
    let mut text = format!("folder       {}\n", plain(&status.folder));
    if let Some(vault) = status.vault {
        text.push_str(&format!("vault        {vault}\n"));
    }
    for (index, slot) in status.slots.iter().enumerate() {
        let name = if index == 0 { "opens with" } else { "" };
        text.push_str(&format!("{name:<12} {}\n", plain(slot)));
    }
    text.push_str(&format!("custody      {}\n", status.custody));
    text.push_str(&format!("daemon       {}\n", report.daemon.human()));
    if let Some(opened) = &report.opened {
        let presence = if opened.presence {
            "proves that you are there"
        } else {
            "proves no presence"
        };
        text.push_str(&format!(
            "opened by    {} ({presence})\n",
            plain(&opened.slot)
        ));
        text.push_str(&format!("fingerprint  {}\n", opened.fingerprint));
    }
    text
}
