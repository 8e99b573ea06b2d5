//! Feather scripts, run by the program as anybody runs them.

mod check;
mod commands;
mod egress;
mod errors;
mod memo;
mod seed;
mod statuses;
mod vault;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use subrosa_tests::{Done, program};

/// A folder for scripts, with nothing else in it: no vault and no home.
pub(crate) struct Desk {
    folder: tempfile::TempDir,
}

/// What a script did.
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) memo: String,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("home")).expect("a home");
        fs::create_dir(folder.path().join("work")).expect("a folder for work");
        Self { folder }
    }

    /// A file that scripts see under this name.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("work").join(name)
    }

    /// The program with only `PATH`, `HOME` and `LANG` set.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        self.call("run", words)
    }

    /// The same of any command on scripts.
    pub(crate) fn call(&self, action: &str, words: &[&str]) -> Command {
        let mut command = Command::new(program());
        command
            .args(["script", action])
            .args(words)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("LANG", "C.UTF-8")
            .env("HOME", self.folder.path().join("home"))
            .current_dir(self.folder.path().join("work"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a script, as [`Desk::run_with`] does with nothing to read and nothing else set.
    pub(crate) fn run(&self, script: &str) -> Ran {
        self.run_with(script, "", &[], &[])
    }

    pub(crate) fn run_with(
        &self,
        script: &str,
        input: &str,
        words: &[&str],
        variables: &[(&str, &str)],
    ) -> Ran {
        fs::write(self.path("s.sky"), script).expect("written");
        let mut all = vec!["s.sky", "--memo", "../memo"];
        all.extend(words);
        let mut command = self.command(&all);
        command.envs(variables.iter().copied());
        let done = Done::of(&mut command, input.as_bytes());
        let memo = fs::read_to_string(self.folder.path().join("memo")).unwrap_or_default();
        Ran {
            status: done.status,
            out: String::from_utf8(done.out).expect("a text"),
            err: done.err,
            memo,
        }
    }
}

/// What a script that ends with success says.
pub(crate) fn says(script: &str) -> String {
    let ran = Desk::new().run(&format!("{script}\nsuccess\n"));
    assert_eq!(ran.status, 0, "{script}\n{}\n{}", ran.out, ran.err);
    ran.out
}
