//! The pair in one program, and its client. `cli` is the command line, `up`
//! runs everything, `client` speaks to whatever runs; `main.rs` only starts them.

pub mod cli;
pub mod client;
pub mod up;
