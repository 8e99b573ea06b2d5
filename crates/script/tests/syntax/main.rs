//! Scripts as their authors write them: what parses, what is told, how it is laid out.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "tests own their effects"
)]

mod errors;
mod layout;
mod limits;
mod properties;
mod secrecy;
mod support;
mod table;

/// A seed that does not parse would try nothing.
#[test]
fn what_the_fuzzer_begins_with_parses() {
    let folder =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/script_run");
    let seeds = std::fs::read_dir(folder).expect("the seeds");
    let mut count = 0;
    for seed in seeds {
        let path = seed.expect("a seed").path();
        let text = std::fs::read(&path).expect("read");
        let parsed = subrosa_script::syntax::parse(subrosa_script::syntax::Source::from_bytes(
            "seed.sky", &text,
        ));
        assert!(parsed.is_ok(), "{} does not parse", path.display());
        count += 1;
    }
    assert!(count > 20, "{count}");
}
