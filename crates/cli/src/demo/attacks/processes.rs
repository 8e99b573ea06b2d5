//! Attacks on processes: core images, memory, what a command leaves behind.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::must;
use crate::demo::memory::{Look, search};
use crate::demo::stage::Stage;
use crate::demo::verdict::Verdict;
use crate::failure::Failure;

/// A `set` that has opened the vault and waits for its value.
fn waiting(stage: &Stage, key: &str) -> Result<Child, Failure> {
    let mut child = stage.call(&["--debug", "set", key, "--stdin"]).spawn()?;
    let stderr = child
        .stderr
        .take()
        .ok_or_else(|| Failure::new("demo", "no standard error"))?;
    for line in BufReader::new(stderr).lines() {
        if line
            .map_err(Failure::io("standard error"))?
            .contains("opened")
        {
            return Ok(child);
        }
    }
    let _ = child.wait();
    Err(Failure::new("demo", "a process that should wait has ended"))
}

fn pid(child: &Child) -> Result<Pid, Failure> {
    let number = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    number.ok_or_else(|| Failure::new("demo", "a process has no number"))
}

fn end(mut child: Child, signal: Signal) -> Result<std::process::ExitStatus, Failure> {
    kill_process(pid(&child)?, signal).map_err(|errno| Failure::io("a signal")(errno.into()))?;
    child
        .wait()
        .map_err(Failure::io("waiting for this program"))
}

/// Row 3: a process that holds keys is crashed.
pub(super) fn core_dump(stage: &Stage) -> Result<Verdict, Failure> {
    let child = waiting(stage, "probe/core")?;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id()));
    let status = end(child, Signal::ABORT)?;
    let limits = limits.map_err(Failure::io("the limits of a process"))?;
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap_or_default();
    let numbers: Vec<&str> = core.split_whitespace().skip(4).take(2).collect();
    must!(
        numbers == ["0", "0"],
        "the core limit of a process with keys is {}",
        numbers.join(" ")
    );
    must!(
        status.signal() == Some(6),
        "the process did not crash: {status}"
    );
    must!(
        !status.core_dumped(),
        "a crashed process left an image of its memory"
    );
    Ok(Verdict::held(
        "a crashed process with keys leaves no image: core limit 0, soft and hard",
    ))
}

/// Row 4: the memory of a process is searched for the code that opened the vault.
pub(super) fn residue(stage: &Stage) -> Result<Verdict, Failure> {
    let key = "probe/residue-of-a-code";
    let child = waiting(stage, key)?;
    let code = stage.proof.1.as_bytes();
    let bare: Vec<u8> = code.iter().copied().filter(|byte| *byte != b'-').collect();
    let look = search(child.id(), &[code, &bare, key.as_bytes()]);
    let locked = std::fs::read_to_string(format!("/proc/{}/status", child.id()))
        .ok()
        .and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("VmLck:"))?;
            line.split_whitespace().nth(1)?.parse::<u64>().ok()
        });
    end(child, Signal::KILL)?;
    match look {
        // The system itself refuses: the process is closed to everybody but root.
        Look::Refused(error) => Ok(Verdict::held(format!("no look into its memory: {error}"))),
        Look::Seen(seen) => {
            // A search that does not find what must be there has shown nothing.
            must!(seen[2] > 0, "the search of the memory finds nothing at all");
            must!(
                seen[0] == 0 && seen[1] == 0,
                "the code is still in memory after it opened the vault"
            );
            let locked = locked.map_or_else(String::new, |kb| format!("; {kb} kB locked"));
            Ok(Verdict::held(format!(
                "the code is gone once the vault is open, searched as root{locked}"
            )))
        }
    }
}

/// Row 31: processes that try to outlive their command.
pub(super) fn left_behind(stage: &Stage) -> Result<Verdict, Failure> {
    const PATIENCE: Duration = Duration::from_secs(15);
    let number = format!("{}.{}", 600 + std::process::id() % 300, std::process::id());
    let outlives = format!("sleep {number} & (setsid sleep {number} &) ; sleep {number}");
    let begin = Instant::now();
    let ran = stage
        .call(&["run", "--timeout", "1s", "--", "sh", "-c", &outlives])
        .run()?;
    must!(
        ran.code() == Some(125),
        "a command over its time ended with {}",
        ran.ending()
    );
    must!(
        begin.elapsed() < PATIENCE,
        "a command over its time held us for {:?}",
        begin.elapsed()
    );
    must!(
        !runs(&number)?,
        "a process outlived the time of its command"
    );
    let detached = format!("exec >/dev/null 2>&1 </dev/null; (setsid sleep {number} &) ; exit 7");
    let ran = stage.call(&["run", "--", "sh", "-c", &detached]).run()?;
    must!(
        ran.code() == Some(7),
        "a command that detaches ended with {}: {}",
        ran.ending(),
        ran.err()
    );
    must!(!runs(&number)?, "a detached process outlived its command");
    Ok(Verdict::held(
        "what a command leaves behind ends with it, detached or not",
    ))
}

/// Whether a process with this word among its arguments runs.
fn runs(word: &str) -> Result<bool, Failure> {
    let entries = std::fs::read_dir("/proc").map_err(Failure::io("/proc"))?;
    let arguments = entries.flatten().filter_map(|entry| {
        let name = entry.file_name();
        let is_process = name
            .to_str()
            .is_some_and(|name| name.bytes().all(|b| b.is_ascii_digit()));
        is_process
            .then(|| std::fs::read(entry.path().join("cmdline")).ok())
            .flatten()
    });
    let mut found = false;
    for line in arguments {
        // Exactly the argument: the script that started it has it as a part of one.
        found |= line
            .split(|byte| *byte == 0)
            .any(|argument| argument == word.as_bytes());
    }
    Ok(found)
}
