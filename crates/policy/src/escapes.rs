//! Arguments by which an ordinary command starts another program, or prints its environment.
//!
//! These are the ways that commands document. The list cannot be complete: a rule that gives values
//! should name its arguments, and a bare entry of `allowed_commands` gives no values.

use crate::always::is_variant;

/// What to look for in the arguments of a command.
enum Marker {
    /// A long option, any abbreviation of it, with or without `=…`.
    Long(&'static str),
    /// This argument itself, or followed by more in the same argument.
    Short(&'static str),
    /// This argument, whole.
    Word(&'static str),
    /// Two arguments, one directly after the other.
    Pair(&'static str, &'static str),
    /// This text anywhere in an argument.
    Within(&'static str),
    /// This word anywhere in an argument, between characters that are not part of a word.
    Term(&'static str),
    /// This option before the first argument that is no option.
    Leading(&'static str),
}

use Marker::{Leading, Long, Pair, Short, Term, Within, Word};

/// Commands, and the arguments of theirs that are always denied.
const ESCAPES: &[(&[&str], &[Marker])] = &[
    (
        &["find", "gfind"],
        &[Word("-exec"), Word("-execdir"), Word("-ok"), Word("-okdir")],
    ),
    (
        &["fd", "fdfind"],
        &[
            Short("-x"),
            Short("-X"),
            Long("--exec"),
            Long("--exec-batch"),
        ],
    ),
    (
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
            Pair("submodule", "foreach"),
            Pair("bisect", "run"),
            Word("filter-branch"),
            Within("ext::"),
        ],
    ),
    (
        &["tar", "gtar", "bsdtar"],
        &[
            Long("--to-command"),
            Long("--checkpoint-action"),
            Long("--use-compress-program"),
            Long("--rsh-command"),
            Long("--info-script"),
            Long("--new-volume-script"),
            Short("-I"),
            Short("-F"),
        ],
    ),
    (
        &["ssh", "scp", "sftp", "slogin"],
        &[
            Within("proxycommand"),
            Within("localcommand"),
            Within("knownhostscommand"),
            Short("-S"),
        ],
    ),
    (
        &["rsync"],
        &[Short("-e"), Long("--rsh"), Long("--rsync-path")],
    ),
    (
        &["jq", "gojq", "jaq", "yq"],
        &[
            Term("env"),
            Term("strenv"),
            Term("envsubst"),
            Within("$env"),
        ],
    ),
    (
        &["make", "gmake", "bmake"],
        &[Short("-f"), Short("-E"), Long("--file"), Long("--eval")],
    ),
    (&["cmake"], &[Word("-E"), Short("-P")]),
    (&["psql"], &[Within("\\")]),
    (&["mysql", "mariadb"], &[Within("\\!"), Term("system")]),
    (&["sqlite3"], &[Within(".shell"), Within(".system")]),
    (&["split"], &[Long("--filter")]),
    (&["sort"], &[Long("--compress-program")]),
    (&["zip"], &[Short("-TT"), Long("--unzip-command")]),
    (&["tcpdump"], &[Short("-z")]),
    (
        &["man"],
        &[Short("-P"), Short("-H"), Long("--pager"), Long("--html")],
    ),
    (&["wget"], &[Long("--use-askpass")]),
    (&["openssl"], &[Word("-engine"), Word("-provider-path")]),
    (&["cargo"], &[Long("--config")]),
    (
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
    let (_, markers) = ESCAPES
        .iter()
        .find(|(names, _)| names.iter().any(is_meant))?;
    markers
        .iter()
        .find(|marker| marker.stands_in(arguments))
        .map(Marker::shown)
}

impl Marker {
    fn stands_in(&self, arguments: &[String]) -> bool {
        let any = |test: &dyn Fn(&str) -> bool| arguments.iter().any(|argument| test(argument));
        match self {
            Long(option) => any(&|argument| is_long(argument, option)),
            Short(option) => {
                any(&|argument| argument.starts_with(option) && !argument.starts_with("--"))
            }
            Word(word) => any(&|argument| argument == *word),
            Pair(first, second) => arguments
                .windows(2)
                .any(|pair| pair[0] == *first && pair[1] == *second),
            Within(text) => any(&|argument| argument.to_ascii_lowercase().contains(text)),
            Term(term) => any(&|argument| has_term(argument, term)),
            Leading(option) => leading(arguments).any(|argument| {
                if option.starts_with("--") {
                    is_long(argument, option)
                } else {
                    argument.starts_with(option)
                }
            }),
        }
    }

    fn shown(&self) -> String {
        match self {
            Pair(first, second) => format!("{first} {second}"),
            Long(text) | Short(text) | Word(text) | Within(text) | Term(text) | Leading(text) => {
                (*text).to_owned()
            }
        }
    }
}

/// Whether an argument is a long option or an abbreviation of it. An abbreviation may be meant for
/// another option; denied all the same.
fn is_long(argument: &str, option: &str) -> bool {
    let name = argument.split('=').next().unwrap_or(argument);
    name.len() > 3 && name.starts_with("--") && option.starts_with(name)
}

fn has_term(argument: &str, term: &str) -> bool {
    let lower = argument.to_ascii_lowercase();
    lower
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .any(|word| word == term)
}

/// The options before the first other argument. `-C` and its like are followed by their value.
fn leading(arguments: &[String]) -> impl Iterator<Item = &str> {
    let mut value_follows = false;
    arguments
        .iter()
        .map(String::as_str)
        .take_while(move |argument| {
            let is_value = std::mem::replace(
                &mut value_follows,
                matches!(
                    *argument,
                    "-C" | "-c" | "--git-dir" | "--work-tree" | "--namespace"
                ),
            );
            is_value || argument.starts_with('-')
        })
}

#[cfg(test)]
mod tests {
    use super::find;

    fn of(line: &str) -> Option<String> {
        let mut words = line.split(' ').map(str::to_owned);
        let name = words.next().unwrap_or_default();
        find(&name, &words.collect::<Vec<_>>())
    }

    #[test]
    fn ways_to_start_a_program_are_found() {
        for line in [
            "find . -exec env ;",
            "find . -okdir env ;",
            "fd -x env",
            "git -c alias.x=!env x",
            "git -calias.x=!env x",
            "git -C /tmp -c core.pager=env log",
            "git --config-env=core.pager=X log",
            "git --exec-path=/tmp/evil log",
            "git push --receive-pack=evil origin",
            "git fetch --upload-p evil",
            "git rebase --exec env main",
            "git submodule foreach env",
            "git bisect run env",
            "git clone ext::env",
            "tar --to-command=env -xf x",
            "tar --checkpoint-action=exec=env -cf x .",
            "tar -I env -xf x",
            "ssh -o ProxyCommand=env host",
            "ssh -oproxycommand=env host",
            "rsync -e env a b",
            "rsync --rsh=env a b",
            "jq -n env",
            "jq -n $ENV.API_KEY",
            "yq -n strenv(API_KEY)",
            "make --eval=$(shell env)",
            "cmake -E env",
            "psql -c \\!env",
            "sqlite3 x .shell env",
            "split --filter=env x",
            "npm exec evil",
        ] {
            assert!(of(line).is_some(), "{line}");
        }
    }

    #[test]
    fn ordinary_uses_are_not() {
        for line in [
            "find . -name x",
            "git push origin main",
            "git commit -c HEAD",
            "git switch -c topic",
            "git -C /src log --oneline",
            "tar -xf x.tar",
            "tar --exclude=x -cf y .",
            "ssh host uptime",
            "rsync -a a b",
            "jq .environment",
            "make all",
            "psql -c select",
            "npm publish",
            "ls -exec",
        ] {
            assert_eq!(of(line), None, "{line}");
        }
    }

    #[test]
    fn a_marker_is_named_as_in_the_table() {
        assert_eq!(
            of("git fetch --upload-p=x").as_deref(),
            Some("--upload-pack")
        );
        assert_eq!(
            of("git submodule foreach x").as_deref(),
            Some("submodule foreach")
        );
    }
}
