//! Scripts: what parses is laid out as a script that says the same, twice the same; what does not
//! is told without panicking.

#![no_main]

use libfuzzer_sys::fuzz_target;
use subrosa_script::syntax::{self, Source};

fuzz_target!(|bytes: &[u8]| {
    let source = Source::from_bytes("fuzz.sky", bytes);
    let script = match syntax::parse(source.clone()) {
        Ok(script) => script,
        Err(errors) => {
            assert!(!errors.diagnostics.is_empty(), "refused without a reason");
            assert!(!errors.render().is_empty());
            let _ = errors.to_string();
            return;
        }
    };
    let laid = syntax::format(source).expect("it parses");
    let again = match syntax::parse(Source::new("fuzz.sky", &laid)) {
        Ok(again) => again,
        // Blanks for the blocks make a text longer, and that has a bound.
        Err(_) if laid.len() > syntax::MAX_SCRIPT => return,
        Err(errors) => panic!("its own layout does not parse:\n{}", errors.render()),
    };
    assert!(script == again, "the layout says something else:\n{laid}");
    let twice = syntax::format(Source::new("fuzz.sky", &laid)).expect("it parses");
    assert_eq!(twice, laid, "laid out twice, it differs");
});
