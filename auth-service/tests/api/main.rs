//! auth-service from the outside: real sockets, a real Postgres, the role of
//! the service, a clock moved by hand. Tests say what must be true for whom and
//! name the requirement they prove.
#![cfg(test)]

mod abuse;
mod accounts;
mod admin;
mod assertions;
mod audit;
mod authenticator;
mod cookies;
mod counted;
mod deletion;
mod devices;
mod erasing;
mod exchange;
mod explain;
mod export;
mod factors;
mod forgetting;
mod harness;
mod hostile;
mod import;
mod inside;
mod isolation;
mod keys;
mod machine;
mod mail;
mod notices;
mod operators;
mod overtaken;
mod owner;
mod passkeys;
mod program;
mod races;
mod reauthenticating;
mod recovery;
mod refreshes;
mod replicas;
mod rights;
mod second_step;
mod service_identity;
mod service_tokens;
mod services;
mod sessions;
mod sign_in;
mod sign_up;
mod smtp;
mod soak;
mod takeover;
mod tokens;
mod trust;
mod trust_keys;
mod trust_outages;
mod waiting;
