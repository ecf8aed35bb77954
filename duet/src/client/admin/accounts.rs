//! Accounts in the hands of operators: `admin users`, `suspend`, `reinstate`.

use comfy_table::Row;
use proto::auth::v1::{
    ListUsersRequest, ReinstateUserRequest, SuspendUserRequest, UserAccount,
    admin_service_client::AdminServiceClient as Client,
};
use serde_json::json;
use tonic::Code;

use super::{json, page_size};
use crate::{
    cli::admin::Users,
    client::{
        failure::Failure,
        output::{self, Output},
        session::Session,
    },
};

/// `duet admin users`
pub(super) async fn users(
    session: &mut Session,
    args: &Users,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let Users { email, limit } = args;
    let accounts = list(session, email.clone().unwrap_or_default(), *limit).await?;
    let text = table(&accounts);
    let users: Vec<_> = accounts.into_iter().map(json::Account::from).collect();
    Ok(output.show(&json!({ "users": users }), || text)?)
}

/// `duet admin suspend`
pub(super) async fn suspend(
    session: &mut Session,
    user: &str,
    reason: &str,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let name = named(session, user).await?;
    let request = SuspendUserRequest { name, reason: reason.to_owned() };
    let answer = session
        .auth(request, async |channel, request| Client::new(channel).suspend_user(request).await)
        .await?;
    show(answer.user, "is closed", output)
}

/// `duet admin reinstate`
pub(super) async fn reinstate(
    session: &mut Session,
    user: &str,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let request = ReinstateUserRequest { name: named(session, user).await? };
    let answer = session
        .auth(request, async |channel, request| Client::new(channel).reinstate_user(request).await)
        .await?;
    show(answer.user, "is open", output)
}

/// The full name of the account that a text means.
pub(super) async fn named(session: &mut Session, text: &str) -> Result<String, Failure> {
    if !text.contains('@') {
        let id = text.strip_prefix("users/").unwrap_or(text);
        return Ok(format!("users/{id}"));
    }
    let found = list(session, text.to_owned(), 1).await?.pop();
    let found = found.and_then(|account| account.user).map(|user| user.name);
    found.ok_or_else(|| Failure::new(Code::NotFound, format!("{text} has no account.")))
}

async fn list(
    session: &mut Session,
    email: String,
    limit: u32,
) -> Result<Vec<UserAccount>, Failure> {
    let mut request = ListUsersRequest { email, ..Default::default() };
    let mut accounts = Vec::new();
    loop {
        request.page_size = page_size(limit, accounts.len());
        let page = session
            .auth(request.clone(), async |channel, request| {
                Client::new(channel).list_users(request).await
            })
            .await?;
        accounts.extend(page.users);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() || accounts.len() >= limit as usize {
            return Ok(accounts);
        }
    }
}

fn show(account: Option<UserAccount>, is: &str, output: &mut Output<'_>) -> Result<(), Failure> {
    let account = account.unwrap_or_default();
    let email = account.user.as_ref().map(|user| output::line(&user.email)).unwrap_or_default();
    let text = format!("The account of {email} {is}.");
    Ok(output.show(&json::Account::from(account), || text)?)
}

fn table(accounts: &[UserAccount]) -> String {
    let rows = accounts.iter().map(|account| {
        let user = account.user.clone().unwrap_or_default();
        let mut notes = Vec::new();
        if account.admin {
            notes.push("operator".to_owned());
        }
        if account.has_second_factor {
            notes.push("second factor".to_owned());
        }
        if !user.email_verified {
            notes.push("not verified".to_owned());
        }
        if let Some(time) = &account.suspend_time {
            notes.push(format!("closed since {}", output::time(Some(time))));
        }
        Row::from([
            output::line(user.name.strip_prefix("users/").unwrap_or(&user.name)),
            output::line(&user.email),
            output::time(user.create_time.as_ref()),
            notes.join(", "),
        ])
    });
    output::table(&["ID", "E-mail", "Made", ""], rows)
}
