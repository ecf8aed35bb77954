//! No secret is anywhere but with whom it belongs. A pair does everything that
//! brings secrets into the world, and then all that it left is looked through:
//! tables, files and statements of Postgres, logs, environments, command lines,
//! the repository.
//!
//! Not looked through is where a secret belongs: the files of keys, and the
//! folder that mails are put into. A mail's token lies in the outbox, sealed to
//! that mail, until it is sent; in clear it is in the mail alone.

mod authenticator;
mod grounds;
mod hunt;
mod script;

use self::{
    grounds::Grounds,
    hunt::{Hunt, Place},
    script::Script,
};
use crate::harness::PASSWORD;

/// Every kind of secret, in every place; and in every place a canary, which is
/// no secret and has to be found.
#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_where_it_does_not_belong() {
    let grounds = Grounds::new().await;
    let mut hunt = Hunt::default();
    Script::new(&grounds, &mut hunt).run().await;
    hunt.known("the password of the other tests", PASSWORD, &[Place::Repository]);
    grounds.keep_own(&mut hunt).await;
    assert!(hunt.len() > 100, "{}", hunt.len());
    grounds.search(&mut hunt).await;
    grounds.end(&mut hunt).await;
    assert_eq!(hunt.faults(), Vec::<String>::new());
}

/// Nothing that looks like a secret is committed but the key of a test.
#[test]
fn nothing_in_the_repository_looks_like_a_secret() {
    let found = grounds::files().filter(|(_, bytes)| hunt::looks_secret(bytes));
    let found: Vec<String> = found.map(|(name, _)| name).collect();
    assert_eq!(found, ["shared/tests/server/tls/key.pem"]);
}
