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

/// The line as it is shown, and the display columns from 0 of the start and the end of `span`.
fn shown(source: &Source, line: Span, span: Span) -> (String, usize, usize) {
    let text = source.slice(line);
    let focus = span.first().saturating_sub(line.first()).min(text.len());
    let (head, tail) = text.split_at_checked(focus).unwrap_or((text, ""));
    let start = head
        .char_indices()
        .rev()
        .nth(BEFORE - 1)
        .map_or(0, |(at, _)| at);
    let end = tail
        .char_indices()
        .nth(AFTER)
        .map_or(text.len(), |(at, _)| focus + at);

    let mut out = String::new();
    let mut columns = 0;
    if start > 0 {
        out.push('…');
        columns = 1;
    }
    let (mut from, mut to) = (None, None);
    let mut at = line.first() + start;
    let stop = line.first() + end;
    let masks = source.masks();
    let mut next = masks.partition_point(|mask| mask.last() <= at);
    let window = source.slice(Span::new(at, stop));
    let mut characters = window.chars();
    while at < stop {
        let before = columns;
        let piece_end = match masks.get(next).filter(|mask| mask.first() <= at) {
            Some(mask) => {
                out.push_str(MASK);
                columns += MASK.len();
                next += 1;
                let end = mask.last().min(stop);
                characters = source.slice(Span::new(end, stop)).chars();
                end
            }
            None => {
                let Some(c) = characters.next() else { break };
                columns += push(&mut out, c);
                at + c.len_utf8()
            }
        };
        if from.is_none() && span.first() < piece_end {
            from = Some(before);
        }
        if to.is_none() && span.last() <= piece_end {
            to = Some(if span.last() <= at { before } else { columns });
        }
        at = piece_end;
    }
    if end < text.len() {
        out.push('…');
    }
    let from = from.unwrap_or(columns);
    (out, from, to.unwrap_or(columns).max(from))
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
