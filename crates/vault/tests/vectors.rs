//! The vectors of spec/vault.md: made here byte for byte, and opened from what is committed.
//!
//! With `SUBROSA_WRITE_VECTORS` set the files are written anew.

mod house;

use std::path::PathBuf;
use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use house::{TestJournal, field, key, secret, value};
use serde_json::{Value, json};
use subrosa_crypto::{Argon2Params, Rng};
use subrosa_egress::Sensitive;
use subrosa_model::{
    Change, ChangeKind, Digest, GroupName, Pin, ProviderId, Scope, Tag, Timestamp, VarName,
    WorkspaceName,
};
use subrosa_testkit::{MemoryStore, SeededRng};
use subrosa_vault::{
    Document, Field, Genesis, Head, Mode, NewSlot, NewValue, Patch, Unlock, Vault,
};

const PASSPHRASE: &str = "correct horse battery staple";
const KEY_FILE: &[u8] = b"5f1d6a0e9c3b2748a1b2c3d4e5f60718293a4b5c6d7e8f901122334455667788\n";
/// What a slot of the kinds environment variable and command opens with.
const TEXT_SECRET: &[u8; 32] = b"32 bytes that a text stands for!";
/// The secret of an age slot, the identity that opens its envelope, and the envelope.
const AGE_SECRET: [u8; 32] = {
    let mut bytes = [0; 32];
    let mut at = 0;
    while at < 32 {
        bytes[at] = 0x80 + at as u8;
        at += 1;
    }
    bytes
};
const AGE_IDENTITY: &str =
    "AGE-SECRET-KEY-1Y8EP0V8NFQ66FSJG77PC499Q24XRC52TK3RTPSAKD0WFES2TXNGSQ9ED7Y";
const AGE_ENVELOPE: &str = "\
    6167652d656e6372797074696f6e2e6f72672f76310a2d3e205832353531392033444e553876563037744c4d\
    2b6c516d32436179396b587033367255617a59674c5270577a5978775a41510a4f4572665a432b4e5a484d62\
    522f61756238385674646d66794a642f78534f712f35346853694f712f70670a2d2d2d205373727a42712b35\
    493836565a632b762b45524c3974732f4a373771694a37684a6674585a2b6941472f490a070222c3e08d073f\
    dc9ede673c6b80d1c4be1e62d83e5ffbaa524cfd3f0a8726feb1cfb020e9d556e6601b5e85f7a7e652f681b6\
    6012e95c928aa6df28a8cc2b\
";
/// An object that a TPM in software made.
const TPM_OBJECT: &str = "\
    002e0008000b000000520000001000209d26205fa0cc699fd40c1c04223aa25ba5351b9ddce98f0a334b0d49\
    7c77b81c009e00203987f3dc0f03c6bc989f6632b617cc3e4b359172b3458d44e874d35f4d4b863b001056ae\
    4373ea455fc16fb75b8a3940b18c597aa6d8df88e62db1dab2996e93dc389020d5225acbaf074feb4ed0026d\
    b2922295275ade2f652e469c68dc0c645b9f7572d70bfb9f42ff61b0c2ee85d3b362cbdd0f90ce14d7825e12\
    9da13a4a93833c5aa027b5ee270161511c7b2fe80afcbcee45f6517c3c0a9b0d\
";
const START: i64 = 1_790_000_000_000_000;

fn time(step: i64) -> Timestamp {
    Timestamp::from_micros(START + step * 1_000_000)
}

fn keyring() -> Unlock {
    Unlock::Keyring {
        secret: secret(TEXT_SECRET),
        envelope: (0..16).collect(),
    }
}

/// The same 32 bytes as the age slot's; the object is of a TPM in software.
fn tpm() -> Unlock {
    Unlock::Tpm {
        secret: secret(&AGE_SECRET),
        envelope: hex::decode(TPM_OBJECT).unwrap(),
    }
}

fn age() -> Unlock {
    Unlock::Age {
        secret: secret(&AGE_SECRET),
        envelope: hex::decode(AGE_ENVELOPE).unwrap(),
    }
}

struct Made {
    name: &'static str,
    backup: Vec<u8>,
    told: Value,
}

struct Maker {
    vault: Vault,
    journal: TestJournal,
    store: MemoryStore,
    keys: Value,
    step: i64,
}

impl Maker {
    fn new(seed: u64) -> Self {
        let rng: Arc<dyn Rng> = Arc::new(SeededRng::new(seed));
        let code = NewSlot::recovery_code(&*rng).unwrap();
        let text = String::from_utf8(code.as_slice().to_vec()).unwrap();
        let slots = [
            NewSlot {
                unlock: Unlock::Passphrase(secret(PASSPHRASE.as_bytes())),
                label: "passphrase",
                params: Argon2Params::FLOOR,
            },
            NewSlot {
                unlock: Unlock::Recovery(code),
                label: "recovery",
                params: Argon2Params::FLOOR,
            },
            NewSlot {
                unlock: Unlock::KeyFile(secret(KEY_FILE)),
                label: "laptop",
                params: Argon2Params::FLOOR,
            },
            NewSlot {
                unlock: Unlock::Environment(secret(TEXT_SECRET)),
                label: "build server",
                params: Argon2Params::FLOOR,
            },
            NewSlot {
                unlock: Unlock::Command(secret(TEXT_SECRET)),
                label: "password manager",
                params: Argon2Params::FLOOR,
            },
            NewSlot {
                unlock: age(),
                label: "age",
                params: Argon2Params::FLOOR,
            },
            NewSlot {
                unlock: keyring(),
                label: "desktop",
                params: Argon2Params::FLOOR,
            },
            NewSlot {
                unlock: tpm(),
                label: "chip",
                params: Argon2Params::FLOOR,
            },
        ];
        let genesis = Genesis::new(Arc::clone(&rng), time(0)).unwrap();
        let mut journal =
            TestJournal::seeded(genesis.id(), genesis.audit_epochs(), Arc::clone(&rng));
        let store = MemoryStore::new();
        let created = genesis
            .create(&mut store.clone(), &mut journal, &slots)
            .unwrap();
        let vault = created.open(Box::new(store.clone()));
        let keys = json!({
            "passphrase": PASSPHRASE, "recovery": text, "key_file_hex": hex::encode(KEY_FILE),
            "environment": hex::encode(TEXT_SECRET), "command": hex::encode(TEXT_SECRET),
            "keyring": hex::encode(TEXT_SECRET), "tpm_hex": hex::encode(AGE_SECRET),
            "age_hex": hex::encode(AGE_SECRET), "age_identity": AGE_IDENTITY,
        });
        Self {
            vault,
            journal,
            store,
            keys,
            step: 0,
        }
    }

    fn now(&mut self) -> Timestamp {
        self.step += 1;
        time(self.step)
    }

    fn set(&mut self, scope: &Scope, name: &str, patch: &Patch) {
        let now = self.now();
        self.vault
            .set(
                &mut self.journal,
                (scope, &key(name)),
                patch,
                Mode::Upsert,
                now,
            )
            .unwrap();
    }

    fn finish(mut self, name: &'static str) -> Made {
        let mut backup = Vec::new();
        self.vault
            .backup(&mut self.journal, &mut backup, &mut |_| ())
            .unwrap();
        let mut told = self.keys.clone();
        told["vault"] = json!(self.vault.id());
        told["fingerprint"] = json!(self.vault.fingerprint());
        told["workspaces"] = workspaces(&mut self.vault, &mut self.journal);
        drop(self.store);
        Made { name, backup, told }
    }
}

fn workspaces(vault: &mut Vault, journal: &mut TestJournal) -> Value {
    let names: Vec<_> = vault.workspaces().cloned().collect();
    let mut told = serde_json::Map::new();
    for name in names {
        let heads = vault.list(journal, &name).unwrap();
        let heads: Vec<Value> = heads
            .iter()
            .map(|head| head_told(vault, journal, &name, head))
            .collect();
        told.insert(name.to_string(), json!(heads));
    }
    Value::Object(told)
}

fn head_told(
    vault: &mut Vault,
    journal: &mut TestJournal,
    workspace: &WorkspaceName,
    head: &Head,
) -> Value {
    let scope = Scope {
        workspace: workspace.clone(),
        group: head.group.clone(),
    };
    let located = vault.find(journal, &scope, &head.key).unwrap().unwrap();
    let micros = |time: Option<Timestamp>| time.map(Timestamp::as_micros);
    let versions: Vec<Value> = head
        .versions
        .iter()
        .map(|version| {
            let values: serde_json::Map<String, Value> = version
                .values
                .keys()
                .map(|name| {
                    let opened = vault.open_value(journal, &located, name, Some(version.number)).unwrap();
                    (name.to_string(), json!(shown(&opened)))
                })
                .collect();
            json!({ "number": version.number, "created": version.created.as_micros(), "values": values })
        })
        .collect();
    let about: serde_json::Map<String, Value> = head
        .fields
        .iter()
        .map(|(name, field)| {
            let told = json!({
                "kind": field.kind, "sensitive": field.sensitive, "hint": field.hint,
                "aliases": field.aliases, "forced": field.forced, "searched": field.searched,
            });
            (name.to_string(), told)
        })
        .collect();
    json!({
        "group": head.group, "key": head.key,
        "pin": head.pin.as_ref().map(|pin| json!({ "provider": pin.provider, "hosts": pin.hosts })),
        "created": head.created.as_micros(), "modified": head.modified.as_micros(),
        "expires": micros(head.expires), "removed": micros(head.removed),
        "tags": head.tags, "note": head.note, "url": head.url, "fields": about,
        "bindings": head.bindings.iter().map(|(f, v)| (f.to_string(), json!(v))).collect::<serde_json::Map<_, _>>(),
        "versions": versions,
    })
}

/// The value of a vector as base64. Values have one way out, and this is no sink: it is sealed
/// under a key of the test's own and opened as what it is.
fn shown(value: &Sensitive) -> String {
    let own = subrosa_crypto::Key::from_bytes(&[7; 32]).unwrap();
    let aad = subrosa_crypto::Aad::new("vectors");
    let sealed = value.seal(&own, &subrosa_crypto::SystemRng, &aad);
    BASE64_STANDARD.encode(own.open(&aad, &sealed).unwrap().as_slice())
}

fn full() -> Made {
    let mut maker = Maker::new(1);
    let default = house::scope();
    let shop = Scope {
        workspace: WorkspaceName::new("shop").unwrap(),
        group: Some(GroupName::new("staging").unwrap()),
    };
    maker.set(&default, "api/key", &house::patch(b"s3cr3t-value-one"));
    maker.set(&default, "api/key", &house::patch(b"s3cr3t-value-two"));
    maker.set(&default, "empty", &house::patch(b""));
    maker.set(
        &default,
        "binary",
        &house::patch(&(0..=255).collect::<Vec<u8>>()),
    );
    let about = Field {
        kind: "password".into(),
        hint: "ask the owner".into(),
        aliases: vec![field("pass")],
        ..Field::default()
    };
    let user = NewValue {
        about: Some(Field {
            sensitive: false,
            ..Field::default()
        }),
        ..value("user", b"someone")
    };
    let password = NewValue {
        about: Some(about),
        ..value("password", b"p4ssw0rd-of-it")
    };
    let rich = Patch {
        values: vec![user, password],
        tags: Some(vec![
            Tag::new("prod").unwrap(),
            Tag::new("\u{e9}t\u{e9}").unwrap(),
        ]),
        note: Some("Stra\u{df}e \u{2014} note".into()),
        url: Some("https://db.example/".into()),
        expires: Some(Some(time(1_000_000))),
        bindings: vec![(field("password"), Some(VarName::new("PGPASSWORD").unwrap()))],
        ..Patch::default()
    };
    maker.set(&shop, "db/main", &rich);
    let pin = Pin {
        provider: ProviderId::new("openai").unwrap(),
        hosts: Digest::from_bytes([9; 32]),
    };
    let pinned = Patch {
        values: vec![value("value", b"sk-proj-0123456789")],
        pin: Some(pin),
        ..Patch::default()
    };
    maker.set(&Scope::global(), "OPENAI_API_KEY", &pinned);
    maker.set(&default, "gone", &house::patch(b"was-removed-later"));
    let now = maker.now();
    maker
        .vault
        .remove(&mut maker.journal, (&default, &key("gone")), now)
        .unwrap();
    let change = Change {
        kind: ChangeKind::Policy,
        subjects: vec![],
        detail: String::new(),
    };
    let policy = (None, b"version: 1\n".as_slice());
    maker
        .vault
        .put_document(&mut maker.journal, Document::POLICY, policy, &change)
        .unwrap();
    maker.finish("full")
}

fn empty() -> Made {
    Maker::new(2).finish("empty")
}

fn rotated() -> Made {
    let mut maker = Maker::new(3);
    maker.set(
        &house::scope(),
        "before",
        &house::patch(b"from-before-the-rotation"),
    );
    maker
        .vault
        .rotate(&mut maker.journal, &[], &mut |_| Ok(()))
        .unwrap();
    maker.set(
        &house::scope(),
        "after",
        &house::patch(b"from-after-the-rotation"),
    );
    maker.finish("rotated")
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors/vault")
}

#[test]
#[allow(clippy::disallowed_methods, reason = "vectors are files")]
fn the_vectors_are_what_this_program_makes_and_reads() {
    for made in [full(), empty(), rotated()] {
        let (backup, told) = (
            folder().join(format!("{}.backup", made.name)),
            folder().join(format!("{}.json", made.name)),
        );
        let text = serde_json::to_string_pretty(&made.told).unwrap() + "\n";
        if std::env::var_os("SUBROSA_WRITE_VECTORS").is_some() {
            std::fs::create_dir_all(folder()).unwrap();
            std::fs::write(&backup, &made.backup).unwrap();
            std::fs::write(&told, &text).unwrap();
        }
        let committed = std::fs::read(&backup).unwrap();
        assert!(
            committed == made.backup,
            "{}: other bytes are made; if the format was meant to change, change its number",
            made.name
        );
        assert_eq!(std::fs::read_to_string(&told).unwrap(), text);
        let mut store = MemoryStore::new();
        let trailer =
            subrosa_vault::read_backup(&mut &committed[..], &mut store, &mut |_| ()).unwrap();
        for unlock in [
            Unlock::Passphrase(secret(PASSPHRASE.as_bytes())),
            Unlock::Recovery(secret(made.told["recovery"].as_str().unwrap().as_bytes())),
            Unlock::KeyFile(secret(KEY_FILE)),
            Unlock::Environment(secret(TEXT_SECRET)),
            Unlock::Command(secret(TEXT_SECRET)),
            age(),
            keyring(),
            tpm(),
        ] {
            let unverified = Vault::open(
                Box::new(store.clone()),
                Arc::new(SeededRng::new(0)),
                &unlock,
            )
            .unwrap();
            assert!(unverified.vouches_for(&trailer));
            let mut journal = TestJournal::new(unverified.id(), unverified.audit_epochs());
            let mut vault = unverified.verify(&mut journal).unwrap();
            assert_eq!(
                workspaces(&mut vault, &mut journal),
                made.told["workspaces"]
            );
        }
    }
}
