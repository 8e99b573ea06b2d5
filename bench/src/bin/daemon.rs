//! `cargo xtask bench daemon`: commands through an open daemon, beside the bare command.
#![forbid(unsafe_code)]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a benchmark starts programs, writes files and prints"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use subrosa_bench::vaults::{Result, SECRETS, checked, copy_pins, fill, program};
use subrosa_bench::{Times, bar, line};

const ROUNDS: usize = 11;
/// Runs of `true` in a round: one alone is too short to be timed.
const RUNS: usize = 20;
const CLIENTS: usize = 100;

fn main() -> Result<()> {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    if let [word, root, key_file] = &asked[..]
        && word == "fill"
    {
        return fill(Path::new(root), Path::new(key_file));
    }
    let folder = tempfile::tempdir()?;
    let place = Place {
        program: program()?,
        root: folder.path().join("large"),
        state: folder.path().join("xdg"),
    };
    let key_file = folder.path().join("bench.key");
    println!("a vault of {SECRETS} secrets, open in the daemon");
    let own = std::env::current_exe()?;
    checked(
        Command::new(own)
            .arg("fill")
            .arg(&place.root)
            .arg(&key_file),
    )?;
    copy_pins(&place.root.join("pins"), &place.state.join("subrosa/pins"))?;
    checked(place.command(&["unlock", "--key-file"]).arg(&key_file))?;
    let measured = measure(&place);
    checked(&mut place.command(&["daemon", "stop"]))?;
    measured
}

struct Place {
    program: PathBuf,
    root: PathBuf,
    state: PathBuf,
}

impl Place {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .env_remove("SUBROSA_NO_DAEMON")
            .env("SUBROSA_HOME", &self.root)
            .env("XDG_STATE_HOME", &self.state)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

fn measure(place: &Place) -> Result<()> {
    let ms = |times: &Times| times.median().as_secs_f64() * 1e3;
    let mut first = Times::default();
    first.time(|| checked(&mut place.command(&["ls"])))?;
    line("the first ls", &first);
    let (mut ls, mut show) = (Times::default(), Times::default());
    for _ in 0..ROUNDS {
        let listed = ls.time(|| place.command(&["ls"]).output())?;
        assert!(listed.stdout.iter().filter(|byte| **byte == b'\n').count() >= SECRETS);
        show.time(|| checked(&mut place.command(&["show", "app-007/key-7"])))?;
    }
    line("subrosa ls, whole process", &ls);
    bar("subrosa ls", ms(&ls), 300.0, "ms");
    line("subrosa show, whole process", &show);
    bar("subrosa show", ms(&show), 20.0, "ms");

    let (mut bare, mut ours) = (Times::default(), Times::default());
    for _ in 0..ROUNDS {
        bare.time(|| repeat(|| checked(&mut Command::new("true"))))?;
        ours.time(|| repeat(|| checked(&mut place.command(&["run", "--", "true"]))))?;
    }
    line(&format!("true, {RUNS} times"), &bare);
    line(&format!("subrosa run -- true, {RUNS} times"), &ours);
    let more = (ms(&ours) - ms(&bare)) / RUNS as f64;
    bar("what a run costs more than the command", more, 10.0, "ms");

    together(place)?;
    bar("memory of the daemon (VmRSS)", memory(place)?, 150.0, "MB");
    Ok(())
}

fn repeat(mut work: impl FnMut() -> Result<()>) -> Result<()> {
    (0..RUNS).try_for_each(|_| work())
}

/// Many clients at once: each gets its own answer.
fn together(place: &Place) -> Result<()> {
    let start = Instant::now();
    let mut children = Vec::new();
    for number in 0..CLIENTS {
        let key = format!("app-{:03}/key-{number}", number % 500);
        let child = place.command(&["show", &key, "--json"]).spawn()?;
        children.push((key, child));
    }
    for (key, child) in children {
        let output = child.wait_with_output()?;
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success() && told.contains(&key),
            "{key}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    println!(
        "  {CLIENTS} clients at once, each its own answer               {:>9.1} ms in all",
        start.elapsed().as_secs_f64() * 1e3
    );
    Ok(())
}

/// Resident memory of the daemon, in megabytes.
fn memory(place: &Place) -> Result<f64> {
    let told = place.command(&["status", "--json"]).output()?;
    let told = String::from_utf8(told.stdout)?;
    let pid: String = told
        .split("\"pid\":")
        .nth(1)
        .ok_or("no process")?
        .chars()
        .filter(|c| !c.is_whitespace())
        .take_while(char::is_ascii_digit)
        .collect();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes: f64 = resident
        .and_then(|text| text.split_whitespace().next())
        .ok_or("no VmRSS")?
        .parse()?;
    Ok(kilobytes / 1024.0)
}
