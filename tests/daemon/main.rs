//! The daemon from outside: the program as it is shipped, in homes that are thrown away.

mod agents;
mod callers;
mod custody;
mod full;
mod garbage;
mod kills;
mod presence;
mod same;
mod spawner;
mod starting;
mod terminal;
mod times;
mod together;
