//! Rules as they are written, parsed.

use std::fmt;
use std::str::FromStr;

use subrosa_model::{Action, CommandLine, Digest, Inject, ProcessLimits, SecretUse};

use crate::command::CommandName;
use crate::{ArgPattern, Glob, SecretPattern};

/// Whether a rule allows or denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// It allows, where nothing denies.
    Allow,
    /// It denies, whatever allows.
    Deny,
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        })
    }
}

/// How often an operator approves what a rule allows. The later of two is the stricter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ask {
    /// Once for each session of the caller.
    Session,
    /// Every time.
    Each,
}

impl Ask {
    /// The word that rules use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Each => "each",
        }
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One entry of `rules`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rule {
    /// Its name, if it has one; no two rules have the same.
    pub name: Option<String>,
    /// Whether it allows or denies.
    pub effect: Effect,
    /// The kind of use that it is about.
    pub action: Action,
    /// The command, for `run`. A rule that denies may leave it out: any command.
    pub command: Option<CommandName>,
    /// The arguments after the command. Left out: none for a rule that allows, any for one that
    /// denies.
    pub args: Option<Vec<ArgPattern>>,
    /// SHA-256 that the executable must have.
    pub hash: Option<Digest>,
    /// The secrets. Left out (where that is possible): any.
    pub secrets: Option<Vec<SecretPattern>>,
    /// How values reach the child, for `run`. For a rule that denies: only this way is meant.
    pub inject: Option<Inject>,
    /// The capability, for `http`.
    pub capability: Option<Glob>,
    /// The agents that are meant, and no other caller. Left out: any caller.
    pub agents: Option<Vec<Glob>>,
    /// How often an operator approves.
    pub ask: Option<Ask>,
    /// Whether an agent may use a value that other processes of its user could read.
    pub exposed: bool,
    /// Bounds on the child, for `run`.
    pub limits: ProcessLimits,
}

impl Rule {
    /// Whether it names one command line and no other: `command`, and `args` without a wildcard.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.command
            .as_ref()
            .is_some_and(|command| !command.as_str().contains('*'))
            && self
                .args
                .as_ref()
                .is_some_and(|args| args.iter().all(ArgPattern::is_literal))
    }

    /// How it hands values over; placeholders where it says nothing.
    #[must_use]
    pub fn inject(&self) -> Inject {
        self.inject.unwrap_or_default()
    }

    /// Whether it is about this secret.
    pub(crate) fn names_secret(&self, secret: &SecretUse) -> bool {
        self.secrets
            .as_ref()
            .is_none_or(|patterns| patterns.iter().any(|pattern| pattern.matches(secret)))
    }

    /// Whether it names exactly this command line, and the command by the name that was typed.
    pub(crate) fn names_exactly(&self, command: &CommandLine) -> bool {
        self.is_exact()
            && self
                .command
                .as_ref()
                .is_some_and(|name| name.names_all_of(command))
    }
}

/// Which part of the policy made a decision. Its text goes into the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum RuleRef {
    /// `default_action`: nothing else said anything.
    #[default]
    DefaultAction,
    /// What is denied whatever a policy says.
    AlwaysDenied,
    /// An entry of `allowed_commands`, counted from 0.
    AllowedCommand(usize),
    /// An entry of `denied_commands`, counted from 0.
    DeniedCommand(usize),
    /// An entry of `rules`.
    Rule {
        /// Counted from 0.
        index: usize,
        /// Its name.
        name: Option<String>,
    },
    /// A rule that every policy has: `builtin:pinned`.
    Builtin(&'static str),
    /// Several that together allowed a use of several secrets.
    Several(Vec<RuleRef>),
}

impl fmt::Display for RuleRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DefaultAction => f.write_str("default_action"),
            Self::AlwaysDenied => f.write_str("always-denied"),
            Self::AllowedCommand(index) => write!(f, "allowed_commands[{index}]"),
            Self::DeniedCommand(index) => write!(f, "denied_commands[{index}]"),
            Self::Rule { index, name: None } => write!(f, "rules[{index}]"),
            Self::Rule {
                index,
                name: Some(name),
            } => write!(f, "rules[{index}] \"{name}\""),
            Self::Builtin(name) => write!(f, "builtin:{name}"),
            Self::Several(parts) => {
                for (at, part) in parts.iter().enumerate() {
                    write!(f, "{}{part}", if at == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
        }
    }
}

/// Reads `sha256:` and 64 hexadecimal digits.
pub(crate) fn hash(text: &str) -> Result<Digest, String> {
    text.strip_prefix("sha256:")
        .and_then(Digest::from_hex)
        .ok_or_else(|| "write it as sha256: and 64 lower-case hexadecimal digits".to_owned())
}

/// Reads the name of a rule or a test.
pub(crate) fn name(text: &str) -> Result<String, String> {
    let plain = |c: char| !c.is_control() && c != '"' && c != '\\';
    if text.is_empty() || text.len() > 64 || !text.chars().all(plain) {
        return Err(
            "a name has 1 to 64 bytes, no control characters, quotes or backslashes".to_owned(),
        );
    }
    Ok(text.to_owned())
}

/// Reads a way to hand values over.
pub(crate) fn inject(text: &str) -> Result<Inject, String> {
    Inject::from_str(text)
}
