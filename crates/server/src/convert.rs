//! Between the engine's words and those of the protocol, in both directions.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use subrosa_crypto::SecretBuf;
use subrosa_egress::{Recipe, Sensitive};
use subrosa_engine::{
    Ending, EngineError, Field, Kept, Limit, ListFilter, Listed, Mode, NewValue, Past, Patch,
    RunOptions, RunOutcome, RunReport, Shown, ShownField, TokenShown, Unlock,
};
use subrosa_model::{Timestamp, VarName};
use subrosa_wire as wire;

fn micros(time: Timestamp) -> i64 {
    time.as_micros()
}

fn time(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

/// A proof and its secret, to be sent; `None` for one of a later program.
#[must_use]
pub fn proof_of(unlock: &Unlock) -> Option<(wire::Proof, &SecretBuf)> {
    Some(match unlock {
        Unlock::Passphrase(secret) => (wire::Proof::Passphrase, secret),
        Unlock::Recovery(secret) => (wire::Proof::Recovery, secret),
        Unlock::KeyFile(secret) => (wire::Proof::KeyFile, secret),
        Unlock::Environment(secret) => (wire::Proof::Environment, secret),
        Unlock::Command(secret) => (wire::Proof::Command, secret),
        Unlock::Age { secret, .. } => (wire::Proof::Age, secret),
        Unlock::Keyring { secret, .. } => (wire::Proof::Keyring, secret),
        Unlock::Tpm { secret, .. } => (wire::Proof::Tpm, secret),
        _ => return None,
    })
}

pub(crate) fn unlock(sent: wire::Proof, secret: SecretBuf) -> Unlock {
    match sent {
        wire::Proof::Passphrase => Unlock::Passphrase(secret),
        wire::Proof::Recovery => Unlock::Recovery(secret),
        wire::Proof::KeyFile => Unlock::KeyFile(secret),
        wire::Proof::Environment => Unlock::Environment(secret),
        wire::Proof::Command => Unlock::Command(secret),
        // What a slot holds in its envelope matters only where one is made.
        wire::Proof::Age => Unlock::Age {
            secret,
            envelope: Vec::new(),
        },
        wire::Proof::Keyring => Unlock::Keyring {
            secret,
            envelope: Vec::new(),
        },
        wire::Proof::Tpm => Unlock::Tpm {
            secret,
            envelope: Vec::new(),
        },
    }
}

/// A filter, to be sent.
#[must_use]
pub fn filter_of(filter: &ListFilter) -> wire::Filter {
    wire::Filter {
        patterns: filter.patterns.clone(),
        tag: filter.tag.clone(),
        all: filter.all,
        removed: filter.removed,
    }
}

pub(crate) fn filter(sent: wire::Filter) -> ListFilter {
    ListFilter {
        patterns: sent.patterns,
        tag: sent.tag,
        all: sent.all,
        removed: sent.removed,
    }
}

pub(crate) fn listed_of(one: Listed) -> wire::Listed {
    wire::Listed {
        workspace: one.workspace,
        group: one.group,
        key: one.key,
        fields: one.fields,
        version: one.version,
        tags: one.tags,
        pin: one.pin,
        modified: micros(one.modified),
        expires: one.expires.map(micros),
        removed: one.removed.map(micros),
    }
}

/// A listed secret, as it was received.
#[must_use]
pub fn listed(sent: wire::Listed) -> Listed {
    Listed {
        workspace: sent.workspace,
        group: sent.group,
        key: sent.key,
        fields: sent.fields,
        version: sent.version,
        tags: sent.tags,
        pin: sent.pin,
        modified: time(sent.modified),
        expires: sent.expires.map(time),
        removed: sent.removed.map(time),
    }
}

pub(crate) fn shown_of(shown: Shown) -> wire::Shown {
    let field = |field: ShownField| wire::ShownField {
        name: field.name,
        sensitive: field.sensitive,
        masked: field.masked,
        written: field.written,
        variable: field.variable,
        kind: field.kind,
        hint: field.hint,
        aliases: field.aliases,
    };
    wire::Shown {
        listed: listed_of(shown.listed),
        created: micros(shown.created),
        note: shown.note,
        url: shown.url,
        about: shown.about.into_iter().map(field).collect(),
        versions: u32::try_from(shown.versions).unwrap_or(u32::MAX),
    }
}

/// A secret, as it was received.
#[must_use]
pub fn shown(sent: wire::Shown) -> Shown {
    let field = |field: wire::ShownField| ShownField {
        name: field.name,
        sensitive: field.sensitive,
        masked: field.masked,
        written: field.written,
        variable: field.variable,
        kind: field.kind,
        hint: field.hint,
        aliases: field.aliases,
    };
    Shown {
        listed: listed(sent.listed),
        created: time(sent.created),
        note: sent.note,
        url: sent.url,
        about: sent.about.into_iter().map(field).collect(),
        versions: sent.versions as usize,
    }
}

pub(crate) fn past_of(past: Past) -> wire::Past {
    wire::Past {
        version: past.version,
        created: micros(past.created),
        current: past.current,
        written: past.written,
        fields: past.fields,
    }
}

/// A version, as it was received.
#[must_use]
pub fn past(sent: wire::Past) -> Past {
    Past {
        version: sent.version,
        created: time(sent.created),
        current: sent.current,
        written: sent.written,
        fields: sent.fields,
    }
}

/// A mode, to be sent.
#[must_use]
pub fn mode_of(mode: Mode) -> wire::Mode {
    match mode {
        Mode::Create => wire::Mode::Create,
        Mode::Update => wire::Mode::Update,
        Mode::Upsert => wire::Mode::Upsert,
    }
}

pub(crate) fn mode(sent: wire::Mode) -> Mode {
    match sent {
        wire::Mode::Create => Mode::Create,
        wire::Mode::Update => Mode::Update,
        wire::Mode::Upsert => Mode::Upsert,
    }
}

/// What is known of a field, to be sent.
#[must_use]
pub fn about_of(about: &Field) -> wire::FieldAbout {
    wire::FieldAbout {
        kind: about.kind.clone(),
        sensitive: about.sensitive,
        hint: about.hint.clone(),
        aliases: about.aliases.clone(),
        forced: about.forced,
    }
}

/// A change without its values, to be sent.
#[must_use]
pub fn change_of(patch: &Patch) -> wire::Change {
    wire::Change {
        value: None,
        remove_fields: patch.remove_fields.clone(),
        tags: patch.tags.clone(),
        note: patch.note.clone(),
        url: patch.url.clone(),
        expires: patch.expires.map(|expires| expires.map(micros)),
        bindings: patch.bindings.clone(),
        pin: patch.pin.clone(),
    }
}

/// What a value is made of, to be sent; `None` for what this protocol does not know.
#[must_use]
pub fn recipe_of(recipe: Recipe) -> Option<wire::Recipe> {
    match recipe {
        Recipe::Alphanumeric => Some(wire::Recipe::Alphanumeric),
        Recipe::Symbols => Some(wire::Recipe::Symbols),
        Recipe::Hex => Some(wire::Recipe::Hex),
        Recipe::Bytes => Some(wire::Recipe::Bytes),
        _ => None,
    }
}

pub(crate) fn recipe(sent: wire::Recipe) -> Recipe {
    match sent {
        wire::Recipe::Alphanumeric => Recipe::Alphanumeric,
        wire::Recipe::Symbols => Recipe::Symbols,
        wire::Recipe::Hex => Recipe::Hex,
        wire::Recipe::Bytes => Recipe::Bytes,
    }
}

/// A change, with the value that came beside it; `None` when one of the two is missing.
pub(crate) fn patch(sent: wire::Change, value: Option<Sensitive>) -> Option<Patch> {
    let about = |about: wire::FieldAbout| Field {
        kind: about.kind,
        sensitive: about.sensitive,
        hint: about.hint,
        aliases: about.aliases,
        forced: about.forced,
        ..Field::default()
    };
    let values = match (sent.value, value) {
        (None, None) => Vec::new(),
        (Some((field, known)), Some(value)) => vec![NewValue {
            field,
            value,
            about: known.map(about),
        }],
        _ => return None,
    };
    Some(Patch {
        values,
        remove_fields: sent.remove_fields,
        tags: sent.tags,
        note: sent.note,
        url: sent.url,
        expires: sent.expires.map(|expires| expires.map(time)),
        bindings: sent.bindings,
        pin: sent.pin,
    })
}

pub(crate) fn stored_of(kept: Kept) -> wire::Stored {
    wire::Stored {
        created: kept.created,
        workspace_created: kept.workspace_created,
        shown: shown_of(kept.shown),
    }
}

/// What storing did, as it was received.
#[must_use]
pub fn kept(sent: wire::Stored) -> Kept {
    Kept {
        created: sent.created,
        workspace_created: sent.workspace_created,
        shown: shown(sent.shown),
    }
}

pub(crate) fn token_of(token: TokenShown) -> wire::Token {
    wire::Token {
        id: token.id,
        agent: token.agent,
        created: micros(token.created),
        expires: micros(token.expires),
        expired: token.expired,
        bound_to: token.bound_to,
        reach: token.reach,
    }
}

/// A token of an agent, as it was received.
#[must_use]
pub fn token(sent: wire::Token) -> TokenShown {
    TokenShown {
        id: sent.id,
        agent: sent.agent,
        created: time(sent.created),
        expires: time(sent.expires),
        expired: sent.expired,
        bound_to: sent.bound_to,
        reach: sent.reach,
    }
}

/// What to run, to be sent: with the references that our own files hold, and of our variables those
/// that a command may get.
///
/// # Errors
/// As [`RunOptions::references`].
pub fn run_of(options: &RunOptions, streams: [bool; 3]) -> Result<wire::Run, EngineError> {
    let bytes = |text: &OsString| text.as_bytes().to_vec();
    let passed = |name: &OsString| {
        let named = |pass: &VarName| name == pass.as_str();
        subrosa_engine::inherited(name)
            || name == "PATH"
            || name == "XDG_RUNTIME_DIR"
            || options.pass.iter().any(named)
    };
    let references = options.references()?;
    Ok(wire::Run {
        command: options.command.iter().map(bytes).collect(),
        patterns: options.patterns.clone(),
        binds: options.binds.iter().cloned().chain(references).collect(),
        inject: options.inject,
        pass: options.pass.clone(),
        limits: options.limits,
        variables: options
            .variables
            .iter()
            .filter(|(name, _)| passed(name))
            .map(|(name, value)| (bytes(name), bytes(value)))
            .collect(),
        directory: options.directory.as_os_str().as_bytes().to_vec(),
        mask: options.mask.unwrap_or(0o077),
        streams,
    })
}

pub(crate) fn options(sent: wire::Run) -> RunOptions {
    RunOptions {
        command: sent.command.into_iter().map(OsString::from_vec).collect(),
        patterns: sent.patterns,
        binds: sent.binds,
        env_files: None,
        inject: sent.inject,
        pass: sent.pass,
        limits: sent.limits,
        variables: sent
            .variables
            .into_iter()
            .map(|(name, value)| (OsString::from_vec(name), OsString::from_vec(value)))
            .collect(),
        directory: PathBuf::from(OsString::from_vec(sent.directory)),
        mask: Some(sent.mask),
        inherited: None,
    }
}

pub(crate) fn report_of(outcome: RunOutcome) -> wire::RunReport {
    let report = outcome.report;
    let ending = match report.ending {
        Ending::Exited(status) => wire::RunEnding::Exited(status),
        Ending::Signalled(signal) => wire::RunEnding::Signalled(signal),
        Ending::Limited(Limit::Timeout) => wire::RunEnding::Timeout,
        Ending::Limited(Limit::Output) => wire::RunEnding::Output,
        Ending::Limited(_) => wire::RunEnding::Processes,
        _ => wire::RunEnding::Abandoned,
    };
    let name = |name: Option<String>| name.unwrap_or_default();
    let redactions: BTreeMap<String, u64> = report
        .redactions
        .into_iter()
        .map(|(key, count)| (name(key), count))
        .collect();
    wire::RunReport {
        ending,
        bytes: (report.stdout_bytes, report.stderr_bytes),
        redactions,
        redacted: report.redacted,
        truncated: report.truncated,
        output_error: report.output_error,
        stragglers_killed: report.stragglers_killed,
        duration: report.duration,
        used: outcome.used,
        warnings: outcome.warnings,
    }
}

/// The account of a run, as it was received.
#[must_use]
pub fn outcome(sent: wire::RunReport) -> RunOutcome {
    let ending = match sent.ending {
        wire::RunEnding::Exited(status) => Ending::Exited(status),
        wire::RunEnding::Signalled(signal) => Ending::Signalled(signal),
        wire::RunEnding::Timeout => Ending::Limited(Limit::Timeout),
        wire::RunEnding::Output => Ending::Limited(Limit::Output),
        wire::RunEnding::Processes => Ending::Limited(Limit::Processes),
        wire::RunEnding::Abandoned => Ending::Abandoned,
    };
    let mut report = RunReport::ended(ending, sent.duration);
    (report.stdout_bytes, report.stderr_bytes) = sent.bytes;
    report.redactions = sent
        .redactions
        .into_iter()
        .map(|(key, count)| (Some(key).filter(|key| !key.is_empty()), count))
        .collect();
    report.redacted = sent.redacted;
    report.truncated = sent.truncated;
    report.output_error = sent.output_error;
    report.stragglers_killed = sent.stragglers_killed;
    RunOutcome {
        report,
        used: sent.used,
        warnings: sent.warnings,
    }
}
