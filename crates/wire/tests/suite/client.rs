//! The first words, and a client that finds its daemon.

use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread;

use proptest::collection::vec;
use proptest::prelude::*;
use subrosa_wire::{
    Answer, FROM_CLIENT, PROTOCOL, Proof, Request, WireError, connect, decode, encode, greet,
    receive, send, welcome,
};

use crate::support::{Content, PATIENCE, pair};

/// The first words by hand: their form must never change.
fn hello(protocol: u32, program: &str) -> Vec<u8> {
    let mut words = b"subrosa\0".to_vec();
    words.extend(protocol.to_le_bytes());
    words.extend(program.as_bytes());
    Content::new(&words, None, 0).bytes()
}

#[test]
fn both_sides_learn_who_speaks() {
    let (ours, theirs) = pair();
    thread::scope(|scope| {
        let daemon = scope.spawn(|| welcome(&theirs, "9.1").unwrap());
        let told = greet(&ours, "9.2").unwrap();
        assert_eq!((told.protocol, told.program.as_str()), (PROTOCOL, "9.1"));
        let told = daemon.join().unwrap();
        assert_eq!((told.protocol, told.program.as_str()), (PROTOCOL, "9.2"));
    });
}

#[test]
fn the_first_words_are_those_of_the_page() {
    let (ours, theirs) = pair();
    (&theirs).write_all(&hello(PROTOCOL, "1")).unwrap();
    greet(&ours, "0.1.0").unwrap();
    let mut came = vec![0; 12 + 8 + 4 + 5];
    std::io::Read::read_exact(&mut &theirs, &mut came).unwrap();
    assert_eq!(came, hello(PROTOCOL, "0.1.0"));
}

#[test]
fn another_version_is_told_to_both_sides() {
    for protocol in [0, PROTOCOL + 1, u32::MAX] {
        let is_told = |error: WireError, who: &str| match error {
            WireError::Version {
                ours,
                theirs,
                program,
            } => assert_eq!((ours, theirs, program.as_str()), (PROTOCOL, protocol, who)),
            other => panic!("{other:?}"),
        };
        // A client of ours, a daemon of another version.
        let (ours, theirs) = pair();
        (&theirs).write_all(&hello(protocol, "7.0")).unwrap();
        is_told(greet(&ours, "0.1.0").expect_err("another version"), "7.0");

        // A client of another version, a daemon of ours: it is told before it is refused.
        let (ours, theirs) = pair();
        (&theirs).write_all(&hello(protocol, "8.0")).unwrap();
        is_told(welcome(&ours, "0.1.0").expect_err("another version"), "8.0");
        let mut told = vec![0; hello(PROTOCOL, "0.1.0").len()];
        std::io::Read::read_exact(&mut &theirs, &mut told).unwrap();
        assert_eq!(told, hello(PROTOCOL, "0.1.0"));
    }
}

#[test]
fn words_of_nobody_are_refused() {
    let mut long = b"subrosa\0\x01\0\0\0".to_vec();
    long.resize(129, b'x');
    let wrong: [&[u8]; 8] = [
        b"",
        b"subrosa",
        b"subrosa\0",
        b"subrosa\0\x01\0\0",
        b"Subrosa\0\x01\0\0\0",
        b"subrosa\0\x01\0\0\0\xff",
        b"subrosa\0\x01\0\0\0a\x1b[2J",
        &long,
    ];
    for words in wrong {
        for as_daemon in [true, false] {
            let (ours, theirs) = pair();
            (&theirs)
                .write_all(&Content::new(words, None, 0).bytes())
                .unwrap();
            let error = match as_daemon {
                true => welcome(&ours, "1"),
                false => greet(&ours, "1"),
            };
            let error = error.expect_err("no first words");
            assert!(
                matches!(
                    error,
                    WireError::Garbled { .. } | WireError::TooLarge { .. }
                ),
                "{error:?}"
            );
        }
    }
}

#[test]
fn a_value_or_descriptors_are_no_first_words() {
    let words = b"subrosa\0\x01\0\0\0";
    let (ours, theirs) = pair();
    (&theirs)
        .write_all(&Content::new(words, Some(b"value"), 0).bytes())
        .unwrap();
    let error = welcome(&ours, "1").expect_err("a value");
    assert!(matches!(error, WireError::TooLarge { .. }), "{error:?}");
    let (ours, theirs) = pair();
    Content::new(words, None, 2).send(&theirs).unwrap();
    let error = welcome(&ours, "1").expect_err("descriptors");
    assert!(matches!(error, WireError::TooLarge { .. }), "{error:?}");
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[track_caller]
fn nobody(path: &Path) {
    let error = connect(path, "1").expect_err("nobody");
    assert!(matches!(error, WireError::Nobody { .. }), "{error:?}");
}

#[test]
fn where_nobody_listens() {
    let folder = folder();
    let path = folder.path().join("daemon.sock");
    nobody(&path);
    nobody(&path.join("below"));
    File::create(&path).unwrap();
    nobody(&path);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    nobody(&path);
    fs::remove_dir(&path).unwrap();
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists(), "what a killed daemon leaves");
    nobody(&path);
    // A link is not followed, not even to a daemon.
    let real = folder.path().join("real.sock");
    let _listener = UnixListener::bind(&real).unwrap();
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink(&real, &path).unwrap();
    nobody(&path);
}

/// What another user made is told from afar. Root gives the socket away; others have only their own
/// and look at one of root's.
#[test]
fn row_34_a_socket_of_another_user_gets_no_word() {
    let folder = folder();
    let path = folder.path().join("daemon.sock");
    let listener = UnixListener::bind(&path).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
    if chown(&path, Some(65534), Some(65534)).is_err() {
        println!("REDTEAM row=34 verdict=skipped why=only root can give a socket away");
        return;
    }
    assert_eq!(path.metadata().unwrap().uid(), 65534);
    let error = connect(&path, "1").expect_err("another user's");
    assert!(
        matches!(error, WireError::Foreign { uid: 65534, .. }),
        "{error:?}"
    );
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "it was not even connected to");
    println!("REDTEAM row=34 verdict=held why=a socket of another user is not connected to");
}

#[test]
fn requests_and_answers_over_a_listener() {
    let folder = folder();
    let path = folder.path().join("daemon.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let request = Request::Unlock {
        proof: Proof::Passphrase,
        idle: None,
        absolute: None,
    };
    let call = crate::messages::call(request);
    thread::scope(|scope| {
        scope.spawn(|| {
            let (socket, _) = listener.accept().unwrap();
            welcome(&socket, "1").unwrap();
            for number in 0..3 {
                let frame = receive(&socket, &FROM_CLIENT, PATIENCE).unwrap().unwrap();
                assert_eq!(decode::<subrosa_wire::Call>(&frame.body).unwrap(), call);
                assert_eq!(frame.secret.unwrap().as_slice(), b"proof");
                let reply: subrosa_wire::Reply = Ok(Answer::Unlocked(vec![format!("{number}")]));
                send(&socket, &encode(&reply).unwrap(), None, &[], PATIENCE).unwrap();
            }
        });
        let mut client = connect(&path, "1").unwrap();
        for number in 0..3 {
            let reply = client.call(&call, Some(b"proof"), &[]).unwrap();
            assert_eq!(reply, Ok(Answer::Unlocked(vec![format!("{number}")])));
        }
        let error = client.answer().expect_err("it went");
        assert!(matches!(error, WireError::Closed), "{error:?}");
    });
}

/// A home may be deep, and a socket's name has 107 bytes.
#[test]
fn a_path_longer_than_the_name_of_a_socket() {
    let folder = folder();
    let deep = folder.path().join("d".repeat(120)).join("e".repeat(120));
    fs::create_dir_all(&deep).unwrap();
    let short = folder.path().join("s");
    let listener = UnixListener::bind(&short).unwrap();
    let path = deep.join("daemon.sock");
    fs::rename(&short, &path).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| welcome(listener.accept().unwrap().0, "1").unwrap());
        connect(&path, "1").unwrap();
    });
}

#[test]
fn a_daemon_that_goes_after_the_first_words_is_closed() {
    let folder = folder();
    let path = folder.path().join("daemon.sock");
    let listener = UnixListener::bind(&path).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| drop(listener.accept().unwrap()));
        let error = connect(&path, "1").expect_err("it went");
        assert!(matches!(error, WireError::Closed), "{error:?}");
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever a stranger says first, it is either the form of the page or refused.
    #[test]
    fn whatever_is_said_first(words in vec(any::<u8>(), 0..140), ours in any::<bool>()) {
        let mut body = words;
        if ours {
            body.splice(0..0, *b"subrosa\0");
        }
        let (here, there): (UnixStream, UnixStream) = pair();
        (&there).write_all(&Content::new(&body, None, 0).bytes()).unwrap();
        let outcome = welcome(&here, "1");
        let formed = body.len() <= 128
            && body.strip_prefix(b"subrosa\0").is_some_and(|rest| {
                rest.len() >= 4
                    && std::str::from_utf8(&rest[4..])
                        .is_ok_and(|text| !text.contains(char::is_control))
            });
        match outcome {
            Ok(hello) => prop_assert!(formed && hello.protocol == PROTOCOL),
            Err(WireError::Version { theirs, .. }) => prop_assert!(formed && theirs != PROTOCOL),
            Err(_) => prop_assert!(!formed),
        }
    }
}
