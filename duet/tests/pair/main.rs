//! The pair as a whole, as people and operators meet it: the program `duet`,
//! its embedded Postgres, both services, real sockets, real signals, and what
//! happens when a part of it dies.
#![cfg(test)]
#![expect(clippy::disallowed_methods, reason = "a test has no Config")]

mod client;
mod client_admin;
mod client_factors;
mod client_files;
mod client_known;
mod client_lists;
mod client_owner;
mod client_watch;
mod compose;
mod erasing;
mod faults;
mod grpc_web;
mod harness;
mod launcher;
mod page;
mod proxy;
mod readme;
mod rights;
mod rotation;
mod secrets;
mod storm;
mod third;
mod watching;
mod world;
