mod limits;
mod properties;

use subrosa_crypto::SecretBuf;
use subrosa_model::{FieldName, KeyName, Label, SecretId, WorkspaceId};

use super::Operation::{self, *};
use super::{FaultKind, Split, count, truth};
use crate::{Input, Labels, Sensitive, danger};

fn run(operation: Operation, inputs: &[&str]) -> Result<String, FaultKind> {
    let inputs: Vec<&[u8]> = inputs.iter().map(|text| text.as_bytes()).collect();
    let outcome = operation.evaluate(&inputs);
    outcome
        .map(|bytes| String::from_utf8(bytes).unwrap())
        .map_err(|fault| fault.kind)
}

#[track_caller]
fn gives(operation: Operation, inputs: &[&str], expected: &str) {
    let found = run(operation, inputs);
    assert_eq!(found.as_deref(), Ok(expected), "{operation:?} {inputs:?}");
}

#[track_caller]
fn fails(operation: Operation, inputs: &[&str], kind: FaultKind) {
    let found = run(operation, inputs);
    assert_eq!(found, Err(kind), "{operation:?} {inputs:?}");
}

fn labels(of: u8) -> Labels {
    Labels::from([Label {
        workspace: WorkspaceId::from_bytes([1; 16]),
        secret: SecretId::from_bytes([of; 16]),
        key: KeyName::new("github/token").unwrap(),
        field: FieldName::default_field(),
        version: 1,
        pin: None,
    }])
}

fn value(text: &[u8], label: u8) -> Sensitive {
    Sensitive::public(text, labels(label)).unwrap()
}

#[test]
fn names_are_distinct_and_found_again() {
    for operation in Operation::ALL {
        let same = |other: &&Operation| other.name() == operation.name();
        assert_eq!(Operation::ALL.iter().filter(same).count(), 1);
        let written = operation.name().split_once(' ');
        let tool = written.filter(|(module, _)| ["text", "math", "bool"].contains(module));
        if let Some((module, tool)) = tool {
            assert_eq!(Operation::named(module, tool), Some(*operation));
        }
    }
    assert_eq!(Operation::named("is", "not"), None);
    assert_eq!(Operation::named("+", "as integer"), None);
    assert_eq!(Operation::named("text", "uppercase"), None);
    assert_eq!(Operation::named("math", "upper"), None);
}

#[test]
fn the_number_of_operands_is_held() {
    for operation in Operation::ALL {
        for given in 0..6 {
            let inputs = vec!["1"; given];
            let refused = run(*operation, &inputs) == Err(FaultKind::Operands);
            let wanted = operation.operands().contains(&given);
            assert_eq!(refused, !wanted, "{operation:?} {given}");
        }
    }
}

#[test]
fn texts_are_put_together() {
    gives(Concat, &[], "");
    gives(Concat, &["Bearer ", "a", "", "ß"], "Bearer aß");
    gives(Join, &[", "], "");
    gives(Join, &[", ", "a"], "a");
    gives(Join, &[", ", "a", "", "b"], "a, , b");
    gives(Join, &["", "a", "b"], "ab");
}

#[test]
fn characters_are_counted_and_not_bytes() {
    gives(Length, &[""], "0");
    gives(Length, &["añb"], "3");
    gives(Length, &["e\u{301}"], "2");
    gives(Length, &["🦀"], "1");
    assert_eq!(Length.evaluate(&[b"a\xff\xfe\xc3"]).unwrap(), b"4");
}

#[test]
fn case_changes_each_character_by_itself() {
    gives(Lower, &["ÀÉ Ω I"], "àé ω i");
    gives(Lower, &["ΟΔΟΣ"], "οδοσ");
    gives(Lower, &["İ"], "i\u{307}");
    gives(Upper, &["straße ŉ"], "STRASSE ʼN");
    assert_eq!(Upper.evaluate(&[b"a\xffb"]).unwrap(), b"A\xffB");
}

#[test]
fn white_space_is_cut_at_the_ends() {
    gives(Trim, &[""], "");
    gives(Trim, &[" \t\r\n\u{a0}\u{2003}"], "");
    gives(Trim, &["\u{3000} a b\n"], "a b");
    gives(Trim, &["a\u{200b}"], "a\u{200b}");
    assert_eq!(Trim.evaluate(&[b" \xff \xfe "]).unwrap(), b"\xff \xfe");
}

#[test]
fn places_are_replaced_from_the_left() {
    gives(Replace, &["aaa", "aa", "b"], "ba");
    gives(Replace, &["abc", "", "x"], "abc");
    gives(Replace, &["", "", "x"], "");
    gives(Replace, &["ab", "abc", "x"], "ab");
    gives(Replace, &["añañ", "ñ", ""], "aa");
    gives(Replace, &["a.a", "a", "aa"], "aa.aa");
}

#[test]
fn texts_are_found_in_texts() {
    for (operation, held, not) in [
        (Contains, "ñ", "x"),
        (StartsWith, "a", "ñ"),
        (EndsWith, "b", "ñ"),
    ] {
        gives(operation, &["añb", held], "true");
        gives(operation, &["añb", "añb"], "true");
        gives(operation, &["añb", ""], "true");
        gives(operation, &["", ""], "true");
        gives(operation, &["añb", not], "false");
        gives(operation, &["añb", "añbc"], "false");
        gives(operation, &["", "a"], "false");
    }
}

#[test]
fn slices_count_characters_and_stay_within_the_text() {
    for (start, end, expected) in [
        ("0", "2", "hé"),
        ("1", "3", "él"),
        ("0", "0", ""),
        ("3", "1", ""),
        ("-2", "99", "lo"),
        ("-99", "1", "h"),
        ("1", "-1", "éll"),
        ("99", "100", ""),
        ("0", "-99", ""),
        ("1.0", "2.000", "é"),
        ("-0", "1", "h"),
        ("0", "79228162514264337593543950335", "héllo"),
        ("-79228162514264337593543950335", "1", "h"),
    ] {
        gives(Slice, &["héllo", start, end], expected);
    }
    gives(Slice, &["héllo", "1"], "éllo");
    gives(Slice, &["héllo", "-1"], "o");
    gives(Slice, &["", "0", "1"], "");
    fails(Slice, &["héllo", "0.5"], FaultKind::Whole);
    fails(Slice, &["héllo", ""], FaultKind::Number);
    fails(Slice, &["héllo", "0", "x"], FaultKind::Number);
}

#[test]
fn texts_are_compared_by_code_point() {
    gives(Compare, &["a", "b"], "-1");
    gives(Compare, &["b", "a"], "1");
    gives(Compare, &["a", "a"], "0");
    gives(Compare, &["", "a"], "-1");
    gives(Compare, &["10", "9"], "-1");
    gives(Compare, &["1", "1.0"], "-1");
    gives(Compare, &["\u{ffff}", "\u{10000}"], "-1");
}

#[test]
fn what_is_a_number_and_what_is_not() {
    for (text, canonical) in [
        ("0", "0"),
        ("-0", "0"),
        ("-0.000", "0"),
        ("007", "7"),
        ("1.50", "1.5"),
        ("100", "100"),
        ("-3.0", "-3"),
        (
            "0.0000000000000000000000000001",
            "0.0000000000000000000000000001",
        ),
        ("1.00000000000000000000000000000000000000000000000", "1"),
        (
            "79228162514264337593543950335",
            "79228162514264337593543950335",
        ),
        (
            "-79228162514264337593543950335",
            "-79228162514264337593543950335",
        ),
    ] {
        gives(Add, &[text], canonical);
    }
    for text in [
        "", "-", "+1", ".5", "5.", ".", "1e3", "1_000", " 1", "1\n", "0x1", "--1", "1.2.3", "1-",
        "NaN", "inf", "١", "1,5", "-.5",
    ] {
        fails(Add, &[text], FaultKind::Number);
    }
    let long = "9".repeat(1 << 16);
    for text in [
        "79228162514264337593543950336",
        "0.00000000000000000000000000001",
        "1.0000000000000000000000000001",
        long.as_str(),
    ] {
        let kind = run(Add, &[text]);
        let exact = text.starts_with("1.");
        assert_eq!(kind.is_ok(), exact, "{text}: {kind:?}");
        if !exact {
            assert_eq!(kind, Err(FaultKind::Range));
        }
    }
}

#[test]
fn sums_are_exact_or_refused() {
    gives(Add, &["0.1", "0.2"], "0.3");
    gives(Add, &["1", "2", "3", "-6"], "0");
    gives(Add, &["0.1", "-0.1", "5"], "5");
    gives(Sub, &["1", "0.9"], "0.1");
    gives(Sub, &["0", "0"], "0");
    gives(Sub, &["0.5", "0.5"], "0");
    let most = "79228162514264337593543950335";
    gives(Add, &[most, "-1"], "79228162514264337593543950334");
    let (half, odd) = ("0.5", "7922816251426433759354395033.5");
    gives(Add, &[odd, half], "7922816251426433759354395034");
    gives(Sub, &["7922816251426433759354395034", half], odd);
    fails(
        Add,
        &[most, "0.0000000000000000000000000001"],
        FaultKind::Range,
    );
    fails(Add, &[most, "1"], FaultKind::Range);
    fails(Add, &[most, "0.1"], FaultKind::Range);
    fails(Add, &[most, "0.5", "-0.5"], FaultKind::Range);
    fails(
        Sub,
        &["-79228162514264337593543950335", "1"],
        FaultKind::Range,
    );
    fails(Add, &["1", "x"], FaultKind::Number);
    fails(Add, &[most, "1", "x"], FaultKind::Number);
}

#[test]
fn products_and_quotients_are_rounded_to_28_digits() {
    gives(Mul, &["1.1", "1.1"], "1.21");
    gives(Mul, &["2", "3", "4"], "24");
    gives(Mul, &["-1", "0"], "0");
    gives(Mul, &["0.00000000000001", "0.000000000000001"], "0");
    fails(
        Mul,
        &["79228162514264337593543950335", "2"],
        FaultKind::Range,
    );
    gives(Div, &["1", "4"], "0.25");
    gives(Div, &["6", "3"], "2");
    gives(Div, &["1", "3"], "0.3333333333333333333333333333");
    gives(Div, &["2", "3"], "0.6666666666666666666666666667");
    gives(Div, &["0", "-7"], "0");
    fails(Div, &["1", "0"], FaultKind::Zero);
    fails(Div, &["0", "-0.0"], FaultKind::Zero);
    fails(
        Div,
        &["79228162514264337593543950335", "0.1"],
        FaultKind::Range,
    );
}

#[test]
fn remainders_take_the_sign_of_the_first() {
    gives(Mod, &["7", "3"], "1");
    gives(Mod, &["-7", "3"], "-1");
    gives(Mod, &["7", "-3"], "1");
    gives(Mod, &["5.5", "2"], "1.5");
    gives(Mod, &["-6", "3"], "0");
    gives(Mod, &["1", "0.3"], "0.1");
    gives(Mod, &["79228162514264337593543950335", "10"], "5");
    gives(Mod, &["79228162514264337593543950335", "0.7"], "0");
    fails(Mod, &["1", "0"], FaultKind::Zero);
}

#[test]
fn numbers_are_rounded() {
    for (number, round, floor, ceil) in [
        ("0.5", "1", "0", "1"),
        ("-0.5", "-1", "-1", "0"),
        ("2.5", "3", "2", "3"),
        ("-2.5", "-3", "-3", "-2"),
        ("2.4", "2", "2", "3"),
        ("-0.2", "0", "-1", "0"),
        ("7", "7", "7", "7"),
        ("0", "0", "0", "0"),
    ] {
        gives(Round, &[number], round);
        gives(Floor, &[number], floor);
        gives(Ceil, &[number], ceil);
    }
    gives(Round, &["1.005", "2"], "1.01");
    gives(Round, &["1.2", "5"], "1.2");
    gives(Round, &["1.2", "79228162514264337593543950335"], "1.2");
    fails(Round, &["1.2", "-1"], FaultKind::Negative);
    fails(Round, &["1.2", "0.5"], FaultKind::Whole);
    gives(Abs, &["-3.10"], "3.1");
    gives(Abs, &["-0"], "0");
}

#[test]
fn the_least_and_the_greatest_are_found() {
    gives(Min, &["10", "9", "9.5"], "9");
    gives(Max, &["10", "9", "-11"], "10");
    gives(Min, &["0", "-0"], "0");
    fails(Max, &["1", "2", "x"], FaultKind::Number);
    gives(CompareNumbers, &["10", "9"], "1");
    gives(CompareNumbers, &["1", "1.0"], "0");
    gives(CompareNumbers, &["-1", "1"], "-1");
    gives(CompareNumbers, &["0", "-0"], "0");
}

#[test]
fn powers_end_at_the_range() {
    gives(Pow, &["2", "10"], "1024");
    gives(Pow, &["0", "0"], "1");
    gives(Pow, &["-2", "3"], "-8");
    gives(Pow, &["2", "-2"], "0.25");
    gives(Pow, &["1.5", "2"], "2.25");
    gives(Pow, &["1", "79228162514264337593543950335"], "1");
    gives(Pow, &["-1", "79228162514264337593543950335"], "-1");
    gives(Pow, &["0.5", "1000000000"], "0");
    gives(Pow, &["0", "5"], "0");
    fails(Pow, &["0", "-1"], FaultKind::Zero);
    fails(Pow, &["2", "0.5"], FaultKind::Whole);
    fails(Pow, &["2", "96"], FaultKind::Range);
    fails(
        Pow,
        &["10", "79228162514264337593543950335"],
        FaultKind::Range,
    );
    fails(Pow, &["0.1", "-40"], FaultKind::Range);
}

#[test]
fn integer_sums_cut_towards_zero() {
    gives(IntegerSum, &["1", "2"], "3");
    gives(IntegerSum, &["1.5", "0.5"], "2");
    gives(IntegerSum, &["1.9", "0"], "1");
    gives(IntegerSum, &["-1.9", "0"], "-1");
    gives(IntegerSum, &["-0.5", "0"], "0");
    fails(IntegerSum, &["1", "one"], FaultKind::Number);
}

#[test]
fn truths_are_two_spellings() {
    gives(All, &[], "true");
    gives(Any, &[], "false");
    gives(All, &["true", "true"], "true");
    gives(All, &["true", "false"], "false");
    gives(All, &["false", "true"], "false");
    gives(Any, &["true", "false"], "true");
    gives(Any, &["false", "true"], "true");
    gives(Any, &["false", "false"], "false");
    for other in ["", "True", "TRUE", "1", "yes", " true", "0"] {
        fails(All, &["false", other], FaultKind::Truth);
        fails(Any, &["true", other], FaultKind::Truth);
        assert_eq!(truth(other.as_bytes()), None);
    }
}

#[test]
fn conditions_compare_numbers_as_numbers() {
    for (one, other, same) in [
        ("1", "1.0", "true"),
        ("007", "7", "true"),
        ("-0", "0", "true"),
        ("a", "a", "true"),
        ("", "", "true"),
        ("a", "A", "false"),
        ("1", "1 ", "false"),
        ("", "0", "false"),
        ("true", "1", "false"),
        (
            "79228162514264337593543950336",
            "79228162514264337593543950336.0",
            "false",
        ),
    ] {
        gives(Is, &[one, other], same);
        gives(
            IsNot,
            &[one, other],
            if same == "true" { "false" } else { "true" },
        );
    }
    gives(Greater, &["10", "9"], "true");
    gives(Greater, &["9", "9"], "false");
    gives(Less, &["9", "10"], "true");
    gives(Less, &["9", "9.0"], "false");
    gives(AtLeast, &["9.0", "9"], "true");
    gives(AtMost, &["10", "9"], "false");
    for operation in [Greater, Less, AtLeast, AtMost, CompareNumbers] {
        fails(operation, &["a", "b"], FaultKind::Number);
        fails(operation, &["1", ""], FaultKind::Number);
    }
}

#[test]
fn texts_are_taken_apart() {
    let split = |text: &str, separator: &str| -> Vec<String> {
        let parts = Split.evaluate(text.as_bytes(), separator.as_bytes());
        let parts = parts.unwrap().into_iter();
        parts.map(|part| String::from_utf8(part).unwrap()).collect()
    };
    assert_eq!(split("a,b,,c", ","), ["a", "b", "", "c"]);
    assert_eq!(split("", ","), [""]);
    assert_eq!(split(",", ","), ["", ""]);
    assert_eq!(split("aaa", "aa"), ["", "a"]);
    assert_eq!(split("añ🦀", ""), ["a", "ñ", "🦀"]);
    assert!(split("", "").is_empty());
    assert_eq!(split("abc", "abcd"), ["abc"]);
}

#[test]
fn counts_are_whole_numbers_from_zero() {
    assert_eq!(count(b"0"), Some(0));
    assert_eq!(count(b"3.0"), Some(3));
    assert_eq!(count(b"18446744073709551615"), Some(u64::MAX));
    for text in ["18446744073709551616", "-1", "1.5", "", "x", " 1"] {
        assert_eq!(count(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn the_interpreter_alone_is_told_a_truth_a_count_and_how_many_parts() {
    assert_eq!(danger::branch(&value(b"true", 1)), Some(true));
    assert_eq!(danger::branch(&value(b"false", 1)), Some(false));
    assert_eq!(danger::branch(&value(b"hunter2", 1)), None);
    assert_eq!(danger::count(&value(b"12", 1)), Some(12));
    assert_eq!(danger::count(&value(b"hunter2", 1)), None);

    let list = value(b"one,two,", 1);
    let inputs = [Input::Sensitive(&list), Input::Public(b",")];
    let parts = danger::derive_all(&Split, &inputs, &labels(2)).unwrap();
    let texts: Vec<&[u8]> = parts.iter().map(Sensitive::bytes).collect();
    assert_eq!(texts, [&b"one"[..], b"two", b""]);
    let both: Labels = labels(1).union(&labels(2)).cloned().collect();
    assert!(parts.iter().all(|part| *part.labels() == both));
    let fault = danger::derive_all(&Split, &inputs[..1], &labels(2)).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Operands);
}

#[test]
fn a_tainted_value_is_the_same_with_more_labels() {
    let one = value(b"hunter2", 1);
    let tainted = one.tainted(&labels(2));
    assert_eq!(tainted.bytes().as_ptr(), one.bytes().as_ptr());
    assert_eq!(*one.labels(), labels(1));
    assert_eq!(tainted.labels().len(), 2);
    drop(one);
    assert_eq!(tainted.bytes(), b"hunter2");

    let typed = Sensitive::input(SecretBuf::copy_from(b"typed").unwrap());
    assert_eq!(*typed.tainted(&labels(3)).labels(), labels(3));
    assert!(typed.labels().is_empty());
}
