//! The idle terminal: what is let go when nothing comes.

use std::time::Duration;

use subrosa_redact::{Known, Redactor};

use crate::{known, told};

/// One event on a terminal.
enum Event {
    /// Bytes arrive.
    Push(&'static str),
    /// Nothing has come for so many milliseconds.
    Idle(u64),
    /// The stream ends.
    Finish,
}
use Event::{Finish, Idle, Push};

/// Runs events, checking what each of them writes.
fn play(redactor: &mut Redactor, events: &[(Event, &str)]) {
    for (at, (event, expected)) in events.iter().enumerate() {
        let mut out = Vec::new();
        match event {
            Push(text) => redactor.push(text.as_bytes(), &mut out),
            Idle(millis) => redactor.idle(Duration::from_millis(*millis), &mut out),
            Finish => redactor.finish(&mut out),
        }
        assert_eq!(String::from_utf8_lossy(&out), *expected, "event {at}");
    }
}

fn forced(values: &[(&str, &str)]) -> Redactor {
    let mut named = Known::new();
    for (name, value) in values {
        assert!(named.add_forced(Some(name), value.as_bytes()).is_searched());
    }
    named.build().redactor().interactive()
}

#[test]
fn a_short_run_is_released_as_it_is_after_100_ms() {
    let mut redactor = known(&[("k", "#!%hunter2-s3cret")])
        .redactor()
        .interactive();
    play(
        &mut redactor,
        &[
            (Push("$ #!%"), "$ "),
            (Idle(99), ""),
            (Idle(100), "#!%"),
            (Idle(5000), ""),
            (Push("é"), "é"),
            (Finish, ""),
        ],
    );
    assert!(redactor.findings().is_empty());
}

#[test]
fn a_longer_run_is_released_masked_within_a_second() {
    let mut redactor = known(&[("k", "#!%hunter2-s3cret")])
        .redactor()
        .interactive();
    play(
        &mut redactor,
        &[
            (Push("$ #!%h"), "$ "),
            (Idle(100), ""),
            (Idle(899), ""),
            (Idle(900), "[REDACTED:k]"),
            (Idle(60_000), ""),
            // The continuation belongs to the mask that is there already.
            (Push("unter2-s3cre"), ""),
            (Push("t\n"), "\n"),
            (Finish, ""),
        ],
    );
    assert_eq!(told(redactor.findings()), [(2, 19, "exact", Some("k"))]);
}

#[test]
fn a_masked_run_that_comes_to_nothing_is_a_partial_finding() {
    let mut redactor = known(&[("k", "#!%hunter2-s3cret")])
        .redactor()
        .interactive();
    play(
        &mut redactor,
        &[
            (Push("#!%hunt"), ""),
            (Idle(1000), "[REDACTED:k]"),
            (Push("er"), ""),
            (Push("qé"), "erqé"),
            (Push("#!%hunter2-s3cret;"), "[REDACTED:k];"),
            (Finish, ""),
        ],
    );
    assert_eq!(
        told(redactor.findings()),
        [(0, 7, "partial", Some("k")), (12, 29, "exact", Some("k"))]
    );
    assert_eq!(redactor.counts().total(), 2);
}

#[test]
fn what_continues_a_masked_run_is_masked_even_when_it_pauses_again() {
    let mut redactor = known(&[("k", "#!%hunter2-s3cret")])
        .redactor()
        .interactive();
    play(
        &mut redactor,
        &[
            (Push("#!%h"), ""),
            (Idle(1000), "[REDACTED:k]"),
            (Push("u"), ""),
            (Idle(1000), ""),
            (Push("nter"), ""),
            (Idle(1000), ""),
            (Push("2-s3cret."), "."),
            (Finish, ""),
        ],
    );
    assert_eq!(told(redactor.findings()), [(0, 17, "exact", Some("k"))]);
}

#[test]
fn a_value_that_comes_byte_by_byte_shows_three_bytes_at_most() {
    let value = "#!%hunter2-s3cret";
    let mut redactor = known(&[("k", value)]).redactor().interactive();
    let mut out = Vec::new();
    for byte in value.bytes() {
        redactor.push(&[byte], &mut out);
        redactor.idle(Duration::from_secs(2), &mut out);
    }
    redactor.push(b"\n", &mut out);
    redactor.finish(&mut out);
    assert_eq!(String::from_utf8_lossy(&out), "#!%[REDACTED:k]\n");
    assert_eq!(told(redactor.findings()), [(0, 17, "exact", Some("k"))]);
}

#[test]
fn a_released_short_run_does_not_stop_the_match() {
    let mut redactor = known(&[("k", "#!%hunter2-s3cret")])
        .redactor()
        .interactive();
    play(
        &mut redactor,
        &[
            (Push("#!%"), ""),
            (Idle(100), "#!%"),
            (Push("hunter2-s3cret;"), "[REDACTED:k];"),
            (Finish, ""),
        ],
    );
    assert_eq!(told(redactor.findings()), [(0, 17, "exact", Some("k"))]);
}

#[test]
fn a_partial_finding_begins_where_the_mask_does() {
    let mut redactor = known(&[("k", "#!%hunter2-s3cret")])
        .redactor()
        .interactive();
    play(
        &mut redactor,
        &[
            (Push("#!%"), ""),
            (Idle(100), "#!%"),
            (Push("hu"), ""),
            (Idle(900), "[REDACTED:k]"),
            (Push("é"), "é"),
            (Finish, ""),
        ],
    );
    assert_eq!(told(redactor.findings()), [(3, 5, "partial", Some("k"))]);
}

#[test]
fn a_complete_value_that_might_go_on_is_masked_after_100_ms() {
    let mut redactor = known(&[("a", "hunter2-s3cret"), ("b", "hunter2-s3cret-longer")])
        .redactor()
        .interactive();
    play(
        &mut redactor,
        &[
            (Push("hunter2-s3cret"), ""),
            (Idle(100), "[REDACTED:a]"),
            (Push("-longer"), ""),
            (Push("\n"), "\n"),
            (Push("hunter2-s3cret"), ""),
            (Push("-l"), ""),
            (Idle(100), ""),
            (Idle(900), "[REDACTED:a]"),
            (Push("qé"), "qé"),
            (Finish, ""),
        ],
    );
    assert_eq!(
        told(redactor.findings()),
        [
            (0, 21, "exact", Some("b")),
            (22, 38, "truncated", Some("b"))
        ]
    );
}

#[test]
fn the_name_is_left_out_when_the_run_may_be_several_values() {
    let mut redactor = known(&[("a", "#!%hunter-1"), ("b", "#!%hunter-2")])
        .redactor()
        .interactive();
    play(
        &mut redactor,
        &[
            (Push("#!%hunter-"), ""),
            (Idle(900), "[REDACTED]"),
            (Push("2\n"), "\n"),
            (Finish, ""),
        ],
    );
    assert_eq!(told(redactor.findings()), [(0, 11, "exact", Some("b"))]);
}

#[test]
fn a_base64_value_whose_last_character_is_open_is_masked_after_100_ms() {
    // "hunter2-s3cret" ends in a character that holds four bits of the value.
    let mut redactor = known(&[("k", "hunter2-s3cret")]).redactor().interactive();
    let mut out = Vec::new();
    redactor.push(b"aHVudGVyMi1zM2NyZX", &mut out);
    assert_eq!((out.len(), redactor.held_back()), (0, 18));
    assert_eq!(redactor.deadline(), Some(Duration::from_millis(100)));
    redactor.idle(Duration::from_millis(100), &mut out);
    assert_eq!(out, b"[REDACTED:k]");
    redactor.push(b"Q=\n", &mut out);
    assert_eq!(out, b"[REDACTED:k]=\n", "the last character belongs to it");
}

#[test]
fn a_masked_run_at_the_end_of_the_stream_is_not_written_twice() {
    let mut redactor = known(&[("k", "#!%hunter2-s3cret-0123456789")])
        .redactor()
        .interactive();
    play(
        &mut redactor,
        &[
            (Push("#!%hunter2-s3cret-01"), ""),
            (Idle(900), "[REDACTED:k]"),
            (Push("23"), ""),
            (Finish, ""),
        ],
    );
    assert_eq!(told(redactor.findings()), [(0, 22, "truncated", Some("k"))]);
}

#[test]
fn the_deadline_follows_what_is_held() {
    let mut redactor = forced(&[("pin", "4711"), ("k", "#!%hunter2-s3cret")]);
    let mut out = Vec::new();
    let short = Some(Duration::from_millis(100));
    let long = Some(Duration::from_millis(900));
    assert_eq!(redactor.deadline(), None);
    for (text, expected) in [
        ("~ \n\r", None),
        ("4", short),
        ("71", short),
        ("1é", None),
        ("#!%", short),
        ("h", long),
        ("qé", None),
    ] {
        redactor.push(text.as_bytes(), &mut out);
        assert_eq!(redactor.deadline(), expected, "{text:?}");
        assert_eq!(redactor.deadline().is_none(), redactor.held_back() == 0);
    }
    assert_eq!(out, "~ \n\r[REDACTED:pin]é#!%hqé".as_bytes());
}

#[test]
fn a_line_that_may_be_of_a_dump_is_shown_as_it_is() {
    let set = known(&[("k", "hunter2-s3cret")]);
    play(
        &mut set.redactor().interactive(),
        &[
            (Push("commit\ndeadbeef: fix the"), "commit\ndeadbeef:"),
            (Idle(899), ""),
            (Idle(900), " fix the"),
            (Push(" build\n"), " build\n"),
            (Finish, ""),
        ],
    );
    // What the dump says so far begins the value.
    play(
        &mut set.redactor().interactive(),
        &[
            (Push("00000000: 6875 6e74 6572  hunter\n"), "00000000: "),
            (Idle(900), "[REDACTED:k]"),
            (Push("next\n"), "next\n"),
            (Finish, ""),
        ],
    );
    // The last line of a dump is complete, and says nothing of the value.
    play(
        &mut set.redactor().interactive(),
        &[
            (
                Push("00000000: 6162 6364 6566  abcdef\n"),
                "00000000: 6162 6364 6566  abcdef\n",
            ),
            (Idle(900), ""),
        ],
    );
}

#[test]
fn a_line_that_may_have_a_shape_is_shown_as_it_is() {
    let set = known(&[("k", "hunter2-s3cret")]);
    play(
        &mut set.redactor().interactive().with_shapes(),
        &[
            (Push("Continue? [y/n] "), ""),
            (Idle(899), ""),
            (Idle(900), "Continue? [y/n] "),
            (Push("password hunter2"), ""),
            (Idle(900), "password [REDACTED:k]"),
            (Finish, ""),
        ],
    );
}
