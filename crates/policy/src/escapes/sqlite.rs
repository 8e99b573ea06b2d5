//! Dot commands of sqlite3, which takes any abbreviation of them.

/// Whether any line of the text is this dot command, or an abbreviation of it.
///
/// The shell skips blanks behind the dot and takes quotes off a word, with backslashes in it: a name
/// in quotes counts as any command.
pub(super) fn has_command(text: &str, command: &str) -> bool {
    dot_lines(text).any(|line| {
        let end = line
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(line.len());
        line.starts_with(['"', '\'']) || (end > 0 && command.starts_with(&line[..end]))
    })
}

/// Whether any line of the text is a dot command with a pipe: as a file name, `|` starts a program.
pub(super) fn has_pipe(text: &str) -> bool {
    dot_lines(text).any(|line| line.contains('|') || line.contains('\\'))
}

/// What follows the dot of lines that begin with one.
fn dot_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter_map(|line| line.trim_start().strip_prefix('.'))
        .map(str::trim_start)
}
