//! The processes that start commands for the daemon: what they know, and what becomes of commands
//! when they are killed.

use std::collections::HashSet;
use std::fs;
use std::process::{Child, Command};

use rustix::process::Signal;
use subrosa_tests::{
    Done, Served, below, family, held, is_root, memory, program, runs, send, skipped, wait_until,
};

/// Values that reach commands in every way.
const VALUES: [(&str, &str); 3] = [
    ("env/key", "canary-4p9zk2-by-environment-Q7x"),
    ("file/key", "canary-8w2hd5-by-a-file-Z3m"),
    ("stdin/key", "canary-1k6tv9-by-its-input-R5c"),
];
/// As many more that one run gets at once.
const MANY: usize = 60;
/// Bytes of what is looked for of a value.
const PIECE: usize = 12;
fn many(number: usize) -> String {
    format!(
        "canary-bulk-{number:03}-{:08x}",
        number * 7_919 + 0x1234_5678
    )
}

/// Parts of a value that say as much as it does: pieces of it, and of its base64.
fn pieces(value: &[u8]) -> Vec<[u8; PIECE]> {
    let at = |text: &[u8], from: usize| text[from..].first_chunk().copied().expect("long enough");
    let middle = |text: &[u8]| at(text, (text.len() - PIECE) / 2);
    let mut pieces = vec![middle(value), at(value, value.len() - PIECE)];
    // As it stands in base64 of something longer, at each place of three.
    for before in 0..3 {
        let text = [&b"xx"[..before], value].concat();
        pieces.push(middle(&base64(&text)));
    }
    pieces
}

fn base64(bytes: &[u8]) -> Vec<u8> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = Vec::new();
    for three in bytes.chunks(3) {
        let number = three
            .iter()
            .fold(0_u32, |all, byte| all << 8 | u32::from(*byte));
        let number = number << (8 * (3 - three.len()));
        text.extend((0..=three.len()).map(|at| LETTERS[(number >> (18 - 6 * at) & 63) as usize]));
    }
    text
}

/// The pieces of all values, found in one pass over whatever is looked through.
struct Pieces {
    all: HashSet<[u8; PIECE]>,
    /// Which two bytes any of them begins with.
    begins: Vec<bool>,
}

impl Pieces {
    fn of(values: &[Vec<u8>]) -> Self {
        let all: HashSet<[u8; PIECE]> = values.iter().flat_map(|value| pieces(value)).collect();
        let mut begins = vec![false; 1 << 16];
        for [first, second, ..] in &all {
            begins[usize::from(*first) << 8 | usize::from(*second)] = true;
        }
        Self { all, begins }
    }

    fn count(&self, content: &[u8]) -> usize {
        let zeros = [0; 4096];
        let mut count = 0;
        for (page, bytes) in content.chunks(zeros.len()).enumerate() {
            if bytes == &zeros[..bytes.len()] {
                continue;
            }
            let from = page * zeros.len();
            let until = content.len().min(from + zeros.len() + PIECE - 1);
            for piece in content[from..until].windows(PIECE) {
                if self.begins[usize::from(piece[0]) << 8 | usize::from(piece[1])]
                    && self.all.contains(piece)
                {
                    count += 1;
                }
            }
        }
        count
    }

    /// How many are in a process: outside locked pages and where, and in them.
    fn found(&self, pid: u32) -> (Vec<String>, usize) {
        let (mut open, mut locked) = (Vec::new(), 0);
        for mapping in memory(pid) {
            let count = self.count(&mapping.content);
            if mapping.is_protected() {
                locked += count;
            } else if count > 0 {
                open.push(format!("{count} in {}", mapping.name));
            }
        }
        (open, locked)
    }
}

/// A command that waits until something is written into a pipe.
fn waits(served: &Served, words: &[&str], pipe: &str) -> Child {
    let pid = served.daemon().expect("it runs");
    let before = below(pid, "cat").len();
    let mut all = vec!["run"];
    all.extend(words);
    all.extend(["--", "cat", pipe]);
    let mut child = served.command(&all).spawn().expect("it starts");
    let started = || below(pid, "cat").len() > before;
    let over = |child: &mut Child| child.try_wait().expect("ours").is_some();
    wait_until("the command", || started() || over(&mut child));
    if !started() {
        panic!(
            "{:?}",
            Done::from(child.wait_with_output().expect("it ended"))
        );
    }
    child
}

fn lets_go(served: &Served, child: Child, pipe: &str) {
    fs::write(served.path("work").join(pipe), "done\n").expect("written");
    let done = Done::from(child.wait_with_output().expect("it ends")).ok();
    assert_eq!(done.text(), "done\n");
}

/// Rows 1 and 4: values go past the processes that start commands, and stay nowhere after `lock`.
#[test]
fn row_01_no_value_is_in_what_starts_commands_nor_anywhere_after_lock() {
    if !is_root() {
        skipped(1, "only root may read the memory of these processes");
        return;
    }
    let served = Served::open();
    let pid = served.daemon().expect("it runs");
    let mut values = Vec::new();
    for (key, value) in VALUES {
        served.fed(&["set", key, "--stdin"], value.as_bytes()).ok();
        values.push(value.as_bytes().to_vec());
    }
    served.run(&["generate", "made/key", "--length", "40"]).ok();
    values.push(served.read("made/key"));
    let list: String = (0..MANY)
        .map(|number| format!("BULK_{number}={}\n", many(number)))
        .collect();
    fs::write(served.path("work/bulk.env"), list).expect("written");
    served
        .proven(&["import", "bulk.env", "--prefix", "bulk/"])
        .ok();
    values.extend((0..MANY).map(|number| many(number).into_bytes()));
    let made = Command::new("mkfifo")
        .args(["pipe", "first"].map(|name| served.path("work").join(name)))
        .status();
    assert!(made.expect("it starts").success());
    let rule = |(pipe, inject)| {
        format!(
            "  - {{ allow: run, command: cat, args: [{pipe}], secrets: ['env/*', 'file/*', 'stdin/*', 'made/*', 'bulk/*'], inject: {inject} }}\n"
        )
    };
    let rules = [
        ("pipe", "env"),
        ("pipe", "file"),
        ("pipe", "stdin"),
        ("first", "env"),
    ];
    let rules = rules.map(rule).concat();
    served.apply(&format!("version: 1\nrules:\n{rules}"));
    let ways = [
        ["--inject", "env", "-k", "env/key"],
        ["--inject", "file", "-k", "file/key"],
        ["--inject", "stdin", "-k", "stdin/key"],
        ["--inject", "env", "-k", "made/key"],
    ];
    let all = Pieces::of(&values);
    assert_eq!(
        all.count(&[b"before ", &values[0][..], b" behind"].concat()),
        2
    );
    // Runs all the while: what is forked meanwhile is forked while the daemon has the values that it
    // masks, and a copy of its memory would have them too.
    let first = waits(&served, &["--inject", "env", "-k", "bulk/*"], "first");
    let masked = all.found(pid).0;
    for words in ways {
        let child = waits(&served, &words, "pipe");
        let of_commands = family(pid);
        let ours: Vec<_> = of_commands
            .iter()
            .filter(|(_, name)| name.starts_with("subrosa-"))
            .collect();
        let mut names: Vec<&str> = ours.iter().map(|(_, name)| name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "subrosa-guard",
                "subrosa-guard",
                "subrosa-nursery",
                "subrosa-spawner"
            ]
        );
        for (pid, name) in ours {
            let (open, locked) = all.found(*pid);
            assert!(
                open.is_empty() && locked == 0,
                "{name}, {words:?}: {open:?}, {locked}"
            );
        }
        lets_go(&served, child, "pipe");
    }
    lets_go(&served, first, "first");
    println!("pieces in ordinary pages of the daemon while it masks: {masked:?}");
    served.run(&["lock"]).ok();
    let mut left = vec![(pid, "the daemon".to_owned())];
    wait_until("the guardians gone", || family(pid).len() == 2);
    left.extend(family(pid));
    for (pid, name) in &left {
        let (open, locked) = all.found(*pid);
        assert!(open.is_empty() && locked == 0, "{name}: {open:?}, {locked}");
    }
    held(
        1,
        &format!(
            "{} values given in three ways: none in what starts commands, and after `lock` none in \
             the daemon either",
            values.len()
        ),
    );
}

/// A tree that gets away from whoever does not look for it; its processes.
fn tree(served: &Served) -> (Child, Vec<u32>) {
    const TREE: &str = "(setsid sh -c 'echo $$ >>pids; trap \"\" TERM HUP INT; sleep 1002; sleep 1003' &) ; \
        echo $$ >>pids; sleep 1004; sleep 1005";
    let _ = fs::remove_file(served.path("work/pids"));
    let child = served.command(&["run", "--", "sh", "-c", TREE]).spawn();
    let pids = || -> Vec<u32> {
        let text = fs::read_to_string(served.path("work/pids")).unwrap_or_default();
        text.lines().filter_map(|line| line.parse().ok()).collect()
    };
    wait_until("the tree", || pids().len() == 2);
    (child.expect("it starts"), pids())
}

fn only(pid: u32, name: &str) -> u32 {
    let found = below(pid, name);
    assert_eq!(found.len(), 1, "{name}: {:?}", family(pid));
    found[0]
}

#[test]
fn row_31_a_killed_spawner_ends_its_commands_and_is_replaced() {
    let served = Served::open();
    let pid = served.daemon().expect("it runs");
    // Before any command, twice: each time there is another.
    for _ in 0..2 {
        let spawner = only(pid, "subrosa-spawner");
        send(spawner, Signal::KILL);
        served.run(&["run", "--", "true"]).ok();
        assert_ne!(only(pid, "subrosa-spawner"), spawner);
    }
    let (child, pids) = tree(&served);
    let guardian = only(pid, "subrosa-guard");
    send(only(pid, "subrosa-spawner"), Signal::KILL);
    // And who would have ended the tree in its place.
    send(guardian, Signal::KILL);
    wait_until("the tree gone", || !pids.iter().any(|pid| runs(*pid)));
    let done = Done::from(child.wait_with_output().expect("it ends"));
    assert_eq!(done.status, 125, "{done:?}");
    served.run(&["run", "--", "true"]).ok();
    served.run(&["ls"]).ok();
    held(
        31,
        "with spawner and guardian killed the tree is ended, and the next command runs",
    );
}

#[test]
fn a_stopped_spawner_holds_up_nobody() {
    let served = Served::open();
    let pid = served.daemon().expect("it runs");
    send(only(pid, "subrosa-spawner"), Signal::STOP);
    served.run(&["run", "--", "true"]).ok();
    served.run(&["lock"]).ok();
}

/// With both killed nothing forks any more that has no key in its memory: it is said, and the rest
/// works.
#[test]
fn without_a_nursery_commands_are_refused_and_nothing_else() {
    let served = Served::open();
    let pid = served.daemon().expect("it runs");
    let spawner = only(pid, "subrosa-spawner");
    send(only(pid, "subrosa-nursery"), Signal::KILL);
    send(spawner, Signal::KILL);
    wait_until("both gone", || !runs(spawner));
    let done = served.run(&["run", "--", "true"]);
    assert_eq!(done.status, 125, "{done:?}");
    done.explained(&["subrosa daemon stop", "subrosa unlock"]);
    served.run(&["ls"]).ok();
    served.run(&["daemon", "stop"]).ok();
    served.unlock();
    served.run(&["run", "--", "true"]).ok();
}

#[test]
fn they_end_with_the_daemon() {
    for stop in [true, false] {
        let served = Served::open();
        let pid = served.daemon().expect("it runs");
        served.run(&["run", "--", "true"]).ok();
        let ours: Vec<u32> = family(pid).into_iter().map(|(pid, _)| pid).collect();
        assert_eq!(ours.len(), 2);
        match stop {
            true => drop(served.run(&["daemon", "stop"]).ok()),
            false => served.kill(),
        }
        wait_until("them gone", || !ours.iter().any(|pid| runs(*pid)));
    }
}

/// What the caller may not use, what it runs may not either; and not more than a rule allows.
#[test]
fn row_31_a_command_has_the_limits_and_the_priority_of_its_caller() {
    const SHOWS: &str = "ulimit -Sn; ulimit -Hn; ulimit -t; ulimit -f; nice; ulimit -c";
    let served = Served::open();
    let mut command = Command::new("/bin/bash");
    served.admit(&mut command);
    // Whoever runs the tests may have a priority of its own already.
    let mut own = Command::new("nice");
    let own = Done::of(own.stdout(std::process::Stdio::piped()), b"")
        .ok()
        .text();
    let nice = own.trim().parse::<i32>().expect("a number") + 7;
    let script = format!(
        "ulimit -Sn 77; ulimit -Hn 170; ulimit -t 330; ulimit -f 4000; nice -n 7 $S run -- bash -c '{SHOWS}'"
    );
    command.env("S", program()).args(["-c", &script]);
    let done = Done::of(&mut command, b"").ok();
    assert_eq!(
        done.text(),
        format!("77\n170\n330\n4000\n{}\n0\n", nice.min(19))
    );
    // And a caller without them does not have the daemon's.
    let mut own = Command::new("/bin/bash");
    own.args(["-c", "ulimit -Sn; nice"])
        .stdout(std::process::Stdio::piped());
    let own = Done::of(&mut own, b"").ok();
    let done = served
        .run(&["run", "--", "bash", "-c", "ulimit -Sn; nice"])
        .ok();
    assert_eq!(done.text(), own.text());
    held(
        31,
        "a command has its caller's resource limits and priority, as the system tells them",
    );
}
