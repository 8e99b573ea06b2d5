//! Row 4 without privileges: a child of this test holds values in the library's locked memory, and
//! the test looks through all memory of that child. A process that searched itself would find the
//! copies that the search makes.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use subrosa_crypto::{Aad, Key, SecretBuf, SystemRng};
use subrosa_tests::{held, memory, positions};

/// The value, turned over: the program file must not hold it, since the child has that mapped.
const TURNED: [u8; 24] = {
    let mut bytes = *b"canary-in-our-own-memory";
    let mut at = 0;
    while at < bytes.len() {
        bytes[at] ^= 0x55;
        at += 1;
    }
    bytes
};

fn value() -> SecretBuf {
    let mut secret = SecretBuf::zeroed(TURNED.len()).expect("locked memory");
    for (byte, turned) in secret.as_mut_slice().iter_mut().zip(TURNED) {
        *byte = turned ^ std::hint::black_box(0x55);
    }
    secret
}

/// Says where the child is, and waits until it was looked at.
fn step(what: &str, copies: usize) {
    println!("step {copies} {what}");
    let mut line = String::new();
    std::io::stdin()
        .read_line(&mut line)
        .expect("the test goes on");
}

/// The child. Not a test by itself.
#[test]
#[ignore = "started by the test below"]
fn holder() {
    let secret = value();
    step("while a value is held", 1);
    let mut longer = SecretBuf::new();
    for chunk in secret.as_slice().chunks(5) {
        longer.extend(chunk).expect("locked memory");
    }
    for _ in 0..10 {
        longer.extend(&[b'.'; 1000]).expect("locked memory");
    }
    step("after a second one grew", 2);
    longer.truncate(3);
    step("after it was cut", 1);

    let key = Key::generate(&SystemRng).expect("locked memory");
    let aad = Aad::new("subrosa/tests");
    let sealed = key.seal(&SystemRng, &aad, secret.as_slice());
    drop((secret, longer));
    step("after sealing and dropping", 0);
    let opened = key.open(&aad, &sealed).expect("just sealed");
    step("after opening", 1);
    drop(opened);
    step("at the end", 0);
}

#[test]
fn row_04_a_value_is_in_locked_memory_alone_and_gone_when_dropped() {
    let mut child = Command::new(std::env::current_exe().expect("known"))
        .args([
            "--exact",
            "holder",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut go = child.stdin.take().expect("piped");
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let value = TURNED.map(|byte| byte ^ std::hint::black_box(0x55));
    let mut steps = 0;
    for line in lines.map_while(Result::ok) {
        let Some((_, step)) = line.split_once("step ") else {
            continue;
        };
        let (expected, what) = step.split_once(' ').expect("a number and a text");
        let (mut locked, mut open) = (0, 0);
        for mapping in memory(child.id()) {
            let found = positions(&mapping.content, &value).count();
            *(if mapping.is_protected() {
                &mut locked
            } else {
                &mut open
            }) += found;
        }
        assert_eq!(open, 0, "copies in ordinary memory {what}");
        assert_eq!(
            locked.to_string(),
            expected,
            "copies in locked memory {what}"
        );
        steps += 1;
        go.write_all(b"\n").expect("it listens");
    }
    assert!(child.wait().expect("it ends").success());
    assert_eq!(steps, 6);
    held(
        4,
        "locked copies while values are held, none when they are dropped",
    );
}
