//! Repositories that show less than they hold.

use std::fs;

use crate::repository::Repository;
use crate::{VALUE, place, scan};

/// The reference of the stashes is the newest one alone.
#[test]
fn every_stash_is_searched() {
    let place = place();
    let repository = Repository::new(&place.path("work/stashed"));
    repository.write("a", "clean");
    repository.commit("one");
    for (number, text) in [VALUE, "clean too", "and this"].iter().enumerate() {
        repository.write("a", text);
        repository.write(format!("new{number}"), text);
        repository.git(&["stash", "push", "--quiet", "--include-untracked"]);
    }
    let scanned = scan(&place, &repository.folder, &["--history"]);
    let found = scanned.places();
    // It stands in two files, and is searched once.
    assert_eq!(found, ["new0:1:1 api/key"], "{scanned:?}");
    // What is not asked for is not searched.
    let scanned = scan(&place, &repository.folder, &["--history=HEAD"]);
    assert_eq!(scanned.status, 0, "{scanned:?}");
    // One whose log is gone is searched as the reference has it.
    fs::remove_dir_all(repository.folder.join(".git/logs")).expect("removed");
    let scanned = scan(&place, &repository.folder, &["--history"]);
    assert_eq!(scanned.status, 0, "{scanned:?}");
    repository.git(&["update-ref", "-d", "refs/stash"]);
    let scanned = scan(&place, &repository.folder, &["--history"]);
    assert_eq!(scanned.status, 0, "{scanned:?}");
}

/// A repository may say that its files are elsewhere, where another repository is.
#[test]
fn a_repository_sends_the_search_to_no_other() {
    let place = place();
    let clean = Repository::new(&place.path("work/clean"));
    clean.write("b", "clean");
    clean.commit("one");
    for elsewhere in [clean.folder.clone(), place.path("work/nowhere")] {
        let repository = Repository::new(&place.path("work/sends"));
        repository.write("a", VALUE);
        repository.write("sub/b", "clean");
        repository.commit("one");
        repository.write("c", VALUE);
        repository.write("sub/d", format!("another {VALUE}"));
        repository.git(&["add", "c", "sub/d"]);
        let elsewhere = elsewhere.to_str().expect("UTF-8");
        let settings = format!(
            "[core]\n\trepositoryformatversion = 0\n\tworktree = {elsewhere}\n[diff]\n\trelative = true\n"
        );
        repository.write(".git/config", settings);
        for folder in [repository.folder.clone(), repository.folder.join("sub")] {
            let told = |words: &[&str]| scan(&place, &folder, words).places();
            assert_eq!(told(&["--history"]), ["a:1:1 api/key"], "{elsewhere}");
            // One blob that is there already has another place.
            assert_eq!(
                told(&["--staged"]),
                ["c:1:1 api/key", "sub/d:1:9 api/key"],
                "{elsewhere}"
            );
        }
        fs::remove_dir_all(&repository.folder).expect("removed");
    }
    // The same of one without files of its own, and of one that says it has none.
    let bare = Repository::with(&place.path("work/bare"), &["--bare"]);
    let from = Repository::new(&place.path("work/from"));
    from.write("a", VALUE);
    from.commit("one");
    from.git(&[
        "push",
        "--quiet",
        bare.folder.to_str().expect("UTF-8"),
        "main",
    ]);
    from.git(&["config", "core.bare", "true"]);
    for folder in [&bare.folder, &from.folder] {
        assert_eq!(
            scan(&place, folder, &["--history"]).places(),
            ["a:1:1 api/key"]
        );
    }
}

/// A file beside the commits that says of each who its parents are.
#[test]
fn a_graph_of_commits_hides_none() {
    let place = place();
    let repository = Repository::new(&place.path("work/graph"));
    repository.write("a", VALUE);
    repository.commit("one");
    repository.write("a", "clean");
    repository.commit("two");
    repository.git(&["commit-graph", "write", "--reachable"]);
    let graph = repository.folder.join(".git/objects/info/commit-graph");
    let mut bytes = fs::read(&graph).expect("a graph");
    // The chunk of the commits: a tree, two parents, generation and time of each.
    let chunk = bytes
        .windows(4)
        .position(|name| name == b"CDAT")
        .expect("a chunk");
    let at = bytes[chunk + 4..chunk + 12]
        .try_into()
        .expect("eight bytes");
    let at = usize::try_from(u64::from_be_bytes(at)).expect("an offset");
    for commit in [at, at + 36] {
        // No parent.
        bytes[commit + 20..commit + 24].copy_from_slice(&0x7000_0000u32.to_be_bytes());
    }
    fs::remove_file(&graph).expect("removed");
    fs::write(&graph, bytes).expect("written");
    // git itself believes it.
    assert_eq!(repository.git(&["rev-list", "--count", "HEAD"]), "1");
    let scanned = scan(&place, &repository.folder, &["--history"]);
    assert_eq!(scanned.places(), ["a:1:1 api/key"], "{scanned:?}");
}
