//! `set`: store a value.

use serde::Serialize;
use subrosa_crypto::SecretBuf;
use subrosa_engine::{
    EngineError, Field, Kept, Mode, Patch, REFERENCE, Shown, ShownField, never, pin_to,
};
use subrosa_model::limits::VALUE_MAX;
use subrosa_model::{FieldName, KeyName, ProviderId, Reference, Tag, VarName};
use subrosa_redact::{Added, MIN_FORCED_BYTES, why_not_searched};

use super::list::second;
use crate::access::{Access, Value};
use crate::complete::Takes;
use crate::context::Context;
use crate::failure::Failure;
use crate::prompt::Terminal;
use crate::target::Target;
use crate::when::Expiry;

/// Store a secret, or a new version of it
///
/// The value is asked for without showing it, or read from standard input byte for byte with
/// --stdin. It is never an argument: those are visible to every process and kept by the shell.
/// What is not named stays as it is; the old value is kept as an earlier version.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  subrosa set api/key                              asks for the value
  printf %s \"$TOKEN\" | subrosa set github/token --stdin
  subrosa set deploy/token --reference subrosa://github/token     stands for another secret
  subrosa set db/main#password --bind PGPASSWORD   one field, with the variable that stands for it
  subrosa set tls/key --stdin --field-kind pem <key.pem
  subrosa set openai/key --pin openai --host api.openai.com --tag prod --expires 90d

A variable is named after the key where --bind names no other: api/key becomes API_KEY.")]
pub(crate) struct Set {
    /// The key, and the field where it is not `value`: api/key, db/main#password
    #[arg(value_name = "KEY[#FIELD]", add = Takes::Part)]
    target: Target,
    /// Read the value from standard input, byte for byte to its end
    #[arg(long)]
    stdin: bool,
    /// Store no value, but where it is: a use of this secret is then one of that
    #[arg(long, value_name = "REFERENCE", conflicts_with_all = ["stdin", "force", "pin"])]
    reference: Option<Reference>,
    /// Store the value although it is too short or common to be masked in output
    #[arg(long)]
    force: bool,
    /// Only create: fail when the secret exists
    #[arg(long, conflicts_with = "update")]
    create: bool,
    /// Only change: fail when there is no such secret
    #[arg(long)]
    update: bool,
    #[command(flatten)]
    about: About,
    #[command(flatten)]
    metadata: Metadata,
    /// The variable that stands for the field wherever the secret is used
    #[arg(long, value_name = "VAR")]
    bind: Option<VarName>,
    /// Pin the new secret to a provider: it may never go anywhere else
    #[arg(long, value_name = "PROVIDER", requires = "host")]
    pin: Option<ProviderId>,
    /// A host of the provider that the secret is pinned to; repeat for several
    #[arg(long, value_name = "HOST", requires = "pin")]
    host: Vec<String>,
}

/// What is known of a field.
#[derive(Debug, clap::Args)]
struct About {
    /// A word for what the field is: password, pem, token
    #[arg(long, value_name = "KIND")]
    field_kind: Option<String>,
    /// The field is no secret and may be shown: a user name, an address
    #[arg(long)]
    not_sensitive: bool,
    /// Help for whoever fills the field in
    #[arg(long, value_name = "TEXT")]
    hint: Option<String>,
    /// Another name that the field answers to; repeat for several
    #[arg(long, value_name = "NAME")]
    alias: Vec<FieldName>,
}

/// What is known of a secret.
#[derive(Debug, clap::Args)]
pub(super) struct Metadata {
    /// Add a tag; repeat for several
    #[arg(long, value_name = "TAG", add = Takes::Tag)]
    pub(super) tag: Vec<Tag>,
    /// A note; an empty one clears it
    #[arg(long, value_name = "TEXT")]
    pub(super) note: Option<String>,
    /// Where the secret is from or used; an empty one clears it
    #[arg(long, value_name = "URL")]
    pub(super) url: Option<String>,
    /// When the secret expires and is refused: 90d, 2026-12-31 (from its start, UTC), never
    #[arg(long, value_name = "WHEN")]
    pub(super) expires: Option<Expiry>,
}

impl Metadata {
    /// The change that it asks for; `current` are the tags that are there.
    pub(super) fn patch(
        &self,
        context: &Context,
        current: &[String],
        dropped: &[Tag],
    ) -> Result<Patch, Failure> {
        let mut tags: Vec<Tag> = current
            .iter()
            .map(|tag| Tag::new(tag.as_str()))
            .collect::<Result<_, _>>()?;
        tags.extend(self.tag.iter().cloned());
        tags.retain(|tag| !dropped.contains(tag));
        tags.sort();
        tags.dedup();
        let changed = !(self.tag.is_empty() && dropped.is_empty());
        let now = context.now();
        let expires = self
            .expires
            .map(|Expiry(when)| when.map(|when| when.ahead(now)));
        if let Some(Some(past)) = expires.filter(|at| at.is_some_and(|at| at <= now)) {
            context.out.warn(&format!(
                "--expires {} is past: the secret has expired already, and every use is refused",
                second(past)
            ));
        }
        Ok(Patch {
            tags: changed.then_some(tags),
            note: self.note.clone(),
            url: self.url.clone(),
            expires,
            ..Patch::default()
        })
    }
}

/// What `--json` gives.
#[derive(Debug, Serialize)]
pub(super) struct Written<'a> {
    key: &'a KeyName,
    field: &'a FieldName,
    version: u32,
    created: bool,
    masked: bool,
}

impl Set {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        if self.stdin {
            context.claim_stdin("--stdin")?;
        }
        self.bind.as_ref().map_or(Ok(()), bindable)?;
        let mut session = context.access()?;
        let value = self.value()?;
        if !self.stdin && value.is_empty() {
            return Err(
                Failure::new("empty", "nothing was typed, and nothing was stored").remedy(format!(
                    "an empty value on purpose: printf '' | subrosa set {} --stdin",
                    self.target
                )),
            );
        }
        let stored = self.store(context, &mut session, value)?;
        report(context, &self.target, &stored)?;
        if self.pin.is_some() {
            context.out.notice(
                "a pinned secret goes to its provider alone, through the broker (not built: part 6); \
                 until then it is kept and used by nothing",
            );
        }
        Ok(session.close()?)
    }

    fn value(&self) -> Result<SecretBuf, Failure> {
        if let Some(reference) = &self.reference {
            return Ok(SecretBuf::copy_from(reference.to_string().as_bytes())
                .map_err(EngineError::from)?);
        }
        if self.stdin {
            let own = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3);
            let own = own.map_err(|errno| Failure::io("standard input")(errno.into()))?;
            return Ok(SecretBuf::read_to_end(
                &mut std::fs::File::from(own),
                VALUE_MAX,
            )?);
        }
        let Some(mut terminal) = Terminal::open() else {
            return Err(
                Failure::new("no_terminal", "there is no terminal to ask for the value").remedy(
                    format!("printf %s \"$VALUE\" | subrosa set {} --stdin", self.target),
                ),
            );
        };
        terminal.hidden(&format!("Value of {}: ", self.target))
    }

    fn store(
        &self,
        context: &Context,
        session: &mut Access,
        value: SecretBuf,
    ) -> Result<Kept, Failure> {
        let Target { key, field } = &self.target;
        let before = existing(session, context, key)?;
        let tags = before
            .as_ref()
            .map(|shown| shown.listed.tags.clone())
            .unwrap_or_default();
        let known =
            before.and_then(|shown| shown.about.into_iter().find(|about| about.name == *field));
        let mut patch = self.metadata.patch(context, &tags, &[])?;
        let mut about = known.map_or_else(Field::default, |known| Field {
            kind: known.kind,
            sensitive: known.sensitive,
            hint: known.hint,
            aliases: known.aliases,
            ..Field::default()
        });
        about.forced = self.force;
        about.sensitive &= !self.about.not_sensitive;
        if about.kind == REFERENCE {
            // A value of its own is not what stood there before.
            about = Field {
                aliases: about.aliases,
                forced: about.forced,
                sensitive: !self.about.not_sensitive,
                ..Field::default()
            };
        }
        if let Some(reference) = &self.reference {
            about.kind = REFERENCE.to_owned();
            about.hint = reference.to_string();
            about.sensitive = false;
        }
        if let Some(kind) = &self.about.field_kind {
            about.kind = kind.clone();
        }
        if let Some(hint) = &self.about.hint {
            about.hint = hint.clone();
        }
        about.aliases.extend(self.about.alias.iter().cloned());
        about.aliases.sort();
        about.aliases.dedup();
        if let (Some(why), true) = (why_not_searched(value.as_slice()), about.sensitive) {
            let barely = self.force && value.len() >= MIN_FORCED_BYTES;
            warn_unmasked(context, &self.target, why, (self.force, barely));
        }
        patch.bindings = self
            .bind
            .iter()
            .map(|variable| (field.clone(), Some(variable.clone())))
            .collect();
        patch.pin = match &self.pin {
            Some(provider) => Some(pin_to(provider.clone(), &self.host)?),
            None => None,
        };
        let mode = match (self.create, self.update) {
            (true, _) => Mode::Create,
            (_, true) => Mode::Update,
            _ => Mode::Upsert,
        };
        let value = Value {
            field: field.clone(),
            bytes: value,
            about: Some(about),
        };
        session
            .set(key, patch, Some(value), mode)
            .map_err(|trouble| match trouble.code() {
                "exists" => trouble
                    .failure
                    .remedy("leave --create out, and a new version is stored"),
                _ => trouble.failure,
            })
    }
}

/// The secret in exactly the current scope, if it is there.
fn existing(
    session: &mut Access,
    context: &Context,
    key: &KeyName,
) -> Result<Option<Shown>, Failure> {
    let scope = context.scope();
    match session.show(key) {
        Ok(shown) => {
            let here = shown.listed.workspace == scope.workspace
                && shown.listed.group == scope.group.as_ref().map(ToString::to_string);
            Ok(here.then_some(shown))
        }
        Err(trouble) if trouble.code() == "missing" => Ok(None),
        Err(trouble) => Err(trouble.failure),
    }
}

/// Refuses a variable that no command would ever get.
pub(super) fn bindable(variable: &VarName) -> Result<(), Failure> {
    match never(variable.as_str()) {
        None => Ok(()),
        Some(why) => Err(Failure::usage(format!(
            "no command may get the variable {variable}: {why}"
        ))
        .remedy("bind another variable: --bind NAME")),
    }
}

/// Says loudly that output will not be masked.
///
/// `forced`: whether somebody insists, and whether it is then searched for in its exact form.
pub(super) fn warn_unmasked(context: &Context, target: &Target, why: Added, forced: (bool, bool)) {
    let reason = why.reason().unwrap_or("is not searched for");
    let consequence = match forced {
        (false, _) => "commands do not get it; store a longer one, or insist with --force",
        (true, false) => "it is not masked at all, wherever a command prints it",
        (true, true) => "it is searched for as well as it can be",
    };
    context.out.warn(&format!(
        "{target} is not masked in output, because it {reason}: {consequence}"
    ));
}

/// What is known of a field, by its name or another that it answers to.
pub(super) fn known<'a>(shown: &'a Shown, field: &FieldName) -> Option<&'a ShownField> {
    let named = |about: &&ShownField| about.name == *field;
    let answers = |about: &&ShownField| about.aliases.contains(field);
    let fields = &shown.about;
    fields.iter().find(named).or(fields.iter().find(answers))
}

/// Says what was stored.
pub(super) fn report(context: &Context, target: &Target, stored: &Kept) -> Result<(), Failure> {
    let listed = &stored.shown.listed;
    let version = listed.version;
    let Some(about) = known(&stored.shown, &target.field) else {
        return Err(Failure::new(
            "no_field",
            format!("{target}: it was not stored"),
        ));
    };
    let (field, variable) = (&about.name, &about.variable);
    if let Some(why) = never(variable.as_str()) {
        let of_field = match field.is_default() {
            true => String::new(),
            false => format!("{field}="),
        };
        context.out.warn(&format!(
            "no command may get the variable {variable}: {why}: subrosa edit {} --bind {of_field}NAME",
            listed.key
        ));
    }
    if context.out.json {
        let written = Written {
            key: &listed.key,
            field,
            version,
            created: stored.created,
            masked: about.masked,
        };
        return context.out.document(&written);
    }
    if stored.workspace_created && !context.scope().workspace.is_global() {
        context.out.done(&format!(
            "The workspace {} is new.",
            context.scope().workspace
        ));
    }
    let what = if stored.created {
        "stored"
    } else {
        "stored as"
    };
    let version = if stored.created {
        String::new()
    } else {
        format!(" version {version}")
    };
    context.out.done(&format!(
        "{target}: {what}{version}, as {} in commands",
        variable
    ));
    Ok(())
}
