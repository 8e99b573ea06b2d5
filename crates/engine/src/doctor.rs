//! What may keep the vault from working or protect it less than it could, found without opening it.

use std::path::Path;

use rustix::fs::statfs;
use rustix::process::{Resource, getrlimit};
use serde::Serialize;

use crate::{Config, EngineError, Home, pinning, private_folder, status};

/// How it stands with one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// As it should be.
    Good,
    /// It works, and could be better.
    Warning,
    /// It does not work, or protects nothing.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What, in a word.
    pub name: &'static str,
    /// How it stands.
    pub health: Health,
    /// What was seen.
    pub seen: String,
    /// What to type or do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Check {
    /// A thing that is as it should be.
    #[must_use]
    pub fn good(name: &'static str, seen: impl Into<String>) -> Self {
        Self {
            name,
            health: Health::Good,
            seen: seen.into(),
            remedy: None,
        }
    }

    /// A thing that could be better.
    #[must_use]
    pub fn warning(name: &'static str, seen: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            health: Health::Warning,
            remedy: Some(remedy.into()),
            ..Self::good(name, seen)
        }
    }

    /// A thing that is wrong.
    #[must_use]
    pub fn bad(name: &'static str, seen: impl Into<String>, remedy: Option<String>) -> Self {
        Self {
            health: Health::Bad,
            remedy,
            ..Self::good(name, seen)
        }
    }

    fn failed(name: &'static str, error: &EngineError) -> Self {
        Self::bad(name, error.to_string(), error.remedy())
    }
}

/// Locked memory that keys and the values of a few hundred secrets need, in bytes.
const LOCKED: u64 = 8 * 1024 * 1024;
/// `f_type` of a file system in memory (statfs(2)).
const TMPFS: u64 = 0x0102_1994;

/// Looks at an installation and at what of the machine matters to it. Nothing is changed, but for
/// folders of this user alone that are made where they are missing.
#[must_use]
pub fn doctor(home: &Home, runtime: Option<&Path>) -> Vec<Check> {
    let mut checks = vec![configuration(home), vault(home)];
    checks.extend(folders(home));
    checks.extend(trust(home));
    checks.push(attempts(home));
    checks.push(locked_memory());
    checks.push(swap());
    checks.push(memory_files(runtime));
    checks
}

fn configuration(home: &Home) -> Check {
    let path = home.config_file();
    match Config::load(&path) {
        Ok(_) if path.exists() => Check::good("configuration", path.display().to_string()),
        Ok(_) => Check::good("configuration", "none; everything is as usual"),
        Err(error) => Check::failed("configuration", &error),
    }
}

fn vault(home: &Home) -> Check {
    match status(home) {
        Ok(status) if !status.exists => Check::warning(
            "vault",
            format!("there is none in {}", status.folder),
            "Make one: subrosa init",
        ),
        Ok(status) if status.ambient => Check::warning(
            "vault",
            format!("custody: {}", status.custody),
            "Where a person is there, use a passphrase alone: subrosa key rm LABEL",
        ),
        Ok(status) if status.slots.len() < 2 => Check::warning(
            "vault",
            "one thing alone opens it, and without that nothing does",
            "Add a recovery code: subrosa key add recovery",
        ),
        Ok(status) => Check::good("vault", status.folder),
        Err(error) => Check::failed("vault", &error),
    }
}

fn folders(home: &Home) -> Vec<Check> {
    let all = [
        ("state folder", &home.state),
        ("daemon's folder", &home.runtime),
    ];
    let look = |(name, path): (&'static str, &std::path::PathBuf)| match private_folder(path) {
        Ok(_) => Check::good(name, path.display().to_string()),
        Err(error) => Check::failed(name, &error.into()),
    };
    all.into_iter().map(look).collect()
}

/// What tells a forged or rewound vault from the right one.
fn trust(home: &Home) -> Vec<Check> {
    let vault = match status(home) {
        Ok(status) => status.vault,
        Err(_) => None,
    };
    let Some(vault) = vault else {
        return Vec::new();
    };
    let pin = match pinning::known(home) {
        Some(pin) if pin.vault == vault => Check::good("pin", "the vault's root key is known here"),
        Some(_) => Check::bad(
            "pin",
            "another vault was known in this folder",
            Some("If you replaced it yourself: subrosa status --verify --accept-root".to_owned()),
        ),
        None => Check::warning(
            "pin",
            "the vault's root key is not known here, so another vault in its place would not be noticed",
            "Open it once with its passphrase: subrosa status --verify",
        ),
    };
    let anchor = home.anchors().join(vault.to_string());
    let anchor = match anchor.symlink_metadata() {
        Ok(found) if found.is_file() => Check::good(
            "anchor",
            "a vault that was put back to an earlier state is noticed",
        ),
        _ => Check::bad(
            "anchor",
            "there is none, so a vault that was put back to an earlier state is not noticed",
            Some("See what the log says: subrosa audit verify".to_owned()),
        ),
    };
    vec![pin, anchor]
}

fn attempts(home: &Home) -> Check {
    const NAME: &str = "attempts";
    match home.prelog().symlink_metadata() {
        Ok(found) if found.len() > 0 => Check::warning(
            NAME,
            "somebody failed to open the vault since it was opened last",
            "Open it, and look: subrosa log --kind unlock",
        ),
        _ => Check::good(
            NAME,
            "nobody failed to open the vault since it was opened last",
        ),
    }
}

fn locked_memory() -> Check {
    const NAME: &str = "locked memory";
    match getrlimit(Resource::Memlock).current {
        Some(limit) if limit < LOCKED => Check::warning(
            NAME,
            format!(
                "{} KiB may be locked, which is little for many secrets",
                limit / 1024
            ),
            "Allow more: ulimit -l 8192",
        ),
        Some(limit) => Check::good(NAME, format!("{} KiB may be locked", limit / 1024)),
        None => Check::good(NAME, "any amount may be locked"),
    }
}

/// Keys and values of ours are locked; a command's own copy of a value is its own affair.
fn swap() -> Check {
    const NAME: &str = "swap";
    let swaps = std::fs::read_to_string("/proc/swaps").unwrap_or_default();
    let used: Vec<&str> = swaps
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let plain = |name: &&&str| !name.contains("zram") && !name.starts_with("/dev/dm-");
    match used.iter().find(plain) {
        None => Check::good(NAME, "nothing is swapped to a disk in the clear"),
        Some(name) => Check::warning(
            NAME,
            format!("{name} may get what commands hold in memory; what is held here is locked"),
            "Encrypt the swap space, or use zram.",
        ),
    }
}

fn memory_files(runtime: Option<&Path>) -> Check {
    const NAME: &str = "files in memory";
    let shared = Path::new("/dev/shm");
    let in_memory = |path: &&Path| {
        statfs(*path).is_ok_and(|found| u64::try_from(found.f_type).is_ok_and(|kind| kind == TMPFS))
    };
    match runtime.into_iter().chain([shared]).find(in_memory) {
        Some(path) => Check::good(NAME, path.display().to_string()),
        None => Check::bad(
            NAME,
            "there is no folder in memory, so `run --inject file` is refused",
            Some("Mount one: /dev/shm, or set XDG_RUNTIME_DIR".to_owned()),
        ),
    }
}
