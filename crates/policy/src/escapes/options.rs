//! How option parsers read long options and bundles of letters.

/// Whether an argument is a long option or an abbreviation of it.
///
/// An abbreviation may be meant for another option; it counts all the same. What is spelled exactly as
/// a harmless option is that option: parsers prefer the exact name.
pub(super) fn is_long(argument: &str, option: &str, harmless: &[&str]) -> bool {
    let name = argument.split('=').next().unwrap_or(argument);
    name.len() > 2
        && name.starts_with("--")
        && option.starts_with(name)
        && !harmless.contains(&name)
}

/// How a command reads arguments with one dash.
#[derive(Clone, Copy)]
pub(super) struct Letters<'a> {
    /// Letters whose value is the rest of the argument.
    pub(super) valued: &'a str,
    /// Whether the first argument is a bundle even without a dash. In such a bundle values are the
    /// arguments behind it, so no letter ends it.
    pub(super) old_style: bool,
}

impl Letters<'_> {
    /// Whether the letter of `option` (`-x`) is given in any argument.
    ///
    /// An argument that is the value of the one before it is read as options too.
    pub(super) fn contain(self, arguments: &[String], option: &str) -> bool {
        let letter = option.trim_start_matches('-');
        let first = arguments.first().filter(|_| self.old_style);
        if first.is_some_and(|first| !first.starts_with('-') && first.contains(letter)) {
            return true;
        }
        arguments
            .iter()
            .filter_map(|argument| argument.strip_prefix('-'))
            .filter(|letters| !letters.starts_with('-'))
            .any(|letters| {
                let end = letters
                    .find(|c| self.valued.contains(c))
                    .unwrap_or(letters.len());
                letters[..end].contains(letter)
            })
    }
}
