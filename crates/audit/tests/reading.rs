//! Reading, filtering, exporting, and notes from before the key is known.

mod support;

use subrosa_audit::{
    ATTEMPT_LEN_MAX, ATTEMPTS_MAX, Attempt, Body, Entry, EventKind, Exporter, Filter, Format,
    Reader, first_since, merge_attempts,
};
use subrosa_model::{ChangeKind, EventBody, Verdict};
use support::*;

/// Sequences that are shown, newest first.
fn shown(log: &Log, filter: &Filter) -> Vec<u64> {
    Reader::newest_first(log.chain.ring(), &mut log.store.clone())
        .unwrap()
        .map(Result::unwrap)
        .filter(|entry| filter.matches(entry))
        .map(|entry| entry.sequence)
        .collect()
}

fn varied() -> Log {
    let mut log = Log::new();
    let events = [
        change(1, ChangeKind::Init, "vault"),
        change(2, ChangeKind::Set, "global api/key#value"),
        decision(3, "api/key", Verdict::Deny),
        decision(4, "db/password", Verdict::Allow),
        completion(5),
    ];
    let prepared = log.chain.prepare(&log.rng, &events, None).unwrap();
    log.commit(prepared);
    let prepared = log.chain.prepare_checkpoint(&log.rng, time(6)).unwrap();
    log.commit(prepared);
    log
}

#[test]
fn newest_first_over_many_pages_and_after_a_prune() {
    let mut log = Log::with(300);
    assert_eq!(
        shown(&log, &Filter::default()),
        (1..=300).rev().collect::<Vec<_>>()
    );
    log.prune(100);
    assert_eq!(
        shown(&log, &Filter::default()),
        (100..=303).rev().collect::<Vec<_>>()
    );
    let forward: Vec<u64> = Reader::forward(log.chain.ring(), &mut log.store.clone(), 0)
        .map(|entry| entry.unwrap().sequence)
        .collect();
    assert_eq!(forward, (100..=303).collect::<Vec<_>>());
    assert_eq!(shown(&Log::new(), &Filter::default()), [0; 0]);
}

#[test]
fn filters_leave_out_what_does_not_match() {
    let log = varied();
    let all = Filter::default();
    let only = |change: fn(&mut Filter)| {
        let mut filter = all.clone();
        change(&mut filter);
        shown(&log, &filter)
    };
    assert_eq!(only(|_| ()), [6, 5, 4, 3, 2, 1]);
    assert_eq!(only(|f| f.since = Some(time(4))), [6, 5, 4]);
    assert_eq!(only(|f| f.until = Some(time(3))), [2, 1]);
    assert_eq!(only(|f| f.kind = Some(EventKind::Decision)), [4, 3]);
    assert_eq!(only(|f| f.key = Some("api/".to_owned())), [3, 2]);
    assert_eq!(only(|f| f.caller = Some("operator".to_owned())), [2, 1]);
    assert_eq!(only(|f| f.caller = Some("claude".to_owned())), [5, 4, 3]);
    assert_eq!(only(|f| f.caller = Some("agent".to_owned())), [5, 4, 3]);
    assert_eq!(
        only(|f| f.caller = Some("agent claude".to_owned())),
        [5, 4, 3]
    );
    assert_eq!(only(|f| f.verdict = Some(Verdict::Deny)), [3]);
    let decisions: EventKind = "decision".parse().unwrap();
    assert_eq!(decisions, EventKind::Decision);
    assert!("decide".parse::<EventKind>().is_err());
}

#[test]
fn a_damaged_row_is_shown_and_the_rest_too() {
    let log = varied();
    log.store.contents().rows.insert(3, vec![1, 2, 3]);
    let filter = Filter {
        kind: Some(EventKind::Decision),
        ..Filter::default()
    };
    assert_eq!(shown(&log, &filter), [4, 3]);
}

#[test]
fn newest_first_does_not_trust_a_damaged_head() {
    let log = Log::with(300);
    log.store.contents().head.as_mut().unwrap().sequence = u64::MAX;
    let all: Vec<u64> = (1..=300).rev().collect();
    assert_eq!(shown(&log, &Filter::default()), all);
    log.store.contents().head = None;
    assert_eq!(shown(&log, &Filter::default()), all);
    log.store.contents().rows.insert(u64::MAX, vec![1]);
    assert_eq!(shown(&log, &Filter::default())[..2], [u64::MAX, 300]);
}

#[test]
fn the_first_row_of_a_day_is_found() {
    let log = varied();
    let first = |at| first_since(log.chain.ring(), &mut log.store.clone(), at).unwrap();
    assert_eq!(first(time(0)), Some(1));
    assert_eq!(first(time(4)), Some(4));
    assert_eq!(first(time(7)), None);
}

fn export(log: &Log, format: Format) -> String {
    let mut out = Vec::new();
    let mut exporter = Exporter::new(format, vault(), &mut out).unwrap();
    for entry in Reader::forward(log.chain.ring(), &mut log.store.clone(), 1) {
        exporter.write(&entry.unwrap()).unwrap();
    }
    exporter.finish().unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn json_lines_carry_everything() {
    let log = varied();
    let text = export(&log, Format::Jsonl);
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 6);
    for (line, sequence) in lines.iter().zip(1..) {
        assert_eq!(line["schema"], "subrosa.audit.v1");
        assert_eq!(line["sequence"], sequence);
        assert_eq!(line["vault"], vault().to_string());
    }
    assert_eq!(lines[2]["type"], "event");
    assert_eq!(lines[2]["event"], "decision");
    assert_eq!(lines[2]["verdict"], "deny");
    assert_eq!(lines[2]["caller"]["name"], "claude");
    assert_eq!(lines[2]["secrets"][0]["key"], "api/key");
    assert_eq!(lines[4]["outcome"], "exited");

    // An outside party checks the checkpoint with nothing but this line and the public key.
    let line = &lines[5];
    let checkpoint: subrosa_audit::Checkpoint = serde_json::from_value(line.clone()).unwrap();
    let (epoch, key) = log.chain.ring().public_keys()[0];
    assert_eq!(line["epoch"], epoch);
    assert!(checkpoint.verify(vault(), line["sequence"].as_u64().unwrap(), epoch, &key));
}

#[test]
fn tables_have_one_line_an_entry_and_no_formulas() {
    let mut log = varied();
    let mut event = change(7, ChangeKind::Set, "=HYPERLINK(\"http://evil\")");
    event.caller.executable = Some("-cmd,x".to_owned());
    let prepared = log.chain.prepare(&log.rng, &[event], None).unwrap();
    log.commit(prepared);
    let text = export(&log, Format::Csv);
    let lines: Vec<&str> = text.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 8);
    let columns = lines[0].split(',').count();
    assert_eq!(lines[1].split(',').count(), columns);
    assert!(lines[3].contains("global api/key#value"));
    assert!(lines[7].contains("\"'=HYPERLINK(\"\"http://evil\"\")\""));
    assert!(lines[7].contains("\"'-cmd,x\""));
}

#[test]
fn collectors_get_request_bodies() {
    let mut log = varied();
    log.append(600);
    let text = export(&log, Format::Otlp);
    let bodies: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(bodies.len(), 2);
    let records = |body: &serde_json::Value| {
        body["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
            .as_array()
            .unwrap()
            .clone()
    };
    let first = records(&bodies[0]);
    assert_eq!(first.len() + records(&bodies[1]).len(), 606);
    let resource = &bodies[0]["resourceLogs"][0]["resource"]["attributes"][0];
    assert_eq!(resource["key"], "service.name");
    assert_eq!(resource["value"]["stringValue"], "subrosa");
    let denied = &first[2];
    assert_eq!(denied["severityNumber"], 13);
    assert_eq!(denied["eventName"], "subrosa.decision");
    let nanos = i128::from(time(3).as_micros()) * 1000;
    assert_eq!(denied["timeUnixNano"], nanos.to_string());
    let attributes = denied["attributes"].as_array().unwrap();
    let value = |key: &str| {
        let found = attributes.iter().find(|it| it["key"] == key).unwrap();
        found["value"].clone()
    };
    assert_eq!(value("subrosa.sequence")["intValue"], "3");
    assert_eq!(value("subrosa.verdict")["stringValue"], "deny");
    assert_eq!(value("process.pid")["intValue"], "4711");
}

#[test]
fn formats_are_named() {
    for format in Format::ALL {
        assert_eq!(format.name().parse(), Ok(format));
    }
    assert!("xml".parse::<Format>().is_err());
}

fn attempt(number: u64) -> Attempt {
    Attempt {
        time: time(number),
        caller: operator(),
        slot: "passphrase".to_owned(),
    }
}

#[test]
fn attempts_from_before_the_key_are_merged_and_marked() {
    let lines = [
        attempt(1).encode(),
        b"scribble".to_vec(),
        attempt(2).encode(),
    ];
    let lines = lines.iter().map(Vec::as_slice);
    let events = merge_attempts(lines, 7, 1, &operator(), time(9));
    let unlocks: Vec<_> = events
        .iter()
        .map(|event| match &event.body {
            EventBody::Unlock(unlock) => {
                assert!(unlock.unauthenticated && !unlock.opened);
                (event.time, unlock.slot.as_str())
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        unlocks,
        [
            (time(9), "(7 earlier attempts dropped, 2 unreadable)"),
            (time(1), "passphrase"),
            (time(2), "passphrase")
        ]
    );
    assert!(merge_attempts([], 0, 0, &operator(), time(9)).is_empty());
}

#[test]
fn attempts_are_bounded() {
    let mut long = attempt(1);
    long.slot = "\u{1}\"é".repeat(10_000);
    long.caller.executable = Some("/".repeat(10_000));
    let line = long.encode();
    assert!(line.len() <= ATTEMPT_LEN_MAX, "{}", line.len());
    let read = Attempt::decode(&line).unwrap();
    assert!(long.slot.starts_with(&read.slot) && read.slot.len() > 20);
    assert_eq!(Attempt::decode(&vec![b' '; ATTEMPT_LEN_MAX + 1]), None);

    let lines: Vec<Vec<u8>> = (0..300).map(|number| attempt(number).encode()).collect();
    let events = merge_attempts(lines.iter().map(Vec::as_slice), 0, 0, &operator(), time(9));
    assert_eq!(events.len(), ATTEMPTS_MAX + 1);
    assert_eq!(events[1].time, time(300 - ATTEMPTS_MAX as u64));
}

#[test]
fn what_a_later_program_wrote_is_unreadable_not_fatal() {
    use subrosa_audit::{Fault, RowKind};
    let mut event = serde_json::to_value(completion(1)).unwrap();
    let decode = |event: &serde_json::Value| {
        Body::decode(RowKind::Event, &serde_json::to_vec(event).unwrap())
    };
    assert!(decode(&event).is_ok());
    event["event"] = "teleport".into();
    assert_eq!(decode(&event), Err(Fault::Unreadable));
    let entry = Entry {
        sequence: 1,
        epoch: 1,
        link: Log::new().chain.link(),
        body: Body::Unreadable(Fault::Unreadable),
    };
    assert!(Filter::default().matches(&entry));
}
