//! Sealing the secrets of second factors anew after an exchange of the
//! key-encryption key. They live as long as an account does, longer than an
//! operator wants to keep the key before.
//!
//! Invariant: a secret that changed meanwhile is left as it is.

use shared::database::{Database, Repeat};
use uuid::Uuid;

use crate::{error::Error, factors::label, sealing::Sealer};

/// How many secrets one look at the database takes.
const PAGE: i64 = 500;

/// Seals every secret anew that is sealed under another key-encryption key than
/// the current one, so that the other one can be forgotten; tells how many.
///
/// # Errors
/// Those of the database.
pub async fn reseal(database: &Database, sealer: &Sealer) -> Result<usize, Error> {
    let (mut after_user, mut after, mut resealed) = (Uuid::nil(), Uuid::nil(), 0);
    loop {
        let page = database.call(Repeat::Safe, |mut connection| async move {
            sqlx::query!(
                r#"select user_id as "user_id!", id as "id!", sealed_secret as "sealed!"
                from api.sealed_factors($1, $2, $3)"#,
                after_user,
                after,
                PAGE
            )
            .fetch_all(&mut *connection)
            .await
        });
        let page = page.await?;
        let Some(last) = page.last() else { return Ok(resealed) };
        (after_user, after) = (last.user_id, last.id);
        for factor in &page {
            let Some(anew) = sealer.reseal(&label(factor.user_id, factor.id), &factor.sealed)
            else {
                continue;
            };
            let anew = &anew;
            let replaced = database.call(Repeat::Safe, |mut connection| async move {
                sqlx::query!(
                    "select api.reseal_factor($1, $2, $3, $4)",
                    factor.user_id,
                    factor.id,
                    factor.sealed,
                    anew
                )
                .fetch_one(&mut *connection)
                .await
            });
            replaced.await?;
            resealed += 1;
        }
    }
}
