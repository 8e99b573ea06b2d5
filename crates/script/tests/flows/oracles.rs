//! Statements that fail by what a secret is, under `safe`: whoever looks sees the same as of one that
//! did not. Where that cannot be, the script ends, which is one bit.

use subrosa_script::run::Ending;

use super::{same, shown};

/// Values of which one makes fail what the other does not.
const PAIRS: [[&str; 2]; 8] = [
    ["1", "0"],
    ["7", "seven"],
    ["true", "neither"],
    ["", "x,y,z"],
    ["a,b", "one"],
    ["a,3", "4"],
    ["canary", "none"],
    ["longer than the other by some", "short"],
];

/// Looks at everything that a statement may have left.
const AFTER: &str = "say 'after'\nsafe say @x\nsafe say @y\nsafe say ::c\nsafe say ::m\nsafe say ::l\n\
                     list length ::l into @n\nsafe say @n\nsafe list add ::c 'more'\n\
                     safe vault 'NEW' into @e\nsay 'the end'\nsuccess\n";

/// `@s` is the secret, `::p` are its parts, of which there may be a second, and `::k` is a list or a
/// map as it says.
#[track_caller]
fn tells_nothing(statement: &str) {
    let before = "vault 'S1' into @s\ntext split @s ',' into ::p\n'x' into @x\n\
                  container into ::c\nadd item 'c'\nend\ncontainer into ::l\nend\n\
                  container into ::m\nadd map 'k' 'v'\nend\n\
                  sensitive if @s contains 'a'\ncontainer into ::k\nadd map 'k' 'v'\nend\n\
                  else\ncontainer into ::k\nadd item 'v'\nend\nend\n\
                  function #say\nparameter 1 into @a\nsay 'said'\nsuccess 'r'\nend\n\
                  function #own\nsafe sensitive if ::p:1 is '3'\nsuccess 'one'\nend\n'b' into @x\n\
                  success 'two'\nend\n";
    for pair in PAIRS {
        same(&format!("{before}{statement}\n{AFTER}"), pair);
        same(&format!("{before}safe\n{statement}\nend\n{AFTER}"), pair);
        same(
            &format!("{before}repeat 2\n{statement}\nend\n{AFTER}"),
            pair,
        );
    }
}

/// Where something would leave.
#[test]
fn of_sinks() {
    for statement in [
        "safe say ::p:1",
        "safe sensitive say ::p:1",
        "safe sensitive say '@{::p:1}!' trace",
        "safe sensitive ask 'q' with default ::p:1 into @x",
        "safe ask ::p:1 into @x",
        "safe cabinet write 'f' with ::p:1",
        "safe cabinet read ::p:1 into @x",
        "safe cabinet list ::p:1 into ::c",
        "safe 'v' into environment ::p:1",
        "safe script ::p:1",
        "safe script 'echo @{::p:1}' into @x",
        "safe program run '@{::p:1} x'",
        "safe call 'c' with ::p:1 into @x",
        "safe system filter ::p:1 into vault",
        "safe wait ::p:1 seconds",
        "safe wait @s seconds",
        "safe sensitive wait ::p:1 seconds",
        "safe script 'date' timeout ::p:1 seconds",
    ] {
        tells_nothing(statement);
    }
}

/// Where something is decided.
#[test]
fn of_conditions() {
    for header in [
        "if ::p:1 is '3'",
        "if ::p:1",
        "if @s",
        "if false\n'z' into @y\nelse if ::p:1 > 2",
        "if ::p:1 > 2\nelse if ::p:0",
        "repeat ::p:1",
        "repeat @s",
        "while ::p:1 is 'x'",
        "while @x is ::p:1",
        "iterate ::p:1 as @x",
    ] {
        for body in [
            "'b' into @x",
            "'new' into vault 'NEW'",
            "list add ::l 'x'",
            "say 'inside'",
        ] {
            tells_nothing(&format!("safe {header}\n{body}\nend"));
            tells_nothing(&format!("safe sensitive {header}\n{body}\nend"));
        }
    }
    tells_nothing("safe #own into @x");
}

/// Where something is computed and kept.
#[test]
fn of_computations() {
    for statement in [
        "safe ::p:1 into @x trace elapsed",
        "safe math add ::p:1 1 into @x trace",
        "safe math div 1 @s into @x trace",
        "safe ::p:1 into vault 'NEW'",
        "safe text upper ::p:1 into vault 'NEW'",
        "safe ::p:1 into ::c",
        "safe ::p:1 append 'x' into @x",
        "safe increase @x by ::p:1 trace",
        "safe increase @none by ::p:1 trace",
        "safe text split 'a b' ::p:1 into ::c",
        "safe list add ::l ::p:1",
        "safe list add ::l ::p:1 into ::c",
        "safe list remove ::c ::p:1",
        "safe list join ::l with ::p:1 into @x",
        "safe map set ::m 'k' ::p:1",
        "safe map set ::m ::p:1 'v'",
        "safe map get ::m @s into @x",
        "safe map get ::m ::p:1 into @x",
        "safe map has ::m ::p:1 into @x",
        "safe container into ::c\nadd item 'i'\nadd item ::p:1\nend",
        "safe container into ::new\nadd item ::p:1\nend\nsafe list length ::new into @x",
        "safe open container ::c\nremove item ::p:1\nend",
        "safe open container ::m\nadd map ::p:1 'v'\nend",
        "safe #say ::p:1 into @x",
        "safe success ::p:1",
    ] {
        tells_nothing(statement);
    }
}

/// A list or a map by a secret takes whatever it is given, for all that shows.
#[test]
fn of_what_a_container_is() {
    for statement in [
        "safe list add ::k 'x'",
        "safe map set ::k 'x' 'y'",
        "safe list add ::k 'x' into ::c",
        "safe map merge ::k ::m",
        "safe map merge ::l ::k",
        "safe open container ::k\nadd item 'x'\nend",
        "safe open container ::k\nadd map 'x' 'y'\nend",
        "safe map get ::k 'k' into @x",
        "safe ::k:k into @x",
    ] {
        tells_nothing(statement);
    }
}

/// How long a secret is shows in no limit.
#[test]
fn of_length() {
    let pair = ["a", "a secret that is longer than the other"];
    for step in [
        "'@{s}@{s}' into @s",
        "@s append @s into @s",
        "container into ::c\nadd item @s\nadd item @s\nend\nsafe ::c into @s",
    ] {
        same(
            &format!("vault 'S1' into @s\nrepeat 22\nsafe {step}\nsay 'turn'\nend\nsuccess"),
            pair,
        );
        same(
            &format!("vault 'S1' into @s\nrepeat 22\n{step}\nsay 'turn'\nend\nsuccess"),
            pair,
        );
    }
}

/// What fails by no secret is told under `safe`.
#[test]
fn a_failure_of_public_values_is_told() {
    for statement in [
        "safe map get ::m 'none' into @x",
        "safe math add 'no' 1 into @x",
        "safe list add ::m 'x'",
        "safe if 'neither'\nend",
    ] {
        let text =
            format!("container into ::m\nadd map 'k' 'v'\nend\n{statement}\nsay 'after'\nsuccess");
        let shown = shown(&text, "x");
        assert_eq!(shown.ending, Ending::Success, "{statement}");
        assert!(shown.memo.contains("[WARN][SAFE]"), "{statement}");
    }
}

/// Whether there is room for one more in a full map depends on whether its key is there.
#[test]
fn of_a_full_container() {
    let group = |letter: char, count: usize| {
        let keys = (0..count).map(|at| format!("add map '{letter}@{{i}}x{at}' 1\n"));
        keys.collect::<String>()
    };
    let full = format!(
        "vault 'S1' into @s\ncontainer into ::m\nadd map 'canary' 1\n{}end\n\
         0 into @i\nrepeat 99\nincrease @i\nopen container ::m\n{}end\nend\n",
        group('a', 999).replace("@{i}", ""),
        group('b', 1000),
    );
    for statement in [
        "safe map set ::m @s 'v'",
        "safe open container ::m\nadd map @s 'v'\nend",
        "container into ::o\nadd map @s 'v'\nend\nsafe map merge ::m ::o into ::c",
    ] {
        let text = format!("{full}{statement}\nsay 'after'\nsuccess");
        assert!(same(&text, ["canary", "none"]), "{statement}");
    }
    let told = shown(&format!("{full}map set ::m 'new' 'v'\nsuccess"), "x");
    assert_eq!(told.ending, Ending::Failure);
    let seen = told.seen.concat();
    assert!(seen.contains("at most 100000 members"), "{seen}");
}
