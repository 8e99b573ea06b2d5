//! The vectors of `spec/vectors/audit.json`: what they hold is what this program writes.
//!
//! To write them anew after a deliberate change of the format, run this test with
//! `SUBROSA_WRITE_VECTORS` set to the path of the file.

mod support;

use serde_json::{Value, json};
use subrosa_audit::{Body, Chain, KeyRing, Mark, Reader, verify};
use subrosa_crypto::Rng;
use subrosa_model::{ChangeKind, Digest, LogHead, VaultId, Verdict};
use subrosa_testkit::MemoryLog;
use support::*;

const VECTORS: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../spec/vectors/audit.json"
));

/// Nonce number `n`, from 0, is 24 times the byte `n`.
#[derive(Default)]
struct Nonces(std::sync::atomic::AtomicU8);

impl Rng for Nonces {
    fn fill(&self, out: &mut [u8]) {
        let number = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        out.fill(number);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2));
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

/// The log of the vectors: two epochs, a prune, each kind of row but a loss.
fn produce() -> Value {
    let rng = Nonces::default();
    let mut steps = Vec::new();
    let store = MemoryLog::new();
    let mut chain = Chain::open(ring(1), None).unwrap();
    let origin = chain.link();
    let mut step = |what: &str, prepared: subrosa_audit::Prepared, chain: &mut Chain| {
        let append = &prepared.append;
        let rows: Vec<Value> = append
            .rows
            .iter()
            .map(|row| json!({"sequence": row.sequence, "body": hex(&row.body)}))
            .collect();
        steps.push(json!({
            "step": what,
            "rows": rows,
            "head": {"sequence": append.head.sequence, "body": hex(&append.head.body)},
        }));
        subrosa_audit::LogStore::append(&mut store.clone(), append).unwrap();
        prepared.commit(chain);
    };

    let events = [
        change(1, ChangeKind::Init, "vault"),
        decision(2, "api/key", Verdict::Allow),
        completion(3),
    ];
    let state = Digest::from_bytes([0x5a; 32]);
    let prepared = chain.prepare(&rng, &events, Some(state)).unwrap();
    step("events", prepared, &mut chain);
    let prepared = chain.prepare_checkpoint(&rng, time(4)).unwrap();
    step("checkpoint", prepared, &mut chain);
    let rotated = [change(5, ChangeKind::Rotate, "root")];
    let prepared = chain
        .prepare_rotate(&rng, ring(2), &rotated, None, time(5))
        .unwrap();
    step("rotate", prepared, &mut chain);
    let pruned = [change(6, ChangeKind::Prune, "log")];
    let prepared = chain
        .prepare_prune(&rng, 3, &mut store.clone(), &pruned, time(6))
        .unwrap();
    step("prune", prepared, &mut chain);

    let opened: Vec<Value> = Reader::forward(&ring(2), &mut store.clone(), 1)
        .map(|entry| {
            let entry = entry.unwrap();
            json!({
                "sequence": entry.sequence,
                "epoch": entry.epoch,
                "link": entry.link,
                "body": entry.body,
            })
        })
        .collect();
    let keys: Vec<Value> = ring(2)
        .public_keys()
        .iter()
        .map(|(epoch, public)| {
            json!({
                "epoch": epoch,
                "key": hex(key(*epoch).danger_expose()),
                "public": hex(&public.0),
            })
        })
        .collect();
    json!({
        "format": "subrosa audit vectors 1",
        "vault": vault(),
        "keys": keys,
        "origin": origin,
        "state": state,
        "steps": steps,
        "keep_from": 3,
        "opened": opened,
        "mark": hex(&chain.mark().unwrap().to_bytes()),
    })
}

#[test]
fn the_program_writes_the_vectors() {
    let produced = produce();
    #[allow(
        clippy::disallowed_methods,
        reason = "a developer asks for new vectors"
    )]
    if let Some(path) = std::env::var_os("SUBROSA_WRITE_VECTORS") {
        let text = serde_json::to_string_pretty(&produced).unwrap() + "\n";
        std::fs::write(path, text).unwrap();
        return;
    }
    let kept: Value = serde_json::from_str(VECTORS).unwrap();
    assert_eq!(produced, kept);
}

/// Reads the vectors alone, without producing anything.
#[test]
fn the_program_reads_the_vectors() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let vault = VaultId::from_hex(&text(&vectors["vault"])).unwrap();
    let epochs = vectors["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            let bytes = unhex(&text(&it["key"]));
            let key = subrosa_crypto::Key::from_bytes(&bytes).unwrap();
            (u32::try_from(it["epoch"].as_u64().unwrap()).unwrap(), key)
        })
        .collect();
    let ring = std::sync::Arc::new(KeyRing::new(vault, epochs).unwrap());
    for (it, (_, public)) in vectors["keys"]
        .as_array()
        .unwrap()
        .iter()
        .zip(ring.public_keys())
    {
        assert_eq!(text(&it["public"]), hex(&public.0));
    }

    let store = MemoryLog::new();
    for step in vectors["steps"].as_array().unwrap() {
        let mut contents = store.contents();
        for row in step["rows"].as_array().unwrap() {
            let sequence = row["sequence"].as_u64().unwrap();
            contents.rows.insert(sequence, unhex(&text(&row["body"])));
        }
        contents.head = Some(LogHead {
            sequence: step["head"]["sequence"].as_u64().unwrap(),
            body: unhex(&text(&step["head"]["body"])),
        });
    }
    let keep_from = vectors["keep_from"].as_u64().unwrap();
    let mut contents = store.contents();
    contents.rows = contents.rows.split_off(&keep_from);
    drop(contents);

    let known = subrosa_audit::Known {
        mark: Mark::from_bytes(&unhex(&text(&vectors["mark"]))),
        state: Digest::from_hex(&text(&vectors["state"])),
        ..Default::default()
    };
    assert!(known.mark.is_some() && known.state.is_some());
    let report = verify(&mut store.clone(), &ring, &known, &mut |_, _| {}).unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!((report.first, report.pruned, report.checkpoints), (3, 2, 4));

    let opened = vectors["opened"].as_array().unwrap();
    for expected in opened
        .iter()
        .filter(|it| it["sequence"].as_u64() >= Some(keep_from))
    {
        let from = expected["sequence"].as_u64().unwrap();
        let entry = Reader::forward(&ring, &mut store.clone(), from)
            .next()
            .unwrap()
            .unwrap();
        assert_eq!(serde_json::to_value(&entry.body).unwrap(), expected["body"]);
        assert!(!matches!(entry.body, Body::Unreadable(_)));
    }
}
