//! Where agents and shells write down what was said and typed.

use std::path::{Path, PathBuf};

use super::{Kind, Scanner, files};
use crate::context::Context;
use crate::failure::Failure;

/// One that keeps logs, and where.
pub(super) struct Keeper {
    pub(super) who: &'static str,
    /// The variable that names the folder, and the folder below the home folder without it.
    pub(super) root: (Option<&'static str>, &'static str),
    /// Files and folders in it.
    pub(super) paths: &'static [&'static str],
}

const fn keeper(
    who: &'static str,
    root: (Option<&'static str>, &'static str),
    paths: &'static [&'static str],
) -> Keeper {
    Keeper { who, root, paths }
}

/// The folder of the home folder itself.
const HOME: (Option<&str>, &str) = (None, "");
const CONFIG: (Option<&str>, &str) = (Some("XDG_CONFIG_HOME"), ".config");
const DATA: (Option<&str>, &str) = (Some("XDG_DATA_HOME"), ".local/share");
const STATE: (Option<&str>, &str) = (Some("XDG_STATE_HOME"), ".local/state");
/// What aider writes, in the folder in which it is started.
const AIDER: &[&str] = &[
    ".aider.chat.history.md",
    ".aider.input.history",
    ".aider.llm.history",
];

/// All that are known. A test compares them with the table of the guide.
#[rustfmt::skip]
pub(super) const KEEPERS: &[Keeper] = &[
    keeper("Claude Code", (Some("CLAUDE_CONFIG_DIR"), ".claude"),
        &["projects", "history.jsonl", "file-history", "plans", "todos", "shell-snapshots", "debug"]),
    keeper("Codex", (Some("CODEX_HOME"), ".codex"),
        &["sessions", "archived_sessions", "history.jsonl", "log"]),
    keeper("Gemini CLI", (None, ".gemini"), &["tmp"]),
    keeper("Cursor", (None, ".cursor"), &["projects", "chats"]),
    keeper("Cursor", CONFIG,
        &["Cursor/User/globalStorage", "Cursor/User/workspaceStorage", "Cursor/User/History"]),
    keeper("VS Code with Copilot, Cline, Roo Code", CONFIG,
        &["Code/User/globalStorage", "Code/User/workspaceStorage", "Code/User/History"]),
    keeper("Aider", HOME, AIDER),
    keeper("opencode", DATA, &["opencode"]),
    keeper("Goose", DATA, &["goose/sessions"]),
    keeper("Goose", STATE, &["goose/logs"]),
    keeper("Continue", (None, ".continue"), &["sessions", "dev_data"]),
    keeper("shells", HOME,
        &[".bash_history", ".zsh_history", ".zhistory", ".histfile", ".ash_history", ".sh_history"]),
    keeper("shells", DATA,
        &["fish/fish_history", "atuin/history.db", "powershell/PSReadLine/ConsoleHost_history.txt"]),
    keeper("shells", CONFIG, &["nushell/history.txt"]),
    keeper("interpreters and clients", HOME,
        &[".python_history", ".node_repl_history", ".irb_history", ".psql_history", ".mysql_history",
          ".sqlite_history", ".rediscli_history"]),
    keeper("pagers and editors", HOME, &[".lesshst", ".viminfo"]),
];

/// Searches all of them that are there.
pub(super) fn scan(scanner: &mut Scanner<'_>, context: &Context) -> Result<(), Failure> {
    let set = |name: &str| {
        let folder = context.variable(name).map(PathBuf::from);
        folder.filter(|path| path.is_absolute())
    };
    let home = set("HOME").ok_or_else(|| {
        Failure::usage("HOME names no folder, so nobody knows where logs are")
            .remedy("Name the folders: subrosa scan --no-ignore FOLDER")
    })?;
    let mut places = Vec::new();
    for keeper in KEEPERS {
        let (variable, folder) = keeper.root;
        let root = variable.and_then(set).unwrap_or_else(|| home.join(folder));
        let all = keeper
            .paths
            .iter()
            .map(|path| (root.join(path), keeper.who));
        places.extend(all);
    }
    places.extend(set("HISTFILE").map(|path| (path, "shells")));
    let here = context.directory()?;
    places.extend(AIDER.iter().map(|name| (here.join(name), "Aider")));
    places.sort();
    places.dedup();
    let mut last: Option<PathBuf> = None;
    for (place, who) in places {
        // What is below another one is searched with it.
        let within = |last: &PathBuf| place.starts_with(Path::new(last));
        if !last.as_ref().is_some_and(within) && place.symlink_metadata().is_ok() {
            files::below(scanner, &place, true, Kind::Session(who))?;
            last = Some(place);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUIDE: &str = include_str!("../../../../../docs/guide/scanning.md");

    #[test]
    fn the_guide_names_every_place_and_no_other() {
        let row = |keeper: &Keeper| {
            let (variable, folder) = keeper.root;
            let folder = match folder {
                "" => "~".to_owned(),
                folder => format!("~/{folder}"),
            };
            let folder = match variable {
                Some(variable) => format!("`{folder}` or `${variable}`"),
                None => format!("`{folder}`"),
            };
            let paths: Vec<String> = keeper
                .paths
                .iter()
                .map(|path| format!("`{path}`"))
                .collect();
            format!("| {} | {folder} | {} |", keeper.who, paths.join(", "))
        };
        let table = GUIDE.split("| Who |").nth(1).expect("a table");
        let told: Vec<&str> = table
            .lines()
            .skip(2)
            .take_while(|line| line.starts_with('|'))
            .collect();
        let wanted: Vec<String> = KEEPERS.iter().map(row).collect();
        assert_eq!(
            told,
            wanted,
            "write this into the guide:\n{}",
            wanted.join("\n")
        );
    }
}
