//! One entry of the log as a line for people.

use subrosa_engine::{Body, Entry};
use subrosa_model::{
    Caller, Completion, DecisionEvent, Event, EventBody, Outcome, SecretUse, Verdict,
};

use crate::commands::list::second;
use crate::output::Paint;
use crate::text::{count, plain};

/// The line, without its end.
pub(super) fn human(entry: &Entry, paint: Paint) -> String {
    let time = entry.body.time().map(second).unwrap_or_default();
    let text = match &entry.body {
        Body::Event(event) => self::event(event, paint),
        Body::Checkpoint(checkpoint) => {
            format!(
                "checkpoint  signed over {}",
                count(
                    usize::try_from(checkpoint.count).unwrap_or(usize::MAX),
                    "record"
                )
            )
        }
        Body::Prune(marker) => {
            format!(
                "pruned      records {} to {}",
                marker.first_removed, marker.last_removed
            )
        }
        Body::Loss(loss) => format!(
            "lost        {} completion records could not be written",
            loss.count
        ),
        Body::Unreadable(fault) => paint.red(&format!("unreadable  this record {fault}")),
        _ => "unknown     a record of a later program".to_owned(),
    };
    format!(
        "{} {:>6}  {text}",
        paint.dim(&format!("{time:<20}")),
        entry.sequence
    )
}

fn event(event: &Event, paint: Paint) -> String {
    let who = caller(&event.caller);
    match &event.body {
        EventBody::Decision(decision) => format!("{} {who}", self::decision(decision, paint)),
        EventBody::Completion(completion) => {
            format!("completed   {}", self::completion(completion))
        }
        EventBody::Change(change) => {
            let detail = if change.detail.is_empty() {
                String::new()
            } else {
                format!(" ({})", plain(&change.detail))
            };
            let subjects = plain(&shortened(&change.subjects)).into_owned();
            let subjects = if subjects.is_empty() {
                subjects
            } else {
                format!(" {subjects}")
            };
            format!("changed     {}{subjects}{detail} by {who}", change.kind)
        }
        EventBody::Unlock(unlock) => {
            let what = if unlock.opened {
                "opened     "
            } else {
                "NOT opened "
            };
            let doubt = if unlock.unauthenticated {
                " (noted before the key was known)"
            } else {
                ""
            };
            let text = format!("{what} with {} by {who}{doubt}", plain(&unlock.slot));
            if unlock.opened {
                text
            } else {
                paint.yellow(&text)
            }
        }
        _ => "unknown     an event of a later program".to_owned(),
    }
}

fn decision(decision: &DecisionEvent, paint: Paint) -> String {
    let verdict = match decision.verdict {
        Verdict::Allow => paint.green("allowed    "),
        Verdict::Deny => paint.red("denied     "),
        Verdict::Ask => paint.yellow("asked      "),
    };
    let names: Vec<String> = decision.secrets.iter().map(name).collect();
    format!(
        "{verdict} {} {} to {} by {};",
        decision.action,
        plain(&shortened(&names)),
        plain(&decision.destination),
        plain(&decision.rule),
    )
}

fn name(secret: &SecretUse) -> String {
    let label = &secret.label;
    if label.field.is_default() {
        label.key.to_string()
    } else {
        format!("{}#{}", label.key, label.field)
    }
}

fn completion(completion: &Completion) -> String {
    let outcome = match &completion.outcome {
        Outcome::Delivered => "the value was handed over".to_owned(),
        Outcome::Exited { status } => format!("exit status {status}"),
        Outcome::Signalled { signal } => format!("ended by signal {signal}"),
        Outcome::Limited { limit } => plain(limit).into_owned(),
        Outcome::Failed { reason } => format!("failed: {}", plain(reason)),
        _ => "in a way that a later program knows".to_owned(),
    };
    match completion.redactions {
        0 => outcome,
        times => format!(
            "{outcome}, masked {}",
            count(usize::try_from(times).unwrap_or(usize::MAX), "time")
        ),
    }
}

fn caller(caller: &Caller) -> String {
    format!("{} {}", caller.kind, caller.pid)
}

/// The first few of many.
fn shortened(names: &[String]) -> String {
    const SHOWN: usize = 4;
    let mut text = names
        .iter()
        .take(SHOWN)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}
