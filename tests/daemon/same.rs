//! Whoever types a command sees the same, whether a daemon carries it out or not.

use std::process::Command;

use subrosa_tests::{Done, Place, Served, program};

const POLICY: &str = r#"version: 1
rules:
  - allow: run
    command: sh
    args: ["-c", "echo $API_KEY; echo $DB_MAIN_PASSWORD >&2; exit 3"]
    secrets: ["**"]
    inject: env
  - allow: run
    command: sh
    args: ["-c", "cat $API_KEY"]
    secrets: ["api/key"]
    inject: file
  - allow: run
    command: cat
    args: []
    secrets: ["api/key"]
    inject: stdin
  - allow: run
    command: ls
    args: ["-d", "/"]
    secrets: ["**"]
    inject: env
"#;

/// One home before any of the commands.
fn prepared() -> Served {
    let served = Served::locked();
    served.set("api/key", b"canary-4p9zk2-of-the-api");
    served.set("db/main#password", b"canary-7hw3-of-the-base");
    served.set("db/main#password", b"canary-8hw4-of-the-base");
    served
        .set_with(
            &["pinned", "--tag", "infra", "--note", "a note"],
            b"canary-of-another",
        )
        .ok();
    served.apply(POLICY);
    std::fs::write(
        served.path("work/.env"),
        "PLAIN=1\nFOUND=subrosa://api/key\n",
    )
    .expect("written");
    std::fs::write(
        served.path("work/met.env"),
        "MET_TOKEN=canary-9ix5-of-a-file\n",
    )
    .expect("written");
    served
        .proven(&["init", "--import", "met.env", "--replace"])
        .ok();
    std::fs::write(
        served.path("work/forged.env"),
        "FORGED=SubRosa4711081523abcdefgh\n",
    )
    .expect("written");
    std::fs::write(served.path("work/not-a-program"), "text").expect("written");
    served.save("before");
    served
}

/// Runs each of the scripts, in which `$S` is the program, and gives what each showed.
fn shown(served: &Served, options: &str, scripts: &[&str]) -> Vec<(i32, String, String)> {
    scripts
        .iter()
        .map(|script| {
            let mut command = Command::new("/bin/sh");
            served.admit(&mut command);
            command
                .env("S", format!("{} {options}", program().display()))
                .args(["-c", script]);
            let done = Done::of(&mut command, b"");
            (done.status, masked(&done.text()), masked(&done.err))
        })
        .collect()
}

/// The text without what differs from one moment to the next: times and durations.
fn masked(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest
            .find(|c: char| !(c.is_ascii_digit() || "-:.TZ".contains(c)))
            .unwrap_or(rest.len());
        let number = &rest[..end];
        let is_time = number.len() >= 16 && number.contains('T') && number.contains(':');
        if is_time || out.ends_with("\"duration_ms\":") {
            out.push('~');
        } else {
            out.push_str(number);
        }
        rest = &rest[end..];
    }
    // In a process of its own it is the operator who asks, through the daemon whoever is local.
    (out + rest).replace("operator run of", "local run of")
}

/// Runs the scripts in this process alone and through the daemon, from the same beginning.
#[track_caller]
fn same(scripts: &[&str]) {
    let served = prepared();
    let own = format!("--no-daemon --key-file {}", served.key_file().display());
    let alone = shown(&served, &own, scripts);
    served.put_back("before");
    let pid = served.unlock();
    let through = shown(&served, "", scripts);
    for ((script, alone), through) in scripts.iter().zip(alone).zip(through) {
        assert_eq!(through, alone, "through the daemon, and alone: {script}");
    }
    assert_eq!(
        served.daemon(),
        Some(pid),
        "it was this daemon that answered"
    );
    served.verify();
}

#[test]
fn set_and_edit() {
    same(&[
        "echo value-of-a-new-one | $S set new/key --stdin",
        "echo value-of-a-new-one | $S set new/key --stdin --json",
        "echo value-of-a-field-1 | $S set new/key#user --stdin --kind name",
        "printf '' | $S set empty --stdin",
        "printf short | $S set short --stdin",
        "head -c 1048576 /dev/zero | $S set large --stdin",
        "head -c 1048577 /dev/zero | $S set larger --stdin",
        "printf 'a\\0b\\377c-and-more' | $S set bytes --stdin",
        "echo value-elsewhere-1 | $S -w other -g live set api/key --stdin",
        "echo value-with-all-of-it | $S set all --stdin --tag a --tag b --note n --url https://x.example --expires 2999-01-01 --bind ALL_OF_IT",
        "echo value-x | $S set 'no key' --stdin",
        "echo value-x | $S set 'k#no field' --stdin",
        "$S set api/key",
        "$S edit api/key --note 'another note' --tag t",
        "$S edit api/key --bind OTHER",
        "$S edit api/key --json --expires 2999-01-01",
        "$S edit missing --note x",
        "$S edit api/key",
        "$S -q edit api/key --note quiet",
        "$S ls --json",
        "$S show all",
        "$S show new/key --json",
    ]);
}

#[test]
fn generate() {
    same(&[
        "$S generate gen/a",
        "$S generate gen/a --length 40",
        "$S generate gen/b --json",
        "$S generate gen/b#field",
        "$S generate gen/c --length 0",
        "$S generate gen/c --length 2000000",
        "$S generate 'no key'",
        "$S show gen/a",
        "$S history gen/a",
    ]);
}

#[test]
fn looking() {
    same(&[
        "$S ls",
        "$S ls --json",
        "$S ls 'db/*'",
        "$S ls 'nothing/*'",
        "$S ls '['",
        "$S ls --tag infra",
        "$S ls --all",
        "$S -w nowhere ls",
        "$S -w nowhere -g none show api/key",
        "$S show api/key",
        "$S show api/key --json",
        "$S show pinned",
        "$S show db/mian",
        "$S show db/main#password",
        "$S show missing --json",
        "$S history db/main",
        "$S history db/main --json",
        "$S history missing",
        "$S -q ls",
        "$S --color always ls",
    ]);
}

#[test]
fn moving_removing_and_bringing_back() {
    same(&[
        "$S mv api/key api/other",
        "$S mv api/other db/main",
        "$S mv missing x",
        "$S mv api/other api/third --json",
        "$S mv api/third pinned",
        "$S -w default mv db/main base/main",
        "$S mv base/main db/main",
        "$S rm api/third pinned",
        "$S rm api/third",
        "$S rm db/main missing",
        "$S ls",
        "$S ls --removed",
        "$S rollback api/third",
        "$S rollback db/main",
        "$S rollback db/main --version 1",
        "$S rollback db/main --version 9",
        "$S rollback db/main --json",
        "$S rollback missing",
        "$S history db/main",
        "$S rm pinned --json",
        "$S ls --json",
        "$S ls --removed --json",
    ]);
}

#[test]
fn run() {
    same(&[
        "$S run -k api/key -k db/main -- sh -c 'echo $API_KEY; echo $DB_MAIN_PASSWORD >&2; exit 3'",
        "$S --json run -k api/key -k db/main -- sh -c 'echo $API_KEY; echo $DB_MAIN_PASSWORD >&2; exit 3'",
        "$S run --inject file -k api/key -- sh -c 'cat $API_KEY'",
        "$S run --inject stdin -k api/key -- cat",
        "$S run --inject placeholder -k api/key -- ls -d /",
        "$S run -k api/key -- printenv API_KEY",
        "$S run -k api/kye -- ls -d /",
        "$S run -k 'nothing/*' -- ls -d /",
        "$S run -k api/key#nothing -- ls -d /",
        "$S run --bind X=api/key --bind X=db/main#password -- ls -d /",
        "$S run --bind PATH=api/key -- ls -d /",
        "$S run --bind LD_PRELOAD=api/key -- ls -d /",
        "$S run -- ls -d /",
        "rm .env; $S run -- ls -d /; status=$?; printf 'PLAIN=1\\nFOUND=subrosa://api/key\\n' >.env; exit $status",
        "$S run --env-file .env -- ls -d /",
        "grep -c canary met.env; $S --json run --env-file met.env -- ls -d /",
        "$S run --env-file met.env -- printenv MET_TOKEN",
        "$S run --env-file forged.env -- ls -d /",
        "$S --json run --env-file forged.env -- ls -d /",
        "$S run -k api/key -- no-such-program",
        "$S run -k api/key -- ./not-a-program",
        "$S run -k api/key -- ./no-such-file",
        "$S run --sandbox strict -- ls",
        "$S run",
    ]);
}

/// Commands that use no secret, for what is around them: streams, statuses, the folder.
#[test]
fn run_with_everything_around_it() {
    same(&[
        "rm -f .env",
        "$S run -- sh -c 'echo out; echo err >&2; exit 7'",
        "$S run -- sh -c 'kill -9 $$'",
        "$S run -- sh -c 'kill -TERM $$'",
        "echo input | $S run -- cat",
        "$S run -- cat </dev/null",
        "$S run -- cat <&-",
        "$S run -- sh -c 'echo out; echo err >&2' >&-",
        "$S run -- sh -c 'echo out; echo err >&2' 2>&-",
        "$S run -- sh -c 'echo out; echo err >&2' <&- >&- 2>&-",
        "$S run -- sh -c 'echo out; echo err >&2' >/dev/full",
        "$S run -- sh -c 'echo out; echo err >&2' >file; cat file",
        "echo before >file; $S run -- echo after >>file; cat file",
        "$S run -- seq 1 200000 | cksum",
        "$S run -- seq 1 200000 | head -3",
        "head -c 5000000 /dev/zero | $S run -- wc -c",
        "mkdir -p 'a folder'; cd 'a folder' && $S run -- pwd",
        "LANG=C SECRET_OF_MINE=x TERM=dumb $S run -- env | sort",
        "ONE=1 $S run --env ONE --env TWO -- sh -c 'echo $ONE $TWO'",
        "$S run --env LD_PRELOAD -- true",
        "PATH=/nowhere $S run -- ls -d /",
        "$S run --timeout 1s -- sleep 60",
        "$S run -- sh -c 'sleep 60 & echo started'",
        "$S --json run -- true",
        "$S run -- sh -c 'ls /proc/self/fd | wc -l'",
        "$S run -- sh -c 'grep -E \"^(NoNewPrivs|SigBlk|SigIgn)\" /proc/self/status'",
        "trap '' INT; $S run -- sh -c 'grep -E \"^(SigBlk|SigIgn)\" /proc/self/status'",
    ]);
}

#[test]
fn a_place_keeps_apart_what_is_masked() {
    assert_eq!(
        masked("at 2026-11-22T12:05:31Z, 3 of 4; \"duration_ms\":17,"),
        "at ~, 3 of 4; \"duration_ms\":~,"
    );
    let _ = Place::empty();
}
