//! Commands that turn against their guardian. The control group is left out here: it would hide
//! what is tested.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::*;
use crate::spawn::{Guard, Order, Spawner};
use crate::{Ending, Limit, Notice, Request, Running};

/// Real processes, without a control group as an ordinary user has none.
struct WithoutGroup;

impl Spawner for WithoutGroup {
    fn stage(&self, order: Order) -> Result<Box<dyn Guard>, RunError> {
        crate::spawn::stage(order, None)
    }
}

/// Starts a script that turns against its guardian only once that has told of its start: before, it
/// is lost as well, but then nothing was started.
#[allow(clippy::disallowed_methods, reason = "a test lays out its own folder")]
fn start(script: &str, limits: Limits) -> (Running, Written) {
    let (console, output, _) = buffers();
    let folder = scratch();
    let go = folder.path().join("go");
    let script = format!(
        "until [ -e {} ]; do sleep 0.02; done; rm {0}; {script}",
        go.display()
    );
    let command = command(&["sh", "-c", &script], limits).expect("sh is there");
    let running = run_without_secrets(command, console, &WithoutGroup, &KnownSet::empty());
    let running = running.expect("starts");
    std::fs::write(&go, "").expect("written");
    // A run that ends before it got so far will not remove it.
    let patience = BootClock.since_boot() + Duration::from_secs(3);
    while go.exists() && BootClock.since_boot() < patience {
        std::thread::sleep(Duration::from_millis(5));
    }
    (running, output)
}

fn within(timeout: Duration) -> Limits {
    Limits {
        timeout: Some(timeout),
        ..limits()
    }
}

fn is_gone(pid: Pid) -> bool {
    matches!(test_kill_process(pid), Err(Errno::SRCH))
}

/// The number that a script wrote, waiting for it.
fn told(path: &Path) -> Pid {
    let patience = BootClock.since_boot() + Duration::from_secs(30);
    loop {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        if let Some(pid) = text.trim().parse().ok().and_then(Pid::from_raw) {
            return pid;
        }
        assert!(BootClock.since_boot() < patience, "a number comes");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_guardian_that_was_stopped_does_not_stop_the_clock() {
    let (running, output) = start(
        "kill -STOP $PPID; sleep 6; echo after",
        within(Duration::from_millis(800)),
    );
    let report = running.pump(&BootClock).expect("it is over");
    assert_eq!(report.ending, Ending::Limited(Limit::Timeout));
    assert_eq!(output.text(), "");
    assert!(
        report.duration < Duration::from_secs(6),
        "{:?}",
        report.duration
    );
}

#[test]
fn a_guardian_that_was_stopped_is_lost() {
    let began = BootClock.since_boot();
    let (running, output) = start("kill -STOP $PPID; sleep 20; echo after", limits());
    let outcome = running.pump(&BootClock);
    assert!(matches!(outcome, Err(RunError::SupervisorLost)));
    assert_eq!(output.text(), "");
    assert!(BootClock.since_boot() - began < Duration::from_secs(15));
}

#[test]
fn a_guardian_that_is_held_does_not_hold_up_the_end() {
    let folder = scratch();
    let path = folder.path().join("pid");
    let script = format!(
        "echo $$ >{}; n=0; while [ $n -lt 200000 ]; do kill -STOP $PPID || exit; n=$((n+1)); done",
        path.display()
    );
    let began = BootClock.since_boot();
    let (running, _) = start(&script, limits());
    let pid = told(&path);
    drop(running);
    assert!(is_gone(pid));
    assert!(BootClock.since_boot() - began < Duration::from_secs(15));
}

/// What a script leaves behind that kills its guardian when `escape` has written a number.
fn survivor_of(escape: &str) -> Pid {
    let folder = scratch();
    let path = folder.path().join("pid");
    let survivor = format!("sh -c 'echo $$ >{}; exec sleep 30'", path.display());
    let script = format!(
        "{}; while [ ! -s {} ]; do sleep 0.02; done; kill -9 $PPID; sleep 30",
        escape.replace("SURVIVOR", &survivor),
        path.display()
    );
    let (running, _) = start(&script, limits());
    let outcome = running.pump(&BootClock);
    assert!(matches!(outcome, Err(RunError::SupervisorLost)));
    told(&path)
}

#[test]
fn a_session_of_its_own_does_not_outlive_a_killed_guardian() {
    assert!(is_gone(survivor_of("setsid SURVIVOR & true")));
}

#[test]
fn a_daemon_does_not_outlive_a_killed_guardian() {
    assert!(is_gone(survivor_of("( (setsid SURVIVOR &) & )")));
}

#[test]
fn a_survivor_that_forks_on_does_not_outlive_a_killed_guardian() {
    // Each process lives for a moment and leaves the next one: there is none to find by its number.
    let folder = scratch();
    let path = folder.path().join("beat");
    let text = format!(
        "#!/bin/sh\nstep() {{ echo x >>{}; [ $1 -gt 400 ] && exit; (sleep 0.02; step $(($1+1))) & }}\nstep 0\n",
        path.display()
    );
    let tool = super::script(folder.path(), "tool", &text);
    let script = format!(
        "setsid {} & while [ ! -s {} ]; do sleep 0.02; done; kill -9 $PPID; sleep 30",
        tool.display(),
        path.display()
    );
    let (running, _) = start(&script, limits());
    assert!(matches!(
        running.pump(&BootClock),
        Err(RunError::SupervisorLost)
    ));
    let beats = || std::fs::metadata(&path).expect("it beat").len();
    let before = beats();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(beats(), before);
}

#[test]
fn a_guardian_that_was_stopped_before_the_start_is_lost() {
    let streams = [(); 3].map(|()| {
        let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::CLOEXEC;
        rustix::fs::open("/dev/null", flags, rustix::fs::Mode::empty()).expect("is there")
    });
    let order = Order {
        command: command(&["true"], limits()).expect("is there"),
        streams,
        terminal: None,
        folder: None,
    };
    let mut tree = crate::tree::Tree::new().expect("/proc is there");
    let before = tree.children();
    let mut guard = WithoutGroup.stage(order).expect("is staged");
    let mut children = tree.children();
    children.retain(|child| !before.contains(child));
    assert_eq!(children.len(), 1, "no other test runs in this process");
    let guardian = Pid::from_raw(children[0].pid).expect("above zero");
    kill_process(guardian, Signal::STOP).expect("it is stopped");
    assert!(matches!(
        guard.start(crate::Values::default()),
        Err(RunError::SupervisorLost)
    ));
    assert!(is_gone(guardian));
}

/// A guard whose guardian runs and never says a word.
struct Silent {
    control: OwnedFd,
    _theirs: OwnedFd,
    streams: Option<[OwnedFd; 3]>,
}

impl Guard for Silent {
    fn start(&mut self, _: crate::Values<'_>) -> Result<(), RunError> {
        Ok(())
    }

    fn ask(&mut self, _: Request) -> Result<(), RunError> {
        Ok(())
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        self.control.as_fd()
    }

    fn next(&mut self) -> Result<Option<Notice>, RunError> {
        Ok(None)
    }

    fn give_up(&mut self) -> u32 {
        self.streams = None;
        7
    }
}

struct SilentSpawner;

impl Spawner for SilentSpawner {
    fn stage(&self, order: Order) -> Result<Box<dyn Guard>, RunError> {
        let (control, theirs) = rustix::pipe::pipe().expect("a pipe");
        Ok(Box::new(Silent {
            control,
            _theirs: theirs,
            streams: Some(order.streams),
        }))
    }
}

#[test]
fn a_guardian_that_does_not_answer_is_given_up() {
    let (console, ..) = buffers();
    let command = command(&["true"], within(Duration::from_millis(100))).expect("is there");
    let running = run_without_secrets(command, console, &SilentSpawner, &KnownSet::empty());
    let report = running
        .expect("starts")
        .pump(&BootClock)
        .expect("it is over");
    assert_eq!(report.ending, Ending::Limited(Limit::Timeout));
    assert_eq!(report.stragglers_killed, 7);
    let least = crate::limits::GRACE + Duration::from_millis(100);
    assert!(report.duration >= least, "it may use its grace");
    assert!(report.duration < least + Duration::from_secs(5));
}

#[allow(clippy::disallowed_methods, reason = "processes are what is tested")]
fn bystander() -> std::process::Child {
    std::process::Command::new("sleep")
        .arg("60")
        .spawn()
        .expect("it starts")
}

#[test]
fn bystanders_are_spared() {
    let mut before = bystander();
    let (other, _) = start("sleep 60", limits());
    let (attacked, _) = start("sleep 0.3; kill -9 $PPID; sleep 30", limits());
    // Neither there at the start nor a process of a command.
    let mut after = bystander();
    let (later, output) = start("sleep 1; echo whole", limits());
    assert!(matches!(
        attacked.pump(&BootClock),
        Err(RunError::SupervisorLost)
    ));
    let report = later.pump(&BootClock).expect("it is not disturbed");
    assert_eq!(report.ending, Ending::Exited(0));
    assert_eq!(output.text(), "whole\n");
    drop(other);
    assert!(before.try_wait().expect("is ours").is_none());
    let confined = rustix::thread::no_new_privs().expect("it can be asked");
    assert!(confined || after.try_wait().expect("is ours").is_none());
    for child in [&mut before, &mut after] {
        let pid = Pid::from_child(child);
        let _ = kill_process(pid, Signal::KILL);
        let _ = child.wait();
    }
}

#[test]
fn the_process_adopts_orphans_during_runs_only() {
    let adopts = || rustix::process::child_subreaper().expect("it can be asked");
    let before = adopts().is_some();
    let (first, _) = start("sleep 60", limits());
    let (second, _) = start("true", limits());
    drop(first);
    assert!(adopts().is_some());
    second.pump(&BootClock).expect("it ends");
    assert_eq!(adopts().is_some(), before);
}
