//! The kinds of slots, how each is added, and how it opens the vault.

use std::any::Any;
use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::chip::Chip;
use crate::desktop::Desktop;
use subrosa_tests::{Done, Place, program};

/// The label of the slot under test.
pub(crate) const LABEL: &str = "slot-under-test";

/// A kind of slot.
pub(crate) struct Kind {
    /// What it is, for who reads a failure.
    pub(crate) name: &'static str,
    /// Whether it proves that a person is there.
    pub(crate) presence: bool,
    /// Whether it may open a vault that is not pinned.
    pub(crate) vouches: bool,
    /// Whether it may be the only one that a person has.
    pub(crate) everyday: bool,
    /// What `status` says of the custody, where it is none.
    pub(crate) custody: Option<&'static str>,
    /// Adds a slot of the kind to a vault.
    pub(crate) add: fn(&Place) -> Way,
}

pub(crate) fn passphrase() -> Kind {
    Kind {
        name: "passphrase",
        presence: true,
        vouches: true,
        everyday: true,
        custody: None,
        add: add_passphrase,
    }
}

pub(crate) fn recovery() -> Kind {
    Kind {
        name: "recovery code",
        presence: true,
        vouches: true,
        everyday: false,
        custody: None,
        add: add_recovery,
    }
}

pub(crate) fn key_file() -> Kind {
    Kind {
        name: "key file",
        presence: false,
        vouches: false,
        everyday: false,
        custody: Some("a key file opens the vault without a person"),
        add: add_key_file,
    }
}

pub(crate) fn environment() -> Kind {
    Kind {
        name: "environment",
        presence: false,
        vouches: false,
        everyday: false,
        custody: Some("an environment variable opens the vault without a person"),
        add: add_environment,
    }
}

pub(crate) fn command() -> Kind {
    Kind {
        name: "command",
        presence: false,
        vouches: false,
        everyday: false,
        custody: Some("a command opens the vault without a person"),
        add: add_command,
    }
}

pub(crate) fn age() -> Kind {
    Kind {
        name: "age identity",
        presence: false,
        vouches: false,
        everyday: false,
        custody: Some("an age identity opens the vault without a person"),
        add: add_age,
    }
}

pub(crate) fn ssh() -> Kind {
    Kind {
        name: "SSH identity",
        presence: false,
        vouches: false,
        everyday: false,
        custody: Some("an age identity opens the vault without a person"),
        add: add_ssh,
    }
}

pub(crate) fn keyring() -> Kind {
    Kind {
        name: "OS keyring",
        presence: false,
        vouches: false,
        everyday: false,
        custody: Some("the OS keyring opens the vault without a person"),
        add: add_keyring,
    }
}

pub(crate) fn tpm() -> Kind {
    Kind {
        name: "TPM",
        presence: true,
        vouches: false,
        everyday: false,
        custody: None,
        add: add_tpm,
    }
}

/// How the vault is opened with the slot.
#[derive(Default)]
pub(crate) struct Way {
    /// Options.
    words: Vec<String>,
    /// Variables.
    variables: Vec<(&'static str, String)>,
    /// What is on descriptor 3.
    file: Option<PathBuf>,
    /// What must live as long.
    _held: Option<Box<dyn Any>>,
}

impl Way {
    fn by(words: &[&str]) -> Self {
        Self {
            words: words.iter().map(ToString::to_string).collect(),
            ..Self::default()
        }
    }

    fn file(mut self, file: PathBuf) -> Self {
        self.file = Some(file);
        self
    }

    /// The program with these arguments, opened so.
    pub(crate) fn command(&self, place: &Place, words: &[&str]) -> Command {
        let mut command = Command::new("/bin/sh");
        place.surround(&mut command);
        command
            .args(["-c", "file=$1; shift; exec \"$0\" \"$@\" 3<\"$file\""])
            .arg(program())
            .arg(self.file.as_deref().unwrap_or("/dev/null".as_ref()))
            .args(&self.words)
            .args(words)
            .envs(self.variables.iter().cloned());
        command
    }

    /// Runs the program so.
    pub(crate) fn run(&self, place: &Place, words: &[&str], input: &[u8]) -> Done {
        Done::of(&mut self.command(place, words), input)
    }
}

/// Runs the program without any proof.
pub(crate) fn unproven(place: &Place, words: &[&str]) -> Done {
    let mut command = Command::new(program());
    place.surround(&mut command);
    Done::of(command.args(words), b"")
}

/// Runs the program with the passphrase on descriptor 3 and a file of the place on descriptor 4.
pub(crate) fn added<A: AsRef<OsStr>>(place: &Place, words: &[A], fourth: &str) -> Done {
    Done::of(&mut with_fourth(place, words, fourth), b"")
}

fn with_fourth<A: AsRef<OsStr>>(place: &Place, words: &[A], fourth: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    place.surround(&mut command);
    command
        .args([
            "-c",
            "first=$1 second=$2; shift 2; exec \"$0\" --passphrase-fd 3 \"$@\" 3<\"$first\" 4<>\"$second\"",
        ])
        .arg(program())
        .arg(place.path("passphrase"))
        .arg(place.path(fourth))
        .args(words);
    command
}

fn add_passphrase(place: &Place) -> Way {
    fs::write(place.path("another"), "another passphrase of ours").expect("written");
    let words = [
        "key",
        "add",
        "passphrase",
        "--label",
        LABEL,
        "--new-passphrase-fd",
        "4",
    ];
    added(place, &words, "another").ok();
    Way::by(&["--passphrase-fd", "3"]).file(place.path("another"))
}

fn add_recovery(place: &Place) -> Way {
    let done = place
        .proven(&["key", "add", "recovery", "--label", LABEL])
        .ok();
    let code = done.err.lines().last().expect("it is shown").trim();
    fs::write(place.path("code"), code).expect("written");
    Way::by(&["--recovery-fd", "3"]).file(place.path("code"))
}

fn add_key_file(place: &Place) -> Way {
    let path = place.path("live/user/another-key");
    let path = path.to_str().expect("UTF-8");
    place
        .proven(&["key", "add", "key-file", path, "--label", LABEL])
        .ok();
    Way::by(&["--key-file", path])
}

fn add_environment(place: &Place) -> Way {
    let words = [
        "key",
        "add",
        "environment",
        "--label",
        LABEL,
        "--secret-fd",
        "4",
    ];
    added(place, &words, "shown").ok();
    let secret = fs::read_to_string(place.path("shown")).expect("it was written");
    Way {
        variables: vec![("SUBROSA_KEY", secret.trim().to_owned())],
        ..Way::default()
    }
}

fn add_command(place: &Place) -> Way {
    let kept = place.path("kept");
    fs::write(&kept, "7c".repeat(32)).expect("written");
    let kept = kept.to_str().expect("UTF-8");
    let words = [
        "key", "add", "command", "--label", LABEL, "--", "/bin/cat", kept,
    ];
    place.proven(&words).ok();
    configure(place, &format!("key_command = [\"/bin/cat\", {kept:?}]\n"));
    Way::by(&["--open-with", "command"])
}

fn add_age(place: &Place) -> Way {
    let path = place.path("identity");
    let path = path.to_str().expect("UTF-8");
    told("age-keygen", &["-o", path]);
    let recipient = told("age-keygen", &["-y", path]);
    let words = ["key", "add", "age", "--label", LABEL, recipient.trim()];
    place.proven(&words).ok();
    Way::by(&["--age-identity", path])
}

fn add_ssh(place: &Place) -> Way {
    let path = place.path("id_ed25519");
    let path = path.to_str().expect("UTF-8");
    told("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", path]);
    let public = format!("{path}.pub");
    let words = [
        "key",
        "add",
        "age",
        "--label",
        LABEL,
        "--recipient-file",
        &public,
    ];
    place.proven(&words).ok();
    Way {
        variables: vec![("SUBROSA_AGE_IDENTITY", path.to_owned())],
        ..Way::default()
    }
}

fn add_keyring(place: &Place) -> Way {
    let desktop = Desktop::start(place);
    let mut add = place.with_passphrase("passphrase", &["key", "add", "keyring", "--label", LABEL]);
    add.env("DBUS_SESSION_BUS_ADDRESS", &desktop.address);
    Done::of(&mut add, b"").ok();
    Way {
        words: vec!["--open-with".to_owned(), "keyring".to_owned()],
        variables: vec![("DBUS_SESSION_BUS_ADDRESS", desktop.address.clone())],
        _held: Some(Box::new(desktop)),
        ..Way::default()
    }
}

/// The PIN of every TPM here.
pub(crate) const PIN: &str = "c4n4ry-pin-2209";

fn add_tpm(place: &Place) -> Way {
    let chip = Chip::start(place, "chip");
    fs::write(place.path("pin"), PIN).expect("written");
    let mut add = with_fourth(
        place,
        &["key", "add", "tpm", "--label", LABEL, "--new-pin-fd", "4"],
        "pin",
    );
    add.env("TPM2TOOLS_TCTI", &chip.name);
    Done::of(&mut add, b"").ok();
    Way {
        words: vec!["--pin-fd".to_owned(), "3".to_owned()],
        variables: vec![("TPM2TOOLS_TCTI", chip.name.clone())],
        file: Some(place.path("pin")),
        _held: Some(Box::new(chip)),
    }
}

/// What another program says.
fn told(program: &str, words: &[&str]) -> String {
    let done = Command::new(program).args(words).output();
    let done = done.unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(done.status.success(), "{program}: {done:?}");
    String::from_utf8(done.stdout).expect("text")
}

/// Writes the configuration.
fn configure(place: &Place, text: &str) {
    let folder = place.path("live/home/config");
    fs::create_dir_all(&folder).expect("made");
    fs::write(folder.join("config.toml"), text).expect("written");
}
