//! A store full of anything: opening, walking, reading and following a log never panic and end.
//!
//! Input: a stream of pieces, each a byte of choice, a length and that many bytes. Some pieces are
//! rows and heads as they are; others damage a genuine log, so that the walk goes deep.

#![no_main]

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use subrosa_audit::{Attempt, Chain, KeyRing, Known, LogView, Mark, Reader, check_head, verify};
use subrosa_audit::{Exporter, Filter, Format, merge_attempts};
use subrosa_crypto::{Key, Rng};
use subrosa_model::{
    Caller, CallerKind, Event, EventBody, LogHead, LogRow, SessionId, StoreError, Timestamp,
    Unlock, VaultId,
};

/// A log in memory.
#[derive(Clone, Default)]
struct Store {
    head: Option<LogHead>,
    rows: BTreeMap<u64, Vec<u8>>,
}

impl LogView for Store {
    fn head(&mut self) -> Result<Option<LogHead>, StoreError> {
        Ok(self.head.clone())
    }

    fn page(&mut self, from: u64, limit: usize) -> Result<Vec<LogRow>, StoreError> {
        let rows = self.rows.range(from..).take(limit);
        Ok(rows
            .map(|(sequence, body)| LogRow {
                sequence: *sequence,
                body: body.clone(),
            })
            .collect())
    }
}

/// Always the same bytes: nothing here is secret.
struct Fixed;

impl Rng for Fixed {
    fn fill(&self, out: &mut [u8]) {
        out.fill(7);
    }
}

fn caller() -> Caller {
    Caller {
        kind: CallerKind::Operator,
        uid: 0,
        pid: 0,
        executable: None,
        token: None,
        session: SessionId::from_bytes([0; 16]),
    }
}

struct Genuine {
    ring: Arc<KeyRing>,
    store: Store,
    mark: Mark,
}

/// A log of six rows, made once.
static GENUINE: LazyLock<Genuine> = LazyLock::new(|| {
    let key = Key::from_bytes(&[1; 32]).expect("32 bytes are a key");
    let ring = KeyRing::new(VaultId::from_bytes([7; 16]), vec![(1, key)]).expect("one epoch");
    let ring = Arc::new(ring);
    let mut chain = Chain::open(Arc::clone(&ring), None).expect("an empty log opens");
    let mut store = Store::default();
    let unlock = Unlock {
        slot: "passphrase".to_owned(),
        opened: true,
        unauthenticated: false,
    };
    let event = Event {
        time: Timestamp::EPOCH,
        caller: caller(),
        body: EventBody::Unlock(unlock),
    };
    let events = vec![event; 5];
    let prepared = chain.prepare(&Fixed, &events, None).expect("events fit");
    keep(&mut store, &prepared.append);
    prepared.commit(&mut chain);
    let prepared = chain
        .prepare_checkpoint(&Fixed, Timestamp::EPOCH)
        .expect("it fits");
    keep(&mut store, &prepared.append);
    prepared.commit(&mut chain);
    let mark = chain.mark().expect("the log is not empty");
    Genuine { ring, store, mark }
});

fn keep(store: &mut Store, append: &subrosa_model::LogAppend) {
    for row in &append.rows {
        store.rows.insert(row.sequence, row.body.clone());
    }
    store.head = Some(append.head.clone());
}

/// Takes a choice, a number and some bytes off the front.
fn piece<'d>(data: &mut &'d [u8]) -> Option<(u8, u8, &'d [u8])> {
    let [choice, number, length, rest @ ..] = *data else {
        return None;
    };
    let (bytes, rest) = rest.split_at(usize::from(*length).min(rest.len()));
    *data = rest;
    Some((*choice, *number, bytes))
}

fuzz_target!(|data: &[u8]| {
    let genuine = &*GENUINE;
    let mut store = genuine.store.clone();
    let mut lines = Vec::new();
    let mut rest = data;
    while let Some((choice, number, bytes)) = piece(&mut rest) {
        let sequence = u64::from(number % 9);
        match choice % 8 {
            0 => drop(store.rows.insert(sequence, bytes.to_vec())),
            1 => drop(store.rows.insert(u64::MAX - sequence, bytes.to_vec())),
            2 => {
                store.head = Some(LogHead {
                    sequence,
                    body: bytes.to_vec(),
                })
            }
            3 => drop(store.rows.remove(&sequence)),
            4 => {
                if let Some(body) = store.rows.get_mut(&sequence) {
                    for (byte, change) in body.iter_mut().zip(bytes) {
                        *byte ^= change;
                    }
                }
            }
            5 => {
                if let Some(body) = store.rows.get(&sequence).cloned() {
                    store
                        .rows
                        .insert(u64::from(bytes.first().copied().unwrap_or(7)), body);
                }
            }
            6 => store.head = None,
            _ => lines.push(bytes),
        }
    }

    let damaged = store.rows != genuine.store.rows || store.head != genuine.store.head;
    let known = Known {
        mark: Some(genuine.mark.clone()),
        ..Known::default()
    };
    let report = verify(&mut store, &genuine.ring, &known, &mut |_, _| {})
        .expect("this store does not fail");
    assert_eq!(report.is_sound(), !damaged, "{:?}", report.findings);

    let mut out = Vec::new();
    let mut exporter = Exporter::new(Format::Csv, genuine.ring.vault(), &mut out)
        .expect("a vector takes everything");
    for entry in Reader::forward(&genuine.ring, &mut store, 0) {
        let entry = entry.expect("this store does not fail");
        let _shown = Filter::default().matches(&entry);
        exporter.write(&entry).expect("a vector takes everything");
    }
    let newest = Reader::newest_first(&genuine.ring, &mut store);
    let _count = newest.expect("this store does not fail").count();

    if let Ok(mut chain) = Chain::open(Arc::clone(&genuine.ring), store.head.clone()) {
        let _finding = check_head(&chain, &genuine.mark, &mut store);
        let _outcome = chain.prepare_prune(&Fixed, 4, &mut store, &[], Timestamp::EPOCH);
        let _outcome = chain.reload(store.head.clone());
    }
    let mut early = Chain::open(Arc::clone(&genuine.ring), None).expect("an empty log opens");
    let _outcome = early.follow(&mut store);

    for attempt in lines.iter().filter_map(|line| Attempt::decode(line)) {
        // Long names are cut the first time.
        let line = attempt.encode();
        let read = Attempt::decode(&line).expect("what was written can be read");
        assert_eq!(read.encode(), line);
    }
    let events = merge_attempts(lines.iter().copied(), 0, 0, &caller(), Timestamp::EPOCH);
    assert!(events.len() <= lines.len().min(subrosa_audit::ATTEMPTS_MAX) + 1);
});
