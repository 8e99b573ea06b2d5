//! What git keeps: the index and the history.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use subrosa_tests::{Done, Place, program};

use crate::repository::Repository;
use crate::{RULE, VALUE, place, scan, shape};

#[test]
fn the_history_keeps_what_was_removed() {
    let place = place();
    for options in [&[][..], &["--object-format=sha256"]] {
        let name = format!("work/history{}", options.len());
        let repository = Repository::with(&place.path(&name), options);
        repository.write("a", "clean\n");
        repository.commit("one");
        repository.write("conf/key", format!("key\n{VALUE}\n"));
        let brought = repository.commit("two");
        // The same content elsewhere is told once.
        repository.write("copy", format!("key\n{VALUE}\n"));
        let copied = repository.commit("three");
        repository.git(&["rm", "-r", "--quiet", "conf", "copy"]);
        let removed = repository.commit("four");
        assert_eq!(
            scan(&place, &repository.folder, &["--no-ignore", "a"]).status,
            0
        );
        let scanned = scan(&place, &repository.folder, &["--history"]);
        assert_eq!(scanned.places(), ["conf/key:2:1 api/key"], "{scanned:?}");
        let one = scanned.one();
        assert_eq!(one["commit"], brought.as_str());
        assert_eq!((&one["in"], &one["offset"]), (&"history".into(), &4.into()));
        // From within a folder it is the same repository.
        repository.write("deep/er/x", "x");
        let within = scan(&place, &repository.folder.join("deep/er"), &["--history"]);
        assert_eq!(within.places(), ["conf/key:2:1 api/key"]);
        let range = format!("--history={copied}..HEAD");
        assert_eq!(scan(&place, &repository.folder, &[&range]).status, 0);
        let range = format!("--history={removed}");
        assert_eq!(scan(&place, &repository.folder, &[&range]).status, 1);
    }
}

#[test]
fn a_merge_hides_nothing() {
    let place = place();
    let repository = Repository::new(&place.path("work/merged"));
    repository.write("a", "a");
    repository.commit("base");
    repository.git(&["checkout", "--quiet", "-b", "side"]);
    repository.write("b", "b");
    repository.commit("side");
    repository.git(&["checkout", "--quiet", "main"]);
    repository.write("c", "c");
    repository.commit("main");
    repository.git(&["merge", "--quiet", "--no-commit", "--no-ff", "side"]);
    repository.write("slipped/in", VALUE);
    let merge = repository.commit("merge");
    repository.git(&["rm", "--quiet", "slipped/in"]);
    repository.commit("gone");
    let scanned = scan(&place, &repository.folder, &["--history"]);
    assert_eq!(scanned.one()["commit"], merge.as_str());
    // What another branch has, a stash and a tag, and a reference of the repository's own kind.
    let repository = Repository::new(&place.path("work/refs"));
    repository.write("a", "a");
    repository.commit("base");
    repository.write("stashed", VALUE);
    repository.git(&["add", "--all"]);
    repository.git(&["stash", "--quiet"]);
    assert_eq!(scan(&place, &repository.folder, &["--history"]).status, 1);
}

#[test]
fn what_is_staged_is_what_would_be_committed() {
    let place = place();
    let repository = Repository::new(&place.path("work/staged"));
    // Before the first commit.
    repository.write("first", VALUE);
    assert_eq!(scan(&place, &repository.folder, &["--staged"]).status, 0);
    repository.git(&["add", "first"]);
    let scanned = scan(&place, &repository.folder, &["--staged"]);
    assert_eq!(scanned.places(), ["first:1:1 api/key"]);
    assert_eq!(scanned.one()["in"], "staged");
    repository.commit("one");
    // It is committed; the next commit brings nothing new.
    assert_eq!(scan(&place, &repository.folder, &["--staged"]).status, 0);
    // Staged, and no more in the folder; in the folder, and not staged.
    repository.write("sub/staged", shape());
    repository.git(&["add", "--all"]);
    repository.write("sub/staged", "clean");
    repository.write("sub/unstaged", VALUE);
    let scanned = scan(&place, &repository.folder.join("sub"), &["--staged"]);
    assert_eq!(scanned.places(), [format!("sub/staged:1:1 {RULE}")]);
    // A removal brings nothing.
    repository.git(&["reset", "--quiet", "--hard"]);
    repository.git(&["rm", "--quiet", "first"]);
    assert_eq!(scan(&place, &repository.folder, &["--staged"]).status, 0);
}

#[test]
fn a_hook_stops_the_commit() {
    let place = place();
    let repository = Repository::new(&place.path("work/hooked"));
    repository.write("a", "a\n");
    repository.commit("one");
    let hook = repository.folder.join(".git/hooks/pre-commit");
    let program = program().display();
    let home = place.path("no-home");
    fs::write(
        &hook,
        format!(
            "#!/bin/sh\nSUBROSA_HOME='{}' exec '{program}' scan --staged --no-vault\n",
            home.display()
        ),
    )
    .expect("written");
    fs::set_permissions(&hook, Permissions::from_mode(0o755)).expect("ours");
    let commits = || repository.git(&["rev-list", "--count", "HEAD"]);
    repository.write("a", shape());
    // git hands the hook an index of its own here.
    let refused = std::process::Command::new("git")
        .current_dir(&repository.folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .args([
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b",
            "commit",
            "-qam",
            "two",
        ])
        .output()
        .expect("git runs");
    assert!(!refused.status.success(), "{refused:?}");
    assert!(
        String::from_utf8_lossy(&refused.stderr).contains("1 finding"),
        "{refused:?}"
    );
    assert_eq!(commits(), "1");
    repository.write("a", "b\n");
    repository.commit("two");
    assert_eq!(commits(), "2");
}

#[test]
fn names_in_a_repository_are_any_bytes() {
    let place = place();
    let repository = Repository::new(&place.path("work/names"));
    let names: [&[u8]; 4] = [b"a\nb", b":100644 100644 x", b"\xff\xfe", b"\x1b[31mred"];
    for (n, name) in names.iter().enumerate() {
        repository.write(Path::new(OsStr::from_bytes(name)), format!("{n}{VALUE}"));
    }
    repository.git(&["add", "--all"]);
    let found = |words: &[&str]| {
        let scanned = scan(&place, &repository.folder, words);
        let findings = scanned.report["findings"]
            .as_array()
            .expect("a list")
            .clone();
        assert_eq!(findings.len(), 4, "{words:?} {scanned:?}");
        let mut paths: Vec<String> = findings
            .iter()
            .map(|one| one["path"].as_str().expect("a path").to_owned())
            .collect();
        paths.sort();
        paths
    };
    let wanted = [
        "\u{1b}[31mred",
        ":100644 100644 x",
        "a\nb",
        "\u{fffd}\u{fffd}",
    ];
    assert_eq!(found(&["--staged"]), wanted);
    repository.commit("names");
    assert_eq!(found(&["--history"]), wanted);
}

/// A repository whose settings start a program wherever git would start one.
fn trapped(place: &Place, name: &str) -> (Repository, std::path::PathBuf) {
    let repository = Repository::new(&place.path(name));
    repository.write("a", VALUE);
    repository.write(".gitattributes", "* diff=trap filter=trap merge=trap\n");
    repository.commit("one");
    let fired = place.path(&format!("{name}-fired"));
    let trap = place.path(&format!("{name}-trap"));
    fs::write(
        &trap,
        format!(
            "#!/bin/sh\necho \"$0 $*\" >>'{}'\nexit 1\n",
            fired.display()
        ),
    )
    .expect("written");
    fs::set_permissions(&trap, Permissions::from_mode(0o755)).expect("ours");
    let trap = trap.display();
    for setting in [
        "core.fsmonitor",
        "core.pager",
        "core.sshCommand",
        "core.alternateRefsCommand",
        "core.gitProxy",
        "core.askPass",
        "core.editor",
        "diff.external",
        "diff.trap.textconv",
        "diff.trap.command",
        "filter.trap.clean",
        "filter.trap.smudge",
        "filter.trap.process",
        "gpg.program",
        "credential.helper",
        "alias.rev-list",
        "alias.cat-file",
        "pager.rev-list",
        "pager.diff-index",
    ] {
        let value = match setting.starts_with("alias.") {
            true => format!("!{trap}"),
            false => trap.to_string(),
        };
        repository.git(&["config", setting, &value]);
    }
    let hooks = place.path(&format!("{name}-hooks"));
    fs::create_dir(&hooks).expect("made");
    for hook in [
        "post-index-change",
        "reference-transaction",
        "pre-auto-gc",
        "fsmonitor-watchman",
    ] {
        fs::copy(place.path(&format!("{name}-trap")), hooks.join(hook)).expect("copied");
    }
    repository.git(&["config", "core.hooksPath", hooks.to_str().expect("UTF-8")]);
    let _ = fs::remove_file(&fired);
    (repository, fired)
}

#[test]
fn a_repository_starts_no_program() {
    let place = place();
    let (repository, fired) = trapped(&place, "work/trapped");
    // The trap works: git itself falls into it.
    let status = std::process::Command::new("git")
        .current_dir(&repository.folder)
        .arg("status")
        .output();
    drop(status);
    assert!(fired.exists(), "the trap was not set");
    fs::remove_file(&fired).expect("removed");
    repository.write("b", VALUE);
    for words in [&["--staged"][..], &["--history"], &[]] {
        let scanned = scan(&place, &repository.folder, words);
        assert!(scanned.status < 2, "{words:?} {scanned:?}");
        assert!(
            !fired.exists(),
            "{words:?}: {:?}",
            fs::read_to_string(&fired)
        );
    }
    assert_eq!(scan(&place, &repository.folder, &["--history"]).status, 1);
}

#[test]
fn what_a_repository_lacks_is_not_fetched() {
    let place = place();
    let (repository, fired) = trapped(&place, "work/partial");
    let blob = repository.git(&["rev-parse", "HEAD:a"]);
    let trap = place.path("work/partial-trap");
    for (name, value) in [
        ("core.repositoryFormatVersion", "1".to_owned()),
        ("extensions.partialClone", "origin".to_owned()),
        ("remote.origin.promisor", "true".to_owned()),
        ("remote.origin.url", format!("ext::{}", trap.display())),
        ("protocol.ext.allow", "always".to_owned()),
    ] {
        repository.git(&["config", name, &value]);
    }
    let (folder, rest) = blob.split_at(2);
    fs::remove_file(
        repository
            .folder
            .join(".git/objects")
            .join(folder)
            .join(rest),
    )
    .expect("removed");
    // git itself would ask.
    let _ = std::process::Command::new("git")
        .current_dir(&repository.folder)
        .args(["cat-file", "-p", &blob])
        .output();
    assert!(fired.exists(), "the trap was not set");
    fs::remove_file(&fired).expect("removed");
    let scanned = scan(&place, &repository.folder, &["--history"]);
    assert!(!fired.exists(), "{:?}", fs::read_to_string(&fired));
    // And what is not there was not searched.
    assert_eq!(scanned.status, 3, "{scanned:?}");
}

#[test]
fn neither_a_replacement_nor_the_environment_hides_a_blob() {
    let place = place();
    let repository = Repository::new(&place.path("work/replaced"));
    repository.write("a", VALUE);
    repository.commit("one");
    let bad = repository.git(&["rev-parse", "HEAD:a"]);
    repository.write("clean", "clean");
    let clean = repository.git(&["hash-object", "-w", "clean"]);
    repository.git(&["replace", &bad, &clean]);
    let empty = Repository::new(&place.path("work/empty"));
    empty.commit("nothing");
    let mut command = place.command(&["--json", "scan", "--history"]);
    let elsewhere = empty.folder.join(".git");
    command
        .current_dir(&repository.folder)
        .env("GIT_DIR", &elsewhere)
        .env("GIT_OBJECT_DIRECTORY", elsewhere.join("objects"))
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "core.pager")
        .env("GIT_CONFIG_VALUE_0", "false");
    let scanned = crate::Scanned::of(&mut command);
    assert_eq!(scanned.places(), ["a:1:1 api/key"]);
}

#[test]
fn what_is_no_range_and_no_repository_is_refused() {
    let place = place();
    let folder = place.path("work");
    let outside = scan(&place, &folder, &["--history"]);
    assert_eq!(outside.status, 3, "{outside:?}");
    assert!(outside.err.contains("\"git\""), "{outside:?}");
    let repository = Repository::new(&place.path("work/ranges"));
    repository.write("a", VALUE);
    repository.commit("one");
    for range in [
        "--history=--output=written",
        "--history=HEAD --all",
        "--history= ",
    ] {
        let refused = scan(&place, &repository.folder, &[range]);
        assert_eq!(refused.status, 2, "{range}: {refused:?}");
    }
    assert!(!repository.folder.join("written").exists());
    let unknown = scan(&place, &repository.folder, &["--history=no-such-branch"]);
    assert_eq!(unknown.status, 3, "{unknown:?}");
    let two = scan(&place, &repository.folder, &["--staged", "a", "b"]);
    assert_eq!(two.status, 2, "{two:?}");
    // A program of the repository's that is named git is none of ours.
    repository.write("git", "#!/bin/sh\ntouch fired\n");
    fs::set_permissions(repository.folder.join("git"), Permissions::from_mode(0o755))
        .expect("ours");
    let mut command = place.command(&["--json", "scan", "--history"]);
    let path = std::env::var("PATH").expect("a path");
    command
        .current_dir(&repository.folder)
        .env("PATH", format!(".::{path}"));
    let scanned = crate::Scanned::of(&mut command);
    assert_eq!(scanned.status, 1, "{scanned:?}");
    assert!(!repository.folder.join("fired").exists());
}

#[test]
fn a_history_that_is_cut_off_is_no_clean_result() {
    let place = place();
    let whole = Repository::new(&place.path("work/whole"));
    whole.write("a", VALUE);
    whole.commit("one");
    whole.write("a", "clean");
    whole.commit("two");
    whole.write("a", "clean too");
    whole.commit("three");
    let from = format!("file://{}", whole.folder.display());
    let shallow = Repository {
        folder: place.path("work/shallow"),
    };
    let to = shallow.folder.to_str().expect("UTF-8");
    whole.git(&["clone", "--quiet", "--depth=2", &from, to]);
    let scanned = scan(&place, &shallow.folder, &["--history"]);
    assert_eq!(scanned.status, 3, "{scanned:?}");
    assert_eq!(scanned.report["complete"], false);
    assert!(scanned.err.contains("git fetch --unshallow"), "{scanned:?}");
    // Of a range that lies behind the cut nothing is missing; of one that reaches it, all before.
    for (range, status) in [("--history=HEAD~1..HEAD", 0), ("--history=HEAD~1", 3)] {
        let scanned = scan(&place, &shallow.folder, &[range]);
        assert_eq!(scanned.status, status, "{range}: {scanned:?}");
    }
    // Something that is found is told as found, and the rest as missing.
    shallow.write("b", VALUE);
    shallow.commit("four");
    let scanned = scan(&place, &shallow.folder, &["--history"]);
    assert_eq!(scanned.status, 1, "{scanned:?}");
    assert_eq!(scanned.report["complete"], false);
    // And with the rest there is nothing to be told.
    shallow.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    shallow.git(&["fetch", "--quiet", "--unshallow"]);
    let scanned = scan(&place, &shallow.folder, &["--history"]);
    assert_eq!((scanned.status, scanned.places().len()), (1, 1));
    assert_eq!(scanned.report["complete"], true);
}

/// A file of the repository that says of a commit that it has no parent.
#[test]
fn a_graft_hides_no_commit() {
    let place = place();
    let repository = Repository::new(&place.path("work/grafted"));
    repository.write("a", VALUE);
    repository.commit("one");
    repository.write("a", "clean");
    let last = repository.commit("two");
    repository.write(".git/info/grafts", format!("{last}\n"));
    let scanned = scan(&place, &repository.folder, &["--history"]);
    assert_eq!(scanned.places(), ["a:1:1 api/key"], "{scanned:?}");
}

#[test]
fn what_is_typed_in_the_wrong_place_is_told() {
    let place = place();
    let repository = Repository::new(&place.path("work/typed"));
    repository.write("a", "a");
    repository.commit("one");
    for (words, status, parts) in [
        (
            &["--history", "main..HEAD"][..],
            3,
            &["no such folder", "--history=main..HEAD"][..],
        ),
        (
            &["--history=nobranch..HEAD"],
            3,
            &["no commits", "nobranch..HEAD", "git branch --all"],
        ),
        (
            &["--history=--all"],
            2,
            &["names no commits", "One name or range"],
        ),
        (&["--staged", "a"], 3, &["a is a file", "take the folder"]),
        (&["--history", "a"], 3, &["a is a file", "subrosa scan a"]),
        (&["-"], 2, &["standard input", "subrosa redact"]),
        (
            &["nofile", "a"],
            3,
            &["nofile: there is no such file", "see what there is"],
        ),
        (&["--shapes"], 2, &["--no-vault"]),
        (&[""], 2, &["empty"]),
    ] {
        let mut command = place.command(&[&["scan"], words].concat());
        let done = Done::of(command.current_dir(&repository.folder), b"");
        assert_eq!(done.status, status, "{words:?} {done:?}");
        for part in parts {
            assert!(done.err.contains(part), "{words:?} wants {part}: {done:?}");
        }
        assert!(!done.err.contains("os error"), "{done:?}");
    }
    let mut command = place.command(&["scan", "--history"]);
    let done = Done::of(command.current_dir(place.path("work")), b"");
    assert_eq!(done.status, 3);
    assert!(
        done.err.contains("no git repository") && !done.err.contains("safe.directory"),
        "{done:?}"
    );
}
