//! What must be true of task-service for those who use it, proven through real
//! sockets, on a real Postgres, with the rights that the service has. Tests
//! name the requirements they prove.

#![expect(clippy::expect_used, clippy::panic, reason = "this is how a test fails")]

mod app;
mod authentication;
mod bad_input;
mod batch;
mod beginning;
mod completing;
mod crowd;
mod database;
mod delegated;
mod ends;
mod erasure;
mod explain;
mod filter;
mod filter_random;
mod hostile;
mod isolation;
mod list_calls;
mod lists;
mod lists_bad_input;
mod lists_moving;
mod masks;
mod matrix;
mod mirror;
mod moving;
mod orders;
mod paging;
mod plans;
mod races;
mod raw;
mod recurring;
mod repeating;
mod replica;
mod replicas;
mod revoked;
mod rights;
mod rows;
mod services;
mod soak;
mod stale;
mod start;
mod statements;
mod sweeping;
mod sync;
mod tasks;
mod transfer;
mod tree;
mod undeleting;
mod usage;
mod user_calls;
mod watch;
