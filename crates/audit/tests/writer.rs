//! The writer: groups, conflicts with other processes, full disks, anchors.

mod support;

use std::sync::{Arc, Mutex};

use subrosa_audit::{
    Anchor, AnchorError, AuditError, BACKLOG_MAX, Body, Chain, Fault, Known, Mark, Reader, Report,
    Strength, Writer, verify,
};
use subrosa_crypto::SystemRng;
use subrosa_model::{ChangeKind, StoreError, Verdict};
use subrosa_testkit::MemoryLog;
use support::*;

fn check(store: &MemoryLog) -> Report {
    verify(
        &mut store.clone(),
        &ring(1),
        &Known::default(),
        &mut |_, _| {},
    )
    .unwrap()
}

fn sound(store: &MemoryLog) -> Report {
    let report = check(store);
    assert!(report.is_sound(), "{:?}", report.findings);
    report
}

/// An anchor in memory.
#[derive(Clone, Default)]
struct MemoryAnchor {
    mark: Arc<Mutex<Option<Mark>>>,
    fails: bool,
}

impl Anchor for MemoryAnchor {
    fn read(&mut self) -> Result<Option<Mark>, AnchorError> {
        Ok(self.mark.lock().unwrap().clone())
    }

    fn write(&mut self, mark: &Mark) -> Result<(), AnchorError> {
        if self.fails {
            return Err(AnchorError::Damaged {
                place: "memory".to_owned(),
            });
        }
        *self.mark.lock().unwrap() = Some(mark.clone());
        Ok(())
    }

    fn strength(&self) -> Strength {
        Strength::LocalFile
    }
}

fn anchored(store: &MemoryLog, anchor: &MemoryAnchor) -> (Writer, Arc<Mutex<Chain>>) {
    let head = store.contents().head.clone();
    let chain = Arc::new(Mutex::new(Chain::open(ring(1), head).unwrap()));
    let writer = Writer::spawn(
        Box::new(store.clone()),
        Arc::clone(&chain),
        Arc::new(SystemRng),
        Some(Box::new(anchor.clone())),
    )
    .unwrap();
    (writer, chain)
}

#[test]
fn a_ticket_answers_the_place_of_a_durable_record() {
    let store = MemoryLog::new();
    let (writer, _chain) = writer(&store, ring(1));
    let first = writer.submit(decision(1, "api/key", Verdict::Allow)).wait();
    assert_eq!(first.unwrap(), 1);
    assert!(store.contents().rows.contains_key(&1));
    writer.submit_later(completion(1));
    writer.flush().unwrap();
    assert_eq!(store.contents().rows.len(), 2);
    drop(writer);
    assert_eq!(sound(&store).rows, 2);
}

#[test]
fn what_arrives_while_the_writer_is_busy_is_committed_together() {
    let store = MemoryLog::new();
    let (writer, chain) = writer(&store, ring(1));
    // The writer takes the first message and waits for the chain; the others gather behind it.
    let held = chain.lock().unwrap();
    let tickets: Vec<_> = (1..=100)
        .map(|number| writer.submit(decision(number, "api/key", Verdict::Allow)))
        .collect();
    drop(held);
    let places: Vec<u64> = tickets.into_iter().map(|it| it.wait().unwrap()).collect();
    assert_eq!(places, (1..=100).collect::<Vec<_>>());
    let commits = store.contents().commits;
    assert!(commits <= 50, "100 records took {commits} commits");
    drop(writer);
    sound(&store);
}

#[test]
fn places_skip_the_checkpoints_between() {
    let store = MemoryLog::new();
    let (writer, _chain) = writer(&store, ring(1));
    let tickets: Vec<_> = (1..=1005)
        .map(|number| writer.submit(completion(number)))
        .collect();
    let places: Vec<u64> = tickets.into_iter().map(|it| it.wait().unwrap()).collect();
    assert_eq!(places[998..1001], [999, 1001, 1002]);
}

#[test]
fn dropping_the_writer_commits_what_was_submitted() {
    let store = MemoryLog::new();
    let (writer, _chain) = writer(&store, ring(1));
    for number in 1..=300 {
        writer.submit_later(completion(number));
    }
    drop(writer);
    assert_eq!(sound(&store).rows, 300);
}

#[test]
fn two_writers_share_one_chain() {
    let store = MemoryLog::new();
    let start = writer(&store, ring(1)).0;
    start
        .submit(change(1, ChangeKind::Init, "vault"))
        .wait()
        .unwrap();
    drop(start);
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let (writer, _chain) = writer(&store, ring(1));
            std::thread::spawn(move || {
                for number in 1..=300 {
                    writer
                        .submit(decision(number, "api/key", Verdict::Allow))
                        .wait()
                        .unwrap();
                    writer.submit_later(completion(number));
                }
                writer.flush().unwrap();
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let report = sound(&store);
    // One to begin with, 1,200 by the two, and one checkpoint at 1,000.
    assert_eq!(report.rows, 1202);
    assert_eq!(report.checkpoints, 1);
}

#[test]
fn changes_of_the_vault_and_records_of_use_interleave() {
    let store = MemoryLog::new();
    let (writer, chain) = writer(&store, ring(1));
    for number in 1..=20 {
        let mut held = chain.lock().unwrap();
        let event = change(number, ChangeKind::Set, "global api/key#value");
        let prepared = held.prepare(&SystemRng, &[event], None).unwrap();
        subrosa_audit::LogStore::append(&mut store.clone(), &prepared.append).unwrap();
        prepared.commit(&mut held);
        drop(held);
        writer.submit(completion(number)).wait().unwrap();
    }
    drop(writer);
    assert_eq!(sound(&store).rows, 40);
}

#[test]
fn a_full_disk_fails_the_ticket_and_keeps_completions() {
    let store = MemoryLog::new();
    let (writer, _chain) = writer(&store, ring(1));
    writer.submit(completion(1)).wait().unwrap();
    store.contents().full = true;
    let refused = writer.submit(decision(2, "api/key", Verdict::Allow)).wait();
    let Err(AuditError::Store(error)) = refused else {
        panic!("a full disk must fail the ticket: {refused:?}");
    };
    assert!(matches!(*error, StoreError::Full));
    for number in 0..BACKLOG_MAX as u64 + 5 {
        writer.submit_later(completion(number));
    }
    assert!(writer.flush().is_err());
    assert_eq!(
        (writer.status().waiting, writer.status().lost),
        (BACKLOG_MAX, 5)
    );

    store.contents().full = false;
    writer.flush().unwrap();
    assert_eq!((writer.status().waiting, writer.status().lost), (0, 0));
    drop(writer);
    let report = sound(&store);
    assert_eq!(report.lost, 5);
    let decisions = Reader::forward(&ring(1), &mut store.clone(), 1)
        .filter(|entry| match &entry.as_ref().unwrap().body {
            Body::Event(event) => matches!(event.body, subrosa_model::EventBody::Decision(_)),
            _ => false,
        })
        .count();
    assert_eq!(decisions, 0, "a refused decision must not be written later");
}

#[test]
fn an_event_too_large_for_a_row_fails_alone() {
    let store = MemoryLog::new();
    let (writer, _chain) = writer(&store, ring(1));
    let large = change(
        1,
        ChangeKind::Import,
        &"x".repeat(subrosa_audit::PAYLOAD_MAX),
    );
    assert!(matches!(
        writer.submit(large.clone()).wait(),
        Err(AuditError::TooLarge { .. })
    ));
    writer.submit_later(large);
    writer.submit(completion(1)).wait().unwrap();
    drop(writer);
    assert_eq!(sound(&store).lost, 1);
}

#[test]
fn a_store_that_was_put_back_is_refused() {
    let store = MemoryLog::new();
    let (writer, _chain) = writer(&store, ring(1));
    writer.submit(completion(1)).wait().unwrap();
    let earlier = store.fork();
    writer.submit(completion(2)).wait().unwrap();
    *store.contents() = earlier.contents().clone();
    let refused = writer.submit(completion(3)).wait();
    let Err(AuditError::Tampered(finding)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(finding.fault, Fault::Rewound { head: 1, known: 2 });
}

#[test]
fn checkpoint_and_prune_go_through_the_writer() {
    let store = MemoryLog::new();
    let (writer, _chain) = writer(&store, ring(1));
    for number in 1..=50 {
        writer.submit_later(completion(number));
    }
    assert_eq!(writer.checkpoint(time(60)).wait().unwrap(), 51);
    let event = change(61, ChangeKind::Prune, "log");
    assert_eq!(writer.prune(40, event.clone()).wait().unwrap(), 52);
    assert!(matches!(
        writer.prune(40, event).wait(),
        Err(AuditError::PruneRange { .. })
    ));
    drop(writer);
    let report = sound(&store);
    assert_eq!((report.first, report.checkpoints), (40, 2));
}

#[test]
fn the_anchor_follows_the_log() {
    let store = MemoryLog::new();
    let anchor = MemoryAnchor::default();
    let (writer, chain) = anchored(&store, &anchor);
    writer.submit(completion(1)).wait().unwrap();
    writer.flush().unwrap();
    assert_eq!(anchor.mark.lock().unwrap().as_ref().unwrap().sequence(), 1);

    let mut held = chain.lock().unwrap();
    let prepared = held.prepare(&SystemRng, &[completion(2)], None).unwrap();
    subrosa_audit::LogStore::append(&mut store.clone(), &prepared.append).unwrap();
    prepared.commit(&mut held);
    drop(held);
    writer.anchor().unwrap();
    drop(writer);
    assert_eq!(anchor.mark.lock().unwrap().as_ref().unwrap().sequence(), 2);
}

#[test]
fn an_anchor_that_knows_more_is_kept_as_evidence() {
    let store = MemoryLog::new();
    let anchor = MemoryAnchor::default();
    let (writer, _chain) = anchored(&store, &anchor);
    writer.submit(completion(1)).wait().unwrap();
    writer.flush().unwrap();
    let earlier = store.fork();
    writer.submit(completion(2)).wait().unwrap();
    drop(writer);

    let (writer, _chain) = anchored(&earlier, &anchor);
    let finding = writer.status().anchor_finding.unwrap();
    assert_eq!(finding.fault, Fault::Rewound { head: 1, known: 2 });
    for number in 3..6 {
        writer.submit(completion(number)).wait().unwrap();
    }
    drop(writer);
    let mark = anchor.mark.lock().unwrap().clone().unwrap();
    assert_eq!(mark.sequence(), 2, "the evidence is gone");

    let known = Known {
        mark: Some(mark),
        strength: Strength::LocalFile,
        state: None,
    };
    let report = verify(&mut earlier.clone(), &ring(1), &known, &mut |_, _| {}).unwrap();
    assert_eq!(report.findings[0].fault, Fault::Forked);
    let (writer, _chain) = anchored(&earlier, &anchor);
    assert_eq!(writer.status().anchor_finding.unwrap().fault, Fault::Forked);
}

#[test]
fn a_chain_that_another_process_has_overtaken_is_brought_up_to_date() {
    let store = MemoryLog::new();
    let anchor = MemoryAnchor::default();
    let (first, _chain) = anchored(&store, &anchor);
    first.submit(completion(1)).wait().unwrap();
    let head = subrosa_audit::LogView::head(&mut store.clone()).unwrap();
    let chain = Chain::open(ring(1), head).unwrap();
    // After the head was read and before the anchor is.
    first.submit(completion(2)).wait().unwrap();
    drop(first);

    let chain = Arc::new(Mutex::new(chain));
    let (log, rng) = (Box::new(store.clone()), Arc::new(SystemRng));
    let writer = Writer::spawn(log, chain, rng, Some(Box::new(anchor.clone()))).unwrap();
    assert_eq!(writer.status().anchor_finding, None);
    assert_eq!(writer.submit(completion(3)).wait().unwrap(), 3);
    drop(writer);
    sound(&store);
}

#[test]
fn an_anchor_that_fails_is_told_and_denies_nothing() {
    let store = MemoryLog::new();
    let anchor = MemoryAnchor {
        fails: true,
        ..MemoryAnchor::default()
    };
    let (writer, _chain) = anchored(&store, &anchor);
    writer.submit(completion(1)).wait().unwrap();
    writer.flush().unwrap();
    assert!(writer.status().anchor_error.is_some());
    assert_eq!(writer.status().strength, Strength::LocalFile);
}

#[test]
fn a_ticket_is_a_future() {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Wake, Waker};

    struct Unpark(std::thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let store = MemoryLog::new();
    let (writer, chain) = writer(&store, ring(1));
    let held = chain.lock().unwrap();
    let mut ticket = pin!(writer.submit(completion(1)));
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    assert!(ticket.as_mut().poll(&mut context).is_pending());
    drop(held);
    let answer = loop {
        match ticket.as_mut().poll(&mut context) {
            Poll::Ready(answer) => break answer,
            Poll::Pending => std::thread::park(),
        }
    };
    assert_eq!(answer.unwrap(), 1);
}
