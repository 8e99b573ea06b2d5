//! Which errors are told, and what their excerpts may show.
//!
//! One quote too many or too few turns texts into code and code into texts up to the next one.
//! What then does not parse may be a secret in full view, so that an error after a text which
//! spans lines shows nothing, unless the statements between parse and prove that quotes pair.

use super::super::diagnostic::{Diagnostic, Errors};
use super::super::masks::{self, says_into_vault};
use super::super::source::{Source, Span, slice};
use super::super::token::{Kind, Lexed, Token};
use super::super::words::is_keyword;
use super::MAX_ERRORS;

pub(super) fn errors(source: Source, lexed: Lexed, told: Vec<Diagnostic>) -> Box<Errors> {
    let mut source = source;
    let text = source.text();
    let mut all = told;
    all.extend(lexed.diagnostics.iter().cloned());
    all.sort_by_key(|one| one.span.start);

    let regions = lexed.regions();
    let starts: Vec<u32> = regions
        .iter()
        .map(|region| {
            lexed
                .tokens
                .get(region.start)
                .map_or(0, |token| token.span.start)
        })
        .collect();
    let region_of = |at: u32| starts.partition_point(|start| *start <= at).checked_sub(1);
    let mut wrong = vec![false; regions.len()];
    for one in &all {
        if let Some(wrong) = region_of(one.span.start).and_then(|at| wrong.get_mut(at)) {
            *wrong = true;
        }
    }

    let open = lexed.unterminated.and_then(|open| region_of(open.start));
    if let Some(wrong) = open.and_then(|at| wrong.get_mut(at)) {
        *wrong = true;
    }

    let doubts = doubts(text, &lexed, &wrong);
    let mut hidden: Vec<Span> = doubts
        .iter()
        .map(|doubt| from_quote(text, *doubt))
        .collect();
    let of_errors: Vec<_> = regions
        .iter()
        .zip(&wrong)
        .filter(|(_, wrong)| **wrong)
        .map(|(region, _)| region.clone())
        .collect();
    hidden.extend(masks::of_errors(text, &lexed, &of_errors));

    let mut kept: Vec<Diagnostic> = Vec::new();
    let mut last_region = None;
    let mut last_doubt = None;
    for one in all {
        let doubt = doubts.iter().position(|doubt| {
            doubt.start <= one.span.start && one.span.start < doubt.end.max(doubt.start + 1)
        });
        let unclosed = lexed.unterminated.is_some() && doubt == doubts.len().checked_sub(1);
        if unclosed && doubt.is_some() {
            continue;
        }
        let region = region_of(one.span.start).filter(|_| one.code != "unclosed-comment");
        let again = region.is_some() && region == last_region;
        if again || (doubt.is_some() && doubt == last_doubt) {
            continue;
        }
        last_region = region.or(last_region);
        last_doubt = doubt.or(last_doubt);
        kept.push(match doubt {
            Some(_) => unnamed(one),
            None => one,
        });
    }
    if let Some(doubt) = doubts.last().filter(|_| lexed.unterminated.is_some()) {
        kept.push(unclosed(*doubt));
    }
    kept.truncate(MAX_ERRORS);
    source.mask(hidden);
    let diagnostics = kept.into_iter().map(|one| discreet(&source, one)).collect();
    Box::new(Errors {
        source,
        diagnostics,
    })
}

/// Stretches in which quotes may not pair as their author meant. With a text that has no end, the
/// last stretch reaches to the end.
fn doubts(text: &str, lexed: &Lexed, wrong: &[bool]) -> Vec<Span> {
    let mut doubts: Vec<Span> = Vec::new();
    // Where the stretch began that no statement has cleared up since, and whether it is told.
    let mut unsure: Option<u32> = None;
    let mut told = false;
    // Where the run of lines began of which none parses.
    let mut run: Option<u32> = None;
    let mut before = 0;
    for (region, wrong) in lexed.regions().into_iter().zip(wrong) {
        let tokens = lexed.tokens.get(region).unwrap_or_default();
        let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else {
            continue;
        };
        run = run
            .filter(|_| *wrong)
            .or_else(|| wrong.then(|| doubtful(text, tokens, first)));
        let long = tokens.iter().find(|token| spans_lines(text, token));
        let open_ended = spans_lines(text, last);
        let astray = tokens.iter().any(|token| is_astray(text, lexed, token));
        let commented = commented_out(text, lexed, before, first.span.start);
        before = last.span.end;
        if *wrong && commented {
            run = Some(first.span.start);
        }
        if *wrong && (astray || commented || touch(tokens)) {
            let from = unsure.into_iter().chain(run).min();
            told &= unsure.is_some();
            unsure = from;
        } else if let Some(long) = long.filter(|_| unsure.is_none() && (*wrong || open_ended)) {
            unsure = Some(long.span.start);
            told = false;
        }
        match unsure {
            Some(start) if *wrong => {
                let end = last.span.end;
                match doubts.last_mut().filter(|_| told) {
                    Some(doubt) => *doubt = Span { start, end },
                    None => doubts.push(Span { start, end }),
                }
                told = true;
            }
            Some(_) if !open_ended => unsure = None,
            _ => {}
        }
    }
    doubts
}

/// Where a line that does not parse may leave the code: at its first token that is no word of the
/// language.
fn doubtful(text: &str, tokens: &[Token], first: &Token) -> u32 {
    let doubted = |token: &&Token| token.kind != Kind::Word || !is_keyword(slice(text, token.span));
    tokens.iter().find(doubted).unwrap_or(first).span.start
}

fn spans_lines(text: &str, token: &Token) -> bool {
    token.kind == Kind::Text && slice(text, token.span).contains('\n')
}

/// Whether a comment between two places holds one quote of a pair: the first line of a text that
/// was commented out. An apostrophe in a word is none.
fn commented_out(text: &str, lexed: &Lexed, from: u32, to: u32) -> bool {
    let first = lexed
        .comments
        .partition_point(|comment| comment.span.start < from);
    let comments = lexed.comments.get(first..).unwrap_or_default().iter();
    comments
        .take_while(|comment| comment.span.start < to)
        .any(|comment| {
            let mut pieces = slice(text, comment.span).split('\'').peekable();
            let mut loose = 0;
            while let (Some(before), Some(after)) = (pieces.next(), pieces.peek()) {
                let apostrophe = before.ends_with(char::is_alphanumeric)
                    && after.starts_with(char::is_alphanumeric);
                loose += usize::from(!apostrophe);
            }
            loose % 2 == 1
        })
}

/// Whether a text and something else touch, as `'it's'` does: its quote may be another's.
fn touch(tokens: &[Token]) -> bool {
    let value = |token: &Token| {
        matches!(
            token.kind,
            Kind::Text | Kind::Word | Kind::Number | Kind::Bad
        )
    };
    let pairs = tokens.iter().zip(tokens.iter().skip(1));
    pairs
        .filter(|(one, next)| one.span.end == next.span.start)
        .any(|(one, next)| {
            let text = one.kind == Kind::Text || next.kind == Kind::Text;
            text && value(one) && value(next)
        })
}

/// Whether a token shows that quotes do not pair: a text without an end, or one that holds what
/// stands between two texts.
fn is_astray(text: &str, lexed: &Lexed, token: &Token) -> bool {
    let unterminated = lexed
        .unterminated
        .is_some_and(|span| span.start == token.span.start);
    unterminated || (token.kind == Kind::Text && says_into_vault(slice(text, token.span)))
}

/// From the first quote of the line on: on the line itself nothing tells which quote is astray.
fn from_quote(text: &str, doubt: Span) -> Span {
    let before = text.get(..doubt.first()).unwrap_or_default();
    let line = before.rfind('\n').map_or(0, |at| at + 1);
    let quote = text.get(line..).and_then(|rest| rest.find('\''));
    let start = quote.map_or(doubt.first(), |at| (line + at).min(doubt.first()));
    Span::new(start, doubt.last())
}

fn unclosed(doubt: Span) -> Diagnostic {
    let span = Span {
        start: doubt.start,
        end: doubt.start + 1,
    };
    Diagnostic::error("unterminated-text", "this text is not closed", span)
        .label("from here on a quote has no partner")
        .hint("close it with `'`; a quote inside of a text is `\\'`")
}

/// An error that tells nothing but its place.
fn unnamed(one: Diagnostic) -> Diagnostic {
    Diagnostic::error(
        one.code,
        "this does not parse: its quotes, or those before it, may not pair",
        one.span,
    )
    .label("not shown: it may be part of a text")
    .hint("look for a missing or a surplus `'` before it; a quote inside of a text is `\\'`")
}

/// Takes what is masked out of the message.
fn discreet(source: &Source, mut one: Diagnostic) -> Diagnostic {
    let named = source.slice(one.span);
    if source.is_masked(one.span) && !is_keyword(named) && one.message.contains('`') {
        one.message = "this does not belong here".to_owned();
    }
    one
}
