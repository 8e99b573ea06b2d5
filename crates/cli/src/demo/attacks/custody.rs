//! Attacks on the process that holds the keys, by other processes of its own user.

use std::fs;
use std::process::{Child, Stdio};

use super::must;
use crate::demo::invented::contains;
use crate::demo::memory::{Look, search};
use crate::demo::served::Served;
use crate::demo::stage::Stage;
use crate::demo::verdict::Verdict;
use crate::failure::Failure;

/// Says which files of a process can be looked into.
const LOOKS: &str = r#"
for name in environ maps smaps auxv; do
  [ "$(head -c 1 "/proc/$1/$name" 2>/dev/null | wc -c)" -gt 0 ] && echo "$name"
done
(: <"/proc/$1/mem") 2>/dev/null && echo mem
echo done
"#;

/// Says which calls get into a process. The address is one of another process: without permission
/// it is not even looked at.
const CALLS: &str = r#"
import ctypes, os, sys
pid = int(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long
class Vec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]
room = ctypes.create_string_buffer(1)
own, theirs = Vec(ctypes.addressof(room), 1), Vec(int(sys.argv[2], 16), 1)
libc.process_vm_readv.restype = ctypes.c_ssize_t
if libc.process_vm_readv(pid, ctypes.byref(own), 1, ctypes.byref(theirs), 1, 0) == 1 or ctypes.get_errno() == 14:
    print("process_vm_readv")
if libc.syscall(438, os.pidfd_open(pid), 0, 0) >= 0:
    print("pidfd_getfd")
if libc.ptrace(0x4206, pid, None, None) == 0:
    print("ptrace")
print("done")
"#;

/// A process of the user's that defends nothing: what does not win there is no attack.
struct Bystander(Child);

impl Drop for Bystander {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whoever has privileges looks into any process, and would see nothing of a defence: they are given
/// up first, by whoever attacks and by whoever is attacked.
fn plain_user() -> Vec<String> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let held = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|held| u64::from_str_radix(held.trim(), 16).ok());
    let words: &[&str] = match held {
        Some(0) => &["env"],
        _ => &["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--"],
    };
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Another program as the plain user; what it printed, line by line, if it ran to its end.
fn attacked(stage: &Stage, words: &[&str]) -> Result<Option<Vec<String>>, Failure> {
    let user = plain_user();
    let mut command = stage.program(&user[0]);
    command.args(&user[1..]).args(words).stdin(Stdio::null());
    let ran = command
        .output()
        .map_err(Failure::io("an attacker cannot be started"))?;
    let mut lines: Vec<String> = String::from_utf8_lossy(&ran.stdout)
        .lines()
        .map(str::to_owned)
        .collect();
    let is_whole = lines.pop().is_some_and(|last| last == "done");
    Ok(is_whole.then_some(lines))
}

fn bystander(stage: &Stage) -> Result<Bystander, Failure> {
    let user = plain_user();
    let mut command = stage.program(&user[0]);
    command
        .args(&user[1..])
        .args(["sh", "-c", "echo; exec cat"]);
    let mut child = command
        .spawn()
        .map_err(Failure::io("a process cannot be started"))?;
    let mut line = [0];
    if let Some(out) = &mut child.stdout {
        // It says so when it runs as it should.
        let _ = std::io::Read::read(out, &mut line);
    }
    Ok(Bystander(child))
}

/// The daemon and the processes that start its commands.
fn targets(served: &Served<'_>) -> Result<Vec<u32>, Failure> {
    let mut all = vec![served.process()?];
    let mut next = 0;
    while let Some(process) = all.get(next) {
        let path = format!("/proc/{process}/task/{process}/children");
        let below = fs::read_to_string(path).unwrap_or_default();
        all.extend(
            below
                .split_whitespace()
                .filter_map(|word| word.parse::<u32>().ok()),
        );
        next += 1;
    }
    Ok(all)
}

/// Row 1: what `/proc` shows of the daemon.
pub(super) fn memory(stage: &Stage) -> Result<Verdict, Failure> {
    if !stage.finds("setpriv") && plain_user()[0] == "setpriv" {
        return Ok(skipped("it takes `setpriv` to attack without privileges"));
    }
    let served = Served::open_under(stage, "custody", &plain_user())?;
    must!(served.serves()?, "the daemon does not serve");
    let other = bystander(stage)?;
    let look = |process: u32| attacked(stage, &["sh", "-c", LOOKS, "sh", &process.to_string()]);
    let works = look(other.0.id())?.unwrap_or_default();
    if !["environ", "maps", "mem"]
        .iter()
        .all(|name| works.iter().any(|work| work == name))
    {
        return Ok(skipped("on this machine it fails on any process"));
    }
    let targets = targets(&served)?;
    for process in &targets {
        let seen = look(*process)?;
        must!(
            seen.is_some(),
            "the attack on process {process} did not end"
        );
        let seen = seen.unwrap_or_default();
        must!(
            seen.is_empty(),
            "its own user opens {} of the daemon",
            seen.join(" and ")
        );
    }
    // And what root sees all the same, where we are root.
    let daemon = served.process()?;
    let code = stage.proof.1.as_bytes();
    for name in ["cmdline", "environ"] {
        if let Ok(there) = fs::read(format!("/proc/{daemon}/{name}")) {
            let seen = stage.shows_a_value(&there) || contains(&there, code);
            must!(!seen, "{name} of the daemon holds a value");
        }
    }
    let bare: Vec<u8> = code.iter().copied().filter(|byte| *byte != b'-').collect();
    let mut beside = "";
    if let Look::Seen(seen) = search(daemon, &[code, &bare, b"daemon.sock"]) {
        must!(seen[2] > 0, "the search of the memory finds nothing at all");
        must!(
            seen[0] == 0 && seen[1] == 0,
            "the code that opened the vault is still in the daemon's memory"
        );
        beside = "; root finds no code in it";
    }
    Ok(Verdict::held(format!(
        "environ, maps and mem of {} processes are closed to their own user{beside}",
        targets.len()
    )))
}

/// Row 2: tracing the daemon, reading its memory, taking its descriptors.
pub(super) fn debugger(stage: &Stage) -> Result<Verdict, Failure> {
    if !stage.finds("python3") {
        return Ok(skipped("it takes `python3` to make these calls"));
    }
    if !stage.finds("setpriv") && plain_user()[0] == "setpriv" {
        return Ok(skipped("it takes `setpriv` to attack without privileges"));
    }
    let served = Served::open_under(stage, "debugged", &plain_user())?;
    let other = bystander(stage)?;
    let maps = fs::read_to_string(format!("/proc/{}/maps", other.0.id())).unwrap_or_default();
    let address = maps.split('-').next().unwrap_or_default().to_owned();
    let call = |process: u32| {
        let process = process.to_string();
        attacked(stage, &["python3", "-c", CALLS, &process, &address])
    };
    let works = call(other.0.id())?.unwrap_or_default();
    if works.is_empty() {
        return Ok(skipped("on this machine it fails on any process"));
    }
    let targets = targets(&served)?;
    for process in &targets {
        let won = call(*process)?;
        must!(won.is_some(), "the attack on process {process} did not end");
        let won = won.unwrap_or_default();
        must!(won.is_empty(), "{} gets into the daemon", won.join(" and "));
    }
    must!(served.serves()?, "the daemon does not serve any more");
    Ok(Verdict::held(format!(
        "denied to its own user, and not elsewhere: {}",
        works.join(", ")
    )))
}

fn skipped(why: &str) -> Verdict {
    Verdict::Skipped(why.to_owned())
}
