//! A script may hold a list of thousands of values where a process may lock 8 MiB. In a program of
//! its own, since it measures what the process has locked.
#![cfg(target_os = "linux")]

use subrosa_egress::{Labels, Sensitive};

/// Bytes that this process has locked.
fn locked() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmLck:"));
    let kilobytes = line.unwrap().trim().trim_end_matches("kB").trim();
    kilobytes.parse::<usize>().unwrap() * 1024
}

#[test]
fn small_values_share_pages() {
    const VALUES: usize = 50_000;
    let before = locked();
    let values: Vec<Sensitive> = (0..VALUES)
        .map(|_| Sensitive::public(&[b'x'; 40], Labels::new()).unwrap())
        .collect();
    let each = (locked() - before).div_ceil(values.len());
    assert!(
        (40..=72).contains(&each),
        "{each} bytes of locked memory a value"
    );
    let tainted: Vec<Sensitive> = values.iter().map(|v| v.tainted(&Labels::new())).collect();
    assert!(locked() - before <= VALUES * 72, "to taint copies nothing");
    drop(values);
    assert!(locked() - before >= VALUES * 40, "and keeps what it shares");
    drop(tainted);
    assert!(
        locked() - before <= 128 * 1024,
        "dropped values give their pages back"
    );
}
