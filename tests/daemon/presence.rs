//! What needs a person needs one also while the daemon holds the vault open.

use std::fs;

use subrosa_tests::Served;

const VALUE: &[u8] = b"canary-4p9zk2-seen-by-nobody";

#[test]
fn an_open_daemon_proves_no_presence() {
    let served = Served::open();
    served.fed(&["set", "api/key", "--stdin"], VALUE).ok();
    fs::write(served.path("work/policy.yaml"), "version: 1\n").expect("written");
    served.proven(&["backup", "before.backup"]).ok();
    let others: [&[&str]; 12] = [
        &["read", "api/key"],
        &["export"],
        &["export", "--format", "json"],
        &["backup", "b.backup"],
        &["restore", "before.backup"],
        &["key", "add", "passphrase"],
        &["key", "add", "key-file", "k"],
        &["key", "rm", "passphrase"],
        &["key", "rotate"],
        &["rm", "api/key", "--purge"],
        &["apply", "-f", "policy.yaml"],
        &["audit", "prune", "--before", "0s"],
    ];
    for words in others {
        let done = served.run(words);
        assert_ne!(done.status, 0, "{words:?}: {done:?}");
        let said = format!("{}{}", done.text(), done.err);
        assert!(!said.contains("canary"), "{words:?}");
        // It asks for a proof, and has no terminal to do so.
        assert!(done.err.contains("--passphrase-fd"), "{words:?}: {done:?}");
    }
    assert!(!served.path("work/b.backup").exists());
    assert!(!served.path("work/k").exists());
    // The proof itself is enough, and the daemon goes on beside it.
    assert_eq!(served.read("api/key"), VALUE);
    served.run(&["show", "api/key"]).ok();
    served.proven(&["rm", "api/key", "--purge"]).ok();
    assert_eq!(served.run(&["show", "api/key"]).status, 1);
    served.verify();
}

/// A key file opens the vault and proves nothing: the daemon that it opened lends nobody presence.
#[test]
fn a_daemon_opened_by_a_key_file_neither() {
    let served = Served::locked();
    served.set("api/key", VALUE);
    let key = served.key_file();
    let key = key.to_str().expect("UTF-8");
    served.run(&["unlock", "--key-file", key]).ok();
    served.run(&["show", "api/key"]).ok();
    for words in [&["read", "api/key"][..], &["rm", "api/key", "--purge"]] {
        let done = served.run(words);
        assert_ne!(done.status, 0, "{words:?}: {done:?}");
    }
    served.verify();
}

/// The protocol itself has no request for any of it: what it has is listed here, and a new one is
/// thought about twice.
#[test]
fn no_request_of_the_protocol_gives_a_value_back() {
    use subrosa_wire::{Answer, FROM_DAEMON};
    assert_eq!(FROM_DAEMON.secret, 0);
    assert_eq!(FROM_DAEMON.descriptors, 0);
    // Over the socket, by hand: a vault that is open, and a caller without a proof.
    let served = Served::open();
    served.fed(&["set", "api/key", "--stdin"], VALUE).ok();
    let mut client = subrosa_wire::connect(&served.socket(), "tests").expect("it listens");
    let call = |request| subrosa_wire::Call {
        scope: subrosa_model::Scope {
            workspace: subrosa_model::Scope::default_workspace(),
            group: None,
        },
        request,
    };
    let key = subrosa_model::KeyName::new("api/key").expect("a key");
    let asked = [
        subrosa_wire::Request::Show(key.clone()),
        subrosa_wire::Request::History(key.clone()),
        subrosa_wire::Request::List(subrosa_wire::Filter::default()),
        subrosa_wire::Request::State,
        subrosa_wire::Request::Rollback {
            key,
            version: Some(1),
        },
    ];
    for request in asked {
        let reply = client.call(&call(request), None, &[]).expect("an answer");
        let bytes = subrosa_wire::encode(&reply).expect("bytes");
        assert!(!bytes.windows(6).any(|six| six == b"canary"), "{reply:?}");
        assert!(!matches!(reply, Ok(Answer::Done)));
    }
}
