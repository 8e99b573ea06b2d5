//! What may follow on a command line that is being typed.
//!
//! The shells' scripts hand over the words up to the cursor and get back one line that says how to
//! complete, and the candidates. A person presses a key and expects an answer at once: nothing here
//! asks, waits for a passphrase, or says why there is nothing. A shell puts what it gets onto the
//! command line as it is, so only words that mean nothing to any shell are given to one.

mod names;
mod words;

use std::ffi::{OsStr, OsString};
use std::sync::Arc;

use clap::builder::ArgExt;
use clap::{Arg, Command, ValueHint};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};

use crate::args::{Global, command};
use crate::context::Context;
use crate::output::{ColorWhen, Output};
use names::Kind;
use words::{harmless, unquoted};

/// Shells with a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Shell {
    /// bash 4 or later
    Bash,
    /// zsh
    Zsh,
    /// fish 3 or later
    Fish,
}

impl Shell {
    /// The script that completes in this shell.
    pub(crate) const fn script(self) -> &'static str {
        match self {
            Self::Bash => include_str!("complete/subrosa.bash"),
            Self::Zsh => include_str!("complete/subrosa.zsh"),
            Self::Fish => include_str!("complete/subrosa.fish"),
        }
    }
}

/// What an argument takes, where its type does not tell: `#[arg(add = Takes::Key)]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// A key.
    Key,
    /// A key, also of a removed secret.
    AnyKey,
    /// A key, or a field of one: `key#field`.
    Part,
    /// `VAR=` and a key or a field of one.
    Binding,
    /// A workspace.
    Workspace,
    /// A group.
    Group,
    /// A tag.
    Tag,
    /// A field.
    Field,
    /// A label or id of a slot.
    Slot,
    /// A command of this program, word by word.
    Page,
    /// A command to run and its arguments.
    Command,
    /// One of these words.
    One(&'static [&'static str]),
}

impl ArgExt for Takes {}

/// How a shell completes: the words that follow, files, or commands.
const NAMES: &str = "names";
const FILES: &str = "files";
const COMMANDS: &str = "commands";

/// Stands for what the shell itself knows best; no candidate can look like it.
const MARK: char = '\u{1}';

/// What may stand in the place of the last word: how to complete, then a candidate a line, with a
/// tab and its meaning for shells that show one.
pub(crate) fn complete(shell: Shell, words: Vec<OsString>) -> String {
    let words: Vec<OsString> = match shell {
        Shell::Bash => words.iter().map(|word| unquoted(word)).collect(),
        Shell::Zsh | Shell::Fish => words,
    };
    let Some(last) = words.len().checked_sub(1) else {
        return format!("{NAMES}\n");
    };
    let typed = words[last].to_string_lossy().into_owned();
    let mut cli = equip(command(), &Arc::new(words.clone()));
    let found = clap_complete::engine::complete(&mut cli, words, last, None).unwrap_or_default();
    for how in [FILES, COMMANDS] {
        // What follows a word like an option is its value, or an option still.
        let sought = match typed.starts_with('-') {
            true => format!("={}", marked(how)),
            false => marked(how),
        };
        let here = |one: &CompletionCandidate| one.get_value().to_string_lossy().ends_with(&sought);
        if found.iter().any(here) {
            return format!("{how}\n");
        }
    }
    let mut found: Vec<(&str, String)> = found.iter().filter_map(shown).collect();
    let option = |one: &(&str, String)| one.0.starts_with('-');
    // Options are many and wanted by few, where something else can be typed.
    if !typed.starts_with('-') && !found.iter().all(option) {
        found.retain(|one| !option(one));
    }
    let mut text = format!("{NAMES}\n");
    for (word, meaning) in found {
        text.push_str(word);
        if shell != Shell::Bash && !meaning.is_empty() {
            text.push('\t');
            text.push_str(&meaning);
        }
        text.push('\n');
    }
    text
}

/// A candidate that a shell may have, with its meaning.
fn shown(candidate: &CompletionCandidate) -> Option<(&str, String)> {
    let word = candidate
        .get_value()
        .to_str()
        .filter(|word| harmless(word))?;
    // From the definition of the command line, never from the vault.
    let help = candidate.get_help().map(ToString::to_string);
    let first = help.as_deref().and_then(|help| help.lines().next());
    Some((word, first.unwrap_or_default().replace('\t', " ")))
}

fn marked(how: &str) -> String {
    format!("{MARK}{how}")
}

/// The command with what completes each of its arguments.
fn equip(command: Command, words: &Arc<Vec<OsString>>) -> Command {
    command
        .mut_args(|arg| equipped(arg, words))
        .mut_subcommands(|one| equip(one, words))
}

fn equipped(arg: Arg, words: &Arc<Vec<OsString>>) -> Arg {
    let words = Arc::clone(words);
    match arg.get::<Takes>().copied() {
        Some(takes) => arg.add(ArgValueCompleter::new(move |current: &OsStr| {
            let current = current.to_str().unwrap_or_default();
            let mut found = candidates(takes, current, &words);
            found.retain(|one| one.starts_with(current) || one.starts_with(MARK));
            found.into_iter().map(CompletionCandidate::new).collect()
        })),
        None => match arg.get_value_hint() {
            ValueHint::AnyPath | ValueHint::FilePath | ValueHint::DirPath => {
                arg.add(ArgValueCompleter::new(|_: &OsStr| {
                    vec![CompletionCandidate::new(marked(FILES))]
                }))
            }
            _ => arg,
        },
    }
}

/// What an argument may be; those that do not begin with `current` are left out by the caller.
fn candidates(takes: Takes, current: &str, words: &[OsString]) -> Vec<String> {
    let named = |kind| known(words, kind);
    match takes {
        Takes::Key => named(Kind::Key),
        Takes::AnyKey => named(Kind::AnyKey),
        Takes::Part => part(named(Kind::Part), current),
        Takes::Binding => match current.split_once('=') {
            Some((variable, what)) => part(named(Kind::Part), what)
                .iter()
                .map(|name| format!("{variable}={name}"))
                .collect(),
            None => Vec::new(),
        },
        Takes::Workspace => named(Kind::Workspace),
        Takes::Group => named(Kind::Group),
        Takes::Tag => named(Kind::Tag),
        Takes::Field => named(Kind::Field),
        Takes::Slot => named(Kind::Slot),
        Takes::Page => pages(words),
        Takes::Command => match words {
            [.., before, _] if before == "--" => vec![marked(COMMANDS)],
            words if words.iter().any(|word| word == "--") => vec![marked(FILES)],
            _ => Vec::new(),
        },
        Takes::One(words) => words.iter().map(|&word| word.to_owned()).collect(),
    }
}

/// Fields only once a `#` is typed: most secrets have one that nobody names.
fn part(mut names: Vec<String>, current: &str) -> Vec<String> {
    if !current.contains('#') {
        names.retain(|name| !name.contains('#'));
    }
    names
}

/// The names of a kind, as seen by the command that is being typed.
fn known(words: &[OsString], kind: Kind) -> Vec<String> {
    let typed = words.split_last().map_or(words, |(_, before)| before);
    let found = Global::partly(typed).and_then(|global| {
        let out = Output::new(false, true, ColorWhen::Never);
        names::names(&Context::new(global, out).ok()?, kind)
    });
    let mut found = found.unwrap_or_default();
    // It would be read as an option.
    found.retain(|name| !name.starts_with('-'));
    found
}

/// The commands that may follow `man` and what is typed behind it.
fn pages(words: &[OsString]) -> Vec<String> {
    let mut at = command();
    let behind = words.iter().skip_while(|word| *word != "man").skip(1);
    let behind: Vec<&OsString> = behind.collect();
    for word in behind.split_last().map_or(&[][..], |(_, before)| before) {
        match at.find_subcommand(word) {
            Some(found) => at = found.clone(),
            None => return Vec::new(),
        }
    }
    let shown = at.get_subcommands().filter(|one| !one.is_hide_set());
    shown.map(|one| one.get_name().to_owned()).collect()
}

#[cfg(test)]
mod tests;
