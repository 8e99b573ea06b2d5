//! The redactor: the same output for any cut into writes, no value left, the rest untouched.
//!
//! Input: a length byte, a value of that length, a byte that says how the rest is cut, the text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use subrosa_redact::{Form, Known, redact_all};

fuzz_target!(|data: &[u8]| {
    let Some((length, rest)) = data.split_first() else {
        return;
    };
    let (value, rest) = rest.split_at(rest.len().min(usize::from(*length)));
    let Some((step, text)) = rest.split_first() else {
        return;
    };
    let step = usize::from(*step).max(1);

    let mut known = Known::new();
    let searched = known.add(Some("k"), value).is_searched();
    let set = known.build();
    let (whole, findings) = redact_all(&set, text);

    let mut redactor = set.redactor();
    let mut out = Vec::new();
    for piece in text.chunks(step) {
        redactor.push(piece, &mut out);
    }
    redactor.finish(&mut out);
    assert_eq!(out, whole, "the output depends on the cut");

    if !searched {
        assert_eq!(
            whole, text,
            "a value that is not searched for changed the text"
        );
    }
    // Bytes outside findings leave as they came; inside them stands the mask and nothing else.
    let mut expected = Vec::new();
    let mut at = 0;
    for finding in &findings {
        let (start, end) = (finding.start as usize, finding.end as usize);
        assert!(at <= start && start < end && end <= text.len());
        expected.extend_from_slice(&text[at..start]);
        expected.extend_from_slice(b"[REDACTED:k]");
        at = end;
    }
    expected.extend_from_slice(&text[at..]);
    // Packed data is packed anew instead: `redact_body` looks at that.
    if !findings.iter().any(|finding| finding.form == Form::Packed) {
        assert_eq!(whole, expected, "findings and output disagree");
    }
    // Every occurrence of the value in the text lies inside a finding.
    if searched {
        for start in occurrences(text, value) {
            let end = start + value.len();
            let covered = findings
                .iter()
                .any(|finding| finding.start as usize <= start && end <= finding.end as usize);
            assert!(covered, "an occurrence at {start} was left");
        }
    }
});

fn occurrences<'a>(text: &'a [u8], value: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    text.windows(value.len().max(1))
        .enumerate()
        .filter(move |(_, window)| *window == value)
        .map(|(start, _)| start)
}
