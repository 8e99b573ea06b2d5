//! The log: read, verify, export, prune.

use crate::house::House;

fn lines(house: &House, words: &[&str]) -> Vec<serde_json::Value> {
    let text = house.call([&["--json", "log"], words].concat()).run().ok();
    text.lines()
        .map(|line| serde_json::from_str(line).expect("each line is JSON"))
        .collect()
}

#[test]
fn a_use_is_decided_and_completed_on_record() {
    let house = House::with_key();
    let line = [
        "run",
        "-k",
        "api/key",
        "--",
        "sh",
        "-c",
        "echo $API_KEY; exit 3",
    ];
    house.call(line).run().failed(125);
    house.apply("version: 1\nrules:\n  - allow: run\n    command: sh\n    args: [\"-c\", \"echo $API_KEY; exit 3\"]\n    secrets: [\"api/key\"]\n    inject: env\n");
    house.call(line).run().failed(3);
    let decisions = lines(&house, &["--kind", "decision"]);
    let verdicts: Vec<_> = decisions
        .iter()
        .map(|line| line["verdict"].as_str().unwrap())
        .collect();
    assert_eq!(verdicts, ["deny", "allow"]);
    let completion = &lines(&house, &["--kind", "completion"])[0];
    assert_eq!(completion["request"], decisions[1]["request"]);
    assert_eq!(
        (&completion["status"], &completion["redactions"]),
        (&3.into(), &1.into())
    );
    assert_eq!(lines(&house, &["--verdict", "deny"]).len(), 1);
    assert_eq!(
        lines(&house, &["--key", "api/"]).len(),
        4,
        "two decisions, the change that stored it, and the one from which on it is masked for good"
    );
    assert_eq!(lines(&house, &["--key", "other/"]).len(), 0);
    assert_eq!(lines(&house, &["--since", "1h", "-n", "2"]).len(), 2);
    assert_eq!(lines(&house, &["--until", "1h"]).len(), 0);
    let human = house.call(["log"]).run().ok();
    assert!(
        human.contains("denied") && human.contains("masked 1 time"),
        "{human}"
    );
}

#[test]
fn failed_attempts_are_on_record_once_the_vault_opens() {
    let house = House::new();
    let wrong = house.write("wrong", "not the passphrase");
    house
        .call(["ls"])
        .proof("--passphrase-fd", &wrong)
        .run()
        .failed(1);
    let attempts = lines(&house, &["--kind", "unlock"]);
    let failed: Vec<_> = attempts
        .iter()
        .filter(|line| line["opened"] == false)
        .collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["unauthenticated"], true);
}

#[test]
fn exports_have_their_form() {
    let house = House::with_key();
    let jsonl = house.call(["audit", "export"]).run().ok();
    let records: Vec<serde_json::Value> = jsonl
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(records.len() > 3);
    assert!(
        records
            .iter()
            .all(|record| record["schema"] == "subrosa.audit.v1")
    );
    let csv = house
        .call(["audit", "export", "--format", "csv", "--kind", "change"])
        .run()
        .ok();
    assert!(csv.lines().count() >= 3 && csv.contains("api/key"), "{csv}");
    house
        .call(["audit", "export", "--format", "otlp", "-o", "log.json"])
        .run()
        .ok();
    let otlp: serde_json::Value = serde_json::from_str(
        std::fs::read_to_string(house.work("log.json"))
            .unwrap()
            .lines()
            .next()
            .unwrap(),
    )
    .unwrap();
    assert!(otlp["resourceLogs"].is_array());
    house
        .call(["audit", "export", "--format", "xml"])
        .run()
        .failed(2);
}

#[test]
fn a_sound_log_verifies_and_an_edited_one_does_not() {
    let house = House::with_key();
    let report = house.call(["--json", "audit", "verify"]).run().json();
    assert_eq!(
        (&report["sound"], &report["strength"]),
        (&true.into(), &"local_file".into())
    );
    let links: Vec<Vec<u8>> = lines(&house, &["--kind", "change"])
        .iter()
        .map(|line| {
            let text = line["link"].as_str().unwrap();
            (0..32)
                .map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
                .collect()
        })
        .collect();
    let vault = house.path("home/data/vault.db");
    let mut bytes = std::fs::read(&vault).unwrap();
    let at = bytes
        .windows(32)
        .position(|window| window == links[0])
        .expect("the row is in the file");
    bytes[at + 50] ^= 1;
    std::fs::write(&vault, bytes).unwrap();
    let back = house.call(["audit", "verify"]).run();
    assert!(
        back.code == Some(1) && back.text().contains("NOT sound"),
        "{back:?}"
    );
    let json = house.call(["--json", "audit", "verify"]).run();
    let report: serde_json::Value = serde_json::from_slice(&json.out).unwrap();
    assert_eq!((json.code, &report["sound"]), (Some(1), &false.into()));
    assert!(!report["findings"].as_array().unwrap().is_empty());
}

#[test]
fn an_older_copy_is_noticed_and_can_be_looked_at() {
    let house = House::with_key();
    let vault = house.path("home/data/vault.db");
    let older = std::fs::read(&vault).unwrap();
    house.set("api/key", "a-newer-value-of-it");
    std::fs::write(&vault, older).unwrap();
    assert_eq!(
        house.call(["--json", "ls"]).run().error_code(),
        "rolled_back"
    );
    let said = house.call(["ls"]).run();
    assert!(said.failed(1).contains("try: "), "{said:?}");
    let back = house.call(["audit", "verify"]).run();
    assert!(
        back.code == Some(1) && back.text().contains("put back to an earlier state"),
        "{back:?}"
    );
}

#[test]
fn what_is_pruned_is_accounted_for() {
    let house = House::with_key();
    let none = house
        .call(["--json", "audit", "prune", "--before", "2020-01-01"])
        .run()
        .json();
    assert_eq!(none["removed"], 0);
    let pruned = house
        .call(["--json", "audit", "prune", "--before", "0s"])
        .run()
        .json();
    assert!(pruned["removed"].as_u64().unwrap() > 0, "{pruned}");
    let report = house.call(["--json", "audit", "verify"]).run().json();
    assert_eq!(report["sound"], true);
    assert!(report["pruned"].as_u64().unwrap() > 0);
    assert_eq!(house.read("api/key"), crate::house::VALUE.as_bytes());
}

#[test]
fn a_followed_log_goes_on() {
    use std::io::{BufRead, BufReader};
    let house = House::new();
    let mut child = house
        .call(["--json", "log", "-f", "-n", "1", "--kind", "change"])
        .command()
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || -> serde_json::Value {
        serde_json::from_str(&lines.next().expect("it goes on").unwrap()).unwrap()
    };
    assert_eq!(next()["kind"], "init");
    house.set("api/key", crate::house::VALUE);
    let seen = next();
    assert_eq!(
        (&seen["kind"], &seen["subjects"][0]),
        (&"set".into(), &"default api/key".into())
    );
    drop(lines);
    // Its reader is gone: the next thing that happens ends it, without a word.
    house.set("api/key", "another-value-of-it");
    let status = child.wait().unwrap();
    assert_ne!(status.code(), Some(0));
}

#[test]
fn pruning_is_tried_first_and_never_reaches_into_the_future() {
    let house = House::with_key();
    let count = || house.call(["log"]).run().ok().lines().count();
    let before = count();
    let dry = house
        .call(["--json", "audit", "prune", "--before", "0s", "--dry-run"])
        .run()
        .json();
    assert!(dry["would_remove"].as_u64().unwrap() > 0, "{dry}");
    let back = house
        .call(["audit", "prune", "--before", "2999-01-01"])
        .run();
    assert!(back.failed(2).contains("lies in the future"), "{back:?}");
    assert!(count() >= before);
    assert_eq!(house.call(["log", "-n", "0"]).run().ok(), "");
}
