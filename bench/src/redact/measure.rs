//! A program, measured as the system accounts for it.
//!
//! Each run is started by a small process of its own, since the peak memory of a program cannot
//! read below that of whoever started it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde_json::{Value, json};
use wait4::Wait4;

use super::Result;

/// A command line, and the file on its standard input.
#[derive(Debug, Clone)]
pub struct Line {
    /// The program and its arguments.
    pub words: Vec<String>,
    /// What it reads; nothing if there is none.
    pub stdin: Option<PathBuf>,
    /// Variables that it gets beside an empty environment.
    pub variables: Vec<(String, String)>,
}

impl Line {
    fn command(&self, words: &[String]) -> Result<Command> {
        let (program, arguments) = words.split_first().ok_or("no program")?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .envs(self.variables.iter().cloned())
            .stdin(match &self.stdin {
                Some(path) => Stdio::from(File::open(path)?),
                None => Stdio::null(),
            });
        Ok(command)
    }

    /// Starts it with its output in a pipe.
    ///
    /// # Errors
    /// What starting gave.
    pub fn piped(&self) -> Result<Child> {
        let mut command = self.command(&self.words)?;
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        Ok(command.spawn()?)
    }

    /// Runs it with its output thrown away.
    ///
    /// # Errors
    /// When it cannot be started or fails.
    pub fn measured(&self) -> Result<Cost> {
        let own = std::env::current_exe()?.display().to_string();
        let mut words = vec![own, "measured".to_owned()];
        words.extend(self.words.iter().cloned());
        let output = self.command(&words)?.stderr(Stdio::inherit()).output()?;
        if !output.status.success() {
            return Err(self.failed(output.status).into());
        }
        let told: Value = serde_json::from_slice(&output.stdout)?;
        let number = |name: &str| told[name].as_f64().ok_or("no figure");
        Ok(Cost {
            cpu: number("cpu")?,
            wall: number("wall")?,
            peak: number("peak")?,
        })
    }

    /// What is said of a run that failed.
    #[must_use]
    pub fn failed(&self, status: ExitStatus) -> String {
        format!("`{}` failed: {status}", self.words.join(" "))
    }
}

/// What a run took.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// Seconds of all its threads, user and system together.
    pub cpu: f64,
    /// Seconds from its start to its end.
    pub wall: f64,
    /// Its greatest resident memory, in megabytes.
    pub peak: f64,
}

/// Starts the command on this line, waits, prints what it took.
///
/// # Errors
/// When it cannot be started or fails.
pub fn print_cost(words: &[String]) -> Result<()> {
    let (program, arguments) = words.split_first().ok_or("no program")?;
    let start = Instant::now();
    let child = Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let used = child.wait4()?;
    let wall = start.elapsed();
    if !used.status.success() {
        return Err(format!("{program} failed: {}", used.status).into());
    }
    let cpu: Duration = used.rusage.utime + used.rusage.stime;
    let told = json!({
        "cpu": cpu.as_secs_f64(),
        "wall": wall.as_secs_f64(),
        "peak": used.rusage.maxrss as f64 / 1e6,
    });
    println!("{told}");
    Ok(())
}

/// Keeps this process, and all that it starts, on the last core that it may use.
///
/// # Errors
/// What the system says.
pub fn pin() -> Result<usize> {
    let allowed = sched_getaffinity(None)?;
    let core = (0..CpuSet::MAX_CPU)
        .rev()
        .find(|core| allowed.is_set(*core))
        .ok_or("no core")?;
    let mut one = CpuSet::new();
    one.set(core);
    sched_setaffinity(None, &one)?;
    Ok(core)
}

/// The first `count` bytes of a file.
///
/// # Errors
/// What opening gave.
pub fn first(path: &Path, count: u64) -> Result<impl std::io::Read + use<>> {
    use std::io::Read as _;
    Ok(File::open(path)?.take(count))
}

/// The median; of an even number the higher of the two in the middle.
#[must_use]
pub fn median(of: &[f64]) -> f64 {
    let mut sorted = of.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
