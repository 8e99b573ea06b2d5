//! Nothing outlives a run or its time, and the child starts in a known state.

use std::fs::File;
use std::io::{BufRead, BufReader};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, geteuid, pidfd_open};

use super::*;
use crate::{Ending, Limit};

fn short() -> Limits {
    Limits {
        timeout: Some(Duration::from_millis(300)),
        ..limits()
    }
}

/// Whether no process has this number; the runs here end before their numbers are used again.
fn is_gone(pid: &str) -> bool {
    let pid = Pid::from_raw(pid.trim().parse().expect("a number")).expect("above zero");
    matches!(rustix::process::test_kill_process(pid), Err(Errno::SRCH))
}

#[test]
fn a_command_that_ignores_sigterm_is_killed() {
    let ran = run_within(
        &[
            "sh",
            "-c",
            "trap '' TERM; echo $$; while :; do sleep 1; done",
        ],
        short(),
    );
    assert_eq!(ran.report.ending, Ending::Limited(Limit::Timeout));
    assert_eq!(ran.report.exit_status(), 125);
    assert!(ran.report.duration < Duration::from_secs(20));
    assert!(is_gone(&ran.output.text()));
}

#[test]
fn a_command_may_tidy_up_after_sigterm() {
    let script = "trap 'echo tidied; exit 3' TERM; while :; do sleep 0.05; done";
    let ran = run_within(&["sh", "-c", script], short());
    assert_eq!(ran.output.text(), "tidied\n");
    assert_eq!(ran.report.ending, Ending::Limited(Limit::Timeout));
}

#[test]
fn a_stopped_command_does_not_outlive_its_time() {
    let ran = run_within(&["sh", "-c", "echo $$; kill -STOP $$"], short());
    assert_eq!(ran.report.ending, Ending::Limited(Limit::Timeout));
    assert!(is_gone(&ran.output.text()));
}

/// A daemon as they are written: two forks, a session of its own, deaf to signals, all streams
/// closed. It tells its number first.
const DAEMON: &str = r#"
import os, signal, sys, time
told, tell = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        os.write(1, b"%d\n" % os.getpid())
        for descriptor in (0, 1, 2):
            os.close(descriptor)
        os.write(tell, b"x")
        time.sleep(1000)
    os._exit(0)
os.read(told, 1)
"#;

#[test]
fn a_daemon_does_not_outlive_the_command() {
    let ran = run(&["/usr/bin/env", "python3", "-c", DAEMON]);
    assert_eq!(ran.report.ending, Ending::Exited(0), "{}", ran.error.text());
    assert_eq!(ran.report.stragglers_killed, 1);
    assert!(is_gone(&ran.output.text()));
    assert!(ran.report.duration < Duration::from_secs(20));
}

#[test]
fn a_daemon_does_not_outlive_the_time() {
    let text = format!("{DAEMON}\ntime.sleep(1000)");
    let limits = Limits {
        timeout: Some(Duration::from_secs(3)),
        ..limits()
    };
    let ran = run_within(&["/usr/bin/env", "python3", "-c", &text], limits);
    assert_eq!(
        ran.report.ending,
        Ending::Limited(Limit::Timeout),
        "{}",
        ran.error.text()
    );
    assert!(is_gone(&ran.output.text()));
}

#[test]
fn what_a_shell_does_not_wait_for_may_end() {
    // The end of `tee` comes after that of the shell.
    let ran = run(&["sh", "-c", "(sleep 0.1; echo late) & echo early"]);
    assert_eq!(ran.output.text(), "early\nlate\n");
    assert_eq!(ran.report.stragglers_killed, 0);
}

/// Doubles until there are 2,000 processes: a fork bomb that ends by itself should the defence fail.
const BOMB: &str = r#"
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for _ in range(11):
    try:
        if os.fork() == 0:
            os.setsid()
    except OSError:
        pass
time.sleep(60)
"#;

#[test]
fn a_fork_bomb_ends() {
    let limits = Limits {
        processes: 24,
        ..limits()
    };
    let ran = run_within(&["/usr/bin/env", "python3", "-c", BOMB], limits);
    assert_eq!(
        ran.report.ending,
        Ending::Limited(Limit::Processes),
        "{}",
        ran.error.text()
    );
    assert!(
        ran.report.duration < Duration::from_secs(30),
        "{:?}",
        ran.report.duration
    );
}

#[test]
fn a_fork_bomb_of_an_ordinary_user_ends() {
    if !geteuid().is_root() {
        return; // The test above was this one.
    }
    let limits = Limits {
        processes: 24,
        ..limits()
    };
    let words = [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
    ];
    let words = [&words[..], &["/usr/bin/python3", "-c", BOMB]].concat();
    if !Path::new("/usr/bin/python3").exists() {
        return;
    }
    let ran = run_within(&words, limits);
    assert_eq!(
        ran.report.ending,
        Ending::Limited(Limit::Processes),
        "{}",
        ran.error.text()
    );
}

#[test]
fn the_child_starts_in_a_known_state() {
    // A descriptor that a careless library left inheritable.
    let (_read, _write) = rustix::pipe::pipe().expect("a pipe");
    let script = r#"
        ulimit -c
        ls /proc/self/fd | tr '\n' ' '; echo
        grep -E '^(NoNewPrivs|SigBlk|SigIgn):' /proc/self/status | tr -s '\t' ' '
        ps -o sid= -p $$ | tr -d ' '
        ps -o tty= -p $$
        (: </dev/tty) 2>/dev/null && echo tty
        pwd; echo "$PWD"
    "#;
    let ran = run(&["sh", "-c", script]);
    let text = ran.output.text();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    assert_eq!(lines[0], "0");
    assert_eq!(lines[1], "0 1 2 3", "3 is the listing itself");
    assert_eq!(lines[2], "SigBlk: 0000000000000000");
    assert_eq!(lines[3], "SigIgn: 0000000000000000");
    assert_eq!(lines[4], "NoNewPrivs: 1");
    let (_, ours) = crate::tree::belonging(None).expect("our own status");
    assert_ne!(lines[5], ours.to_string(), "a session apart");
    assert_eq!(lines[6], "?", "no terminal to write around the redactor");
    assert_eq!(lines[7..], ["/", "/"]);
}

#[test]
fn memory_is_bounded() {
    let limits = Limits {
        memory: Some(512 * 1024 * 1024),
        ..limits()
    };
    let ran = run_within(&["sh", "-c", "ulimit -v; ulimit -H -v"], limits);
    assert_eq!(ran.output.text(), "524288\n524288\n");
    let ran = run(&["sh", "-c", "ulimit -v; ulimit -d"]);
    assert_eq!(
        ran.output.text(),
        format!("unlimited\n{}\n", crate::limits::MEMORY / 1024)
    );
}

#[test]
fn bounds_of_a_rule_and_those_built_in() {
    let none = ProcessLimits::default();
    let pipes = Limits::new(none, false);
    assert_eq!(pipes.timeout, Some(crate::limits::TIMEOUT));
    assert_eq!(pipes.output, Some(crate::limits::OUTPUT));
    let terminal = Limits::new(none, true);
    assert_eq!((terminal.timeout, terminal.output), (None, None));
    let rule = ProcessLimits {
        timeout: Some(Duration::from_secs(5)),
        ..none
    };
    assert_eq!(
        Limits::new(rule, true).timeout,
        Some(Duration::from_secs(5))
    );
}

#[test]
fn a_reader_who_stalls_does_not_hold_up_the_time() {
    let (_stalled, theirs) =
        rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).expect("a pipe");
    let console = Console::new(None, Outlet::descriptor(theirs), Outlet::discard());
    let command = command(&["yes"], short()).expect("yes is there");
    let running = run_without_secrets(command, console, &SystemSpawner, &KnownSet::empty());
    let report = running
        .expect("starts")
        .pump(&BootClock)
        .expect("is pumped");
    assert_eq!(report.ending, Ending::Limited(Limit::Timeout));
    assert!(report.duration < Duration::from_secs(20));
}

/// A process that has closed itself to debuggers, as one with keys does, for the test below.
#[test]
#[ignore = "the part of `a_process_that_is_not_dumpable_runs_commands`"]
fn runs_while_not_dumpable() {
    let closed = rustix::process::DumpableBehavior::NotDumpable;
    rustix::process::set_dumpable_behavior(closed).expect("is set");
    let folder = scratch();
    script(folder.path(), "tool", "#!/bin/sh\necho script\n");
    let tool = folder.path().join("tool");
    for words in [["echo", "program"], [tool.to_str().expect("text"), ""]] {
        let output = rustix::io::dup(rustix::stdio::stdout()).expect("a descriptor");
        let console = Console::new(None, Outlet::descriptor(output), Outlet::discard());
        let command = command(&words, limits()).expect("is there");
        let mut sink = EnvironmentSink::new(command, console, &SystemSpawner).expect("is staged");
        sink.hand_over(&[("API_KEY", b"value")], &KnownSet::empty())
            .expect("starts");
        let report = sink
            .finish()
            .expect("runs")
            .pump(&BootClock)
            .expect("is pumped");
        assert_eq!(report.ending, Ending::Exited(0));
    }
}

#[test]
fn a_process_that_is_not_dumpable_runs_commands() {
    let ran = role("runs_while_not_dumpable")
        .wait_with_output()
        .expect("it ends");
    let text = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.status.success(), "{text}");
    assert!(
        text.contains("program\n") && text.contains("script\n"),
        "{text}"
    );
}

/// A second process of this very test program, in one of its ignored parts.
#[allow(clippy::disallowed_methods, reason = "processes are what is tested")]
fn role(name: &str) -> std::process::Child {
    std::process::Command::new(std::env::current_exe().expect("this program"))
        .args([
            "--exact",
            &format!("tests::limits::{name}"),
            "--ignored",
            "--nocapture",
        ])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("it starts")
}

/// Another process that runs a command, for the test below: it is killed as nothing in this
/// process could be.
#[test]
#[ignore = "the part of `nothing_outlives_us` that gets killed"]
fn runs_until_it_is_killed() {
    let output = rustix::io::dup(rustix::stdio::stdout()).expect("a descriptor");
    let console = Console::new(None, Outlet::descriptor(output), Outlet::discard());
    let text =
        format!("import os\nos.write(1, b'%d\\n' % os.getpid())\n{DAEMON}\ntime.sleep(1000)");
    let command = command(&["/usr/bin/env", "python3", "-c", &text], limits()).expect("is there");
    let running = run_without_secrets(command, console, &SystemSpawner, &KnownSet::empty());
    running
        .expect("starts")
        .pump(&BootClock)
        .expect("is pumped");
}

#[test]
fn nothing_outlives_us() {
    let mut role = role("runs_until_it_is_killed");
    let mut lines = BufReader::new(role.stdout.take().expect("piped")).lines();
    let mut number = || loop {
        let line = lines.next().expect("a line comes").expect("is text");
        // The harness writes lines of its own.
        let digits = line.rsplit(' ').next().expect("one at least");
        if let Some(pid) = digits.parse().ok().and_then(Pid::from_raw) {
            if line.starts_with("running") {
                continue;
            }
            return pidfd_open(pid, PidfdFlags::empty()).expect("it runs");
        }
    };
    let (command, daemon) = (number(), number());
    role.kill().expect("it is killed");
    role.wait().expect("it ends");
    for process in [command, daemon] {
        let mut ended = [PollFd::new(&process, PollFlags::IN)];
        let patience = rustix::event::Timespec {
            tv_sec: 30,
            tv_nsec: 0,
        };
        assert_eq!(poll(&mut ended, Some(&patience)), Ok(1), "it is gone");
    }
}

#[test]
fn dropping_a_run_ends_it() {
    let folder = scratch();
    let fifo = folder.path().join("fifo");
    let mode = rustix::fs::Mode::RWXU;
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, mode, 0)
        .expect("a fifo");
    let text = format!("exec 3>{}; echo $$ >&3; sleep 1000", fifo.display());
    let (console, _, _) = buffers();
    let command = command(&["sh", "-c", &text], limits()).expect("sh is there");
    let running = run_without_secrets(command, console, &SystemSpawner, &KnownSet::empty());
    let running = running.expect("starts");
    let mut pid = String::new();
    let mut fifo = BufReader::new(File::open(&fifo).expect("the fifo opens"));
    fifo.read_line(&mut pid).expect("a line comes");
    assert!(!is_gone(&pid));
    drop(running);
    assert!(is_gone(&pid));
}

#[test]
fn a_killed_guardian_takes_the_whole_group_along() {
    let (ours, theirs) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).expect("a pipe");
    let folder = scratch();
    let told = folder.path().join("pid");
    let console = Console::new(Some(ours), Outlet::discard(), Outlet::discard());
    let script = format!(
        "sleep 1000 & echo $! >{}; read x; kill -9 $PPID; wait",
        told.display()
    );
    let command = command(&["sh", "-c", &script], limits()).expect("is there");
    let running = run_without_secrets(command, console, &SystemSpawner, &KnownSet::empty());
    let running = running.expect("starts");
    rustix::io::write(&theirs, b"\n").expect("there is room");
    let outcome = running.pump(&BootClock);
    assert!(matches!(outcome, Err(RunError::SupervisorLost)));
    let pid = std::fs::read_to_string(told).expect("it was told");
    let pid = pid.trim().parse().ok().and_then(Pid::from_raw);
    // Its parent collects it in its own time.
    if let Ok(process) = pidfd_open(pid.expect("a number"), PidfdFlags::empty()) {
        let patience = rustix::event::Timespec {
            tv_sec: 30,
            tv_nsec: 0,
        };
        let mut ended = [PollFd::new(&process, PollFlags::IN)];
        assert_eq!(poll(&mut ended, Some(&patience)), Ok(1), "it is gone");
    }
}
