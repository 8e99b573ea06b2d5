//! The pages of the reference, made from the definition of the command line and from the table of
//! errors: what they say is what the program does.

mod cli;
mod errors;
pub(crate) mod man;
mod text;

use std::collections::BTreeMap;

use clap::Command;

/// Goes on top of every Markdown page.
const MADE: &str = "<!-- Made by `cargo xtask docs`; change the program, not this page. -->\n\n";

/// The whole command line, built: every command knows its full name and its global options.
pub(crate) fn whole() -> Command {
    let mut root = crate::args::command().disable_help_subcommand(true);
    root.build();
    root
}

/// All pages, by their path under `docs/reference`.
pub(crate) fn pages() -> BTreeMap<String, String> {
    let root = whole();
    let mut pages = BTreeMap::new();
    each(&root, &mut |command| {
        let name = command.get_display_name().unwrap_or("subrosa");
        pages.insert(format!("man/{name}.1"), man::page(command));
    });
    pages.insert("cli.md".to_owned(), format!("{MADE}{}", cli::page(&root)));
    pages.insert("errors.md".to_owned(), format!("{MADE}{}", errors::page()));
    pages
}

/// Every command that is shown, each before those under it.
fn each<'a>(command: &'a Command, does: &mut dyn FnMut(&'a Command)) {
    does(command);
    for one in shown(command) {
        each(one, does);
    }
}

/// The commands right under one.
fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|one| !one.is_hide_set())
}

/// Text for a cell of a table.
fn text_cell(text: &str) -> String {
    cli::escape(text)
}

#[cfg(test)]
mod tests;
