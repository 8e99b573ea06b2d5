//! Exports: JSON lines, CSV, and logs for OpenTelemetry.
//!
//! The schemas are in `spec/audit.md`, "Export". Within [`SCHEMA`] fields are added, never renamed
//! or removed.

mod csv;
mod otlp;

use std::io::Write;

use serde::Serialize;
use subrosa_model::{Digest, VaultId};

use crate::AuditError;
use crate::entry::{Body, Entry};

/// The name and version of the schema of exports.
pub const SCHEMA: &str = "subrosa.audit.v1";

/// The formats of exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// One JSON object a line.
    Jsonl,
    /// Comma-separated values with a header line, safe to open in a spreadsheet.
    Csv,
    /// One OTLP/HTTP JSON request body a line.
    Otlp,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Jsonl, Self::Csv, Self::Otlp];

    /// The word that options use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Otlp => "otlp",
        }
    }
}

impl std::str::FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|format| format.name() == text)
            .ok_or_else(|| format!("{text:?} is none of jsonl, csv, otlp"))
    }
}

/// Writes entries in one format, one after another.
///
/// ```
/// use subrosa_audit::{Body, Entry, Exporter, Format, Loss};
/// use subrosa_model::{Digest, Timestamp, VaultId};
///
/// let mut out = Vec::new();
/// let mut exporter = Exporter::new(Format::Jsonl, VaultId::from_bytes([7; 16]), &mut out)?;
/// let loss = Loss { time: Timestamp::EPOCH, count: 3 };
/// let link = Digest::from_bytes([1; 32]);
/// exporter.write(&Entry { sequence: 9, epoch: 1, link, body: Body::Loss(loss) })?;
/// exporter.finish()?;
/// assert!(String::from_utf8(out)?.contains(r#""sequence":9"#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Exporter<'a> {
    format: Format,
    vault: VaultId,
    out: &'a mut dyn Write,
    /// Records of the OTLP body that is being collected.
    collected: Vec<otlp::LogRecord>,
}

/// One line of the JSON export.
#[derive(Serialize)]
struct Line<'a> {
    schema: &'static str,
    vault: VaultId,
    sequence: u64,
    epoch: u32,
    link: Digest,
    #[serde(flatten)]
    body: &'a Body,
}

impl<'a> Exporter<'a> {
    /// Starts an export of a vault's log.
    ///
    /// # Errors
    /// [`AuditError::Output`].
    pub fn new(format: Format, vault: VaultId, out: &'a mut dyn Write) -> Result<Self, AuditError> {
        if format == Format::Csv {
            csv::write_header(out)?;
        }
        Ok(Self {
            format,
            vault,
            out,
            collected: Vec::new(),
        })
    }

    /// Writes one entry.
    ///
    /// # Errors
    /// [`AuditError::Output`].
    pub fn write(&mut self, entry: &Entry) -> Result<(), AuditError> {
        match self.format {
            Format::Jsonl => self.write_line(&Line {
                schema: SCHEMA,
                vault: self.vault,
                sequence: entry.sequence,
                epoch: entry.epoch,
                link: entry.link,
                body: &entry.body,
            }),
            Format::Csv => Ok(csv::write_entry(self.out, entry)?),
            Format::Otlp => {
                self.collected.push(otlp::LogRecord::of(entry));
                if self.collected.len() == otlp::RECORDS_MAX {
                    self.write_collected()?;
                }
                Ok(())
            }
        }
    }

    /// Writes what is still collected. An export without this may lack its end.
    ///
    /// # Errors
    /// [`AuditError::Output`].
    pub fn finish(mut self) -> Result<(), AuditError> {
        if !self.collected.is_empty() {
            self.write_collected()?;
        }
        self.out.flush()?;
        Ok(())
    }

    fn write_collected(&mut self) -> Result<(), AuditError> {
        let records = std::mem::take(&mut self.collected);
        self.write_line(&otlp::Request::of(self.vault, records))
    }

    fn write_line<T: Serialize>(&mut self, line: &T) -> Result<(), AuditError> {
        let mut text = serde_json::to_vec(line).map_err(|error| AuditError::Encode {
            reason: error.to_string(),
        })?;
        text.push(b'\n');
        self.out.write_all(&text)?;
        Ok(())
    }
}

/// The flat view of an entry that tables and attributes share: names and texts, in their order.
fn columns(entry: &Entry) -> Columns {
    let mut columns = Columns::default();
    match &entry.body {
        Body::Event(event) => columns.event(event),
        Body::Checkpoint(checkpoint) => {
            columns.kind = "checkpoint";
            columns.detail = format!(
                "previous {} key {} signature {}",
                checkpoint.previous, checkpoint.key, checkpoint.signature
            );
        }
        Body::Prune(marker) => {
            columns.kind = "prune";
            columns.detail = format!(
                "records {} to {} removed",
                marker.first_removed, marker.last_removed
            );
        }
        Body::Loss(loss) => {
            columns.kind = "loss";
            columns.detail = format!("{} completion records lost", loss.count);
        }
        Body::Unreadable(fault) => {
            columns.kind = "unreadable";
            columns.detail = fault.to_string();
        }
    }
    columns
}

/// See [`columns`]. Absent is empty.
#[derive(Default)]
struct Columns {
    kind: &'static str,
    caller: String,
    uid: String,
    pid: String,
    executable: String,
    session: String,
    request: String,
    verdict: String,
    action: &'static str,
    secrets: String,
    sink: &'static str,
    destination: String,
    rule: String,
    outcome: String,
    redactions: String,
    digest: String,
    detail: String,
}

impl Columns {
    fn event(&mut self, event: &subrosa_model::Event) {
        use subrosa_model::EventBody;
        let caller = &event.caller;
        self.caller = caller.kind.to_string();
        self.uid = caller.uid.to_string();
        self.pid = caller.pid.to_string();
        self.executable = caller.executable.clone().unwrap_or_default();
        self.session = caller.session.to_string();
        match &event.body {
            EventBody::Decision(decision) => {
                self.kind = "decision";
                self.request = decision.request.to_string();
                self.verdict = decision.verdict.to_string();
                self.action = decision.action.name();
                let names: Vec<String> = decision
                    .secrets
                    .iter()
                    .map(|used| {
                        let label = &used.label;
                        format!("{} {}#{}", used.scope, label.key, label.field)
                    })
                    .collect();
                self.secrets = names.join(", ");
                self.sink = decision.sink.name();
                self.destination.clone_from(&decision.destination);
                self.rule.clone_from(&decision.rule);
                self.digest = decision.digest.to_string();
            }
            EventBody::Completion(completion) => {
                self.kind = "completion";
                self.request = completion.request.to_string();
                self.outcome = outcome(&completion.outcome);
                self.redactions = completion.redactions.to_string();
            }
            EventBody::Change(change) => {
                self.kind = "change";
                self.outcome = change.kind.name().to_owned();
                self.secrets = change.subjects.join(", ");
                self.detail.clone_from(&change.detail);
            }
            EventBody::Unlock(unlock) => {
                self.kind = "unlock";
                self.outcome = if unlock.opened { "opened" } else { "refused" }.to_owned();
                self.detail = if unlock.unauthenticated {
                    format!("slot {} (unauthenticated)", unlock.slot)
                } else {
                    format!("slot {}", unlock.slot)
                };
            }
            _ => self.kind = "unknown",
        }
    }
}

fn outcome(outcome: &subrosa_model::Outcome) -> String {
    use subrosa_model::Outcome;
    match outcome {
        Outcome::Delivered => "delivered".to_owned(),
        Outcome::Exited { status } => format!("exited {status}"),
        Outcome::Signalled { signal } => format!("signalled {signal}"),
        Outcome::Limited { limit } => format!("limited {limit}"),
        Outcome::Failed { reason } => format!("failed: {reason}"),
        _ => "unknown".to_owned(),
    }
}
