//! On a terminal: the test holds the other end of one.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::thread::JoinHandle;

use rustix::termios::{Winsize, tcgetattr, tcsetwinsize};

use super::*;
use crate::Ending;
use crate::terminal::{Pty, RawMode};

/// A terminal with a person at it.
struct Person {
    screen: File,
    terminal: OwnedFd,
    seen: String,
}

impl Person {
    fn sit_down() -> Self {
        // A first terminal to copy the settings of: those of a fresh one.
        let flags = rustix::pty::OpenptFlags::RDWR | rustix::pty::OpenptFlags::NOCTTY;
        let fresh = rustix::pty::openpt(flags).expect("a terminal");
        let pty = Pty::open(fresh.as_fd(), true).expect("a terminal");
        let size = Winsize {
            ws_row: 33,
            ws_col: 101,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&pty.ours, size).expect("a size is set");
        Self {
            screen: pty.ours.into(),
            terminal: pty.theirs,
            seen: String::new(),
        }
    }

    fn descriptor(&self) -> OwnedFd {
        self.terminal.try_clone().expect("a descriptor")
    }

    fn console(&self) -> Console {
        let outlet = || Outlet::descriptor(self.descriptor());
        Console::new(Some(self.descriptor()), outlet(), outlet())
    }

    /// Reads until the screen shows the text.
    fn wait_for(&mut self, text: &str) {
        let mut piece = [0; 256];
        while !self.seen.contains(text) {
            let count = self.screen.read(&mut piece).expect("the screen is on");
            self.seen
                .push_str(&String::from_utf8_lossy(&piece[..count]));
        }
    }

    fn types(&mut self, text: &str) {
        self.screen
            .write_all(text.as_bytes())
            .expect("the keyboard works");
    }
}

fn at(console: Console, words: &[&str], values: &[(&str, &[u8])]) -> JoinHandle<RunReport> {
    let command = command(words, limits()).expect("is there");
    let mut sink = EnvironmentSink::new(command, console, &SystemSpawner).expect("is staged");
    sink.hand_over(values, &known(values)).expect("starts");
    let running = sink.finish().expect("runs");
    std::thread::spawn(move || running.pump(&BootClock).expect("is pumped"))
}

#[test]
fn the_command_has_a_terminal_of_its_own() {
    let mut person = Person::sit_down();
    let own = rustix::termios::ttyname(&person.terminal, Vec::new()).expect("a name");
    let script = "tty; stty size; test -t 0 && test -t 1 && test -t 2 && echo all; \
                  echo straight >/dev/tty";
    let run = at(person.console(), &["sh", "-c", script], &[]);
    person.wait_for("straight\r\n");
    assert!(person.seen.starts_with("/dev/pts/"), "{}", person.seen);
    assert!(
        !person.seen.contains(own.to_str().expect("text")),
        "not the person's"
    );
    assert!(person.seen.contains("33 101\r\nall\r\n"), "{}", person.seen);
    assert_eq!(run.join().expect("no panic").ending, Ending::Exited(0));
}

#[test]
fn what_is_typed_arrives_and_ctrl_c_interrupts() {
    let mut person = Person::sit_down();
    let run = at(
        person.console(),
        &[
            "sh",
            "-c",
            "echo ready; read x; echo got $x; exec sleep 1000",
        ],
        &[],
    );
    person.wait_for("ready");
    person.types("hello\r");
    person.wait_for("got hello");
    person.types("\x03");
    let report = run.join().expect("no panic");
    assert_eq!(report.ending, Ending::Signalled(2));
    assert_eq!(report.exit_status(), 130);
}

#[test]
fn a_progress_bar_moves() {
    let mut person = Person::sit_down();
    let script = "for i in 1 2 3; do printf '%s0%%\\r' $i; read x; done";
    let run = at(
        person.console(),
        &["sh", "-c", script],
        &[("A", b"some-secret-77")],
    );
    for step in ["10%\r", "20%\r", "30%\r"] {
        // Without the answer nothing more comes: what is shown is shown at once.
        person.wait_for(step);
        person.types("\r");
    }
    assert_eq!(run.join().expect("no panic").ending, Ending::Exited(0));
}

#[test]
fn a_value_is_masked_in_one_piece_and_split_and_typed() {
    let mut person = Person::sit_down();
    let value = b"tango-7351-quebec";
    let script = r#"echo "<$API_KEY>"; echo "<$API_KEY>" | dd bs=1 status=none; read x; echo end"#;
    let run = at(
        person.console(),
        &["sh", "-c", script],
        &[("API_KEY", value)],
    );
    person.wait_for("<[REDACTED:API_KEY]>\r\n<[REDACTED:API_KEY]>\r\n");
    // Typed again: the echo of the terminal is output too.
    person.types("tango-7351-quebec\r");
    person.wait_for("end");
    assert!(!person.seen.contains("tango"), "{}", person.seen);
    assert!(run.join().expect("no panic").redacted >= 3);
}

#[test]
fn a_prompt_that_begins_like_a_value_shows_after_a_moment() {
    let mut person = Person::sit_down();
    let script = r#"printf 'name: tan'; read x; echo done"#;
    let run = at(
        person.console(),
        &["sh", "-c", script],
        &[("API_KEY", b"tango-7351-quebec")],
    );
    person.wait_for("name: tan");
    person.types("\r");
    assert_eq!(run.join().expect("no panic").redacted, 0);
}

#[test]
fn standard_error_apart_and_input_from_a_pipe() {
    let mut person = Person::sit_down();
    let (ours, theirs) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).expect("a pipe");
    rustix::io::write(&theirs, b"piped\n").expect("there is room");
    drop(theirs);
    let error = Written::default();
    let outlet = Outlet::descriptor(person.descriptor());
    let console = Console::new(Some(ours), outlet, Outlet::writer(error.clone()));
    let script = "test -t 0 || echo plain-in; test -t 1 && echo tty-out; cat; echo apart >&2";
    let run = at(console, &["sh", "-c", script], &[]);
    person.wait_for("plain-in\r\ntty-out\r\npiped\r\n");
    run.join().expect("no panic");
    assert_eq!(error.text(), "apart\n");
}

#[test]
fn the_size_follows_and_the_settings_come_back() {
    let mut person = Person::sit_down();
    let before = tcgetattr(&person.terminal).expect("settings");
    let mut console = person.console();
    console.signals = true;
    let script = "trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.01; done";
    let run = at(console, &["sh", "-c", script], &[]);
    person.wait_for("ready");
    let during = tcgetattr(&person.terminal).expect("settings");
    assert!(
        !during
            .local_modes
            .contains(rustix::termios::LocalModes::ICANON),
        "raw"
    );
    let size = Winsize {
        ws_row: 44,
        ws_col: 55,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&person.screen, size).expect("a size is set");
    signal_hook::low_level::raise(signal_hook::consts::SIGWINCH).expect("is raised");
    person.wait_for("44 55");
    assert_eq!(run.join().expect("no panic").ending, Ending::Exited(0));
    let after = tcgetattr(&person.terminal).expect("settings");
    assert_eq!(format!("{before:?}"), format!("{after:?}"));
}

#[test]
fn a_panic_leaves_the_terminal_as_it_was() {
    let person = Person::sit_down();
    let settings = || format!("{:?}", tcgetattr(&person.terminal).expect("settings"));
    let before = settings();
    let outcome = std::panic::catch_unwind(|| {
        let _raw = RawMode::enter(person.terminal.as_fd()).expect("raw");
        assert_ne!(settings(), before);
        panic!("on purpose");
    });
    assert!(outcome.is_err());
    assert_eq!(settings(), before);
}

#[test]
fn a_terminal_that_goes_away_hangs_up() {
    let mut person = Person::sit_down();
    let run = at(
        person.console(),
        &[
            "sh",
            "-c",
            "echo ready; while :; do echo more; sleep 0.01; done",
        ],
        &[],
    );
    person.wait_for("ready");
    drop(person);
    let report = run.join().expect("no panic");
    assert_eq!(report.ending, Ending::Signalled(1), "SIGHUP");
}

#[test]
fn pipes_even_on_a_terminal_and_no_way_to_write_to_it() {
    let mut person = Person::sit_down();
    let script = "test -t 1 || echo plain-out; (echo around >&0) 2>/dev/null || echo closed";
    let run = at(
        person.console().without_terminal(),
        &["sh", "-c", script],
        &[],
    );
    person.wait_for("plain-out\r\nclosed\r\n");
    run.join().expect("no panic");
    assert!(!person.seen.contains("around"));
}
