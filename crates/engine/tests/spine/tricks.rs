//! Tricks of code that runs as the same user: old copies, anchors, names, denials.

use subrosa_engine::{EngineError, Session, Setting, Unlock};
use subrosa_model::KeyName;

use crate::{
    CANARY, copy_folder, exported, init, open, options, run, secret, set, setting, unlock,
};

/// A vault whose folder was put back as it was before its last change.
fn put_back() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let mut session = init(root.path());
    set(&mut session, "api/key", CANARY);
    session.close().unwrap();
    let (data, old) = (root.path().join("data"), root.path().join("old"));
    copy_folder(&data, &old);
    let mut session = open(root.path()).unwrap();
    set(&mut session, "api/key", b"a-newer-value-of-it");
    session.close().unwrap();
    std::fs::remove_dir_all(&data).unwrap();
    copy_folder(&old, &data);
    root
}

#[test]
fn row_40_the_whole_folder_put_back_is_noticed() {
    let root = put_back();
    let error = open(root.path()).unwrap_err();
    assert!(matches!(error, EngineError::RolledBack { .. }), "{error}");
    assert!(error.remedy().is_some());
    // To look at it is possible.
    let inspected = Setting {
        inspect: true,
        ..setting(root.path())
    };
    let mut session = Session::open(inspected, &unlock()).unwrap();
    let report = session.verify_log(&mut |_, _| ()).unwrap();
    assert!(!report.is_sound());
    drop(session);
    // Who put it back takes it as it is: with presence, and the log tells.
    let key_file = Unlock::KeyFile(secret(&[7; 32]));
    assert!(Session::open_accepting(setting(root.path()), &key_file).is_err());
    let (mut session, finding) = Session::open_accepting(setting(root.path()), &unlock()).unwrap();
    assert!(finding.is_some());
    assert!(session.verify_log(&mut |_, _| ()).unwrap().is_sound());
    let text = exported(&mut session).join("\n");
    assert!(
        text.contains("\"anchor\"") && text.contains("accepted though"),
        "{text}"
    );
    session.close().unwrap();
    let session = open(root.path()).unwrap();
    assert!(session.notices().is_empty(), "{:?}", session.notices());
    session.close().unwrap();
    println!("REDTEAM row=40 verdict=held");
}

#[test]
fn row_40_an_anchor_that_is_gone_is_missed() {
    let root = put_back();
    // What would tell of it goes away.
    std::fs::remove_dir_all(root.path().join("state/anchors")).unwrap();
    let mut session = open(root.path()).unwrap();
    let told = session.notices().join("\n");
    assert!(told.contains("anchor"), "{told}");
    let text = exported(&mut session).join("\n");
    assert!(
        text.contains("\"anchor\"") && text.contains("there was none"),
        "{text}"
    );
    session.close().unwrap();
    // The first opening after init, and each with its anchor, says nothing.
    let session = open(root.path()).unwrap();
    assert!(session.notices().is_empty(), "{:?}", session.notices());
    session.close().unwrap();
    println!("REDTEAM row=40 verdict=held");
}

#[test]
fn row_39_an_anchor_that_was_made_useless_is_told() {
    let root = tempfile::tempdir().unwrap();
    let mut session = init(root.path());
    set(&mut session, "api/key", CANARY);
    session.close().unwrap();
    let anchors = root.path().join("state/anchors");
    let anchor = std::fs::read_dir(&anchors)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    std::fs::remove_file(&anchor).unwrap();
    std::fs::create_dir(&anchor).unwrap();
    for _ in 0..2 {
        let mut session = open(root.path()).unwrap();
        let told = session.notices().join("\n");
        assert!(
            told.contains("anchor") && told.contains("cannot be used"),
            "{told}"
        );
        set(&mut session, "api/key", b"a-newer-value-of-it");
        session.close().unwrap();
    }
    let inspected = Setting {
        inspect: true,
        ..setting(root.path())
    };
    let mut session = Session::open(inspected, &unlock()).unwrap();
    let error = session.verify_log(&mut |_, _| ()).unwrap_err();
    assert!(matches!(error, EngineError::Anchor { .. }), "{error}");
    println!("REDTEAM row=39 verdict=held");
}

#[test]
fn a_new_name_that_a_rule_allows_needs_presence() {
    let root = tempfile::tempdir().unwrap();
    let mut session = init(root.path());
    set(&mut session, "prod/aws", CANARY);
    set(&mut session, "free/one", CANARY);
    let policy = "version: 1\nrules:\n  - allow: run\n    command: git\n    args: [\"**\"]\n    \
                  secrets: [\"github/**\"]\n    inject: env\n  - deny: run\n    command: git\n    \
                  secrets: [\"prod/**\"]\n";
    session.apply_policy(policy, false).unwrap();
    let file = root.path().join("a.key");
    session.add_key_file("a", &file).unwrap();
    session.close().unwrap();
    let key_file = Unlock::KeyFile(subrosa_engine::read_key_file(&file).unwrap());
    let mut ambient = Session::open(setting(root.path()), &key_file).unwrap();
    let scope = ambient.scope().clone();
    let key = |text: &str| KeyName::new(text.to_owned()).unwrap();
    for (from, to, allowed) in [
        ("prod/aws", "github/zz", false),
        ("prod/aws", "free/aws", false),
        ("free/one", "github/zz", false),
        ("free/one", "free/two", true),
        ("free/two", "prod/two", true),
    ] {
        let moved = ambient.rename(&key(from), (&scope, &key(to)));
        assert_eq!(moved.is_ok(), allowed, "{from} {to} {moved:?}");
        assert_eq!(
            matches!(moved, Err(EngineError::Presence { .. })),
            !allowed,
            "{from} {to}"
        );
    }
    ambient.close().unwrap();
    let mut present = open(root.path()).unwrap();
    present
        .rename(&key("prod/aws"), (&scope, &key("github/zz")))
        .unwrap();
}

#[test]
fn a_denied_command_is_refused_without_secrets_too() {
    let root = tempfile::tempdir().unwrap();
    let mut session = init(root.path());
    let policy = "version: 1\ndenied_commands: [rm]\nrules:\n  - deny: run\n    command: touch\n";
    session.apply_policy(policy, false).unwrap();
    session.close().unwrap();
    let mut session = open(root.path()).unwrap();
    for (words, refused) in [
        (&["rm", "--version"][..], true),
        (&["touch", "--version"], true),
        (&["true"], false),
        // Nothing is at stake where no value is.
        (&["sh", "-c", "exit 0"], false),
    ] {
        let ran = run(&mut session, options(words, &[], None));
        assert_eq!(
            matches!(ran, Err(EngineError::Refused(_))),
            refused,
            "{words:?} {ran:?}"
        );
        assert_eq!(ran.is_err(), refused, "{words:?} {ran:?}");
    }
    let text = exported(&mut session).join("\n");
    assert_eq!(text.matches("\"deny\"").count(), 2, "{text}");
}
