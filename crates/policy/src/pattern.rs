//! Patterns over arguments and over secrets.

use std::ffi::OsStr;
use std::fmt;

use subrosa_model::{FieldName, KeyName, Scope, SecretUse};

use crate::Glob;
use crate::glob::matches_runs;

/// Longest pattern over an argument, in bytes: what one argument may have on Linux.
const ARGUMENT_MAX: usize = 128 * 1024;

/// A pattern over one argument of a command, or over the rest of them.
///
/// `*` alone is one argument that does not begin with `-`; within an argument `*` is any run of
/// bytes, and at its start never a `-`. `**` alone is all that follows. `[*]` is a star that stands
/// for itself. Everything else stands for itself; case counts.
///
/// ```
/// use subrosa_policy::ArgPattern;
/// let branch = ArgPattern::new("refs/heads/*")?;
/// assert!(branch.matches("refs/heads/team/fix"));
/// assert!(!ArgPattern::new("*")?.matches("--receive-pack=evil"));
/// assert!(ArgPattern::new("--depth=*")?.matches("--depth=1"));
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ArgPattern {
    text: String,
    form: Form,
}

#[derive(Clone, PartialEq, Eq)]
enum Form {
    Exactly(Vec<u8>),
    Runs(Vec<Option<u8>>),
    Rest,
}

impl ArgPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it, in words: two stars within an argument, a NUL, too long.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.len() > ARGUMENT_MAX {
            return Err(format!("an argument has at most {ARGUMENT_MAX} bytes"));
        }
        if text.contains('\0') {
            return Err("an argument cannot hold a NUL".to_owned());
        }
        let form = if text == "**" {
            Form::Rest
        } else {
            runs(text)?
        };
        Ok(Self {
            text: text.to_owned(),
            form,
        })
    }

    /// The pattern that stands for `argument` alone.
    #[must_use]
    pub fn exactly(argument: &str) -> Self {
        Self {
            text: argument.replace('*', "[*]"),
            form: Form::Exactly(argument.as_bytes().to_vec()),
        }
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it stands for one argument alone.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        matches!(self.form, Form::Exactly(_))
    }

    /// Whether it is `**`, all the arguments that follow.
    #[must_use]
    pub fn is_rest(&self) -> bool {
        self.form == Form::Rest
    }

    /// Whether the pattern stands for this one argument.
    #[must_use]
    pub fn matches(&self, argument: impl AsRef<OsStr>) -> bool {
        let argument = argument.as_ref().as_encoded_bytes();
        match &self.form {
            Form::Exactly(bytes) => bytes == argument,
            // An option is never meant by accident.
            Form::Runs(runs) if runs[0].is_none() && argument.starts_with(b"-") => false,
            Form::Runs(runs) => matches_runs(runs, argument),
            Form::Rest => true,
        }
    }
}

fn runs(text: &str) -> Result<Form, String> {
    let mut runs = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(b"[*]") {
            runs.push(Some(b'*'));
            rest = after;
        } else if byte == b'*' {
            if runs.last() == Some(&None) {
                return Err(
                    "`**` stands alone, as the last argument; `*` is any run within one".to_owned(),
                );
            }
            runs.push(None);
            rest = after;
        } else {
            runs.push(Some(byte));
            rest = after;
        }
    }
    let literal: Option<Vec<u8>> = runs.iter().copied().collect();
    Ok(literal.map_or(Form::Runs(runs), Form::Exactly))
}

/// The first argument, counted from 1, that the patterns do not stand for; `None` when they stand
/// for all of them.
pub(crate) fn mismatch(patterns: &[ArgPattern], arguments: &[impl AsRef<OsStr>]) -> Option<usize> {
    for (index, pattern) in patterns.iter().enumerate() {
        if pattern.is_rest() {
            return None;
        }
        if !arguments
            .get(index)
            .is_some_and(|argument| pattern.matches(argument))
        {
            return Some(index + 1);
        }
    }
    (arguments.len() > patterns.len()).then_some(patterns.len() + 1)
}

impl fmt::Display for ArgPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for ArgPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ArgPattern({:?})", self.text)
    }
}

/// A pattern over secrets: `[workspace:[group:]]key[#field]`, each part a [`Glob`].
///
/// A part that is not written stands for any: `github/**` is meant in every workspace and for every
/// field.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretPattern {
    text: String,
    workspace: Option<Glob>,
    group: Option<Glob>,
    key: Glob,
    field: Option<Glob>,
}

impl SecretPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn new(text: &str) -> Result<Self, String> {
        let word = |part: &str, what: &str| match Glob::new(part) {
            Ok(_) if part.contains('/') => Err(format!("a {what} has no `/`")),
            Ok(glob) => Ok(glob),
            Err(why) => Err(format!("{what}: {why}")),
        };
        let (scoped, field) = match text.split_once('#') {
            Some((scoped, field)) => (scoped, Some(word(field, "field")?)),
            None => (text, None),
        };
        let parts: Vec<&str> = scoped.split(':').collect();
        let (workspace, group, key) = match parts[..] {
            [key] => (None, None, key),
            [workspace, key] => (Some(word(workspace, "workspace")?), None, key),
            [workspace, group, key] => (
                Some(word(workspace, "workspace")?),
                Some(word(group, "group")?),
                key,
            ),
            _ => return Err("write it as workspace:group:key#field".to_owned()),
        };
        Ok(Self {
            text: text.to_owned(),
            workspace,
            group,
            key: Glob::new(key)?,
            field,
        })
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the pattern stands for this secret.
    #[must_use]
    pub fn matches(&self, secret: &SecretUse) -> bool {
        let scope = &secret.scope;
        let fits = |glob: &Option<Glob>, text: Option<&str>| match (glob, text) {
            (None, _) => true,
            (Some(glob), Some(text)) => glob.matches(text),
            (Some(_), None) => false,
        };
        fits(&self.workspace, Some(scope.workspace.as_str()))
            && fits(&self.group, scope.group.as_ref().map(AsRef::as_ref))
            && fits(&self.field, Some(secret.label.field.as_str()))
            && self.key.matches(secret.label.key.as_str())
    }

    /// Whether the pattern stands for a field by that name.
    pub(crate) fn matches_field(&self, field: &FieldName) -> bool {
        self.field
            .as_ref()
            .is_none_or(|glob| glob.matches(field.as_str()))
    }

    /// Whether the pattern stands for a secret or a part of it.
    pub(crate) fn matches_key(&self, scope: &Scope, key: &KeyName) -> bool {
        let group = scope.group.as_ref();
        let group = self
            .group
            .as_ref()
            .is_none_or(|glob| group.is_some_and(|name| glob.matches(name.as_str())));
        let workspace = self.workspace.as_ref();
        workspace.is_none_or(|glob| glob.matches(scope.workspace.as_str()))
            && group
            && self.key.matches(key.as_str())
    }

    /// Whether this pattern certainly stands for all that `narrow` stands for.
    pub(crate) fn covers(&self, narrow: &Self) -> bool {
        let wider = |wide: &Option<Glob>, narrow: &Option<Glob>| match (wide, narrow) {
            (None, _) => true,
            (Some(wide), Some(narrow)) => covers(wide, narrow),
            (Some(_), None) => false,
        };
        wider(&self.workspace, &narrow.workspace)
            && wider(&self.group, &narrow.group)
            && wider(&self.field, &narrow.field)
            && covers(&self.key, &narrow.key)
    }
}

/// Whether `wide` certainly stands for all that `narrow` stands for; `false` where it is unclear.
pub(crate) fn covers(wide: &Glob, narrow: &Glob) -> bool {
    wide == narrow
        || wide.as_str() == "**"
        || (narrow.is_literal() && wide.matches(narrow.as_str()))
}

impl fmt::Display for SecretPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for SecretPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretPattern({:?})", self.text)
    }
}
