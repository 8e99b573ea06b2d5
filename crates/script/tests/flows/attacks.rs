//! Scripts that try to show a bit of a secret, each in its own way.

use subrosa_script::run::Ending;

use super::{same, shown};

const PAIRS: [[&str; 2]; 4] = [["1", "0"], ["a", "bb"], ["", "x,y,z"], ["7", "seven"]];

/// Runs with all pairs; both runs show the same.
#[track_caller]
fn tells_nothing(text: &str) {
    for pair in PAIRS {
        same(text, pair);
    }
}

const FETCH: &str = "vault 'S1' into @s\n";

/// `safe` around a call or a block does not catch what depends on a secret, and so no statement
/// after it runs in one case alone.
#[test]
fn safe_is_no_oracle() {
    for probe in [
        "math add @c 0 into @q",
        "math div 1 @c into @q",
        "bool all @c into @q",
        "text slice 'abc' @c into @q",
        "text split @c ',' into ::p\n::p:2 into @q",
        "map get ::m @c into @q",
        "list remove ::l @c\n::l:1 into @q",
        "if @c\nend",
    ] {
        tells_nothing(&format!(
            "{FETCH}container into ::m\nadd map '1' 'x'\nend\ncontainer into ::l\nadd item 'a'\nadd item 'b'\nend\n\
             function #probe\nparameter 1 into @c\n{probe}\nsay 'it is'\nsuccess\nend\n\
             safe #probe @s\nsay 'after'\nsuccess"
        ));
        tells_nothing(&format!(
            "{FETCH}@s into @c\ncontainer into ::m\nadd map '1' 'x'\nend\ncontainer into ::l\nadd item 'a'\nadd item 'b'\nend\n\
             safe repeat 1\n{probe}\nsay 'it is'\nend\nsay 'after'\nsuccess"
        ));
    }
    // At the statement itself it goes on in both cases, and shows in none.
    for probe in [
        "math add @s 0 into @q",
        "bool all @s into @q",
        "text split @s ',' into ::p",
    ] {
        let text = format!("{FETCH}safe {probe}\nsay 'after'\nsafe say @q\nsuccess");
        let text = text.replace(
            "safe say @q\n",
            if probe.contains("@q") {
                "safe say @q\n"
            } else {
                ""
            },
        );
        for pair in PAIRS {
            assert!(same(&text, pair), "{text}");
            assert_eq!(shown(&text, pair[0]).ending, Ending::Success, "{text}");
        }
    }
}

/// Whether there is something, and how much, tells nothing.
#[test]
fn existence_and_number_are_secret() {
    for body in [
        "'v' into @new",
        "'v' into vault 'NEW'",
        "container into ::new\nadd item 'v'\nend",
    ] {
        for look in [
            "safe say @new",
            "safe vault 'NEW' into @x\nsay 'got'",
            "list length ::new into @x\nsafe say @x",
            "safe ::new:0 into @x\nsay 'went on'",
            "@new into @y\nsay 'went on'",
        ] {
            tells_nothing(
                &format!(
                    "{FETCH}sensitive if @s is '1'\n{body}\nend\nsafe {look}\nsay 'after'\nsuccess"
                )
                .replace("safe safe", "safe")
                .replace("safe list", "list")
                .replace("safe @new", "@new"),
            );
        }
    }
    tells_nothing(&format!(
        "{FETCH}text split @s ',' into ::p\nlist length ::p into @n\nsafe say @n\n\
         sensitive iterate ::p as @i\n'x' into @last\nend\nsafe say @i\nsafe say @last\nsuccess"
    ));
    tells_nothing(&format!(
        "{FETCH}text length @s into @n\nsensitive repeat @n\n'x' into @t\nend\nsafe say @t\nsuccess"
    ));
}

/// A loop whose condition becomes a secret on the way.
#[test]
fn a_condition_becomes_a_secret() {
    tells_nothing(&format!(
        "{FETCH}'go' into @x\n0 into @n\nsensitive while @x is 'go'\n@s into @x\nincrease @n\nend\n\
         safe say @n\nsay 'after'\nsuccess"
    ));
    let shown = shown(
        &format!("{FETCH}'go' into @x\nwhile @x is 'go'\nsay 'turn'\n@s into @x\nend\nsuccess"),
        "go",
    );
    assert_eq!(shown.ending, Ending::Refused, "{shown:?}");
}

/// A result that a function gives early keeps what follows from being seen.
#[test]
fn what_follows_an_early_success_is_decided_by_it() {
    for rest in [
        "say 'not reached'\nsuccess 'no'",
        "'n' into @z\nsuccess 'no'",
        "#other\nsuccess 'no'",
        "fail 'no'",
        "'left' into vault 'LEFT'\nsuccess 'no'",
    ] {
        for place in ["", "repeat 2\n"] {
            let end = if place.is_empty() { "" } else { "end\n" };
            tells_nothing(&format!(
                "{FETCH}function #other\nsay 'from other'\nsuccess\nend\n\
                 function #f\nparameter 1 into @a\n{place}sensitive if @a is '1'\nsuccess 'yes'\nend\n{end}{rest}\nend\n\
                 safe #f @s into @r\nsafe say @r\nsay 'after'\nsafe vault 'LEFT' into @l\nsuccess"
            ));
        }
    }
}

/// Neither overwriting inside a block nor a container, a call or a default launders a secret.
#[test]
fn nothing_launders() {
    for made in [
        "sensitive if @s is '1'\n'public' into @x\nend",
        "sensitive if @s is '1'\nend\n'k' into @x\nsensitive if @s is '1'\n'l' into @x\nelse\nend",
        "container into ::c\nadd item @s\nend\nlist remove ::c @s\nlist length ::c into @x",
        "container into ::c\nadd map @s 'v'\nend\nmap has ::c '1' into @x",
        "container into ::c\nadd map 'k' 'v'\nend\nmap has ::c @s into @x",
        "text compare @s '1' into @x",
        "function #id\nparameter 1 into @a\nsuccess 'constant'\nend\n'q' into @x\nsensitive if @s is '1'\n#id 'y' into @x\nend",
        "safe math add @s 'no number' into @x",
        "safe sensitive ask @s with default @s into @x",
        "'a' into @x\nsensitive repeat @s\n'b' into @x\nend",
        "'@{s}' into vault 'T'\nvault 'T' into @x",
        "sensitive if @s is '1'\n'v' into vault 'U'\nelse\n'w' into vault 'U'\nend\nvault 'U' into @x",
    ] {
        let text = format!("{FETCH}{made}\nsay @x\nsuccess");
        for secret in ["1", "0"] {
            let shown = shown(&text, secret);
            let told = shown.seen.iter().any(|line| line.starts_with("console"));
            assert!(!told || made.contains("ask"), "{text}\n{shown:?}");
            assert_ne!(shown.ending, Ending::Success, "{text}");
        }
        tells_nothing(&text);
    }
}

/// A turn more or less, and calls within calls, end for every secret alike.
#[test]
fn depth_and_size_are_bounded() {
    let deep = "function #f\n#f\nsuccess\nend\n#f\nsuccess";
    assert_eq!(shown(deep, "x").ending, Ending::Failure);
    let nested = format!(
        "{}say 'deep'\n{}success",
        "if true\n".repeat(60),
        "end\n".repeat(60)
    );
    assert_eq!(shown(&nested, "x").ending, Ending::Success);
    let grows = "'0123456789' into @x\nrepeat 30\n@x append @x into @x\nend\nsuccess";
    assert_eq!(shown(grows, "x").ending, Ending::Failure);
    let grows = format!("{FETCH}repeat 30\n@s append @s into @s\nend\nsuccess");
    assert_eq!(shown(&grows, "0123456789").ending, Ending::Failure);
}

/// What is told of a failure after a call that a secret made fail is what would be told without it.
#[test]
fn a_call_that_failed_hides_nothing_that_follows() {
    for last in ["say @s", "say @none", "#none", "fail 'x'"] {
        tells_nothing(&format!(
            "{FETCH}function #f\nparameter 1 into @a\nsensitive if @a is '1'\nfail 'no'\nend\nsuccess\nend\n\
             safe #f @s\n{last}\nsuccess"
        ));
        tells_nothing(&format!(
            "{FETCH}function #f\nparameter 1 into @a\nsensitive if @a is '1'\n'x' into @b\nend\n\
             math div 1 @a into @c\nsuccess\nend\n\
             safe #f @s\n{last}\nsuccess"
        ));
        tells_nothing(&format!(
            "{FETCH}'go' into @x\nsafe sensitive while @x is not @s\n@s into @x\nmath div 1 @s into @c\nend\n\
             {last}\nsuccess"
        ));
        tells_nothing(&format!(
            "{FETCH}safe sensitive while @s\n'no truth' into @s\nend\n{last}\nsuccess"
        ));
    }
}
