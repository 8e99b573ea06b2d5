//! Commands on a terminal that tmux gives, with a shell that has jobs, through the daemon.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use rustix::process::Signal;
use subrosa_tests::{Served, program, runs, send, wait_until};

/// A terminal with a shell in it. Its server is this test's own, and ends with it.
struct Terminal<'a> {
    served: &'a Served,
    socket: PathBuf,
}

impl<'a> Terminal<'a> {
    fn new(served: &'a Served) -> Self {
        let terminal = Self {
            served,
            socket: served.path("tmux"),
        };
        let mut shell = Command::new("sh");
        served.admit(&mut shell);
        let mut words = vec!["env".to_owned(), "-i".to_owned()];
        words.extend(shell.get_envs().filter_map(|(name, value)| {
            let (name, value) = (name.to_str()?, value?.to_str()?);
            Some(format!("{name}={value}"))
        }));
        words.extend([
            format!("S={}", program().display()),
            "TERM=screen".to_owned(),
            "PS1=> ".to_owned(),
        ]);
        words.extend(["bash", "--norc", "--noprofile", "-i"].map(str::to_owned));
        let mut start = vec![
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-x",
            "80",
            "-y",
            "24",
        ];
        start.extend(words.iter().map(String::as_str));
        terminal.tmux(&start);
        terminal.sees(">");
        terminal.types("stty -a >before");
        terminal
    }

    fn tmux(&self, words: &[&str]) -> String {
        let done = Command::new("tmux")
            .arg("-S")
            .arg(&self.socket)
            .args(words)
            .env_remove("TMUX")
            .current_dir(self.served.path("work"))
            .stdin(Stdio::null())
            .output()
            .expect("tmux is needed: apt-get install tmux");
        assert!(done.status.success(), "{words:?}: {done:?}");
        String::from_utf8_lossy(&done.stdout).into_owned()
    }

    /// Types a line.
    fn types(&self, line: &str) {
        self.tmux(&["send-keys", "-l", line]);
        self.presses("Enter");
    }

    /// Types a line on an empty screen: what stands there afterwards is new.
    fn types_anew(&self, line: &str) {
        self.presses("C-l");
        wait_until("an empty screen", || self.screen().trim() == ">");
        self.types(line);
    }

    /// Presses a key, such as `C-c`.
    fn presses(&self, key: &str) {
        self.tmux(&["send-keys", key]);
    }

    fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    /// Waits until a text is on the screen.
    #[track_caller]
    fn sees(&self, text: &str) {
        let start = std::time::Instant::now();
        while !self.screen().contains(text) {
            assert!(
                start.elapsed().as_secs() < 30,
                "{text:?} is not on the screen:\n{}",
                self.screen()
            );
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    /// The shell reads again, and the terminal is set as it was.
    #[track_caller]
    fn is_as_before(&self) {
        self.types("stty -a >after; echo after-$((40 + 2))");
        self.sees("after-42");
        let settings = |name: &str| {
            let text = fs::read_to_string(self.served.path("work").join(name));
            // Its size is the terminal's own.
            let text = text.expect("written");
            text.split_once(';').map(|(_, rest)| {
                rest.split_once("columns")
                    .map_or(rest, |(_, rest)| {
                        rest.split_once(';').map_or(rest, |(_, rest)| rest)
                    })
                    .to_owned()
            })
        };
        assert_eq!(
            settings("after"),
            settings("before"),
            "the terminal's settings:\n{}",
            self.screen()
        );
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        let _ = Command::new("tmux")
            .arg("-S")
            .arg(&self.socket)
            .arg("kill-server")
            .env_remove("TMUX")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
}

/// The client in the terminal: the one process of ours that runs there.
fn client(terminal: &Terminal<'_>) -> u32 {
    let shell = terminal.tmux(&["display-message", "-p", "#{pane_pid}"]);
    let shell: u32 = shell.trim().parse().expect("a process");
    let mut found = None;
    wait_until("the client", || {
        let children = fs::read_to_string(format!("/proc/{shell}/task/{shell}/children"));
        found = children
            .expect("it runs")
            .split_whitespace()
            .next()
            .map(|pid| pid.parse::<u32>().expect("a process"));
        found.is_some()
    });
    found.expect("just found")
}

#[test]
fn an_editor_draws_and_stores() {
    let served = Served::open();
    let terminal = Terminal::new(&served);
    terminal
        .types("$S run -- vim -u NONE -N --cmd \"set t_RV= t_u7=\" written.txt; echo status=$?");
    // What it draws below an empty text.
    terminal.sees("~\n~\n~");
    terminal.presses("i");
    terminal.tmux(&["send-keys", "-l", "typed in the editor"]);
    terminal.sees("typed in the editor");
    terminal.presses("Escape");
    terminal.types(":wq");
    terminal.sees("status=0");
    let written = fs::read_to_string(served.path("work/written.txt"));
    assert_eq!(written.expect("stored"), "typed in the editor\n");
    terminal.is_as_before();
}

/// As most people have it: the daemon was started from the terminal on which commands run then.
#[test]
fn a_daemon_that_was_started_on_the_same_terminal() {
    let served = Served::locked();
    let terminal = Terminal::new(&served);
    terminal.types("$S unlock --passphrase-fd 3 3<../passphrase; echo status=$?");
    terminal.sees("status=0");
    terminal.types_anew("$S run -- sh -c 'echo rea\"\"dy; cat'; echo status=$?");
    terminal.sees("ready");
    terminal.types("a line");
    terminal.sees("a line\na line");
    terminal.presses("C-d");
    terminal.sees("status=0");
    terminal.is_as_before();
    let shell = terminal.tmux(&["display-message", "-p", "#{pane_pid}"]);
    terminal.tmux(&["send-keys", "-l", "exit"]);
    let _ = terminal.tmux(&["send-keys", "Enter"]);
    let shell: u32 = shell.trim().parse().expect("a process");
    wait_until("the terminal gone", || !runs(shell));
    served.run(&["ls"]).ok();
}

#[test]
fn a_bar_of_progress_stays_on_its_line() {
    let served = Served::open();
    let terminal = Terminal::new(&served);
    terminal.types_anew(
        "$S run -- sh -c 'test -t 1 && for i in $(seq 1 50); do printf \"\\r[%3d of 50]\" $i; \
         sleep 0.01; done; echo; echo finis\"\"hed'; echo status=$?",
    );
    terminal.sees("status=0");
    let screen = terminal.screen();
    assert!(screen.contains("[ 50 of 50]\nfinished\n"), "{screen}");
    assert!(!screen.contains("[ 49"), "{screen}");
    terminal.is_as_before();
}

#[test]
fn an_interrupt_reaches_the_command() {
    let served = Served::open();
    let terminal = Terminal::new(&served);
    terminal.types(
        "$S run -- sh -c 'trap \"echo cau\"\"ght; exit 3\" INT; echo rea\"\"dy; while :; do sleep 0.05; done'; echo status=$?",
    );
    terminal.sees("ready");
    terminal.presses("C-c");
    terminal.sees("status=3");
    assert!(terminal.screen().contains("caught"));
    terminal.is_as_before();
    // A command that does not care ends by it, and the shell sees that.
    terminal.types_anew("$S run -- sh -c 'echo rea\"\"dy; exec sleep 1000'; echo status=$?");
    terminal.sees("ready");
    terminal.presses("C-c");
    terminal.sees("status=130");
    terminal.is_as_before();
}

#[test]
fn a_command_is_stopped_and_goes_on() {
    let served = Served::open();
    let terminal = Terminal::new(&served);
    for _ in 0..3 {
        terminal.types_anew("$S run -- sh -c 'echo rea\"\"dy; cat'");
        terminal.sees("ready");
        terminal.types("first line");
        terminal.sees("first line\nfirst line");
        terminal.presses("C-z");
        terminal.sees("Stopped");
        terminal.is_as_before();
        // What is typed now is the shell's.
        terminal.types("echo shell-$((40 + 1))");
        terminal.sees("shell-41");
        terminal.types_anew("fg; echo status=$?");
        terminal.types("second line");
        terminal.sees("second line\nsecond line");
        terminal.presses("C-d");
        terminal.sees("status=0");
        terminal.is_as_before();
    }
}

#[test]
fn a_command_goes_on_in_the_background() {
    let served = Served::open();
    let terminal = Terminal::new(&served);
    terminal.types(
        "$S run -- sh -c 'echo rea\"\"dy; while [ ! -e go ]; do sleep 0.02; done; echo fini\"\"shed'",
    );
    terminal.sees("ready");
    terminal.presses("C-z");
    terminal.sees("Stopped");
    terminal.types_anew("bg");
    terminal.types("echo shell-$((40 + 1)); touch go");
    terminal.sees("shell-41");
    terminal.types("jobs; fg; echo status=$?");
    terminal.sees("finished");
    terminal.sees("status=0");
    terminal.is_as_before();
}

#[test]
fn the_command_knows_the_size_of_the_terminal() {
    let served = Served::open();
    let terminal = Terminal::new(&served);
    terminal.types(
        "$S run -- bash -c 'trap \"stty size\" WINCH; stty size; for i in $(seq 400); do sleep 0.05; done'; echo status=$?",
    );
    terminal.sees("24 80");
    terminal.tmux(&["resize-window", "-x", "101", "-y", "33"]);
    terminal.sees("33 101");
    terminal.tmux(&["resize-window", "-x", "90", "-y", "20"]);
    terminal.sees("20 90");
    terminal.presses("C-c");
    // What is typed before that is the command's.
    terminal.sees("status=130");
    terminal.types("clear");
    terminal.is_as_before();
}

#[test]
fn the_terminal_is_as_before_when_the_daemon_is_killed() {
    let served = Served::open();
    let terminal = Terminal::new(&served);
    terminal
        .types("$S run -- vim -u NONE -N --cmd \"set t_RV= t_u7=\" written.txt; echo status=$?");
    // What it draws below an empty text.
    terminal.sees("~\n~\n~");
    served.kill();
    terminal.sees("status=125");
    terminal.is_as_before();
    served.unlock();
    terminal.types_anew("$S run -- echo again-$((40 + 3))");
    terminal.sees("again-43");
}

#[test]
fn the_terminal_is_as_before_when_the_client_is_killed() {
    let served = Served::open();
    let terminal = Terminal::new(&served);
    terminal
        .types("$S run -- vim -u NONE -N --cmd \"set t_RV= t_u7=\" written.txt; echo status=$?");
    // What it draws below an empty text.
    terminal.sees("~\n~\n~");
    let pid = client(&terminal);
    send(pid, Signal::KILL);
    wait_until("it gone", || !runs(pid));
    // The daemon sees it go, ends the editor, and sets the terminal back.
    let daemon = served.daemon().expect("it runs");
    wait_until("the run over", || {
        served.run(&["unlock", "--json"]).ok();
        subrosa_tests::figure(daemon, "Threads") <= 4
    });
    terminal.is_as_before();
}

/// A command may take its time to end. What is typed meanwhile is for the shell, and may well be
/// a passphrase.
#[test]
fn what_is_typed_after_the_client_was_killed_is_not_for_the_command() {
    const READS: &str = "trap '' TERM HUP INT; echo rea\"\"dy; while :; do read -r line && echo \"$line\" >>got; done";
    let served = Served::open();
    let terminal = Terminal::new(&served);
    fs::write(served.path("work/reads"), READS).expect("written");
    terminal.types("$S run -- sh reads");
    terminal.sees("ready");
    let pid = client(&terminal);
    send(pid, Signal::KILL);
    wait_until("it gone", || !runs(pid));
    // The daemon hears of it at once; this leaves it the time to be scheduled.
    std::thread::sleep(std::time::Duration::from_millis(300));
    terminal.types("echo typed for the shell >typed");
    wait_until("the shell heard it", || served.path("work/typed").exists());
    assert!(!served.path("work/got").exists(), "the command heard it");
}

/// What needs a person asks for the passphrase, again when it was mistyped, and the daemon goes on.
#[test]
fn a_purge_through_the_daemon_asks_for_the_passphrase() {
    let served = Served::open();
    served
        .fed(&["set", "a/one", "--stdin"], b"canary-4p9zk2-gone")
        .ok();
    let terminal = Terminal::new(&served);
    terminal.types("$S rm a/one --purge; echo status=$?");
    terminal.sees("Passphrase:");
    terminal.types("not this one");
    terminal.sees("once more");
    terminal.sees("more\nPassphrase:");
    let passphrase = fs::read_to_string(served.path("passphrase")).expect("there");
    terminal.types(passphrase.trim_end());
    terminal.sees("removed for good");
    terminal.sees("status=0");
    assert_eq!(served.run(&["show", "a/one"]).status, 1);
    terminal.is_as_before();
}

/// What is typed is a proof for what was asked, not for what somebody put there meanwhile.
#[test]
fn row_44_what_changes_while_the_passphrase_is_typed_is_not_purged() {
    let served = Served::open();
    for key in ["a/one", "a/two"] {
        served
            .fed(&["set", key, "--stdin"], b"canary-4p9zk2-kept")
            .ok();
    }
    let terminal = Terminal::new(&served);
    terminal.types("$S rm a/one --purge; echo status=$?");
    terminal.sees("Passphrase:");
    served.run(&["mv", "a/one", "a/old"]).ok();
    served.run(&["mv", "a/two", "a/one"]).ok();
    let passphrase = fs::read_to_string(served.path("passphrase")).expect("there");
    terminal.types(passphrase.trim_end());
    terminal.sees("status=1");
    for key in ["a/old", "a/one"] {
        served.run(&["show", key]).ok();
    }
    subrosa_tests::held(
        44,
        "a secret that takes another's place during the question stays",
    );
}

/// A client that is stopped by a signal which it cannot catch: its shell reads the terminal.
#[test]
fn what_is_typed_while_the_client_is_stopped_is_not_for_the_command() {
    const READS: &str = "echo rea\"\"dy; while read -r line; do echo \"$line\" >>got; done";
    let served = Served::open();
    let terminal = Terminal::new(&served);
    fs::write(served.path("work/reads"), READS).expect("written");
    terminal.types("$S run -- sh reads");
    terminal.sees("ready");
    terminal.types("before");
    wait_until("the command heard it", || served.path("work/got").exists());
    let pid = client(&terminal);
    send(pid, Signal::STOP);
    terminal.sees("Stopped");
    for number in 0..5 {
        terminal.types(&format!("echo typed for the shell >typed-{number}"));
        let typed = served.path(&format!("work/typed-{number}"));
        wait_until("the shell heard it", || typed.exists());
    }
    terminal.types("fg; echo over-$((40 + 3))");
    terminal.types("after");
    let got = || fs::read_to_string(served.path("work/got")).unwrap_or_default();
    wait_until("the command heard it", || got().contains("after"));
    assert_eq!(got(), "before\nafter\n");
    terminal.presses("C-d");
    terminal.sees("over-43");
    terminal.is_as_before();
}
