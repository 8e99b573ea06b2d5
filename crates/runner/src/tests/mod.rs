//! Real programs under the real spawner.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use subrosa_model::{Clock, ProcessLimits, Timestamp};
use subrosa_redact::{Known, KnownSet};

use crate::{
    Command, Console, Environment, EnvironmentSink, Limits, Outlet, RunError, RunReport,
    SearchPath, SystemSpawner, run_without_secrets,
};

mod environment;
mod guard;
mod injection;
mod leftovers;
mod limits;
mod lost;
mod output;
mod remote;
mod resolve;
mod terminal;

/// The system's clock.
pub(crate) struct BootClock;

impl Clock for BootClock {
    fn now(&self) -> Timestamp {
        unreachable!("the runner measures durations only")
    }

    fn since_boot(&self) -> Duration {
        let time = clock_gettime(ClockId::Boottime);
        Duration::new(
            time.tv_sec.try_into().expect("after boot"),
            time.tv_nsec.try_into().expect("below a second"),
        )
    }
}

/// A buffer that an outlet writes to, each write apart.
#[derive(Clone, Default)]
pub(crate) struct Written(Arc<Mutex<Vec<Vec<u8>>>>);

impl Written {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.lock().expect("no test panics in it").concat()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .lock()
            .expect("no test panics in it")
            .push(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What a run left behind.
pub(crate) struct Ran {
    pub(crate) report: RunReport,
    pub(crate) output: Written,
    pub(crate) error: Written,
}

/// A folder that passes the checks: the one that the build writes to may not.
pub(crate) fn scratch() -> tempfile::TempDir {
    tempfile::Builder::new()
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700))
        .tempdir()
        .expect("a temporary folder")
}

pub(crate) fn limits() -> Limits {
    let rule = ProcessLimits {
        timeout: Some(Duration::from_secs(60)),
        ..ProcessLimits::default()
    };
    Limits::new(rule, false)
}

pub(crate) fn command(words: &[&str], limits: Limits) -> Result<Command, RunError> {
    let path = SearchPath::default();
    let resolved = path.resolve(OsStr::new(words[0]), Path::new("/"))?;
    let environment = Environment::inherit([], &[], &path)?;
    let rest = words[1..].iter().map(OsString::from);
    Command::new(resolved, rest, Path::new("/"), environment, limits)
}

pub(crate) fn known(values: &[(&str, &[u8])]) -> KnownSet {
    let mut known = Known::new();
    for (name, value) in values {
        assert!(
            known.add(Some(name), value).is_searched(),
            "{name} is searched for"
        );
    }
    known.build()
}

pub(crate) fn buffers() -> (Console, Written, Written) {
    let (output, error) = (Written::default(), Written::default());
    let console = Console::new(
        None,
        Outlet::writer(output.clone()),
        Outlet::writer(error.clone()),
    );
    (console, output, error)
}

/// Runs without secrets, into buffers.
pub(crate) fn run_within(words: &[&str], limits: Limits) -> Ran {
    let (console, output, error) = buffers();
    let command = command(words, limits).expect("the command is found");
    let running = run_without_secrets(command, console, &SystemSpawner, &KnownSet::empty())
        .expect("it starts");
    let report = running.pump(&BootClock).expect("it is pumped");
    Ran {
        report,
        output,
        error,
    }
}

pub(crate) fn run(words: &[&str]) -> Ran {
    run_within(words, limits())
}

/// Runs with values as variables; they are masked as `api/NAME`.
pub(crate) fn run_with(words: &[&str], values: &[(&str, &[u8])]) -> Ran {
    let (console, output, error) = buffers();
    let command = command(words, limits()).expect("the command is found");
    let mut sink = EnvironmentSink::new(command, console, &SystemSpawner).expect("it is staged");
    sink.hand_over(values, &known(values)).expect("it starts");
    let report = sink
        .finish()
        .expect("it runs")
        .pump(&BootClock)
        .expect("it is pumped");
    Ran {
        report,
        output,
        error,
    }
}

/// A script in `folder` that passes the checks.
pub(crate) fn script(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    put(&path, text.as_bytes());
    make_mode(&path, 0o755);
    path
}

#[allow(clippy::disallowed_methods, reason = "a test lays out its own folder")]
pub(crate) fn put(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).expect("a file is written");
}

#[allow(clippy::disallowed_methods, reason = "a test lays out its own folder")]
pub(crate) fn make_mode(path: &Path, mode: u32) {
    let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
    std::fs::set_permissions(path, mode).expect("a mode is set");
}
