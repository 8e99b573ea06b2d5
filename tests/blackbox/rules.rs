//! What rules alone hold off: values in environments that nobody allowed, and programs that start
//! others.

use std::fs;

use subrosa_tests::{Done, Place, held, wait_until};

const VALUE: &[u8] = b"canary-4p9zk2-row-value";

/// By `ps e` and `/proc`, of every process that this test could have started.
fn environments(place: &Place) -> Vec<String> {
    let home = place.path("work").display().to_string();
    let processes = fs::read_dir("/proc").expect("/proc");
    let environ = |entry: fs::DirEntry| {
        let bytes = fs::read(entry.path().join("environ")).ok()?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        text.contains(&home).then_some(text)
    };
    processes.flatten().filter_map(environ).collect()
}

#[test]
fn row_05_no_environment_holds_a_value_that_no_rule_puts_there() {
    let place = Place::new();
    place.set("api/key", VALUE);
    let waits = "echo $API_KEY >ready; while [ ! -e go ]; do sleep 0.02; done";
    let line = format!("allow: run, command: sh, args: [\"-c\", {waits:?}], secrets: [\"**\"]");
    // Without a word about it, a rule gives placeholders: no value, and no command. One that is
    // started all the same ends at once.
    fs::write(place.path("work/go"), "").expect("written");
    place.apply(&format!(
        "version: 1\nallowed_commands: [sleep]\nrules:\n  - {{ {line} }}\n"
    ));
    for words in [&["sleep", "5"][..], &["sh", "-c", waits]] {
        for way in ["env", "file", "stdin"] {
            let mut all = vec!["run", "-k", "api/key", "--inject", way, "--"];
            all.extend(words);
            let done = place.run(&all);
            assert_eq!(done.status, 125, "{words:?} {way}: {done:?}");
        }
    }
    assert!(!place.path("work/ready").exists());
    fs::remove_file(place.path("work/go")).expect("ours");
    // A file: the environment has its name, and the value is nowhere in it.
    place.apply(&format!(
        "version: 1\nrules:\n  - {{ {line}, inject: file }}\n"
    ));
    let mut command = place.command(&["run", "-k", "api/key", "--", "sh", "-c", waits]);
    let child = command.spawn().expect("it starts");
    wait_until("the command running", || place.path("work/ready").exists());
    let seen = environments(&place);
    assert!(
        seen.iter().any(|text| text.contains("API_KEY=/")),
        "{seen:?}"
    );
    for text in &seen {
        assert!(!text.contains("canary"), "{text}");
    }
    fs::write(place.path("work/go"), "").expect("written");
    assert_eq!(
        Done::from(child.wait_with_output().expect("it ends")).status,
        0
    );
    // Where a rule says so, and only there, it stands in the child's environment for all to see.
    let shows = ": >ready; while [ -e go ]; do sleep 0.02; done";
    place.allow("sh", &["-c", shows], "api/key");
    fs::remove_file(place.path("work/ready")).expect("ours");
    let mut command = place.command(&["run", "-k", "api/key", "--", "sh", "-c", shows]);
    let child = command.spawn().expect("it starts");
    wait_until("the command running", || place.path("work/ready").exists());
    let exposed = environments(&place)
        .iter()
        .filter(|text| text.contains("canary"))
        .count();
    fs::remove_file(place.path("work/go")).expect("ours");
    assert_eq!(
        Done::from(child.wait_with_output().expect("it ends")).status,
        0
    );
    assert!(exposed > 0, "the attack works where a rule lets it");
    held(
        5,
        "no environment has a value unless a rule says `inject: env`, by placeholders or files",
    );
}

#[test]
fn row_06_a_rule_for_a_program_is_none_for_what_it_starts() {
    let place = Place::new();
    place.set("api/key", VALUE);
    let mut policy = "version: 1\nrules:\n".to_owned();
    for name in [
        "git", "find", "xargs", "awk", "sed", "tar", "make", "npm", "ssh", "rsync", "python3",
        "perl", "node", "sh", "bash", "env", "nice", "timeout", "nohup", "vim", "less", "man",
        "basename", "sort", "zip", "curl",
    ] {
        policy.push_str(&format!(
            "  - {{ allow: run, command: {name}, args: [\"**\"], secrets: [\"**\"], inject: env }}\n"
        ));
    }
    place.apply(&policy);
    let repository = place.path("work/repository");
    fs::create_dir(&repository).expect("made");
    let attacks: [&[&str]; 24] = [
        &["git", "-c", "alias.x=!echo $API_KEY", "x"],
        &["git", "-c", "core.pager=echo $API_KEY", "-p", "log"],
        &[
            "git",
            "-c",
            "core.sshCommand=echo $API_KEY",
            "fetch",
            "ssh://h/x",
        ],
        &["git", "--exec-path=/tmp", "status"],
        &["git", "bisect", "run", "env"],
        &["git", "push", "--receive-pack=env", "origin"],
        &["find", ".", "-exec", "env", ";"],
        &["find", ".", "-execdir", "env", ";"],
        &["xargs", "env"],
        &["awk", "BEGIN{system(\"echo $API_KEY\")}"],
        &["sed", "1e env", "/dev/null"],
        &[
            "tar",
            "cf",
            "/dev/null",
            "--checkpoint=1",
            "--checkpoint-action=exec=env",
            ".",
        ],
        &["tar", "-I", "env", "-cf", "x", "."],
        &["npm", "exec", "--", "env"],
        &["ssh", "-o", "ProxyCommand=env", "h"],
        &["rsync", "-e", "env", "a", "h:b"],
        &["python3", "-c", "import os; print(os.environ)"],
        &["perl", "-e", "print %ENV"],
        &["node", "-e", "console.log(process.env)"],
        &["sh", "-c", "echo $API_KEY"],
        &["env"],
        &["nice", "env"],
        &["timeout", "5", "env"],
        &["vim", "-c", "!env", "-c", "q"],
    ];
    for words in attacks {
        let mut all = vec!["run", "-k", "api/key", "--inject", "env", "--"];
        all.extend(words);
        let done = place.run(&all);
        // 127: a program that this machine does not have cannot be misused on it.
        assert!([125, 127].contains(&done.status), "{words:?}: {done:?}");
        assert!(
            done.out.is_empty() && !done.err.contains("canary"),
            "{words:?}: {done:?}"
        );
    }
    let log = place.log();
    assert!(
        log.matches("\"deny\"").count() >= 16,
        "each refusal is in the log"
    );
    // What the rule is for goes on working.
    for (words, said) in [
        (&["git", "--version"][..], "git version"),
        (&["find", ".", "-name", "repository"], "repository"),
        (&["basename", "/a/b"], "b"),
    ] {
        let mut all = vec!["run", "-k", "api/key", "--inject", "env", "--"];
        all.extend(words);
        let done = place.run(&all).ok();
        assert!(done.text().contains(said), "{words:?}: {done:?}");
    }
    held(
        6,
        "interpreters, and options by which an allowed program starts another, are refused: 24 lines",
    );
}
