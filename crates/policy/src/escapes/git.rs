//! Where the subcommand stands in the arguments of git.

/// Options before the subcommand that take no value, or only one behind `=`.
const FLAGS: &[&str] = &[
    "-p",
    "--paginate",
    "-P",
    "--no-pager",
    "--bare",
    "--no-replace-objects",
    "--no-lazy-fetch",
    "--no-optional-locks",
    "--no-advice",
    "--literal-pathspecs",
    "--no-literal-pathspecs",
    "--glob-pathspecs",
    "--noglob-pathspecs",
    "--icase-pathspecs",
];

/// Options before the subcommand whose value is the next argument.
const VALUED: &[&str] = &["-C", "-c", "--git-dir", "--work-tree", "--namespace"];

/// The places where the subcommand may stand. The next argument after an unknown option may be its
/// value or not, and both are followed.
fn places(arguments: &[String]) -> Vec<usize> {
    let mut places = Vec::new();
    // Whether git may be looking for an option or the subcommand at this argument, and at the next.
    let (mut here, mut next) = (true, false);
    for (index, argument) in arguments.iter().enumerate() {
        let mut after_next = false;
        if here {
            if !argument.starts_with('-') {
                places.push(index);
            } else if VALUED.contains(&argument.as_str()) {
                after_next = true;
            } else {
                next = true;
                after_next = !argument.contains('=') && !FLAGS.contains(&argument.as_str());
            }
        }
        (here, next) = (next, after_next);
    }
    places
}

/// Everything before the last place where the subcommand may stand.
pub(super) fn leading(arguments: &[String]) -> &[String] {
    let end = places(arguments).last().copied();
    &arguments[..end.unwrap_or(arguments.len())]
}

/// What follows a subcommand, where it may be the subcommand that is given.
pub(super) fn after<'a>(arguments: &'a [String], subcommand: &str) -> Option<&'a [String]> {
    let place = places(arguments)
        .into_iter()
        .find(|place| arguments[*place] == subcommand)?;
    Some(&arguments[place + 1..])
}
