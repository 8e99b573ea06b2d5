//! Words that must not stand in the tree: they would tie it to one workplace or one mirror.

use super::Problem;
use super::architecture::Architecture;
use super::tree::Tree;

/// Each in pieces, so that this file does not hold what it looks for.
const FORBIDDEN: [&[&str]; 10] = [
    &["/wo", "rk/"],
    &["/tmp/", "house"],
    &["/tmp/", "target-"],
    &[".lib", "rary/"],
    &["fa", "rm-"],
    &["crates", ".io"],
    &["py", "pi.org"],
    &["python", "hosted.org"],
    &["npm", "js.org"],
    &["deb.deb", "ian.org"],
];

/// Lock files name the registry by themselves.
const LOCK: &str = "Cargo.lock";

pub(super) fn check(tree: &Tree, _: &Architecture) -> Vec<Problem> {
    let words: Vec<String> = FORBIDDEN.iter().map(|pieces| pieces.concat()).collect();
    let mut problems = Vec::new();
    for (file, text) in tree.texts().filter(|(file, _)| !file.ends_with(LOCK)) {
        for (index, line) in text.lines().enumerate() {
            for word in words.iter().filter(|word| stands_in(line, word)) {
                let text = format!("`{word}` must not stand in the tree");
                problems.push(Problem::new("words", file, index + 1, text));
            }
        }
    }
    problems
}

/// Whether a word stands in a line by itself: not as the tail of a longer path or behind a scheme.
fn stands_in(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(index, _)| {
        let before = line[..index].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric() && !"-_.*}>/".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::{FORBIDDEN, check};
    use crate::tidy::testing::{findings, map, said};

    #[test]
    fn every_word_is_found_in_any_file() {
        let map = map("F0 model ->", "");
        for pieces in FORBIDDEN {
            let text = format!("first\nsee {} there\n", pieces.concat());
            let files = [
                ("ARCHITECTURE.md", map.as_str()),
                ("docs/x.txt", text.as_str()),
            ];
            assert!(
                said(&findings(check, &files)).starts_with("docs/x.txt:2:"),
                "{text}"
            );
            let files = [
                ("ARCHITECTURE.md", map.as_str()),
                ("Cargo.lock", text.as_str()),
            ];
            assert_eq!(said(&findings(check, &files)), "");
        }
    }

    #[test]
    fn the_tail_of_a_longer_word_is_fine() {
        let map = map("F0 model ->", "");
        let text = ["team", FORBIDDEN[0].concat().as_str(), "x"].concat();
        let files = [("ARCHITECTURE.md", map.as_str()), ("a.txt", text.as_str())];
        assert_eq!(said(&findings(check, &files)), "");
    }
}
