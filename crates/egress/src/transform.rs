//! Transforms: a closed, listed set of pure functions from values to a value.

use subrosa_crypto::{MemoryError, SecretBuf};

pub mod feather;
mod filling;

pub use filling::{Escapes, Filling, Gap};

mod sealed {
    pub trait Sealed {}
}

/// A pure function over values. Closed: a general closure could capture what it is shown, so
/// only the types of this module implement it, and ARCHITECTURE.md lists them.
///
/// `F` is what may go wrong, and never says anything of an input in words. `O` is where the result
/// goes: one buffer, or several.
pub trait Transform<F = MemoryError, O = SecretBuf>: sealed::Sealed {
    /// Appends the result to `out`.
    ///
    /// # Errors
    /// `F`: at least that the result does not fit into locked memory. `out` may then hold a part.
    fn run(&self, inputs: &[&[u8]], out: &mut O) -> Result<(), F>;
}

/// How a [`Document`] is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DocumentForm {
    /// `NAME="value"` lines, readable by a dotenv parser and by a POSIX shell.
    Dotenv,
    /// One JSON object. Values that are not UTF-8 become `{"base64": "…"}`.
    Json,
}

/// Writes values under names as one document: what `export` and `--inject stdin` hand over.
#[derive(Debug, Clone)]
pub struct Document {
    form: DocumentForm,
    names: Vec<String>,
}

impl Document {
    /// A document with one entry a name; the inputs are taken in the same order, and those beyond
    /// the names are left out.
    #[must_use]
    pub fn new(form: DocumentForm, names: Vec<String>) -> Self {
        Self { form, names }
    }
}

impl sealed::Sealed for Document {}

impl Transform for Document {
    fn run(&self, inputs: &[&[u8]], out: &mut SecretBuf) -> Result<(), MemoryError> {
        let entries = self.names.iter().zip(inputs.iter().copied());
        match self.form {
            DocumentForm::Dotenv => entries.into_iter().try_for_each(|(name, value)| {
                out.extend(name.as_bytes())?;
                out.extend(b"=\"")?;
                extend_escaped(value, out, dotenv_escape)?;
                out.extend(b"\"\n")
            }),
            DocumentForm::Json => {
                out.extend(b"{")?;
                for (index, (name, value)) in entries.enumerate() {
                    out.extend(if index == 0 { b"\n  \"" } else { b",\n  \"" })?;
                    extend_escaped(name.as_bytes(), out, json_escape)?;
                    out.extend(b"\": ")?;
                    json_value(value, out)?;
                }
                out.extend(b"\n}\n")
            }
        }
    }
}

fn json_value(value: &[u8], out: &mut SecretBuf) -> Result<(), MemoryError> {
    if std::str::from_utf8(value).is_ok() {
        out.extend(b"\"")?;
        extend_escaped(value, out, json_escape)?;
        return out.extend(b"\"");
    }
    out.extend(b"{\"base64\": \"")?;
    extend_base64(value, out)?;
    out.extend(b"\"}")
}

/// Copies `value`, each byte that `escape` names replaced, without a buffer outside locked memory.
fn extend_escaped(
    value: &[u8],
    out: &mut SecretBuf,
    escape: fn(u8) -> Option<[u8; 6]>,
) -> Result<(), MemoryError> {
    let mut plain = 0;
    for (index, byte) in value.iter().enumerate() {
        if let Some(replacement) = escape(*byte) {
            out.extend(&value[plain..index])?;
            let length = replacement
                .iter()
                .position(|b| *b == 0)
                .unwrap_or(replacement.len());
            out.extend(&replacement[..length])?;
            plain = index + 1;
        }
    }
    out.extend(&value[plain..])
}

fn short(text: &[u8]) -> [u8; 6] {
    let mut out = [0; 6];
    out[..text.len()].copy_from_slice(text);
    out
}

fn dotenv_escape(byte: u8) -> Option<[u8; 6]> {
    match byte {
        b'\n' => Some(short(b"\\n")),
        b'\r' => Some(short(b"\\r")),
        b'"' | b'\\' | b'$' | b'`' => Some(short(&[b'\\', byte])),
        _ => None,
    }
}

fn json_escape(byte: u8) -> Option<[u8; 6]> {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    match byte {
        b'"' | b'\\' => Some(short(&[b'\\', byte])),
        b'\n' => Some(short(b"\\n")),
        b'\r' => Some(short(b"\\r")),
        b'\t' => Some(short(b"\\t")),
        0..0x20 => Some([
            b'\\',
            b'u',
            b'0',
            b'0',
            HEX[usize::from(byte >> 4)],
            HEX[usize::from(byte & 15)],
        ]),
        _ => None,
    }
}

fn extend_base64(value: &[u8], out: &mut SecretBuf) -> Result<(), MemoryError> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for chunk in value.chunks(3) {
        let bits = u32::from(chunk[0]) << 16
            | u32::from(chunk.get(1).copied().unwrap_or(0)) << 8
            | u32::from(chunk.get(2).copied().unwrap_or(0));
        let mut text = [b'='; 4];
        for (index, letter) in text.iter_mut().enumerate().take(chunk.len() + 1) {
            *letter = ALPHABET[(bits >> (18 - 6 * index) & 63) as usize];
        }
        out.extend(&text)?;
    }
    Ok(())
}
