//! Imports that the user's own programs decrypt: gpg with a store that pass filled, and sops.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::house::{Back, House, folder};
use crate::imports::{CANARY, keys, refused, silent};

/// A GnuPG home with a key, and a password store that `pass` itself fills.
struct Store<'a> {
    house: &'a House,
    variables: [(&'static str, PathBuf); 2],
}

impl<'a> Store<'a> {
    fn new(house: &'a House) -> Self {
        let store = Self {
            house,
            variables: [
                ("GNUPGHOME", house.path("account/.gnupg")),
                ("PASSWORD_STORE_DIR", house.work("store")),
            ],
        };
        folder(&house.path("account/.gnupg"));
        let key = [
            "--batch",
            "--quiet",
            "--passphrase",
            "",
            "--quick-gen-key",
            "wren@example.com",
            "ed25519",
            "cert",
            "never",
        ];
        store.run("gpg", &key, b"");
        let listed = store.run("gpg", &["--batch", "--with-colons", "--list-keys"], b"");
        let fingerprint = listed
            .lines()
            .find_map(|line| line.strip_prefix("fpr:::::::::"))
            .unwrap();
        let fingerprint = fingerprint.trim_end_matches(':');
        store.run(
            "gpg",
            &[
                "--batch",
                "--quiet",
                "--passphrase",
                "",
                "--quick-add-key",
                fingerprint,
                "cv25519",
                "encr",
                "never",
            ],
            b"",
        );
        store.run("pass", &["init", "wren@example.com"], b"");
        store
    }

    fn run(&self, program: &str, arguments: &[&str], input: &[u8]) -> String {
        let mut command = Command::new(program);
        command.args(arguments).envs(self.variables.iter().cloned());
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{program}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn insert(&self, name: &str, content: &[u8]) {
        self.run("pass", &["insert", "--multiline", name], content);
    }

    fn call(&self, words: &[&str]) -> Back {
        let call = self.house.call(words);
        let gnupg = &self.variables[0];
        silent(call.variable(gnupg.0, &gnupg.1).run())
    }
}

impl Drop for Store<'_> {
    fn drop(&mut self) {
        let mut kill = Command::new("gpgconf");
        kill.args(["--kill", "gpg-agent"])
            .envs(self.variables.iter().cloned());
        let _ = kill.status();
    }
}

#[test]
fn a_password_store_is_imported() {
    let house = House::new();
    let store = Store::new(&house);
    store.insert("web/git hub", format!("{CANARY}: x\nuser: wren\nurl: https://github.com/login\nPIN: {CANARY}-pin\nfree {CANARY}\n").as_bytes());
    store.insert(
        "otp/only",
        format!("otpauth://totp/x?secret={CANARY}\n").as_bytes(),
    );
    store.insert("keys/id", format!("-----BEGIN {CANARY}\nAAAA\n").as_bytes());
    store.insert("raw", &[CANARY.as_bytes(), b"\xff\xfe\n"].concat());
    store.insert("empty", b"\nuser: nobody\n");
    house.write("store/README", "no entry");
    symlink("/", house.work("store/link")).unwrap();
    let done = store.call(&["--debug", "--json", "import", "store"]).json();
    assert_eq!(done["form"], "pass");
    assert_eq!(
        keys(&done["created"]),
        ["keys/id", "otp/only", "raw", "web/git-hub"]
    );
    assert_eq!(
        (keys(&done["empty"]), &done["attachments"]),
        (vec!["empty"], &2.into())
    );
    assert_eq!(house.read("web/git-hub"), format!("{CANARY}: x").as_bytes());
    assert_eq!(
        house.read("web/git-hub#PIN"),
        format!("{CANARY}-pin").as_bytes()
    );
    assert_eq!(
        house.read("web/git-hub#notes"),
        format!("free {CANARY}").as_bytes()
    );
    assert_eq!(
        house.read("otp/only#otp"),
        format!("otpauth://totp/x?secret={CANARY}").as_bytes()
    );
    assert_eq!(
        house.read("keys/id"),
        format!("-----BEGIN {CANARY}\nAAAA\n").as_bytes()
    );
    assert_eq!(house.read("raw"), [CANARY.as_bytes(), b"\xff\xfe"].concat());
    let shown = house.call(["--json", "show", "web/git-hub"]).run().json();
    assert_eq!(shown["url"], "https://github.com/login");
}

#[test]
fn a_store_that_cannot_be_decrypted_is_imported_not_at_all() {
    let house = House::new();
    let store = Store::new(&house);
    store.insert("a/good", CANARY.as_bytes());
    store.insert("b/bad", CANARY.as_bytes());
    let file = house.work("store/b/bad.gpg");
    let mut bytes = std::fs::read(&file).unwrap();
    let last = bytes.len() - 10;
    bytes[last] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    let back = store.call(&["import", "store"]);
    let said = back.failed(1);
    assert!(
        said.contains("b/bad: gpg cannot decrypt it")
            && said.contains("try: see what it says: gpg --decrypt"),
        "{said}"
    );
    assert_eq!(
        house.call(["--json", "ls"]).run().json(),
        serde_json::json!([])
    );
    folder(&house.work("nothing"));
    assert!(
        store
            .call(&["import", "nothing"])
            .failed(1)
            .contains("no .gpg-id")
    );
    // What a test needs to start the program, and no gpg.
    let bare = house.path("bare");
    folder(&bare);
    for (name, file) in [("sh", "/bin/sh"), ("setsid", "/usr/bin/setsid")] {
        symlink(file, bare.join(name)).unwrap();
    }
    let back = house
        .call(["import", "store"])
        .variable("PATH", &bare)
        .run();
    assert!(
        back.failed(1).contains("gpg: there is no such command"),
        "{back:?}"
    );
}

/// A program of that name, found before any other.
fn stand_in(house: &House, name: &str, script: &str) -> std::ffi::OsString {
    let bin = house.path("bin");
    folder(&bin);
    std::fs::write(bin.join(name), format!("#!/bin/sh\n{script}")).unwrap();
    std::fs::set_permissions(bin.join(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::var_os("PATH").unwrap();
    std::env::join_paths([bin].into_iter().chain(std::env::split_paths(&path))).unwrap()
}

#[test]
fn a_program_that_decrypts_gets_no_proof_and_no_secret() {
    let house = House::new();
    folder(&house.work("store"));
    house.write("store/.gpg-id", "wren\n");
    house.write("store/-a.gpg", "x");
    // What a proof is handed over on would be read here.
    let script = "cat <&3 2>/dev/null; cat <&4 2>/dev/null\necho \"$* $(ls /proc/self/fd | wc -l)\"\n\
                  echo canary-complaint >&2\n";
    let path = stand_in(&house, "gpg", script);
    let second = house.write("second", "canary-on-descriptor-4");
    let call = house
        .call(["import", "store"])
        .variable("PATH", &path)
        .second(&second);
    silent(call.run()).ok();
    let seen = String::from_utf8(house.read("a")).unwrap();
    let file = house.work("store/-a.gpg");
    // 0, 1, 2, and the one that `ls` reads the folder with.
    assert_eq!(
        seen.trim_end(),
        format!("--batch --quiet --decrypt -- {} 4", file.display())
    );
    // Where others may write, it is whoever's: the next one is taken, which cannot read this.
    std::fs::set_permissions(house.path("bin"), std::fs::Permissions::from_mode(0o777)).unwrap();
    let call = house.call(["import", "store", "--prefix", "x/"]);
    let back = silent(call.variable("PATH", &path).run());
    assert!(back.failed(1).contains("gpg cannot decrypt it"), "{back:?}");
}

/// A key of age, and a file that `sops` encrypted for it.
fn encrypted(house: &House, name: &str, text: &str) -> PathBuf {
    let key = house.path("account/age.key");
    if !key.exists() {
        let made = Command::new("age-keygen")
            .arg("-o")
            .arg(&key)
            .output()
            .unwrap();
        assert!(made.status.success());
    }
    let public = Command::new("age-keygen")
        .arg("-y")
        .arg(&key)
        .output()
        .unwrap();
    let plain = house.path(&format!("account/{name}"));
    std::fs::write(&plain, text).unwrap();
    let mut sops = Command::new("sops");
    sops.args([
        "encrypt",
        "--age",
        std::str::from_utf8(&public.stdout).unwrap().trim(),
    ]);
    let made = sops.arg(&plain).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    std::fs::remove_file(&plain).unwrap();
    house.write(name, made.stdout)
}

#[test]
fn files_of_sops_are_imported() {
    let house = House::new();
    encrypted(
        &house,
        "a.yaml",
        &format!(
            "api_key: {CANARY}-yaml\ndb:\n  password: \"{CANARY}\\n\"\n  hosts: [{CANARY}-h]\n  empty: \"\"\n"
        ),
    );
    encrypted(
        &house,
        "b.json",
        &format!("{{\"json\": {{\"key\": \"{CANARY}-json\"}}}}"),
    );
    encrypted(&house, "c.env", &format!("DOT_ENV={CANARY}-env\n"));
    encrypted(&house, "d.ini", &format!("[part]\nkey = {CANARY}-ini\n"));
    // Its name says nothing: what is in it does.
    std::fs::rename(house.work("b.json"), house.work("b.secrets")).unwrap();
    let call = |words: &[&str]| {
        let call = house
            .call(words)
            .variable("SOPS_AGE_KEY_FILE", house.path("account/age.key"));
        silent(call.run())
    };
    for (file, created) in [
        ("a.yaml", vec!["api_key", "db/password", "db/hosts/0"]),
        ("b.secrets", vec!["json/key"]),
        ("c.env", vec!["DOT_ENV"]),
        ("d.ini", vec!["part/key"]),
    ] {
        let done = call(&["--debug", "--json", "import", file]).json();
        assert_eq!(
            (&done["form"], keys(&done["created"])),
            (&"sops".into(), created),
            "{file}"
        );
    }
    assert_eq!(house.read("db/password"), format!("{CANARY}\n").as_bytes());
    assert_eq!(house.read("DOT_ENV"), format!("{CANARY}-env").as_bytes());
    assert_eq!(house.read("part/key"), format!("{CANARY}-ini").as_bytes());
    let piped = std::fs::read(house.work("a.yaml")).unwrap();
    let back = house.call(["import", "-"]).input(piped).run();
    assert!(back.failed(1).contains("sops decrypts files"), "{back:?}");
}

#[test]
fn files_of_sops_that_cannot_be_decrypted_are_refused() {
    let house = House::new();
    let key = house.path("account/age.key");
    encrypted(
        &house,
        "a.yaml",
        &format!("a_unencrypted: {CANARY}\nb: {CANARY}\n"),
    );
    let fails = |file: &str, key: &std::path::Path| {
        let mut said = String::new();
        for options in ["--debug", "--json"] {
            let call = house
                .call([options, "import", file])
                .variable("SOPS_AGE_KEY_FILE", key);
            said.push_str(silent(call.run()).failed(1));
        }
        assert_eq!(
            house.call(["--json", "ls"]).run().json(),
            serde_json::json!([])
        );
        said
    };
    assert!(fails("a.yaml", &house.path("nowhere")).contains("none of the keys that open it"));
    let text = std::fs::read_to_string(house.work("a.yaml")).unwrap();
    house.write(
        "changed.yaml",
        text.replace("a_unencrypted: canary", "a_unencrypted: other-canary"),
    );
    assert!(fails("changed.yaml", &key).contains("changed by somebody"));
    house.write("cut.yaml", text.replace("data:", "data:!"));
    assert!(fails("cut.yaml", &key).contains("try: see what it says: sops decrypt"));
    encrypted(
        &house,
        "two.yaml",
        &format!("a: {CANARY}\n---\nb: {CANARY}\n"),
    );
    assert!(fails("two.yaml", &key).contains("several YAML documents"));
    house.write("plain.yaml", format!("a: {CANARY}\n"));
    assert!(refused(&house, &["plain.yaml"]).contains("--format 1password"));
    assert!(
        refused(&house, &["--format", "sops", "plain.yaml"]).contains("did not encrypt this file")
    );
}

#[test]
fn what_sops_gives_is_bounded_and_its_status_counts() {
    let house = House::new();
    house.write(
        "a.json",
        "{\"a\": \"ENC[]\", \"sops\": {\"mac\": \"ENC[]\"}}",
    );
    for (script, said) in [
        ("printf '{\"a\": \"canary-half'; exit 0\n", "ends too early"),
        (
            "printf '{\"a\": \"canary-value\"}'; exit 25\n",
            "sops cannot decrypt it",
        ),
        (
            "printf '{\"a\": \"canary-value\"}'; kill -9 $$\n",
            "sops cannot decrypt it",
        ),
        ("exec yes canary-without-end\n", "longer than"),
    ] {
        let path = stand_in(&house, "sops", script);
        let unlimited = house.call(["import", "a.json"]).variable("PATH", &path);
        let back = silent(unlimited.run());
        // Where less memory may be locked, that is what is said.
        let bounded = back.err.contains("lock");
        assert!(
            back.failed(1).contains(said) || (said == "longer than" && bounded),
            "{back:?}"
        );
        assert_eq!(
            house.call(["--json", "ls"]).run().json(),
            serde_json::json!([])
        );
    }
}
