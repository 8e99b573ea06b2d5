//! No value in what is said and written.

use crate::house::House;

#[test]
fn a_value_is_in_no_message_and_no_file() {
    const CANARY: &str = "canary-7f3k9x2m5q8w1z4v6b0n";
    let house = House::new();
    house.apply("version: 1\nrules:\n  - allow: run\n    command: sh\n    args: [\"-c\", \"echo $LEAK_KEY\"]\n    secrets: [\"leak/**\"]\n    inject: env\n");
    house.write("two.env", format!("A={CANARY}\nA={CANARY}\n"));
    std::fs::remove_file(house.work("policy.yaml")).unwrap();
    let calls: [(&[&str], &str); 14] = [
        (&["set", "leak/key", "--stdin"], CANARY),
        (&["set", "leak/key", "--stdin", "--create"], CANARY),
        (&["set", "not a key", "--stdin"], CANARY),
        (&["import", "two.env"], ""),
        (&["import", "--format", "json", "-"], CANARY),
        (&["ls"], ""),
        (&["show", "leak/key"], ""),
        (&["history", "leak/key"], ""),
        (
            &["run", "-k", "leak/key", "--", "sh", "-c", "echo $LEAK_KEY"],
            "",
        ),
        (&["run", "-k", "leak/key", "--", "env"], ""),
        (&["policy", "explain", "-k", "leak/key", "--", "env"], ""),
        (&["log"], ""),
        (&["audit", "export"], ""),
        (&["audit", "verify"], ""),
    ];
    for (words, input) in calls {
        let back = house
            .call([&["--debug"], words].concat())
            .input(input)
            .run();
        let said = [back.out.as_slice(), back.err.as_bytes()].concat();
        assert!(
            !said.windows(8).any(|part| part == &CANARY.as_bytes()[..8]),
            "{words:?}"
        );
    }
    house.call(["backup", "vault.subrosa"]).run().ok();
    house.call(["key", "rotate"]).run().ok();
    std::fs::remove_file(house.work("two.env")).unwrap();
    let mut folders = vec![house.root.path().to_owned()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            files += 1;
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes
                .windows(12)
                .any(|part| part == &CANARY.as_bytes()[..12]);
            assert!(!found, "{}", path.display());
        }
    }
    assert!(files >= 5, "the search saw the installation");
    assert_eq!(house.read("leak/key"), CANARY.as_bytes());
}

#[test]
fn a_passphrase_is_repeated_by_nothing() {
    let house = House::new();
    let wrong = house.write("wrong", "canary-of-a-passphrase");
    let back = house
        .call(["--debug", "ls"])
        .proof("--passphrase-fd", &wrong)
        .run();
    assert!(!back.failed(1).contains("canary"), "{back:?}");
    std::fs::remove_file(&wrong).unwrap();
    let prelog = std::fs::read(house.path("home/state/unlock-attempts")).unwrap();
    assert!(!prelog.windows(6).any(|part| part == b"canary"));
}
