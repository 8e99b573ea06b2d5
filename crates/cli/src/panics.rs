//! A panic says where, and nothing else: its message could hold what was being worked on.
#![allow(
    clippy::disallowed_methods,
    reason = "a panic is reported on standard error"
)]

use std::io::Write;
use std::panic;

/// Replaces the panic hook by one that shows no data.
pub(crate) fn install() {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(
            || "an unknown place".to_owned(),
            |location| format!("{}:{}", location.file(), location.line()),
        );
        // Nothing is to be done about a standard error that is gone.
        let _ = writeln!(
            std::io::stderr(),
            "subrosa: internal error at {place} (no data is shown); please report"
        );
    }));
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    const CANARY: &str = "canary-in-a-panic-8842";

    /// Started by the test below, in a process of its own: the hook is the process's.
    #[test]
    #[ignore = "panics on purpose"]
    fn a_panic() {
        super::install();
        let secret = std::hint::black_box(CANARY).to_owned();
        panic!("while working on {secret}");
    }

    #[test]
    fn row_03_a_panic_shows_where_and_no_data() {
        let program = std::env::current_exe().expect("a test knows its file");
        let done = Command::new(program)
            .args([
                "--exact",
                "panics::tests::a_panic",
                "--ignored",
                "--nocapture",
            ])
            .env("RUST_BACKTRACE", "full")
            .output()
            .expect("it starts");
        assert!(!done.status.success());
        let text = [done.stdout, done.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        assert!(!text.contains(CANARY), "{text}");
        assert!(
            text.contains("internal error at") && text.contains("panics.rs:"),
            "{text}"
        );
        println!("REDTEAM row=03 verdict=held why=a panic says where and shows no data");
    }
}
