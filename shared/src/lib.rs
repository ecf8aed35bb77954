//! What both services must do the same way: one server stack, the shared
//! interceptor and its verifier, resource names, errors, database access,
//! configuration and telemetry. A third service needs only this crate.
//!
//! Nothing here knows a method, a table or a rule of one service.

pub mod call;
pub mod clock;
pub mod config;
pub mod database;
pub mod error;
pub mod interceptor;
pub mod jwk;
pub mod jws;
pub mod memory;
pub mod name;
pub mod page;
pub mod probe;
pub mod program;
pub mod rng;
pub mod secret;
pub mod server;
pub mod service_token;
pub mod stream;
pub mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
pub mod trust;
pub mod verify;
