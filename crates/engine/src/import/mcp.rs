//! `mcp.json`: the values in the configuration of tool servers.
//!
//! Under `mcpServers` or `servers`, each server may have `env` and `headers`. A value there that
//! looks like a secret is imported under `SERVER/NAME`; the rest only when all are asked for.
//! What a client fills in (`${…}`) and references of ours are no values. Arguments are not read.
//!
//! Source: Model Context Protocol, "Connect to local servers"; VS Code, "MCP configuration".

use super::entry::{Entry, Found, Place, Wrong};
use super::likely;
use super::tree::{self, Dialect, Node};
use crate::placeholder;

/// Names under which servers stand.
const SERVERS: [&str; 2] = ["mcpServers", "servers"];

/// Whether a document configures servers.
pub(crate) fn is_configuration(tree: &Node<'_>) -> bool {
    let is_server = |node: &Node<'_>| node.get("command").is_some() || node.get("url").is_some();
    SERVERS.iter().any(|name| {
        let servers = tree.get(name).map(Node::members).unwrap_or_default();
        servers.iter().any(|(_, server)| is_server(server))
    })
}

/// Reads a configuration; `all`: also what does not look like a secret.
///
/// # Errors
/// [`Wrong`] with the line, without any of its content.
pub fn items(document: &[u8], all: bool) -> Result<Found, Wrong> {
    let tree =
        tree::parse(document, Dialect::Commented).map_err(|wrong| Wrong::json(document, wrong))?;
    let known = SERVERS.iter().filter_map(|name| tree.get(name));
    let mut found = Found::default();
    let mut any = false;
    for (name, server) in known.flat_map(Node::members) {
        any = true;
        for group in ["env", "headers"] {
            for (variable, value) in server.get(group).map(Node::members).unwrap_or_default() {
                let path = vec![name.name(), variable.name()];
                take(path, group, value, all, &mut found)?;
            }
        }
    }
    if !any {
        return Err(Wrong::whole(
            "there is no server in it, under mcpServers or servers",
        ));
    }
    Ok(found)
}

fn take(
    path: Vec<String>,
    group: &str,
    value: &Node<'_>,
    all: bool,
    found: &mut Found,
) -> Result<(), Wrong> {
    let place = Place::Item(found.entries.len() + found.plain.len() + found.references + 1);
    let value = match value {
        Node::Text(text) => text.secret()?,
        Node::Number(digits) => subrosa_crypto::SecretBuf::copy_from(digits)?,
        Node::Null | Node::Bool(_) => {
            found.plain.push(path);
            return Ok(());
        }
        _ => {
            return Err(Wrong::at(
                place,
                format!("a value under {group} is a list or an object"),
            ));
        }
    };
    if is_reference(value.as_slice()) {
        found.references += 1;
        return Ok(());
    }
    let name = path.last().map(String::as_str).unwrap_or_default();
    if !all && !value.is_empty() && !likely::is_secret(name, value.as_slice()) {
        found.plain.push(path);
        return Ok(());
    }
    let mut entry = Entry {
        place,
        variable: (group == "env").then(|| name.to_owned()),
        path,
        ..Entry::default()
    };
    entry.secret("value", "", value);
    found.entries.push(entry);
    Ok(())
}

/// `${input:token}`, `Bearer ${env:TOKEN}`, `subrosa://…`, a placeholder of ours: filled in by whoever reads the file.
fn is_reference(value: &[u8]) -> bool {
    let value = value.strip_prefix(b"Bearer ").unwrap_or(value);
    let inside = value
        .strip_prefix(b"${")
        .and_then(|rest| rest.strip_suffix(b"}"));
    value.starts_with(b"subrosa://")
        || placeholder::is_ours(value)
        || inside.is_some_and(|name| !name.contains(&b'}'))
}

#[cfg(test)]
#[path = "mcp_tests.rs"]
mod tests;
