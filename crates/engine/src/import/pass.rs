//! `pass`: one decrypted entry of a password store.
//!
//! The first line is the password. Below it, `name: value` is a field, a line that begins with
//! `otpauth://` a one-time password, and every other line belongs to the notes. An entry that
//! begins like a PEM file, or holds a NUL byte, is one value as a whole.
//!
//! Source: pass(1), "Extended example usage"; pass-otp(1).

use subrosa_crypto::{MemoryError, SecretBuf};

use super::entry::{Entry, Place};

/// Reads one entry; `name` is its path in the store, without `.gpg`.
///
/// # Errors
/// [`MemoryError`] when the system does not lock that much. Any bytes are an entry.
pub fn entry(name: &str, content: &SecretBuf) -> Result<Entry, MemoryError> {
    let mut entry = Entry {
        place: Place::Whole,
        path: vec![name.to_owned()],
        ..Entry::default()
    };
    let text = content.as_slice();
    if text.starts_with(b"-----BEGIN ") || text.contains(&0) {
        let kind = if text.contains(&0) { "" } else { "pem" };
        entry.secret("value", kind, SecretBuf::copy_from(text)?);
        return Ok(entry);
    }
    let mut notes = SecretBuf::with_capacity(text.len())?;
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.trim_ascii().is_empty() {
            // Empty lines within the notes are theirs.
            if !notes.is_empty() {
                notes.extend(b"\n")?;
            }
        } else if line.starts_with(b"otpauth://") {
            entry.secret("otp", "totp", SecretBuf::copy_from(line)?);
        } else if index == 0 {
            entry.secret("value", "password", SecretBuf::copy_from(line)?);
        } else if let Some((name, value)) = field(line) {
            put(&mut entry, name, SecretBuf::copy_from(value)?);
        } else {
            notes.extend(line)?;
            notes.extend(b"\n")?;
        }
    }
    notes.truncate(notes.as_slice().trim_ascii_end().len());
    entry.secret("notes", "note", notes);
    Ok(entry)
}

/// `name: value`, where the name is one.
fn field(line: &[u8]) -> Option<(&str, &[u8])> {
    const LONG: usize = 40;
    let at = line.iter().take(LONG + 1).position(|byte| *byte == b':')?;
    let (name, value) = (&line[..at], &line[at + 1..]);
    // A blank behind the colon: `https://…` and times are text.
    let value = value
        .strip_prefix(b" ")
        .or_else(|| value.strip_prefix(b"\t"))?
        .trim_ascii();
    let name = std::str::from_utf8(name).ok()?;
    let fits = |c: char| c.is_ascii_alphanumeric() || " _.-".contains(c);
    let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    (begins && name.chars().all(fits) && !value.is_empty()).then_some((name, value))
}

fn put(entry: &mut Entry, name: &str, value: SecretBuf) {
    match name.to_ascii_lowercase().as_str() {
        "user" | "username" | "login" if !entry.has("username") => {
            entry.open("username", "username", value);
        }
        "url" | "website" => entry.web(value),
        _ => entry.secret(name, "", value),
    }
}

#[cfg(test)]
#[path = "pass_tests.rs"]
mod tests;
