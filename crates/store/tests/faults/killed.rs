//! `kill -9` in the middle of work.

use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use subrosa_model::StoreError;
use subrosa_store::sqlite::{CreateOptions, SqliteStore};
use subrosa_vault::port::{Collection, VaultStore};

use crate::{Random, child, create, key, open, role, step, steps_done, this_program};

const ROUNDS: usize = 50;

#[test]
fn acknowledged_commits_survive() {
    if let Some(folder) = role() {
        return commit_for_ever(&folder.join("vault.db"));
    }
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("vault");
    let path = folder.join("vault.db");
    drop(create(&path));
    let mut random = Random(11);
    let mut most = 0;
    for round in 0..ROUNDS {
        let program = this_program();
        let mut writer = child(&program, "killed::acknowledged_commits_survive", &folder)
            .spawn()
            .unwrap();
        let acknowledged = kill_after(&mut writer, 1 + random.below(25), random.below(2000));
        let mut store = open(&path).unwrap();
        let done = steps_done(&mut store).unwrap();
        // What was under way at the end may have got through without its acknowledgement.
        assert!(
            acknowledged <= done && done <= acknowledged + 1,
            "round {round}: {acknowledged} acknowledged, {done} there"
        );
        if round % 10 == 0 {
            store.inspect().unwrap();
        }
        most = done;
    }
    assert!(most > ROUNDS as u64, "the writers got to work");
}

/// Acknowledges each commit on standard error once it has returned.
fn commit_for_ever(path: &Path) {
    let mut store = open(path).unwrap();
    let counter = store
        .snapshot()
        .unwrap()
        .get(&key(Collection::State, 0))
        .unwrap();
    let mut next = counter.map_or(0, |counter| counter.revision) + 1;
    loop {
        store.commit(&step(next)).unwrap();
        acknowledge(next);
        next += 1;
    }
}

fn acknowledge(number: u64) {
    // One write, so that no half of a line is left when this process is killed.
    std::io::stderr()
        .write_all(format!("{number}\n").as_bytes())
        .unwrap();
}

/// Lets a child acknowledge a few times, waits a moment more, kills it, and answers its last
/// acknowledgement.
fn kill_after(child: &mut Child, acknowledgements: usize, microseconds: usize) -> u64 {
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut last = 0;
    let number = |line: std::io::Result<String>| {
        let line = line.unwrap();
        line.parse()
            .unwrap_or_else(|_| panic!("the child said: {line}"))
    };
    for line in lines.by_ref().take(acknowledgements) {
        last = number(line);
    }
    let moment = Duration::from_micros(microseconds.try_into().unwrap());
    let now = Instant::now();
    while now.elapsed() < moment {
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    // What it said between the last line that was read and its end.
    for line in lines {
        last = number(line);
    }
    child.wait().unwrap();
    last
}

#[test]
fn a_store_is_made_whole_or_not_at_all() {
    if let Some(folder) = role() {
        acknowledge(0);
        let made = SqliteStore::create_with(
            &folder.join("vault.db"),
            &CreateOptions::default(),
            |store| (1..=20).try_for_each(|number| store.commit(&step(number))),
        );
        made.unwrap();
        acknowledge(1);
        return;
    }
    let mut random = Random(12);
    let (mut whole, mut absent) = (0, 0);
    for _ in 0..ROUNDS {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("vault");
        let program = this_program();
        let mut maker = child(
            &program,
            "killed::a_store_is_made_whole_or_not_at_all",
            &folder,
        )
        .spawn()
        .unwrap();
        let acknowledged = kill_after(&mut maker, 1, random.below(30_000));
        let path = folder.join("vault.db");
        match open(&path) {
            Ok(mut store) => {
                assert_eq!(steps_done(&mut store).unwrap(), 20);
                whole += 1;
            }
            Err(StoreError::Missing { .. }) => {
                assert_eq!(acknowledged, 0);
                assert_eq!(steps_done(&mut create(&path)).unwrap(), 0);
                absent += 1;
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!(absent > 0, "some were killed in time ({whole} were not)");
}
