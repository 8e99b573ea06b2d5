//! The red-team rows that can be seen from outside, against the program as it is shipped.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use subrosa_tests::{Done, Place, copy_folder, held, is_root, program, skipped, wait_until};

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
    let child = command.stdin(Stdio::null()).spawn().expect("the program starts");
    wait_until("the command running", || ready.exists());
    look(child.id());
    fs::write(go, "").expect("written");
    let done = Done::from(child.wait_with_output().expect("it ends"));
    assert_eq!((done.status, done.text().as_str()), (0, "[REDACTED:api/key]\n"), "{done:?}");
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
        let core = limits.lines().find(|line| line.starts_with("Max core file size"));
        let core: Vec<&str> = core.expect("a limit").split_whitespace().collect();
        assert_eq!(&core[4..6], ["0", "0"], "the core limit");
    });
    held(3, "the core limit is 0, soft and hard, while a value is held");
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
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(program);
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
        cat.arg(format!("/proc/{pid}/{file}")).stdout(Stdio::null()).stderr(Stdio::null());
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
    let mut open = as_user(Path::new("/bin/sleep")).arg("60").spawn().expect("it starts");
    wait_until("sleep running", || {
        fs::read_to_string(format!("/proc/{}/comm", open.id())).is_ok_and(|name| name.trim() == "sleep")
    });
    assert!(attack(open.id(), "environ"), "the attack shows nothing on this machine");
    open.kill().expect("ours");
    open.wait().expect("it ends");
    held(3, "environ, maps and mem of the program are closed to its own user");
}

fn asleep(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('S')))
}

/// Everything that is said of a run is the same for a short and a long value.
#[test]
fn row_13_nothing_said_of_a_run_depends_on_the_length_of_the_value() {
    let place = Place::new();
    place.allow("sh", &["-c", "printf %s $API_KEY"], "api/key");
    let mut said = Vec::new();
    for length in [12, 13, 64, 900] {
        let value: Vec<u8> = (0..length).map(|at| b"kXq7Zp2mWv9"[at % 11]).collect();
        place.set("api/key", &value);
        let run = ["--json", "run", "-k", "api/key", "--", "sh", "-c", "printf %s $API_KEY"];
        let done = place.run(&run).ok();
        assert_eq!(done.text(), "[REDACTED:api/key]");
        let last = done.err.lines().last().expect("an account");
        let mut account: serde_json::Value = serde_json::from_str(last).expect("JSON");
        account["run"]["duration_ms"] = 0.into();
        let shown = place.run(&["show", "api/key", "--json"]).ok().text();
        let mut shown: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
        // Times and version numbers go on by themselves.
        strip(&mut shown, &["created", "modified", "version", "versions", "written"]);
        let log = place.log();
        let completion = log.lines().rfind(|line| line.contains("\"redactions\"")).expect("one");
        let mut completion: serde_json::Value = serde_json::from_str(completion).expect("JSON");
        strip(&mut completion, &["time", "request", "sequence", "caller", "link"]);
        said.push((account, shown, completion));
    }
    for other in &said[1..] {
        assert_eq!(*other, said[0]);
    }
    held(13, "mask, run report, show and log are the same for 12 and for 900 bytes");
}

fn strip(value: &mut serde_json::Value, names: &[&str]) {
    match value {
        serde_json::Value::Object(map) => {
            map.retain(|name, _| !names.contains(&name.as_str()));
            map.values_mut().for_each(|inner| strip(inner, names));
        }
        serde_json::Value::Array(list) => list.iter_mut().for_each(|inner| strip(inner, names)),
        _ => {}
    }
}

#[test]
fn row_25_a_pinned_secret_goes_nowhere_here_under_any_name() {
    let place = Place::new();
    let pin = ["openai/key", "--pin", "openai", "--host", "api.openai.com"];
    place.set_with(&pin, VALUE).ok();
    place.set("plain/key", b"an-ordinary-value-77");
    place.apply(
        "version: 1\nrules:\n  - allow: run\n    command: printenv\n    args: [\"API_KEY\"]\n    \
         secrets: [\"**\"]\n    inject: env\n",
    );
    let bound = |key: &str| {
        let bind = format!("API_KEY={key}");
        place.run(&["run", "--inject", "env", "--bind", &bind, "--", "printenv", "API_KEY"])
    };
    assert_eq!(bound("plain/key").ok().text(), "[REDACTED:plain/key]\n");
    let refused = |key: &str| {
        let done = bound(key).explained(&["pinned"]);
        assert_eq!(done.status, 125);
        place.proven(&["read", key]).explained(&["pinned"]);
    };
    refused("openai/key");
    place.run(&["mv", "openai/key", "moved/key"]).ok();
    refused("moved/key");
    // A name that was pinned is not pinned by its past, and no name lends its pin away.
    place.run(&["mv", "plain/key", "openai/key"]).ok();
    bound("openai/key").ok();
    refused("moved/key");
    let again = ["moved/key", "--pin", "mine", "--host", "evil.example"];
    assert_ne!(place.set_with(&again, b"other-value-8833").status, 0);
    let exported = place.proven(&["export", "--format", "json"]).ok();
    assert!(!exported.text().contains("canary"), "{exported:?}");
    assert!(place.log().contains("\"pin\""), "the refusals are in the log");
    place.verify();
    held(25, "refused as a variable, to read and in an export, before and after a rename");
}

#[test]
fn row_27_a_loose_or_linked_folder_is_refused_until_it_is_mended() {
    let place = Place::new();
    place.set("api/key", VALUE);
    let refused = |words: &[&str]| {
        place.run(&["ls"]).explained(words);
        place.set_with(&["other"], b"value-of-another").explained(words);
    };
    for (path, bad, good) in [
        (place.data(), 0o755, 0o700),
        (place.data(), 0o770, 0o700),
        (place.vault(), 0o644, 0o600),
        (place.vault(), 0o620, 0o600),
        (place.path("live/home"), 0o777, 0o700),
        (place.path("live/home/state"), 0o705, 0o700),
    ] {
        mode(&path, bad);
        refused(&["type: chmod"]);
        mode(&path, good);
        assert_eq!(place.run(&["ls"]).ok().text().lines().count(), 2);
    }
    mode(&place.key_file(), 0o640);
    place.run(&["ls"]).explained(&["chmod 600"]);
    mode(&place.key_file(), 0o600);

    for path in [place.data(), place.vault(), place.path("live/home")] {
        let aside = place.path("aside");
        fs::rename(&path, &aside).expect("moved");
        symlink(&aside, &path).expect("linked");
        refused(&["symbolic link; "]);
        fs::remove_file(&path).expect("removed");
        fs::rename(&aside, &path).expect("moved");
    }
    // A second name for the file, through which it could be written from elsewhere.
    fs::hard_link(place.vault(), place.path("second")).expect("linked");
    refused(&["hard links"]);
    fs::remove_file(place.path("second")).expect("removed");
    assert_eq!(place.read("api/key"), VALUE);
    place.verify();
    held(27, "loose modes, symbolic and hard links are refused; mended, all is there");
}

#[test]
fn row_27_policy_and_log_written_over_are_noticed() {
    let place = Place::new();
    place.set("api/key", VALUE);
    place.allow("sh", &["-c", "echo $API_KEY"], "api/key");
    place.save("narrow");
    let wide = "version: 1\nrules:\n  - allow: run\n    command: printenv\n    args: [\"**\"]\n    \
                secrets: [\"**\"]\n    inject: env\n";
    place.apply(wide);
    let loose = records(&place.vault());
    place.put_back("narrow");

    // Each record of the wider policy's time, put alone into the vault of the narrower.
    let before = records(&place.vault());
    let mut tried = 0;
    for (key, revision, body) in &loose {
        if before.contains(&(key.clone(), *revision, body.clone())) {
            continue;
        }
        let db = Connection::open(place.vault()).expect("SQLite");
        db.execute("REPLACE INTO records VALUES (?1, ?2, ?3)", (key, revision, body)).expect("SQL");
        drop(db);
        let run = ["run", "-k", "api/key", "--inject", "env", "--", "printenv", "API_KEY"];
        let done = place.run(&run);
        assert_eq!(done.status, 125, "{done:?}");
        assert!(done.out.is_empty());
        tried += 1;
        place.put_back("narrow");
    }
    assert!(tried >= 2, "the policy has a record and the state another");
    let run = ["run", "-k", "api/key", "--", "sh", "-c", "echo $API_KEY"];
    assert_eq!(place.run(&run).ok().text(), "[REDACTED:api/key]\n");
    held(27, "no record of a wider policy is taken in place of the one in force");
}

type Row = (Vec<u8>, i64, Vec<u8>);

fn records(vault: &Path) -> Vec<Row> {
    let db = Connection::open(vault).expect("SQLite");
    let mut query = db.prepare("SELECT key, revision, body FROM records").expect("SQL");
    let rows = query.query_map((), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).expect("SQL");
    rows.map(|row| row.expect("a row")).collect()
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
    script(&bad.join("tool"), "#!/bin/sh\necho BAD; echo $API_KEY | rev\n");
    script(&place.path("work/tool"), "#!/bin/sh\necho BAD\n");
    let run = |path: &str, program: &str| {
        let arguments = ["run", "-k", "api/key", "--inject", "env", "--", program, "go"];
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
    held(28, "folders and files that others write to are passed over or refused");
}

#[test]
fn row_28_no_variable_changes_what_is_executed() {
    let place = Place::new();
    place.set("api/key", VALUE);
    place.allow("bash", &["-c", "env; echo $API_KEY"], "api/key");
    let evil = place.path("work/evil.sh");
    script(&evil, "echo BAD $API_KEY | rev\n");
    let names = [
        "LD_PRELOAD", "LD_AUDIT", "LD_LIBRARY_PATH", "BASH_ENV", "ENV", "NODE_OPTIONS", "PYTHONPATH",
        "GIT_SSH_COMMAND", "PROMPT_COMMAND", "BASH_FUNC_echo%%", "IFS", "PERL5OPT", "RUBYOPT",
    ];
    let arguments = ["run", "-k", "api/key", "--", "bash", "-c", "env; echo $API_KEY"];
    let mut command = place.command(&arguments);
    for name in names {
        command.env(name, evil.to_str().expect("UTF-8"));
    }
    let done = Done::of(&mut command, b"").ok();
    assert!(!done.text().contains("evil") && !done.text().contains("DAB"), "{done:?}");
    assert!(done.text().contains("[REDACTED:api/key]"));
    for name in ["LD_PRELOAD", "BASH_ENV", "NODE_OPTIONS", "PYTHONPATH", "GIT_SSH_COMMAND"] {
        let mut passed = vec!["run", "--env", name];
        passed.extend(&arguments[1..]);
        let mut command = place.command(&passed);
        command.env(name, &evil);
        Done::of(&mut command, b"").explained_or_refused(name);
        let bind = format!("{name}=api/key");
        let bound = ["run", "--bind", &bind, "--", "bash", "-c", "env; echo $API_KEY"];
        Done::of(&mut place.command(&bound), b"").explained_or_refused(name);
    }
    held(28, "none is inherited, passed on by name, or bound to a secret");
}

trait Refused {
    fn explained_or_refused(self, name: &str);
}

impl Refused for Done {
    /// Refused by us, with the name in the message and nothing run.
    fn explained_or_refused(self, name: &str) {
        assert!(self.status == 125 && self.out.is_empty(), "{name}: {self:?}");
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
    assert!(place.log().matches("\"deny\"").count() >= 14, "each refusal is in the log");
    held(29, "absolute, dotted and linked names of denied commands are refused");
}

/// Where a program really is.
fn which(name: &str) -> String {
    let found = ["/usr/bin", "/bin"].iter().map(|folder| Path::new(folder).join(name));
    let found = found.into_iter().find(|path| path.exists()).expect("a common program");
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
    let done = run(&[], ends).ok();
    assert_eq!(done.text(), "[REDACTED:api/key]\n");
    assert!(!is_running("3571"), "a grandchild in a session of its own outlives the command");
    let done = run(&["--timeout", "1s"], stays);
    assert!(done.status == 125 && done.err.contains("longer than it may"), "{done:?}");
    assert!(!is_running("3572") && !is_running("3573"), "something outlives the timeout");
    let done = run(&[], floods);
    assert!(done.out.len() <= 80 * 1024, "{} bytes", done.out.len());
    assert!(done.err.contains("output"), "{}", done.err);
    assert!(start.elapsed() < Duration::from_secs(45), "{:?}", start.elapsed());
    place.verify();
    held(31, "grandchildren end with the command or its time, floods at the cap");
}

/// Whether a `sleep` of that many seconds is there.
fn is_running(seconds: &str) -> bool {
    let line = [b"sleep\0", seconds.as_bytes(), b"\0"].concat();
    fs::read_dir("/proc")
        .expect("there")
        .flatten()
        .any(|entry| fs::read(entry.path().join("cmdline")).is_ok_and(|found| found == line))
}

#[test]
fn row_39_every_change_of_the_log_is_found() {
    let place = Place::new();
    for number in 0..6 {
        place.set(&format!("key/{number}"), VALUE);
    }
    let _ = place.run(&["run", "-k", "key/1", "--", "id"]);
    place.verify();
    place.save("sound");
    let all: i64 = sql(&place, |db| db.query_row("SELECT max(sequence) FROM log", (), |row| row.get(0)));
    assert!(all > 10);
    let changes: [(&str, String); 8] = [
        ("one deleted", format!("DELETE FROM log WHERE sequence = {}", all / 2)),
        ("the first deleted", "DELETE FROM log WHERE sequence = (SELECT min(sequence) FROM log)".to_owned()),
        ("the end cut off", format!("DELETE FROM log WHERE sequence > {}", all - 3)),
        ("all deleted", "DELETE FROM log".to_owned()),
        (
            "two exchanged",
            format!(
                "UPDATE log SET sequence = -1 WHERE sequence = 3; UPDATE log SET sequence = 3 WHERE \
                 sequence = {0}; UPDATE log SET sequence = {0} WHERE sequence = -1",
                all - 2
            ),
        ),
        (
            "one edited",
            "UPDATE log SET body = CAST(substr(body, 1, length(body) - 40) || x'00' || \
             substr(body, length(body) - 38) AS BLOB) WHERE sequence = 5"
                .to_owned(),
        ),
        ("one repeated", format!("INSERT INTO log SELECT {} , body FROM log WHERE sequence = 4", all + 1)),
        ("head and log gone", "DELETE FROM log; UPDATE tip SET sequence = NULL, head = NULL".to_owned()),
    ];
    for (what, change) in &changes {
        sql(&place, |db| db.execute_batch(change));
        let done = place.run(&["audit", "verify"]);
        assert_eq!(done.status, 1, "{what}: {done:?}");
        assert!(
            done.text().contains("WRONG") || done.err.contains("\n  try: "),
            "{what}: {done:?}"
        );
        place.put_back("sound");
    }
    // The whole folder put back to an earlier time; the anchor outside of it remembers.
    copy_folder(&place.data(), &place.path("earlier"));
    place.set("later", VALUE);
    fs::remove_dir_all(place.data()).expect("removed");
    copy_folder(&place.path("earlier"), &place.data());
    assert_eq!(place.run(&["audit", "verify"]).status, 1);
    place.put_back("sound");
    let done = place.run(&["audit", "verify"]).ok();
    assert!(done.text().contains("sound") && done.text().contains("not detected"), "{done:?}");
    held(39, "deleted, cut, exchanged, edited, repeated, rewound: found; what cannot be is said");
}

fn sql<T>(place: &Place, what: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> T {
    let db = Connection::open(place.vault()).expect("SQLite");
    what(&db).expect("SQL")
}

#[test]
fn row_40_a_vault_put_back_or_mixed_is_refused() {
    let place = Place::new();
    place.set("api/key", b"old-value-of-the-key");
    place.set("other/key", VALUE);
    place.save("old");
    let old = records(&place.vault());
    place.set("api/key", b"new-value-of-the-key");
    place.save("new");

    // The file alone, from before.
    fs::copy(place.path("old/home/data/vault.db"), place.vault()).expect("copied");
    for suffix in ["vault.db-wal", "vault.db-shm"] {
        let _ = fs::remove_file(place.data().join(suffix));
    }
    let done = place.proven(&["read", "api/key"]).explained(&[]);
    assert!(done.out.is_empty());
    place.put_back("new");

    // Single records from before, and all bodies of one kind exchanged.
    let mut tried = 0;
    for (key, revision, body) in old {
        let db = Connection::open(place.vault()).expect("SQLite");
        let changed = db
            .execute(
                "UPDATE records SET revision = ?2, body = ?3 WHERE key = ?1 AND body <> ?3",
                (&key, revision, &body),
            )
            .expect("SQL");
        drop(db);
        if changed > 0 {
            let done = place.proven(&["read", "api/key"]);
            assert_eq!((done.status, done.out.len()), (1, 0), "{done:?}");
            tried += 1;
            place.put_back("new");
        }
    }
    assert!(tried >= 2, "{tried}");
    assert_eq!(place.read("api/key"), b"new-value-of-the-key");
    place.verify();
    held(40, "the old file and every old record in the new file are refused");
}

#[test]
fn row_45_a_planted_vault_gets_no_secret() {
    let (ours, theirs) = (Place::new(), Place::new());
    ours.set("api/key", VALUE);
    theirs.set("api/key", b"planted-value-for-you");
    // Their vault in place of ours, opened by a passphrase that we share and by a key file.
    fs::rename(ours.data(), ours.path("aside")).expect("moved");
    copy_folder(&theirs.data(), &ours.data());
    fs::copy(ours.key_file(), ours.path("our-key")).expect("copied");
    fs::copy(theirs.key_file(), ours.key_file()).expect("copied");
    for done in [
        ours.set_with(&["bank/pin"], b"value-for-the-thief"),
        ours.proven(&["ls"]),
        ours.proven(&["read", "api/key"]),
    ] {
        let done = done.explained(&[]);
        assert!(done.out.is_empty(), "{done:?}");
    }
    // A home that was planted whole, in another place: a key file in it proves nothing.
    let mut planted = ours.command(&["set", "bank/pin", "--stdin"]);
    planted.env("SUBROSA_HOME", theirs.path("live/home"));
    Done::of(&mut planted, b"value-for-the-thief").explained(&[]);

    fs::remove_dir_all(ours.data()).expect("removed");
    fs::rename(ours.path("aside"), ours.data()).expect("moved");
    fs::copy(ours.path("our-key"), ours.key_file()).expect("copied");
    assert_eq!(ours.read("api/key"), VALUE);
    ours.verify();
    held(45, "another root in our folder and a planted home are refused");
}

/// The redactor keeps one copy of each value in ordinary memory, which it wipes (see the page on
/// memory in `subrosa-redact`). Whatever is beyond that is a leak.
#[test]
fn row_04_a_run_holds_values_in_locked_pages_and_once_in_the_redactor() {
    if !is_root() {
        return skipped(4, "only root may read the memory of a program that closes itself");
    }
    let place = Place::new();
    place.set("api/key", VALUE);
    place.allow("sh", &["-c", WAITS], "**");
    let arguments = ["run", "-k", "**", "--", "sh", "-c", WAITS];
    while_running(&place, place.command(&arguments), |pid| {
        let (mut locked, mut open) = (0, 0);
        for pid in std::iter::once(pid).chain(children(pid)).filter(|pid| is_program(*pid)) {
            let found = copies(pid, VALUE);
            (locked, open) = (locked + found.0, open + found.1);
        }
        println!("copies: {locked} in locked pages, {open} in others");
        assert!(open <= 1, "{open} copies in ordinary memory");
        assert!((1..=4).contains(&locked), "{locked} copies in locked pages");
    });
    held(4, "a run holds a value in locked pages, and once in the redactor");
}

/// What a command holds while it waits for the vault, which this test keeps locked.
#[test]
fn row_04_what_is_being_stored_is_in_locked_pages_alone() {
    if !is_root() {
        return skipped(4, "only root may read the memory of a program that closes itself");
    }
    let place = Place::new();
    place.set("api/key", b"an-earlier-value-of-it");
    let text = String::from_utf8_lossy(VALUE).into_owned();
    fs::write(place.path("work/in.env"), format!("A=1\nAPI_KEY={text}\nB=2\n")).expect("written");
    fs::write(place.path("work/quoted.env"), format!("K='{text}'\n")).expect("written");
    fs::write(place.path("work/in.json"), format!("{{\"a\": \"{text}\"}}")).expect("written");
    for words in [
        &["set", "api/key", "--stdin"][..],
        &["import", "in.env"],
        &["import", "quoted.env"],
        &["import", "in.json"],
    ] {
        let db = Connection::open(place.vault()).expect("SQLite");
        db.execute_batch("BEGIN IMMEDIATE").expect("locked");
        let mut child = place.start(words);
        let mut input = child.stdin.take().expect("piped");
        input.write_all(VALUE).expect("it reads or has ended");
        drop(input);
        let mut found = (0, 0);
        wait_until("the value in its memory", || {
            found = copies(child.id(), VALUE);
            found.0 > 0 || child.try_wait().expect("ours").is_some()
        });
        // Once more, when it has come as far as it can.
        std::thread::sleep(Duration::from_millis(300));
        found = copies(child.id(), VALUE);
        drop(db);
        let done = Done::from(child.wait_with_output().expect("it ends"));
        assert_eq!(done.status, 0, "{words:?}: {done:?}");
        println!("{words:?}: {found:?}");
        assert!(found.1 == 0 && found.0 > 0, "{words:?}: locked and other copies {found:?}");
    }
    held(4, "set and import hold what they store in locked pages alone");
}

/// Copies of a value in the memory of a process: in locked pages, and in others.
fn copies(pid: u32, value: &[u8]) -> (usize, usize) {
    let (mut locked, mut open) = (0, 0);
    for mapping in subrosa_tests::memory(pid) {
        let found = subrosa_tests::positions(&mapping.content, value).count();
        if found > 0 && !mapping.is_protected() {
            println!("{found} in {}", mapping.name);
        }
        *(if mapping.is_protected() { &mut locked } else { &mut open }) += found;
    }
    (locked, open)
}

fn is_program(pid: u32) -> bool {
    fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|path| path == program())
}

fn children(pid: u32) -> Vec<u32> {
    let file = format!("/proc/{pid}/task/{pid}/children");
    let mut all = Vec::new();
    for child in fs::read_to_string(file).unwrap_or_default().split_whitespace() {
        let child = child.parse().expect("a number");
        all.push(child);
        all.extend(children(child));
    }
    all
}
