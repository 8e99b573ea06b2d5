//! What holds for every operation and any input.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::{Fault, FaultKind, Operation, Split};
use super::{labels, value};
use crate::{Input, Labels, Sensitive, danger};

fn operation() -> impl Strategy<Value = Operation> {
    select(Operation::ALL)
}

/// Texts of every sort that operations tell apart, and bytes that are none.
fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => "-?[0-9]{1,4}(\\.[0-9]{1,4})?".prop_map(String::into_bytes),
        1 => "-?[0-9]{1,40}(\\.[0-9]{1,40})?".prop_map(String::into_bytes),
        2 => "true|false".prop_map(String::into_bytes),
        2 => "[ab ,ñ]{0,6}".prop_map(String::into_bytes),
        2 => any::<String>().prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 0..12),
    ]
}

/// Inputs, each with the label that it has as a value, if it is one.
fn inputs() -> impl Strategy<Value = Vec<(Vec<u8>, Option<u8>)>> {
    vec((text(), proptest::option::of(0_u8..4)), 0..5)
}

/// Runs an operation on a mixture of public texts and values.
fn mixed<T>(
    inputs: &[(Vec<u8>, Option<u8>)],
    run: impl FnOnce(&[Input<'_>]) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let values: Vec<Option<Sensitive>> = inputs
        .iter()
        .map(|(text, label)| label.map(|label| value(text, label)))
        .collect();
    let mixture: Vec<Input<'_>> = inputs
        .iter()
        .zip(&values)
        .map(|((text, _), value)| match value {
            Some(value) => Input::Sensitive(value),
            None => Input::Public(text),
        })
        .collect();
    run(&mixture)
}

fn union(inputs: &[(Vec<u8>, Option<u8>)], also: u8) -> Labels {
    let all = inputs.iter().filter_map(|(_, label)| *label);
    let each = all.chain([also]).map(labels);
    each.flat_map(|of| of.iter().cloned().collect::<Vec<_>>())
        .collect()
}

fn texts(inputs: &[(Vec<u8>, Option<u8>)]) -> Vec<&[u8]> {
    inputs.iter().map(|(text, _)| text.as_slice()).collect()
}

const DIGITS_27: i128 = 10_i128.pow(27);
const LONG: &str = "-?([0-9]{1,28}|[0-9]{1,14}\\.[0-9]{1,14}|0\\.[0-9]{20,28})";

/// A whole number with a dot before its last `places` digits.
fn decimal(number: i128, places: u32) -> String {
    let unit = 10_u128.pow(places);
    let sign = if number < 0 { "-" } else { "" };
    let (whole, rest) = (number.unsigned_abs() / unit, number.unsigned_abs() % unit);
    match places {
        0 => format!("{sign}{whole}"),
        places => format!("{sign}{whole}.{rest:0>width$}", width = places as usize),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3000) })]

    #[test]
    fn a_value_is_computed_as_a_public_text_is(operation in operation(), inputs in inputs()) {
        let public = operation.evaluate(&texts(&inputs));
        let derived = mixed(&inputs, |mixture| {
            Sensitive::derive_from(&operation, mixture, &labels(9))
        });
        match (public, derived) {
            (Ok(public), Ok(derived)) => {
                prop_assert_eq!(derived.bytes(), public);
                prop_assert_eq!(derived.labels(), &union(&inputs, 9));
            }
            (Err(public), Err(derived)) => prop_assert_eq!(public, derived),
            (public, derived) => prop_assert!(false, "{:?} {:?}", public, derived),
        }
    }

    #[test]
    fn a_value_is_split_as_a_public_text_is(text in text(), separator in text(), mask in 0_u8..4) {
        let public = Split.evaluate(&text, &separator).unwrap();
        let inputs = [
            (text.clone(), (mask & 1 > 0).then_some(1)),
            (separator.clone(), (mask & 2 > 0).then_some(2)),
        ];
        let derived = mixed(&inputs, |mixture| danger::derive_all(&Split, mixture, &labels(9)));
        let derived = derived.unwrap();
        let found: Vec<&[u8]> = derived.iter().map(Sensitive::bytes).collect();
        prop_assert_eq!(&found, &public);
        prop_assert!(derived.iter().all(|part| part.labels() == &union(&inputs, 9)));
        // Joining puts back what splitting took apart.
        let mut parts = vec![separator.as_slice()];
        parts.extend(&found);
        prop_assert_eq!(Operation::Join.evaluate(&parts).unwrap(), text);
    }

    #[test]
    fn valid_texts_make_valid_texts(operation in operation(), inputs in vec(any::<String>(), 1..4)) {
        let inputs: Vec<&[u8]> = inputs.iter().map(String::as_bytes).collect();
        if let Ok(result) = operation.evaluate(&inputs) {
            prop_assert!(String::from_utf8(result).is_ok());
        }
    }

    #[test]
    fn whatever_a_number_gives_is_in_its_one_form(operation in operation(), inputs in vec("-?[0-9]{1,9}(\\.[0-9]{1,9})?", 1..4)) {
        let inputs: Vec<&[u8]> = inputs.iter().map(String::as_bytes).collect();
        if operation.name().starts_with("math ")
            && let Ok(result) = operation.evaluate(&inputs)
        {
            prop_assert_eq!(Operation::Add.evaluate(&[&result]).unwrap(), result.clone());
            let text = String::from_utf8(result).unwrap();
            prop_assert!(text != "-0" && !text.contains('e'));
            prop_assert!(!text.contains('.') || !text.ends_with('0'));
        }
    }

    #[test]
    fn small_sums_are_those_of_integers(one in -1_000_000_000_i64..1_000_000_000, other in -1_000_000_000_i64..1_000_000_000) {
        let (a, b) = (one.to_string(), other.to_string());
        let run = |operation: Operation| {
            let result = operation.evaluate(&[a.as_bytes(), b.as_bytes()]).unwrap();
            String::from_utf8(result).unwrap()
        };
        prop_assert_eq!(run(Operation::Add), (one + other).to_string());
        prop_assert_eq!(run(Operation::Sub), (one - other).to_string());
        prop_assert_eq!(run(Operation::Mul), (one * other).to_string());
        prop_assert_eq!(run(Operation::Max), one.max(other).to_string());
        prop_assert_eq!(run(Operation::Less), (one < other).to_string());
        prop_assert_eq!(run(Operation::Is), (one == other).to_string());
        if other != 0 {
            prop_assert_eq!(run(Operation::Mod), (one % other).to_string());
        }
    }

    /// Sums and remainders of decimals, by integers that are wide enough.
    #[test]
    fn sums_and_remainders_are_exact(
        one in -DIGITS_27..DIGITS_27,
        other in -DIGITS_27..DIGITS_27,
        shift in 0_u32..18,
        places in 0_u32..18,
    ) {
        let other = other / 10_i128.pow(shift);
        let (a, b) = (decimal(one, places), decimal(other, places));
        let run = |operation: Operation| {
            let result = operation.evaluate(&[a.as_bytes(), b.as_bytes()]);
            result.map(|text| String::from_utf8(text).unwrap())
        };
        let canonical = |number: i128| {
            let text = decimal(number, places);
            let result = Operation::Round.evaluate(&[text.as_bytes(), b"28"]).unwrap();
            String::from_utf8(result).unwrap()
        };
        prop_assert_eq!(run(Operation::Add), Ok(canonical(one + other)));
        prop_assert_eq!(run(Operation::Sub), Ok(canonical(one - other)));
        if other != 0 {
            prop_assert_eq!(run(Operation::Mod), Ok(canonical(one % other)));
        }
    }

    /// Of numbers with all digits that there are, a sum is exact or refused.
    #[test]
    fn long_sums_are_never_rounded(one in LONG, other in LONG) {
        let run = |operation: Operation, one: &[u8], other: &[u8]| operation.evaluate(&[one, other]);
        let (one, other) = (one.as_bytes(), other.as_bytes());
        if let Ok(sum) = run(Operation::Add, one, other) {
            for (less, rest) in [(other, one), (one, other)] {
                let back = run(Operation::Sub, &sum, less).unwrap();
                prop_assert_eq!(back, Operation::Add.evaluate(&[rest]).unwrap());
            }
        }
    }

    #[test]
    fn slices_are_those_of_characters(text in any::<String>(), start in -9_i64..9, end in -9_i64..9) {
        let (from, to) = (start.to_string(), end.to_string());
        let found = Operation::Slice.evaluate(&[text.as_bytes(), from.as_bytes(), to.as_bytes()]);
        let characters: Vec<char> = text.chars().collect();
        let length = i64::try_from(characters.len()).unwrap();
        let place = |index: i64| if index < 0 { (length + index).max(0) } else { index.min(length) };
        let expected: String = (place(start)..place(end))
            .map(|at| characters[usize::try_from(at).unwrap()])
            .collect();
        prop_assert_eq!(String::from_utf8(found.unwrap()).unwrap(), expected);
    }

    /// No fault says anything of what it was given, public or not.
    #[test]
    fn faults_hold_no_input(operation in operation(), position in 0_usize..4, given in 0_usize..5, tail in "[0-9]{0,4}") {
        const CANARY: &str = "c4n4ry-51902";
        let long = "51902".repeat(20);
        for canary in [format!("{CANARY}{tail}"), format!("51902{tail}.5190251902"), long] {
            let inputs: Vec<(Vec<u8>, Option<u8>)> = (0..given)
                .map(|at| if at == position { canary.clone() } else { format!("5190{at}") })
                .enumerate()
                .map(|(at, text)| (text.into_bytes(), (at % 2 == 0).then_some(1)))
                .collect();
            let derived = mixed(&inputs, |mixture| {
                Sensitive::derive_from(&operation, mixture, &labels(9)).map(drop)
            });
            let parts = mixed(&inputs, |mixture| {
                danger::derive_all(&Split, mixture, &labels(9)).map(drop)
            });
            let public = operation.evaluate(&texts(&inputs)).map(drop);
            for fault in [derived, parts, public].into_iter().filter_map(Result::err) {
                let said = format!("{fault} {fault:?}");
                prop_assert!(!said.contains("c4n4ry") && !said.contains("5190"), "{}", said);
                let more = std::error::Error::source(&fault);
                prop_assert!(more.is_none());
            }
        }
    }
}

#[test]
fn faults_are_said_in_words_of_the_script() {
    for (operation, inputs, said) in [
        (
            Operation::Slice,
            &["a", "x"][..],
            "text slice needs a number",
        ),
        (Operation::Add, &["1", "x"], "math add needs a number"),
        (Operation::All, &["x"], "bool all needs 'true' or 'false'"),
        (Operation::Greater, &["x", "1"], "> needs a number"),
        (
            Operation::IntegerSum,
            &["x", "1"],
            "+ as integer needs a number",
        ),
        (
            Operation::Trim,
            &[],
            "text trim takes another number of values",
        ),
    ] {
        let inputs: Vec<&[u8]> = inputs.iter().map(|text| text.as_bytes()).collect();
        let fault = operation.evaluate(&inputs).unwrap_err();
        assert_eq!(fault.to_string(), said);
    }
    let memory = FaultKind::Memory.to_string();
    assert!(memory.contains("ulimit -l"), "{memory}");
}
