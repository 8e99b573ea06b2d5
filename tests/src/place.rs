//! A place of its own for each test: a home, a vault, and the program run in it.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

use crate::program;

/// The passphrase of every vault here.
pub const PASSPHRASE: &str = "correct horse battery staple";

/// A temporary home. The program runs in it with nothing of the real one.
pub struct Place {
    root: TempDir,
}

/// What a run of the program gave.
#[derive(Debug)]
pub struct Done {
    /// Exit status; 128 and the number of the signal when one ended it.
    pub status: i32,
    /// Standard output.
    pub out: Vec<u8>,
    /// Standard error.
    pub err: String,
}

impl Place {
    /// A place without a vault.
    #[must_use]
    pub fn empty() -> Self {
        let root = tempfile::Builder::new()
            .prefix("subrosa-")
            .tempdir()
            .expect("a folder");
        fs::set_permissions(root.path(), Permissions::from_mode(0o700)).expect("ours");
        for name in ["live", "live/user", "live/tmp", "work"] {
            fs::create_dir(root.path().join(name)).expect("made");
        }
        fs::write(root.path().join("passphrase"), PASSPHRASE).expect("written");
        fs::write(root.path().join("wrong"), "not the passphrase").expect("written");
        Self { root }
    }

    /// A place with a vault, and a key file that opens it.
    #[must_use]
    pub fn new() -> Self {
        let place = Self::empty();
        place.proven(&["init", "--no-recovery"]).ok();
        let key = place.key_file();
        place
            .proven(&["key", "add", "key-file", key.to_str().expect("UTF-8")])
            .ok();
        place
    }

    /// A file beside everything.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// All that the program keeps: its home, the pins, the temporary folder.
    #[must_use]
    pub fn live(&self) -> PathBuf {
        self.path("live")
    }

    /// The vault's folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.path("live/home/data")
    }

    /// The vault's file.
    #[must_use]
    pub fn vault(&self) -> PathBuf {
        self.data().join("vault.db")
    }

    /// The key file.
    #[must_use]
    pub fn key_file(&self) -> PathBuf {
        self.path("live/user/key")
    }

    /// Puts a copy of all that the program keeps aside under a name.
    pub fn save(&self, name: &str) {
        copy_folder(&self.live(), &self.path(name));
    }

    /// Puts everything back as it was saved.
    pub fn put_back(&self, name: &str) {
        fs::remove_dir_all(self.live()).expect("removed");
        copy_folder(&self.path(name), &self.live());
    }

    /// Sets what the program finds around it.
    pub fn surround(&self, command: &mut Command) {
        command
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", self.path("live/user"))
            .env("SUBROSA_HOME", self.path("live/home"))
            .env("SUBROSA_NO_DAEMON", "1")
            .env("XDG_STATE_HOME", self.path("live/state"))
            .env("TMPDIR", self.path("live/tmp"))
            .current_dir(self.path("work"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
    }

    /// The program with these arguments, opened by the key file.
    pub fn command<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Command {
        let mut command = Command::new(program());
        self.surround(&mut command);
        command
            .arg("--key-file")
            .arg(self.key_file())
            .args(arguments);
        command
    }

    /// The program with these arguments, and the content of a file of ours on descriptor 3, as
    /// the passphrase.
    pub fn with_passphrase<A: AsRef<OsStr>>(&self, file: &str, arguments: &[A]) -> Command {
        let mut command = Command::new("/bin/sh");
        self.surround(&mut command);
        command
            .args([
                "-c",
                "file=$1; shift; exec \"$0\" --passphrase-fd 3 \"$@\" 3<\"$file\"",
            ])
            .arg(program())
            .arg(self.path(file))
            .args(arguments);
        command
    }

    /// Runs with the key file.
    pub fn run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Done {
        Done::of(&mut self.command(arguments), b"")
    }

    /// Runs with the passphrase.
    pub fn proven<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Done {
        Done::of(&mut self.with_passphrase("passphrase", arguments), b"")
    }

    /// Stores a value.
    pub fn set(&self, key: &str, value: &[u8]) {
        self.set_with(&[key], value).ok();
    }

    /// Stores a value; `arguments` are the key and options.
    pub fn set_with(&self, arguments: &[&str], value: &[u8]) -> Done {
        let mut all = vec!["set", "--stdin"];
        all.extend(arguments);
        Done::of(&mut self.command(&all), value)
    }

    /// Reads a value.
    #[must_use]
    pub fn read(&self, key: &str) -> Vec<u8> {
        self.proven(&["read", key]).ok().out
    }

    /// Puts a policy in force.
    pub fn apply(&self, policy: &str) {
        self.try_apply(policy).ok();
    }

    /// Tries to put a policy in force.
    pub fn try_apply(&self, policy: &str) -> Done {
        let file = self.path("policy.yaml");
        fs::write(&file, policy).expect("written");
        self.proven(&["apply", "-f", file.to_str().expect("UTF-8")])
    }

    /// A policy with one rule: this command line gets these secrets in its environment.
    pub fn allow(&self, command: &str, arguments: &[&str], secrets: &str) {
        let arguments = serde_json::to_string(arguments).expect("JSON");
        self.apply(&format!(
            "version: 1\nrules:\n  - allow: run\n    command: {command:?}\n    args: {arguments}\n    \
             secrets: [{secrets:?}]\n    inject: env\n"
        ));
    }

    /// Verifies the log and demands that it is sound.
    #[track_caller]
    pub fn verify(&self) {
        let done = self.run(&["audit", "verify"]);
        assert_eq!(done.status, 0, "{done:?}");
        assert!(done.text().contains("sound"), "{done:?}");
    }

    /// The log as text, one record a line.
    #[must_use]
    pub fn log(&self) -> String {
        self.run(&["audit", "export", "--format", "jsonl"])
            .ok()
            .text()
    }

    /// Starts the program in the background.
    pub fn start<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Child {
        let mut command = self.command(arguments);
        command
            .stdin(Stdio::piped())
            .spawn()
            .expect("the program starts")
    }
}

impl Default for Place {
    fn default() -> Self {
        Self::new()
    }
}

impl Done {
    /// Runs a command to its end, with `input` as its standard input.
    pub fn of(command: &mut Command, input: &[u8]) -> Self {
        let mut child = command.stdin(Stdio::piped()).spawn().expect("it starts");
        let mut stdin = child.stdin.take().expect("piped");
        // Whoever does not read its input may close it: then there is nothing to complain about.
        let _ = stdin.write_all(input);
        drop(stdin);
        Self::from(child.wait_with_output().expect("it ends"))
    }

    /// Demands that it succeeded.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.status, 0, "{self:?}");
        self
    }

    /// Demands a failure that is explained: a status of ours, a first line that says what, a line
    /// that says what to type, and no fault of the program's own.
    #[track_caller]
    pub fn explained(self, words: &[&str]) -> Self {
        assert!(matches!(self.status, 1 | 125), "{self:?}");
        assert!(self.err.starts_with("subrosa: "), "{self:?}");
        // Most have a line of their own for it; shorter ones say it in passing.
        let remedies = [
            "\n  try: ",
            "type: ",
            "; name the real folder",
            "; put the real file",
            "; choose ",
            "; pass ",
            "Use a newer subrosa",
            "try again",
        ];
        assert!(
            remedies.iter().any(|word| self.err.contains(word)),
            "no remedy: {self:?}"
        );
        assert!(!self.err.contains("internal error"), "{self:?}");
        for word in words {
            assert!(self.err.contains(word), "no {word:?} in {self:?}");
        }
        self
    }

    /// Standard output as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.out).into_owned()
    }
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        use std::os::unix::process::ExitStatusExt;
        let status = output.status;
        Self {
            status: status
                .code()
                .unwrap_or_else(|| 128 + status.signal().unwrap_or_default()),
            out: output.stdout,
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Copies a folder with modes, links as links.
pub fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).expect("made");
    fs::set_permissions(to, from.metadata().expect("there").permissions()).expect("ours");
    for entry in fs::read_dir(from).expect("a folder") {
        let (from, to) = match entry {
            Ok(entry) => (entry.path(), to.join(entry.file_name())),
            Err(error) => panic!("{error}"),
        };
        let kind = from.symlink_metadata().expect("there").file_type();
        if kind.is_dir() {
            copy_folder(&from, &to);
        } else if kind.is_file() {
            fs::copy(&from, &to).expect("copied");
        }
    }
}

/// All files below a folder, with what is in them.
#[must_use]
pub fn files_below(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let kind = entry.file_type();
        if kind.as_ref().is_ok_and(fs::FileType::is_dir) {
            found.extend(files_below(&path));
        } else if kind.is_ok_and(|kind| kind.is_file())
            && let Ok(mut file) = File::open(&path)
        {
            let mut content = Vec::new();
            if std::io::Read::read_to_end(&mut file, &mut content).is_ok() {
                found.push((path, content));
            }
        }
    }
    found
}
