//! What operators are answered, as JSON; see the client's `json`.

use std::collections::BTreeMap;

use prost_types::Timestamp;
use proto::auth::v1 as auth;
use serde::Serialize;

use crate::client::json::User;

/// An account as operators see it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Account {
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<User>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suspend_time: Option<String>,
    has_second_factor: bool,
    admin: bool,
}

impl From<auth::UserAccount> for Account {
    fn from(account: auth::UserAccount) -> Self {
        let auth::UserAccount { user, suspend_time, has_second_factor, admin } = account;
        Self {
            user: user.map(User::from),
            suspend_time: time(suspend_time),
            has_second_factor,
            admin,
        }
    }
}

/// A service account.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServiceAccount {
    name: String,
    scopes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    create_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_use_time: Option<String>,
    secret_create_times: Vec<String>,
}

impl From<auth::ServiceAccount> for ServiceAccount {
    fn from(account: auth::ServiceAccount) -> Self {
        let auth::ServiceAccount { name, scopes, create_time, last_use_time, secret_create_times } =
            account;
        Self {
            name,
            scopes,
            create_time: time(create_time),
            last_use_time: time(last_use_time),
            secret_create_times: secret_create_times.iter().map(ToString::to_string).collect(),
        }
    }
}

/// A service account that was made, and its new secret.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Created {
    #[serde(skip_serializing_if = "Option::is_none")]
    service_account: Option<ServiceAccount>,
    secret: String,
}

impl From<auth::CreateServiceAccountResponse> for Created {
    fn from(created: auth::CreateServiceAccountResponse) -> Self {
        let auth::CreateServiceAccountResponse { service_account, secret } = created;
        Self { service_account: service_account.map(ServiceAccount::from), secret }
    }
}

/// A new signing key.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rotated {
    kid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    activate_time: Option<String>,
}

impl From<auth::RotateSigningKeyResponse> for Rotated {
    fn from(rotated: auth::RotateSigningKeyResponse) -> Self {
        let auth::RotateSigningKeyResponse { kid, activate_time } = rotated;
        Self { kid, activate_time: time(activate_time) }
    }
}

/// An entry of the audit log.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuditEvent {
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    create_time: Option<String>,
    user: String,
    actor: String,
    address_prefix: String,
    device_label: String,
    details: BTreeMap<String, String>,
    sequence: String,
    hash: String,
}

impl From<auth::AuditEvent> for AuditEvent {
    fn from(event: auth::AuditEvent) -> Self {
        let auth::AuditEvent {
            kind,
            create_time,
            user,
            actor,
            address_prefix,
            device_label,
            details,
            sequence,
            hash,
        } = event;
        Self {
            kind,
            create_time: time(create_time),
            user,
            actor,
            address_prefix,
            device_label,
            details: details.into_iter().collect(),
            sequence: sequence.to_string(),
            hash,
        }
    }
}

fn time(time: Option<Timestamp>) -> Option<String> {
    time.map(|time| time.to_string())
}
