//! An installation of its own for each test, and calls of the program on it.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_subrosa");
pub(crate) const PASSPHRASE: &str = "correct horse battery";
pub(crate) const VALUE: &str = "sk-live-4711-0815-abcdef";

/// A vault in a folder that is gone afterwards.
pub(crate) struct House {
    pub(crate) root: TempDir,
    proof: (&'static str, PathBuf),
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Back {
    pub(crate) code: Option<i32>,
    pub(crate) out: Vec<u8>,
    pub(crate) err: String,
}

impl Back {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.out.clone()).expect("output is text")
    }

    /// Demands success, and gives the output as text.
    #[track_caller]
    pub(crate) fn ok(&self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.text()
    }

    /// Demands a failure with this status; gives what was said.
    #[track_caller]
    pub(crate) fn failed(&self, code: i32) -> &str {
        assert_eq!(self.code, Some(code), "{self:?}");
        &self.err
    }

    /// The output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        assert_eq!(self.code, Some(0), "{self:?}");
        serde_json::from_slice(&self.out).expect("output is JSON")
    }

    /// The code of the error, under --json.
    #[track_caller]
    pub(crate) fn error_code(&self) -> String {
        assert_ne!(self.code, Some(0), "{self:?}");
        let error: serde_json::Value =
            serde_json::from_str(self.err.lines().last().expect("an error"))
                .expect("errors are JSON");
        error["error"]["code"].as_str().expect("a code").to_owned()
    }
}

pub(crate) fn folder(path: &Path) {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .unwrap();
}

fn empty() -> TempDir {
    let permissions = fs::Permissions::from_mode(0o700);
    let root = tempfile::Builder::new()
        .prefix("subrosa-test-")
        .permissions(permissions)
        .tempdir()
        .unwrap();
    for name in ["home", "state", "work", "account"] {
        folder(&root.path().join(name));
    }
    fs::write(root.path().join("passphrase"), format!("{PASSPHRASE}\n")).unwrap();
    root
}

/// The one installation that is made the slow way, and its recovery code.
fn pattern() -> &'static (TempDir, String) {
    static PATTERN: OnceLock<(TempDir, String)> = OnceLock::new();
    PATTERN.get_or_init(|| {
        let house = House {
            proof: ("--passphrase-fd", PathBuf::new()),
            root: empty(),
        };
        let made = house
            .call(["init"])
            .proof("--passphrase-fd", &house.path("passphrase"))
            .run();
        assert_eq!(made.code, Some(0), "{made:?}");
        let mut lines = made
            .err
            .lines()
            .skip_while(|line| !line.contains("recovery code"));
        let code = lines.nth(1).expect("a recovery code").trim().to_owned();
        (house.root, code)
    })
}

/// Copies a folder with all that is in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    folder(to);
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

impl House {
    /// A folder without a vault.
    pub(crate) fn bare() -> Self {
        let root = empty();
        let proof = ("--passphrase-fd", root.path().join("passphrase"));
        Self { root, proof }
    }

    /// A vault that its recovery code opens in no time.
    pub(crate) fn new() -> Self {
        let (pattern, code) = pattern();
        let root = empty();
        copy(&pattern.path().join("home"), &root.path().join("home"));
        fs::write(root.path().join("recovery"), code).unwrap();
        let proof = ("--recovery-fd", root.path().join("recovery"));
        Self { root, proof }
    }

    /// The same with `api/key` in it.
    pub(crate) fn with_key() -> Self {
        let house = Self::new();
        house.set("api/key", VALUE);
        house
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub(crate) fn work(&self, name: &str) -> PathBuf {
        self.path("work").join(name)
    }

    /// Writes a file into the working folder.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        fs::write(self.work(name), text).unwrap();
        self.work(name)
    }

    #[track_caller]
    pub(crate) fn set(&self, key: &str, value: impl Into<Vec<u8>>) {
        self.call(["set", key, "--stdin"]).input(value).run().ok();
    }

    #[track_caller]
    pub(crate) fn apply(&self, policy: &str) {
        self.write("policy.yaml", policy);
        self.call(["apply", "-f", "policy.yaml"]).run().ok();
    }

    /// A call with the proof that opens the vault.
    pub(crate) fn call<I: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = I>) -> Call {
        let words = words
            .into_iter()
            .map(|word| word.as_ref().to_owned())
            .collect();
        Call {
            words,
            proof: Some((self.proof.0, self.proof.1.clone())),
            second: None,
            input: None,
            variables: vec![
                ("SUBROSA_HOME".into(), self.path("home").into()),
                ("SUBROSA_NO_DAEMON".into(), "1".into()),
                ("XDG_STATE_HOME".into(), self.path("state").into()),
                ("HOME".into(), self.path("account").into()),
                ("PATH".into(), std::env::var_os("PATH").unwrap()),
            ],
            directory: self.path("work"),
        }
    }

    /// The value of a secret, byte for byte.
    #[track_caller]
    pub(crate) fn read(&self, what: &str) -> Vec<u8> {
        let back = self.call(["read", what]).run();
        assert_eq!(back.code, Some(0), "{back:?}");
        back.out
    }
}

/// A call that is being put together.
pub(crate) struct Call {
    words: Vec<std::ffi::OsString>,
    proof: Option<(&'static str, PathBuf)>,
    second: Option<PathBuf>,
    input: Option<Vec<u8>>,
    variables: Vec<(std::ffi::OsString, std::ffi::OsString)>,
    directory: PathBuf,
}

impl Call {
    pub(crate) fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Some(bytes.into());
        self
    }

    pub(crate) fn proof(mut self, option: &'static str, file: &Path) -> Self {
        self.proof = Some((option, file.to_owned()));
        self
    }

    pub(crate) fn without_proof(mut self) -> Self {
        self.proof = None;
        self
    }

    /// Another file, on descriptor 4.
    pub(crate) fn second(mut self, file: &Path) -> Self {
        self.second = Some(file.to_owned());
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.variables
            .push((name.into(), value.as_ref().to_owned()));
        self
    }

    pub(crate) fn at(self, home: &Path) -> Self {
        self.variable("SUBROSA_HOME", home)
    }

    /// The command, not started; a shell hands the proof over on descriptor 3.
    pub(crate) fn command(&self) -> Command {
        // Away from the terminal of whoever runs the tests: nothing may ask there.
        let mut command = Command::new("setsid");
        command.args(["-w", "sh"]);
        let (option, file) = match &self.proof {
            Some((option, file)) => (Some(*option), file.clone()),
            None => (None, "/dev/null".into()),
        };
        let second = self.second.clone().unwrap_or_else(|| "/dev/null".into());
        command.args([
            "-c",
            "first=$1 second=$2; shift 2; exec \"$@\" 3<\"$first\" 4<\"$second\"",
            "sh",
        ]);
        command.arg(file).arg(second).arg(PROGRAM);
        if let Some(option) = option {
            command.args([option, "3"]);
        }
        command
            .args(&self.words)
            .env_clear()
            .envs(self.variables.iter().cloned());
        command.current_dir(&self.directory);
        command
    }

    pub(crate) fn run(self) -> Back {
        let mut command = self.command();
        let stdin = if self.input.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        };
        let mut child = command
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        if let (Some(mut stdin), Some(bytes)) = (child.stdin.take(), &self.input) {
            // A program that refuses without reading closes the pipe.
            let _ = stdin.write_all(bytes);
        }
        let output = child.wait_with_output().unwrap();
        Back {
            code: output.status.code(),
            out: output.stdout,
            err: String::from_utf8(output.stderr).expect("messages are text"),
        }
    }
}
