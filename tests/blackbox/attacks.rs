//! The red-team rows that can be seen from outside, against the program as it is shipped.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use subrosa_tests::{Done, Place, copies, held, is_root, program, skipped, wait_until};

const VALUE: &[u8] = b"canary-4p9zk2-row-value";

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("ours");
}

fn script(path: &Path, text: &str) {
    fs::write(path, text).expect("written");
    mode(path, 0o755);
}

/// Starts `subrosa run` with a secret and a command that waits, gives its process identifier to
/// `look`, and ends it.
fn while_running(place: &Place, command: Command, look: impl FnOnce(u32)) {
    let (ready, go) = (place.path("work/ready"), place.path("work/go"));
    let mut command = command;
    let child = command
        .stdin(Stdio::null())
        .spawn()
        .expect("the program starts");
    wait_until("the command running", || ready.exists());
    look(child.id());
    fs::write(go, "").expect("written");
    let done = Done::from(child.wait_with_output().expect("it ends"));
    assert_eq!(
        (done.status, done.text().as_str()),
        (0, "[REDACTED:api/key]\n"),
        "{done:?}"
    );
}

const WAITS: &str = ": >ready; while [ ! -e go ]; do sleep 0.02; done; echo $API_KEY";

#[test]
fn row_03_no_core_and_no_way_in_for_another_process() {
    let place = Place::new();
    place.set("api/key", VALUE);
    place.allow("sh", &["-c", WAITS], "api/key");
    let arguments = ["run", "-k", "api/key", "--", "sh", "-c", WAITS];
    while_running(&place, place.command(&arguments), |pid| {
        let limits = fs::read_to_string(format!("/proc/{pid}/limits")).expect("readable");
        let core = limits
            .lines()
            .find(|line| line.starts_with("Max core file size"));
        let core: Vec<&str> = core.expect("a limit").split_whitespace().collect();
        assert_eq!(&core[4..6], ["0", "0"], "the core limit");
    });
    held(
        3,
        "the core limit is 0, soft and hard, while a value is held",
    );
}

/// A debugger of the same user gets nowhere. Root gets everywhere, so root plays another user.
#[test]
fn row_03_a_process_of_the_same_user_reads_nothing_of_ours() {
    let folder = tempfile::tempdir_in("/tmp").expect("a folder");
    mode(folder.path(), 0o755);
    let copy = folder.path().join("subrosa");
    fs::copy(program(), &copy).expect("copied");
    mode(&copy, 0o755);
    let as_user = |program: &Path| {
        let mut command = Command::new("setpriv");
        if is_root() {
            command
                .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
                .arg(program);
            command
        } else {
            Command::new(program)
        }
    };
    let home = folder.path().join("home");
    fs::create_dir(&home).expect("made");
    mode(&home, 0o700);
    if is_root() {
        chown(&home, Some(65534), Some(65534)).expect("root may");
    }
    let attack = |pid: u32, file: &str| {
        let mut cat = as_user(Path::new("/bin/cat"));
        cat.arg(format!("/proc/{pid}/{file}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        cat.status().expect("cat runs").success()
    };

    // It waits for a value on its standard input, long after it has closed itself.
    let mut child = as_user(&copy)
        .env_clear()
        .env("HOME", &home)
        .args(["init", "--passphrase-fd", "0"])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let pid = child.id();
    let is_waiting = || {
        fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "subrosa")
            && asleep(pid)
    };
    wait_until("the program waiting", is_waiting);
    for file in ["environ", "maps", "mem", "io", "stack"] {
        assert!(!attack(pid, file), "/proc/PID/{file} was read");
    }
    drop(child.stdin.take());
    child.wait().expect("it ends");

    // The same attack on a program that does not defend itself.
    let mut open = as_user(Path::new("/bin/sleep"))
        .arg("60")
        .spawn()
        .expect("it starts");
    wait_until("sleep running", || {
        fs::read_to_string(format!("/proc/{}/comm", open.id()))
            .is_ok_and(|name| name.trim() == "sleep")
    });
    assert!(
        attack(open.id(), "environ"),
        "the attack shows nothing on this machine"
    );
    open.kill().expect("ours");
    open.wait().expect("it ends");
    held(
        3,
        "environ, maps and mem of the program are closed to its own user",
    );
}

fn asleep(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        stat.rsplit(')')
            .next()
            .is_some_and(|rest| rest.trim_start().starts_with('S'))
    })
}

#[test]
fn row_28_a_planted_program_is_not_the_one_that_runs() {
    let place = Place::new();
    place.set("api/key", VALUE);
    place.allow("tool", &["go"], "api/key");
    let (good, bad) = (place.path("good"), place.path("bad"));
    for folder in [&good, &bad] {
        fs::create_dir(folder).expect("made");
    }
    script(&good.join("tool"), "#!/bin/sh\necho good $API_KEY\n");
    script(
        &bad.join("tool"),
        "#!/bin/sh\necho BAD; echo $API_KEY | rev\n",
    );
    script(&place.path("work/tool"), "#!/bin/sh\necho BAD\n");
    let run = |path: &str, program: &str| {
        let arguments = [
            "run", "-k", "api/key", "--inject", "env", "--", program, "go",
        ];
        let mut command = place.command(&arguments);
        command.env("PATH", path);
        Done::of(&mut command, b"")
    };
    let path = |folders: &[&Path]| {
        let folders: Vec<String> = folders.iter().map(|f| f.display().to_string()).collect();
        format!("{}:/usr/bin:/bin", folders.join(":"))
    };
    let works = |done: Done| assert_eq!(done.ok().text(), "good [REDACTED:api/key]\n");
    works(run(&path(&[&good]), "tool"));

    // Earlier in the path: a folder that everybody writes to, and the working directory.
    mode(&bad, 0o777);
    works(run(&path(&[&bad, &good]), "tool"));
    works(run(&format!(":.:{}", path(&[&good])), "tool"));
    // The only one there is: refused.
    let only = run(&path(&[&bad]), "tool");
    assert!(only.status == 125 && only.out.is_empty(), "{only:?}");
    // A link out of a good folder into the bad one.
    fs::remove_file(good.join("tool")).expect("removed");
    symlink(bad.join("tool"), good.join("tool")).expect("linked");
    let linked = run(&path(&[&good]), "tool");
    assert!(linked.status == 125 && linked.out.is_empty(), "{linked:?}");
    // The good file itself, open to everybody.
    fs::remove_file(good.join("tool")).expect("removed");
    script(&good.join("tool"), "#!/bin/sh\necho good $API_KEY\n");
    mode(&good.join("tool"), 0o777);
    let open = run(&path(&[&good]), "tool");
    assert!(open.status == 125 && open.out.is_empty(), "{open:?}");
    mode(&good.join("tool"), 0o755);
    works(run(&path(&[&good]), "tool"));
    place.verify();
    held(
        28,
        "folders and files that others write to are passed over or refused",
    );
}

#[test]
fn row_28_no_variable_changes_what_is_executed() {
    let place = Place::new();
    place.set("api/key", VALUE);
    place.allow("bash", &["-c", "env; echo $API_KEY"], "api/key");
    let evil = place.path("work/evil.sh");
    script(&evil, "echo BAD $API_KEY | rev\n");
    let names = [
        "LD_PRELOAD",
        "LD_AUDIT",
        "LD_LIBRARY_PATH",
        "BASH_ENV",
        "ENV",
        "NODE_OPTIONS",
        "PYTHONPATH",
        "GIT_SSH_COMMAND",
        "PROMPT_COMMAND",
        "BASH_FUNC_echo%%",
        "IFS",
        "PERL5OPT",
        "RUBYOPT",
    ];
    let arguments = [
        "run",
        "-k",
        "api/key",
        "--",
        "bash",
        "-c",
        "env; echo $API_KEY",
    ];
    let mut command = place.command(&arguments);
    for name in names {
        command.env(name, evil.to_str().expect("UTF-8"));
    }
    let done = Done::of(&mut command, b"").ok();
    assert!(
        !done.text().contains("evil") && !done.text().contains("DAB"),
        "{done:?}"
    );
    assert!(done.text().contains("[REDACTED:api/key]"));
    for name in [
        "LD_PRELOAD",
        "BASH_ENV",
        "NODE_OPTIONS",
        "PYTHONPATH",
        "GIT_SSH_COMMAND",
    ] {
        let mut passed = vec!["run", "--env", name];
        passed.extend(&arguments[1..]);
        let mut command = place.command(&passed);
        command.env(name, &evil);
        Done::of(&mut command, b"").explained_or_refused(name);
        let bind = format!("{name}=api/key");
        let bound = [
            "run",
            "--bind",
            &bind,
            "--",
            "bash",
            "-c",
            "env; echo $API_KEY",
        ];
        Done::of(&mut place.command(&bound), b"").explained_or_refused(name);
    }
    held(
        28,
        "none is inherited, passed on by name, or bound to a secret",
    );
}

trait Refused {
    fn explained_or_refused(self, name: &str);
}

impl Refused for Done {
    /// Refused by us, with the name in the message and nothing run.
    fn explained_or_refused(self, name: &str) {
        assert!(
            self.status == 125 && self.out.is_empty(),
            "{name}: {self:?}"
        );
        assert!(self.err.contains(name), "{name}: {self:?}");
    }
}

#[test]
fn row_29_a_denied_name_is_denied_by_every_way_to_it() {
    let place = Place::new();
    place.set("api/key", VALUE);
    let id = which("id");
    let shell = which("sh");
    let bin = place.path("bin");
    fs::create_dir(&bin).expect("made");
    symlink(&id, bin.join("harmless")).expect("linked");
    symlink(&shell, bin.join("editor")).expect("linked");
    symlink(bin.join("editor"), bin.join("twice")).expect("linked");
    symlink(&id, place.path("work/here")).expect("linked");
    // Whatever name is typed, a rule allows it; the denial is of the one program behind them.
    let mut policy = "version: 1\ndenied_commands: [id, dash, bash]\nrules:\n".to_owned();
    let up = format!("/usr/../{}", id.trim_start_matches('/'));
    let here = place.path("work/here").display().to_string();
    let bin_name = bin.join("harmless").display().to_string();
    for name in [
        "id", &id, "harmless", &bin_name, &here, "sh", &shell, "editor", "twice", "env",
        "printenv", "nice", "cat", "basename",
    ] {
        policy.push_str(&format!(
            "  - allow: run\n    command: {name:?}\n    args: [\"**\"]\n    \
             secrets: [\"**\"]\n    inject: env\n"
        ));
    }
    place.apply(&policy);
    let run = |words: &[&str]| {
        let mut all = vec!["run", "-k", "api/key", "--inject", "env", "--"];
        all.extend(words);
        let mut command = place.command(&all);
        command.env("PATH", format!("{}:/usr/bin:/bin", bin.display()));
        Done::of(&mut command, b"")
    };
    for words in [
        &["id"][..],
        &[&id],
        &[&up],
        &["./here"],
        &["harmless"],
        &[&bin_name],
        &["sh", "-c", "echo $API_KEY"],
        &[&shell, "-c", "echo $API_KEY"],
        &["editor", "-c", "echo $API_KEY"],
        &["twice", "-c", "echo $API_KEY"],
        &["env"],
        &["printenv", "API_KEY"],
        &["nice", "sh", "-c", "echo $API_KEY"],
        &["cat", "/proc/self/environ"],
    ] {
        let done = run(words);
        assert_eq!(done.status, 125, "{words:?}: {done:?}");
        assert!(done.out.is_empty(), "{words:?}: {done:?}");
    }
    // What is not denied runs under the same rule.
    assert_eq!(run(&["basename", "/a/b"]).ok().text(), "b\n");
    assert!(
        place.log().matches("\"deny\"").count() >= 14,
        "each refusal is in the log"
    );
    held(
        29,
        "absolute, dotted and linked names of denied commands are refused",
    );
}

/// Where a program really is.
fn which(name: &str) -> String {
    let found = ["/usr/bin", "/bin"]
        .iter()
        .map(|folder| Path::new(folder).join(name));
    let found = found
        .into_iter()
        .find(|path| path.exists())
        .expect("a common program");
    found.to_str().expect("UTF-8").to_owned()
}

#[test]
fn row_31_nothing_is_left_of_a_command_that_is_over() {
    let place = Place::new();
    place.set("api/key", VALUE);
    let ends = "setsid sh -c 'trap \"\" TERM HUP; exec sleep 3571' & sleep 0.3; echo $API_KEY";
    let stays = "setsid sleep 3572 & echo $API_KEY; sleep 3573";
    let floods = "while :; do echo 0123456789 0123456789; done";
    let rule = |line: &str, limits: &str| {
        format!(
            "  - allow: run\n    command: sh\n    args: [\"-c\", {line:?}]\n    \
             secrets: [\"api/key\"]\n    inject: env\n{limits}"
        )
    };
    place.apply(&format!(
        "version: 1\nrules:\n{}{}{}",
        rule(ends, ""),
        rule(stays, ""),
        rule(floods, "    limits: { timeout: 60s, output: 64KB }\n"),
    ));
    let run = |options: &[&str], line: &str| {
        let mut all = vec!["run", "-k", "api/key"];
        all.extend(options);
        all.extend(["--", "sh", "-c", line]);
        place.run(&all)
    };
    let start = Instant::now();
    // Bounded, so that a run which waits for what it failed to end is seen to fail.
    let done = run(&["--timeout", "20s"], ends).ok();
    assert_eq!(done.text(), "[REDACTED:api/key]\n");
    assert!(
        !is_running("3571"),
        "a grandchild in a session of its own outlives the command"
    );
    let done = run(&["--timeout", "1s"], stays);
    assert!(
        done.status == 125 && done.err.contains("ran longer than"),
        "{done:?}"
    );
    assert!(
        !is_running("3572") && !is_running("3573"),
        "something outlives the timeout"
    );
    let done = run(&[], floods);
    assert!(done.out.len() <= 80 * 1024, "{} bytes", done.out.len());
    assert!(done.err.contains("output"), "{}", done.err);
    assert!(
        start.elapsed() < Duration::from_secs(45),
        "{:?}",
        start.elapsed()
    );
    place.verify();
    held(
        31,
        "grandchildren end with the command or its time, floods at the cap",
    );
}

/// Whether a `sleep` of that many seconds is there.
fn is_running(seconds: &str) -> bool {
    let line = [b"sleep\0", seconds.as_bytes(), b"\0"].concat();
    fs::read_dir("/proc")
        .expect("there")
        .flatten()
        .any(|entry| fs::read(entry.path().join("cmdline")).is_ok_and(|found| found == line))
}

/// The redactor keeps one copy of each value in ordinary memory, which it wipes (see the page on
/// memory in `subrosa-redact`). Whatever is beyond that is a leak.
#[test]
fn row_04_a_run_holds_values_in_locked_pages_and_once_in_the_redactor() {
    if !is_root() {
        return skipped(
            4,
            "only root may read the memory of a program that closes itself",
        );
    }
    let place = Place::new();
    place.set("api/key", VALUE);
    place.allow("sh", &["-c", WAITS], "**");
    let arguments = ["run", "-k", "**", "--", "sh", "-c", WAITS];
    while_running(&place, place.command(&arguments), |pid| {
        let (mut locked, mut open) = (0, 0);
        for pid in std::iter::once(pid)
            .chain(children(pid))
            .filter(|pid| is_program(*pid))
        {
            let found = copies(pid, VALUE);
            (locked, open) = (locked + found.0, open + found.1);
        }
        println!("copies: {locked} in locked pages, {open} in others");
        assert!(open <= 1, "{open} copies in ordinary memory");
        assert!((1..=4).contains(&locked), "{locked} copies in locked pages");
    });
    held(
        4,
        "a run holds a value in locked pages, and once in the redactor",
    );
}

fn is_program(pid: u32) -> bool {
    fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|path| path == program())
}

fn children(pid: u32) -> Vec<u32> {
    let file = format!("/proc/{pid}/task/{pid}/children");
    let mut all = Vec::new();
    for child in fs::read_to_string(file)
        .unwrap_or_default()
        .split_whitespace()
    {
        let child = child.parse().expect("a number");
        all.push(child);
        all.extend(children(child));
    }
    all
}
