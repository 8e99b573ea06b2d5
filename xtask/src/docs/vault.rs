//! A vault that is thrown away, and runs of the program on it.

use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::house::House;

/// What opens it; nothing of value is ever in it.
const PASSPHRASE: &str = "four words of no use";

/// The vault's folder, gone with this.
pub(super) struct Vault {
    root: PathBuf,
    program: PathBuf,
    recovery: Option<String>,
}

/// What a run gave.
pub(super) struct Ran {
    /// The exit status.
    pub(super) status: Option<i32>,
    /// Standard output.
    pub(super) out: String,
    /// Standard error.
    pub(super) err: String,
}

impl Vault {
    /// An empty folder of its own.
    pub(super) fn new(house: &House, program: &Path) -> Result<Self> {
        let root = house
            .target
            .join(format!("docs-vault-{}", std::process::id()));
        let vault = Self {
            root,
            program: program.to_owned(),
            recovery: None,
        };
        for name in ["home", "state", "work", "account", "proof"] {
            std::fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(vault.root.join(name))?;
        }
        Ok(vault)
    }

    /// Writes a file into the folder in which commands run.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.root.join("work").join(name);
        std::fs::write(&path, text)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        Ok(())
    }

    /// Keeps the vault's data, or puts what was kept back.
    pub(super) fn keep(&self, back: bool) -> Result<()> {
        let (data, kept) = (self.root.join("home/data"), self.root.join("kept"));
        let (from, to) = if back { (kept, data) } else { (data, kept) };
        let _ = std::fs::remove_dir_all(&to);
        std::fs::DirBuilder::new().mode(0o700).create(&to)?;
        for entry in std::fs::read_dir(&from)? {
            let entry = entry?;
            std::fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
        Ok(())
    }

    /// Runs the program; `proof` says whether it gets what opens the vault, `daemon` whether it may
    /// use one.
    pub(super) fn run(
        &mut self,
        words: &[String],
        input: &str,
        (proof, daemon): (bool, bool),
    ) -> Result<Ran> {
        let (option, secret) = match &self.recovery {
            Some(code) => ("--recovery-fd", code.clone()),
            None => ("--passphrase-fd", PASSPHRASE.to_owned()),
        };
        let file = self.root.join("proof/proof");
        std::fs::write(&file, secret)?;
        // Away from the terminal of whoever runs this: nothing may ask there.
        let mut command = Command::new("setsid");
        command.args([
            "-w",
            "sh",
            "-c",
            "file=$1; shift; exec \"$@\" 3<\"$file\"",
            "sh",
        ]);
        command.arg(&file).arg(&self.program);
        if proof {
            command.args([option, "3"]);
        }
        command
            .args(words)
            .env_clear()
            .current_dir(self.root.join("work"));
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        for (name, folder) in [
            ("SUBROSA_HOME", "home"),
            ("XDG_STATE_HOME", "state"),
            ("HOME", "account"),
        ] {
            command.env(name, self.root.join(folder));
        }
        if !daemon {
            command.env("SUBROSA_NO_DAEMON", "1");
        }
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().context("`setsid` cannot be started")?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program that reads nothing closes the pipe.
            let _ = stdin.write_all(input.as_bytes());
        }
        let output = child.wait_with_output()?;
        let ran = Ran {
            status: output.status.code(),
            out: String::from_utf8(output.stdout).context("output is no text")?,
            err: String::from_utf8(output.stderr).context("messages are no text")?,
        };
        // A later one meets the vault that is there, and has no code to show.
        if self.recovery.is_none() && words.iter().any(|word| word == "init") {
            self.recovery = Some(recovery(&ran.err)?);
        }
        Ok(ran)
    }
}

/// The recovery code that `init` showed; it opens the vault in no time.
fn recovery(said: &str) -> Result<String> {
    let mut lines = said
        .lines()
        .skip_while(|line| !line.contains("recovery code"));
    match lines.nth(1) {
        Some(code) => Ok(code.trim().to_owned()),
        None => bail!("`init` showed no recovery code: {said}"),
    }
}

impl Drop for Vault {
    fn drop(&mut self) {
        // A step that failed may have left one; stopping none does nothing.
        let stop = ["daemon", "stop"].map(str::to_owned);
        let _ = self.run(&stop, "", (false, true));
        let _ = std::fs::remove_dir_all(&self.root);
    }
}
