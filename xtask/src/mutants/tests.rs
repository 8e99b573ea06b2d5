//! Header parsing, judging, and the copy's round trip on a small repository.

use std::path::Path;
use std::process::Command;

use super::patch::Mutant;
use super::{Fate, copy::Copy, fate, uncovered};
use crate::house::House;
use crate::redteam::Row;
use crate::shell::Finished;

const HEADER: &str = "# row: 25\n# tests: subrosa-vault row_25_rename\n# build: subrosa-cli\n\
                      # why: skips the pin\n";

fn parse(name: &str, text: &str) -> anyhow::Result<Mutant> {
    Mutant::parse(Path::new(name), text)
}

#[test]
fn a_header_is_read() {
    let mutant = parse("25-pin.patch", HEADER).expect("valid");
    assert_eq!((mutant.row, mutant.why.as_str()), (25, "skips the pin"));
    assert_eq!(mutant.tests[0].package, "subrosa-vault");
    assert_eq!(mutant.builds, ["subrosa-cli"]);
}

#[test]
fn a_wrong_header_is_refused() {
    for (name, from, to) in [
        ("26-pin.patch", "", ""),
        ("25-pin.patch", "# why: skips the pin\n", ""),
        ("25-pin.patch", "# tests: subrosa-vault row_25_rename\n", ""),
        ("25-pin.patch", "row_25_rename", "all_tests"),
        ("25-pin.patch", "row_25_rename", "row_25_ | all()"),
        ("25-pin.patch", "# row: 25", "# row: x"),
        ("25-pin.patch", "# why:", "# wherefore:"),
    ] {
        assert!(
            parse(name, &HEADER.replace(from, to)).is_err(),
            "{name}: {from} -> {to}"
        );
    }
}

#[test]
fn only_a_failed_assertion_kills() {
    let finished = |code, text: &str| Finished {
        success: code == 0,
        code: Some(code),
        text: text.to_owned(),
    };
    let failed = "thread 'x' panicked at a.rs:1\n Summary [ 1s] 2 tests run: 1 passed, 1 failed\n";
    assert_eq!(fate(&finished(100, failed)), Fate::Killed(1));
    assert_eq!(fate(&finished(0, "")), Fate::Survived);
    assert!(matches!(
        fate(&finished(101, "error[E0308]")),
        Fate::Broken(_)
    ));
    assert!(matches!(fate(&finished(100, "TIMEOUT")), Fate::Broken(_)));
    assert!(matches!(fate(&finished(4, "")), Fate::Broken(_)));
}

#[test]
fn a_due_row_without_a_mutant_is_named() {
    let row = |number, part| Row {
        number,
        attack: String::new(),
        part,
        scope: String::new(),
    };
    let rows = [row(25, 1), row(27, 1), row(26, 5)];
    let mutants = [parse("25-pin.patch", HEADER).expect("valid")];
    let missing: Vec<u32> = uncovered(&rows, &mutants)
        .iter()
        .map(|row| row.number)
        .collect();
    assert_eq!(missing, [27]);
}

#[test]
fn a_copy_is_broken_and_restored() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().to_owned();
    let git = |args: &[&str]| {
        let done = Command::new("git")
            .args(args)
            .current_dir(&root)
            .output()
            .expect("git runs");
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
    };
    git(&["init", "-q"]);
    std::fs::write(root.join(".gitignore"), "target/\n").expect("written");
    std::fs::write(root.join("a.txt"), "guarded\n").expect("written");
    std::fs::write(
        root.join("m.patch"),
        "# row: 1\n--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n\
        -guarded\n+open\n",
    )
    .expect("written");
    let house = House {
        target: root.join("target"),
        root: root.clone(),
    };
    let copied = root.join("target/mutants/tree/a.txt");
    let text = || std::fs::read_to_string(&copied).expect("copied");

    let copy = Copy::of(&house).expect("copied");
    assert_eq!(text(), "guarded\n");
    assert!(copy.apply(&root.join("m.patch")).expect("git runs"));
    assert_eq!(text(), "open\n");
    assert_eq!(
        std::fs::read_to_string(root.join("a.txt")).expect("there"),
        "guarded\n"
    );
    assert!(
        !copy.apply(&root.join("m.patch")).expect("git runs"),
        "applied twice"
    );
    copy.restore().expect("restored");
    assert_eq!(text(), "guarded\n");

    std::fs::remove_file(root.join("a.txt")).expect("removed");
    Copy::of(&house).expect("copied");
    assert!(!copied.exists(), "a removed file stays in the copy");
}
