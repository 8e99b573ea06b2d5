//! What a command writes, as whoever had it run sees it: by the operator with and without the
//! daemon, and by an agent. The values are written by real programs in the ways of the red-team
//! rows.

mod files;
mod forms;
mod guesses;
mod house;
mod packed;
mod prefixes;
mod split;
