//! What lies around: `.env` files, configurations of agents, servers of tools. Names alone.

use std::path::{Path, PathBuf};

use serde::Serialize;
use subrosa_crypto::SecretBuf;

use super::content;
use crate::EngineError;
use crate::envfile::NEW;
use crate::import::{dotenv, likely, mcp};
use crate::providers::Providers;

/// Most `.env` files that are looked at.
const FILES_MAX: usize = 50;

/// Ends of names that say that a file holds no values.
const SAMPLES: [&str; 6] = [
    "example", "sample", "template", "dist", "defaults", "schema",
];

/// What is known of an agent: its name, its file, and whether that is in the home folder and may
/// configure tool servers as JSON.
struct Known {
    agent: &'static str,
    file: &'static str,
    home: bool,
    servers: bool,
}

const fn known(agent: &'static str, file: &'static str, home: bool, servers: bool) -> Known {
    Known {
        agent,
        file,
        home,
        servers,
    }
}

/// Where agents keep what they are told.
const AGENTS: [Known; 15] = [
    known("Claude Code", ".mcp.json", false, true),
    known("Claude Code", ".claude/settings.json", false, false),
    known("Claude Code", ".claude/settings.local.json", false, false),
    known("Claude Code", ".claude.json", true, true),
    known("Claude Code", ".claude/settings.json", true, false),
    known(
        "Claude Desktop",
        ".config/Claude/claude_desktop_config.json",
        true,
        true,
    ),
    known("Codex", ".codex/config.toml", false, false),
    known("Codex", ".codex/config.toml", true, false),
    known("Codex", ".codex/auth.json", true, false),
    known("Cursor", ".cursor/mcp.json", false, true),
    known("Cursor", ".cursor/mcp.json", true, true),
    known("Gemini CLI", ".gemini/settings.json", false, true),
    known("Gemini CLI", ".gemini/settings.json", true, true),
    known("VS Code", ".vscode/mcp.json", false, true),
    known("Windsurf", ".codeium/windsurf/mcp_config.json", true, true),
];

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SightingKind {
    /// `NAME=value` lines.
    Env,
    /// A configuration with tool servers.
    Servers,
    /// Another configuration of an agent; it was not read.
    Agent,
}

/// A file that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sighting {
    /// Where it is.
    #[serde(serialize_with = "as_text")]
    pub path: PathBuf,
    /// What it is.
    pub kind: SightingKind,
    /// Whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<&'static str>,
    /// What is in it, in its order.
    pub variables: Vec<SeenVariable>,
    /// Why it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// A variable of a file. Never its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SeenVariable {
    /// Its name, behind that of its server.
    pub name: String,
    /// What it holds.
    pub state: State,
    /// Whose credential it seems to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Where that may go.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
}

/// What a variable holds, as far as its name and form tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// A secret, it seems.
    Secret,
    /// A setting, it seems, or nothing.
    Plain,
    /// A reference, or a placeholder of ours.
    Replaced,
}

impl Sighting {
    /// How many secrets seem to be in it.
    #[must_use]
    pub fn secrets(&self) -> usize {
        let secret = |one: &&SeenVariable| one.state == State::Secret;
        self.variables.iter().filter(secret).count()
    }
}

/// Looks for `.env` files in a folder, and for configurations of agents there and at home. What
/// cannot be read is told, and is no error.
#[must_use]
pub fn look(folder: &Path, home: Option<&Path>, providers: &Providers) -> Vec<Sighting> {
    let mut found: Vec<Sighting> = env_files(folder)
        .into_iter()
        .map(|path| {
            let seen = content(&path).and_then(|content| variables(&path, &content, providers));
            sighting(path, SightingKind::Env, None, seen)
        })
        .collect();
    for known in &AGENTS {
        let Some(folder) = (match known.home {
            true => home,
            false => Some(folder),
        }) else {
            continue;
        };
        let path = folder.join(known.file);
        if !path.is_file() || found.iter().any(|earlier| earlier.path == path) {
            continue;
        }
        let servers = match known.servers {
            true => content(&path).map(|content| servers(&content, providers)),
            false => Ok(None),
        };
        let agent = Some(known.agent);
        found.push(match servers {
            Ok(None) => sighting(path, SightingKind::Agent, agent, Ok(Vec::new())),
            Ok(Some(seen)) => sighting(path, SightingKind::Servers, agent, Ok(seen)),
            Err(error) => sighting(path, SightingKind::Servers, agent, Err(error)),
        });
    }
    found
}

fn sighting(
    path: PathBuf,
    kind: SightingKind,
    agent: Option<&'static str>,
    seen: Result<Vec<SeenVariable>, EngineError>,
) -> Sighting {
    let (variables, problem) = match seen {
        Ok(variables) => (variables, None),
        Err(error) => (Vec::new(), Some(error.to_string())),
    };
    Sighting {
        path,
        kind,
        agent,
        variables,
        problem,
    }
}

/// `.env` and `.env.*` without the samples, ascending.
fn env_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let is_env = |name: &str| {
        let end = name.rsplit('.').next().unwrap_or_default();
        name == ".env"
            || (name.starts_with(".env.") && !SAMPLES.contains(&end) && !name.ends_with(NEW))
    };
    let mut files: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_str().is_some_and(is_env))
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    files.truncate(FILES_MAX);
    files
}

fn variables(
    path: &Path,
    content: &SecretBuf,
    providers: &Providers,
) -> Result<Vec<SeenVariable>, EngineError> {
    let entries = dotenv::parse(&path.display().to_string(), content)?;
    let seen = entries.into_iter().map(|entry| {
        let claimed = providers.claim(&entry.name, entry.value.as_slice());
        let secret = claimed.is_some() || likely::is_secret(&entry.name, entry.value.as_slice());
        let state = match (entry.reference(), secret && !entry.value.is_empty()) {
            (Some(_), _) => State::Replaced,
            (None, true) => State::Secret,
            (None, false) => State::Plain,
        };
        variable(entry.name, state, claimed.map(|(provider, _)| provider))
    });
    Ok(seen.collect())
}

/// The secrets of tool servers; `None` for a configuration without any server.
fn servers(content: &SecretBuf, providers: &Providers) -> Option<Vec<SeenVariable>> {
    let found = mcp::items(content.as_slice(), false).ok()?;
    let secrets = found.entries.iter().map(|entry| {
        let name = entry.path.last().map(String::as_str).unwrap_or_default();
        let value = entry.fields.first().map(|field| field.value.as_slice());
        let claimed = providers.claim(name, value.unwrap_or_default());
        let state = match entry.fields.is_empty() {
            true => State::Plain,
            false => State::Secret,
        };
        let claimed = claimed.map(|(provider, _)| provider);
        variable(entry.path.join("/"), state, claimed)
    });
    let plain = found.plain.iter();
    let plain = plain.map(|path| variable(path.join("/"), State::Plain, None));
    Some(secrets.chain(plain).collect())
}

fn as_text<S: serde::Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

fn variable(
    name: String,
    state: State,
    provider: Option<&crate::providers::Provider>,
) -> SeenVariable {
    let provider = provider.filter(|_| state == State::Secret);
    SeenVariable {
        name,
        state,
        provider: provider.map(|provider| provider.id.to_string()),
        hosts: provider
            .map(|provider| provider.hosts.clone())
            .unwrap_or_default(),
    }
}
