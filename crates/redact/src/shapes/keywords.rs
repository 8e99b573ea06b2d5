//! All keywords of all rules, searched in one pass.
//!
//! An automaton over some hundred words has a million bytes of tables, and
//! building it would take longer than all else that a start needs. Instead,
//! three bytes of each word, those that are rare in ordinary text, are hashed
//! into a table; where three bytes of a text are in it, words are compared.

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
    text: Box<[u8]>,
    /// Its three bytes, folded, and where they stand in it.
    three: u64,
    offset: usize,
    /// Rules that take it as it is written.
    exact: Vec<usize>,
    /// Rules that take it in any case.
    folded: Vec<usize>,
    /// The next word with the same slot.
    next: Option<usize>,
}

const SLOTS: usize = 1 << 12;
/// Clears what tells lower from upper case, and some punctuation too.
const FOLD: u64 = 0x2020_2020_2020_2020;

/// The compiled keywords.
pub(super) struct Keywords {
    /// For each hash of three bytes, whether a word has it.
    filter: Box<[u8; 1 << 16]>,
    /// The first word of each slot.
    slots: Vec<Option<usize>>,
    words: Vec<Keyword>,
}

impl Keywords {
    pub(super) fn new(rules: &[Rule]) -> Self {
        let mut all = Keywords {
            filter: Box::new([0; 1 << 16]),
            slots: vec![None; SLOTS],
            words: Vec::new(),
        };
        for (index, rule) in rules.iter().enumerate() {
            let folded = rule.fold || rule.context.is_some();
            // A word of less than three bytes would call its rule nowhere:
            // the tests forbid it.
            for text in rule.keywords.iter().filter(|text| text.len() >= 3) {
                let word = all.word(text.as_bytes());
                let word = &mut all.words[word];
                let calls = if folded {
                    &mut word.folded
                } else {
                    &mut word.exact
                };
                calls.push(index);
            }
        }
        all
    }

    /// The place of a word, which is added if it is new.
    fn word(&mut self, text: &[u8]) -> usize {
        let (offset, three) = rarest(text);
        let hash = hash(three);
        let slot = usize::from(hash) % SLOTS;
        let mut next = self.slots[slot];
        while let Some(at) = next {
            if *self.words[at].text == *text {
                return at;
            }
            next = self.words[at].next;
        }
        self.filter[usize::from(hash)] = 1;
        self.words.push(Keyword {
            text: text.into(),
            three,
            offset,
            exact: Vec::new(),
            folded: Vec::new(),
            next: self.slots[slot],
        });
        self.slots[slot] = Some(self.words.len() - 1);
        self.words.len() - 1
    }

    /// The next place in `text`, from `at` on, where a keyword may stand.
    pub(super) fn next(&self, text: &[u8], at: usize) -> Option<usize> {
        let mut at = at;
        // Six places at a time: one branch for all, and no wait between loads.
        while let Some(eight) = text.get(at..).and_then(<[u8]>::first_chunk::<8>) {
            let eight = u64::from_le_bytes(*eight) | FOLD;
            let may = [0, 8, 16, 24, 32, 40].map(|place| self.may(eight >> place));
            if may.iter().fold(0, |any, may| any | may) != 0 {
                return may.iter().position(|may| *may != 0).map(|place| at + place);
            }
            at += 6;
        }
        let rest = text.get(at..)?;
        let place = rest.windows(3).position(|three| self.may(load(three)) != 0);
        place.map(|place| at + place)
    }

    /// Notes the rules of the keywords that stand at the place `at`, which
    /// [`Keywords::next`] gave, and after `from`. False when there are none.
    pub(super) fn call(&self, text: &[u8], from: usize, at: usize, rules: &mut RuleSet) -> bool {
        let three = load(&text[at..]);
        let mut next = self.slots[usize::from(hash(three)) % SLOTS];
        let mut called = false;
        while let Some(index) = next {
            let word = &self.words[index];
            next = word.next;
            if word.three != three {
                continue;
            }
            let start = at.checked_sub(word.offset).filter(|start| *start >= from);
            let place = start.and_then(|start| text.get(start..start + word.text.len()));
            let Some(place) = place.filter(|place| place.eq_ignore_ascii_case(&word.text)) else {
                continue;
            };
            let exact = word.exact.iter().filter(|_| *place == *word.text);
            for rule in exact.chain(&word.folded) {
                rules.insert(*rule);
                called = true;
            }
        }
        called
    }

    /// Whether some word has the lowest three bytes of what was folded: not 0.
    fn may(&self, folded: u64) -> u8 {
        self.filter[usize::from(hash(folded))]
    }
}

/// The first three bytes, folded.
fn load(text: &[u8]) -> u64 {
    u64::from_le_bytes([text[0], text[1], text[2], 0, 0, 0, 0, 0]) | (FOLD & 0x00ff_ffff)
}

/// A hash of the lowest three bytes: the top of what the product leaves of them.
fn hash(folded: u64) -> u16 {
    (((folded << 8) as u32).wrapping_mul(0x9e37_79b1) >> 16) as u16
}

/// Threes that words of logs and programs are full of.
const COMMON: &[u8] = b"com con pro pas try bug clo lin ing ion ent ess ver ser ter htt ttp tps \
sta log err war inf deb dat use ser vic ice get set lis ist ten end sen rec req que res pon ons nse";

/// The three bytes of a word that ordinary text has least, and where they are.
fn rarest(text: &[u8]) -> (usize, u64) {
    let common = |byte: &u8| match byte {
        b'e' | b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r' => 4,
        b'-' | b'=' | b' ' | b'.' | b'*' | b'/' | b':' | b'0'..=b'9' => 3,
        letter if letter.is_ascii_alphabetic() => 2,
        _ => 1,
    };
    let cost = |three: &[u8]| {
        let lower = three.to_ascii_lowercase();
        let usual = COMMON.chunks(4).any(|word| word.starts_with(&lower));
        let same = three[0] == three[1] && three[1] == three[2];
        lower.iter().map(common).sum::<u32>() + if same || usual { 9 } else { 0 }
    };
    let best = text
        .windows(3)
        .enumerate()
        .min_by_key(|(_, three)| cost(three));
    best.map_or((0, 0), |(at, three)| (at, load(three)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::shapes::Shapes;

    /// The rules of all keywords in `text`, by looking everywhere.
    fn slow(rules: &[Rule], text: &[u8]) -> Vec<usize> {
        let has = |text: &[u8], word: &str| text.windows(word.len()).any(|w| w == word.as_bytes());
        let lower = text.to_ascii_lowercase();
        let calls = |rule: &Rule| match rule.fold || rule.context.is_some() {
            true => rule
                .keywords
                .iter()
                .any(|word| has(&lower, &word.to_ascii_lowercase())),
            false => rule.keywords.iter().any(|word| has(text, word)),
        };
        (0..rules.len())
            .filter(|index| calls(&rules[*index]))
            .collect()
    }

    fn quick(keywords: &Keywords, text: &[u8]) -> Vec<usize> {
        let (mut rules, mut at) = (RuleSet::default(), 0);
        while let Some(place) = keywords.next(text, at) {
            keywords.call(text, 0, place, &mut rules);
            at = place + 1;
        }
        rules.iter().collect()
    }

    fn piece() -> impl Strategy<Value = Vec<u8>> {
        let rules = Shapes::builtin().rules();
        let words: Vec<String> = rules
            .iter()
            .flat_map(|rule| rule.keywords.clone())
            .collect();
        let word = proptest::sample::select(words);
        prop_oneof![
            2 => word.clone().prop_map(String::into_bytes),
            1 => word.clone().prop_map(|word| word.to_ascii_uppercase().into_bytes()),
            1 => word.prop_map(|word| word.as_bytes()[1..].to_vec()),
            1 => proptest::collection::vec(any::<u8>(), 0..4),
        ]
    }

    proptest! {
        #[test]
        fn no_keyword_is_missed(pieces in proptest::collection::vec(piece(), 0..8)) {
            let text = pieces.concat();
            let shapes = Shapes::builtin();
            prop_assert_eq!(quick(&shapes.keywords, &text), slow(shapes.rules(), &text));
        }
    }
}
