//! Rows 9 and 10 where a command compresses what it writes.

use std::process::{Command, Stdio};

use subrosa_tests::{Done, held};

use crate::house::{House, KEY, MASK, WAYS};

/// A way of packing a text: its name, the commands that do it, and those that undo it.
type Packed = (&'static str, &'static str, &'static str);

const FORMS: &[Packed] = &[
    ("gzip", "text | gzip -c", "gzip -dc"),
    ("gzip, as small as can be", "text | gzip -9nc", "gzip -dc"),
    (
        "gzip behind a text",
        "echo before; text | gzip -c; echo after",
        "tail -c +8 | gzip -dcq",
    ),
    (
        "gzip in two members",
        "(echo first | gzip -c; text | gzip -c)",
        "gzip -dc",
    ),
    (
        "gzip in base64",
        "text | gzip -c | base64 -w0",
        "base64 -di | gzip -dc",
    ),
    (
        "gzip a byte a write",
        "text | gzip -c | dd bs=1 status=none",
        "gzip -dc",
    ),
    (
        "zlib",
        "text | python3 -c 'import sys,zlib; sys.stdout.buffer.write(zlib.compress(sys.stdin.buffer.read()))'",
        "python3 -c 'import sys,zlib; sys.stdout.buffer.write(zlib.decompress(sys.stdin.buffer.read()))'",
    ),
    ("zstd", "text | zstd -qc", "zstd -dqc"),
    (
        "a response in gzip",
        r"printf 'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n'; text | gzip -c",
        r"sed -z '1s/^.*\r\n\r\n//' | gzip -dc",
    ),
    (
        "a response in brotli",
        r"printf 'HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\n'; text | node -e 'process.stdout.write(require(`zlib`).brotliCompressSync(require(`fs`).readFileSync(0)))'",
        r"node -e 'const b = require(`fs`).readFileSync(0); process.stdout.write(require(`zlib`).brotliDecompressSync(b.subarray(b.indexOf(`\r\n\r\n`) + 4)))'",
    ),
];

/// A text with the value in it, that is worth compressing.
const TEXT: &str = "text() { for n in $(seq 40); do echo \"line $n of the log\"; done; \
                    echo \"key: <$APP_KEY>\"; for n in $(seq 40); do echo \"line $n\"; done; }\n";

/// Undoes a packing, as whoever reads the output can; nothing where that fails.
fn unpacked(commands: &str, packed: &[u8]) -> Vec<u8> {
    let mut shell = Command::new("bash");
    shell
        .args(["-c", commands])
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    Done::of(&mut shell, packed).out
}

fn holds(text: &[u8], what: &str) -> bool {
    text.windows(what.len()).any(|part| part == what.as_bytes())
}

#[test]
fn row_10_a_command_that_compresses_what_it_writes() {
    let house = House::new();
    for (name, packs, unpacks) in FORMS {
        for way in WAYS {
            let out = house.run(way, &format!("{TEXT}{packs}")).out;
            let plain = unpacked(unpacks, &out);
            let place = format!("{name}, {way:?}");
            assert!(!holds(&out, KEY) && !holds(&plain, KEY), "{place}");
            // Packed again with the mask in it, or a mask in place of the whole.
            assert!(holds(&plain, MASK) || holds(&out, "[REDACTED"), "{place}");
        }
    }
    held(9, "a value that gzip packed is masked");
    held(
        10,
        "gzip, zlib, zstd and brotli hide no value in a command's output",
    );
}

/// A value in a piece that holds more than may be read leaves as it is, and whoever reads the output
/// is told that it may.
#[test]
fn what_is_not_looked_into_is_told_at_the_end() {
    let house = House::new();
    let script = "(head -c 30000000 /dev/zero; echo \"<$APP_KEY>\") | gzip -9c";
    for way in WAYS {
        let done = house.run(way, script);
        let told = "warning: 1 piece of compressed data was not looked into";
        assert!(done.err.contains(told), "{way:?} {:?}", done.err);
        assert!(
            done.err.contains("unpack it first"),
            "{way:?} {:?}",
            done.err
        );
        let done = house.run(way, "echo \"<$APP_KEY>\" | gzip -9c");
        assert!(
            !done.err.contains("not looked into"),
            "{way:?} {:?}",
            done.err
        );
    }
}
