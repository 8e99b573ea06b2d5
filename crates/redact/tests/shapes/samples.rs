//! Samples: lines with a secret in «», and near misses.

use std::collections::BTreeMap;

use serde::Deserialize;
use subrosa_redact::shapes::{ShapeFinding, Shapes};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Samples {
    /// Lines in which the rule finds exactly what stands between « and ».
    found: Vec<String>,
    /// Lines in which the rule finds nothing.
    passed: Vec<String>,
}

const FILES: [&str; 13] = [
    include_str!("samples/ai.toml"),
    include_str!("samples/forges.toml"),
    include_str!("samples/registries.toml"),
    include_str!("samples/cloud.toml"),
    include_str!("samples/infrastructure.toml"),
    include_str!("samples/hosting.toml"),
    include_str!("samples/payments.toml"),
    include_str!("samples/chat.toml"),
    include_str!("samples/work.toml"),
    include_str!("samples/observability.toml"),
    include_str!("samples/databases.toml"),
    include_str!("samples/keys.toml"),
    include_str!("samples/generic.toml"),
];

pub(crate) fn all() -> BTreeMap<String, Samples> {
    FILES
        .iter()
        .flat_map(|file| toml::from_str::<BTreeMap<String, Samples>>(file).unwrap())
        .collect()
}

/// The line without marks, and where the secret stands in it.
pub(crate) fn unmarked(line: &str) -> (String, usize, usize) {
    let line = line.replace('·', "");
    let start = line.find('«').unwrap();
    let line = line.replacen('«', "", 1);
    let end = line.find('»').unwrap();
    (line.replacen('»', "", 1), start, end)
}

fn find(text: &str) -> Vec<ShapeFinding> {
    let mut found = Vec::new();
    Shapes::builtin().find(text.as_bytes(), 0, &mut found);
    found
}

/// What was found, in words, for a failure: the samples are no secrets.
fn told(text: &str, found: &[ShapeFinding]) -> String {
    let rules = Shapes::builtin().rules();
    let one = |f: &ShapeFinding| {
        let secret = &text[f.start as usize..f.end as usize];
        format!("{} {secret:?}", rules[f.rule].id)
    };
    found.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[test]
fn every_rule_finds_exactly_the_secret() {
    let samples = all();
    let mut wrong = Vec::new();
    for (index, rule) in Shapes::builtin().rules().iter().enumerate() {
        let Some(samples) = samples.get(&rule.id) else {
            wrong.push(format!("{}: no samples", rule.id));
            continue;
        };
        if samples.found.len() < 3 {
            wrong.push(format!("{}: few samples", rule.id));
        }
        for line in &samples.found {
            let (text, start, end) = unmarked(line);
            let expected = ShapeFinding {
                rule: index,
                start: start as u64,
                end: end as u64,
            };
            let found = find(&text);
            if found != [expected] {
                wrong.push(format!(
                    "{}: {text}\n    gave {}",
                    rule.id,
                    told(&text, &found)
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn near_misses_pass_every_rule() {
    let samples = all();
    let mut wrong = Vec::new();
    for (index, rule) in Shapes::builtin().rules().iter().enumerate() {
        let passed = &samples[&rule.id].passed;
        if passed.len() < 3 {
            wrong.push(format!("{}: few near misses", rule.id));
        }
        for line in passed {
            let text = line.replace('·', "");
            let found = find(&text);
            if found.iter().any(|finding| finding.rule == index) {
                wrong.push(format!(
                    "{}: {text}\n    gave {}",
                    rule.id,
                    told(&text, &found)
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn every_sample_has_a_rule() {
    let rules = Shapes::builtin().rules();
    for id in all().keys() {
        assert!(rules.iter().any(|rule| rule.id == *id), "{id}");
    }
}

/// The prefilter loses nothing: every secret's line has a keyword of its rule.
#[test]
fn every_sample_has_a_keyword() {
    let samples = all();
    for rule in Shapes::builtin().rules() {
        for line in &samples[&rule.id].found {
            let (text, ..) = unmarked(line);
            let folded = rule.fold || rule.context.is_some();
            let has = |word: &String| match folded {
                true => text.to_lowercase().contains(&word.to_lowercase()),
                false => text.contains(word.as_str()),
            };
            assert!(rule.keywords.iter().any(has), "{}: {text}", rule.id);
            let also = rule.also.as_deref().unwrap_or_default();
            assert!(text.contains(also), "{}: {text}", rule.id);
        }
    }
}

pub(crate) fn lines() -> Vec<String> {
    let mut lines = Vec::new();
    for samples in all().into_values() {
        lines.extend(samples.found.iter().map(|line| unmarked(line).0));
        lines.extend(samples.passed.iter().map(|line| line.replace('·', "")));
    }
    lines
}
