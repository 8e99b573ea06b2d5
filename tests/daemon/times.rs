//! When the daemon locks by itself, and what a full disk does to it.

use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use subrosa_tests::{Done, Served, program, wait_until};

fn is_open(served: &Served) -> bool {
    let status = served.run(&["status", "--json"]).ok().text();
    let status: serde_json::Value = serde_json::from_str(&status).expect("JSON");
    status["daemon"]["unlocked"] == true
}

/// Asking how it is is no use of it; a command is.
#[test]
fn it_locks_when_nobody_asks_for_anything() {
    let served = Served::locked();
    served.unlock_with("passphrase", &["--idle", "10s"]).ok();
    for _ in 0..4 {
        served.run(&["ls"]).ok();
        sleep(Duration::from_secs(3));
    }
    assert!(is_open(&served), "it was used all the time");
    wait_until("the vault locked", || !is_open(&served));
    let done = served.run(&["ls"]);
    assert!(done.status != 0 && done.err.contains("unlock"), "{done:?}");
}

#[test]
fn it_locks_after_its_time_whatever_is_asked() {
    let served = Served::locked();
    served
        .unlock_with("passphrase", &["--idle", "1h", "--for", "3s"])
        .ok();
    wait_until("the vault locked", || served.run(&["ls"]).status != 0);
    assert!(!is_open(&served));
    // And opens again as ever.
    served.unlock();
    served.run(&["ls"]).ok();
}

/// A disk of its own that is really full, where the system lets us mount one: what was acknowledged
/// is there, what was not is told, and no use goes unrecorded.
#[test]
fn a_full_disk_loses_nothing_through_the_daemon() {
    let served = Served::locked();
    let script = r#"
        set -u
        mount -t tmpfs -o size=700k,mode=700 none "$1/live" || exit 77
        mkdir -p "$1/live/user" "$1/live/tmp"
        "$0" -q --passphrase-fd 3 init --no-recovery --no-scan 3<"$1/passphrase" || exit 78
        "$0" -q unlock --passphrase-fd 3 3<"$1/passphrase" || exit 78
        n=0; full=0
        while [ $n -lt 60 ] && [ $full -lt 3 ]; do
            n=$((n + 1))
            if head -c 20000 /dev/zero | tr '\0' k |
                "$0" -q set "k/$n" --stdin --force 2>"$1/err"
            then echo "$n" >>"$1/stored"
            else full=$((full + 1)); cat "$1/err" >>"$1/errors"; fi
        done
        "$0" -q run -k k/1 -- id >>"$1/errors" 2>&1
        echo "run $?" >>"$1/errors"
        "$0" status --json >"$1/status" || exit 79
        mount -o remount,size=8m "$1/live" || exit 79
        for n in $(cat "$1/stored"); do
            "$0" -q --passphrase-fd 3 read "k/$n" 3<"$1/passphrase" | wc -c
        done >"$1/lengths"
        printf value-after-the-flood | "$0" -q set after --stdin || exit 80
        "$0" -q --passphrase-fd 3 audit verify 3<"$1/passphrase" || exit 81
        "$0" daemon stop || exit 82
    "#;
    let mut command = Command::new("unshare");
    served.admit(&mut command);
    command
        .args(["--user", "--map-root-user", "--mount", "/bin/sh", "-c"])
        .arg(script)
        .arg(program())
        .arg(served.path(""));
    let done = Done::of(&mut command, b"");
    if done.status == 77 || done.err.contains("unshare") {
        println!("skipped: no file system may be mounted here: {done:?}");
        return;
    }
    let text = |name: &str| fs::read_to_string(served.path(name)).unwrap_or_default();
    assert_eq!(done.status, 0, "{done:?} {}", text("errors"));
    let (stored, lengths) = (text("stored"), text("lengths"));
    assert!(!stored.is_empty());
    assert_eq!(lengths.lines().count(), stored.lines().count());
    assert!(lengths.lines().all(|length| length == "20000"), "{lengths}");
    let errors = text("errors");
    assert!(
        errors.contains("full") || errors.contains("space"),
        "{errors}"
    );
    assert!(
        errors.contains("run 125"),
        "a use that cannot be recorded is refused: {errors}"
    );
}
