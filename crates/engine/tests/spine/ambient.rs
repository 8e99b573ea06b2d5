//! Slots that prove no presence, each alone.

use subrosa_engine::{
    EngineError, Home, Session, Setting, SlotKind, Source, Unlock, decode_secret,
};
use subrosa_vault::VaultError;

use crate::{init, open, secret, setting};

/// A way to add a slot, and what opens it then.
type Way = fn(&mut Session) -> Unlock;

const WAYS: [(SlotKind, Way); 3] = [
    (SlotKind::Age, age),
    (SlotKind::Environment, environment),
    (SlotKind::Command, command),
];

fn environment(session: &mut Session) -> Unlock {
    let (slot, text) = session.add_environment("ambient").unwrap();
    assert!(!slot.presence);
    let source = Source {
        kind: SlotKind::Environment,
        what: "the variable",
    };
    Unlock::Environment(decode_secret(&text, source).unwrap())
}

fn command(session: &mut Session) -> Unlock {
    let print = || {
        let line = ["/bin/sh", "-c", "printf 5f%.0s $(seq 32)"].map(Into::into);
        let variables = [("PATH".into(), "/usr/bin:/bin".into())];
        subrosa_engine::read_command(&line, variables).unwrap()
    };
    let slot = session.add_command("ambient", print()).unwrap();
    assert!(!slot.presence);
    Unlock::Command(print())
}

/// An identity that never leaves the tests; its recipient is in `age`.
const IDENTITY: &str = "AGE-SECRET-KEY-1Y8EP0V8NFQ66FSJG77PC499Q24XRC52TK3RTPSAKD0WFES2TXNGSQ9ED7Y";

fn age(session: &mut Session) -> Unlock {
    let slot = session
        .add_age(
            "ambient",
            "age1ptt0gpks4mhfmqmwjevahcnldv3y04ddhu4uc45kke5lp0s8ayhs5rlmp9",
        )
        .unwrap();
    assert!(!slot.presence);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("identity");
    std::fs::write(&file, IDENTITY).unwrap();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&file, private).unwrap();
    subrosa_engine::read_age(&session.setting().home, &file).unwrap()
}

fn bytes(unlock: &Unlock) -> Vec<u8> {
    match unlock {
        Unlock::Environment(secret) | Unlock::Command(secret) | Unlock::Age { secret, .. } => {
            secret.as_slice().to_vec()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_opens_alone_and_no_longer_once_it_is_removed() {
    for (kind, way) in WAYS {
        let root = tempfile::tempdir().unwrap();
        let mut session = init(root.path());
        let unlock = way(&mut session);
        session.remove_slot("recovery").unwrap();
        session.close().unwrap();
        assert_eq!(unlock.kind(), kind);
        let status = subrosa_engine::status(&setting(root.path()).home).unwrap();
        assert!(
            status.ambient && status.custody.starts_with("none"),
            "{status:?}"
        );

        let mut session = Session::open(setting(root.path()), &unlock).unwrap();
        assert!(!session.is_present());
        assert_eq!(session.slot().unwrap().kind, Some(kind));
        for refused in [session.rotate(), session.remove_slot("passphrase")] {
            assert!(
                matches!(refused, Err(EngineError::Presence { .. })),
                "{kind:?}"
            );
        }
        session.close().unwrap();
        // The same bytes as those of another kind are another secret.
        let file = Unlock::KeyFile(secret(&bytes(&unlock)));
        let mut present = open(root.path()).unwrap();
        present
            .add_key_file("file", &root.path().join("file.key"))
            .unwrap();
        assert!(matches!(
            Session::open(setting(root.path()), &file),
            Err(EngineError::Vault(VaultError::WrongKey { .. }))
        ));

        present.remove_slot("ambient").unwrap();
        present.close().unwrap();
        assert!(matches!(
            Session::open(setting(root.path()), &unlock),
            Err(EngineError::Vault(VaultError::NoSlot { .. }))
        ));
    }
}

#[test]
fn row_45_none_opens_a_vault_that_is_not_pinned() {
    for (kind, way) in WAYS {
        let forge = tempfile::tempdir().unwrap();
        let mut forged = init(forge.path());
        let unlock = way(&mut forged);
        forged.close().unwrap();
        let ours = tempfile::tempdir().unwrap();
        let planted = Setting {
            home: Home {
                pins: Some(ours.path().join("pins")),
                ..setting(forge.path()).home
            },
            ..setting(forge.path())
        };
        let opened = Session::open(planted.clone(), &unlock);
        let Err(EngineError::Unpinned { kind: told, .. }) = opened else {
            panic!("{kind:?} {opened:?}");
        };
        assert_eq!(told, kind);
        // Nor does it vouch for one when it is told to.
        let accepting = Setting {
            accept_root: true,
            ..planted
        };
        assert!(Session::open(accepting, &unlock).is_err(), "{kind:?}");
    }
    println!("REDTEAM row=45 verdict=held");
}
