//! Results are bounded, and time grows with the inputs alone: what is quadratic here takes hours.

use super::super::{FaultKind, Operation, PARTS_LIMIT, PUBLIC_LIMIT, SENSITIVE_LIMIT, Split};
use super::value;
use crate::{Input, Labels, Sensitive, danger};

fn derive(operation: Operation, inputs: &[Input<'_>]) -> Result<Sensitive, FaultKind> {
    Sensitive::derive_from(&operation, inputs, &Labels::new()).map_err(|fault| fault.kind)
}

#[test]
fn a_public_result_ends_at_its_limit() {
    let limit = PUBLIC_LIMIT;
    let whole = vec![b'a'; limit];
    let made = Operation::Concat.evaluate(&[&whole, b""]).unwrap();
    assert_eq!(made.len(), limit);
    let too_long = Err(FaultKind::TooLong { limit });
    let run = |operation: Operation, inputs: &[&[u8]]| {
        let outcome = operation.evaluate(inputs);
        outcome.map(|made| made.len()).map_err(|fault| fault.kind)
    };
    assert_eq!(run(Operation::Concat, &[&whole, b"a"]), too_long);
    assert_eq!(run(Operation::Join, &[&whole, b"", b"", b""]), too_long);
    let half = &whole[..limit / 2];
    assert_eq!(run(Operation::Replace, &[half, b"a", half]), too_long);
    let (eight, sixteen) = (&half[..8], &half[..16]);
    assert_eq!(run(Operation::Replace, &[half, eight, sixteen]), Ok(limit));
}

#[test]
fn a_value_ends_at_its_limit_and_before_memory_is_taken() {
    let limit = SENSITIVE_LIMIT;
    let too_long = FaultKind::TooLong { limit };
    let half = value(&vec![b'a'; limit / 2], 1);
    let half = Input::Sensitive(&half);
    let whole = derive(Operation::Concat, &[half, half]).unwrap();
    assert_eq!(whole.bytes().len(), limit);
    for (operation, inputs) in [
        (Operation::Concat, &[half, half, Input::Public(b"a")][..]),
        (Operation::Join, &[half, half, half]),
        (Operation::Replace, &[half, Input::Public(b"a"), half]),
    ] {
        assert_eq!(derive(operation, inputs).unwrap_err(), too_long);
    }
    let grows = "ŉ".repeat(limit / 2);
    let upper = derive(Operation::Upper, &[Input::Public(grows.as_bytes())]);
    assert_eq!(upper.unwrap_err(), too_long);
    let public = vec![b'a'; PUBLIC_LIMIT];
    let small = value(b"s", 1);
    let inputs = [Input::Public(&public), Input::Sensitive(&small)];
    assert_eq!(derive(Operation::Concat, &inputs).unwrap_err(), too_long);
}

#[test]
fn parts_are_counted() {
    let limit = PARTS_LIMIT;
    let text = vec![b','; limit];
    let inputs = |length: usize| [text[..length].to_vec(), b",".to_vec()];
    let [most, separator] = inputs(limit - 1);
    assert_eq!(Split.evaluate(&most, &separator).unwrap().len(), limit);
    let fault = Split.evaluate(&text, &separator).unwrap_err();
    assert_eq!(fault.kind, FaultKind::TooMany { limit });
    let value = value(&text, 1);
    let inputs = [Input::Sensitive(&value), Input::Public(b"")];
    let parts = danger::derive_all(&Split, &inputs, &Labels::new()).unwrap();
    assert_eq!(parts.len(), limit);
    let inputs = [Input::Sensitive(&value), Input::Public(b",")];
    let fault = danger::derive_all(&Split, &inputs, &Labels::new()).unwrap_err();
    assert_eq!(fault.kind, FaultKind::TooMany { limit });
}

#[test]
fn time_grows_with_the_inputs() {
    let size = SENSITIVE_LIMIT / 4;
    let same = vec![b'a'; size];
    let blank = vec![b' '; size];
    let digits = vec![b'1'; size];
    let broken = vec![0xff; size];
    // Needles that nearly match everywhere.
    let mut late = vec![b'a'; size / 2];
    late.push(b'b');
    let mut early = vec![b'b'];
    early.extend_from_slice(&same[..size / 2]);
    for text in [&same, &blank, &digits, &broken] {
        for operation in Operation::ALL {
            let most = *operation.operands().end();
            let needles = [&late[..], &early, text, b"-1"];
            for needle in &needles[..if most == 1 { 1 } else { 4 }] {
                let inputs = [text.as_slice(), needle, needle];
                let inputs = &inputs[..most.min(3)];
                let public = operation.evaluate(inputs);
                let mixture: Vec<Input<'_>> = inputs.iter().map(|i| Input::Public(i)).collect();
                let derived = derive(*operation, &mixture);
                if let (Ok(public), Ok(derived)) = (public, derived) {
                    assert!(derived.bytes() == public, "{operation:?}");
                }
            }
        }
        let parts = Split.evaluate(text, &late).unwrap();
        assert_eq!(parts.len(), 1);
    }
}

#[test]
fn many_operands_are_taken_at_once() {
    let ones = vec![&b"1"[..]; 100_000];
    assert_eq!(Operation::Add.evaluate(&ones).unwrap(), b"100000");
    assert_eq!(Operation::Concat.evaluate(&ones).unwrap().len(), 100_000);
    let truths = vec![&b"true"[..]; 100_000];
    assert_eq!(Operation::All.evaluate(&truths).unwrap(), b"true");
}
