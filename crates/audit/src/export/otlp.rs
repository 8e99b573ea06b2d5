//! Log records for OpenTelemetry, in the JSON encoding of OTLP/HTTP.
//!
//! Each line is one `ExportLogsServiceRequest`, ready to be posted to `/v1/logs` or read by a
//! collector's file receiver. 64-bit integers are strings, keys are lowerCamelCase.
//!
//! Source: OTLP 1.x, "JSON Protobuf Encoding"; opentelemetry/proto/logs/v1/logs.proto.

use serde::Serialize;
use subrosa_model::VaultId;

use super::{Columns, SCHEMA};
use crate::entry::Entry;

/// Records of one request.
pub(super) const RECORDS_MAX: usize = 512;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    resource_logs: [ResourceLogs; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceLogs {
    resource: Resource,
    scope_logs: [ScopeLogs; 1],
}

#[derive(Serialize)]
struct Resource {
    attributes: Vec<Attribute>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ScopeLogs {
    scope: Scope,
    log_records: Vec<LogRecord>,
}

#[derive(Serialize)]
struct Scope {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LogRecord {
    time_unix_nano: String,
    observed_time_unix_nano: String,
    severity_number: u8,
    severity_text: &'static str,
    event_name: String,
    body: Value,
    attributes: Vec<Attribute>,
}

#[derive(Serialize)]
struct Attribute {
    key: &'static str,
    value: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Value {
    StringValue(String),
    /// A 64-bit integer, which this encoding writes as a string.
    IntValue(String),
}

impl Request {
    pub(super) fn of(vault: VaultId, records: Vec<LogRecord>) -> Self {
        let attributes = vec![
            text("service.name", "subrosa".to_owned()),
            text("subrosa.vault", vault.to_string()),
        ];
        Self {
            resource_logs: [ResourceLogs {
                resource: Resource { attributes },
                scope_logs: [ScopeLogs {
                    scope: Scope {
                        name: SCHEMA,
                        version: env!("CARGO_PKG_VERSION"),
                    },
                    log_records: records,
                }],
            }],
        }
    }
}

impl LogRecord {
    pub(super) fn of(entry: &Entry) -> Self {
        let columns = super::columns(entry);
        // Nothing before 1970 is written; a damaged clock shows as the epoch, which means unknown.
        let micros = entry.body.time().map_or(0, |time| time.as_micros());
        let nanos = (u128::from(micros.max(0).unsigned_abs()) * 1000).to_string();
        let warn = columns.verdict == "deny"
            || columns.outcome == "refused"
            || columns.outcome.starts_with("failed")
            || matches!(columns.kind, "loss" | "unreadable");
        Self {
            observed_time_unix_nano: nanos.clone(),
            time_unix_nano: nanos,
            severity_number: if warn { 13 } else { 9 },
            severity_text: if warn { "WARN" } else { "INFO" },
            event_name: format!("subrosa.{}", columns.kind),
            body: Value::StringValue(sentence(&columns)),
            attributes: attributes(entry, columns),
        }
    }
}

/// The record in words.
fn sentence(columns: &Columns) -> String {
    let words = [
        columns.kind,
        &columns.verdict,
        columns.action,
        &columns.outcome,
        &columns.secrets,
        &columns.destination,
        &columns.detail,
    ];
    let said: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    said.join(" ")
}

fn attributes(entry: &Entry, columns: Columns) -> Vec<Attribute> {
    let texts = [
        ("subrosa.caller", columns.caller),
        ("process.executable.path", columns.executable),
        ("subrosa.session", columns.session),
        ("subrosa.request", columns.request),
        ("subrosa.verdict", columns.verdict),
        ("subrosa.action", columns.action.to_owned()),
        ("subrosa.secrets", columns.secrets),
        ("subrosa.sink", columns.sink.to_owned()),
        ("subrosa.destination", columns.destination),
        ("subrosa.rule", columns.rule),
        ("subrosa.outcome", columns.outcome),
        ("subrosa.digest", columns.digest),
        ("subrosa.detail", columns.detail),
        ("subrosa.link", entry.link.to_string()),
    ];
    let numbers = [
        ("subrosa.sequence", entry.sequence.to_string()),
        ("subrosa.epoch", entry.epoch.to_string()),
        ("process.user.id", columns.uid),
        ("process.pid", columns.pid),
        ("subrosa.redactions", columns.redactions),
    ];
    let numbers = numbers.into_iter().map(|(key, number)| Attribute {
        key,
        value: Value::IntValue(number),
    });
    numbers
        .chain(texts.into_iter().map(|(key, value)| text(key, value)))
        .filter(|attribute| !attribute.value.is_empty())
        .collect()
}

fn text(key: &'static str, value: String) -> Attribute {
    Attribute {
        key,
        value: Value::StringValue(value),
    }
}

impl Value {
    fn is_empty(&self) -> bool {
        match self {
            Self::StringValue(text) | Self::IntValue(text) => text.is_empty(),
        }
    }
}
