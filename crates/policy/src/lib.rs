//! The decision point: may this caller use these secrets through this sink?
//!
//! A [`Policy`] is a parsed document (`spec/policy.md`), and [`Policy::decide`] answers a
//! [`UseRequest`](subrosa_model::UseRequest) with a [`Decision`].
//!
//! - **Pure.** Time, names and paths arrive in the request; nothing here reads a clock, a file or
//!   the network.
//! - **Total.** Every request has an answer, and whatever is not understood is denied. The default
//!   of every type that decides is *deny*.
//! - **Named.** Every answer names the part of the policy that made it.
//! - Values are never seen here: a request holds names.
//!
//! ```
//! use subrosa_policy::Policy;
//!
//! let policy = Policy::parse(
//!     r#"
//! version: 1
//! allowed_commands: [aws, kubectl]        # placeholders only
//! denied_commands: [rm, mkfs]
//! rules:
//!   - allow: run                          # what is always denied, allowed as exactly this line
//!     command: sh
//!     args: ["-c", "echo $API_KEY"]
//!     secrets: ["api/key"]
//!     inject: env
//!   - deny: run
//!     command: git
//!     args: ["push", "--force", "**"]
//! tests:
//!   - expect: allow
//!     command: sh
//!     args: ["-c", "echo $API_KEY"]
//!     secrets: ["api/key"]
//!     inject: env
//!   - expect: deny
//!     command: sh
//!     args: ["-c", "env"]
//!     secrets: ["api/key"]
//! "#,
//! )?;
//! assert!(policy.run_tests().iter().all(|test| test.passed));
//!
//! let wrong = Policy::parse("version: 1\nallowed_comands: [aws]\n").unwrap_err();
//! assert_eq!(
//!     wrong.to_string(),
//!     "line 2, column 1: `allowed_comands` is no key of a policy; did you mean `allowed_commands`?"
//! );
//! # Ok::<(), subrosa_policy::PolicyError>(())
//! ```
#![forbid(unsafe_code)]

mod agents;
mod always;
mod builtin;
mod canonical;
mod case;
mod command;
mod compare;
mod decide;
mod decision;
mod document;
mod error;
mod escapes;
mod fields;
mod glob;
mod lint;
mod matching;
mod node;
mod pattern;
mod policy;
mod procfs;
mod quantity;
mod remedy;
mod rule;

pub use agents::{Agent, REACH_LISTS, Reach};
pub use always::AlwaysDenied;
pub use case::TestResult;
pub use command::CommandName;
pub use compare::{Change, DiffLine};
pub use decision::{Decision, Explanation, Step};
pub use error::{PolicyError, closest};
pub use glob::Glob;
pub use lint::Warning;
pub use pattern::{ArgPattern, SecretPattern};
pub use policy::Policy;
pub use rule::{Ask, Effect, Rule, RuleRef};
