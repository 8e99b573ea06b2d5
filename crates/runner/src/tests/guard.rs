//! The guardian by itself, without a pump.

use rustix::event::{PollFd, PollFlags, poll};
use signal_hook::consts::{SIGCONT, SIGTERM, SIGTSTP};

use super::*;
use crate::spawn::{Guard, Order, Spawner};
use crate::{Notice, Request};

fn stage(words: &[&str]) -> Box<dyn Guard> {
    let nothing = || {
        let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::CLOEXEC;
        rustix::fs::open("/dev/null", flags, rustix::fs::Mode::empty()).expect("is there")
    };
    let order = Order {
        command: command(words, limits()).expect("is there"),
        streams: [nothing(), nothing(), nothing()],
        terminal: None,
        folder: None,
    };
    assert_eq!(order.arguments()[0], words[0]);
    SystemSpawner.stage(order).expect("is staged")
}

fn next(guard: &mut dyn Guard) -> Notice {
    loop {
        if let Some(notice) = guard.next().expect("the guardian is there") {
            return notice;
        }
        let mut events = [PollFd::from_borrowed_fd(guard.descriptor(), PollFlags::IN)];
        poll(&mut events, None).expect("something comes");
    }
}

#[test]
fn a_command_can_be_stopped_and_continued() {
    // From a terminal's Ctrl-Z the signal is ignored by a group without a parent outside of it.
    let mut guard = stage(&["sleep", "1000"]);
    guard.start(crate::Values::default()).expect("starts");
    guard.ask(Request::Signal(SIGTSTP)).expect("is heard");
    assert_eq!(next(&mut *guard), Notice::Stopped(SIGTSTP));
    guard.ask(Request::Signal(SIGTERM)).expect("is heard");
    guard.ask(Request::Signal(SIGCONT)).expect("is heard");
    assert_eq!(next(&mut *guard), Notice::Signalled(SIGTERM));
    assert_eq!(next(&mut *guard), Notice::Done(0));
    let mut events = [PollFd::from_borrowed_fd(guard.descriptor(), PollFlags::IN)];
    poll(&mut events, None).expect("then the guardian is gone");
    assert!(matches!(guard.next(), Err(RunError::SupervisorLost)));
}

#[test]
fn end_of_a_run_that_was_not_started() {
    drop(stage(&["sleep", "1000"]));
}

#[test]
fn it_starts_once() {
    let mut guard = stage(&["true"]);
    guard.start(crate::Values::default()).expect("starts");
    assert!(matches!(
        guard.start(crate::Values::default()),
        Err(RunError::NotStarted)
    ));
}
