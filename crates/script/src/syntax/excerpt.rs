//! A line of the source with a caret under it.

use std::fmt::Write as _;

use super::source::{Source, Span};

/// What stands for a masked part, whatever its length.
const MASK: &str = "********";
/// How many characters of a long line are shown before the place that is meant, and from it on.
const BEFORE: usize = 60;
const AFTER: usize = 90;

/// Writes place, line and carets.
pub(crate) fn write(
    out: &mut String,
    source: &Source,
    span: Span,
    caret: char,
    label: &str,
    width: usize,
) {
    let number = source.line(span.start);
    let line = source.line_span(number);
    let (shown, from, to) = shown(source, line, span);
    let carets: String = std::iter::repeat_n(caret, to.saturating_sub(from).max(1)).collect();
    let column = source.column(span.start);
    let name = visible(source.name());
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{:width$}--> {name}:{number}:{column}", "");
    let _ = writeln!(out, "{:width$} |", "");
    let _ = writeln!(out, "{}", format!("{number:width$} | {shown}").trim_end());
    let under = format!("{:width$} | {:from$}{carets} {}", "", "", visible(label));
    let _ = writeln!(out, "{}", under.trim_end());
}

/// The line of an offset.
pub(crate) fn line(source: &Source, offset: u32) -> String {
    let line = source.line_span(source.line(offset));
    shown(
        source,
        line,
        Span {
            start: offset,
            end: offset,
        },
    )
    .0
}

/// The line as it is shown, and the display columns from 0 of the start and the end of `span`.
fn shown(source: &Source, line: Span, span: Span) -> (String, usize, usize) {
    let focus = span.first().clamp(line.first(), line.last());
    let start = window_start(source, line, focus);
    let mut out = String::new();
    let mut columns = 0;
    if start > line.first() {
        out.push('…');
        columns = 1;
    }
    let (mut from, mut to) = (None, None);
    let (mut at, mut left) = (start, AFTER);
    while at < line.last() {
        if left == 0 {
            out.push('…');
            break;
        }
        let before = columns;
        let end = match source.mask_at(at) {
            Some(mask) => {
                out.push_str(MASK);
                columns += MASK.len();
                mask.last().min(line.last())
            }
            None => {
                let rest = source.slice(Span::new(at, line.last()));
                let Some(c) = rest.chars().next() else { break };
                columns += push(&mut out, c);
                at + c.len_utf8()
            }
        };
        if from.is_none() && span.first() < end {
            from = Some(before);
        }
        if to.is_none() && span.last() <= end {
            to = Some(if span.last() <= at { before } else { columns });
        }
        if from.is_some() {
            left -= 1;
        }
        at = end;
    }
    let from = from.unwrap_or(columns);
    (out, from, to.unwrap_or(columns).max(from))
}

/// Where a long line begins to be shown. A mask counts the same whatever its length.
fn window_start(source: &Source, line: Span, focus: usize) -> usize {
    let mut at = source
        .mask_at(focus)
        .map_or(focus, Span::first)
        .max(line.first());
    for _ in 0..BEFORE {
        if at <= line.first() {
            break;
        }
        let step = source
            .slice(Span::new(line.first(), at))
            .chars()
            .next_back()
            .map_or(1, char::len_utf8);
        at = match source.mask_at(at - step) {
            Some(mask) => mask.first().max(line.first()),
            None => at - step,
        };
    }
    at
}

/// A text in which nothing moves a terminal's cursor.
pub(crate) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        push(&mut out, c);
    }
    out
}

/// Appends a character so that it shows, and says how many columns it takes.
fn push(out: &mut String, c: char) -> usize {
    match c {
        '\t' => {
            out.push_str("    ");
            4
        }
        c if c.is_control() || is_invisible(c) => {
            let escaped: String = c.escape_unicode().collect();
            out.push_str(&escaped);
            escaped.len()
        }
        c => {
            out.push(c);
            columns(c)
        }
    }
}

/// Characters that take no room or change the order of others.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// How many columns of a terminal a character takes: near enough to put a caret under it.
fn columns(c: char) -> usize {
    match c {
        '\u{300}'..='\u{36f}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{303e}'
        | '\u{3041}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1f64f}'
        | '\u{1f900}'..='\u{1f9ff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}
