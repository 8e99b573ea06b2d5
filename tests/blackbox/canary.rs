//! The promise, put to the test: values go through every command, at the highest verbosity and
//! through every failure that can be provoked, and then everything that was written anywhere is
//! searched for them, in every spelling. Only the outputs that were asked for may hold one.

use std::fs;
use std::process::{Command, Stdio};

use subrosa_tests::{
    Done, Needles, PASSPHRASE, Place, files_below, held, is_root, skipped, wait_until,
};

/// A value like any token, one that looks like base64, one of several lines.
const VALUES: [&[u8]; 3] = [
    b"canary_R7mQ2xVb9KpT4wZc",
    b"Y2FuYXJ5K25vdC9yZWFsbHk3Nw==",
    b"-----BEGIN CANARY-----\nMIIcanary8s2Kq0vX7tLwYhNc3\n-----END CANARY-----\n",
];

/// All that was said, by whom.
struct Said {
    needles: Vec<Needles>,
    runs: usize,
}

impl Said {
    fn new() -> Self {
        let passphrase = Needles::of(PASSPHRASE.as_bytes());
        let mut needles: Vec<Needles> = VALUES.iter().map(|value| Needles::of(value)).collect();
        // The middle line alone would be as bad as all three.
        needles.push(Needles::of(b"MIIcanary8s2Kq0vX7tLwYhNc3"));
        needles.push(passphrase);
        Self { needles, runs: 0 }
    }

    #[track_caller]
    fn clean(&self, what: &str, text: &[u8]) {
        for (index, needles) in self.needles.iter().enumerate() {
            if let Some(spelling) = needles.find(text) {
                let text = String::from_utf8_lossy(text);
                panic!("value {index} is in {what}, {spelling}: {text}");
            }
        }
    }

    /// Neither stream may hold a value.
    #[track_caller]
    fn silent(&mut self, words: &[&str], done: Done) -> Done {
        self.clean(&format!("stdout of {words:?}"), &done.out);
        self.discreet(words, done)
    }

    /// Standard error may hold no value; standard output is what was asked for.
    #[track_caller]
    fn discreet(&mut self, words: &[&str], done: Done) -> Done {
        self.clean(&format!("stderr of {words:?}"), done.err.as_bytes());
        self.runs += 1;
        done
    }
}

/// As noisy as it gets.
fn loud(command: &mut Command) -> &mut Command {
    command
        .env("RUST_LOG", "trace")
        .env("RUST_BACKTRACE", "full")
}

fn with_key(place: &Place, words: &[&str], input: &[u8]) -> Done {
    Done::of(
        loud(&mut place.command(&[&["--debug"], words].concat())),
        input,
    )
}

fn proven(place: &Place, words: &[&str], input: &[u8]) -> Done {
    proven_by(place, "passphrase", words, input)
}

fn proven_by(place: &Place, file: &str, words: &[&str], input: &[u8]) -> Done {
    Done::of(
        loud(&mut place.with_passphrase(file, &[&["--debug"], words].concat())),
        input,
    )
}

const RULE: &str = "\
version: 1
rules:
  - allow: run
    command: sh
    args: [\"-c\", \"echo $A; echo $B; echo \\\"$C\\\"; echo $A >&2; exit 3\"]
    secrets: [\"canary/**\"]
    inject: env
  - allow: run
    command: sh
    args: [\"-c\", \"cat; cat $C_FILE\"]
    secrets: [\"canary/**\"]
    inject: stdin
";

#[test]
fn row_42_no_value_in_any_text_or_file() {
    let place = Place::empty();
    let mut said = Said::new();
    let init = proven(&place, &["init"], b"").ok();
    let code = init
        .err
        .lines()
        .find(|line| line.matches('-').count() == 8)
        .expect("a code");
    said.silent(
        &["init"],
        Done {
            status: 0,
            out: init.out,
            err: init.err.replace(code, ""),
        },
    );
    said.needles.push(Needles::of(code.trim().as_bytes()));
    let key = place.key_file();
    let key = key.to_str().expect("UTF-8");
    said.silent(
        &["key", "add"],
        proven(&place, &["key", "add", "key-file", key], b"").ok(),
    );
    let content = fs::read(key).expect("made");
    said.needles.push(Needles::of(content.trim_ascii_end()));

    let names = ["canary/a", "canary/b", "canary/c"];
    for (name, value) in names.iter().zip(VALUES) {
        let words = ["set", name, "--stdin", "--note", "a note", "--tag", "t"];
        said.silent(&words, with_key(&place, &words, value).ok());
    }
    store(&place, &mut said);
    look(&place, &mut said);
    run(&place, &mut said);
    fail(&place, &mut said);
    keep(&place, &mut said);

    // What may hold values by design: the inputs, the outputs that were asked for, the key file.
    for (path, content) in files_below(&place.live()) {
        if path != place.key_file() {
            said.clean(&path.display().to_string(), &content);
            said.clean("a file's name", path.as_os_str().as_encoded_bytes());
        }
    }
    for name in ["vault.backup", "log.jsonl", "log.csv", "log.otlp"] {
        let content = fs::read(place.path("work").join(name)).expect("written");
        said.clean(name, &content);
    }
    place.verify();
    println!("{} runs searched", said.runs);
    held(
        42,
        "every command and many failures at the highest verbosity hold no value",
    );
}

/// Commands that change something.
fn store(place: &Place, said: &mut Said) {
    let text = |at: usize| String::from_utf8_lossy(VALUES[at]).into_owned();
    let work = place.path("work");
    fs::write(
        work.join("in.env"),
        format!("IN_A={}\nIN_B='{}'\n", text(0), text(1)),
    )
    .expect("written");
    let json = serde_json::json!({ "in/c": text(2), "in/d": { "user": text(0), "pass": text(1) } });
    fs::write(work.join("in.json"), json.to_string()).expect("written");
    for words in [
        &["set", "canary/a", "--stdin", "--update", "--json"][..],
        &["set", "canary/short", "--stdin"],
        &["generate", "canary/made", "--length", "40"],
        &["import", "in.env", "--dry-run"],
        &["import", "in.env"],
        &["import", "in.env", "--conflict", "skip", "--json"],
        &["import", "in.json", "--conflict", "replace"],
        &["edit", "canary/a", "--note", "another", "--json"],
        &["mv", "canary/a", "canary/z"],
        &["mv", "canary/z", "canary/a"],
        &["rm", "in/d"],
        &["rollback", "in/d"],
        &["rollback", "canary/a", "--to", "1"],
    ] {
        let input = if words.contains(&"canary/short") {
            b"c1"
        } else {
            VALUES[0]
        };
        said.silent(words, with_key(place, words, input).ok());
    }
    fs::write(work.join("policy.yaml"), RULE).expect("written");
    for words in [
        &["apply", "-f", "policy.yaml", "--dry-run"][..],
        &["apply", "-f", "policy.yaml", "--json"],
        &["key", "add", "recovery", "--label", "second"],
        &["key", "rm", "second"],
        &["key", "rotate"],
    ] {
        let done = proven(place, words, b"").ok();
        said.silent(words, done);
    }
}

/// Commands that look.
fn look(place: &Place, said: &mut Said) {
    for words in [
        &["status"][..],
        &["status", "--json"],
        &["ls"],
        &["ls", "--all", "--removed", "--json"],
        &["show", "canary/a"],
        &["show", "canary/c", "--json"],
        &["history", "canary/a"],
        &["history", "canary/a", "--json"],
        &["key", "ls", "--json"],
        &["policy", "show"],
        &["policy", "explain", "-k", "canary/a", "--", "id"],
        &["policy", "check"],
        &["log", "-n", "200"],
        &["log", "-n", "200", "--json"],
        &["audit", "verify", "--json"],
        &["audit", "export", "--format", "jsonl", "-o", "log.jsonl"],
        &["audit", "export", "--format", "csv", "-o", "log.csv"],
        &["audit", "export", "--format", "otlp", "-o", "log.otlp"],
        &["--help"],
    ] {
        said.silent(words, with_key(place, words, b"").ok());
    }
    // What lies about in clear is found, and not said.
    for words in [&["scan"][..], &["scan", "--json"], &["scan", "--sarif"]] {
        let done = said.silent(words, with_key(place, words, b""));
        assert_eq!(done.status, 1, "{done:?}");
    }
    let words = ["redact", "--known-from", "**", "in.env", "in.json"];
    let done = said.silent(&words, with_key(place, &words, b"").ok());
    assert!(done.text().contains("[REDACTED:"), "{done:?}");
    // The ways out that are meant: the value on standard output and nowhere else.
    for (at, name) in ["canary/a", "canary/b", "canary/c"].iter().enumerate() {
        let words = ["read", name];
        let done = said.discreet(&words, proven(place, &words, b"").ok());
        assert_eq!(done.out, VALUES[at], "{name}");
    }
    for format in ["dotenv", "json"] {
        let words = ["export", "--format", format, "canary/**"];
        let done = said.discreet(&words, proven(place, &words, b"").ok());
        assert!(Needles::of(VALUES[0]).find(&done.out).is_some());
        let file = format!("out.{format}");
        let words = ["export", "--format", format, "-o", &file, "canary/**"];
        said.silent(&words, proven(place, &words, b"").ok());
    }
}

/// A command that prints what it was given, and one that is refused.
fn run(place: &Place, said: &mut Said) {
    let line = "echo $A; echo $B; echo \"$C\"; echo $A >&2; exit 3";
    let words = [
        "run",
        "--bind",
        "A=canary/a",
        "--bind",
        "B=canary/b",
        "--bind",
        "C=canary/c",
        "--",
        "sh",
        "-c",
        line,
    ];
    let done = said.silent(&words, with_key(place, &words, b""));
    assert_eq!(done.status, 3, "{done:?}");
    for name in ["canary/a", "canary/b", "canary/c"] {
        assert!(
            done.text().contains(&format!("[REDACTED:{name}]")),
            "{done:?}"
        );
    }
    assert!(done.err.contains("[REDACTED:canary/a]"), "{done:?}");
    let words = [
        "--json",
        "run",
        "-k",
        "canary/a",
        "--inject",
        "stdin",
        "--",
        "sh",
        "-c",
        "cat; cat $C_FILE",
    ];
    let done = said.silent(&words, with_key(place, &words, b""));
    assert!(done.text().contains("[REDACTED:canary/a]"), "{done:?}");
    for words in [
        &["run", "-k", "canary/**", "--", "sh", "-c", "env"][..],
        &["run", "-k", "canary/a", "--", "printenv"],
        &["run", "-k", "canary/a", "--", "no-such-program"],
        &["run", "--env", "LD_PRELOAD", "-k", "canary/a", "--", "id"],
        &[
            "run",
            "-k",
            "canary/short",
            "--inject",
            "env",
            "--",
            "sh",
            "-c",
            line,
        ],
    ] {
        let done = said.silent(words, with_key(place, words, b""));
        assert!(done.status >= 125, "{words:?}: {done:?}");
    }
}

/// Failures with a value in what is wrong.
fn fail(place: &Place, said: &mut Said) {
    let work = place.path("work");
    let value = String::from_utf8_lossy(VALUES[0]).into_owned();
    let write = |name: &str, text: String| fs::write(work.join(name), text).expect("written");
    write("broken-quote.env", format!("A='{value}\n"));
    write("broken-name.env", format!("1{value} = 1\n"));
    write("broken-line.env", format!("A=1\n{value}\n"));
    write("after-quote.env", format!("A='x'{value}\n"));
    write("bare-equals.env", format!("={value}\n"));
    write("no-equals.env", format!("A: {value}\n"));
    write("not-json.json", format!("{{\"a\": {value}}}"));
    write("cut.json", format!("{{\"a\": \"{value}"));
    write("number.json", format!("{{\"{value}\": 7, \"{value}\": 8}}"));
    write(
        "deep.json",
        format!("{{\"a\": {{\"b\": {{\"c\": \"{value}\"}}}}}}"),
    );
    write(
        "base64.json",
        format!("{{\"a\": {{\"base64\": \"{value}\"}}}}"),
    );
    write("policy.env", format!("API_KEY={value}\n"));
    write("bad.yaml", format!("version: 1\nrules: {value}\n"));
    write("not-a-backup", value.clone());
    fs::write(place.path("not-a-key"), format!("{value}\n")).expect("written");
    let bad_key = place.path("not-a-key");
    let chmod = Command::new("chmod")
        .arg("600")
        .arg(&bad_key)
        .status()
        .expect("chmod runs");
    assert!(chmod.success());
    let bad_key = bad_key.to_str().expect("UTF-8");
    for words in [
        &["set", "canary/a", "--stdin", "--create"][..],
        &["set", "missing/key", "--stdin", "--update"],
        &["set", "bad key", "--stdin"],
        &["set", "canary/a#bad field", "--stdin"],
        &["set", "canary/a", &value],
        &["set", "canary/a", "--stdin", &value],
        &["set", &format!("canary/a={value}")],
        &["set", "canary/a", "--value", &value],
        &["set", "canary/a", &format!("--value={value}")],
        &["import", "broken-quote.env"],
        &["import", "broken-name.env"],
        &["import", "broken-line.env"],
        &["import", "after-quote.env"],
        &["import", "bare-equals.env"],
        &["import", "no-equals.env"],
        &["import", "not-json.json"],
        &["import", "cut.json"],
        &["import", "number.json"],
        &["import", "deep.json"],
        &["import", "base64.json"],
        &["import", "in.env", "--prefix", "new/"],
        &["import", "in.json", "--format", "dotenv"],
        &["import", "in.env", "--format", "json"],
        &["policy", "check", "policy.env"],
        &["policy", "test", "policy.env"],
        &["run", "--env-file", "broken-line.env", "--", "id"],
        &["run", "--env-file", "policy.env", "--", "id"],
        &["read", "canary/a"],
        &["rollback", "canary/a", "--to", "99"],
        &["mv", "canary/a", "canary/b"],
        &["read", "canary/a#nothing"],
    ] {
        for form in [&[][..], &["--json"]] {
            let all = [form, words].concat();
            let done = said.silent(&all, with_key(place, &all, VALUES[0]));
            // `import --prefix canary/` and one of the env files are fine; the rest fails.
            let may = words.contains(&"--prefix") || words.contains(&"policy.env");
            assert!(done.status != 0 || may, "{all:?}: {done:?}");
        }
    }
    for words in [
        &["restore", "not-a-backup"][..],
        &["apply", "-f", "policy.env"],
        &["apply", "-f", "bad.yaml"],
        &["read", "canary/none"],
        &["read", "canary/a", "--version", "77"],
        &["key", "rm", "none"],
        &["backup", "in.env"],
        &["--passphrase-fd", "9", "ls"],
    ] {
        let done = said.silent(words, proven(place, words, VALUES[0]));
        assert_ne!(done.status, 0, "{words:?}: {done:?}");
    }
    let done = said.silent(
        &["wrong passphrase"],
        proven_by(place, "wrong", &["ls"], b""),
    );
    assert!(!done.err.contains("not the passphrase"), "{done:?}");
    let mut bad = Command::new(subrosa_tests::program());
    place.surround(&mut bad);
    bad.args(["--debug", "--key-file", bad_key, "ls"]);
    let done = said.silent(&["a bad key file"], Done::of(loud(&mut bad), b""));
    assert_eq!(done.status, 1, "{done:?}");
    // A reader that goes away while a value is written to it.
    let mut read = place.with_passphrase("passphrase", &["--debug", "read", "canary/c"]);
    let mut child = loud(&mut read)
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    drop(child.stdout.take());
    said.silent(
        &["a closed pipe"],
        Done::from(child.wait_with_output().expect("it ends")),
    );
}

/// Everything at once, out and in.
fn keep(place: &Place, said: &mut Said) {
    for words in [
        &["backup", "vault.backup"][..],
        &["restore", "vault.backup"],
        &["audit", "prune", "--before", "0s"],
        &["rm", "--purge", "in/d"],
    ] {
        let done = proven(place, words, b"");
        let done = said.silent(words, done);
        assert!(
            done.status == 0 || words.contains(&"prune"),
            "{words:?}: {done:?}"
        );
    }
}

const WAITS: &str = "echo $API_KEY; : >ready; while [ ! -e go ]; do sleep 0.02; done";

/// While a command runs: nobody's arguments, and no environment but its own.
#[test]
fn row_42_only_the_child_has_the_value_in_proc() {
    let place = Place::new();
    place.set("api/key", VALUES[0]);
    place.allow("sh", &["-c", WAITS], "api/key");
    let needles = Needles::of(VALUES[0]);
    let arguments = ["run", "-k", "api/key", "--", "sh", "-c", WAITS];
    let child = place.command(&arguments).spawn().expect("it starts");
    wait_until("the command running", || place.path("work/ready").exists());
    let mut holders = Vec::new();
    for entry in fs::read_dir("/proc").expect("there").flatten() {
        let name = entry.file_name().into_string().unwrap_or_default();
        let Ok(pid) = name.parse::<u32>() else {
            continue;
        };
        let read = |file: &str| fs::read(entry.path().join(file)).unwrap_or_default();
        for file in ["cmdline", "comm", "status", "maps"] {
            assert_eq!(needles.find(&read(file)), None, "/proc/{pid}/{file}");
        }
        if needles.find(&read("environ")).is_some() {
            holders.push(String::from_utf8_lossy(&read("comm")).trim().to_owned());
        }
    }
    let meant = ["sh", "dash", "bash", "busybox", "sleep"];
    assert!(!holders.is_empty(), "not even the child has it");
    assert!(
        holders.iter().all(|name| meant.contains(&name.as_str())),
        "processes with the value in their environment: {holders:?}"
    );
    let dumped = core_of(&place, child.id());
    fs::write(place.path("work/go"), "").expect("written");
    let done = Done::from(child.wait_with_output().expect("it ends")).ok();
    assert_eq!(done.text(), "[REDACTED:api/key]\n");
    match dumped {
        Some(core) => {
            assert!(
                core.len() > 4096,
                "a core image of {} bytes is none",
                core.len()
            );
            assert_eq!(needles.find(&core), None, "the core image");
            held(
                42,
                "no argument, no environment but the child's, no core image",
            );
        }
        None => skipped(
            42,
            "a core image of the running program takes root and gdb's gcore",
        ),
    }
}

/// The image that a debugger writes of the running program, when one may.
fn core_of(place: &Place, pid: u32) -> Option<Vec<u8>> {
    if !is_root() {
        return None;
    }
    let prefix = place.path("core");
    let done = Command::new("gcore")
        .arg("-o")
        .arg(&prefix)
        .arg(pid.to_string())
        .output()
        .ok()?;
    let image = fs::read(place.path(&format!("core.{pid}"))).ok();
    assert!(image.is_some(), "{}", String::from_utf8_lossy(&done.stderr));
    image
}

/// A crash writes no core, wherever the system would put it.
#[test]
fn row_03_a_crash_leaves_no_core() {
    use std::os::unix::process::ExitStatusExt;
    let place = Place::new();
    place.set("api/key", VALUES[0]);
    place.allow("sh", &["-c", WAITS], "api/key");
    let mut shell = Command::new("/bin/sh");
    place.surround(&mut shell);
    shell
        .args(["-c", "ulimit -c unlimited; exec \"$@\"", "sh"])
        .arg(subrosa_tests::program())
        .arg("--key-file")
        .arg(place.key_file())
        .args(["run", "-k", "api/key", "--", "sh", "-c", WAITS]);
    let child = shell.spawn().expect("it starts");
    wait_until("the command running", || place.path("work/ready").exists());
    let kill = Command::new("kill")
        .args(["-ABRT", &child.id().to_string()])
        .status();
    assert!(kill.expect("kill runs").success());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.signal(), Some(6));
    assert!(!output.status.core_dumped(), "the system wrote a core");
    held(3, "a crash of the program leaves no core");
}
