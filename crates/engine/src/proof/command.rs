//! The secret that a command prints: run without a shell, bounded in time and in length.
#![allow(
    clippy::disallowed_methods,
    reason = "the operator's own command is started to hand a secret over"
)]

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::process::{PidfdFlags, Signal, kill_process_group, pidfd_open};
use subrosa_crypto::{ReadError, SecretBuf};
use subrosa_runner::environment::inherited;
use subrosa_vault::SlotKind;

use super::encoded::{SECRET_TEXT_MAX, Source, decode_secret};
use super::tool::{Bounded, deadline, pid, system};
use crate::EngineError;

/// How long the command may take, in seconds.
const SECONDS_MAX: i64 = 10;

/// Variables that the command has beside those that any child inherits: what programs that keep
/// secrets need to find their agents and to ask the user.
pub(super) const ASKING: [&str; 9] = [
    "PATH",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "GPG_TTY",
    "GNUPGHOME",
    "SSH_AUTH_SOCK",
    "PASSWORD_STORE_DIR",
];

/// Where the secret comes from, for what is wrong with it.
const SOURCE: Source<'_> = Source {
    kind: SlotKind::Command,
    what: "the output of the command",
};

/// Runs a command line and returns the secret that its standard output stands for.
///
/// There is no shell, standard input is empty, and its standard error is ours. Of `variables` it
/// has what children inherit and what asking the user needs.
///
/// # Errors
/// [`EngineError::Secret`] when it cannot be started, fails, takes more than 10 seconds, prints
/// more than 4 KiB or what is no secret. Nothing that it prints is repeated.
pub fn read_command(
    line: &[OsString],
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<SecretBuf, EngineError> {
    ask(line, variables, deadline(SECONDS_MAX)?)
}

/// As [`read_command`], until there is something to read from `deadline`.
fn ask(
    line: &[OsString],
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    deadline: OwnedFd,
) -> Result<SecretBuf, EngineError> {
    let mut child = start(line, variables)?;
    let Some(mut output) = child.stdout.take() else {
        return Err(EngineError::usage("the command has no output"));
    };
    let read = read(&child, &mut output, deadline);
    if read.is_err() {
        // It leads a group of its own, so that whatever it started goes with it.
        let _ = kill_process_group(pid(&child), Signal::KILL);
    }
    let status = child.wait().map_err(EngineError::io("the command"))?;
    let text = read?;
    if !status.success() {
        let text = format!("is of no use: the command ended with {status}");
        return Err(SOURCE.wrong(text));
    }
    decode_secret(&text, SOURCE)
}

fn start(
    line: &[OsString],
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Child, EngineError> {
    let failed = |reason: String| EngineError::Secret {
        kind: SlotKind::Command,
        what: "the command".to_owned(),
        reason,
    };
    let Some((program, arguments)) = line.split_first() else {
        return Err(failed("is empty".to_owned()));
    };
    // A search would let a variable of the caller choose which program is asked.
    if !Path::new(program).is_absolute() {
        let program = program.display();
        return Err(failed(format!(
            "{program:?} is not written in full: it is to begin with a slash"
        )));
    }
    let wanted = |name: &OsStr| inherited(name) || ASKING.iter().any(|known| name == *known);
    let child = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(variables.into_iter().filter(|(name, _)| wanted(name)))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .process_group(0)
        .spawn();
    child.map_err(|error| {
        let program = program.display();
        failed(format!("{program} cannot be started: {error}"))
    })
}

/// Reads until the command has ended or has closed its output, at most so long.
fn read(
    child: &Child,
    output: &mut ChildStdout,
    deadline: OwnedFd,
) -> Result<SecretBuf, EngineError> {
    let mut input = Bounded {
        output,
        deadline,
        ended: pidfd_open(pid(child), PidfdFlags::empty()).map_err(system)?,
    };
    SecretBuf::read_to_end(&mut input, SECRET_TEXT_MAX).map_err(|error| match error {
        ReadError::TooLong { limit } => SOURCE.wrong(format!("has more than {limit} bytes")),
        ReadError::Io(error) if error.kind() == io::ErrorKind::TimedOut => {
            SOURCE.wrong(format!("did not end within {SECONDS_MAX} seconds"))
        }
        other => other.into(),
    })
}

#[cfg(test)]
mod tests {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::process::Pid;

    use super::*;

    fn run(script: &str) -> Result<Vec<u8>, String> {
        let line = ["/bin/sh", "-c", script].map(OsString::from);
        let variables = [
            ("PATH", "/usr/bin:/bin"),
            ("SUBROSA_KEY", "c4n4ry"),
            ("AWS_KEY", "c4n4ry"),
        ];
        let variables = variables.map(|(name, value)| (name.into(), value.into()));
        read_command(&line, variables)
            .map(|secret| secret.as_slice().to_vec())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn what_it_prints_is_the_secret() {
        let digits = "5f".repeat(32);
        assert_eq!(run(&format!("echo {digits}")).unwrap(), [0x5f; 32]);
        // In pieces, and with a child that keeps the output open.
        let slow = format!(
            "printf {}; printf {}; sleep 5 2>/dev/null & exit 0",
            &digits[..9],
            &digits[9..]
        );
        assert_eq!(run(&slow).unwrap(), [0x5f; 32]);
    }

    #[test]
    fn it_has_no_variable_of_ours_and_nothing_to_read() {
        let see = "if [ -n \"$(cat; cat /proc/self/environ | tr '\\0' '\\n' | grep c4n4ry)\" ]; \
                   then exit 9; fi; printf 5f%.0s $(seq 32)";
        assert_eq!(run(see).unwrap(), [0x5f; 32]);
    }

    #[test]
    fn what_is_no_secret_is_refused_and_not_repeated() {
        for (script, why) in [
            ("exit 3", "exit status: 3"),
            ("echo c4n4ry; exit 3", "exit status: 3"),
            ("kill -9 $$", "signal: 9"),
            ("true", "is empty"),
            ("echo c4n4ry of no alphabet", "neither"),
            ("echo c4n4ry-of-too-few-bytes", "17 bytes"),
            ("printf 5f%.0s $(seq 31)", "31 bytes"),
            ("yes c4n4ry", "more than 4096 bytes"),
            ("cat /dev/zero", "more than 4096 bytes"),
        ] {
            let error = run(script).unwrap_err();
            assert!(error.contains(why), "{script}: {error}");
            assert!(!error.contains("c4n4ry"), "{error}");
        }
        for (line, why) in [
            (&[][..], "is empty"),
            (&["sh"], "not written in full"),
            (&["/nonexistent/keeper"], "cannot be started"),
            (&["/etc/hostname"], "cannot be started"),
        ] {
            let line: Vec<OsString> = line.iter().map(OsString::from).collect();
            let error = read_command(&line, []).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn one_that_does_not_end_is_ended_with_what_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let (told, over) = (folder.path().join("pid"), folder.path().join("over"));
        let made = Command::new("mkfifo").arg(&over).status().unwrap();
        assert!(made.success());
        let deadline = std::fs::File::options()
            .read(true)
            .write(true)
            .open(&over)
            .unwrap();
        // Its child holds the output open too, and would live on. The time is over when it says so.
        let script = format!(
            "sleep 1000 & echo $! >{}; echo >{}; wait",
            told.display(),
            over.display()
        );
        let line = ["/bin/sh", "-c", &script].map(OsString::from);
        let error = ask(&line, [], deadline.into()).unwrap_err().to_string();
        assert!(error.contains("did not end within 10 seconds"), "{error}");
        let pid: i32 = std::fs::read_to_string(told)
            .unwrap()
            .trim()
            .parse()
            .unwrap();
        // Gone, or dying and not collected yet by whoever inherited it.
        let Ok(ended) = pidfd_open(Pid::from_raw(pid).unwrap(), PidfdFlags::empty()) else {
            return;
        };
        let patience = Timespec {
            tv_sec: 60,
            tv_nsec: 0,
        };
        let mut ends = [PollFd::new(&ended, PollFlags::IN)];
        assert_eq!(poll(&mut ends, Some(&patience)).unwrap(), 1, "it lives on");
    }
}
