//! The chain by hand: appending, following others, rotation, pruning, reopening.

mod support;

use std::sync::Arc;

use subrosa_audit::{
    AuditError, Body, CHECKPOINT_EVERY, Chain, Entry, Fault, KeyRing, LogStore, PAYLOAD_MAX, Reader,
};
use subrosa_crypto::{Aad, SystemRng};
use subrosa_model::{ChangeKind, Digest, VaultId, Verdict};
use support::*;

fn entries(log: &Log) -> Vec<Entry> {
    Reader::forward(log.chain.ring(), &mut log.store.clone(), 1)
        .collect::<Result<_, _>>()
        .unwrap()
}

fn faults(error: AuditError) -> Fault {
    match error {
        AuditError::Tampered(finding) => finding.fault,
        other => panic!("expected a finding, got {other:?}"),
    }
}

#[test]
fn what_was_written_is_read_back() {
    let mut log = Log::new();
    let events = [
        change(1, ChangeKind::Init, "vault"),
        decision(2, "api/key", Verdict::Deny),
        completion(3),
    ];
    let state = Digest::from_bytes([4; 32]);
    let prepared = log.chain.prepare(&log.rng, &events, Some(state)).unwrap();
    assert_eq!(prepared.sequences(), [1, 2, 3]);
    log.commit(prepared);

    let read: Vec<Body> = entries(&log).into_iter().map(|entry| entry.body).collect();
    assert_eq!(read, events.map(Body::Event));
    assert_eq!(log.chain.state(), state);
    let report = log.verify();
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!((report.rows, report.first, report.last), (3, 1, 3));
    assert_eq!((report.since, report.until), (Some(time(1)), Some(time(3))));
}

#[test]
fn a_head_alone_may_change() {
    let mut log = Log::with(2);
    let state = Digest::from_bytes([4; 32]);
    let prepared = log.chain.prepare(&log.rng, &[], Some(state)).unwrap();
    assert!(prepared.append.rows.is_empty());
    log.commit(prepared);
    assert!(log.verify().is_sound());

    let reopened = Chain::open(ring(1), log.store.contents().head.clone()).unwrap();
    assert_eq!((reopened.sequence(), reopened.state()), (2, state));
}

#[test]
fn checkpoints_come_when_due() {
    let mut log = Log::with(3 * CHECKPOINT_EVERY);
    let places: Vec<u64> = entries(&log)
        .iter()
        .filter(|entry| matches!(entry.body, Body::Checkpoint(_)))
        .map(|entry| entry.sequence)
        .collect();
    assert_eq!(places, [1000, 2000, 3000]);

    let asked = log.chain.prepare_checkpoint(&log.rng, time(1)).unwrap();
    log.commit(asked);
    let report = log.verify();
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!(report.checkpoints, 4);
}

#[test]
fn an_outside_party_checks_checkpoints_with_the_public_key() {
    let mut log = Log::with(5);
    let prepared = log.chain.prepare_checkpoint(&log.rng, time(1)).unwrap();
    log.commit(prepared);
    let entry = entries(&log).pop().unwrap();
    let Body::Checkpoint(checkpoint) = entry.body else {
        panic!("the last row is the checkpoint");
    };
    let (epoch, key) = log.chain.ring().public_keys()[0];
    assert!(checkpoint.verify(vault(), 6, epoch, &key));
    assert!(!checkpoint.verify(vault(), 7, epoch, &key));
    assert!(!checkpoint.verify(VaultId::from_bytes([8; 16]), 6, epoch, &key));
    let other = ring(2).public_keys()[1].1;
    assert!(!checkpoint.verify(vault(), 6, epoch, &other));
}

#[test]
fn a_stale_chain_follows_what_others_appended() {
    let mut log = Log::with(3);
    let mut other = Chain::open(ring(1), log.store.contents().head.clone()).unwrap();
    log.append(400);
    other.follow(&mut log.store.clone()).unwrap();
    assert_eq!((other.sequence(), other.link()), (403, log.chain.link()));
    other.reload(log.store.contents().head.clone()).unwrap();
}

#[test]
fn a_rewound_or_forked_store_is_not_followed() {
    let mut log = Log::with(3);
    let before = log.store.fork();
    log.append(2);
    let mut chain = Chain::open(ring(1), log.store.contents().head.clone()).unwrap();

    let error = chain.follow(&mut before.clone()).unwrap_err();
    assert_eq!(faults(error), Fault::Rewound { head: 3, known: 5 });
    let error = chain.reload(None).unwrap_err();
    assert_eq!(faults(error), Fault::Rewound { head: 0, known: 5 });

    // The earlier copy goes on with other rows: as many, then more.
    let head = before.contents().head.clone();
    let mut forked = Log {
        chain: Chain::open(ring(1), head).unwrap(),
        store: before,
        rng: CountingRng::default(),
    };
    let other = [completion(1), completion(2)];
    let prepared = forked.chain.prepare(&SystemRng, &other, None).unwrap();
    forked.commit(prepared);
    let error = chain.follow(&mut forked.store.clone()).unwrap_err();
    assert_eq!(faults(error), Fault::Forked);
    let prepared = forked.chain.prepare(&SystemRng, &other, None).unwrap();
    forked.commit(prepared);
    let error = chain.follow(&mut forked.store.clone()).unwrap_err();
    assert_eq!(faults(error), Fault::Unlinked);
    assert_eq!(
        chain.sequence(),
        5,
        "a refused store must not move the chain"
    );
}

#[test]
fn a_store_without_the_rows_that_its_head_knows_is_not_followed() {
    let mut log = Log::with(3);
    let mut chain = Chain::open(ring(1), log.store.contents().head.clone()).unwrap();
    log.append(3);
    let missing = log.store.contents().rows.remove(&6).unwrap();
    let cut = Fault::Truncated { last: 5, head: 6 };
    assert_eq!(faults(chain.follow(&mut log.store).unwrap_err()), cut);
    // A row beyond the head does not stand in for it.
    log.store.contents().rows.insert(9, missing);
    assert_eq!(faults(chain.follow(&mut log.store).unwrap_err()), cut);
    log.store.contents().rows.remove(&4);
    let gap = Fault::Deleted { from: 4, to: 4 };
    assert_eq!(faults(chain.follow(&mut log.store).unwrap_err()), gap);
}

#[test]
fn rotation_keeps_old_rows_and_shuts_out_the_old_ring() {
    let mut log = Log::with(5);
    let old_head = log.store.contents().head.clone();
    let mut stale = Chain::open(ring(1), old_head.clone()).unwrap();
    log.rotate();
    log.append(3);
    let report = log.verify();
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!(report.checkpoints, 2);

    let kinds: Vec<(u64, u32, bool)> = entries(&log)
        .iter()
        .map(|entry| {
            let checkpoint = matches!(entry.body, Body::Checkpoint(_));
            (entry.sequence, entry.epoch, checkpoint)
        })
        .skip(5)
        .take(4)
        .collect();
    assert_eq!(
        kinds,
        [(6, 1, false), (7, 1, true), (8, 2, true), (9, 2, false)]
    );

    let error = stale.follow(&mut log.store.clone()).unwrap_err();
    assert!(matches!(error, AuditError::Rotated));
    let error = Chain::open(ring(2), old_head).unwrap_err();
    assert_eq!(faults(error), Fault::HeadOutdated { epoch: 1 });
}

#[test]
fn a_ring_must_continue_the_one_before() {
    let log = Log::with(1);
    let other = KeyRing::new(vault(), vec![(1, key(9)), (2, key(2))]).unwrap();
    for wrong in [Arc::new(other), ring(1)] {
        let error = log
            .chain
            .prepare_rotate(&log.rng, wrong, &[], None, time(1))
            .unwrap_err();
        assert!(matches!(error, AuditError::Ring { .. }));
    }
    assert!(KeyRing::new(vault(), vec![]).is_err());
    assert!(KeyRing::new(vault(), vec![(2, key(1)), (2, key(2))]).is_err());
}

#[test]
fn a_pruned_log_verifies_and_can_be_pruned_again() {
    let mut log = Log::with(2500);
    let unpruned = log.chain.mark();
    log.prune(1200);
    let report = log.verify();
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!((report.first, report.pruned), (1200, 1199));
    assert_eq!(report.rows, log.chain.sequence() - 1199);

    log.append(10);
    log.prune(2510);
    log.rotate();
    let mut known = log.known();
    known.mark = unpruned;
    let report = log.verify_against(&known);
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!(report.first, 2510);

    let reopened = Chain::open(ring(2), log.store.contents().head.clone()).unwrap();
    assert_eq!(reopened.first(), 2510);
}

#[test]
fn a_prune_outside_the_log_is_refused() {
    let mut log = Log::with(10);
    for keep_from in [0, 1, 11, u64::MAX] {
        let error = log
            .chain
            .prepare_prune(&log.rng, keep_from, &mut log.store, &[], time(1))
            .unwrap_err();
        assert!(
            matches!(error, AuditError::PruneRange { .. }),
            "{keep_from}"
        );
    }
    log.store.contents().rows.get_mut(&5).unwrap()[20] ^= 1;
    let error = log
        .chain
        .prepare_prune(&log.rng, 6, &mut log.store, &[], time(1))
        .unwrap_err();
    assert_eq!(faults(error), Fault::Unlinked);
}

#[test]
fn a_chain_behind_a_prune_follows() {
    let mut log = Log::with(10);
    let mut stale = Chain::open(ring(1), log.store.contents().head.clone()).unwrap();
    log.append(10);
    log.prune(15);
    stale.follow(&mut log.store.clone()).unwrap();
    assert_eq!((stale.first(), stale.link()), (15, log.chain.link()));
}

#[test]
fn a_conflicting_append_is_refused_by_the_store() {
    let mut log = Log::with(1);
    let stale = log.chain.prepare(&log.rng, &[completion(1)], None).unwrap();
    log.append(1);
    assert!(log.store.append(&stale.append).is_err());
}

#[test]
fn late_commits_do_not_set_the_chain_back() {
    let mut log = Log::with(1);
    let early = log.chain.prepare(&log.rng, &[completion(1)], None).unwrap();
    log.append(3);
    early.commit(&mut log.chain);
    assert_eq!(log.chain.sequence(), 4);
}

#[test]
fn too_large_an_event_is_refused() {
    let log = Log::new();
    let event = change(1, ChangeKind::Import, &"x".repeat(PAYLOAD_MAX));
    let error = log.chain.prepare(&log.rng, &[event], None).unwrap_err();
    assert!(matches!(error, AuditError::TooLarge { .. }));
}

#[test]
fn digests_of_arguments_are_keyed_by_epoch() {
    let fields = || Aad::new("test").text("push").text("origin");
    assert_eq!(ring(1).digest(&fields()), ring(1).digest(&fields()));
    assert_ne!(ring(1).digest(&fields()), ring(2).digest(&fields()));
}

#[test]
fn no_key_shows_in_debug_output() {
    let shown = format!("{:?}", Log::with(1).chain);
    assert!(!shown.contains("1, 1, 1"), "{shown}");
    assert!(shown.contains("KeyRing"));
}
