//! What the tests of this crate share.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test program includes this file and uses a part of it"
)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use subrosa_audit::{Chain, KeyRing, Known, LogStore, Prepared, Report, Writer, verify};
use subrosa_crypto::{Aad, Key, Rng, sha256};
use subrosa_model::{
    Action, AgentName, Caller, CallerKind, Change, ChangeKind, Completion, DecisionEvent, Digest,
    Event, EventBody, FieldName, KeyName, Label, Outcome, RequestId, Scope, SecretId, SecretUse,
    SessionId, SinkKind, Timestamp, VaultId, Verdict, WorkspaceId,
};
use subrosa_testkit::MemoryLog;

/// Numbered bytes: never the same twice, the same in every run.
#[derive(Debug, Default)]
pub struct CountingRng(AtomicU64);

impl Rng for CountingRng {
    fn fill(&self, out: &mut [u8]) {
        for chunk in out.chunks_mut(32) {
            let number = self.0.fetch_add(1, Ordering::Relaxed);
            let bytes = sha256(&Aad::new("test/rng").u64(number));
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
    }
}

pub fn vault() -> VaultId {
    VaultId::from_bytes([7; 16])
}

/// A ring with the epochs 1 to `epochs`.
pub fn ring(epochs: u32) -> Arc<KeyRing> {
    let keys = (1..=epochs).map(|number| (number, key(number))).collect();
    Arc::new(KeyRing::new(vault(), keys).unwrap())
}

pub fn key(number: u32) -> Key {
    Key::from_bytes(&[number as u8; 32]).unwrap()
}

pub fn time(seconds: u64) -> Timestamp {
    Timestamp::from_micros(1_790_000_000_000_000 + seconds as i64 * 1_000_000)
}

pub fn operator() -> Caller {
    Caller {
        kind: CallerKind::Operator,
        uid: 1000,
        pid: 4711,
        executable: Some("/usr/bin/subrosa".to_owned()),
        token: None,
        session: SessionId::from_bytes([3; 16]),
    }
}

pub fn agent(name: &str) -> Caller {
    Caller {
        kind: CallerKind::Agent(AgentName::new(name).unwrap()),
        ..operator()
    }
}

pub fn decision(number: u64, key: &str, verdict: Verdict) -> Event {
    let label = Label {
        workspace: WorkspaceId::from_bytes([5; 16]),
        secret: SecretId::from_bytes([6; 16]),
        key: KeyName::new(key).unwrap(),
        field: FieldName::default_field(),
        version: 2,
        pin: None,
    };
    Event {
        time: time(number),
        caller: agent("claude"),
        body: EventBody::Decision(DecisionEvent {
            request: request(number),
            verdict,
            rule: "allow git".to_owned(),
            action: Action::Run,
            secrets: vec![SecretUse {
                label,
                scope: Scope::global(),
                expires: None,
                searched: true,
            }],
            sink: SinkKind::Environment,
            destination: "process /usr/bin/git".to_owned(),
            digest: Digest::from_bytes([9; 32]),
        }),
    }
}

pub fn completion(number: u64) -> Event {
    Event {
        time: time(number),
        caller: agent("claude"),
        body: EventBody::Completion(Completion {
            request: request(number),
            outcome: Outcome::Exited { status: 0 },
            redactions: 2,
        }),
    }
}

pub fn change(number: u64, kind: ChangeKind, subject: &str) -> Event {
    Event {
        time: time(number),
        caller: operator(),
        body: EventBody::Change(Change {
            kind,
            subjects: vec![subject.to_owned()],
            detail: String::new(),
        }),
    }
}

pub fn request(number: u64) -> RequestId {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    RequestId::from_bytes(bytes)
}

/// A chain over a store, driven by hand.
pub struct Log {
    pub store: MemoryLog,
    pub chain: Chain,
    pub rng: CountingRng,
}

impl Log {
    pub fn new() -> Self {
        Self {
            store: MemoryLog::new(),
            chain: Chain::open(ring(1), None).unwrap(),
            rng: CountingRng::default(),
        }
    }

    /// A log with `count` decisions.
    pub fn with(count: u64) -> Self {
        let mut log = Self::new();
        log.append(count);
        log
    }

    pub fn append(&mut self, count: u64) {
        let first = self.chain.sequence();
        let events: Vec<Event> = (1..=count)
            .map(|number| decision(first + number, "api/key", Verdict::Allow))
            .collect();
        let prepared = self.chain.prepare(&self.rng, &events, None).unwrap();
        self.commit(prepared);
    }

    pub fn commit(&mut self, prepared: Prepared) {
        self.store.append(&prepared.append).unwrap();
        prepared.commit(&mut self.chain);
    }

    pub fn prune(&mut self, keep_from: u64) {
        let event = change(9, ChangeKind::Prune, "log");
        let prepared = self
            .chain
            .prepare_prune(&self.rng, keep_from, &mut self.store, &[event], time(9))
            .unwrap();
        self.store.prune(keep_from, &prepared.append).unwrap();
        prepared.commit(&mut self.chain);
    }

    pub fn rotate(&mut self) {
        let next = ring(self.chain.ring().epoch() + 1);
        let event = change(8, ChangeKind::Rotate, "root");
        let prepared = self
            .chain
            .prepare_rotate(&self.rng, next, &[event], None, time(8))
            .unwrap();
        self.commit(prepared);
    }

    /// What is known outside the folder about this log.
    pub fn known(&self) -> Known {
        Known {
            mark: self.chain.mark(),
            state: Some(self.chain.state()),
            ..Known::default()
        }
    }

    pub fn verify(&self) -> Report {
        self.verify_against(&self.known())
    }

    pub fn verify_against(&self, known: &Known) -> Report {
        verify(
            &mut self.store.clone(),
            self.chain.ring(),
            known,
            &mut |_, _| {},
        )
        .unwrap()
    }
}

/// A writer over a store, with a chain opened at the store's head.
pub fn writer(store: &MemoryLog, ring: Arc<KeyRing>) -> (Writer, Arc<Mutex<Chain>>) {
    let head = store.contents().head.clone();
    let chain = Arc::new(Mutex::new(Chain::open(ring, head).unwrap()));
    let writer = Writer::spawn(
        Box::new(store.clone()),
        Arc::clone(&chain),
        Arc::new(subrosa_crypto::SystemRng),
        None,
    )
    .unwrap();
    (writer, chain)
}
