//! The corpora: a case a line.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::chance::Chance;

/// Start and end of a piece of the input.
pub(crate) type Range = (usize, usize);

/// A text, the secrets it may hold, and where they stand in it.
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) row: u32,
    pub(crate) secrets: Vec<Vec<u8>>,
    pub(crate) keys: Vec<String>,
    pub(crate) input: Vec<u8>,
    /// What has to be covered.
    pub(crate) must: Vec<Range>,
    /// What may be covered too.
    pub(crate) may: Vec<Range>,
}

pub(crate) fn encoded(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(crate) fn decoded(text: &Value) -> Vec<u8> {
    let text = text.as_str().expect("a text");
    STANDARD.decode(text).expect("base64")
}

fn ranges(of: &Value) -> Vec<Range> {
    let pair = |one: &Value| {
        let at = |i: usize| usize::try_from(one[i].as_u64().expect("a number")).expect("small");
        (at(0), at(1))
    };
    of.as_array().expect("ranges").iter().map(pair).collect()
}

/// The corpus of a row; of row 0, what nobody promised.
pub(crate) fn cases(row: u32) -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("redaction/corpora");
    let name = match row {
        0 => "beyond.jsonl".to_owned(),
        _ => format!("row{row:02}.jsonl"),
    };
    let text = fs::read_to_string(folder.join(name)).expect("the corpus");
    text.lines().map(Case::of).collect()
}

impl Case {
    fn of(line: &str) -> Self {
        let value: Value = serde_json::from_str(line).expect("a case");
        let list = |of: &Value| of.as_array().expect("a list").clone();
        let text = |of: &Value| of.as_str().expect("a text").to_owned();
        Self {
            id: text(&value["id"]),
            row: u32::try_from(value["row"].as_u64().expect("a number")).expect("small"),
            secrets: list(&value["secrets_b64"]).iter().map(decoded).collect(),
            keys: list(&value["keys"]).iter().map(text).collect(),
            input: decoded(&value["input_b64"]),
            must: ranges(&value["must"]),
            may: ranges(&value["may"]),
        }
    }

    /// Whether a byte may be covered.
    pub(crate) fn is_fine(&self, at: usize) -> bool {
        let holds = |&(start, end): &Range| (start..end).contains(&at);
        self.must.iter().any(holds) || self.may.iter().any(holds)
    }

    /// How the input is cut: not at all, byte by byte where it is short, and three times anywhere.
    pub(crate) fn chunkings(&self, random: &mut Chance) -> Vec<Option<Vec<usize>>> {
        let length = self.input.len();
        let mut all = vec![None];
        if length <= 4096 {
            all.push(Some((1..length).collect()));
        }
        for _ in 0..3 {
            let mut cuts: Vec<usize> = match length {
                0 | 1 => Vec::new(),
                _ => (0..=random.below(6))
                    .map(|_| 1 + random.below(length - 1))
                    .collect(),
            };
            cuts.sort_unstable();
            cuts.dedup();
            all.push(Some(cuts));
        }
        all
    }

    /// The line that asks.
    pub(crate) fn line(&self, chunks: Option<Vec<usize>>) -> String {
        json!({
            "id": self.id,
            "secrets_b64": self.secrets.iter().map(|one| encoded(one)).collect::<Vec<_>>(),
            "keys": self.keys,
            "input_b64": encoded(&self.input),
            "chunks": chunks,
        })
        .to_string()
    }
}
