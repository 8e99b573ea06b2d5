//! Slots that prove no presence: a secret in a variable, the output of a command, and others.

use std::fs;
use std::path::Path;

use crate::house::{Back, Call, House, VALUE, copy};

/// Everything that a house holds on disk but what is listed, searched for a text.
pub(crate) fn nowhere_in_clear(house: &House, secret: &str, but: &[&Path]) {
    let raw = hex_of(secret);
    let mut folders = vec![house.root.path().to_owned()];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if but.contains(&entry.path().as_path()) {
                continue;
            }
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
                continue;
            }
            let Ok(bytes) = fs::read(entry.path()) else {
                continue;
            };
            seen += 1;
            for needle in [secret.as_bytes(), &raw] {
                let found = bytes.windows(needle.len()).any(|window| window == needle);
                assert!(!found, "{} holds the secret", entry.path().display());
            }
        }
    }
    assert!(seen > 3, "only {seen} files were searched");
}

fn hex_of(text: &str) -> Vec<u8> {
    (0..text.len() / 2)
        .map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap())
        .collect()
}

/// The secret that a command showed once, on the last line.
pub(crate) fn shown(back: &Back) -> String {
    back.ok();
    let secret = back.err.lines().last().unwrap().trim().to_owned();
    assert_eq!(secret.len(), 64, "{back:?}");
    secret
}

fn with_environment() -> (House, String) {
    let house = House::with_key();
    let secret = shown(&house.call(["key", "add", "environment"]).run());
    (house, secret)
}

fn by<'a>(house: &House, secret: &str, words: impl IntoIterator<Item = &'a str>) -> Call {
    house
        .call(words)
        .without_proof()
        .variable("SUBROSA_KEY", secret)
}

/// A copy of the vault as it is now, which `put_back` puts in its place.
pub(crate) fn put_back(house: &House, change: impl FnOnce(&House)) {
    let (data, old) = (house.path("home/data"), house.path("old"));
    copy(&data, &old);
    change(house);
    fs::rename(&data, house.path("today")).unwrap();
    fs::rename(&old, &data).unwrap();
}

#[test]
fn a_variable_alone_opens_the_vault_until_its_slot_is_removed() {
    let (house, secret) = with_environment();
    house
        .call(["key", "rm", "recovery"])
        .proof("--passphrase-fd", &house.path("passphrase"))
        .run()
        .ok();
    assert!(by(&house, &secret, ["ls"]).run().ok().contains("api/key"));
    by(&house, &format!("{secret}\n"), ["ls"]).run().ok();
    by(&house, &secret.to_uppercase(), ["ls"]).run().ok();
    let slots = by(&house, &secret, ["--json", "key", "ls"]).run().json();
    let slot = slots
        .as_array()
        .unwrap()
        .iter()
        .find(|slot| slot["label"] == "environment")
        .unwrap();
    assert_eq!(
        (&slot["presence"], &slot["current"]),
        (&false.into(), &true.into())
    );
    let status = house.call(["status"]).without_proof().run().ok();
    assert!(
        status.contains("none against code of this user: an environment variable opens"),
        "{status}"
    );
    // It proves nothing about who is there.
    for words in [
        &["backup", "copy"][..],
        &["key", "rm", "environment"],
        &["key", "add", "environment"],
    ] {
        let words = [&["--json"], words].concat();
        let back = by(&house, &secret, words).run();
        assert_eq!(back.error_code(), "presence");
        assert!(!back.err.contains(VALUE));
    }
    let read = by(&house, &secret, ["read", "api/key"]).run();
    read.failed(1);
    assert!(read.out.is_empty(), "{read:?}");
    nowhere_in_clear(&house, &secret, &[]);

    put_back(&house, |house| {
        house
            .call(["key", "rm", "environment"])
            .proof("--passphrase-fd", &house.path("passphrase"))
            .run()
            .ok();
        house
            .call(["set", "later", "--stdin"])
            .proof("--passphrase-fd", &house.path("passphrase"))
            .input("of-today")
            .run()
            .ok();
    });
    // The old copy is not what was pinned, and today's vault has no such slot.
    let old = by(&house, &secret, ["--json", "ls"]).run();
    assert_eq!(old.error_code(), "forged");
    fs::remove_dir_all(house.path("home/data")).unwrap();
    fs::rename(house.path("today"), house.path("home/data")).unwrap();
    let gone = by(&house, &secret, ["--json", "ls"]).run();
    assert_eq!(gone.error_code(), "no_slot");
    assert!(gone.err.contains("subrosa status"), "{gone:?}");
}

#[test]
fn the_variable_is_gone_once_we_run() {
    let (house, secret) = with_environment();
    // What a command sees of itself and of us. Another user may not even look.
    let look = "cat /proc/self/environ; echo; echo ours; cat /proc/$PPID/environ 2>&1; \
                cat /proc/$PPID/cmdline 2>&1; echo; echo fds; ls -l /proc/self/fd";
    let seen = by(&house, &secret, ["run", "--", "sh", "-c", look]).run();
    let text = seen.ok();
    assert!(text.contains("PATH=") && text.contains("ours"), "{text}");
    assert!(!text.contains(&secret), "{text}");
    assert!(!text.contains("SUBROSA_KEY="), "{text}");
    // Neither the socket with the secret nor anything else was left open.
    let fds = text.split("fds\n").nth(1).unwrap();
    assert!(!fds.contains("socket"), "{fds}");
    // Whoever asks for it by name gets nothing.
    let passed = by(
        &house,
        &secret,
        ["--json", "run", "--pass", "SUBROSA_KEY", "--", "true"],
    )
    .run();
    assert_ne!(passed.code, Some(0));

    // While we run, our own environment is looked at from outside.
    let input = house.path("pipe");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&input)
            .status()
            .unwrap()
            .success()
    );
    let call = by(
        &house,
        &secret,
        ["run", "--", "cat", input.to_str().unwrap()],
    );
    let mut child = call.command().spawn().unwrap();
    // Opening it waits until the command reads: then all of ours has started.
    let writer = fs::OpenOptions::new().write(true).open(&input).unwrap();
    let mut looked = 0;
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let process = entry.path();
        let runs_us = fs::read_link(process.join("exe"))
            .is_ok_and(|exe| exe == Path::new(crate::house::PROGRAM).canonicalize().unwrap());
        let Ok(environ) = fs::read(process.join("environ")) else {
            continue;
        };
        let home = house.path("home");
        let home = home.to_str().unwrap().as_bytes();
        if !runs_us || !environ.windows(home.len()).any(|window| window == home) {
            continue;
        }
        looked += 1;
        let needle = secret.as_bytes();
        assert!(!environ.windows(needle.len()).any(|window| window == needle));
    }
    drop(writer);
    assert!(child.wait().unwrap().success());
    let root = fs::metadata("/proc/self").is_ok_and(|_| is_root());
    assert!(looked > 0 || !root, "none of ours was seen");
}

fn is_root() -> bool {
    let id = std::process::Command::new("id").arg("-u").output().unwrap();
    id.stdout == b"0\n"
}

#[test]
fn what_comes_on_standard_input_comes_through() {
    let (house, secret) = with_environment();
    by(&house, &secret, ["set", "from/stdin", "--stdin"])
        .input("on-standard-input")
        .run()
        .ok();
    assert_eq!(house.read("from/stdin"), b"on-standard-input");
    let back = by(&house, &secret, ["run", "--", "cat"])
        .input("through")
        .run();
    assert_eq!(back.ok(), "through");
    // A marker of another process means nothing, and one of ours without a secret is an error.
    let stale = by(&house, &secret, ["ls"]).variable("SUBROSA_KEY_WAITING", "1 SUBROSA_KEY");
    stale.run().ok();
    let alone = house
        .call(["--json", "ls"])
        .without_proof()
        .variable("SUBROSA_KEY_WAITING", "1 SUBROSA_KEY")
        .run();
    assert_eq!(alone.error_code(), "no_proof");
}

#[test]
fn a_secret_that_is_none_is_refused_and_not_repeated() {
    let (house, secret) = with_environment();
    let other = shown(&House::with_key().call(["key", "add", "environment"]).run());
    let long = "c4".repeat(3000);
    for (text, code, why) in [
        (other.as_str(), "wrong_key", "does not open the vault"),
        ("", "slot_secret", "is empty"),
        (&secret[..62], "slot_secret", "at least 32"),
        (&long, "slot_secret", "more than 4096"),
        ("c4n4ry-7f3k9q2m-it-is-no-base64!", "slot_secret", "neither"),
    ] {
        let back = by(&house, text, ["--json", "--debug", "ls"]).run();
        assert_eq!(back.error_code(), code, "{why}");
        assert!(back.err.contains(why), "{why}: {back:?}");
        assert!(back.err.contains("subrosa "), "what to type: {back:?}");
        assert!(text.is_empty() || !back.err.contains(text), "{back:?}");
    }
    let unset = house
        .call(["--json", "--open-with", "environment", "ls"])
        .without_proof()
        .run();
    assert_eq!(unset.error_code(), "no_proof");
    assert!(unset.err.contains("SUBROSA_KEY"), "{unset:?}");
    // A name that is none is not repeated: it may be the secret.
    let typed = house
        .call(["--json", "--key-variable", "c4n4ry-secret", "ls"])
        .run();
    assert_eq!(typed.error_code(), "usage");
    assert!(!typed.err.contains("c4n4ry"), "{typed:?}");
    for name in ["PATH", "HOME", "LD_PRELOAD", "", "1A", "SUBROSA_HOME"] {
        let back = house
            .call(["--json", "key", "add", "environment", name])
            .run();
        assert_eq!(back.error_code(), "usage", "{name}");
    }
}

#[test]
fn a_variable_of_another_name_leaves_too() {
    let house = House::with_key();
    house.write("secret", "");
    let command = house
        .call([
            "key",
            "add",
            "environment",
            "DEPLOY_KEY",
            "--secret-fd",
            "1",
        ])
        .run();
    let secret = command.ok().trim().to_owned();
    assert_eq!(secret.len(), 64);
    assert!(!command.err.contains(&secret), "{command:?}");
    assert!(
        command.err.contains("--key-variable DEPLOY_KEY"),
        "{command:?}"
    );
    let call = |words: &[&str]| {
        house
            .call(words)
            .without_proof()
            .variable("DEPLOY_KEY", &secret)
    };
    assert_eq!(call(&["--json", "ls"]).run().error_code(), "no_proof");
    let look = "cat /proc/self/environ /proc/$PPID/environ 2>&1";
    let words = [
        "--key-variable",
        "DEPLOY_KEY",
        "run",
        "--pass",
        "DEPLOY_KEY",
        "--",
        "sh",
        "-c",
        look,
    ];
    let seen = call(&words).run();
    assert!(
        !seen.text().contains(&secret) && !seen.err.contains(&secret),
        "{seen:?}"
    );
    call(&["--key-variable", "DEPLOY_KEY", "ls"]).run().ok();
    configure(&house, "key_variable = \"DEPLOY_KEY\"\n");
    call(&["ls"]).run().ok();
    let both = call(&["ls"]).variable("SUBROSA_KEY", "ab".repeat(32)).run();
    // The environment is before the configuration, and what it says does not fall through.
    both.failed(1);
    assert!(!both.err.contains(&"ab".repeat(32)));
    let closed = house
        .call(["--json", "key", "add", "environment", "--secret-fd", "9"])
        .run();
    assert_eq!(closed.error_code(), "descriptor");
    let slots = house.call(["key", "ls"]).run().ok();
    assert!(!slots.contains("environment-2"), "{slots}");
}

/// Writes `config.toml`.
pub(crate) fn configure(house: &House, text: &str) {
    crate::house::folder(&house.path("home/config"));
    fs::write(house.path("home/config/config.toml"), text).unwrap();
}

#[test]
fn flags_come_before_the_environment_and_that_before_the_configuration() {
    let (house, secret) = with_environment();
    house.call(["key", "add", "key-file", "job.key"]).run().ok();
    house.write("other.key", "f".repeat(64));
    fs::set_permissions(
        house.work("other.key"),
        std::os::unix::fs::PermissionsExt::from_mode(0o600),
    )
    .unwrap();
    let wrong = "ab".repeat(32);
    let used = |call: Call| {
        let slots = call.run();
        if slots.code != Some(0) {
            return slots.error_code();
        }
        let slots = slots.json();
        let slots = slots.as_array().unwrap();
        let current = slots.iter().find(|slot| slot["current"] == true).unwrap();
        current["label"].as_str().unwrap().to_owned()
    };
    let ls = |flags: &[&'static str]| {
        let words = [&["--json"], flags, &["key", "ls"]].concat();
        house.call(words).without_proof()
    };
    configure(&house, &format!("key_file = {:?}\n", house.work("job.key")));
    assert_eq!(used(ls(&[])), "key-file");
    assert_eq!(
        used(ls(&[]).variable("SUBROSA_KEY", &secret)),
        "environment"
    );
    assert_eq!(used(ls(&[]).variable("SUBROSA_KEY", &wrong)), "wrong_key");
    let job = ["--key-file", "job.key"];
    assert_eq!(used(ls(&job).variable("SUBROSA_KEY", &secret)), "key-file");
    let other = ["--key-file", "other.key"];
    assert_eq!(
        used(ls(&other).variable("SUBROSA_KEY", &secret)),
        "wrong_key"
    );
    let by_name = ["--open-with", "key-file"];
    assert_eq!(
        used(ls(&by_name).variable("SUBROSA_KEY", &secret)),
        "key-file"
    );
    let by_name = ["--open-with", "environment"];
    assert_eq!(used(ls(&by_name)), "no_proof");
    let two = ["--open-with", "environment", "--key-file", "job.key"];
    assert_eq!(used(ls(&two).variable("SUBROSA_KEY", &secret)), "usage");
    // The key file of the environment is before that of the configuration.
    assert_eq!(
        used(ls(&[]).variable("SUBROSA_KEY_FILE", "other.key")),
        "wrong_key"
    );
}

#[test]
fn row_45_no_variable_opens_a_vault_that_was_never_pinned() {
    let (theirs, secret) = with_environment();
    let ours = House::new();
    // A home that somebody else made, with their secret in our variable.
    let back = by(&ours, &secret, ["--json", "ls"])
        .at(&theirs.path("home"))
        .run();
    assert_eq!(back.error_code(), "unpinned");
    assert!(
        back.err.contains("an environment variable may not open it"),
        "{back:?}"
    );
    assert!(!back.err.contains("api/key"));
    println!("REDTEAM row=45 verdict=held");
}

/// A program that prints what is in a file.
fn keeper(house: &House, secret: &str) -> String {
    let kept = house.write("kept", format!("{secret}\n"));
    let keeper = house.write(
        "keeper",
        format!(
            "#!/bin/sh\necho told-on-standard-error >&2\ncat {}\n",
            kept.display()
        ),
    );
    fs::set_permissions(&keeper, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    keeper.to_str().unwrap().to_owned()
}

#[test]
fn a_command_alone_opens_the_vault_until_its_slot_is_removed() {
    let house = House::with_key();
    let secret = "a91f7c".repeat(11) + "00";
    let keeper = keeper(&house, &secret);
    assert_eq!(
        house
            .call(["--json", "key", "add", "command"])
            .run()
            .error_code(),
        "usage"
    );
    let added = house.call(["key", "add", "command", "--", &keeper]).run();
    added.ok();
    assert!(
        added.err.contains(&format!("key_command = [{keeper:?}]")),
        "{added:?}"
    );
    assert!(!added.err.contains(&secret));
    // The vault does not say what to run: without the configuration nothing is run.
    let none = house
        .call(["--json", "--open-with", "command", "ls"])
        .without_proof()
        .run();
    assert_eq!(none.error_code(), "no_proof");
    assert!(!none.err.contains("told-on"));
    for file in fs::read_dir(house.path("home/data")).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        let named = bytes.windows(6).any(|window| window == b"keeper");
        assert!(!named, "the vault names the command");
    }
    nowhere_in_clear(&house, &secret, &[&house.work("kept")]);

    house
        .call(["key", "rm", "recovery"])
        .proof("--passphrase-fd", &house.path("passphrase"))
        .run()
        .ok();
    configure(&house, &format!("key_command = [{keeper:?}]\n"));
    let opened = house.call(["ls"]).without_proof().run();
    assert!(opened.ok().contains("api/key"));
    assert!(opened.err.contains("told-on-standard-error"), "{opened:?}");
    let status = house.call(["status"]).without_proof().run().ok();
    assert!(
        status.contains("a command opens the vault without a person"),
        "{status}"
    );
    house
        .call(["read", "api/key"])
        .without_proof()
        .run()
        .failed(1);

    put_back(&house, |house| {
        house
            .call(["key", "rm", "command"])
            .proof("--passphrase-fd", &house.path("passphrase"))
            .run()
            .ok();
    });
    let old = house.call(["--json", "ls"]).without_proof().run();
    assert_eq!(old.error_code(), "forged");
    fs::remove_dir_all(house.path("home/data")).unwrap();
    fs::rename(house.path("today"), house.path("home/data")).unwrap();
    let gone = house.call(["--json", "ls"]).without_proof().run();
    assert_eq!(gone.error_code(), "no_slot");
}

#[test]
fn a_command_that_gives_no_secret_is_told_without_what_it_printed() {
    let house = House::with_key();
    let right = keeper(&house, &"5e".repeat(32));
    house
        .call(["key", "add", "command", "--", &right])
        .run()
        .ok();
    for (line, code, why) in [
        ("[\"/bin/echo\", \"c4n4ry\"]", "slot_secret", "neither"),
        ("[\"/bin/echo\"]", "slot_secret", "is empty"),
        ("[\"/bin/false\"]", "slot_secret", "exit status: 1"),
        ("[\"echo\", \"c4n4ry\"]", "slot_secret", "written in full"),
        ("[\"/no/such/c4n4ry\"]", "slot_secret", "cannot be started"),
        ("[]", "slot_secret", "is empty"),
        ("\"echo c4n4ry\"", "config", "key_command"),
        (
            "[\"/bin/echo\", \"6666666666666666666666666666666666666666666666666666666666666666\"]",
            "wrong_key",
            "this command does not open",
        ),
    ] {
        configure(&house, &format!("key_command = {line}\n"));
        let back = house.call(["--json", "ls"]).without_proof().run();
        assert_eq!(back.error_code(), code, "{line}");
        assert!(back.err.contains(why), "{line}: {back:?}");
        assert!(
            code == "config" || !back.err.contains("\"c4n4ry"),
            "{back:?}"
        );
    }
    // What others may write to would have us run what they like.
    configure(&house, &format!("key_command = [{right:?}]\n"));
    let config = house.path("home/config/config.toml");
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    fs::set_permissions(config, open).unwrap();
    let back = house.call(["--json", "ls"]).without_proof().run();
    assert_eq!(back.error_code(), "unsafe_path");
    assert!(!back.err.contains("told-on"), "{back:?}");
}
