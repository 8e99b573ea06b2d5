//! What secrets decide.

use super::{checked, lines, refused};

const FETCH: &str = "vault 'S' into @s\n";

#[test]
fn a_header_on_a_secret_says_so() {
    for (header, sink) in [
        ("if @s is 'x'", "condition"),
        ("if 'x' is 'y'\nelse if @s", "condition"),
        ("while @s", "condition"),
        ("repeat @s", "count"),
    ] {
        let text = format!("{FETCH}{header}\n'v' into @x\nend\nsuccess\n");
        assert_eq!(
            lines(&text),
            [format!("2 {sink} S refused [sensitive]")],
            "{text}"
        );
        assert_eq!(
            lines(&text.replacen(header, &format!("safe {header}"), 1)).len(),
            1
        );
        assert_eq!(
            refused(&text.replacen(header, &format!("sensitive {header}"), 1)),
            [0; 0]
        );
        // No cluster speaks for a header.
        let clustered = format!("{FETCH}sensitive\n{header}\n'v' into @x\nend\nend\nsuccess\n");
        assert_eq!(refused(&clustered), [3], "{clustered}");
    }
    let text = format!(
        "{FETCH}text split @s ',' into ::c\niterate ::c as @i\n'v' into @x\nend\nsuccess\n"
    );
    assert_eq!(lines(&text), ["3 condition S refused [sensitive]"]);
}

#[test]
fn a_way_out_in_a_block_on_a_secret_shows() {
    for (inner, missing) in [
        ("say 'x'", Some("sensitive, with risk")),
        ("sensitive say 'x'", Some("with risk")),
        ("say 'x' with risk", Some("sensitive")),
        ("safe say 'x'", Some("sensitive, with risk")),
        ("sensitive say 'x' with risk", None),
        ("script 'date'", Some("sensitive, with risk")),
        ("cabinet create 'f'", Some("sensitive, with risk")),
        ("cabinet write 'f' with 'x'", Some("sensitive, with risk")),
        ("'v' into environment 'E'", Some("sensitive, with risk")),
        (
            "system filter 'A*' into vault",
            Some("sensitive, with risk"),
        ),
        ("say 'x' on mac", Some("sensitive, with risk")),
        ("cabinet read 'f' into @x", None),
        ("'v' into @x", None),
    ] {
        for (open, line) in [
            ("sensitive if @s", 3),
            ("sensitive if 'x' is 'y'\nelse if @s", 4),
            ("sensitive if @s\nelse", 4),
            ("sensitive while @s", 3),
            ("sensitive repeat @s", 3),
            ("safe sensitive if @s", 3),
            ("repeat 2\nsensitive if @s", 4),
        ] {
            let ends = 1 + open.matches("repeat 2").count();
            let text = format!("{FETCH}{open}\n{inner}\n{}success\n", "end\n".repeat(ends));
            let expected: Vec<usize> = missing.iter().map(|_| line).collect();
            assert_eq!(refused(&text), expected, "{text}");
            for one in checked(&text)
                .egress
                .iter()
                .filter(|one| one.refusal.is_some())
            {
                assert_eq!(one.within, ["S"], "{text}");
                let words: Vec<&str> = one.missing.iter().map(|clause| clause.words()).collect();
                assert_eq!(words.join(", "), missing.unwrap_or_default(), "{text}");
            }
        }
    }
}

/// A run looks into functions that a block calls, and calls of them elsewhere are not meant.
#[test]
fn a_function_that_a_secret_calls_shows() {
    let function = "function #f\nsay 'x'\nsuccess\nend\n";
    let call = |call: &str| format!("{function}{FETCH}{call}\nsuccess\n");
    assert_eq!(refused(&call("#f")), [0; 0]);
    assert_eq!(refused(&call("sensitive if @s\n#f\nend")), [2]);
    let nested = format!(
        "function #g\n#f\nsuccess\nend\n{}",
        call("sensitive if @s\n#g\nend")
    );
    assert_eq!(refused(&nested), [6]);
}

#[test]
fn a_function_gives_back_what_it_was_given() {
    let text = "function #f\nparameter 1 into @a\nsuccess @a\nend\nvault 'S' into @s\n\
                #f @s into @x\n#f 'p' into @y\nsay @y\nsay @x\nsuccess\n";
    assert_eq!(refused(text), [9]);
    let recursive = "function #f\nparameter 1 into @a\nparameter 2 into @b\nif @a > 0\n\
                     math sub @a 1 into @a\n#f @a @{vault 'S'} into @b\nend\nsuccess @b\nend\n\
                     #f 3 'p' into @x\nsay @x\nsuccess\n";
    assert_eq!(refused(recursive), [11]);
}

/// What follows a result that a secret gave early is decided by it as well.
#[test]
fn an_early_success_decides_what_follows() {
    let text = |rest: &str| {
        format!(
            "function #f\nparameter 1 into @a\nsensitive if @a\nsuccess 'yes'\nend\n{rest}\n\
             success 'no'\nend\n{FETCH}#f @s into @r\nsuccess\n"
        )
    };
    assert_eq!(refused(&text("say 'not reached'")), [6]);
    assert_eq!(refused(&text("'n' into @z")), [0; 0]);
    assert_eq!(refused(&text("repeat 2\nend\nsay 'x'")), [8]);
    // What is assigned there is a secret, and so is the result, whichever it is.
    assert_eq!(refused(&text("'n' into @z\nif @z is 'n'\nend")), [3, 7]);
    let told = text("").replace("into @r", "into @r\nsay @r");
    assert_eq!(refused(&told), [11]);
}

/// A loop that ends the script in its first turn may have had none.
#[test]
fn no_turn_at_all_tells_as_much_as_one() {
    for header in ["repeat @s", "iterate ::c as @x", "while @s"] {
        let text = format!(
            "{FETCH}text split @s ',' into ::c\n'p' into @x\nsensitive {header}\n'v' into @x\n\
             success\nend\nsay @x\nsuccess\n"
        );
        assert_eq!(refused(&text), [8], "{text}");
        let item = text.replace("'v' into @x\n", "");
        let expected: &[usize] = if header.contains("@x") { &[7] } else { &[] };
        assert_eq!(refused(&item), expected, "{item}");
    }
}

/// A header that fails under `safe` leaves everything as it was.
#[test]
fn a_header_that_fails_overwrites_nothing() {
    let text = format!(
        "{FETCH}@s into @x\nsafe if @nothing\n'p' into @x\nelse\n'p' into @x\nend\nsay @x\nsuccess\n"
    );
    assert_eq!(refused(&text), [8]);
    assert_eq!(refused(&text.replace("safe if", "if")), [0; 0]);
}

#[test]
fn what_a_secret_assigns_is_one() {
    for made in [
        "sensitive if @s\n'v' into @x\nend",
        "'p' into @x\nsensitive if @s\nelse\n'v' into @x\nend",
        "'p' into @x\nsensitive if 'a' is 'b'\nelse if @s\n'v' into @x\nend",
        "'p' into @x\nsensitive repeat @s\n'v' into @x\nend",
        "0 into @x\nsensitive while @x < @s\nincrease @x\nend",
        "container into ::c\nend\nsensitive if @s\nlist add ::c 'v'\nend\nlist length ::c into @x",
        "safe math add @s 'v' into @x",
        "'p' into @x\nrepeat 3\n@y append '' into @x\n@s into @y\nend",
    ] {
        let text = format!("'p' into @y\n{FETCH}{made}\nsay @x\nsuccess\n");
        let lines: Vec<usize> = vec![text.lines().count() - 1];
        assert_eq!(refused(&text), lines, "{text}");
    }
}

#[test]
fn what_is_overwritten_is_public_again() {
    for made in [
        "@s into @x\n'p' into @x",
        "@s into @x\nif 'a' is 'b'\n'q' into @x\nelse\n'p' into @x\nend",
        "function #f\n@s into @x\nsuccess 'p'\nend\n'p' into @x\n#f into @y",
    ] {
        assert_eq!(
            refused(&format!("{FETCH}{made}\nsay @x\nsuccess\n")),
            [0; 0],
            "{made}"
        );
    }
    // Under `safe` it may not have come to that.
    let text = format!("{FETCH}@s into @x\nsafe math add 1 'q' into @x\nsay @x\nsuccess\n");
    assert_eq!(refused(&text), [4]);
}

/// In a block on a secret a run names the header, and the check both.
#[test]
fn what_fails_inside_is_told_at_the_header_too() {
    let text = format!("{FETCH}sensitive if @s\ncabinet read @s into @x\nend\nsuccess\n");
    assert_eq!(refused(&text), [2, 3]);
    let text = format!("{FETCH}sensitive if @s\nif @s is 'x'\nend\nend\nsuccess\n");
    assert_eq!(refused(&text), [2, 3]);
}

#[test]
fn nothing_comes_behind_the_end() {
    let text = format!("{FETCH}success\nsay @s\n");
    assert_eq!(lines(&text), ["3 console  public"]);
    let text = format!("{FETCH}if 'a' is 'b'\nfail\nelse\nsuccess\nend\nsay @s\n");
    assert_eq!(refused(&text), [0; 0]);
    let text = format!("{FETCH}if 'a' is 'b'\nfail\nend\nsay @s\nsuccess\n");
    assert_eq!(refused(&text), [5]);
}
