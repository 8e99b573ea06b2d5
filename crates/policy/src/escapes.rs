//! Arguments by which an ordinary command starts another program, or prints its environment.
//!
//! These are the ways that commands document, in every spelling that their option parsers take:
//! abbreviated long options, bundled letters, options behind other options. In doubt an argument is
//! read as the option. The list cannot be complete: a rule that gives values should name its
//! arguments, and a bare entry of `allowed_commands` gives no values.

mod git;
mod options;
mod sqlite;

use crate::always::is_variant;
use options::Letters;

/// What to look for in the arguments of a command.
enum Marker {
    /// A long option, any abbreviation of it, with or without `=…`.
    Long(&'static str),
    /// An option of one letter, alone, bundled with others, or with its value behind it.
    Short(&'static str),
    /// The start of an argument, for parsers that bundle no letters.
    Start(&'static str),
    /// An option of two letters, anywhere in a bundle.
    Letters(&'static str),
    /// This argument, whole.
    Word(&'static str),
    /// This text anywhere in an argument.
    Within(&'static str),
    /// This text anywhere in an argument from which `-` and `_` are taken.
    Squeezed(&'static str),
    /// This word anywhere in an argument, between characters that are not part of a word.
    Term(&'static str),
    /// This option of git, before the subcommand.
    Leading(&'static str),
    /// After this subcommand of git, with the letters of the subcommand that take a value.
    After(&'static str, &'static str, &'static [Marker]),
    /// A dot command of sqlite3 that starts a program or loads code.
    DotCommand(&'static str),
    /// A dot command of sqlite3 with a pipe.
    DotPipe,
}

use Marker::{
    After, DotCommand, DotPipe, Leading, Long, Short, Squeezed, Start, Term, Within, Word,
};

/// What is always denied of the commands of one family.
struct Family {
    names: &'static [&'static str],
    markers: &'static [Marker],
    /// Letters that take a value and so end a bundle. Only those that take one in every program of the
    /// family: a letter left out refuses too much, a letter too many lets something through.
    valued: &'static str,
    /// Whole options that would else be read as an abbreviation of a listed one.
    harmless: &'static [&'static str],
    /// Whether the first argument is a bundle even without a dash.
    old_style: bool,
}

impl Family {
    const fn new(names: &'static [&'static str], markers: &'static [Marker]) -> Self {
        Self {
            names,
            markers,
            valued: "",
            harmless: &[],
            old_style: false,
        }
    }

    const fn valued(self, valued: &'static str) -> Self {
        Self { valued, ..self }
    }

    const fn harmless(self, harmless: &'static [&'static str]) -> Self {
        Self { harmless, ..self }
    }

    const fn old_style(self) -> Self {
        Self {
            old_style: true,
            ..self
        }
    }
}

/// Commands, and the arguments of theirs that are always denied.
const ESCAPES: &[Family] = &[
    Family::new(
        &["find", "gfind"],
        &[Word("-exec"), Word("-execdir"), Word("-ok"), Word("-okdir")],
    ),
    Family::new(
        &["fd", "fdfind"],
        &[
            Short("-x"),
            Short("-X"),
            Long("--exec"),
            Long("--exec-batch"),
        ],
    )
    .valued("cdejotCES"),
    Family::new(
        &["git"],
        &[
            Leading("-c"),
            Leading("--config-env"),
            Leading("--exec-path"),
            Long("--upload-pack"),
            Long("--receive-pack"),
            Long("--exec"),
            Long("--extcmd"),
            Long("--open-files-in-pager"),
            After(
                "clone",
                "bjo",
                &[Short("-c"), Short("-u"), Long("--config")],
            ),
            After("grep", "ef", &[Short("-O")]),
            After("difftool", "t", &[Short("-x")]),
            After("rebase", "sCX", &[Short("-x")]),
            After("submodule", "", &[Word("foreach")]),
            After("bisect", "", &[Word("run")]),
            Word("filter-branch"),
            Word("remote-ext"),
            Within("ext::"),
        ],
    ),
    Family::new(
        &["tar", "gtar", "bsdtar"],
        &[
            Long("--to-command"),
            Long("--checkpoint-action"),
            Long("--use-compress-program"),
            Long("--rsh-command"),
            Long("--rmt-command"),
            Long("--info-script"),
            Long("--new-volume-script"),
            Short("-I"),
            Short("-F"),
            // To bsdtar the value behind it is a long option without its dashes.
            Short("-W"),
        ],
    )
    .valued("bfCTX")
    .harmless(&["--checkpoint"])
    .old_style(),
    Family::new(
        &["ssh", "slogin"],
        &[
            Within("proxycommand"),
            Within("localcommand"),
            Within("knownhostscommand"),
            Short("-S"),
        ],
    )
    .valued("cioDFJ"),
    Family::new(
        &["scp", "sftp"],
        &[
            Within("proxycommand"),
            Within("localcommand"),
            Within("knownhostscommand"),
            Short("-S"),
            Short("-D"),
        ],
    )
    .valued("cioFJ"),
    Family::new(
        &["rsync"],
        &[Short("-e"), Long("--rsh"), Long("--rsync-path")],
    )
    .valued("f"),
    Family::new(
        &["jq", "gojq", "jaq", "yq"],
        &[
            Term("env"),
            Term("strenv"),
            Term("envsubst"),
            Within("$env"),
        ],
    ),
    Family::new(
        &["make", "gmake", "bmake"],
        &[
            Short("-f"),
            Short("-E"),
            Long("--file"),
            Long("--makefile"),
            Long("--eval"),
        ],
    )
    .valued("jCDI"),
    Family::new(&["cmake"], &[Word("-E"), Start("-P")]),
    Family::new(&["psql"], &[Within("\\")]),
    Family::new(&["mysql", "mariadb"], &[Within("\\!"), Term("system")]),
    Family::new(
        &["sqlite3"],
        &[
            Within(".shell"),
            Within(".system"),
            DotCommand("shell"),
            DotCommand("system"),
            DotCommand("load"),
            DotPipe,
            Term("load_extension"),
            Term("edit"),
        ],
    ),
    Family::new(&["split"], &[Long("--filter")]),
    Family::new(&["sort"], &[Long("--compress-program")]),
    Family::new(&["zip"], &[Marker::Letters("-TT"), Long("--unzip-command")]),
    Family::new(&["tcpdump"], &[Short("-z")]).valued("irwFZ"),
    Family::new(
        &["man"],
        &[Short("-P"), Short("-H"), Long("--pager"), Long("--html")],
    )
    .valued("MS"),
    Family::new(&["wget"], &[Long("--use-askpass"), Squeezed("useaskpass")]),
    Family::new(
        &["openssl"],
        &[
            Word("-engine"),
            Word("--engine"),
            Word("-provider-path"),
            Word("--provider-path"),
        ],
    ),
    Family::new(&["cargo"], &[Long("--config")]),
    Family::new(
        &["npm", "pnpm", "yarn"],
        &[Word("exec"), Word("dlx"), Word("x"), Long("--script-shell")],
    ),
];

/// What of a command's arguments is always denied, as it is called in the table.
///
/// `name` is folded; the arguments are those after the name.
pub(crate) fn find(name: &str, arguments: &[String]) -> Option<String> {
    let is_meant = |known: &&str| {
        name.strip_prefix(known)
            .is_some_and(|rest| rest.is_empty() || is_variant(rest))
    };
    let family = ESCAPES
        .iter()
        .find(|family| family.names.iter().any(is_meant))?;
    let bundles = Letters {
        valued: family.valued,
        old_style: family.old_style,
    };
    family
        .markers
        .iter()
        .find_map(|marker| marker.find(arguments, bundles, family.harmless))
}

impl Marker {
    /// The marker as it is called in the table, if it stands in the arguments.
    fn find(&self, arguments: &[String], bundles: Letters, harmless: &[&str]) -> Option<String> {
        let any = |test: &dyn Fn(&str) -> bool| arguments.iter().any(|argument| test(argument));
        let stands = match self {
            Long(option) => any(&|argument| options::is_long(argument, option, harmless)),
            Short(option) => bundles.contain(arguments, option),
            Start(text) => any(&|argument| argument.starts_with(text)),
            Self::Letters(option) => any(&|argument| {
                argument.starts_with('-')
                    && !argument.starts_with("--")
                    && argument.contains(option.trim_start_matches('-'))
            }),
            Word(word) => any(&|argument| argument == *word),
            Within(text) => any(&|argument| argument.to_ascii_lowercase().contains(text)),
            Squeezed(text) => any(&|argument| {
                let squeezed = argument.to_ascii_lowercase().replace(['-', '_'], "");
                squeezed.contains(text)
            }),
            Term(term) => any(&|argument| has_term(argument, term)),
            Leading(option) => git::leading(arguments).iter().any(|argument| {
                if option.starts_with("--") {
                    options::is_long(argument, option, harmless)
                } else {
                    argument.starts_with(option)
                }
            }),
            After(subcommand, valued, markers) => {
                let bundles = Letters {
                    valued,
                    old_style: false,
                };
                let rest = git::after(arguments, subcommand)?;
                let inner = markers
                    .iter()
                    .find_map(|marker| marker.find(rest, bundles, harmless))?;
                return Some(format!("{subcommand} {inner}"));
            }
            DotCommand(command) => any(&|argument| sqlite::has_command(argument, command)),
            DotPipe => any(&sqlite::has_pipe),
        };
        stands.then(|| self.shown())
    }

    fn shown(&self) -> String {
        match self {
            DotCommand(command) => format!(".{command}"),
            DotPipe => "|".to_owned(),
            Long(text)
            | Short(text)
            | Start(text)
            | Self::Letters(text)
            | Word(text)
            | Within(text)
            | Squeezed(text)
            | Term(text)
            | Leading(text)
            | After(text, ..) => (*text).to_owned(),
        }
    }
}

fn has_term(argument: &str, term: &str) -> bool {
    let lower = argument.to_ascii_lowercase();
    lower
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .any(|word| word == term)
}

#[cfg(test)]
mod tests;
