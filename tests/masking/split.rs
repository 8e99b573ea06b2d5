//! Row 11: a value in pieces: over writes, over both streams of a terminal, over lines, and with
//! something between its characters.

use subrosa_tests::held;

use crate::house::{House, MASK, ODD_MASK, WAYS, Way, masked};

/// A way of taking a value apart: its name, a script, and what is seen of it.
type Split = (&'static str, &'static str, &'static str);

/// Python that writes each of some texts by a write of its own.
const BEGINNING: &str = r#"K=$APP_KEY O=$APP_ODD
py() { python3 -c "import os,re,time
k=os.environ['APP_KEY']; o=os.environ['APP_ODD']
def w(*parts):
  for part in parts: os.write(1, part.encode())
def both(*parts):
  for at, part in enumerate(parts): os.write(1 + at % 2, part.encode())
$1"; }
"#;

const WRITES: &[Split] = &[
    (
        "a byte a write",
        r#"dd bs=1 status=none <<<"<$K>""#,
        "<<K>>\n",
    ),
    (
        "a byte a write by Python",
        r#"py "w('<', *o, '>\n')""#,
        "<<O>>\n",
    ),
    (
        "a value that is cut anywhere",
        r#"py "
for at in range(1, 26): w(k[:at], k[at:], ' ')
w('\n')""#,
        "<K> <K> <K> <K> <K> <K> <K> <K> <K> <K> <K> <K> <K> <K> <K> <K> <K> <K> <K> <K> <K> <K> <K> <K> <K> \n",
    ),
    (
        "base64 a byte a write",
        r#"printf %s "$K" | base64 | dd bs=1 status=none"#,
        "<K>=\n",
    ),
    (
        "a dump a byte a write",
        r#"printf %s "$K" | xxd | dd bs=1 status=none"#,
        "00000000: <K>  <K>\n00000010: <K>                 <K>\n",
    ),
    (
        "over the border of a block",
        r#"py "w('.' * 65530 + k[:9], k[9:] + '.\n')" | tail -c 200000 | tr -s ."#,
        ".<K>.\n",
    ),
];

const LINES: &[Split] = &[
    ("a character a line", r#"fold -w 1 <<<"$K" | cat"#, "<K>\n"),
    ("short lines", r#"fold -w 5 <<<"$K""#, "<K>\n"),
    (
        "quoted lines",
        r#"fold -w 5 <<<"$K" | sed 's/^/> /'"#,
        "> <K>\n",
    ),
    (
        "lines of a patch",
        r#"fold -w 5 <<<"$K" | sed 's/^/+ /'"#,
        "+ <K>\n",
    ),
    (
        "indented lines",
        r#"fold -w 5 <<<"$K" | sed 's/^/    /'"#,
        "    <K>\n",
    ),
    (
        "texts that are put together",
        r#"py "print('\"' + '\" + \"'.join(re.findall('.{1,4}', k)) + '\"')""#,
        "\"<K>\"\n",
    ),
    (
        "wrapped base64",
        // A digit with the last four bits is left of it.
        r#"printf %s "$K" | base64 -w 10"#,
        "<K>k=\n",
    ),
    (
        "events of a stream",
        r#"py "w('event: echo\ndata: ', *k, '\n\n', 'data: ' + k[:13], '\n\n', 'data: ', k[13:], '\n\n')""#,
        "event: echo\ndata: <K>\n\ndata: <K>\n\ndata: <K>\n\n",
    ),
];

const BETWEEN: &[Split] = &[
    (
        "what was searched for is coloured",
        r#"grep --color=always Hq2 <<<"<$K>""#,
        "<<K>>\n",
    ),
    (
        "each character has a colour",
        r#"py "w(''.join('\x1b[3%dm%s\x1b[0m' % (at % 8, c) for at, c in enumerate(k)) + '\n')""#,
        "\x1b[30m<K>\x1b[0m\n",
    ),
    (
        "a cursor that moves, a title, a link",
        r#"py "
for code in ('\x1b[D\x1b[C', '\x1b]0;title\x07', '\x1b]8;;http://x.example\x1b\\\\', '\x1b(B\x1b[m'): w(k[:11] + code + k[11:] + '\n')""#,
        "<K>\n<K>\n<K>\n<K>\n",
    ),
    (
        "characters without width",
        r#"py "print('\u200b'.join(k))""#,
        "<K>\n",
    ),
    ("zero bytes", r#"py "w('\0'.join(k) + '\n')""#, "<K>\n"),
    ("spaces", r#"sed 's/./& /g' <<<"$K""#, "<K> \n"),
    (
        "a line that is drawn over",
        r#"py "w(k[:11] + '\r' + k[11:] + '\n')""#,
        "<K>\n",
    ),
    (
        "a bar of progress",
        r#"py "w(*['\r[%3d%%] %s' % (n, k) for n in range(0, 101, 50)], '\n')""#,
        "\r[  0%] <K>\r[ 50%] <K>\r[100%] <K>\n",
    ),
];

/// The pieces of one list by every way, in pipes and on a terminal.
fn each(splits: &[Split]) {
    let mut script = BEGINNING.to_owned();
    for (name, commands, _) in splits {
        script.push_str(&format!("echo '== {name}'\n{commands}\n"));
    }
    let house = House::new();
    let mut faults = Vec::new();
    for way in WAYS {
        let piped = house.run(way, &script).text();
        // A terminal writes line breaks as two characters.
        let shown = house.on_terminal(way, &script).replace("\r\n", "\n");
        for (where_, text) in [("a pipe", piped), ("a terminal", shown)] {
            let seen: Vec<_> = text.split("== ").skip(1).collect();
            for ((name, _, expected), seen) in splits.iter().zip(&seen) {
                let expected = format!("{name}\n{}", masked(expected));
                let is_so = match way {
                    Way::Agent => *seen == expected,
                    Way::Alone | Way::Daemon => agree(seen, &expected),
                };
                if !is_so {
                    faults.push(format!("{way:?}, {where_}: {seen:?} for {expected:?}"));
                }
            }
            assert_eq!(seen.len(), splits.len(), "{way:?}, {where_}: {text}");
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// Whether a text is as expected, but for at most three bytes before a mask: somebody who types sees
/// those when nothing has followed for a tenth of a second, which happens on a busy machine.
fn agree(seen: &str, expected: &str) -> bool {
    let parts = |text: &str| -> Vec<String> {
        let text = text.replace(ODD_MASK, MASK);
        text.split(MASK).map(str::to_owned).collect()
    };
    let (seen, expected) = (parts(seen), parts(expected));
    let fits = |(seen, expected): (&String, &String)| {
        let rest = seen.strip_prefix(expected.as_str());
        rest.is_some_and(|rest| rest.len() <= 3)
    };
    seen.len() == expected.len()
        && seen.last() == expected.last()
        && seen.iter().zip(&expected).all(fits)
}

#[test]
fn row_11_over_writes() {
    each(WRITES);
    held(11, "a value is masked however it is cut into writes");
}

#[test]
fn row_11_over_lines() {
    each(LINES);
    held(11, "a value over several lines, quoted or not, is masked");
}

#[test]
fn row_11_with_something_between() {
    each(BETWEEN);
    held(11, "colours, cursors, spaces and zero bytes hide no value");
}

/// On a terminal both streams are one text; apart they are two.
#[test]
fn row_11_over_both_streams() {
    let house = House::new();
    let script = format!("{BEGINNING}py \"both('<', *k, '>', *o, '>\\n')\"");
    for way in WAYS {
        let shown = house.on_terminal(way, &script);
        assert_eq!(shown, format!("<{MASK}>{ODD_MASK}>\r\n"), "{way:?}");
    }
    let one = format!("exec 2>&1\n{script}");
    // What is one text for whoever reads it, and what is two. Half a value each is masked where it
    // is enough of one.
    let two = format!("{BEGINNING}py \"both(k[:13], k[13:], '\\n', '\\n')\"");
    for way in WAYS {
        assert_eq!(
            house.run(way, &one).text(),
            format!("<{MASK}>{ODD_MASK}>\n"),
            "{way:?}"
        );
        let done = house.run(way, &two);
        assert_eq!(done.text(), format!("{MASK}\n"), "{way:?}");
        assert_eq!(done.err, format!("{MASK}\n"), "{way:?}");
    }
    held(
        11,
        "a value in turns on both streams of a terminal is masked",
    );
}

/// The command writes the beginning, waits until it is seen or masked, and goes on: however long it
/// waits, no more comes than the few bytes that anybody who types gets back.
#[test]
fn row_11_with_a_pause_anywhere() {
    let house = House::new();
    let until = |file: &str| format!("while not os.path.exists('{file}'): time.sleep(0.005)\n");
    let script = format!(
        "{BEGINNING}py \"w('> ', k[:3])\n{}w(k[3])\n{}w(*k[4:], ' end\\n')\"",
        until("first"),
        until("second"),
    );
    for way in [Way::Alone, Way::Daemon] {
        house.clear(&["first", "second"]);
        let mut terminal = house.start_on_terminal(way, &script);
        terminal.sees("> VZL");
        house.touch("first");
        // A run that may be a value is not left standing: it is masked within a second.
        terminal.sees("> VZL[REDACTED:app/key]");
        house.touch("second");
        terminal.wait();
        assert_eq!(terminal.seen, "> VZL[REDACTED:app/key] end\r\n", "{way:?}");
    }
    // An agent sees nothing of it before the end, and then all is masked.
    for file in ["first", "second"] {
        house.touch(file);
    }
    let shown = house.on_terminal(Way::Agent, &script);
    assert_eq!(shown, format!("> {MASK} end\r\n"));
    held(
        11,
        "a pause inside of a value lets no more out than three bytes of it",
    );
}
