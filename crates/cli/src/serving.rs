//! Being the daemon, and starting one.
#![allow(
    clippy::disallowed_methods,
    reason = "the daemon is this program, started once more"
)]

use std::ffi::OsString;
use std::io::{Read, Write};
use std::process::{Command, Stdio};

use subrosa_server::{Options, ServerError, serve as serve_clients};

use crate::context::Context;
use crate::failure::Failure;
use crate::output::complain;
use crate::trouble::describe;

/// What a daemon says when clients can connect.
const READY: &str = "ready\n";
/// Variables that a daemon has: where things are, and nothing that a command could inherit.
const KEPT: [&str; 8] = [
    "HOME",
    "PATH",
    "SUBROSA_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_STATE_HOME",
    "TZ",
];

/// The version that both sides tell each other.
pub(crate) const PROGRAM: &str = env!("CARGO_PKG_VERSION");

/// Serves until it is told to stop.
pub(crate) fn serve(context: &Context) -> Result<(), Failure> {
    // Neither the terminal from which it was started nor its folder is held on to: setting the
    // terminal of a client would stop a daemon whose own it is. Only what a shell started in the
    // foreground leads a group already, and stays there.
    let _ = rustix::process::setsid();
    let options = Options {
        home: context.home.clone(),
        effects: context.effects.clone(),
        program: PROGRAM,
        describe,
    };
    let ready = || {
        let mut out = std::io::stdout();
        // Whoever started it may be gone; that is no reason not to serve.
        let _ = out.write_all(READY.as_bytes()).and_then(|()| out.flush());
    };
    match serve_clients(options, ready) {
        Err(ServerError::Running) => Err(Failure::new(
            "daemon_running",
            "a daemon serves this vault already",
        )
        .remedy("subrosa status; or end it: subrosa daemon stop")),
        Err(error) => Err(Failure::new("daemon", error.to_string())),
        Ok(()) => Ok(()),
    }
}

/// Starts a daemon and waits until it can be reached. That another was started meanwhile is fine.
pub(crate) fn start() -> Result<(), Failure> {
    let failed = |what: &str| Failure::io(format!("the daemon cannot be started: {what}"));
    let program = std::env::current_exe().map_err(failed("finding this program"))?;
    let kept: Vec<(OsString, OsString)> = KEPT
        .iter()
        .filter_map(|name| Some((OsString::from(name), std::env::var_os(name)?)))
        .collect();
    // A proof may still be readable on one of ours, and who waits for the end of a pipe or of a
    // lock waits for all who hold it.
    subrosa_engine::close_on_execute();
    let mut child = Command::new(program)
        .args(["daemon", "run"])
        .env_clear()
        .envs(kept)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed("starting it"))?;
    let mut said = String::new();
    let mut out = child.stdout.take();
    let mut byte = [0];
    while let Some(1) = out.as_mut().and_then(|out| out.read(&mut byte).ok()) {
        said.push(char::from(byte[0]));
        if said == READY {
            return Ok(());
        }
    }
    // It ended. What it complained of is ours to tell, unless it lost a race that somebody won.
    let mut why = String::new();
    if let Some(err) = child.stderr.take() {
        let _ = err.take(4096).read_to_string(&mut why);
    }
    let status = child.wait().map_err(failed("waiting for it"))?;
    if why.contains("serves this vault already") {
        return Ok(());
    }
    if !why.is_empty() {
        complain(&why);
    }
    Err(
        Failure::new("daemon", format!("the daemon did not start ({status})"))
            .remedy("see why: subrosa daemon run; or do without: subrosa --no-daemon"),
    )
}
