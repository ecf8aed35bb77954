//! The commands about the whole of an account: `activity`, `export --account`,
//! `delete-account` and `deletion`.
//!
//! Invariant: nothing is deleted without the e-mail address of the account typed
//! in for it.

use std::{
    cell::Cell,
    io::{Read, Write},
};

use comfy_table::Row;
use proto::auth::v1::{
    Activity as Happened, DeleteUserRequest, ExportUserRequest, ExportUserResponse,
    GetDeletionReceiptRequest, ListActivityRequest, account_service_client::AccountServiceClient,
    auth_service_client::AuthServiceClient,
};
use serde_json::json;
use tonic::{Code, Status, Streaming};

use super::{
    connection::Connection,
    failure::{Failure, is_refused},
    id, json,
    output::{self, Output},
    prompt::{Answers, line_of},
    proof::{Given, proven},
    session::{self, Session},
};
use crate::cli::{
    Options,
    owner::{Activity, DeleteAccount, Deletion, Proof},
};

/// The most that a page has.
const PAGE_SIZE: u32 = 500;

const MAY_BE_GONE: &str = "Your account may be deleted already; then its receipt is in your mail.";

/// `duet activity`
pub(crate) async fn activity(
    session: &mut Session,
    args: &Activity,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let activities = newest(session, args.limit).await?;
    let rows = activities.iter().map(|activity| {
        Row::from([
            output::time(activity.create_time.as_ref()),
            output::line(&activity.kind),
            output::line(&activity.address_prefix),
            output::line(&activity.device_label),
            match activity.session.as_str() {
                "" => String::new(),
                name => output::line(&id::short(name)),
            },
        ])
    });
    let table = output::table(&["When", "What", "From", "Client", "Session"], rows);
    let activities: Vec<_> = activities.into_iter().map(json::Activity::from).collect();
    Ok(output.show(&json!({ "activities": activities }), || table)?)
}

async fn newest(session: &mut Session, limit: u32) -> Result<Vec<Happened>, Failure> {
    let mut activities = Vec::new();
    let mut request = ListActivityRequest::default();
    loop {
        let read = u32::try_from(activities.len()).unwrap_or(limit);
        let more = limit.saturating_sub(read).min(PAGE_SIZE);
        request.page_size = i32::try_from(more).unwrap_or_default();
        let page = session
            .auth(request.clone(), async |channel, request| {
                AccountServiceClient::new(channel).list_activity(request).await
            })
            .await?;
        activities.extend(page.activities);
        if page.next_page_token.is_empty() || activities.len() >= limit as usize {
            return Ok(activities);
        }
        request.page_token = page.next_page_token;
    }
}

/// What `duet export --account` writes.
pub(crate) async fn export(
    session: &mut Session,
    proof: &Proof,
    answers: &mut Answers<'_>,
) -> Result<Streaming<ExportUserResponse>, Failure> {
    let given = Given::by(proof, answers)?;
    proven(session, &given, answers, async |session| {
        session
            .auth_stream(ExportUserRequest::default(), async |channel, request| {
                AccountServiceClient::new(channel).export_user(request).await
            })
            .await
    })
    .await
}

/// `duet delete-account`
pub(crate) async fn delete(
    mut session: Session,
    args: &DeleteAccount,
    answers: &mut Answers<'_>,
    errors: &mut dyn Write,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let email = match &args.email {
        Some(email) => email.clone(),
        None => typed(session.email(), answers.input, errors)?,
    };
    let given = Given::by(&args.proof, answers)?;
    let request_id = session::request_id();
    let request = DeleteUserRequest { name: String::new(), email, request_id };
    // Asked again after an answer that was lost, the service finds no session.
    let lost = Cell::new(false);
    let answer = proven(&mut session, &given, answers, async |session| {
        session
            .auth(request.clone(), async |channel, request| {
                let answer = AccountServiceClient::new(channel).delete_user(request).await;
                lost.set(lost.get() || answer.as_ref().is_err_and(is_lost));
                answer
            })
            .await
    })
    .await
    .map_err(|failure| {
        // Nobody ever said what became of it, or there is no session to ask with any more.
        let unsaid = matches!(failure.code(), Some(Code::Unavailable | Code::DeadlineExceeded));
        let ended = failure.reason() == Some("SESSION_REVOKED");
        failure.hint_if(lost.get() && (unsaid || ended), MAY_BE_GONE)
    })?;
    let receipt = answer.receipt_token;
    let text = format!(
        "The account is deleted. See what became of it with\n  duet deletion {}{}",
        output::line(&receipt),
        session.auth_flag()
    );
    output.show(&json!({ "receiptToken": receipt }), || text)?;
    session.forget().await
}

/// Whether a call may have been done, though nobody said so.
fn is_lost(status: &Status) -> bool {
    // Two of them as tonic calls a broken connection, or an answer that is late.
    let unsaid = matches!(
        status.code(),
        Code::Unavailable | Code::DeadlineExceeded | Code::Unknown | Code::Cancelled
    );
    unsaid && !is_refused(status)
}

/// Asks for the address of the account that is to be deleted.
fn typed(email: &str, input: &mut dyn Read, errors: &mut dyn Write) -> Result<String, Failure> {
    let email = output::line(email);
    write!(
        errors,
        "This deletes the account of {email} and everything in it, for good.\n\
         Type its e-mail address to go on: "
    )?;
    errors.flush()?;
    let typed =
        line_of(input).map_err(|error| Failure::usage(format!("Nothing can be read: {error}.")))?;
    match typed.as_ref().map_or("", |typed| typed.expose().trim()) {
        "" => Err(Failure::usage("Nothing was deleted: no e-mail address was given.")),
        typed => Ok(typed.to_owned()),
    }
}

/// `duet deletion`
pub(crate) async fn deletion(
    options: &Options,
    args: &Deletion,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let request = GetDeletionReceiptRequest { receipt_token: args.receipt.clone() };
    let answer = Connection::new(session::auth_url(options))?
        .call_again(&request, None, &async |channel, request| {
            AuthServiceClient::new(channel).get_deletion_receipt(request).await
        })
        .await?;
    let rows = answer.erasures.iter().map(|erasure| {
        let when = match (erasure.erase_time.as_ref(), erasure.close_time.as_ref()) {
            (Some(time), _) => output::time(Some(time)),
            (None, time @ Some(_)) => format!("not confirmed; given up {}", output::time(time)),
            (None, None) => "not yet".to_owned(),
        };
        Row::from([output::line(&erasure.service), when])
    });
    let mut text = format!("Deleted on {}.", output::time(answer.delete_time.as_ref()));
    if !answer.erasures.is_empty() {
        text += &format!("\n\n{}", output::table(&["Service", "Erased"], rows));
    }
    if !answer.receipt.is_empty() {
        text += &format!("\n\nSigned statement:\n{}", output::line(&answer.receipt));
    }
    Ok(output.show(&json::Deletion::from(answer), || text)?)
}
