//! `cargo xtask`: test, tidy, mutants, fuzz and bench for the whole project.
//!
//! Depends on none of the rooms, so that it builds in seconds on a fresh clone. It is a tool for
//! developers and CI: nothing of it is shipped.

#![forbid(unsafe_code)]

mod bench;
mod docs;
mod fuzz;
mod house;
mod junit;
mod mutants;
mod redteam;
mod shell;
mod table;
mod tally;
mod test;
mod tidy;
mod tools;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::house::House;

const HELP: &str = "\
Usage: cargo xtask COMMAND

  test [--quick] [--redteam] [--advisories] [--only STAGE,…]
                         install what the tests need, run everything, print a summary
                           --quick       format, lints, tidy, tests and doc tests only
                           --redteam     only the red-team rows: prints the table of verdicts
                           --advisories  also ask the RustSec database (needs a network)
                           --only        only these stages (names as in the summary)
  tidy                   compare the tree with ARCHITECTURE.md and the house rules
  mutants [ROW…]         remove each defence by its patch: the row's tests must fail
  mutants --check        only see that every patch applies and every due row has one
  docs [--check]         write docs/reference from the program; or only say what differs
  fuzz [--seconds N] [TARGET…]
                         fuzz every target (60 s each unless told)
  bench NAME [ARG…]      build and run bench/'s program bench-NAME
  tools                  install or name what the tests need, nothing else
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Runs one command; `false` when it ran and found something wrong.
fn dispatch(args: &[String]) -> Result<bool> {
    let Some((command, rest)) = args.split_first() else {
        bail!("a command is missing\n\n{HELP}");
    };
    let house = || House::find();
    match command.as_str() {
        "test" => test::command(&house()?, rest),
        "tidy" => tidy::command(&house()?, rest),
        "mutants" => mutants::command(&house()?, rest),
        "docs" => docs::command(&house()?, rest),
        "fuzz" => fuzz::command(&house()?, rest),
        "bench" => bench::command(&house()?, rest),
        "tools" => Ok(tools::provide(&house()?)?.missing.is_empty()),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(true)
        }
        other => bail!("no command `{other}`\n\n{HELP}"),
    }
}
