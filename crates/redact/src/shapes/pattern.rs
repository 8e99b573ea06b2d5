//! A rule's regular expression, with boundaries, compiled on its first use.

use std::sync::LazyLock;

use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use super::catalogue::Rule;

/// No letter, digit or `_` before the secret, unless it ends an escape: a
/// newline of JSON, a byte of a URL, a colour.
const LEFT: &str = r#"(?:\b{start-half}|\\[abfnrtv]|\\u00[0-9a-fA-F]{2}|\\x[0-9a-fA-F]{2}|%[0-9a-fA-F]{2}|\x1b\[[0-9;]{0,16}[A-Za-z])"#;

/// No letter, digit or `_` after it.
const RIGHT: &str = r"\b{end-half}";

/// From the name that gives the context to the operator.
const NAME: &str = r#"[\w.\-]{0,40}(?:\\?["'`\])]){0,3}[ \t]{0,8}"#;

/// What assigns a value: an operator …
const ASSIGNED: &str = r"(?:=>|:=|==|[:=]|%3[aAdD])[ \t]{0,8}";

/// … or, where the value has a form of its own, what may stand in a table too.
const NEAR: &str = r"(?:(?:=>|:=|==|[:=,>|]|%3[aAdD])[ \t]{0,8}|[ \t])";

/// What opens the value.
const OPEN: &str =
    r#"(?:\\?["'`(\[]){0,3}(?:(?i:bearer|basic|token|apikey|api-key|ssws)[ \t]{1,4})?"#;

/// The compiled parts of a rule.
pub(super) struct Pattern {
    regex: LazyLock<Option<Regex>, Box<dyn FnOnce() -> Option<Regex> + Send>>,
    allow: LazyLock<Option<RegexSet>, Box<dyn FnOnce() -> Option<RegexSet> + Send>>,
}

impl Pattern {
    /// The pattern of a rule; none for PEM blocks.
    pub(super) fn of(rule: &Rule) -> Option<Pattern> {
        let (pattern, context) = (rule.pattern.clone()?, rule.context.clone());
        let operator = if rule.assigned { ASSIGNED } else { NEAR };
        let allow = rule.allow.clone();
        Some(Pattern {
            regex: LazyLock::new(Box::new(move || {
                build(&bounded(&pattern, context.as_deref(), operator))
            })),
            allow: LazyLock::new(Box::new(move || build_set(&allow))),
        })
    }

    /// The expression; none when it does not compile, which the tests exclude.
    pub(super) fn regex(&self) -> Option<&Regex> {
        self.regex.as_ref()
    }

    /// Whether `secret` is an example that the provider documents.
    pub(super) fn is_allowed(&self, secret: &[u8]) -> bool {
        self.allow.as_ref().is_some_and(|set| set.is_match(secret))
    }
}

fn build(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(pattern)
        .unicode(false)
        .size_limit(4 << 20)
        .dfa_size_limit(1 << 20)
        .build()
        .ok()
}

fn build_set(patterns: &[String]) -> Option<RegexSet> {
    RegexSetBuilder::new(patterns).unicode(false).build().ok()
}

/// The expression with the boundaries that it does not write itself: where it
/// begins or ends with group 1, the secret must begin or end there too.
fn bounded(pattern: &str, context: Option<&str>, operator: &str) -> String {
    let (open, close) = group_one(pattern.as_bytes());
    let left = match context {
        Some(context) => format!("(?i:{context}){NAME}{operator}{OPEN}"),
        None if open == Some(0) => LEFT.to_owned(),
        None => String::new(),
    };
    let right = match close {
        Some(close) if close + 1 == pattern.len() => RIGHT,
        _ => "",
    };
    format!("{left}{pattern}{right}")
}

/// Where the first capturing group opens and closes.
fn group_one(pattern: &[u8]) -> (Option<usize>, Option<usize>) {
    let (mut depth, mut class, mut at) = (0usize, false, 0);
    let mut open: Option<(usize, usize)> = None;
    while let Some(byte) = pattern.get(at) {
        match byte {
            b'\\' => at += 1,
            b'[' => class = true,
            b']' => class = false,
            b'(' if !class => {
                if open.is_none() && pattern.get(at + 1) != Some(&b'?') {
                    open = Some((at, depth));
                }
                depth += 1;
            }
            b')' if !class => {
                depth = depth.saturating_sub(1);
                if let Some((start, outside)) = open
                    && depth == outside
                {
                    return (Some(start), Some(at));
                }
            }
            _ => {}
        }
        at += 1;
    }
    (open.map(|(start, _)| start), None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shapes::Shapes;

    #[test]
    fn every_rule_compiles_with_a_group() {
        let shapes = Shapes::builtin();
        for (rule, pattern) in shapes.rules.iter().zip(&shapes.patterns) {
            let Some(pattern) = pattern else {
                assert!(rule.pem.is_some(), "{}: neither pattern nor label", rule.id);
                continue;
            };
            let regex = pattern.regex();
            let regex = regex.unwrap_or_else(|| panic!("{}: does not compile", rule.id));
            assert!(regex.captures_len() >= 2, "{}: no group", rule.id);
            assert!(
                rule.allow.is_empty() || pattern.allow.is_some(),
                "{}: allow",
                rule.id
            );
        }
    }

    #[test]
    fn the_first_group_is_seen() {
        for (pattern, open, close) in [
            ("(ab)", Some(0), Some(3)),
            (r"(?:x)\(([()a]{2}(?:b))c", Some(7), Some(21)),
            ("(?:a)", None, None),
        ] {
            assert_eq!(group_one(pattern.as_bytes()), (open, close), "{pattern}");
        }
    }
}
