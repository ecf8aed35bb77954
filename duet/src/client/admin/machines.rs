//! Service accounts and signing keys: `admin service-accounts` and `admin keys`.

use std::path::Path;

use comfy_table::Row;
use proto::auth::v1::{
    CreateServiceAccountRequest, DeleteServiceAccountRequest, ListServiceAccountsRequest,
    RevokeSigningKeyRequest, RotateSigningKeyRequest, ServiceAccount,
    admin_service_client::AdminServiceClient as Client,
};
use serde_json::json;

use super::json;
use crate::{
    cli::admin::{CreateServiceAccount, Keys, ServiceAccounts},
    client::{
        failure::Failure,
        output::{self, Output},
        session::Session,
    },
};

/// `duet admin service-accounts`
pub(super) async fn service_accounts(
    session: &mut Session,
    command: Option<&ServiceAccounts>,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    match command {
        None | Some(ServiceAccounts::List) => list(session, output).await,
        Some(ServiceAccounts::Create(args)) => create(session, args, output).await,
        Some(ServiceAccounts::Delete { name }) => delete(session, name, output).await,
    }
}

/// `duet admin keys`
pub(super) async fn keys(
    session: &mut Session,
    command: &Keys,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    match command {
        Keys::Rotate => {
            let answer = session
                .auth(RotateSigningKeyRequest {}, async |channel, request| {
                    Client::new(channel).rotate_signing_key(request).await
                })
                .await?;
            let text = format!(
                "The key {} signs at {} at the latest.",
                output::line(&answer.kid),
                output::time(answer.activate_time.as_ref())
            );
            Ok(output.show(&json::Rotated::from(answer), || text)?)
        }
        Keys::Revoke { kid } => {
            let request = RevokeSigningKeyRequest { kid: kid.clone() };
            session
                .auth_once(request, async |channel, request| {
                    Client::new(channel).revoke_signing_key(request).await
                })
                .await?;
            let text = format!("The key {} is withdrawn.", output::line(kid));
            Ok(output.show(&json!({}), || text)?)
        }
    }
}

async fn list(session: &mut Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let answer = session
        .auth(ListServiceAccountsRequest {}, async |channel, request| {
            Client::new(channel).list_service_accounts(request).await
        })
        .await?;
    let accounts = answer.service_accounts;
    let text = output::table(&["Name", "Scopes", "Secrets", "Last used"], accounts.iter().map(row));
    let accounts: Vec<_> = accounts.into_iter().map(json::ServiceAccount::from).collect();
    Ok(output.show(&json!({ "serviceAccounts": accounts }), || text)?)
}

async fn create(
    session: &mut Session,
    args: &CreateServiceAccount,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let CreateServiceAccount { name, scopes, public_key } = args;
    let public_key = public_key.as_deref().map(read).transpose()?.unwrap_or_default();
    let request =
        CreateServiceAccountRequest { name: full(name), scopes: scopes.clone(), public_key };
    // Made twice, it would be two secrets, of which one is unknown.
    let answer = session
        .auth_once(request, async |channel, request| {
            Client::new(channel).create_service_account(request).await
        })
        .await?;
    let account = answer.service_account.clone().unwrap_or_default();
    let text = match answer.secret.as_str() {
        "" => format!("{} may sign with this key.", output::line(&account.name)),
        secret => format!(
            "{} has this secret, which is shown only now:\n{}",
            output::line(&account.name),
            output::line(secret)
        ),
    };
    Ok(output.show(&json::Created::from(answer), || text)?)
}

async fn delete(session: &mut Session, name: &str, output: &mut Output<'_>) -> Result<(), Failure> {
    let request = DeleteServiceAccountRequest { name: full(name) };
    session
        .auth_once(request, async |channel, request| {
            Client::new(channel).delete_service_account(request).await
        })
        .await?;
    let text = format!("{} is removed.", output::line(&full(name)));
    Ok(output.show(&json!({}), || text)?)
}

fn full(name: &str) -> String {
    format!("serviceAccounts/{}", name.strip_prefix("serviceAccounts/").unwrap_or(name))
}

fn read(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| Failure::file(file, &error))
}

fn row(account: &ServiceAccount) -> Row {
    Row::from([
        output::line(account.name.strip_prefix("serviceAccounts/").unwrap_or(&account.name)),
        output::line(&account.scopes.join(" ")),
        account.secret_create_times.len().to_string(),
        output::time(account.last_use_time.as_ref()),
    ])
}
