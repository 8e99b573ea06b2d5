//! Which parts of a text no excerpt may show.
//!
//! A literal that a statement stores in the vault is a secret from where it is written. Whether a
//! statement stores is decided here from its tokens, before it is known whether it parses, and in
//! doubt it does: errors are shown most often for what does not parse.

use std::ops::Range;

use super::source::{Span, slice};
use super::token::{Kind, Lexed, Token};
use super::words::{is_keyword, is_like_into, is_like_vault};

/// What people put around texts.
const QUOTES: [char; 7] = ['\'', '"', '`', '‘', '’', '“', '”'];

/// Parts that are masked whatever the parser makes of the text.
pub(crate) fn literals(text: &str, lexed: &Lexed) -> Vec<Span> {
    let mut masks = Vec::new();
    for region in lexed.regions() {
        let tokens = lexed.tokens.get(region).unwrap_or_default();
        let vault = tokens
            .iter()
            .rposition(|token| token.kind == Kind::Word && is_like_vault(slice(text, token.span)));
        let before = tokens.get(..vault.unwrap_or(0)).unwrap_or_default();
        masks.extend(literal_spans(text, before));
    }
    // Quotes of another language, and a text without an end, are texts to their author.
    let bad = lexed.tokens.iter().filter(|token| token.kind == Kind::Bad);
    masks.extend(
        bad.filter(|token| is_quote(text, token.span))
            .map(|token| token.span),
    );
    // What was commented out was often a statement.
    let comments = lexed.comments.iter().map(|comment| comment.span);
    masks.extend(comments.filter(|span| slice(text, *span).contains(QUOTES)));
    masks.extend(hidden_stores(text, lexed));
    merged(text, masks)
}

/// What more is masked where the parser found errors: `regions` are those of the errors.
pub(crate) fn of_errors(text: &str, lexed: &Lexed, regions: &[Range<usize>]) -> Vec<Span> {
    let mut masks = Vec::new();
    // A statement may go on in the next line that does not parse.
    let mut after: Option<usize> = None;
    for region in regions.iter().rev() {
        let tokens = lexed.tokens.get(region.clone()).unwrap_or_default();
        let is_word = |token: &Token, test: fn(&str) -> bool| {
            token.kind == Kind::Word && test(slice(text, token.span))
        };
        let value = tokens
            .iter()
            .position(|token| !is_word(token, |word| matches!(word, "safe" | "sensitive" | "set")));
        let rest = tokens.get(value.unwrap_or(0)..).unwrap_or_default();
        let value_first = rest.first().is_some_and(|token| {
            matches!(token.kind, Kind::Text | Kind::Number | Kind::Bad)
                || is_word(token, |word| word == "ask")
        });
        let elsewhere = rest.iter().any(|token| {
            matches!(token.kind, Kind::Variable | Kind::Container)
                || is_word(token, |word| word == "environment")
        });
        // In whatever token or comment: a slip turns words into something else.
        let names_it = lines_of(text, tokens)
            .split(|c: char| !c.is_ascii_alphabetic())
            .any(is_like_vault);
        let aimless = tokens.iter().enumerate().any(|(at, token)| {
            let next = tokens.get(at + 1);
            is_word(token, is_like_into)
                && !next.is_some_and(|next| {
                    matches!(next.kind, Kind::Variable | Kind::Container | Kind::Field)
                        || is_word(next, |word| word == "environment")
                })
        });
        let goes_on = after == Some(region.end + 1);
        if names_it || goes_on {
            after = Some(region.start);
        }
        // `'…' into 'NAME'` meant the vault; so did whatever names it.
        if (value_first && !elsewhere) || aimless || names_it || goes_on {
            let literal = |span: &Span| goes_on || !is_word_start(slice(text, *span));
            masks.extend(literal_spans(text, tokens).filter(literal));
        }
    }
    masks
}

/// From the first token to the end of the last one's line.
fn lines_of<'a>(text: &'a str, tokens: &[Token]) -> &'a str {
    let start = tokens.first().map_or(0, |token| token.span.first());
    let last = tokens.last().map_or(0, |token| token.span.last());
    let line = text.get(last..).and_then(|rest| rest.find('\n'));
    let end = line.map_or(text.len(), |line| last + line);
    text.get(start..end).unwrap_or_default()
}

fn is_word_start(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// Everything in a run of tokens that its author may have meant as a value, but not the names of
/// vault entries.
fn literal_spans<'a>(text: &'a str, tokens: &'a [Token]) -> impl Iterator<Item = Span> + 'a {
    let before = std::iter::once(None).chain(tokens.iter().map(Some));
    tokens
        .iter()
        .zip(before)
        .filter_map(move |(token, before)| {
            let names = before.is_some_and(|before| {
                before.kind == Kind::Word && slice(text, before.span) == "vault"
            });
            let masked = match token.kind {
                Kind::Text => !names,
                Kind::Number | Kind::Bad => true,
                Kind::Word => {
                    let word = slice(text, token.span);
                    !is_keyword(word) && !is_like_vault(word)
                }
                _ => false,
            };
            masked.then_some(token.span)
        })
}

fn is_quote(text: &str, span: Span) -> bool {
    slice(text, span).starts_with(QUOTES)
}

/// Lines that say `into vault` inside of a text or a comment: quotes that do not pair as meant, or
/// a store that was commented out.
fn hidden_stores(text: &str, lexed: &Lexed) -> Vec<Span> {
    let mut masks = Vec::new();
    let mut texts = lexed
        .tokens
        .iter()
        .filter(|token| matches!(token.kind, Kind::Text | Kind::Bad))
        .map(|token| token.span)
        .chain(lexed.comments.iter().map(|comment| comment.span))
        .collect::<Vec<Span>>();
    texts.sort_by_key(|span| span.start);
    let mut texts = texts.into_iter().peekable();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        let mut store = false;
        while let Some(span) = texts.peek() {
            if span.first() >= end {
                break;
            }
            let from = span.first().max(start);
            let to = span.last().min(end);
            store |= text.get(from..to).is_some_and(says_into_vault);
            if span.last() > end {
                break;
            }
            texts.next();
        }
        // Which of the line's quotes pair is unknown, so that nothing before them is code for sure.
        if store {
            masks.push(Span::new(start, end));
        }
        start = end;
    }
    masks
}

/// Whether a text holds what ends a store.
pub(crate) fn says_into_vault(text: &str) -> bool {
    let mut last_is_into = false;
    for word in text
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        if last_is_into && is_like_vault(word) {
            return true;
        }
        last_is_into = word.eq_ignore_ascii_case("into");
    }
    false
}

/// Sorted, with neighbours that only blanks part as one.
pub(crate) fn merged(text: &str, mut masks: Vec<Span>) -> Vec<Span> {
    masks.sort_by_key(|mask| (mask.start, mask.end));
    let mut out: Vec<Span> = Vec::with_capacity(masks.len());
    for mask in masks {
        match out.last_mut() {
            Some(last)
                if mask.start <= last.end
                    || slice(
                        text,
                        Span {
                            start: last.end,
                            end: mask.start,
                        },
                    )
                    .bytes()
                    .all(|byte| matches!(byte, b' ' | b'\t')) =>
            {
                last.end = last.end.max(mask.end);
            }
            _ => out.push(mask),
        }
    }
    out
}
