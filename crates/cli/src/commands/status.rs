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
    #[serde(skip_serializing_if = "Option::is_none")]
    opened: Option<Opened>,
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
        let report = Report { status, opened };
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
