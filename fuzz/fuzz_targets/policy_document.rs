//! Policies: what parses is written as a policy that allows the same, and linting never fails.

#![no_main]

use libfuzzer_sys::fuzz_target;
use subrosa_policy::Policy;

fuzz_target!(|text: &str| {
    let Ok(policy) = Policy::parse(text) else {
        return;
    };
    let written = policy.to_yaml();
    let again = match Policy::parse(&written) {
        Ok(again) => again,
        Err(error) => panic!("its own writing does not parse: {error}\n{written}"),
    };
    assert_eq!(again.to_yaml(), written, "written twice, it differs");
    assert!(
        policy.diff(&again).is_empty(),
        "writing changed it:\n{written}"
    );
    assert!(!policy.loosens(&again) && !again.loosens(&policy));
    assert_eq!(policy.run_tests().len(), again.run_tests().len());
    let _ = policy.warnings();
});
