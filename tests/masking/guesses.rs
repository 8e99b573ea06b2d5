//! Row 43: the masking as an oracle. A command prints guesses, and whoever had it run watches what
//! of them is masked, held back, or late.

use std::io::Read;
use std::process::Stdio;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use subrosa_tests::{Done, held};

use crate::house::{BEYOND, House, KEY, MASK, WAYS, Way};

/// Python that writes pieces of text, each once the one before has been read: when the next is read
/// as well, whatever is made of the last has been written.
const BEGINNING: &str = r#"py() { python3 -c "import fcntl,os,struct,termios,time
k=os.environ['APP_KEY']
def left():
  return struct.unpack('i', fcntl.ioctl(1, termios.FIONREAD, bytes(4)))[0]
def w(*parts):
  for part in parts:
    os.write(1, part.encode())
    while left(): time.sleep(0.001)
$1"; }
"#;

/// Beginnings of values that were handed out, of which too little stands there to be masked; and
/// texts that no value begins with.
const RIGHT: [&str; 3] = ["VZLdKX-7Hq2", "canary-3Jd", "VZLd"];
const WRONG: [&str; 3] = ["VZLdKQ-7Hq2", "canary-4Jd", "VZMd"];

/// A house where the value beyond the agent's reach was handed out as well.
fn house() -> House {
    let house = House::new();
    house.run_with(Way::Daemon, &["ops/beyond"], "true");
    house
}

#[test]
fn row_43_nothing_comes_before_the_command_is_over() {
    let house = house();
    // The guess, and then what does not go on as the value does.
    let script = |guess: &str| {
        format!(
            "{BEGINNING}py \"w('{guess}', '\\n', 'wrong', '\\n', '.', '.')\nopen('printed', 'w')\n\
             while not os.path.exists('go'): time.sleep(0.005)\""
        )
    };
    for guess in [&RIGHT[..], &WRONG, &[KEY, BEYOND]].concat() {
        house.clear(&["printed", "go"]);
        let mut command = house.command(Way::Agent, &["app/key"], &script(guess));
        let mut child = command.spawn().expect("the program starts");
        house.wait_for("printed");
        let out = child.stdout.as_mut().expect("piped");
        let mut events = [PollFd::new(&*out, PollFlags::IN)];
        let none = Timespec::default();
        assert_eq!(poll(&mut events, Some(&none)), Ok(0), "{guess}");
        house.touch("go");
        assert!(child.wait_with_output().expect("it ends").status.success());
    }
    // Without that an operator sees what is no value at once, in the same place.
    house.clear(&["printed", "go"]);
    let mut command = house.command(Way::Daemon, &["app/key"], &script("wrong"));
    let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
    house.wait_for("printed");
    let mut first = [0; 5];
    let out = child.stdout.as_mut().expect("piped");
    out.read_exact(&mut first).expect("it is there");
    assert_eq!(&first, b"wrong");
    house.touch("go");
    assert!(child.wait_with_output().expect("it ends").status.success());
    held(
        43,
        "an agent gets no byte before its command is over, whether a guess is right or not",
    );
}

/// What is said of a run, without the time it took.
fn account(done: &Done) -> String {
    let mut told = Vec::new();
    for line in done.err.lines() {
        let mut line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        line["run"]["duration_ms"] = 0.into();
        told.push(line.to_string());
    }
    told.join("\n")
}

#[test]
fn row_43_a_right_guess_leaves_what_a_wrong_one_does() {
    let house = house();
    let run = |text: &str| {
        house.write(&format!("printf %s '{text}'"));
        let words = ["--json", "run", "-k", "app/key", "--", "bash", "attack"];
        let mut command = house.served.command(&words);
        command.env("SUBROSA_TOKEN", &house.token);
        Done::of(&mut command, b"").ok()
    };
    for (right, wrong) in RIGHT.iter().zip(WRONG) {
        // In the middle of a text and at the end of it, alone and many times.
        for around in ["", ".", "\n and more"] {
            for times in [1, 40] {
                let right_text = format!("{right}{around}").repeat(times);
                let wrong_text = format!("{wrong}{around}").repeat(times);
                let (right_done, wrong_done) = (run(&right_text), run(&wrong_text));
                assert_eq!(right_done.text(), right_text);
                assert_eq!(wrong_done.text(), wrong_text);
                assert_eq!(account(&right_done), account(&wrong_done), "{right}");
            }
        }
    }
    held(
        43,
        "below what is masked, a right guess and a wrong one leave the same output and account",
    );
}

/// What an agent gets depends on what was written alone, not on how or when: there is no use in
/// cutting a guess into writes.
#[test]
fn row_43_how_a_text_is_written_changes_nothing() {
    let house = house();
    let texts = [
        ("'\\n'.join(k)", format!("{MASK}\n")),
        (
            "' '.join(k[:3]) + ' x ' + ' '.join(k)",
            format!("V Z L x {MASK}\n"),
        ),
        ("k[:11] + ' ' + k", format!("VZLdKX-7Hq2 {MASK}\n")),
        ("'canary-3Jd9' + k[::-1]", format!("canary-3Jd9{MASK}\n")),
    ];
    for (text, expected) in texts {
        for write in [
            "w(text + '\\n')",
            "w(*text, '\\n')",
            "w(text[:2], text[2:3], text[3:] + '\\n')",
        ] {
            let script = format!("{BEGINNING}py \"text = {text}\n{write}\"");
            let done = house.run_with(Way::Agent, &["app/key"], &script);
            assert_eq!(done.text(), expected, "{write} of {text}");
        }
    }
    held(
        43,
        "an agent's output is the same however its command writes it",
    );
}

/// A mask would say that the guess is right. So what can be guessed is none for an agent, and never
/// was handed to one.
#[test]
fn row_43_what_can_be_guessed_is_not_masked_for_an_agent() {
    const WEAK: &str = "Summer2026!";
    let house = house();
    let set = ["set", "ops/weak", "--stdin"];
    house.served.fed(&set, WEAK.as_bytes()).ok();
    for way in [Way::Alone, Way::Daemon] {
        let done = house.run_with(way, &["ops/weak"], "echo $OPS_WEAK");
        assert_eq!(done.text(), "[REDACTED:ops/weak]\n", "{way:?}");
    }
    for way in WAYS {
        let done = house.run_with(
            way,
            &["app/key"],
            &format!("echo '{WEAK}'; echo 'Summer2027!'"),
        );
        let expected = match way {
            Way::Agent => "Summer2026!\nSummer2027!\n",
            _ => "[REDACTED:ops/weak]\nSummer2027!\n",
        };
        assert_eq!(done.text(), expected, "{way:?}");
    }
    let weak = ["set", "app/weak", "--stdin"];
    house.served.fed(&weak, WEAK.as_bytes()).ok();
    for keys in [&["app/weak"][..], &["app/key", "app/weak"]] {
        let done = Done::of(&mut house.command(Way::Agent, keys, "true"), b"");
        assert!(done.status == 125 && done.err.contains("guess"), "{done:?}");
    }
    held(
        43,
        "a value that can be guessed is neither given to an agent nor masked for it",
    );
}

/// Of a strong value a part may be weak. A mask of that would say that it is one, and a mask of a
/// beginning all that follows, one character after the other.
#[test]
fn row_43_a_part_that_can_be_guessed_is_not_masked_for_an_agent() {
    const LONG: &str = "production-database-7Hq2Zr8vLw4x";
    const DOCUMENT: &str = r#"{"password":"summer2026-hunter","token":"7Hq2Zr8vLw4xP9s"}"#;
    let house = house();
    for (key, value) in [("ops/long", LONG), ("ops/document", DOCUMENT)] {
        let set = ["set", key, "--stdin"];
        house.served.fed(&set, value.as_bytes()).ok();
        house.run_with(Way::Daemon, &[key], "true");
    }
    let guesses = [
        "production-d",
        "production-database-",
        "production-database-7",
        "summer2026-hunter",
        "second=summer2026-hunter",
    ];
    let script = format!("printf '%s.\\n' {}", guesses.join(" "));
    let seen: String = guesses.iter().map(|guess| format!("{guess}.\n")).collect();
    let done = house.run_with(Way::Agent, &["app/key"], &script);
    assert_eq!(done.text(), seen);
    // An operator asked for masks, and gets them.
    let done = house.run_with(Way::Daemon, &["app/key"], &script);
    assert_eq!(done.text().matches("[REDACTED").count(), 5, "{done:?}");
    // What is strong is masked for an agent, too: whole values, and parts that nobody guesses.
    let script = format!("printf '%s.\\n' {LONG} '{DOCUMENT}' {}", &LONG[..30]);
    let done = house.run_with(Way::Agent, &["app/key"], &script);
    assert_eq!(done.text(), "[REDACTED].\n".repeat(3));
    held(
        43,
        "beginnings and fields that can be guessed are no oracle for an agent",
    );
}
