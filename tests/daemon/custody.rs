//! Rows 1 and 2: what another process of the same user learns from a daemon that holds keys.
//!
//! Root sees everything, so where the tests are root, daemon and attacker are another user.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use subrosa_tests::{
    Done, PASSPHRASE, Served, below, family, held, is_root, memory, positions, program, skipped,
};
use tempfile::TempDir;

const NOBODY: u32 = 65534;
const VALUE: &str = "canary-4p9zk2-row-value";

/// An attacker's tries on a process, one a line: what, and what came of it.
const ATTACKS: &str = r#"
import ctypes, os, sys
pid = int(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
def say(what, won):
    print(what, "won" if won else "denied", flush=True)
for name in ["environ", "mem", "maps", "smaps", "auxv", "stack", "syscall", "io", "pagemap", "personality"]:
    try:
        with open(f"/proc/{pid}/{name}", "rb", 0) as file:
            file.seek(0) if name == "mem" else file.read(1)
        say(name, True)
    except OSError:
        say(name, False)
for name in ["exe", "cwd", "root"]:
    try:
        os.readlink(f"/proc/{pid}/{name}")
        say(name, True)
    except OSError:
        say(name, False)
for name in ["fd", "map_files", "fdinfo"]:
    try:
        os.listdir(f"/proc/{pid}/{name}")
        say(name, True)
    except OSError:
        say(name, False)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long
PTRACE_SEIZE, PTRACE_ATTACH, PTRACE_DETACH = 0x4206, 16, 17
say("ptrace-seize", libc.ptrace(PTRACE_SEIZE, pid, None, None) == 0)
won = libc.ptrace(PTRACE_ATTACH, pid, None, None) == 0
if won:
    os.waitpid(pid, 0)
    libc.ptrace(PTRACE_DETACH, pid, None, None)
say("ptrace-attach", won)
class Vec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]
room = ctypes.create_string_buffer(1)
# The address says nothing: without permission it is not even looked at.
own, theirs = Vec(ctypes.addressof(room), 1), Vec(int(sys.argv[2], 16), 1)
libc.process_vm_readv.restype = ctypes.c_ssize_t
count = libc.process_vm_readv(pid, ctypes.byref(own), 1, ctypes.byref(theirs), 1, 0)
say("process_vm_readv", count == 1 or ctypes.get_errno() == 14)
pidfd = os.pidfd_open(pid)
say("pidfd_getfd", libc.syscall(438, pidfd, 0, 0) >= 0)
"#;

/// Places of a user who is not root.
pub(crate) struct Unprivileged {
    folder: TempDir,
}

impl Unprivileged {
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("subrosa-")
            .tempdir_in("/tmp")
            .expect("a folder");
        let mode = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode));
        mode(folder.path(), 0o755).expect("ours");
        let copy = folder.path().join("subrosa");
        fs::copy(program(), &copy).expect("copied");
        mode(&copy, 0o755).expect("ours");
        let own = folder.path().join("own");
        fs::create_dir(&own).expect("made");
        mode(&own, 0o700).expect("ours");
        fs::write(own.join("passphrase"), PASSPHRASE).expect("written");
        if is_root() {
            chown(&own, Some(NOBODY), Some(NOBODY)).expect("root may");
            chown(own.join("passphrase"), Some(NOBODY), Some(NOBODY)).expect("root may");
        }
        Self { folder }
    }

    fn own(&self) -> PathBuf {
        self.folder.path().join("own")
    }

    /// Our program, where this user may execute it.
    pub(crate) fn program(&self) -> PathBuf {
        self.folder.path().join("subrosa")
    }

    /// A program as this user.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            let user = format!("--reuid={NOBODY}");
            let group = format!("--regid={NOBODY}");
            command.args([&user, &group, "--clear-groups", "--", program]);
            command
        } else {
            Command::new(program)
        };
        command
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", self.own())
            .env("SUBROSA_HOME", self.own().join("home"))
            .env("XDG_STATE_HOME", self.own().join("state"))
            .current_dir(self.own())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Our program; with the passphrase where `proven`.
    pub(crate) fn subrosa(&self, words: &str, input: &str) -> Done {
        let mut command = self.command("/bin/sh");
        command
            .args(["-c", &format!("exec \"$0\" {words}")])
            .arg(self.program());
        Done::of(&mut command, input.as_bytes())
    }

    /// A daemon that holds the keys of a vault with a value in it.
    pub(crate) fn daemon(&self) -> Daemon<'_> {
        self.subrosa("init --no-recovery --passphrase-fd 3 3<passphrase", "")
            .ok();
        let done = self
            .subrosa("unlock --json --passphrase-fd 3 3<passphrase", "")
            .ok();
        let told: serde_json::Value = serde_json::from_slice(&done.out).expect("JSON");
        let pid = u32::try_from(told["pid"].as_u64().expect("a process")).expect("small");
        let daemon = Daemon { user: self, pid };
        self.subrosa("set api/key --stdin", VALUE).ok();
        daemon
    }

    /// What came of each attack on a process.
    fn attack(&self, pid: u32, address: &str) -> Vec<(String, bool)> {
        let mut python = self.command("python3");
        python.args(["-c", ATTACKS, &pid.to_string(), address]);
        let done = Done::of(&mut python, b"").ok();
        let text = done.text();
        let told = text.lines().filter_map(|line| line.split_once(' '));
        told.map(|(what, came)| (what.to_owned(), came == "won"))
            .collect()
    }
}

pub(crate) struct Daemon<'a> {
    user: &'a Unprivileged,
    pub(crate) pid: u32,
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        self.user.subrosa("daemon stop", "");
        if subrosa_tests::runs(self.pid) {
            subrosa_tests::send(self.pid, rustix::process::Signal::KILL);
        }
    }
}

struct Open(Child);

impl Drop for Open {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const SECOND: [&str; 4] = [
    "ptrace-seize",
    "ptrace-attach",
    "process_vm_readv",
    "pidfd_getfd",
];

/// Attacks the daemon, the processes that start its commands and the one that watches a command,
/// and, to see that the attack is one, a program that defends nothing: which
/// attacks won there, if any.
#[track_caller]
fn denied(which: impl Fn(&str) -> bool) -> Option<String> {
    let user = Unprivileged::new();
    let daemon = user.daemon();
    let open = user.command("sleep").arg("1000").spawn();
    let open = Open(open.expect("it starts"));
    let named = |name: &str| {
        fs::read_to_string(format!("/proc/{}/comm", open.0.id()))
            .is_ok_and(|comm| comm.trim() == name)
    };
    subrosa_tests::wait_until("sleep running", || named("sleep"));
    // An address that is there, for the call that wants one.
    let maps = fs::read_to_string(format!("/proc/{}/maps", open.0.id())).expect("it is open");
    let address = maps.split('-').next().expect("an address").to_owned();
    let against = |pid| {
        let mut outcomes = user.attack(pid, &address);
        outcomes.retain(|(what, _)| which(what));
        outcomes
    };
    let control = against(open.0.id());
    let works: Vec<&str> = control
        .iter()
        .filter(|(_, won)| *won)
        .map(|(what, _)| what.as_str())
        .collect();
    let mut running = user.command("sh");
    let program = user.program();
    let running = running
        .args(["-c", "exec \"$0\" run -- sleep 1000"])
        .arg(program);
    let _running = Open(running.spawn().expect("it starts"));
    subrosa_tests::wait_until("a command", || !below(daemon.pid, "sleep").is_empty());
    let mut targets = vec![(daemon.pid, "the daemon".to_owned())];
    targets.extend(
        family(daemon.pid)
            .into_iter()
            .filter(|(_, name)| name != "sleep"),
    );
    let names: Vec<&str> = targets.iter().map(|(_, name)| name.as_str()).collect();
    for name in ["subrosa-nursery", "subrosa-spawner", "subrosa-guard"] {
        assert!(names.contains(&name), "{names:?}");
    }
    for (pid, name) in &targets {
        let outcomes = against(*pid);
        assert_eq!(outcomes.len(), control.len());
        for (what, won) in &outcomes {
            assert!(!won, "{what} on {name} succeeded");
        }
    }
    // What is allowed works beside it.
    user.subrosa("show api/key", "").ok();
    // None such as where only root may trace at all.
    (!works.is_empty()).then(|| works.join(" "))
}

const NOWHERE: &str = "on this machine the attacks fail on any process";

#[test]
fn row_01_proc_shows_nothing_of_the_daemon_to_its_own_user() {
    match denied(|what| !SECOND.contains(&what)) {
        Some(elsewhere) => held(
            1,
            &format!(
                "/proc of the daemon and of what starts and watches its commands is closed to their user, and not elsewhere: {elsewhere}"
            ),
        ),
        None => skipped(1, NOWHERE),
    }
}

#[test]
fn row_02_no_debugger_gets_into_the_daemon() {
    match denied(|what| SECOND.contains(&what)) {
        Some(elsewhere) => held(
            2,
            &format!(
                "neither the daemon nor what starts and watches its commands can be traced by their user, others can: {elsewhere}"
            ),
        ),
        None => skipped(2, NOWHERE),
    }
}

/// Neither keys nor proofs are where `ps` shows them, also not to root.
#[test]
fn row_01_no_key_in_the_environment_or_on_the_command_line() {
    let served = Served::open();
    served
        .fed(&["set", "api/key", "--stdin"], VALUE.as_bytes())
        .ok();
    let pid = served.daemon().expect("it runs");
    let of = |name: &str| fs::read(format!("/proc/{pid}/{name}")).expect("our own, or root's");
    let words = of("cmdline");
    let words: Vec<&[u8]> = words.split(|byte| *byte == 0).collect();
    assert_eq!(&words[1..], [&b"daemon"[..], b"run", b""]);
    if !is_root() {
        skipped(
            1,
            "only root may look at what the daemon closes to its own user",
        );
        return;
    }
    let key = fs::read(served.key_file()).expect("there");
    let key = key.trim_ascii();
    for name in ["environ", "cmdline"] {
        let there = of(name);
        for needle in [PASSPHRASE.as_bytes(), VALUE.as_bytes(), key] {
            assert_eq!(positions(&there, needle).count(), 0, "{name}");
        }
    }
    let there = of("environ");
    let names: Vec<String> = there
        .split(|byte| *byte == 0)
        .filter(|entry| !entry.is_empty())
        .map(|entry| {
            String::from_utf8_lossy(entry)
                .split('=')
                .next()
                .unwrap_or("")
                .to_owned()
        })
        .collect();
    let known = [
        "HOME",
        "PATH",
        "SUBROSA_HOME",
        "XDG_CONFIG_HOME",
        "XDG_DATA_HOME",
        "XDG_RUNTIME_DIR",
        "XDG_STATE_HOME",
        "TZ",
    ];
    assert!(
        names.iter().all(|name| known.contains(&name.as_str())),
        "{names:?}"
    );
    held(
        1,
        "environment and command line of the daemon name places and nothing else",
    );
}

/// What was stored, run and typed is nowhere in the daemon's memory once it is done, and the
/// passphrase never stays.
#[test]
fn row_01_no_value_and_no_passphrase_stay_in_the_memory_of_the_daemon() {
    if !is_root() {
        skipped(
            1,
            "only root may read the daemon's memory to see what is in it",
        );
        return;
    }
    let served = Served::open();
    served
        .fed(&["set", "api/key", "--stdin"], VALUE.as_bytes())
        .ok();
    let line = "echo $API_KEY";
    served.allow("sh", &["-c", line], "api/key");
    served
        .run(&["run", "-k", "api/key", "--", "sh", "-c", line])
        .ok();
    let pid = served.daemon().expect("it runs");
    let (mut ordinary, mut protected) = (0, 0);
    for mapping in memory(pid) {
        if mapping.name.contains(" r--p ") && mapping.name.contains('/') {
            // The program's own file, whose demonstration has this very passphrase in it.
            continue;
        }
        let found = positions(&mapping.content, PASSPHRASE.as_bytes()).count();
        assert_eq!(found, 0, "the passphrase is in {}", mapping.name);
        let found = positions(&mapping.content, VALUE.as_bytes()).count();
        *(if mapping.is_protected() {
            &mut protected
        } else {
            &mut ordinary
        }) += found;
    }
    assert_eq!(ordinary, 0, "copies of the value in ordinary memory");
    held(
        1,
        &format!(
            "no passphrase in memory, {protected} copies of a value in locked pages, none elsewhere"
        ),
    );
}
