//! Row 4 for what is being stored: while a command waits for the vault, which this test keeps
//! locked, all its memory is searched.

use std::fs;
use std::io::Write;
use std::process::Command;
use std::time::Duration;

use rusqlite::Connection;
use subrosa_tests::{Done, Place, copies, held, is_root, skipped, wait_until};

const VALUE: &[u8] = b"canary-4p9zk2-row-value";

#[test]
fn row_04_what_is_being_stored_is_in_locked_pages_alone() {
    if !is_root() {
        return skipped(
            4,
            "only root may read the memory of a program that closes itself",
        );
    }
    let place = Place::new();
    place.set("api/key", b"an-earlier-value-of-it");
    let text = String::from_utf8_lossy(VALUE).into_owned();
    fs::write(
        place.path("work/in.env"),
        format!("A=1\nAPI_KEY={text}\nB=2\n"),
    )
    .expect("written");
    fs::write(place.path("work/quoted.env"), format!("K='{text}'\n")).expect("written");
    fs::write(place.path("work/in.json"), format!("{{\"a\": \"{text}\"}}")).expect("written");
    // Escapes are where another reader would decode into memory of its own. The text in front is
    // what is overwritten first when that is given back.
    let before = "-".repeat(200);
    let escaped = format!("{before}\\u0071\\\"{text}\\n");
    let files = [
        ("escaped.json", format!("{{\"b\": \"{escaped}\"}}")),
        (
            "mcp.json",
            format!(
                "{{\"mcpServers\": {{\"s\": {{\"command\": \"c\", \"env\": {{\"TOKEN\": \"{escaped}\"}}}}}}}}"
            ),
        ),
        (
            "bitwarden.json",
            format!(
                "{{\"encrypted\": false, \"items\": [{{\"name\": \"bw\", \"login\": {{\"password\": \"{escaped}\"}}}}]}}"
            ),
        ),
        (
            "lastpass.csv",
            format!("url,username,password,extra,name,grouping\n,,\"{before}\"\"{text}\",,lp,\n"),
        ),
        (
            "1p.data",
            format!(
                "{{\"accounts\": [{{\"vaults\": [{{\"items\": [{{\"overview\": {{\"title\": \"op\"}}, \"details\": {{\"password\": \"{escaped}\"}}}}]}}]}}]}}"
            ),
        ),
    ];
    for (name, content) in files {
        fs::write(place.path("work").join(name), content).expect("written");
    }
    let script = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED); \
                  z.write(sys.argv[2], 'export.data'); z.close()";
    let packed = Command::new("python3")
        .args(["-c", script])
        .args([place.path("work/in.1pux"), place.path("work/1p.data")])
        .status();
    assert!(packed.expect("python3 runs").success());
    for words in [
        &["set", "api/key", "--stdin"][..],
        &["import", "in.env"],
        &["import", "quoted.env"],
        &["import", "in.json"],
        &["import", "escaped.json"],
        &["import", "mcp.json"],
        &["import", "bitwarden.json"],
        &["import", "lastpass.csv"],
        &["import", "in.1pux"],
    ] {
        let db = Connection::open(place.vault()).expect("SQLite");
        db.execute_batch("BEGIN IMMEDIATE").expect("locked");
        let mut child = place.start(words);
        let mut input = child.stdin.take().expect("piped");
        input.write_all(VALUE).expect("it reads or has ended");
        drop(input);
        let mut found = (0, 0);
        wait_until("the value in its memory", || {
            found = copies(child.id(), VALUE);
            found.0 > 0 || child.try_wait().expect("ours").is_some()
        });
        // Once more, when it has come as far as it can.
        std::thread::sleep(Duration::from_millis(300));
        found = copies(child.id(), VALUE);
        drop(db);
        let done = Done::from(child.wait_with_output().expect("it ends"));
        assert_eq!(done.status, 0, "{words:?}: {done:?}");
        println!("{words:?}: {found:?}");
        assert!(
            found.1 == 0 && found.0 > 0,
            "{words:?}: locked and other copies {found:?}"
        );
    }
    held(
        4,
        "set and import hold what they store in locked pages alone",
    );
}
