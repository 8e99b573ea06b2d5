//! The throw-away installation, and the calls of this program on it.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::pipe::{PipeFlags, pipe_with};
use tempfile::TempDir;

use super::invented;
use crate::failure::Failure;
use crate::output::Output;
use crate::text::shell_word;

/// The folder of the demonstration, and what opens its vault.
pub(super) struct Stage {
    pub(super) output: Output,
    /// The folder that is removed at the end.
    pub(super) root: PathBuf,
    /// The vault's installation: SUBROSA_HOME.
    pub(super) home: PathBuf,
    /// Where commands run.
    pub(super) work: PathBuf,
    /// What opens the vault: the passphrase until there is a recovery code, which opens it in no
    /// time.
    pub(super) proof: (&'static str, String),
    /// Values that must be seen nowhere.
    pub(super) values: Vec<String>,
    executable: PathBuf,
    path: OsString,
    folder: Option<TempDir>,
}

/// What became of a call.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) status: ExitStatus,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
}

impl Ran {
    pub(super) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    pub(super) fn ok(&self) -> bool {
        self.status.success()
    }

    pub(super) fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    pub(super) fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// How it ended, in words.
    pub(super) fn ending(&self) -> String {
        match (self.status.code(), self.status.signal()) {
            (Some(code), _) => format!("exit status {code}"),
            (None, Some(signal)) => format!("signal {signal}"),
            (None, None) => "an unknown end".to_owned(),
        }
    }
}

impl Stage {
    pub(super) fn new(output: &Output, keep: bool) -> Result<Self, Failure> {
        let made = tempfile::Builder::new()
            .prefix("subrosa-demo-")
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir();
        let folder = made.map_err(Failure::io("no folder can be made for the demonstration"))?;
        let root =
            fs::canonicalize(folder.path()).map_err(Failure::io("the demonstration's folder"))?;
        let executable =
            std::env::current_exe().map_err(Failure::io("this program cannot be found"))?;
        let folder = if keep {
            let _kept = folder.keep();
            None
        } else {
            Some(folder)
        };
        let stage = Self {
            output: *output,
            home: root.join("home"),
            work: root.join("work"),
            proof: ("--passphrase-fd", invented::value("correct-horse-", 16)),
            values: Vec::new(),
            executable,
            path: std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into()),
            root,
            folder,
        };
        for folder in [&stage.home, &stage.work, &stage.root.join("account")] {
            make_folder(folder)?;
        }
        Ok(stage)
    }

    /// The folder, when it stays.
    pub(super) fn kept(&self) -> Option<String> {
        self.folder
            .is_none()
            .then(|| self.root.display().to_string())
    }

    /// A call of this program on the throw-away installation.
    pub(super) fn call<'a>(&'a self, words: &[&'a str]) -> Call<'a> {
        Call {
            stage: self,
            words: words.to_vec(),
            proof: Some((self.proof.0, self.proof.1.as_bytes())),
            home: &self.home,
            input: Vec::new(),
            variables: Vec::new(),
            daemon: false,
            under: Vec::new(),
            folder: &self.work,
        }
    }

    /// Another program than this one, with nothing of the user's around it.
    pub(super) fn program(&self, name: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(name);
        self.surround(&mut command);
        command
    }

    /// A shell that knows this program as `$0` and an installation, out of reach of what the
    /// terminal sends.
    pub(super) fn warden(&self, home: &Path, script: &str) -> Result<Child, Failure> {
        let mut command = self.program("sh");
        command
            .args(["-c", script])
            .arg(&self.executable)
            .env("SUBROSA_HOME", home)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0);
        command
            .spawn()
            .map_err(Failure::io("a shell cannot be started"))
    }

    fn surround(&self, command: &mut Command) {
        command
            .env_clear()
            .env("PATH", &self.path)
            .env("HOME", self.root.join("account"))
            .env("XDG_STATE_HOME", self.root.join("state"))
            .current_dir(&self.work)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
    }

    /// Whether there is a program of this name.
    pub(super) fn finds(&self, program: &str) -> bool {
        std::env::split_paths(&self.path).any(|folder| folder.join(program).is_file())
    }

    /// The search path of the commands.
    pub(super) fn path(&self) -> &OsStr {
        &self.path
    }

    /// A copy of the installation that an attack may ruin.
    pub(super) fn copy(&self, name: &str) -> Result<PathBuf, Failure> {
        let target = self.root.join(name);
        copy_folder(&self.home, &target)?;
        Ok(target)
    }

    /// Whether text shows one of the values.
    pub(super) fn shows_a_value(&self, text: &[u8]) -> bool {
        self.values.iter().any(|value| invented::shows(text, value))
    }
}

/// The vault's file of an installation.
pub(super) fn vault_of(home: &Path) -> PathBuf {
    home.join("data/vault.db")
}

/// A call that is being put together.
pub(super) struct Call<'a> {
    stage: &'a Stage,
    words: Vec<&'a str>,
    proof: Option<(&'static str, &'a [u8])>,
    home: &'a Path,
    input: Vec<u8>,
    variables: Vec<(&'static str, OsString)>,
    daemon: bool,
    under: Vec<String>,
    folder: &'a Path,
}

impl<'a> Call<'a> {
    /// On another installation.
    pub(super) fn at(mut self, home: &'a Path) -> Self {
        self.home = home;
        self
    }

    /// With these bytes on standard input.
    pub(super) fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = bytes.into();
        self
    }

    /// With another proof.
    pub(super) fn proof(mut self, option: &'static str, secret: &'a [u8]) -> Self {
        self.proof = Some((option, secret));
        self
    }

    /// Without a proof of its own.
    pub(super) fn without_proof(mut self) -> Self {
        self.proof = None;
        self
    }

    /// With a variable.
    pub(super) fn variable(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// With the installation's daemon, which is used and started as a user's would be.
    pub(super) fn through_daemon(mut self) -> Self {
        self.daemon = true;
        self
    }

    /// Started by another program, which these words begin.
    pub(super) fn under(mut self, words: &[String]) -> Self {
        self.under = words.to_vec();
        self
    }

    /// In another folder.
    pub(super) fn inside(mut self, folder: &'a Path) -> Self {
        self.folder = folder;
        self
    }

    /// The line as a person would type it.
    pub(super) fn line(&self) -> String {
        let words: Vec<String> = self.words.iter().map(|word| shell_word(word)).collect();
        format!("subrosa {}", words.join(" "))
    }

    /// Starts it with pipes; whoever has it writes and reads them.
    pub(super) fn spawn(&self) -> Result<Child, Failure> {
        let mut command = match self.under.split_first() {
            None => self.stage.program(&self.stage.executable),
            Some((first, rest)) => {
                let mut command = self.stage.program(first);
                command.args(rest).arg(&self.stage.executable);
                command
            }
        };
        command
            .env("SUBROSA_HOME", self.home)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.folder);
        if !self.daemon {
            command.env("SUBROSA_NO_DAEMON", "1");
        }
        let proof = match self.proof {
            Some((option, secret)) => Some((option, handed_over(secret)?)),
            None => None,
        };
        if let Some((option, pipe)) = &proof {
            command.arg(option).arg(pipe.as_raw_fd().to_string());
        }
        command.args(&self.words);
        command
            .spawn()
            .map_err(Failure::io("this program cannot be started again"))
    }

    /// Runs it to its end.
    pub(super) fn run(self) -> Result<Ran, Failure> {
        let mut child = self.spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // A child that refuses without reading is no fault of ours.
            let _ = stdin.write_all(&self.input);
        }
        let ran = child
            .wait_with_output()
            .map_err(Failure::io("waiting for this program"))?;
        Ok(Ran {
            status: ran.status,
            stdout: ran.stdout,
            stderr: ran.stderr,
        })
    }
}

/// The reading end of a pipe that holds a secret, which the next child inherits.
fn handed_over(secret: &[u8]) -> Result<OwnedFd, Failure> {
    let failed = |errno: rustix::io::Errno| Failure::io("a pipe")(errno.into());
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).map_err(failed)?;
    fs::File::from(writer)
        .write_all(secret)
        .map_err(Failure::io("a pipe"))?;
    fcntl_setfd(&reader, FdFlags::empty()).map_err(failed)?;
    Ok(reader)
}

/// Makes a folder that only its owner enters.
pub(super) fn make_folder(path: &Path) -> Result<(), Failure> {
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path);
    made.map_err(Failure::io(format!("{} cannot be made", path.display())))
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), Failure> {
    let failed = || Failure::io(format!("{} cannot be copied", from.display()));
    make_folder(to)?;
    for entry in fs::read_dir(from).map_err(failed())? {
        let entry = entry.map_err(failed())?;
        let target = to.join(entry.file_name());
        if entry.file_type().map_err(failed())?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target).map_err(failed())?;
        }
    }
    Ok(())
}

/// All files of an installation at one point in time.
pub(super) struct Snapshot {
    home: PathBuf,
    files: Vec<(PathBuf, Vec<u8>)>,
}

impl Snapshot {
    pub(super) fn of(home: &Path) -> Result<Self, Failure> {
        let files = files_below(home)?;
        let files = files
            .into_iter()
            .map(|path| Ok((path.clone(), read(&path)?)));
        Ok(Self {
            home: home.to_owned(),
            files: files.collect::<Result<_, Failure>>()?,
        })
    }

    /// The vault's file.
    pub(super) fn vault(&self) -> &[u8] {
        let path = vault_of(&self.home);
        self.files
            .iter()
            .find(|(file, _)| *file == path)
            .map_or(&[], |(_, bytes)| bytes)
    }

    /// Puts everything back as it was, and nothing else stays.
    pub(super) fn put_back(&self) -> Result<(), Failure> {
        for path in files_below(&self.home)? {
            if !self.files.iter().any(|(file, _)| *file == path) {
                fs::remove_file(&path)
                    .map_err(Failure::io(format!("{} cannot be removed", path.display())))?;
            }
        }
        self.files
            .iter()
            .try_for_each(|(path, bytes)| write(path, bytes))
    }

    /// As [`Snapshot::put_back`], with another file in the place of the vault's.
    pub(super) fn put_back_with(&self, vault: &[u8]) -> Result<(), Failure> {
        self.put_back()?;
        write(&vault_of(&self.home), vault)
    }
}

/// The files in a folder and below it.
pub(super) fn files_below(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = || Failure::io(format!("{} cannot be read", folder.display()));
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed())? {
        let entry = entry.map_err(failed())?;
        let kind = entry.file_type().map_err(failed())?;
        if kind.is_dir() {
            files.extend(files_below(&entry.path())?);
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    Ok(files)
}

/// Reads a file of the demonstration.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    fs::File::open(path)
        .and_then(|mut file| file.read_to_end(&mut bytes))
        .map_err(Failure::io(format!("{} cannot be read", path.display())))?;
    Ok(bytes)
}

/// Writes a file of the demonstration; what is there keeps its mode.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    fs::write(path, bytes).map_err(Failure::io(format!("{} cannot be written", path.display())))
}
