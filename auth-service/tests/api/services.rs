//! Service accounts and what their tests share: accounts made as operators make
//! them, and their tokens asked for over the wire.

use auth_service::{
    client::Client,
    service_accounts::{self, AccountName, NewProof, Scopes, ServiceAccount},
};
use proto::auth::v1::{
    GetJsonWebKeySetRequest, IssueServiceTokenRequest, IssueServiceTokenResponse,
    VerifyTokenRequest, VerifyTokenResponse, issue_service_token_request::Credential,
};
use shared::{
    clock::Clock as _,
    database::Database,
    jwk::Jwk,
    secret::Secret,
    trust::Trust,
    verify::{Rules, Verifier},
};
use sqlx::{AssertSqlSafe, ConnectOptions as _};
use tonic::Status;

use crate::harness::{TestApp, minutes};

/// Everything stored in the database, a line for each row.
pub(crate) async fn dump(app: &TestApp) -> String {
    let mut connection = app.database.superuser.connect().await.unwrap();
    let tables: Vec<String> = sqlx::query_scalar(
        "select c.oid::regclass::text from pg_class c
         where c.relnamespace = 'data'::regnamespace and c.relkind = 'r' order by 1",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let mut dump = String::new();
    for table in tables {
        let rows = AssertSqlSafe(format!("select format('{table} %s', t) from {table} t"));
        let rows: Vec<String> = sqlx::query_scalar(rows).fetch_all(&mut connection).await.unwrap();
        dump.extend(rows.iter().map(|row| format!("{row}\n")));
    }
    dump
}

/// The kinds of what the audit log of the service itself says, oldest first.
pub(crate) async fn audited(app: &TestApp) -> Vec<String> {
    let mut connection = app.database.superuser.connect().await.unwrap();
    sqlx::query_scalar(
        "select kind from data.audit_events
         where user_id = '00000000-0000-0000-0000-000000000000' order by sequence",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap()
}

/// The service accounts that verifiers are told of, in the order of commits.
pub(crate) async fn told(app: &TestApp) -> Vec<uuid::Uuid> {
    let mut connection = app.database.superuser.connect().await.unwrap();
    sqlx::query_scalar(
        "select subject_id from data.trust_events where kind = 'service' order by rev",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap()
}

impl TestApp {
    /// The database, as the service itself reaches it.
    pub(crate) fn own_database(&self) -> Database {
        Database::new(self.database.app.clone(), 2)
    }

    /// An account with these scopes, and one more secret for it.
    pub(crate) async fn service(&self, name: &str, scopes: &[&str]) -> (ServiceAccount, Secret) {
        let (name, scopes) = (account(name), Scopes::parse(scopes).unwrap());
        let (database, now) = (self.own_database(), self.clock.now());
        let client = Client::current();
        service_accounts::put_with_secret(&database, &name, &scopes, &client, now).await.unwrap()
    }

    /// An account with these scopes, and one more key for it.
    pub(crate) async fn service_with_key(
        &self,
        name: &str,
        scopes: &[&str],
        key: &Jwk,
    ) -> ServiceAccount {
        let json = serde_json::to_string(key).unwrap();
        let key = service_accounts::assertion::parse_key(&json).unwrap();
        let (name, scopes) = (account(name), Scopes::parse(scopes).unwrap());
        let (database, now) = (self.own_database(), self.clock.now());
        let (client, proof) = (Client::current(), NewProof::Key(key));
        service_accounts::put(&database, &name, &scopes, &proof, &client, now).await.unwrap()
    }

    pub(crate) async fn delete_service(&self, name: &str) {
        let (database, now) = (self.own_database(), self.clock.now());
        let client = Client::current();
        service_accounts::delete(&database, &account(name), &client, now).await.unwrap();
    }

    pub(crate) async fn issue(
        &self,
        credential: Credential,
        scopes: &[&str],
        audience: &[&str],
    ) -> Result<IssueServiceTokenResponse, Status> {
        let request = IssueServiceTokenRequest {
            credential: Some(credential),
            scopes: owned(scopes),
            audience: owned(audience),
        };
        Ok(self.tokens().issue_service_token(request).await?.into_inner())
    }

    /// A token with everything that this secret is good for.
    pub(crate) async fn service_token(&self, secret: &Secret) -> Result<String, Status> {
        Ok(self.issue(by(secret), &[], &[]).await?.access_token)
    }

    pub(crate) async fn introspect(&self, token: &str) -> VerifyTokenResponse {
        let request = VerifyTokenRequest { token: token.to_owned() };
        self.tokens().verify_token(request).await.unwrap().into_inner()
    }

    /// What another service believes, by the keys that are published.
    pub(crate) async fn verifier(&self, audience: &str) -> Verifier {
        let rules = Rules {
            issuer: "https://auth.test".to_owned(),
            audience: audience.to_owned(),
            max_lifetime: minutes(60),
        };
        let keys = self.tokens().get_json_web_key_set(GetJsonWebKeySetRequest {}).await.unwrap();
        let keys: Vec<Jwk> = keys.into_inner().keys.into_iter().map(Jwk::from).collect();
        let trust = Trust::new(minutes(600));
        trust.set(&keys, self.clock.now());
        Verifier::new(rules, trust, self.clock.shared())
    }
}

pub(crate) fn account(name: &str) -> AccountName {
    name.parse().unwrap()
}

pub(crate) fn by(secret: &Secret) -> Credential {
    Credential::Secret(secret.expose().to_owned())
}

pub(crate) fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
