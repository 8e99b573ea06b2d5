//! All keywords of all rules, searched in one pass.

use aho_corasick::{AhoCorasick, AhoCorasickKind, Input, MatchKind};

use super::catalogue::Rule;

/// The rules whose keywords stand on a line, in the order of the catalogue.
#[derive(Clone, Default)]
pub(super) struct RuleSet(Vec<u64>);

impl RuleSet {
    pub(super) fn insert(&mut self, rule: usize) {
        let word = rule / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (rule % 64);
    }

    pub(super) fn clear(&mut self) {
        self.0.fill(0);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(word, bits)| {
            let mut bits = *bits;
            std::iter::from_fn(move || {
                let bit = bits.trailing_zeros();
                bits &= bits.wrapping_sub(1);
                (bit < 64).then_some(word * 64 + bit as usize)
            })
        })
    }
}

/// One spelling, and the rules that wait for it.
struct Keyword {
    text: Box<str>,
    /// Rules that take it as it is written.
    exact: Vec<usize>,
    /// Rules that take it in any case.
    folded: Vec<usize>,
}

/// The compiled keywords.
pub(super) struct Keywords {
    automaton: AhoCorasick,
    words: Vec<Keyword>,
}

/// A keyword in a text.
pub(super) struct Hit<'a> {
    pub(super) start: usize,
    pub(super) end: usize,
    word: &'a Keyword,
    exact: bool,
}

impl Hit<'_> {
    /// Notes the rules that this keyword calls.
    pub(super) fn call(&self, rules: &mut RuleSet) {
        let exact = self.word.exact.iter().filter(|_| self.exact);
        for rule in exact.chain(&self.word.folded) {
            rules.insert(*rule);
        }
    }
}

impl Keywords {
    pub(super) fn new(rules: &[Rule]) -> Self {
        let mut words: Vec<Keyword> = Vec::new();
        for (index, rule) in rules.iter().enumerate() {
            for text in &rule.keywords {
                let at = words.iter().position(|word| *word.text == **text);
                let at = at.unwrap_or_else(|| {
                    words.push(Keyword {
                        text: text.as_str().into(),
                        exact: Vec::new(),
                        folded: Vec::new(),
                    });
                    words.len() - 1
                });
                match rule.fold || rule.context.is_some() {
                    true => words[at].folded.push(index),
                    false => words[at].exact.push(index),
                }
            }
        }
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .build(words.iter().map(|word| word.text.as_bytes()))
            .expect("some hundred short words are far below the limits of an automaton");
        Keywords { automaton, words }
    }

    /// The keywords in `text` from `at` on that call a rule, by their ends.
    pub(super) fn hits<'a>(&'a self, text: &'a [u8], at: usize) -> impl Iterator<Item = Hit<'a>> {
        let input = Input::new(text).span(at..text.len());
        self.automaton
            .find_overlapping_iter(input)
            .filter_map(move |hit| {
                let word = &self.words[hit.pattern().as_usize()];
                let exact = text[hit.range()] == *word.text.as_bytes();
                (exact || !word.folded.is_empty()).then_some(Hit {
                    start: hit.start(),
                    end: hit.end(),
                    word,
                    exact,
                })
            })
    }
}
