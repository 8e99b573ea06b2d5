//! Lists of what git leaves out, as somebody laid them out.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use subrosa_tests::Place;

use crate::repository::Repository;
use crate::{Scanned, VALUE, place, scan};

fn pipe(path: &std::path::Path) {
    let made = Command::new("mkfifo").arg(path).status().expect("mkfifo");
    assert!(made.success());
}

/// With less memory than a list without an end would take.
fn bounded(place: &Place, folder: &std::path::Path) -> Scanned {
    let mut command = Command::new("/bin/sh");
    place.surround(&mut command);
    command
        .args([
            "-c",
            "ulimit -v 2000000; exec \"$0\" --json scan --no-vault \"$@\"",
        ])
        .arg(subrosa_tests::program())
        .arg(folder);
    Scanned::of(command.current_dir(place.path("work")))
}

fn reasons(scanned: &Scanned) -> Vec<(String, String)> {
    let skipped = scanned.report["skipped"].as_array().expect("a list");
    let text = |one: &serde_json::Value, name| one[name].as_str().expect("a text").to_owned();
    skipped
        .iter()
        .map(|one| (text(one, "path"), text(one, "reason")))
        .filter(|(_, reason)| reason.contains("left out by this list"))
        .collect()
}

#[test]
fn a_list_that_is_none_holds_nothing_up() {
    let place = Place::empty();
    let key = crate::shape();
    for (name, list) in [
        ("here", ".gitignore"),
        ("above", "../.gitignore"),
        ("exclude", ".git/info/exclude"),
        ("pointer", ".git"),
        ("common", "elsewhere/commondir"),
    ] {
        let folder = place.path("work").join(name).join("searched");
        fs::create_dir_all(folder.join("sub")).expect("made");
        fs::write(folder.join("sub/found"), &key).expect("written");
        let list = folder.join(list);
        fs::create_dir_all(list.parent().expect("in a folder")).expect("made");
        if name == "common" {
            fs::write(folder.join(".git"), "gitdir: elsewhere\n").expect("written");
        }
        for kind in ["pipe", "endless", "device", "folder"] {
            match kind {
                "pipe" => pipe(&list),
                "endless" => symlink("/dev/zero", &list).expect("linked"),
                "device" => symlink("/dev/tty", &list).expect("linked"),
                _ => fs::create_dir(&list).expect("made"),
            }
            let scanned = bounded(&place, &folder);
            assert_eq!(scanned.places().len(), 1, "{name} {kind} {scanned:?}");
            let told = reasons(&scanned);
            if name != "pointer" && name != "common" {
                assert_eq!(told.len(), 1, "{name} {kind} {scanned:?}");
                assert!(told[0].1.contains("no regular file"), "{told:?}");
            }
            // What it would have left out is searched: the result is whole.
            assert_eq!(scanned.report["complete"], true);
            match kind {
                "folder" => fs::remove_dir(&list).expect("removed"),
                _ => fs::remove_file(&list).expect("removed"),
            }
        }
    }
}

/// A link is followed by git neither.
#[test]
fn a_list_behind_a_link_leaves_nothing_out() {
    let place = Place::empty();
    let folder = place.path("work");
    fs::write(folder.join("a"), crate::shape()).expect("written");
    fs::write(place.path("list"), "a\n").expect("written");
    symlink(place.path("list"), folder.join(".gitignore")).expect("linked");
    let scanned = bounded(&place, &folder);
    assert_eq!(scanned.places().len(), 1, "{scanned:?}");
    assert_eq!(reasons(&scanned).len(), 1, "{scanned:?}");
}

#[test]
fn a_list_that_is_too_long_is_told_and_not_followed() {
    let place = Place::empty();
    let folder = place.path("work");
    fs::write(folder.join("a"), crate::shape()).expect("written");
    let long = format!("a\n#{}\n", "x".repeat(1024 * 1024));
    let many = format!("a\n{}", "b*c/**/d?e\n".repeat(20_000));
    for list in [long, many] {
        fs::write(folder.join(".gitignore"), list).expect("written");
        let scanned = bounded(&place, &folder);
        assert_eq!(scanned.places().len(), 1, "{scanned:?}");
        let told = reasons(&scanned);
        assert!(told[0].1.contains("too long"), "{told:?}");
    }
    // Just within.
    let most = format!("a\n{}", "#\n".repeat(500_000));
    fs::write(folder.join(".gitignore"), most).expect("written");
    assert_eq!(bounded(&place, &folder).status, 0);
}

/// What git itself leaves out is what is left out.
#[test]
fn lists_mean_what_git_takes_them_to_mean() {
    let place = place();
    let repository = Repository::new(&place.path("work/outer"));
    repository.write("../.gitignore", "*\n");
    repository.write(
        ".gitignore",
        "\u{feff}*.log\r\n!/kept.log\r\nsub/*.tmp\ndeep/**/x\nonly/\n\\!odd\n[\n",
    );
    repository.write("sub/.gitignore", "!back.log\n/here\n");
    repository.write(".git/info/exclude", "local\nkept.log\n");
    let paths = [
        "a.log",
        "kept.log",
        "sub/a.log",
        "sub/back.log",
        "sub/a.tmp",
        "sub/more/a.tmp",
        "sub/here",
        "sub/more/here",
        "deep/x",
        "deep/a/b/x",
        "only",
        "local",
        "sub/local",
        "!odd",
        "[",
        "plain",
    ];
    for path in paths {
        repository.write(path, VALUE);
    }
    // Another repository within has lists of its own.
    let inner = Repository::new(&repository.folder.join("inner"));
    inner.write("a.log", VALUE);
    let listed = |repository: &Repository, prefix: &str| {
        let words = [
            "-c",
            "core.quotePath=false",
            "ls-files",
            "--others",
            "--exclude-standard",
        ];
        let listed = repository.git(&words);
        let lines = listed.lines().filter(|line| !line.ends_with(".gitignore"));
        let lines = lines.filter(|line| !line.ends_with('/'));
        lines
            .map(|line| format!("{prefix}{line}"))
            .collect::<Vec<_>>()
    };
    let mut wanted = listed(&repository, "");
    wanted.extend(listed(&inner, "inner/"));
    wanted.sort();
    assert!(wanted.len() > 6 && wanted.len() < paths.len(), "{wanted:?}");
    let found = |folder: &std::path::Path, words: &[&str]| {
        let scanned = scan(&place, folder, words);
        let findings = scanned.report["findings"].as_array().expect("a list");
        let path = |one: &serde_json::Value| one["path"].as_str().expect("a path").to_owned();
        let mut paths: Vec<_> = findings.iter().map(path).collect();
        paths.sort();
        paths
    };
    assert_eq!(found(&repository.folder, &[]), wanted);
    // The same from within, from without, and through another name of the folder.
    let below: Vec<_> = wanted
        .iter()
        .filter_map(|path| path.strip_prefix("sub/"))
        .collect();
    assert_eq!(found(&repository.folder.join("sub"), &[]), below);
    symlink("outer", place.path("work/named")).expect("linked");
    let named: Vec<_> = wanted.iter().map(|path| format!("named/{path}")).collect();
    assert_eq!(found(&place.path("work"), &["named"]), named);
}

/// A worktree has the list of the repository that it is of.
#[test]
fn a_worktree_has_the_list_of_its_repository() {
    let place = place();
    let repository = Repository::new(&place.path("work/main"));
    repository.commit("one");
    repository.write(".git/info/exclude", "local\n");
    repository.git(&["worktree", "add", "--quiet", "../tree"]);
    let tree = place.path("work/tree");
    fs::write(tree.join("local"), VALUE).expect("written");
    fs::write(tree.join("other"), VALUE).expect("written");
    assert_eq!(scan(&place, &tree, &[]).places(), ["other:1:1 api/key"]);
}
