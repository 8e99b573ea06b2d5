//! Whatever is done to a stored log, verification finds it.

mod support;

use proptest::prelude::*;
use subrosa_audit::{Body, CHECKPOINT_EVERY, Chain, Fault, Finding, Known, LogStore, check_head};
use subrosa_model::{ChangeKind, Digest, VaultId};
use subrosa_testkit::{LogContents, MemoryLog};
use support::*;

/// A step in the life of a log.
#[derive(Debug, Clone)]
enum Step {
    Append(u64),
    Checkpoint,
    Rotate,
    /// Keeps this share of the rows, in percent.
    Prune(u64),
    State(u8),
}

/// One thing that is done to a stored log. Numbers choose rows, bytes and bits modulo their count.
#[derive(Debug, Clone)]
enum Damage {
    FlipRow(usize, usize, u8),
    FlipHead(usize, u8),
    HeadSequence(u64),
    Delete(usize),
    DeleteAndClose(usize),
    Swap(usize, usize),
    Overwrite(usize, usize),
    Insert(usize),
    AppendCopy(usize),
    Shorten(usize, usize),
    Truncate(usize),
    RewindHead(usize),
    RewindAll(usize),
    DropHead,
    DropRows,
    DropAll,
    Fork,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1..12u64).prop_map(Step::Append),
        1 => Just(Step::Checkpoint),
        1 => Just(Step::Rotate),
        1 => (0..100u64).prop_map(Step::Prune),
        1 => any::<u8>().prop_map(Step::State),
    ];
    prop::collection::vec(step, 1..6)
}

fn damage() -> impl Strategy<Value = Damage> {
    let n = any::<usize>;
    prop_oneof![
        6 => (n(), n(), 0..8u8).prop_map(|(row, byte, bit)| Damage::FlipRow(row, byte, bit)),
        3 => (n(), 0..8u8).prop_map(|(byte, bit)| Damage::FlipHead(byte, bit)),
        1 => any::<u64>().prop_map(Damage::HeadSequence),
        1 => n().prop_map(Damage::Delete),
        1 => n().prop_map(Damage::DeleteAndClose),
        1 => (n(), n()).prop_map(|(a, b)| Damage::Swap(a, b)),
        1 => (n(), n()).prop_map(|(a, b)| Damage::Overwrite(a, b)),
        1 => n().prop_map(Damage::Insert),
        1 => n().prop_map(Damage::AppendCopy),
        1 => (n(), n()).prop_map(|(row, length)| Damage::Shorten(row, length)),
        1 => n().prop_map(Damage::Truncate),
        1 => n().prop_map(Damage::RewindHead),
        1 => n().prop_map(Damage::RewindAll),
        1 => Just(Damage::DropHead),
        1 => Just(Damage::DropRows),
        1 => Just(Damage::DropAll),
        1 => Just(Damage::Fork),
    ]
}

/// Runs the steps; answers the log and its store after each of them.
fn live(steps: &[Step]) -> (Log, Vec<LogContents>) {
    let mut log = Log::with(2);
    let mut past = vec![log.store.contents().clone()];
    for step in steps {
        match step {
            Step::Append(count) => log.append(*count),
            Step::Checkpoint => {
                let prepared = log.chain.prepare_checkpoint(&log.rng, time(1)).unwrap();
                log.commit(prepared);
            }
            Step::Rotate => log.rotate(),
            Step::Prune(share) => {
                let (first, last) = (log.chain.first(), log.chain.sequence());
                let keep_from = first + (last - first) * share / 100;
                if keep_from > first {
                    log.prune(keep_from);
                }
            }
            Step::State(byte) => {
                let event = change(2, ChangeKind::Set, "global api/key#value");
                let state = Digest::from_bytes([*byte; 32]);
                let prepared = log.chain.prepare(&log.rng, &[event], Some(state)).unwrap();
                log.commit(prepared);
            }
        }
        past.push(log.store.contents().clone());
    }
    (log, past)
}

/// Does the damage; `false` when it would change nothing.
fn inflict(damage: &Damage, log: &Log, past: &[LogContents]) -> bool {
    let mut contents = log.store.contents();
    let before = contents.clone();
    let places: Vec<u64> = contents.rows.keys().copied().collect();
    let place = |n: usize| places[n % places.len()];
    match *damage {
        Damage::FlipRow(row, byte, bit) => {
            let body = contents.rows.get_mut(&place(row)).unwrap();
            let byte = byte % body.len();
            body[byte] ^= 1 << bit;
        }
        Damage::FlipHead(byte, bit) => {
            let body = &mut contents.head.as_mut().unwrap().body;
            let byte = byte % body.len();
            body[byte] ^= 1 << bit;
        }
        Damage::HeadSequence(sequence) => contents.head.as_mut().unwrap().sequence = sequence,
        Damage::Delete(row) => drop(contents.rows.remove(&place(row))),
        Damage::DeleteAndClose(row) => {
            let gone = place(row);
            contents.rows.remove(&gone);
            let moved = contents.rows.split_off(&gone);
            contents
                .rows
                .extend(moved.into_iter().map(|(place, body)| (place - 1, body)));
        }
        Damage::Swap(a, b) => {
            let (a, b) = (place(a), place(b));
            let (first, second) = (contents.rows[&a].clone(), contents.rows[&b].clone());
            contents.rows.insert(a, second);
            contents.rows.insert(b, first);
        }
        Damage::Overwrite(from, to) => {
            let copy = contents.rows[&place(from)].clone();
            contents.rows.insert(place(to), copy);
        }
        Damage::Insert(row) => {
            let at = place(row);
            let copy = contents.rows[&at].clone();
            let moved = contents.rows.split_off(&at);
            contents.rows.insert(at, copy);
            contents
                .rows
                .extend(moved.into_iter().map(|(place, body)| (place + 1, body)));
        }
        Damage::AppendCopy(row) => {
            let copy = contents.rows[&place(row)].clone();
            let end = places[places.len() - 1] + 1;
            contents.rows.insert(end, copy);
        }
        Damage::Shorten(row, length) => {
            let body = contents.rows.get_mut(&place(row)).unwrap();
            let length = length % body.len();
            body.truncate(length);
        }
        Damage::Truncate(rows) => {
            let from = place(rows);
            contents.rows.split_off(&from);
        }
        Damage::RewindHead(step) => contents.head = past[step % past.len()].head.clone(),
        Damage::RewindAll(step) => *contents = past[step % past.len()].clone(),
        Damage::DropHead => contents.head = None,
        Damage::DropRows => contents.rows.clear(),
        Damage::DropAll => *contents = LogContents::default(),
        Damage::Fork => {
            // The last row is written anew, with another content, by the holder of the keys.
            let Some(earlier) = past.iter().rev().find(|it| it.head != contents.head) else {
                return false;
            };
            drop(contents);
            let store = MemoryLog::new();
            *store.contents() = earlier.clone();
            let chain = Chain::open(ring(1), earlier.head.clone())
                .or_else(|_| Chain::open(log.chain.ring().clone(), earlier.head.clone()));
            let Ok(chain) = chain else { return false };
            let mut fork = Log {
                store,
                chain,
                rng: CountingRng::default(),
            };
            fork.append(log.chain.sequence().saturating_sub(fork.chain.sequence()));
            let forked = fork.store.contents().clone();
            if forked.rows == log.store.contents().rows {
                return false;
            }
            *log.store.contents() = forked;
            return true;
        }
    }
    contents.rows != before.rows || contents.head != before.head
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn any_single_damage_is_found(steps in steps(), damage in damage()) {
        let (log, past) = live(&steps);
        let report = log.verify();
        prop_assert!(report.is_sound(), "an undamaged log: {:?}", report.findings);
        if inflict(&damage, &log, &past) {
            let report = log.verify();
            prop_assert!(!report.is_sound(), "not found");
        }
    }

    #[test]
    fn damage_without_keys_is_found_without_anchor_and_state(
        steps in steps(),
        damage in damage(),
    ) {
        // Only putting back an earlier copy whole needs to be known from elsewhere.
        prop_assume!(!matches!(damage, Damage::RewindAll(_) | Damage::Fork));
        let (log, past) = live(&steps);
        if inflict(&damage, &log, &past) {
            let contents = log.store.contents();
            let back = past.iter().any(|it| it.head == contents.head && it.rows == contents.rows);
            drop(contents);
            let report = log.verify_against(&Known::default());
            prop_assert!(back || !report.is_sound(), "not found");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn an_honest_log_is_never_accused(steps in steps()) {
        let (log, past) = live(&steps);
        let report = log.verify();
        prop_assert!(report.is_sound(), "{:?}", report.findings);
        // Nor for an anchor that was written at any time before.
        for contents in past {
            let Ok(chain) = Chain::open(ring(1), contents.head) else { continue };
            let mark = chain.mark().unwrap();
            let mut store = log.store.clone();
            prop_assert_eq!(check_head(&log.chain, &mark, &mut store).unwrap(), None);
            let known = Known { mark: Some(mark), ..Known::default() };
            prop_assert!(log.verify_against(&known).is_sound());
        }
    }
}

#[test]
fn every_bit_of_a_row_and_of_the_head_counts() {
    let log = Log::with(2);
    let honest = log.store.contents().clone();
    for (place, body) in &honest.rows {
        for byte in 0..body.len() {
            let mut damaged = body.clone();
            damaged[byte] ^= 1 << (byte % 8);
            log.store.contents().rows.insert(*place, damaged);
            let found = log.verify_against(&Known::default()).findings;
            assert!(!found.is_empty(), "byte {byte} of row {place}");
            assert_eq!(found[0].sequence, Some(*place), "byte {byte}: {found:?}");
        }
        log.store.contents().rows.insert(*place, body.clone());
    }
    let head = honest.head.unwrap();
    for byte in 0..head.body.len() {
        let mut damaged = head.clone();
        damaged.body[byte] ^= 1 << (byte % 8);
        log.store.contents().head = Some(damaged.clone());
        assert!(
            !log.verify_against(&Known::default()).is_sound(),
            "byte {byte}"
        );
        assert!(Chain::open(ring(1), Some(damaged)).is_err(), "byte {byte}");
    }
}

/// The findings after a change of the contents of a log of ten rows.
fn findings(change: impl FnOnce(&mut LogContents)) -> Vec<Finding> {
    let log = Log::with(10);
    change(&mut log.store.contents());
    log.verify_against(&Known::default()).findings
}

#[test]
fn row_39_each_damage_has_its_name() {
    assert_eq!(
        findings(|log| drop(log.rows.remove(&5))),
        [Finding::at(6, Fault::Deleted { from: 5, to: 5 })]
    );
    assert_eq!(
        findings(|log| drop(log.rows.split_off(&8))),
        [Finding::whole(Fault::Truncated { last: 7, head: 10 })]
    );
    assert_eq!(
        findings(|log| {
            let (a, b) = (log.rows[&3].clone(), log.rows[&7].clone());
            log.rows.insert(3, b);
            log.rows.insert(7, a);
        })
        .into_iter()
        .filter(|it| matches!(it.fault, Fault::Reordered { .. }))
        .collect::<Vec<_>>(),
        [
            Finding::at(3, Fault::Reordered { belongs_at: 7 }),
            Finding::at(7, Fault::Reordered { belongs_at: 3 })
        ]
    );
    // Link, ciphertext, nonce and format of one row are one finding each.
    let at_four = |byte: usize| findings(|log| log.rows.get_mut(&4).unwrap()[byte] ^= 0x80);
    assert_eq!(
        at_four(0),
        [Finding::at(4, Fault::FutureFormat { found: 0x81 })]
    );
    assert_eq!(at_four(10), [Finding::at(4, Fault::Unlinked)]);
    assert_eq!(at_four(40), [Finding::at(4, Fault::Foreign)]);
    assert_eq!(at_four(120), [Finding::at(4, Fault::Edited)]);
    assert_eq!(
        at_four(5),
        [Finding::at(4, Fault::UnknownEpoch { epoch: 0x8000_0001 })]
    );
    assert_eq!(
        findings(|log| log.head = None),
        [Finding::whole(Fault::HeadMissing)]
    );
    assert_eq!(
        findings(|log| log.head.as_mut().unwrap().body[50] ^= 1),
        [Finding::whole(Fault::HeadDamaged)]
    );
    assert_eq!(
        findings(|log| *log = LogContents::default()),
        [Finding::whole(Fault::LogMissing)]
    );
    assert_eq!(
        findings(|log| log.rows.clear()),
        [Finding::whole(Fault::Truncated { last: 0, head: 10 })]
    );
}

#[test]
fn a_rewound_head_shows_by_the_rows_after_it() {
    let mut log = Log::with(3);
    let head = log.store.contents().head.clone();
    log.append(2);
    log.store.contents().head = head;
    let found = log.verify_against(&Known::default()).findings;
    assert_eq!(
        found,
        [
            Finding::at(4, Fault::BeyondHead { head: 3 }),
            Finding::at(5, Fault::BeyondHead { head: 3 })
        ]
    );
}

#[test]
fn a_whole_log_put_back_shows_by_anchor_or_state() {
    let mut log = Log::with(3);
    let earlier = log.store.contents().clone();
    let state = Digest::from_bytes([1; 32]);
    let event = change(4, ChangeKind::Set, "global api/key#value");
    let prepared = log.chain.prepare(&log.rng, &[event], Some(state)).unwrap();
    log.commit(prepared);
    let known = log.known();
    *log.store.contents() = earlier;

    let unknown = log.verify_against(&Known::default());
    assert!(unknown.is_sound());
    assert!(unknown.undetected.contains("no anchor"));
    let by_mark = Known {
        state: None,
        ..known.clone()
    };
    assert_eq!(
        log.verify_against(&by_mark).findings,
        [Finding::whole(Fault::Rewound { head: 3, known: 4 })]
    );
    let by_state = Known {
        mark: None,
        ..known
    };
    assert_eq!(
        log.verify_against(&by_state).findings,
        [Finding::whole(Fault::StateMismatch)]
    );
}

#[test]
fn a_log_deleted_whole_is_found_by_the_anchor_too() {
    let log = Log::with(3);
    let known = log.known();
    *log.store.contents() = LogContents::default();
    let found = log.verify_against(&known).findings;
    assert!(found.contains(&Finding::whole(Fault::LogMissing)));
    assert!(found.contains(&Finding::whole(Fault::Rewound { head: 0, known: 3 })));
    // A chain that is opened on it begins anew, and the anchor objects.
    let chain = Chain::open(ring(1), None).unwrap();
    let finding = check_head(&chain, &known.mark.unwrap(), &mut log.store.clone()).unwrap();
    assert_eq!(
        finding,
        Some(Finding::whole(Fault::Rewound { head: 0, known: 3 }))
    );
}

#[test]
fn an_anchor_of_others_is_told() {
    use subrosa_audit::{KeyRing, Mark};
    let log = Log::with(3);
    let mut bytes = log.chain.mark().unwrap().to_bytes();
    bytes[30] ^= 1;
    assert_eq!(
        Mark::from_bytes(&bytes),
        None,
        "the checksum tells a torn write"
    );

    let other = KeyRing::new(vault(), vec![(1, key(9))]).unwrap();
    let forged = Chain::open(other.into(), None).unwrap();
    let prepared = forged.prepare(&log.rng, &[completion(1)], None).unwrap();
    let mut forged = forged;
    prepared.commit(&mut forged);
    let mark = forged.mark().unwrap();
    let mut store = log.store.clone();
    let finding = check_head(&log.chain, &mark, &mut store).unwrap();
    assert_eq!(finding, Some(Finding::whole(Fault::AnchorAltered)));

    let elsewhere = KeyRing::new(VaultId::from_bytes([8; 16]), vec![(1, key(1))]).unwrap();
    let mut elsewhere = Chain::open(elsewhere.into(), None).unwrap();
    let prepared = elsewhere.prepare(&log.rng, &[completion(1)], None).unwrap();
    prepared.commit(&mut elsewhere);
    let known = Known {
        mark: elsewhere.mark(),
        ..Known::default()
    };
    assert_eq!(
        log.verify_against(&known).findings,
        [Finding::whole(Fault::WrongVault)]
    );
}

#[test]
fn pruned_rows_that_come_back_are_found() {
    let mut log = Log::with(10);
    let before = log.store.contents().rows.clone();
    log.prune(5);
    log.store
        .contents()
        .rows
        .extend(before.range(3..5).map(|(k, v)| (*k, v.clone())));
    let found = log.verify().findings;
    assert_eq!(
        found,
        [
            Finding::at(3, Fault::Leftover),
            Finding::at(4, Fault::Leftover)
        ]
    );
}

#[test]
fn rows_added_while_verifying_are_no_fault() {
    struct Busy {
        log: Log,
        left: u64,
    }
    impl subrosa_audit::LogView for Busy {
        fn head(&mut self) -> Result<Option<subrosa_model::LogHead>, subrosa_model::StoreError> {
            self.log.store.log_head()
        }
        fn page(
            &mut self,
            from: u64,
            limit: usize,
        ) -> Result<Vec<subrosa_model::LogRow>, subrosa_model::StoreError> {
            // Another process appends, and once prunes, between any two reads.
            if self.left > 0 {
                self.left -= 1;
                self.log.append(100);
                if self.left == 3 {
                    let keep_from = self.log.chain.sequence() - 150;
                    self.log.prune(keep_from);
                }
            }
            self.log.store.rows(from, limit)
        }
    }
    let mut busy = Busy {
        log: Log::with(10),
        left: 6,
    };
    let mut told = 0;
    let report = subrosa_audit::verify(
        &mut busy,
        &ring(1),
        &Known::default(),
        &mut |done, total| {
            assert!(done <= total);
            told += 1;
        },
    )
    .unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!(report.last, busy.log.chain.sequence());
    assert!(told > 2);
}

#[test]
fn findings_are_bounded_and_counted() {
    let log = Log::with(CHECKPOINT_EVERY + 200);
    for body in log.store.contents().rows.values_mut() {
        body[60] ^= 1;
    }
    let report = log.verify_against(&Known::default());
    assert_eq!(report.findings.len(), subrosa_audit::FINDINGS_MAX);
    assert!(report.omitted >= 200);
}

#[test]
fn neither_names_nor_keys_are_stored_in_the_clear() {
    let mut log = Log::with(2);
    let event = change(1, ChangeKind::Set, "global canary/name#value");
    let prepared = log.chain.prepare(&log.rng, &[event], None).unwrap();
    log.commit(prepared);
    let contents = log.store.contents();
    let head = contents.head.as_ref().unwrap().body.clone();
    let all = contents.rows.values().chain([&head]);
    for bytes in all {
        for needle in [&b"canary"[..], b"api/key", b"claude", &[1; 32]] {
            assert!(!bytes.windows(needle.len()).any(|window| window == needle));
        }
    }
}

#[test]
fn every_fault_says_what_to_do() {
    let log = Log::with(3);
    log.store.contents().rows.get_mut(&2).unwrap()[100] ^= 1;
    let report = log.verify();
    let finding = &report.findings[0];
    assert_eq!(finding.to_string(), "record 2 was edited");
    assert!(finding.fault.remedy().contains("keep a copy"));
    let entry = subrosa_audit::Reader::forward(&ring(1), &mut log.store.clone(), 2)
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(entry.body, Body::Unreadable(Fault::Edited));
}
