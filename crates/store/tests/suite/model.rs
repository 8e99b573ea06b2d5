//! Random work, beside a store in memory.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use subrosa_audit::LogStore;
use subrosa_model::StoreError;
use subrosa_testkit::MemoryStore;
use subrosa_vault::port::{Batch, Collection, RecordKey, VaultStore, Write};

use crate::{StoreUnderTest, append, expect, key, put, records_in};

const COLLECTIONS: [Collection; 2] = [Collection::Head, Collection::Value];

/// One step. Expectations and the log's head are right or wrong by chance.
#[derive(Debug, Clone)]
enum Step {
    Commit {
        expect: Vec<(RecordKey, Guess)>,
        writes: Vec<Write>,
        log: Option<Guess>,
    },
    Reopen,
}

/// What a writer believes.
#[derive(Debug, Clone, Copy)]
enum Guess {
    Right,
    Absent,
    Wrong,
}

pub(crate) fn behaves_like_a_store_in_memory<S: StoreUnderTest>() {
    let home = S::new();
    let mut runner = TestRunner::new(Config {
        cases: 32,
        failure_persistence: None,
        ..Config::default()
    });
    runner
        .run(&vec(step(), 1..30), |steps| {
            let (mut store, place) = home.make();
            let mut model = MemoryStore::new();
            for step in steps {
                match step {
                    Step::Reopen => store = home.open(&place),
                    Step::Commit {
                        expect,
                        writes,
                        log,
                    } => {
                        let batch = batch(&model, &expect, writes, log);
                        let (ours, theirs) = (store.commit(&batch), model.commit(&batch));
                        prop_assert_eq!(kind(&ours), kind(&theirs), "{:?}", ours);
                    }
                }
                for collection in COLLECTIONS {
                    let wanted = records_in(&mut model, collection);
                    prop_assert_eq!(records_in(&mut store, collection), wanted);
                }
                let contents = model.contents();
                prop_assert_eq!(
                    LogStore::log_head(&mut store).unwrap(),
                    contents.head.clone()
                );
                let rows = store.rows(0, usize::MAX).unwrap();
                let wanted = contents.rows.iter().map(|(at, body)| (*at, body.clone()));
                prop_assert!(
                    rows.into_iter()
                        .map(|row| (row.sequence, row.body))
                        .eq(wanted)
                );
            }
            Ok(())
        })
        .unwrap();
}

fn batch(
    model: &MemoryStore,
    guesses: &[(RecordKey, Guess)],
    writes: Vec<Write>,
    log: Option<Guess>,
) -> Batch {
    let contents = model.contents();
    let guess = |(key, guess): &(RecordKey, Guess)| {
        let known = contents.records.get(key).map(|(revision, _)| *revision);
        let revision = match guess {
            Guess::Right => known,
            Guess::Absent => None,
            Guess::Wrong => Some(known.unwrap_or(0) + 1),
        };
        expect(*key, revision)
    };
    let sequence = contents.head.as_ref().map_or(0, |head| head.sequence);
    let body = contents
        .head
        .as_ref()
        .map(|head| String::from_utf8(head.body.clone()).unwrap());
    let log = log.map(|guess| {
        let expected = match guess {
            Guess::Right => body.as_deref(),
            Guess::Absent => None,
            Guess::Wrong => Some("another head"),
        };
        append(
            expected,
            &[sequence + 1],
            (sequence + 1, &format!("head {sequence}")),
        )
    });
    Batch {
        expect: guesses.iter().map(guess).collect(),
        writes,
        log,
        yields: false,
    }
}

fn kind(result: &Result<(), StoreError>) -> &'static str {
    match result {
        Ok(()) => "done",
        Err(StoreError::Conflict) => "conflict",
        Err(_) => "failed",
    }
}

fn step() -> impl Strategy<Value = Step> {
    let commit = (
        vec((some_key(), guess()), 0..3),
        vec(write(), 0..5),
        option_of_guess(),
    )
        .prop_map(|(expect, writes, log)| Step::Commit {
            expect,
            writes,
            log,
        });
    prop_oneof![9 => commit, 1 => Just(Step::Reopen)]
}

/// Few keys, so that steps meet each other.
fn some_key() -> impl Strategy<Value = RecordKey> {
    let collection = proptest::sample::select(COLLECTIONS.as_slice());
    (collection, 0_u8..2, 0_u8..3).prop_map(|(collection, parent, id)| key(collection, parent, id))
}

fn write() -> impl Strategy<Value = Write> {
    let body = prop_oneof![4 => vec(any::<u8>(), 0..40), 1 => vec(any::<u8>(), 4000..9000)];
    prop_oneof![
        6 => (some_key(), 1_u64..100, body).prop_map(|(key, at, body)| put(key, at, &body)),
        2 => some_key().prop_map(Write::Remove),
        1 => some_key().prop_map(|key| Write::RemoveAll {
            collection: key.collection,
            parent: key.parent,
        }),
    ]
}

fn guess() -> impl Strategy<Value = Guess> {
    prop_oneof![6 => Just(Guess::Right), 1 => Just(Guess::Absent), 1 => Just(Guess::Wrong)]
}

fn option_of_guess() -> impl Strategy<Value = Option<Guess>> {
    prop_oneof![1 => Just(None), 3 => guess().prop_map(Some)]
}
