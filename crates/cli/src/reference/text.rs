//! The closing text of a page of help, taken apart.

use clap::Command;

/// A part of it under a heading.
pub(super) struct Part {
    /// `Examples`; empty for text without a heading.
    pub(super) heading: String,
    /// Its lines, as they stand.
    pub(super) lines: Vec<String>,
}

impl Part {
    /// Whether its lines are to be typed, and stand as they are.
    pub(super) fn is_code(&self) -> bool {
        matches!(
            self.heading.as_str(),
            "Examples" | "Start here" | "A policy"
        )
    }
}

/// The parts of what stands behind the options in help.
pub(super) fn parts(command: &Command) -> Vec<Part> {
    let text = command.get_after_help().map(ToString::to_string);
    let mut parts: Vec<Part> = Vec::new();
    let part = |heading: &str| Part {
        heading: heading.to_owned(),
        lines: Vec::new(),
    };
    for line in text.unwrap_or_default().lines() {
        let flush = !line.starts_with(' ') && !line.is_empty();
        match line.strip_suffix(':').filter(|_| flush) {
            Some(heading) => parts.push(part(heading)),
            None => {
                // A sentence at the margin belongs to no heading.
                let outside = flush && parts.last().is_none_or(|last| !last.heading.is_empty());
                if outside {
                    parts.push(part(""));
                }
                if let Some(last) = parts.last_mut() {
                    last.lines.push(line.to_owned());
                }
            }
        }
    }
    for part in &mut parts {
        while part.lines.last().is_some_and(String::is_empty) {
            part.lines.pop();
        }
    }
    parts
}
