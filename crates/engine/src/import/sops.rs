//! `sops`: what the program gives for an encrypted file, as JSON.
//!
//! Each text, number and switch is a secret of its own; names on the way to it are parted by `/`,
//! and places in lists count from 0. A number comes as it is written.
//!
//! Source: sops documentation, "Encrypting using …" and "--output-type".

use subrosa_crypto::SecretBuf;

use super::entry::{Entry, Found, Place, Wrong};
use super::tree::{self, Dialect, Node};

/// Whether a document is a file that sops encrypted.
pub(crate) fn is_encrypted(tree: &Node<'_>) -> bool {
    tree.get("sops")
        .is_some_and(|about| about.get("mac").is_some() || about.get("version").is_some())
}

/// The type of a text that sops encrypted and that is no JSON, as `--input-type` names it.
pub(crate) fn text_type(document: &[u8]) -> Option<&'static str> {
    let mut table = None;
    for line in document
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii_end)
    {
        if line.starts_with(b"sops_mac=ENC[") {
            return Some("dotenv");
        }
        match line {
            b"sops:" => table = Some("yaml"),
            b"[sops]" => table = Some("ini"),
            line => {
                let about = line.trim_ascii_start().strip_prefix(b"mac");
                let about = about.map(<[u8]>::trim_ascii_start);
                if about
                    .is_some_and(|rest| rest.starts_with(b": ENC[") || rest.starts_with(b"= ENC["))
                {
                    return table;
                }
            }
        }
    }
    None
}

/// Whether a YAML file has more than one document: the program gives the first alone.
pub(crate) fn has_documents(document: &[u8]) -> bool {
    let mut seen = false;
    document.split(|byte| *byte == b'\n').any(|line| {
        let again = seen && line.trim_ascii_end() == b"---";
        seen = seen || !(line.trim_ascii().is_empty() || line.starts_with(b"#"));
        again
    })
}

/// Reads what the program gave.
///
/// # Errors
/// [`Wrong`], without any of its content.
pub fn items(document: &[u8]) -> Result<Found, Wrong> {
    let tree =
        tree::parse(document, Dialect::Strict).map_err(|wrong| Wrong::json(document, wrong))?;
    if !matches!(tree, Node::Object(_)) {
        return Err(Wrong::whole("sops gave no object of names and values"));
    }
    let mut found = Found::default();
    walk(&tree, &mut Vec::new(), &mut found)?;
    Ok(found)
}

fn walk(node: &Node<'_>, path: &mut Vec<String>, found: &mut Found) -> Result<(), Wrong> {
    let value = match node {
        Node::Object(members) => {
            for (name, member) in members {
                path.push(name.name());
                walk(member, path, found)?;
                path.pop();
            }
            return Ok(());
        }
        Node::List(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(index.to_string());
                walk(item, path, found)?;
                path.pop();
            }
            return Ok(());
        }
        Node::Null => SecretBuf::new(),
        Node::Bool(yes) => SecretBuf::copy_from(if *yes { b"true" } else { b"false" })?,
        Node::Number(digits) => SecretBuf::copy_from(digits)?,
        Node::Text(text) => text.secret()?,
    };
    let place = Place::Item(found.entries.len() + 1);
    // Where bytes were no text, the program writes this character, and the value is lost.
    if value
        .as_slice()
        .windows(3)
        .any(|part| part == "\u{fffd}".as_bytes())
    {
        return Err(
            Wrong::at(place, "this value is not text, and JSON cannot carry it")
                .remedy("store it alone: sops decrypt FILE | subrosa set KEY --stdin"),
        );
    }
    let mut entry = Entry {
        place,
        path: path.clone(),
        variable: (path.len() == 1).then(|| path[0].clone()),
        ..Entry::default()
    };
    entry.secret("value", "", value);
    found.entries.push(entry);
    Ok(())
}

#[cfg(test)]
#[path = "sops_tests.rs"]
mod tests;
