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
