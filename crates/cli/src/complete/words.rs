//! Words of a shell.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// Whether a word means nothing but itself to every shell, wherever it stands in a line, and shows
/// as what it is.
///
/// Names are chosen by whoever may write to the vault, and a shell puts a completion onto the
/// command line as it is: a tag like `$(reboot)` is not for it.
pub(super) fn harmless(word: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || "/._-+@:,=#".contains(c);
    // `#` begins a comment, `=` names a file in zsh.
    !word.is_empty() && word.chars().all(inside) && !word.starts_with(['#', '='])
}

/// A word of bash without its quotes. Nothing in it is expanded, let alone run.
pub(super) fn unquoted(word: &OsStr) -> OsString {
    let mut plain = Vec::new();
    let mut quote = None;
    let mut bytes = word.as_bytes().iter().copied();
    while let Some(byte) = bytes.next() {
        match (byte, quote) {
            (b'\'', None) | (b'"', None) => quote = Some(byte),
            (byte, Some(open)) if byte == open => quote = None,
            (b'\\', None | Some(b'"')) => plain.extend(bytes.next()),
            (byte, _) => plain.push(byte),
        }
    }
    OsString::from_vec(plain)
}
