//! Diagnostics under `--debug`. They name commands, folders and times, never a value.
#![allow(
    clippy::disallowed_methods,
    reason = "diagnostics go to standard error"
)]

use tracing_subscriber::EnvFilter;

/// Sends diagnostics to standard error.
pub(crate) fn install() {
    let filter = EnvFilter::new("subrosa=trace");
    // A second subscriber would be a fault of ours, and no reason to stop.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr as fn() -> std::io::Stderr)
        .with_ansi(false)
        .try_init();
}
