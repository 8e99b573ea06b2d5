//! Each command does what its row of the table says.

use std::fs;

use super::{Desk, says};

#[test]
fn values_are_assigned_appended_and_added() {
    assert_eq!(says("'a' into @x\nsay @x"), "a\n");
    assert_eq!(says("set 'a' into @x\nsay @x"), "a\n");
    assert_eq!(says("'a' append 'b' into @x\nsay @x"), "ab\n");
    assert_eq!(says("'a' + 'b' into @x\nsay @x"), "ab\n");
    assert_eq!(says("1 + 2 into @x\nsay @x"), "12\n");
    assert_eq!(says("1 + 2 into @x as integer\nsay @x"), "3\n");
    assert_eq!(says("1 + 2 as integer into @x\nsay @x"), "3\n");
    assert_eq!(says("'it\\'s' into @x\nsay 'say @{x}'"), "say it's\n");
    // What is inserted is not scanned again.
    assert_eq!(
        says("'@' + '{y}' into @x\n'no' into @y\nsay @x\nsay 'v: @{x}'"),
        "@{y}\nv: @{y}\n"
    );
}

#[test]
fn questions_read_standard_input() {
    let script = "ask 'name? ' into @n\nask 'again? ' with default 'none' into @m\n\
                  ask 'third? ' with default 'none' into @o\nsay '@{n}/@{m}/@{o}'\n\
                  ask 'pin? ' into vault 'PIN'\nsafe say @{vault 'PIN'}\n\
                  sensitive ask 'pass? ' into @p\nsafe say @p\nscript 'cat'\nsuccess";
    let ran = Desk::new().run_with(script, "ann\n\nbob\n1234\nhush\nrest\n", &[], &[]);
    assert_eq!(
        ran.out, "name? again? third? ann/none/bob\npin? pass? rest\n",
        "{}",
        ran.err
    );
    let ran = Desk::new().run("ask 'name? ' into @n\nsuccess");
    assert_eq!(ran.status, 1, "there is nothing to read");
    // What is taken in place of a secret is one, whether there was nothing in a line or no line.
    for typed in ["", "\n"] {
        let desk = Desk::new();
        let script = "sensitive ask 'token? ' with default 'none' into @t\n\
                      cabinet write 'out' with @t\nsuccess";
        assert_eq!(
            desk.run_with(script, typed, &[], &[]).status,
            3,
            "{typed:?}"
        );
        assert!(!desk.path("out").exists(), "{typed:?}");
    }
}

#[test]
fn files_are_written_read_and_moved() {
    let desk = Desk::new();
    let ran = desk.run(
        "cabinet file write 'a' with 'one'\ncabinet append 'a' with ' two'\n\
         cabinet read 'a' into @x\nsay @x\ncabinet write file 'b' with content 'three'\n\
         cabinet copy 'b' 'c'\ncabinet move 'b' 'd'\ncabinet create 'e'\ncabinet delete 'c'\n\
         cabinet list '.' into @names\nsay @names\nsuccess",
    );
    assert_eq!(ran.out, "one two\na, d, e, s.sky\n", "{}", ran.err);
    assert_eq!(fs::read(desk.path("d")).expect("moved"), b"three");
    assert_eq!(fs::read(desk.path("e")).expect("made"), b"");
    for failing in [
        "cabinet read 'nowhere' into @x",
        "cabinet create 'a'",
        "cabinet copy 'a' 'd'",
        "cabinet move 'a' 'd'",
        "cabinet delete 'nowhere'",
    ] {
        assert_eq!(
            desk.run(&format!("{failing}\nsuccess")).status,
            1,
            "{failing}"
        );
        assert_eq!(
            desk.run(&format!("safe {failing}\nsuccess")).status,
            0,
            "{failing}"
        );
    }
}

#[test]
fn processes_print_or_give_back_and_are_scrubbed() {
    let desk = Desk::new();
    let ran = desk.run(
        "'a-value-to-hide' into vault 'S'\nscript 'echo shell; echo to-err >&2'\n\
         program run 'printf %s-%s \"a b\" c' into @o\nsay @o\n\
         cabinet write 'f' with 'x'\nscript 'pwd | grep -c work'\n\
         script 'printf a-value; printf -- -to-hide; echo'\n\
         script 'printf a-value; printf -- -to-hide' into @p\nsay @p\n\
         'in a script' into environment 'NAME'\nscript 'echo $NAME $HERE'\n\
         safe script 'exit 3'\nsafe program run 'no-such-program'\nsuccess",
    );
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert_eq!(
        ran.out,
        "shell\na b-c\n1\n[REDACTED:S]\n[REDACTED:S]\nin a script\n"
    );
    assert!(ran.err.contains("to-err"), "{}", ran.err);
    let ran = desk.run_with(
        "script 'echo $HERE'\nsuccess",
        "",
        &[],
        &[("HERE", "inherited")],
    );
    assert_eq!(ran.out, "inherited\n");
    let ran = desk.run("script 'sleep 60' timeout 1 seconds\nsuccess");
    assert_eq!(ran.status, 1, "{}", ran.err);
    assert!(ran.err.contains("longer than it may"), "{}", ran.err);
    let ran = desk.run("call 'github' with 'x' into @y\nsuccess");
    assert!(ran.err.contains("not built: part 6"), "{}", ran.err);
}

#[test]
fn tools_for_texts_numbers_and_truths() {
    for (tool, result) in [
        ("text length 'añb'", "3"),
        ("text lower 'ABC'", "abc"),
        ("text upper 'abc'", "ABC"),
        ("text trim '  a '", "a"),
        ("text concat 'a' 'b'", "ab"),
        ("text replace 'banana' 'an' 'o'", "booa"),
        ("text contains 'haystack' 'st'", "true"),
        ("text startswith 'haystack' 'hay'", "true"),
        ("text endswith 'haystack' 'hay'", "false"),
        ("text slice 'abcdef' 1 3", "bc"),
        ("text slice 'abcdef' 4", "ef"),
        ("text compare 'a' 'b'", "-1"),
        ("math add 0.1 0.2", "0.3"),
        ("math sub 1 3", "-2"),
        ("math mul 4 2.5", "10"),
        ("math div 1 4", "0.25"),
        ("math mod 7 3", "1"),
        ("math abs -3", "3"),
        ("math round 2.5", "3"),
        ("math floor -0.5", "-1"),
        ("math ceil 0.2", "1"),
        ("math min 3 2", "2"),
        ("math max 3 2", "3"),
        ("math pow 2 10", "1024"),
        ("math compare 10 9", "1"),
        ("bool all true true", "true"),
        ("bool any false false", "false"),
    ] {
        assert_eq!(
            says(&format!("{tool} into @x\nsay @x")),
            format!("{result}\n"),
            "{tool}"
        );
    }
    for wrong in ["math add 'a' 1", "math div 1 0", "bool all 'yes'"] {
        let ran = Desk::new().run(&format!("{wrong} into @x\nsuccess"));
        assert_eq!(ran.status, 1, "{wrong}");
    }
}

#[test]
fn containers_hold_members() {
    let head = "container into ::l\nadd item 'a'\nadd item 'b'\nend\n\
                container into ::m\nadd map 'k' 'v'\nadd container 'n'\nadd item 'x'\nend\nend\n";
    for (script, out) in [
        ("say ::l", "a, b\n"),
        ("say ::l:1\nsay ::m:k\nsay 'is @{::m:k}'", "b\nv\nis v\n"),
        (
            "open container ::l\nadd item 'c'\nremove item 'a'\nend\nsay ::l",
            "b, c\n",
        ),
        ("list add ::l 'c'\nlist length ::l into @n\nsay @n", "3\n"),
        ("list remove ::l 'a'\nsay ::l", "b\n"),
        ("list join ::l with '+' into @j\nsay @j", "a+b\n"),
        (
            "map set ::m 'k' 'w'\nmap get ::m 'k' into @v\nsay @v",
            "w\n",
        ),
        ("map has ::m 'z' into @h\nsay @h", "false\n"),
        (
            "container into ::o\nadd map 'q' '1'\nend\nmap merge ::m ::o\nsay ::m:q",
            "1\n",
        ),
        ("iterate ::l as @i\nsay @i\nend", "a\nb\n"),
        ("foreach from ::l into @i\nsay @i\nend", "a\nb\n"),
        ("if ::l contains 'b'\nsay 'yes'\nend", "yes\n"),
        ("text split 'x-y' '-' into ::s\nsay ::s:1", "y\n"),
    ] {
        assert_eq!(says(&format!("{head}{script}")), out, "{script}");
    }
    let ran = Desk::new().run(&format!("{head}say ::l:7\nsuccess"));
    assert_eq!(ran.status, 1);
}

#[test]
fn conditions_and_loops() {
    let chain = |value: &str| {
        says(&format!(
            "{value} into @x\nif @x is 1\nsay 'one'\nelse if @x > 1\nsay 'more'\nelse\nsay 'less'\nend"
        ))
    };
    assert_eq!(
        [chain("1"), chain("2"), chain("0")].concat(),
        "one\nmore\nless\n"
    );
    for (condition, holds) in [
        ("'a' is not 'b'", true),
        ("2 >= 2", true),
        ("10 < 9", false),
        ("10 <= 9", false),
        ("'abc' contains 'bc'", true),
        ("true", true),
        ("'false'", false),
    ] {
        let out = says(&format!("if {condition}\nsay 'holds'\nend"));
        assert_eq!(out, if holds { "holds\n" } else { "" }, "{condition}");
    }
    assert_eq!(says("repeat 3\nsay 'r'\nend"), "r\nr\nr\n");
    assert_eq!(
        says("0 into @i\nwhile @i < 3\nincrease @i by '2'\nend\nsay @i"),
        "4\n"
    );
    assert_eq!(says("5 into @i\ndecrease @i by '2'\nsay @i"), "3\n");
    let ran = Desk::new().run("if 'maybe'\nsay 'x'\nend\nsuccess");
    assert_eq!(ran.status, 1, "{}", ran.err);
}

#[test]
fn functions_take_parameters_and_give_results() {
    let head = "function #greet\nparameter 1 into @who\nsafe parameter 2 into @how\n\
                success 'hello @{who}'\nend\n";
    assert_eq!(
        says(&format!("{head}#greet 'ann' into @r\nsay @r")),
        "hello ann\n"
    );
    let ran = Desk::new().run(&format!("{head}#greet into @r\nsuccess"));
    assert_eq!(ran.status, 1, "a parameter is missing");
    assert!(ran.err.contains("without parameter 1"), "{}", ran.err);
    let ran = Desk::new().run("function #f\nsay 'x'\nend\n#f\nsuccess");
    assert_eq!(ran.status, 1, "its end is a failure");
    let ran = Desk::new().run("function #f\n#f\nsuccess\nend\n#f\nsuccess");
    assert_eq!(ran.status, 1, "it calls itself for ever");
    assert!(ran.err.contains("calls within each other"), "{}", ran.err);
}

/// A time holds for whatever the statement does, and for what a function comes to.
#[test]
fn statements_are_done_in_time_or_fail() {
    let desk = Desk::new();
    let slow = "function #slow\nsafe wait 20 seconds\nsafe script 'sleep 20'\nsafe say 'late'\nsuccess\nend\n\
                function #turns\nrepeat 1000000\nsafe wait 1 seconds\nend\nsuccess\nend\n";
    for late in [
        "wait 20 seconds timeout 1 seconds",
        "script 'sleep 20' timeout 1 seconds",
        "#slow timeout 1 seconds",
        "#turns timeout 1 seconds",
        "#slow into @x timeout 1 seconds",
    ] {
        let ran = desk.run(&format!("{slow}{late}\nsuccess"));
        assert_eq!((ran.status, &*ran.out), (1, ""), "{late}\n{}", ran.err);
        assert!(ran.err.contains("longer than it may"), "{}", ran.err);
        let ran = desk.run(&format!("{slow}safe {late}\nsay 'goes on'\nsuccess"));
        assert_eq!(
            (ran.status, &*ran.out),
            (0, "goes on\n"),
            "{late}\n{}",
            ran.err
        );
    }
    let ran = desk.run(&format!("{slow}wait 0 seconds timeout 20 seconds\nsuccess"));
    assert_eq!(ran.status, 0, "{}", ran.err);
}

/// Patterns are those of a shell.
#[test]
fn variables_are_imported_by_patterns() {
    for (glob, names) in [
        ("APP_*", "APP_ONE APP_TWO"),
        ("APP_?NE", "APP_ONE"),
        ("APP_[NT]*", "APP_TWO"),
        ("APP_[!T]*", "APP_ONE"),
        ("*_ONE", "APP_ONE"),
        ("app_*", ""),
    ] {
        let variables = [("APP_ONE", "value-one"), ("APP_TWO", "value-two")];
        let script = format!(
            "system filter '{glob}' into vault\nsafe vault 'APP_ONE' into @a\nsafe vault 'APP_TWO' into @b\nsuccess"
        );
        let ran = Desk::new().run_with(&script, "", &[], &variables);
        let found: Vec<&str> = ["APP_ONE", "APP_TWO"]
            .into_iter()
            .filter(|name| !ran.err.contains(&format!("no entry \"{name}\"")))
            .collect();
        assert_eq!(found.join(" "), names, "{glob}\n{}", ran.err);
    }
    let ran = Desk::new().run("system filter '[' into vault\nsuccess");
    assert_eq!(ran.status, 1, "{}", ran.err);
}

/// A part of it would pass for all of it.
#[test]
fn output_that_is_too_long_is_a_failure() {
    let script =
        "script 'trap \"\" PIPE; head -c 17000000 /dev/zero | tr \"\\0\" a; true' into @o\nsuccess";
    let ran = Desk::new().run(script);
    assert_eq!(ran.status, 1, "{}", ran.err);
    assert!(ran.err.contains("it is more than 16 MiB"), "{}", ran.err);
}
