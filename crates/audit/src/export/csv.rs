//! Comma-separated values.
//!
//! Source: RFC 4180. A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a
//! formula, and names in the log can be chosen by an attacker; such cells get an apostrophe.

use std::io::{self, Write};

use crate::entry::Entry;

const HEADER: &str = "sequence,time,type,caller,uid,pid,executable,session,request,verdict,action,\
                      secrets,sink,destination,rule,outcome,redactions,digest,detail,epoch,link";

pub(super) fn write_header(out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{HEADER}\r\n")
}

pub(super) fn write_entry(out: &mut dyn Write, entry: &Entry) -> io::Result<()> {
    let columns = super::columns(entry);
    let cells = [
        entry.sequence.to_string(),
        entry
            .body
            .time()
            .map(|at| at.to_string())
            .unwrap_or_default(),
        columns.kind.to_owned(),
        columns.caller,
        columns.uid,
        columns.pid,
        columns.executable,
        columns.session,
        columns.request,
        columns.verdict,
        columns.action.to_owned(),
        columns.secrets,
        columns.sink.to_owned(),
        columns.destination,
        columns.rule,
        columns.outcome,
        columns.redactions,
        columns.digest,
        columns.detail,
        entry.epoch.to_string(),
        entry.link.to_string(),
    ];
    let line: Vec<String> = cells.iter().map(|cell| escape(cell)).collect();
    write!(out, "{}\r\n", line.join(","))
}

/// Quotes a cell where it must be, and defuses what a spreadsheet would compute.
fn escape(text: &str) -> String {
    let formula = text.trim_start().starts_with([
        '=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
    ]);
    let risky = formula || text.starts_with(['\t', '\r', '\n']);
    let defused = if risky {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if risky || defused.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", defused.replace('"', "\"\""))
    } else {
        defused
    }
}

#[cfg(test)]
mod tests {
    use super::{HEADER, escape};

    #[test]
    fn formulas_are_defused() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\u{ff1d}1"] {
            let cell = escape(text);
            assert!(cell.starts_with("\"'"), "{text:?} became {cell:?}");
        }
    }

    #[test]
    fn what_has_a_meaning_in_csv_is_quoted() {
        assert_eq!(escape("a,b"), "\"a,b\"");
        assert_eq!(escape("a\"b"), "\"a\"\"b\"");
        assert_eq!(escape("a\nb"), "\"a\nb\"");
        assert_eq!(escape("plain text"), "plain text");
        assert_eq!(escape(""), "");
    }

    #[test]
    fn the_header_has_no_blanks() {
        assert!(
            HEADER
                .split(',')
                .all(|name| !name.is_empty() && !name.contains(' '))
        );
    }
}
