//! What needs a person needs one also while the daemon holds the vault open.

use std::fs;

use subrosa_tests::{Done, Served, held};
use subrosa_wire::{Answer, Proof, Request};

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
    use subrosa_wire::FROM_DAEMON;
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

/// A connection to the daemon, by hand.
struct Caller(subrosa_wire::Client);

impl Caller {
    fn of(served: &Served) -> Self {
        Self(subrosa_wire::connect(&served.socket(), "tests").expect("it listens"))
    }

    fn ask(&mut self, request: Request, secret: Option<&[u8]>) -> subrosa_wire::Reply {
        let scope = subrosa_model::Scope {
            workspace: subrosa_model::Scope::default_workspace(),
            group: None,
        };
        let call = subrosa_wire::Call { scope, request };
        self.0.call(&call, secret, &[]).expect("an answer")
    }

    /// Asks for what needs a proof; returns what the proof must be for.
    fn demand(&mut self, request: &Request) -> [u8; 32] {
        match self.ask(request.clone(), None) {
            Ok(Answer::Presence { digest, .. }) => digest,
            other => panic!("{other:?}"),
        }
    }

    fn prove(&mut self, digest: [u8; 32], request: &Request, secret: &[u8]) -> subrosa_wire::Reply {
        self.prove_with(digest, request, (Proof::Passphrase, secret))
    }

    fn prove_with(
        &mut self,
        digest: [u8; 32],
        request: &Request,
        (proof, secret): (Proof, &[u8]),
    ) -> subrosa_wire::Reply {
        let request = Box::new(request.clone());
        let proven = Request::Proven {
            digest,
            proof,
            request,
        };
        self.ask(proven, Some(secret))
    }
}

fn purge(key: &str) -> Request {
    Request::Purge(subrosa_model::KeyName::new(key).expect("a key"))
}

fn code(reply: &subrosa_wire::Reply) -> &str {
    match reply {
        Err(failure) => &failure.code,
        Ok(_) => "done",
    }
}

#[test]
fn row_44_a_proof_is_for_one_request_and_used_once() {
    let served = Served::open();
    for key in ["a/one", "a/two", "a/three"] {
        served.fed(&["set", key, "--stdin"], VALUE).ok();
    }
    let passphrase = fs::read(served.path("passphrase")).expect("there");
    let passphrase = passphrase.trim_ascii_end();
    let mut caller = Caller::of(&served);
    let (one, two) = (purge("a/one"), purge("a/two"));
    // For another request.
    let digest = caller.demand(&one);
    assert_eq!(code(&caller.prove(digest, &two, passphrase)), "presence");
    // It is gone with that, for its own request too.
    assert_eq!(code(&caller.prove(digest, &one, passphrase)), "presence");
    // With another request in between.
    let digest = caller.demand(&one);
    assert!(caller.ask(Request::State, None).is_ok());
    assert_eq!(code(&caller.prove(digest, &one, passphrase)), "presence");
    // A wrong passphrase uses it up as well.
    let digest = caller.demand(&one);
    assert_eq!(
        code(&caller.prove(digest, &one, b"another one")),
        "wrong_key"
    );
    assert_eq!(code(&caller.prove(digest, &one, passphrase)), "presence");
    // From another connection, even of the same process.
    let digest = caller.demand(&one);
    let mut other = Caller::of(&served);
    assert_eq!(code(&other.prove(digest, &one, passphrase)), "presence");
    let _ = other.demand(&one);
    assert_eq!(code(&other.prove(digest, &one, passphrase)), "presence");
    // What it was given for is another secret by now.
    let digest = caller.demand(&one);
    served
        .fed(&["set", "a/one", "--stdin"], b"canary-4p9zk2-newer")
        .ok();
    assert_eq!(code(&caller.prove(digest, &one, passphrase)), "presence");
    // Or the policy is another.
    let digest = caller.demand(&one);
    served.apply("version: 1\ndenied_commands: [rm]\n");
    assert_eq!(code(&caller.prove(digest, &one, passphrase)), "presence");
    // A key file proves nothing.
    let digest = caller.demand(&one);
    let key = fs::read(served.key_file()).expect("there");
    let reply = caller.prove_with(digest, &one, (Proof::KeyFile, &key));
    assert_eq!(code(&reply), "presence");
    for key in ["a/one", "a/two", "a/three"] {
        served.run(&["show", key]).ok();
    }
    // And the proof that was asked for does it, once.
    let digest = caller.demand(&one);
    assert_eq!(code(&caller.prove(digest, &one, passphrase)), "done");
    assert_eq!(served.run(&["show", "a/one"]).status, 1);
    served.fed(&["set", "a/one", "--stdin"], VALUE).ok();
    assert_eq!(code(&caller.prove(digest, &one, passphrase)), "presence");
    // What came with it does not linger: the next request needs its own.
    let _ = caller.demand(&two);
    served.verify();
    held(
        44,
        "a proof works for one request of one connection, once, while nothing changes",
    );
}

/// Whatever of a run an approval could be for changes its digest, which the log has.
#[test]
fn row_44_the_digest_covers_the_whole_request() {
    let served = Served::open();
    served.fed(&["set", "api/key", "--stdin"], VALUE).ok();
    served.fed(&["set", "api/other", "--stdin"], VALUE).ok();
    let run = |words: &[&str], adjust: &dyn Fn(&mut std::process::Command)| {
        let mut all = vec!["run"];
        all.extend(words);
        let mut command = served.command(&all);
        adjust(&mut command);
        let done = Done::of(&mut command, b"");
        assert_eq!(done.status, 125, "{done:?}");
        let log = served.log();
        let last = log.lines().rev().find(|line| line.contains("\"decision\""));
        let last: serde_json::Value = serde_json::from_str(last.expect("one")).expect("JSON");
        last["digest"].as_str().expect("a digest").to_owned()
    };
    let plain: &dyn Fn(&mut std::process::Command) = &|_| {};
    let base = ["-k", "api/key", "--", "cat", "/dev/null"];
    let first = run(&base, plain);
    assert_eq!(
        run(&base, plain),
        first,
        "the same request has the same digest"
    );
    fs::create_dir(served.path("work/elsewhere")).expect("made");
    let elsewhere = served.path("work/elsewhere");
    let mut digests = vec![
        first,
        run(&["-k", "api/key", "--", "cat", "/dev/zero"], plain),
        run(&["-k", "api/key", "--", "cat", "/dev/null", ""], plain),
        run(&["-k", "api/key", "--", "/usr/bin/cat", "/dev/null"], plain),
        run(&["-k", "api/key", "--", "tac", "/dev/null"], plain),
        run(&["-k", "api/other", "--", "cat", "/dev/null"], plain),
        run(&["-k", "api/*", "--", "cat", "/dev/null"], plain),
        run(
            &[
                "--inject",
                "file",
                "-k",
                "api/key",
                "--",
                "cat",
                "/dev/null",
            ],
            plain,
        ),
        run(&base, &|command| {
            command.current_dir(&elsewhere);
        }),
        run(&base, &|command| {
            command.env("LANG", "tlh");
        }),
        // Another caller: one that opened the vault itself.
        run(&base, &|command| {
            command.env("SUBROSA_KEY_FILE", served.key_file());
        }),
    ];
    served
        .fed(&["set", "api/key", "--stdin"], b"canary-4p9zk2-newer")
        .ok();
    digests.push(run(&base, plain));
    served.apply("version: 1\ndenied_commands: [rm]\n");
    digests.push(run(&base, plain));
    let distinct: std::collections::BTreeSet<&String> = digests.iter().collect();
    assert_eq!(distinct.len(), digests.len(), "{digests:?}");
    held(
        44,
        "12 changes of a request, its caller, its secret or the policy each change its digest",
    );
}
