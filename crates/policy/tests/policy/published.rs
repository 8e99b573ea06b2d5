//! What is published in spec/policy.md is what the program does.

use subrosa_policy::{AlwaysDenied, Policy};

const SPEC: &str = include_str!("../../../../spec/policy.md");

/// The words between backticks of the table row that begins with this cell.
fn row(first: &str) -> Vec<&'static str> {
    let start = format!("| {first} |");
    let line = SPEC
        .lines()
        .find(|line| line.starts_with(&start))
        .unwrap_or_else(|| panic!("{first}"));
    line[start.len()..].split('`').skip(1).step_by(2).collect()
}

#[test]
fn the_lists_of_what_is_always_denied() {
    for (class, first) in [
        (AlwaysDenied::Environment, "environment"),
        (AlwaysDenied::Shell, "shell"),
        (AlwaysDenied::Interpreter, "interpreter"),
        (AlwaysDenied::Wrapper, "wrapper"),
        (AlwaysDenied::Debugger, "debugger"),
        (AlwaysDenied::MultiCall, "multi-call"),
        (AlwaysDenied::Loader, "loader"),
    ] {
        assert_eq!(row(first), class.names(), "{first}");
    }
}

#[test]
fn every_example_is_a_policy_whose_tests_pass() {
    let mut examples = 0;
    for block in SPEC.split("```yaml\n").skip(1) {
        let (text, _) = block.split_once("```").expect("an end");
        let policy = Policy::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        for result in policy.run_tests() {
            assert!(result.passed, "{}: {}", result.name, result.message);
        }
        examples += 1;
    }
    assert!(examples >= 3, "{examples} examples");
}
