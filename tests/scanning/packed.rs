//! Compressed data: what looks like a credential in it, and what of it is not looked into.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use subrosa_tests::{Done, Place};

use crate::{RULE, VALUE, place, scan, shape};

/// A text as a program packs it.
pub(crate) fn packed(words: &[&str], text: &[u8]) -> Vec<u8> {
    let mut command = Command::new(words[0]);
    command
        .args(&words[1..])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let done = Done::of(&mut command, text);
    assert_eq!(done.status, 0, "{done:?}");
    done.out
}

fn plain(place: &Place, folder: &Path) -> Done {
    let mut command = place.command(&["scan", "--no-vault"]);
    Done::of(command.current_dir(folder), b"")
}

#[test]
fn shapes_are_found_in_packed_data() {
    let place = place();
    let folder = place.path("work");
    let text = format!("first line\naws_access_key_id = {}\n", shape());
    for (name, words) in [
        ("a.gz", &["gzip", "-c"][..]),
        ("b.zst", &["zstd", "-qc"]),
        ("c.b64", &["sh", "-c", "gzip -c | base64"]),
        ("d.gz.gz", &["sh", "-c", "gzip -c | gzip -c"]),
        ("e.tgz", &["sh", "-c", "cat >key && tar -cz key && rm key"]),
    ] {
        fs::write(folder.join(name), packed(words, text.as_bytes())).expect("written");
    }
    let both = format!("{text}{VALUE}\n");
    fs::write(
        folder.join("f.gz"),
        packed(&["gzip", "-c"], both.as_bytes()),
    )
    .expect("written");
    fs::write(folder.join("g.gz"), packed(&["gzip", "-c"], b"nothing")).expect("written");
    let named = |name: &str| format!("{name}:1:1 {RULE}");
    let mut wanted: Vec<_> = ["a.gz", "b.zst", "c.b64", "d.gz.gz", "e.tgz"]
        .map(named)
        .to_vec();
    let shapes = scan(&place, &folder, &["--no-vault"]);
    assert_eq!(shapes.places(), [&wanted[..], &[named("f.gz")]].concat());
    let first = &shapes.report["findings"][0];
    assert_eq!(
        (&first["form"], &first["rule"]),
        (&"packed".into(), &RULE.into())
    );
    assert_eq!(shapes.report["packed"], 0);
    // A value of the vault says whose it is.
    wanted.push("f.gz:1:1 api/key".to_owned());
    assert_eq!(scan(&place, &folder, &[]).places(), wanted);
    let done = plain(&place, &folder);
    assert!(done.text().contains("a.gz:1:1 (packed)  "), "{done:?}");
}

/// Nothing found in what was not looked into is no clean result.
#[test]
fn what_is_not_looked_into_is_told() {
    let place = place();
    let folder = place.path("work");
    let mut text = vec![b'0'; 30 * 1024 * 1024];
    text.extend(format!("\n{VALUE} {}\n", shape()).bytes());
    let bomb = packed(&["gzip", "-9c"], &text);
    fs::write(folder.join("a.gz"), &bomb).expect("written");
    fs::write(folder.join("b"), "clean").expect("written");
    for words in [&[][..], &["--no-vault"]] {
        let scanned = scan(&place, &folder, words);
        assert_eq!(
            (scanned.status, scanned.places().len()),
            (3, 0),
            "{scanned:?}"
        );
        assert_eq!(scanned.report["complete"], false);
        let skipped = scanned.report["skipped"].as_array().expect("a list");
        assert_eq!((skipped.len(), &skipped[0]["path"]), (1, &"a.gz".into()));
        let reason = skipped[0]["reason"].as_str().expect("a reason");
        assert!(
            reason.starts_with("1 piece of compressed data was not looked into"),
            "{reason}"
        );
    }
    let done = plain(&place, &folder);
    assert!(done.err.contains("warning: a.gz: 1 piece"), "{done:?}");
    // One text with such a piece takes nothing from those behind it.
    fs::remove_file(folder.join("a.gz")).expect("removed");
    assert_eq!(scan(&place, &folder, &[]).status, 0);
}
