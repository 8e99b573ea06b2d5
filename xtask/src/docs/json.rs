//! The page of `--json`: every document with its fields, from real runs.
//!
//! `json.toml` says what is run and what each field means. A field that a run shows and nobody
//! describes is an error, and so is a description of what no run shows.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use toml::Table;

use super::shape::Shape;
use super::vault::{Ran, Vault};
use crate::house::House;

const PLAN: &str = "xtask/src/docs/json.toml";

const HEAD: &str = "\
<!-- Made by `cargo xtask docs`; change the program, not this page. -->

# JSON

With `--json` a command writes one document to standard output, and nothing else there. Errors are one line on standard error: [errors](errors.md). Fields may be added; what is there keeps its name, type and meaning. No document holds a value of a secret.

Times are text in UTC, RFC 3339. Digests and ids are text in lower-case hexadecimal digits. A field in brackets is not always there. `[]` stands for each element of a list.
";

/// A field: its place, what it means, and its type where the runs do not show it all.
struct Field {
    place: String,
    means: String,
    kind: Option<String>,
}

/// A document of the plan.
struct Document {
    name: String,
    commands: Vec<String>,
    about: String,
    fields: Vec<Field>,
    shape: Shape,
}

/// Runs the plan and writes the page. `commands` are all that need a document or a reason.
pub(super) fn page(house: &House, program: &Path, commands: &[String]) -> Result<String> {
    let text = std::fs::read_to_string(house.root.join(PLAN)).with_context(|| PLAN.to_owned())?;
    let plan: Table = text.parse().with_context(|| PLAN.to_owned())?;
    let mut documents = documents(&plan)?;
    let mut vault = Vault::new(house, program)?;
    for (name, text) in table(&plan, "files")? {
        vault.write(name, text.as_str().context("a file is a text")?)?;
    }
    for step in list(&plan, "step")? {
        take(&mut vault, &mut documents, step).with_context(|| format!("{PLAN}: {step}"))?;
    }
    drop(vault);
    let mut wrong: Vec<String> = documents.iter().flat_map(differences).collect();
    let without = table(&plan, "without")?;
    wrong.extend(uncovered(&documents, without, commands));
    if !wrong.is_empty() {
        bail!(
            "{PLAN} does not describe what the program writes:\n  {}",
            wrong.join("\n  ")
        );
    }
    Ok(written(&documents, without))
}

fn list<'a>(table: &'a Table, name: &str) -> Result<Vec<&'a Table>> {
    let found = table.get(name).and_then(toml::Value::as_array);
    let found = found.with_context(|| format!("{PLAN} has no [[{name}]]"))?;
    Ok(found.iter().filter_map(toml::Value::as_table).collect())
}

fn table<'a>(plan: &'a Table, name: &str) -> Result<&'a Table> {
    let found = plan.get(name).and_then(toml::Value::as_table);
    found.with_context(|| format!("{PLAN} has no [{name}]"))
}

fn text(table: &Table, name: &str) -> Result<String> {
    let found = table.get(name).and_then(toml::Value::as_str);
    found
        .map(str::to_owned)
        .with_context(|| format!("`{name}` is missing in {table}"))
}

fn texts(table: &Table, name: &str) -> Vec<String> {
    let found = table.get(name).and_then(toml::Value::as_array);
    let texts = found.into_iter().flatten().filter_map(toml::Value::as_str);
    texts.map(str::to_owned).collect()
}

fn documents(plan: &Table) -> Result<Vec<Document>> {
    let read = |one: &Table| {
        let mut fields = Vec::new();
        for pair in one
            .get("fields")
            .and_then(toml::Value::as_array)
            .into_iter()
            .flatten()
        {
            let words = pair.as_array().map(Vec::as_slice).unwrap_or_default();
            let words: Option<Vec<&str>> = words.iter().map(toml::Value::as_str).collect();
            let (place, means, kind) = match words.as_deref() {
                Some([place, means]) => (place, means, None),
                Some([place, means, kind]) => (place, means, Some((*kind).to_owned())),
                _ => bail!("a field is [place, meaning] or [place, meaning, type]: {pair}"),
            };
            fields.push(Field {
                place: (*place).to_owned(),
                means: (*means).to_owned(),
                kind,
            });
        }
        Ok(Document {
            name: text(one, "name")?,
            commands: texts(one, "commands"),
            about: text(one, "about")?,
            fields,
            shape: Shape::default(),
        })
    };
    list(plan, "document")?.into_iter().map(read).collect()
}

/// Carries a step out, and takes its document in.
fn take(vault: &mut Vault, documents: &mut [Document], step: &Table) -> Result<()> {
    if let Some(back) = step.get("back").and_then(toml::Value::as_bool) {
        return vault.keep(back);
    }
    let named = step.get("document").and_then(toml::Value::as_str);
    let mut words = texts(step, "words");
    if named.is_some() {
        words.insert(0, "--json".to_owned());
    }
    let input = step
        .get("input")
        .and_then(toml::Value::as_str)
        .unwrap_or_default();
    let flag = |name: &str| step.get(name).and_then(toml::Value::as_bool);
    let ways = (
        flag("proof").unwrap_or(true),
        flag("daemon").unwrap_or(false),
    );
    let ran = vault.run(&words, input, ways)?;
    let expected = step
        .get("status")
        .and_then(toml::Value::as_integer)
        .unwrap_or(0);
    if ran.status.map(i64::from) != Some(expected) {
        bail!("ended with {:?}: {}", ran.status, ran.err);
    }
    let Some(named) = named else { return Ok(()) };
    let document = documents.iter_mut().find(|document| document.name == named);
    let document = document.with_context(|| format!("no document `{named}`"))?;
    let from = step
        .get("from")
        .and_then(toml::Value::as_str)
        .unwrap_or("output");
    for value in values(&ran, from)? {
        document.shape.see(&value);
    }
    Ok(())
}

/// The documents of a run: the whole output, each line of it, or the last line of the messages.
fn values(ran: &Ran, from: &str) -> Result<Vec<Value>> {
    let parsed =
        |text: &str| serde_json::from_str(text).with_context(|| format!("no JSON: {text}"));
    match from {
        "output" => Ok(vec![parsed(&ran.out)?]),
        "lines" => ran.out.lines().map(parsed).collect(),
        "messages" => Ok(vec![parsed(ran.err.lines().last().unwrap_or_default())?]),
        other => bail!("`from` is output, lines or messages, not {other}"),
    }
}

/// What is seen and not described, and the other way round.
fn differences(document: &Document) -> Vec<String> {
    let name = &document.name;
    let described = document.fields.iter().map(|field| field.place.as_str());
    let described: BTreeSet<&str> = described.collect();
    let missing = document
        .shape
        .fields()
        .filter(|place| !described.contains(place));
    let missing = missing.map(|place| format!("{name}: `{place}` is not described"));
    let unseen = described
        .iter()
        .filter(|place| document.shape.of(place).is_none());
    let unseen = unseen.map(|place| format!("{name}: no run shows `{place}`"));
    missing.chain(unseen).collect::<Vec<_>>()
}

/// Commands that have neither a document nor a reason for having none.
fn uncovered(documents: &[Document], without: &Table, commands: &[String]) -> Vec<String> {
    let known = |command: &&String| {
        let has = |name: &String| name.replace(' ', "-") == **command;
        documents
            .iter()
            .any(|document| document.commands.iter().any(has))
            || without.keys().any(has)
    };
    let missing = commands.iter().filter(|command| !known(command));
    let missing = missing.map(|command| format!("`{command}` has neither a document nor a reason"));
    let named = documents
        .iter()
        .flat_map(|document| &document.commands)
        .chain(without.keys());
    let gone = named.filter(|name| !commands.contains(&name.replace(' ', "-")));
    missing
        .chain(gone.map(|name| format!("there is no command `{name}`")))
        .collect()
}

fn written(documents: &[Document], without: &Table) -> String {
    let mut page = HEAD.to_owned();
    for document in documents {
        page.push_str(&format!("\n## {}\n\n", document.name));
        let names = document.commands.iter();
        let names =
            names.map(|name| format!("[`{name}`](cli.md#subrosa-{})", name.replace(' ', "-")));
        let names: Vec<String> = names.collect();
        if !names.is_empty() {
            page.push_str(&format!("Of {}. ", names.join(", ")));
        }
        page.push_str(&format!(
            "{}\n\n| Field | Type | Means |\n| --- | --- | --- |\n",
            document.about
        ));
        for Field { place, means, kind } in &document.fields {
            // What is described was seen.
            let (seen, missing) = document.shape.of(place).unwrap_or_default();
            let kind = kind.as_ref().unwrap_or(&seen);
            let name = if missing {
                format!("[`{place}`]")
            } else {
                format!("`{place}`")
            };
            page.push_str(&format!(
                "| {name} | {kind} | {} |\n",
                means.replace('|', "\\|")
            ));
        }
    }
    page.push_str("\n## Without a document\n\n| Command | Why |\n| --- | --- |\n");
    for (name, why) in without {
        let link = format!("[`{name}`](cli.md#subrosa-{})", name.replace(' ', "-"));
        page.push_str(&format!(
            "| {link} | {} |\n",
            why.as_str().unwrap_or_default()
        ));
    }
    page
}

#[cfg(test)]
mod tests;
