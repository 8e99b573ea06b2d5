//! Vaults to measure, and the program that is measured.

use std::path::{Path, PathBuf};
use std::process::Command;

use subrosa_crypto::{Argon2Params, SecretBuf};
use subrosa_engine::import::{Conflict, ImportForm, ImportOptions, Source, World};
use subrosa_engine::{Effects, Home, InitOptions, Session, Setting};
use subrosa_model::Scope;

/// Secrets of a large vault.
pub const SECRETS: usize = 100_000;

/// What a benchmark gives.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The folders of an installation under `root`.
#[must_use]
pub fn setting(root: &Path) -> Setting {
    let home = Home {
        data: root.join("data"),
        state: root.join("state"),
        config: root.join("config"),
        runtime: root.join("run"),
        pins: Some(root.join("pins")),
    };
    let scope = Scope {
        workspace: Scope::default_workspace(),
        group: None,
    };
    Setting {
        home,
        effects: Effects::system(),
        scope,
        accept_root: false,
        inspect: false,
    }
}

/// Makes a vault whose passphrase is checked as fast as may be.
///
/// # Errors
/// What making it gave.
pub fn init(root: &Path) -> Result<Session> {
    let options = InitOptions {
        passphrase: SecretBuf::copy_from(b"correct horse battery staple")?,
        recovery: false,
        params: Some(Argon2Params::FLOOR),
    };
    Ok(Session::init(setting(root), options)?.0)
}

/// Makes a vault of [`SECRETS`] secrets that a key file opens.
///
/// # Errors
/// What filling it gave.
pub fn fill(root: &Path, key_file: &Path) -> Result<()> {
    let mut session = init(root)?;
    session.add_key_file("bench", key_file)?;
    let mut text = String::from("{");
    for number in 0..SECRETS {
        let comma = if number == 0 { "" } else { "," };
        text.push_str(&format!(
            "{comma}\"app-{:03}/key-{number}\": \"value-number-{number:06}\"",
            number % 500
        ));
    }
    text.push('}');
    let options = ImportOptions {
        form: Some(ImportForm::Json),
        what: "bench".to_owned(),
        prefix: String::new(),
        conflict: Conflict::Replace,
        dry_run: false,
        all: false,
        world: World::default(),
    };
    session.import(Source::Stream(&mut text.as_bytes()), &options)?;
    Ok(session.close()?)
}

/// Copies the account's pins to where a program that is started looks for them.
///
/// # Errors
/// What copying gave.
pub fn copy_pins(from: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        return Ok(());
    }
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        std::fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

/// The program, beside this one.
///
/// # Errors
/// When it was not built.
pub fn program() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let program = own.parent().ok_or("no folder")?.join("subrosa");
    if program.exists() {
        Ok(program)
    } else {
        Err("build it first: cargo build --release".into())
    }
}

/// Runs a command that must succeed.
///
/// # Errors
/// What it said.
pub fn checked(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    if output.status.success() {
        Ok(())
    } else {
        Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)).into())
    }
}
