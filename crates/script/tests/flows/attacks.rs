//! Scripts that try to show a bit of a secret, each in its own way.

use subrosa_script::run::Ending;

use super::{same, shown};

const PAIRS: [[&str; 2]; 5] = [
    ["1", "0"],
    ["a", "bb"],
    ["", "x,y,z"],
    ["7", "seven"],
    ["a b c", "a"],
];

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

/// Secrets that make a statement fail or not, in front of every attack below: `::c` has a member `1`
/// or has none, `::n` is a map or a list, `@l` is the length.
const FAILING: &str = "text length @s into @l\ntext split @s ' ' into ::c\n\
     container into ::n\nadd item @s\nend\nlist remove ::n @s\n\
     sensitive if @l > 4\nmap set ::n 'k' 'v'\nelse\nlist add ::n 'v'\nend\n\
     container into ::p\nadd item 'p'\nend\n\
     function #says\nparameter 1 into @a\nsay 'said'\nsuccess 'constant'\nend\n\
     function #picks\nparameter 1 into @a\nsensitive if @a > 4\nfailure 'a'\nend\nsuccess 'b'\nend\n\
     function #half\nparameter 1 into @a\nsensitive if @a > 4\nsuccess 'a'\nend\nend\n";

/// Whether a statement is refused, and what derives from a secret afterwards, is decided before a
/// secret can make it fail: under `safe` that it failed shows nowhere.
#[test]
fn a_failure_that_a_secret_makes_shows_nowhere() {
    for probe in [
        // Headers.
        "'p' into @x\nsafe sensitive if @s > 4\n'a' into @x\nend",
        "'p' into @x\nsafe sensitive if false\nelse if @s > 4\n'a' into @x\nend",
        "'p' into @x\nsafe sensitive if @s is 'a'\nelse if @s > 4\n'a' into @x\nend",
        "'p' into @x\nsafe sensitive if ::c:1 is 'b'\n'a' into @x\nend",
        "'p' into @x\nsafe sensitive repeat @s\n'a' into @x\nend",
        "'p' into @x\nsafe sensitive repeat ::c:1\n'a' into @x\nend",
        "'p' into @x\nsafe sensitive while @s > 4\n'a' into @x\n0 into @s\nend",
        "'p' into @x\nsafe sensitive while ::c:1 is 'b'\n'a' into @x\n'a' into @s\ntext split @s ' ' into ::c\nend",
        "'p' into @x\nsafe sensitive iterate ::c:1 as @x\nend",
        "'p' into @x\nsafe if @s > 4\n'a' into @x\nend",
        "'p' into @x\nsafe repeat @s\n'a' into @x\nend",
        "'p' into @x\nsafe while @s > 4\n'a' into @x\nend",
        // Sinks.
        "safe say ::c:1",
        "safe sensitive say ::c:1",
        "safe say 'a@{::c:1}'",
        "safe ask ::c:1 into @x",
        "safe sensitive ask ::c:1 into @x",
        "safe ask 'p' with default ::c:1 into @x",
        "safe script 'echo @{::c:1}'",
        "safe script 'echo @{::c:1}' into @x",
        "safe program run 'echo @{::c:1}'",
        "safe program run @s",
        "safe program run ::c:1 into @x",
        "safe ::c:1 into environment 'E'",
        "safe 'v' into environment ::c:1",
        "safe cabinet write 'f' with ::c:1",
        "safe cabinet write ::c:1 with 'x'",
        "safe cabinet read ::c:1 into @x",
        "safe cabinet delete ::c:1",
        "safe cabinet copy 'there' ::c:1",
        "safe cabinet list ::c:1 into ::p",
        "safe call 'cap' with ::c:1 into @x",
        "safe system filter ::c:1 into vault",
        // Targets.
        "safe ::c:1 into @x",
        "'p' into @x\nsafe ::c:1 into @x",
        "'p' into @x\nsafe ::c:1 into @x trace",
        "'p' into @x\nsafe increase @x by ::c:1",
        "safe ::c:1 into vault 'V'\nsafe vault 'V' into @x",
        "safe '@{::c:1}' into vault 'V'\nsafe vault 'V' into @x",
        "safe container into ::q\nadd item ::c:1\nend\nsafe say ::q\nsafe list length ::q into @x",
        "safe container into ::p\nadd item ::c:1\nend",
        "safe open container ::p\nadd item ::c:1\nend",
        "safe open container ::p\nadd item @undefined\nadd item ::c:1\nend",
        "safe open container ::p\nadd item ::c:1\nadd item @undefined\nend",
        "safe open container ::p\nremove item ::c:1\nend",
        "safe open container ::p\nadd container 'in'\nadd item ::c:1\nend\nend",
        "safe list add ::p ::c:1",
        "safe list remove ::p ::c:1",
        "safe map get ::p ::c:1 into @x",
        "safe map set ::p ::c:1 'x'",
        "safe open container ::p\nadd map ::c:1 'x'\nend",
        "safe math add 'x@{::c:1}' 1 into @x",
        "safe ::c:1 into ::p",
        "safe #undefined ::c:1 into @x",
        // Calls and ends.
        "safe #says ::c:1",
        "safe #says ::c:1 into @x",
        "safe #picks @l into @x",
        "safe #picks @l",
        "safe #half @l into @x",
        "safe success ::c:1",
        "safe failure ::c:1",
        // A list in one case, a map in the other.
        "safe list add ::n 'b'",
        "safe map set ::n 'l' 'b'",
        "safe map merge ::n ::n",
        "safe map merge ::p ::n",
        "safe open container ::n\nadd item 'b'\nend",
        "safe open container ::n\nadd map 'x' 'b'\nend",
        "safe ::n:k into ::p",
        "safe ::n:k into @x",
        "safe iterate ::n as @x\nend",
        "safe sensitive iterate ::n as @x\nend",
        // What derives from no member, and what is told of it.
        "text split @s '' into ::e\nsafe sensitive iterate ::e as @x\nend",
        "text split @s '' into ::e\ntext join ::e 'x' into @x",
        "text split @s '' into ::e\nsafe text join ::e @x into @x",
        // Times.
        "safe script 'date' timeout @l seconds",
        "safe sensitive script 'date' timeout @l seconds",
        "safe sensitive script 'date' into @x timeout @l seconds",
        "safe sensitive script 'date' into @x timeout @s seconds",
        "safe say 'x' timeout @s seconds",
        "safe sensitive #says 'x' into @x timeout @l seconds",
        "safe sensitive 'p' into @x timeout @s seconds",
        "safe sensitive 'p' into @x timeout ::c:1 seconds",
        "safe wait @s seconds",
        "safe sensitive wait @s seconds",
        // An entry that is stored in one case alone, and what would be masked by it.
        "sensitive if @l > 4\n'plain' into vault 'Q'\nend\nscript 'echo plain'",
        "sensitive if @l > 4\n'plain' into vault 'Q'\nend\nvault 'Q' into @q\nscript 'echo plain'",
    ] {
        for last in ["say 'after'", "say ::n", "#none", "say @undefined"] {
            tells_nothing(&format!(
                "{FETCH}{FAILING}{probe}\nsafe say @x\nsafe sensitive say @x\nsafe say ::p\n\
                 safe sensitive say ::p\n{last}\nsuccess"
            ));
        }
    }
}

/// A statement that fails for every secret leaves what it would have set as a secret, where an
/// operand was one.
#[test]
fn what_safe_left_unset_derives_from_the_operands() {
    for probe in [
        "safe @s append @undefined into @x",
        "safe @undefined append @s into @x",
        "safe 'x@{s}@{undefined}' into @x",
        "safe 'x@{undefined}@{s}' into @x",
        "safe text replace @undefined @s 'a' into @x",
        "safe map get ::undefined @s into @x",
        "safe list join ::undefined with @s into @x",
        "safe set @s into @x timeout @undefined seconds",
        "safe ask @undefined with default @s into @x",
        "safe #says @s @undefined into @x",
        "safe #undefined @s into @x",
        "safe #fails @s into @x",
        "safe increase @x by '@{s}@{undefined}'",
    ] {
        let text = format!(
            "{FETCH}{FAILING}function #fails\nfailure 'always'\nend\n'p' into @x\n{probe}\nsay @x\nsuccess"
        );
        let shown = shown(&text, "a b");
        assert_eq!(shown.ending, Ending::Refused, "{text}\n{shown:?}");
        tells_nothing(&text);
    }
    for probe in [
        "safe text split @s @undefined into ::p",
        "safe map set ::p @s 'v'",
        "safe map set ::p 'v' @s",
        "safe open container ::p\nadd item @s\nadd item @undefined\nend",
        "safe container into ::p\nadd item @s\nadd item @undefined\nend",
        "safe list add ::p '@{s}@{undefined}'",
        "safe map merge ::p ::n",
    ] {
        let text = format!("{FETCH}{FAILING}{probe}\nsay ::p\nsuccess");
        let shown = shown(&text, "a b");
        assert_eq!(shown.ending, Ending::Refused, "{text}\n{shown:?}");
        tells_nothing(&text);
    }
}

/// What a function makes of a secret is one, also where it makes nothing of it.
#[test]
fn what_a_function_was_given_is_in_its_result() {
    for call in [
        "#says @s into @x",
        "#says ::c into @x",
        "#says 'a@{s}' into @x",
    ] {
        let text = format!("{FETCH}{FAILING}{call}\nsay @x\nsuccess");
        let shown = shown(&text, "a b");
        assert_eq!(shown.ending, Ending::Refused, "{text}\n{shown:?}");
    }
    let text = format!("{FETCH}{FAILING}#says 'x' into @x\nsay @x\nsuccess");
    assert_eq!(shown(&text, "a b").ending, Ending::Success);
}

/// What somebody types is a secret where it stands for one.
#[test]
fn what_is_typed_in_place_of_a_secret_is_one() {
    let text = format!("{FETCH}ask 'p' with default @s into @x\nsay @x\nsuccess");
    assert_eq!(shown(&text, "a b").ending, Ending::Refused);
}

/// What goes into the vault is told nowhere from there on, by whatever command it goes.
#[test]
fn what_is_stored_is_told_nowhere() {
    for store in [
        "'plain' into vault 'V'",
        "set 'plain' into vault 'V'",
        "'plain' append 'x' into vault 'V'",
        "'x' append 'plain' into vault 'V'",
        "'plain' + 'x' into vault 'V'",
        "safe 'plain' + 'x' as integer into vault 'V'",
        "text upper 'plain' into vault 'V'",
        "text concat 'a' 'plain' into vault 'V'",
        "ask 'p' with default 'plain' into vault 'V'",
        "safe math add 'plain' 1 into vault 'V'",
        "safe 'plain@{undefined}' into vault 'V'",
        "safe text concat @undefined 'plain' into vault 'V'",
        "#says 'plain' into vault 'V'",
        "container into ::k\nadd item 'other'\nend\nsafe list add ::k 'plain' into vault 'V'",
    ] {
        let text = format!("{FETCH}{FAILING}{store}\nsuccess");
        let shown = shown(&text, "a b");
        assert_eq!(shown.ending, Ending::Success, "{text}\n{shown:?}");
        let told = shown.seen.join("\n") + &shown.memo;
        assert!(!told.contains("plain"), "{text}\n{told}");
    }
}
