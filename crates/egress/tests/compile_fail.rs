//! Each promise of the gate is held by the compiler: what would break it does not compile.

#[test]
fn what_would_break_a_promise_does_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/compile_pass/*.rs");
    cases.compile_fail("tests/compile_fail/*.rs");
}
