//! Where the values come from: the vault, in this process or in the daemon, and who may ask.

use std::fs;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use subrosa_tests::{Done, Place, Served, wait_until};
use subrosa_wire::looking::{PIECE_MAX, receive_places, send_piece};
use subrosa_wire::{Answer, Back, Call, Mask, Request};

use crate::{VALUE, place, scan, silent};

const OTHER: &str = "other7Hq2Zr8vLw4xn0Pk6Dd";

fn two(place: &Place) {
    place.set("api/key", VALUE.as_bytes());
    place.set("db/main", OTHER.as_bytes());
}

fn served() -> Served {
    let place = Place::new();
    two(&place);
    let served = Served::of(place);
    served.unlock();
    served
}

#[test]
fn the_filter_is_the_same_in_the_daemon_and_without() {
    let served = served();
    let text = format!("a {VALUE} b {OTHER}\nc {}", OTHER.to_uppercase());
    fs::write(served.path("work/a"), &text).expect("written");
    for (words, wanted) in [
        (
            &["--known-from", "**"][..],
            "a [REDACTED:api/key] b [REDACTED:db/main]\nc [REDACTED:db/main]",
        ),
        (
            &["--known-from", "db/*"],
            &format!("a {VALUE} b [REDACTED:db/main]\nc [REDACTED:db/main]"),
        ),
        (
            &["--known-from", "api/key", "--known-from", "db/main#value"],
            "a [REDACTED:api/key] b [REDACTED:db/main]\nc [REDACTED:db/main]",
        ),
    ] {
        let words = [&["redact"], words].concat();
        let daemon = served.fed(&words, text.as_bytes()).ok();
        assert_eq!(daemon.text(), wanted);
        let own = Done::of(
            served
                .command(&words)
                .arg("a")
                .env("SUBROSA_NO_DAEMON", "1")
                .arg("--key-file")
                .arg(served.key_file()),
            b"",
        );
        assert_eq!(own.ok().text(), wanted);
    }
    // And so are the places.
    let daemon = Done::of(&mut served.command(&["--json", "scan"]), b"");
    silent(&daemon);
    let own = scan(&served, &served.path("work"), &[]);
    let mut told: serde_json::Value = serde_json::from_slice(&daemon.out).expect("JSON");
    let mut wanted = own.report.clone();
    for report in [&mut told, &mut wanted] {
        for one in report["findings"].as_array_mut().expect("a list") {
            one["fingerprint"] = "".into();
        }
    }
    assert_eq!(told, wanted);
    assert_eq!(told["findings"].as_array().expect("a list").len(), 3);
}

#[test]
fn a_long_stream_passes_whole_and_in_order() {
    let served = served();
    let line = "0123456789 a line that goes on\n".repeat(1000);
    let mut text = String::new();
    for n in 0..100 {
        text.push_str(&line);
        text.push_str(&format!("{n} {VALUE}\n"));
    }
    fs::write(served.path("work/long"), &text).expect("written");
    let done = served
        .run(&["redact", "--known-from", "api/key", "long"])
        .ok();
    assert!(done.text() == text.replace(VALUE, "[REDACTED:api/key]"));
    assert!(done.err.contains("100 values masked"), "{}", done.err);
    // Whoever takes it goes away: nothing waits for ever.
    let mut child = served
        .command(&["redact", "--known-from", "api/key"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("it starts");
    drop(child.stdout.take());
    let mut input = child.stdin.take().expect("piped");
    for _ in 0..200 {
        if input.write_all(line.as_bytes()).is_err() {
            break;
        }
    }
    drop(input);
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(141));
    // Nothing is written where one of the files is not there.
    fs::write(served.path("work/a"), VALUE).expect("written");
    let done = served.run(&["redact", "--known-from", "api/key", "a", "no-such-file"]);
    assert_eq!((done.status, done.text().as_str()), (1, ""), "{done:?}");
}

#[test]
fn a_selector_that_fits_nothing_is_an_error_and_no_empty_filter() {
    let served = served();
    fs::write(served.path("work/a"), VALUE).expect("written");
    for words in [
        &["redact", "--known-from", "no/such", "a"][..],
        &["redact", "--known-from", "no/**", "a"],
        &["scan", "--known-from", "api/kez"],
        &["scan", "--known-from", "api/key#nofield"],
    ] {
        let own = Done::of(
            served
                .command(words)
                .env("SUBROSA_NO_DAEMON", "1")
                .arg("--key-file")
                .arg(served.key_file()),
            b"",
        );
        for done in [own, served.run(words)] {
            assert!(matches!(done.status, 1 | 3), "{words:?} {done:?}");
            assert_eq!(done.text(), "", "{words:?}");
            assert!(done.err.contains("try: "), "{words:?} {done:?}");
        }
    }
    // But nothing is all that an empty vault has.
    let empty = Place::new();
    assert_eq!(scan(&empty, &empty.path("work"), &[]).status, 0);
}

#[test]
fn each_use_is_decided_and_recorded() {
    let served = served();
    fs::write(served.path("work/a"), format!("{VALUE} {VALUE}")).expect("written");
    served.run(&["scan", "--known-from", "api/key"]);
    served.run(&["redact", "--known-from", "db/main", "a"]).ok();
    scan(&served, &served.path("work"), &["--known-from", "db/main"]);
    let log = served.log();
    let records: Vec<serde_json::Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let decisions: Vec<_> = records
        .iter()
        .filter(|one| one["sink"] == "filter")
        .map(|one| {
            (
                one["destination"].as_str().expect("text"),
                one["secrets"].to_string(),
                one["verdict"].as_str().expect("text"),
                one["request"].clone(),
            )
        })
        .collect();
    let told: Vec<_> = decisions.iter().map(|one| (one.0, one.2)).collect();
    assert_eq!(
        told,
        [
            ("filter scan", "allow"),
            ("filter redact", "allow"),
            ("filter scan", "allow")
        ],
        "{log}"
    );
    assert!(decisions[0].1.contains("api/key") && decisions[1].1.contains("db/main"));
    // What became of each stands there too, with how much was found.
    let counts: Vec<_> = decisions
        .iter()
        .map(|one| {
            let of = |record: &&serde_json::Value| {
                record["request"] == one.3
                    && record["outcome"].as_str().is_some_and(|o| !o.is_empty())
            };
            records
                .iter()
                .find(of)
                .map(|record| record["redactions"].clone())
        })
        .collect();
    assert_eq!(
        counts,
        [Some(2.into()), Some(0.into()), Some(0.into())],
        "{log}"
    );
    served.verify();
}

#[test]
fn what_is_looked_for_is_handed_out_to_nobody() {
    let served = served();
    served.apply(
        "version: 1\nrules:\n  - { allow: run, command: sh, args: [\"-c\", \"echo $API_KEY; cat a\"], secrets: [\"api/key\"], inject: env }\n",
    );
    fs::write(served.path("work/a"), OTHER).expect("written");
    served.run(&["scan"]);
    // Masks of a run are of what was handed out, as before.
    let run = served.run(&[
        "run",
        "-k",
        "api/key",
        "--",
        "sh",
        "-c",
        "echo $API_KEY; cat a",
    ]);
    assert_eq!(run.ok().text(), format!("[REDACTED:api/key]\n{OTHER}"));
    // And what was handed out is found with whatever is selected, after its secret was changed too.
    served
        .fed(&["set", "api/key", "--stdin"], b"newer5Tg9Yh3Uj7Ik1Ol")
        .ok();
    fs::write(served.path("work/a"), VALUE).expect("written");
    let done = served.run(&["redact", "--known-from", "db/main", "a"]).ok();
    assert_eq!(done.text(), "[REDACTED:api/key]");
}

#[test]
fn row_35_an_agent_cannot_ask_which_guess_is_a_value() {
    let served = served();
    let given = served
        .proven(&["agent", "add", "claude", "--json", "--here"])
        .ok();
    let given: serde_json::Value = serde_json::from_slice(&given.out).expect("JSON");
    let token = given["token"].as_str().expect("a token").to_owned();
    fs::write(served.path("work/guess"), VALUE).expect("written");
    for words in [
        &["scan"][..],
        &["scan", "--known-from", "api/key"],
        &["scan", "--history"],
        &["redact", "--known-from", "**", "guess"],
    ] {
        let as_agent = Done::of(served.command(words).env("SUBROSA_TOKEN", &token), b"");
        // With a proof beside it, and without the daemon.
        let file = served.path("passphrase");
        let mut proven = served.with_passphrase(file.to_str().expect("UTF-8"), words);
        let proven = Done::of(proven.env("SUBROSA_TOKEN", &token), b"");
        for done in [as_agent, proven] {
            assert!(
                done.status != 0 && done.text().is_empty(),
                "{words:?} {done:?}"
            );
            assert!(done.err.contains("agent"), "{words:?} {done:?}");
        }
    }
    // A program of its own that speaks to the daemon is refused there, and that is recorded.
    let mut client = subrosa_wire::connect(&served.socket(), "tests").expect("it listens");
    let ask = |request| Call {
        scope: subrosa_model::Scope {
            workspace: subrosa_model::Scope::default_workspace(),
            group: None,
        },
        request,
    };
    let identified = client.call(&ask(Request::Identify), Some(token.as_bytes()), &[]);
    assert!(matches!(identified, Ok(Ok(Answer::Done))), "{identified:?}");
    let (mut ours, theirs) = UnixStream::pair().expect("a pair");
    let request = ask(Request::Mask(Mask {
        selectors: vec!["**".to_owned()],
        fold: true,
        back: Back::Places,
    }));
    let reply = client.call(&request, None, &[theirs.as_fd()]);
    drop(theirs);
    let refused = reply.expect("an answer").expect_err("refused");
    assert_eq!(refused.code, "agent");
    let mut nothing = Vec::new();
    ours.read_to_end(&mut nothing).expect("closed");
    assert!(nothing.is_empty());
    let log = served.log();
    assert!(log.contains("refused: mask is not for agents"), "{log}");
    // Shapes need no vault, and tell nothing of one.
    let shapes = Done::of(
        served
            .command(&["scan", "--no-vault"])
            .env("SUBROSA_TOKEN", &token),
        b"",
    );
    assert_eq!(shapes.status, 0, "{shapes:?}");
    subrosa_tests::held(
        35,
        "an agent has no text looked through for values, by program or protocol",
    );
}

#[test]
fn what_can_be_guessed_is_looked_for_with_a_proof_alone() {
    let served = served();
    served
        .fed(&["set", "weak/pin", "--stdin", "--force"], b"hunter22")
        .ok();
    fs::write(served.path("work/guess"), "is it hunter22 ?\n").expect("written");
    let done = served.run(&["scan", "--known-from", "weak/pin"]);
    assert_eq!(done.status, 0, "{done:?}");
    assert!(done.err.contains("found by trying"), "{done:?}");
    let done = served
        .run(&["redact", "--known-from", "weak/pin", "guess"])
        .ok();
    assert_eq!(done.text(), "is it hunter22 ?\n");
    // Whoever shows the passphrase could read it as well.
    let done = served.proven(&["scan", "--known-from", "weak/pin"]);
    assert_eq!(done.status, 1, "{done:?}");
    let done = served.proven(&["redact", "--known-from", "weak/pin", "guess"]);
    assert_eq!(done.ok().text(), "is it [REDACTED:weak/pin] ?\n");
}

#[test]
fn what_was_not_found_leads_to_what_was_meant() {
    let served = served();
    for (typed, part) in [
        ("api/kye", "did you mean `api/key`"),
        ("API_KEY", "did you mean `api/key`"),
        ("default/api/key", "-w default"),
        ("api", "'api/**'"),
        ("[", "patterns have * and **"),
    ] {
        for command in [&["scan"][..], &["redact", "/dev/null"]] {
            let words = [command, &["--known-from", typed]].concat();
            let done = served.run(&words);
            assert!(matches!(done.status, 1 | 3), "{words:?} {done:?}");
            assert!(done.err.contains(part), "{words:?} {done:?}");
        }
    }
}

/// The attack: of a strong value a part is weak, and a scan is asked whether a guess of it is right.
/// What nobody guesses is looked for all the same: the whole and its strong parts.
#[test]
fn row_43_a_weak_part_of_a_strong_value_is_not_told_without_a_proof() {
    const DOCUMENT: &str = r#"{"url":"postgres://app:summer2026@db.local/x","password":"summer2026-hunter","token":"7Hq2Zr8vLw4xP9sQ"}"#;
    const ADDRESS: &str = "postgres://app:Hn5bVq8wXz3rT2@db.local/x";
    const WEAK: &str = "postgres://app:summer2026@db.local/y";
    let served = served();
    for (key, value) in [
        ("a/document", DOCUMENT),
        ("a/address", ADDRESS),
        ("a/weak", WEAK),
    ] {
        served.fed(&["set", key, "--stdin"], value.as_bytes()).ok();
    }
    let redact = |text: &str| {
        let words = ["redact", "--known-from", "a/**"];
        let done = served.fed(&words, text.as_bytes()).ok();
        (done.text(), done.err)
    };
    for guess in [
        "summer2026-hunter",
        "summer2026",
        "postgres://app:summer2026@db.local/x",
        WEAK,
    ] {
        fs::write(served.path("work/guess"), guess).expect("written");
        let done = served.run(&["scan", "--known-from", "a/**", "guess"]);
        assert!(!done.text().contains("a/"), "{guess} {done:?}");
        assert_eq!(redact(guess).0, guess);
    }
    let text = format!("{DOCUMENT} 7Hq2Zr8vLw4xP9sQ {ADDRESS} Hn5bVq8wXz3rT2");
    let (masked, said) = redact(&text);
    assert_eq!(
        masked,
        "[REDACTED:a/document] [REDACTED:a/document] [REDACTED:a/address] [REDACTED:a/address]"
    );
    assert!(
        said.contains("a/weak; with it") && !said.contains("a/address"),
        "{said}"
    );
    // With the passphrase all of it.
    fs::write(served.path("work/guess"), "x summer2026-hunter x").expect("written");
    let done = served
        .proven(&["redact", "--known-from", "a/**", "guess"])
        .ok();
    assert_eq!(done.text(), "x [REDACTED:a/document] x");
    subrosa_tests::held(
        43,
        "a scan confirms no weak part of a value without a proof, and finds its strong ones",
    );
}

#[test]
fn a_client_that_makes_no_sense_ends_alone() {
    let served = served();
    let call = |selectors: Vec<String>| Call {
        scope: subrosa_model::Scope {
            workspace: subrosa_model::Scope::default_workspace(),
            group: None,
        },
        request: Request::Mask(Mask {
            selectors,
            fold: true,
            back: Back::Places,
        }),
    };
    let every = || call(vec!["**".to_owned()]);
    let connect = || subrosa_wire::connect(&served.socket(), "tests").expect("it listens");
    // No descriptor, or two.
    let (one, two) = UnixStream::pair().expect("a pair");
    for descriptors in [&[][..], &[one.as_fd(), two.as_fd()]] {
        let refused = connect()
            .call(&every(), None, descriptors)
            .expect("an answer");
        assert_eq!(refused.expect_err("refused").code, "protocol");
    }
    // A piece that is too long, one that is cut short, and the end at once.
    let long = u32::try_from(PIECE_MAX + 1).expect("small").to_le_bytes();
    for (sent, fine) in [
        (&long[..], false),
        (&[9, 0, 0, 0, b'x'], false),
        (&[1, 0], false),
        (&[], true),
    ] {
        let (mut ours, theirs) = UnixStream::pair().expect("a pair");
        let mut client = connect();
        client
            .ask(&every(), None, &[theirs.as_fd()])
            .expect("asked");
        drop(theirs);
        ours.write_all(sent).expect("sent");
        ours.shutdown(std::net::Shutdown::Write).expect("ended");
        let answer = client.answer().expect("an answer");
        assert_eq!(answer.is_ok(), fine, "{sent:?} {answer:?}");
    }
    // As many as there may be at a time, and one more.
    let mut held: Vec<(subrosa_wire::Client, UnixStream)> = Vec::new();
    for _ in 0..8 {
        let (mut ours, theirs) = UnixStream::pair().expect("a pair");
        let mut client = connect();
        client
            .ask(&every(), None, &[theirs.as_fd()])
            .expect("asked");
        drop(theirs);
        send_piece(&mut ours, VALUE.as_bytes()).expect("sent");
        send_piece(&mut ours, b"").expect("sent");
        let places = receive_places(&mut ours).expect("places");
        assert_eq!(places.places.len(), 1);
        held.push((client, ours));
    }
    let (_ours, theirs) = UnixStream::pair().expect("a pair");
    let refused = connect()
        .call(&every(), None, &[theirs.as_fd()])
        .expect("an answer");
    assert_eq!(refused.expect_err("refused").code, "busy");
    // Whoever is killed makes room.
    held.clear();
    fs::write(served.path("work/a"), VALUE).expect("written");
    wait_until("room", || served.run(&["scan"]).status == 1);
}

#[test]
fn a_locked_vault_is_no_clean_result() {
    let served = Served::of(place());
    fs::write(served.path("work/a"), VALUE).expect("written");
    let done = served.run(&["scan"]);
    assert_eq!(done.status, 3, "{done:?}");
    let done = served.run(&["redact", "--known-from", "**", "a"]);
    assert_eq!((done.status, done.text().as_str()), (1, ""), "{done:?}");
}

/// What the filter passes on without having looked into it is told, by whichever process looks.
#[test]
fn what_is_not_looked_into_is_told() {
    let served = Served::open();
    served
        .fed(&["set", "api/key", "--stdin"], VALUE.as_bytes())
        .ok();
    let text = [&vec![b'0'; 30 * 1024 * 1024][..], VALUE.as_bytes()].concat();
    let bomb = crate::packed::packed(&["gzip", "-9c"], &text);
    fs::write(served.path("work/bomb.gz"), &bomb).expect("written");
    fs::write(served.path("work/values"), VALUE).expect("written");
    let words = ["redact", "--known-from", "api/key", "bomb.gz"];
    let place: &Place = &served;
    let mut shell = Command::new("/bin/sh");
    place.surround(&mut shell);
    shell
        .args([
            "-c",
            "exec \"$0\" redact --known-fd 3 --shapes bomb.gz 3<values",
        ])
        .arg(subrosa_tests::program());
    for (who, command) in [
        ("alone", &mut place.command(&words)),
        ("daemon", &mut served.command(&words)),
        ("list", &mut shell),
    ] {
        let done = Done::of(command.current_dir(place.path("work")), b"");
        assert_eq!(
            (done.status, done.out == bomb),
            (0, true),
            "{who} {:?}",
            done.err
        );
        let told = "warning: 1 piece of compressed data was not looked into";
        assert!(done.err.contains(told), "{who} {:?}", done.err);
    }
}
