//! The operators' commands, `admin` with all it can do.
//!
//! Invariant: a new secret is printed once, where the answer goes, and kept
//! nowhere.

mod accounts;
mod import;
mod json;
mod machines;

use std::io::Read;

use comfy_table::Row;
use proto::auth::v1::{ListAuditEventsRequest, admin_service_client::AdminServiceClient as Client};

use super::{
    failure::Failure,
    output::{self, Output},
    session::Session,
};
use crate::cli::admin::{Admin, Audit};

const PAGE_SIZE: u32 = 500;

/// `duet admin`
pub(crate) async fn run(
    session: &mut Session,
    command: &Admin,
    input: &mut dyn Read,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let done = match command {
        Admin::Users(args) => accounts::users(session, args, output).await,
        Admin::Suspend { user, reason } => accounts::suspend(session, user, reason, output).await,
        Admin::Reinstate { user } => accounts::reinstate(session, user, output).await,
        Admin::Import { file } => import::import(session, file, input, output).await,
        Admin::ServiceAccounts { command } => {
            machines::service_accounts(session, command.as_ref(), output).await
        }
        Admin::Keys { command } => machines::keys(session, command, output).await,
        Admin::Audit(args) => audit(session, args, output).await,
    };
    let email = session.email().to_owned();
    done.map_err(|failure| {
        let again = format!("Sign in again with `duet sign-in {}`.", output::line(&email));
        failure
            .hint("REAUTHENTICATION_REQUIRED", &again)
            .hint("SCOPE_MISSING", "Whoever was made one lately signs in again.")
    })
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
