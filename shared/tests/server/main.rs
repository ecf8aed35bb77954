//! The server stack, seen from outside over real sockets. Time limits under
//! test are short; nothing else waits for a time.
#![cfg(test)]

mod brittle;
mod calls;
mod connections;
mod drain;
mod harness;
mod issuer;
mod log;
mod operations;
mod web;
