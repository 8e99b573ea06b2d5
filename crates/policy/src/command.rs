//! The command of a rule, and when a request's command is that one.
//!
//! Allowing reads a name as narrowly as it can be meant, denying as widely: a name that is allowed
//! must be the one that was typed *and* the one that it resolved to, a name that is denied only one
//! of them, whatever its case or version.

use std::ffi::OsStr;
use std::fmt;
use std::path::Path;

use subrosa_model::CommandLine;

use crate::always;
use crate::glob::matches_runs;

/// Folders that only the administrator writes, in which a name with its path is as good as the bare
/// name.
const SYSTEM_FOLDERS: [&str; 6] = [
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
];

/// Names that are commonly links to a file of another name. Each of them is always denied, so only
/// a rule for exactly one command line ever uses this table.
const FAMILIES: [(&str, &[&str]); 5] = [
    (
        "sh",
        &["dash", "bash", "ash", "ksh", "mksh", "yash", "posh", "zsh"],
    ),
    ("awk", &["mawk", "gawk", "nawk", "original-awk"]),
    ("vi", &["vim", "nvim", "vim.basic", "vim.tiny"]),
    ("ex", &["vim", "nvim", "vim.basic", "vim.tiny"]),
    ("node", &["nodejs"]),
];

/// The command of a rule: a bare name, or an absolute path.
#[derive(Clone, PartialEq, Eq)]
pub struct CommandName(String);

impl CommandName {
    /// Reads the command of a rule that allows.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.contains('*') && !text.starts_with('/') {
            return Err("name the command; only a rule that denies may use `*` here".to_owned());
        }
        checked(text).map(Self)
    }

    /// Reads the command of a rule that denies, in which `*` is any run of characters.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn denied(text: &str) -> Result<Self, String> {
        checked(text).map(Self)
    }

    /// The command as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a path.
    #[must_use]
    pub fn is_path(&self) -> bool {
        self.0.starts_with('/')
    }

    fn file_name(&self) -> &str {
        file_name(&self.0)
    }

    /// Whether a rule that allows this command may allow the request's.
    ///
    /// `exact` says that the rule names one command line and no other.
    pub(crate) fn allows(&self, command: &CommandLine, exact: bool) -> bool {
        let typed = command.requested.as_encoded_bytes();
        let resolved = command.executable.as_os_str().as_encoded_bytes();
        if self.is_path() {
            return self.0.as_bytes() == resolved || self.0.as_bytes() == typed;
        }
        let typed_name = match typed.iter().rposition(|byte| *byte == b'/') {
            None => typed,
            Some(slash) => {
                let system = SYSTEM_FOLDERS
                    .iter()
                    .any(|folder| folder.as_bytes() == &typed[..slash]);
                if !system {
                    return false;
                }
                &typed[slash + 1..]
            }
        };
        let Some(file) = command.executable.file_name().and_then(OsStr::to_str) else {
            return false;
        };
        typed_name == self.0.as_bytes()
            && (is_version_of(file, &self.0)
                || is_family(file, &self.0)
                || (exact && always::is_multi_call(file)))
    }

    /// Whether the command that always-denied names stand against is the very one that is meant: the
    /// same name is typed, handed to the program, and written in the rule. (A program that serves
    /// several names acts by the one it is handed.)
    pub(crate) fn names_all_of(&self, command: &CommandLine) -> bool {
        let own = self.file_name().as_bytes();
        let name = |text: &OsStr| {
            let text = text.as_encoded_bytes();
            text.rsplit(|byte| *byte == b'/').next() == Some(own)
        };
        name(&command.requested) && command.arguments.first().is_some_and(|text| name(text))
    }

    /// Whether a rule that denies this command denies the request's.
    pub(crate) fn denies(&self, command: &CommandLine) -> bool {
        let own = fold(&self.0);
        let pattern: Vec<Option<u8>> = own
            .bytes()
            .map(|byte| (byte != b'*').then_some(byte))
            .collect();
        if self.is_path() {
            let typed = clean(&fold(&command.requested.to_string_lossy()));
            let resolved = fold(&command.executable.to_string_lossy());
            return [typed, resolved]
                .iter()
                .any(|path| matches_runs(&pattern, path.as_bytes()));
        }
        names(command).iter().any(|name| {
            matches_runs(&pattern, name.as_bytes())
                || name
                    .strip_prefix(&own)
                    .is_some_and(|rest| rest.starts_with('.') || always::is_variant(rest))
        })
    }
}

/// The names under which a request's command goes, folded: typed, handed to the program, resolved.
pub(crate) fn names(command: &CommandLine) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(3);
    let texts = [
        Some(&*command.requested),
        command.arguments.first().map(|text| &**text),
    ];
    let resolved = command.executable.as_os_str();
    for text in texts.into_iter().flatten().chain([resolved]) {
        let text = fold(&text.to_string_lossy());
        // A login shell is handed its name with a dash.
        let name = file_name(text.trim_end_matches('/'))
            .trim_start_matches('-')
            .to_owned();
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// One spelling for all that differ in case only, as file systems that ignore case see it.
pub(crate) fn fold(text: &str) -> String {
    text.chars()
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .collect()
}

/// The path without `.`, `..` and doubled slashes, as the text says and not as links have it.
fn clean(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            _ => segments.push(segment),
        }
    }
    let root = if path.starts_with('/') { "/" } else { "" };
    format!("{root}{}", segments.join("/"))
}

/// Whether a file name is `name`, or `name` with a version: `python3.11` for `python`.
fn is_version_of(file: &str, name: &str) -> bool {
    file == name || file.strip_prefix(name).is_some_and(always::is_version)
}

fn is_family(file: &str, name: &str) -> bool {
    FAMILIES.iter().any(|(link, targets)| {
        *link == name && targets.iter().any(|target| is_version_of(file, target))
    })
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn checked(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("a command may not be empty".to_owned());
    }
    if text.len() > 4096 {
        return Err("a command has at most 4096 bytes".to_owned());
    }
    if text.chars().any(char::is_control) {
        return Err("a command may not hold control characters".to_owned());
    }
    if text.starts_with('/') {
        let cleaned = clean(text);
        return if cleaned == text && Path::new(text).file_name().is_some() {
            Ok(cleaned)
        } else {
            Err(format!("write the path without detours: {cleaned}"))
        };
    }
    if text.contains('/') {
        return Err("a command is a bare name or an absolute path".to_owned());
    }
    if text.chars().any(char::is_whitespace) {
        return Err("a command is one word; its arguments go into a rule's `args`".to_owned());
    }
    if text.starts_with('-') || text == "." || text == ".." {
        return Err("this is not the name of a command".to_owned());
    }
    Ok(text.to_owned())
}

impl fmt::Display for CommandName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CommandName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CommandName({:?})", self.0)
    }
}
