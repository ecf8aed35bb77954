//! The operators' commands, `admin` with all it can do.
//!
//! Invariant: a new secret is printed once, where the answer goes, and kept
//! nowhere.

mod accounts;
mod import;
mod json;
mod machines;

use comfy_table::Row;
use proto::auth::v1::{ListAuditEventsRequest, admin_service_client::AdminServiceClient as Client};

use super::{
    failure::Failure,
    output::{self, Output},
    prompt::Answers,
    proof::{Given, proven},
    session::Session,
};
use crate::cli::{
    admin::{Admin, Audit},
    owner::Proof,
};

const PAGE_SIZE: u32 = 500;

/// `duet admin`
pub(crate) async fn run(
    session: &mut Session,
    proof: &Proof,
    command: &Admin,
    answers: &mut Answers<'_>,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let given = Given::by(proof, answers)?;
    let done = act(session, command, &given, answers, output).await;
    done.map_err(|failure| {
        failure.hint("SCOPE_MISSING", "Whoever was made one lately signs in again.")
    })
}

async fn act(
    session: &mut Session,
    command: &Admin,
    given: &Given,
    answers: &mut Answers<'_>,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    match command {
        // A file may go in several calls, and is read once. Whatever else is refused
        // has done nothing yet, and begins anew.
        Admin::Import { file } => import::import(session, file, given, answers, output).await,
        Admin::Users(args) => {
            proven(session, given, answers, async |session| {
                accounts::users(session, args, output).await
            })
            .await
        }
        Admin::Suspend { user, reason } => {
            proven(session, given, answers, async |session| {
                accounts::suspend(session, user, reason, output).await
            })
            .await
        }
        Admin::Reinstate { user } => {
            proven(session, given, answers, async |session| {
                accounts::reinstate(session, user, output).await
            })
            .await
        }
        Admin::ServiceAccounts { command } => {
            proven(session, given, answers, async |session| {
                machines::service_accounts(session, command.as_ref(), output).await
            })
            .await
        }
        Admin::Keys { command } => {
            proven(session, given, answers, async |session| {
                machines::keys(session, command, output).await
            })
            .await
        }
        Admin::Audit(args) => {
            proven(session, given, answers, async |session| audit(session, args, output).await)
                .await
        }
    }
}

/// `duet admin audit`
async fn audit(
    session: &mut Session,
    args: &Audit,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let Audit { user, limit } = args;
    let parent = match user {
        Some(user) => accounts::named(session, user).await?,
        None => String::new(),
    };
    let mut request = ListAuditEventsRequest { parent, ..Default::default() };
    let mut events = Vec::new();
    loop {
        request.page_size = page_size(*limit, events.len());
        let page = session
            .auth(request.clone(), async |channel, request| {
                Client::new(channel).list_audit_events(request).await
            })
            .await?;
        events.extend(page.events);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() || events.len() >= *limit as usize {
            break;
        }
    }
    let rows = events.iter().map(|event| {
        let mut details: Vec<_> =
            event.details.iter().map(|(name, value)| format!("{name}={value}")).collect();
        details.sort();
        Row::from([
            output::time(event.create_time.as_ref()),
            output::line(&event.kind),
            output::line(&event.actor),
            output::line(&format!("{} {}", event.address_prefix, event.device_label)),
            output::line(&details.join(" ")),
        ])
    });
    let text = output::table_breaking(4, &["When", "What", "Who", "From", ""], rows);
    let events: Vec<_> = events.into_iter().map(json::AuditEvent::from).collect();
    Ok(output.show(&serde_json::json!({ "events": events }), || text)?)
}

/// How many to ask for, if so many are wanted and so many are there.
fn page_size(limit: u32, there: usize) -> i32 {
    let left = usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(there);
    i32::try_from(left.min(PAGE_SIZE as usize)).unwrap_or(i32::MAX)
}
