//! Operators, and what their tests share.

use auth_service::{
    admin::first::{self, Made},
    config::Config,
    email::Email,
};
use clap::Parser as _;
use proto::auth::v1::{
    ListAuditEventsRequest, SuspendUserRequest, admin_service_client::AdminServiceClient,
};
use shared::{clock::Clock as _, secret::Secret};
use sqlx::{AssertSqlSafe, ConnectOptions as _};
use tonic::{Status, service::interceptor::InterceptedService, transport::Channel};

use crate::harness::{Bearer, PASSWORD, Person, TestApp};

/// The operators' methods, called with a token.
pub(crate) type Admin = AdminServiceClient<InterceptedService<Channel, Bearer>>;

impl TestApp {
    /// The operators' methods, called with this access token.
    pub(crate) fn admin(&self, token: &str) -> Admin {
        AdminServiceClient::with_interceptor(self.channel.clone(), Bearer(token.to_owned()))
    }

    /// Makes an account an operator's, as the program does.
    pub(crate) async fn make_operator(
        &self,
        email: &str,
        password: Option<&str>,
        unverified: bool,
    ) -> anyhow::Result<Made> {
        let config = Config::parse_from(["auth-service", "--argon2-memory=7168"]);
        let database = self.own_database();
        let email = Email::parse(email).unwrap();
        let password = || {
            let password = password.map(|password| Secret::from(password.to_owned()));
            password.ok_or_else(|| anyhow::anyhow!("nobody gave a password"))
        };
        let now = self.clock.now();
        first::make(&config, &database, &email, unverified, password, now).await
    }

    /// An operator who has signed in.
    pub(crate) async fn operator(&self, name: &str) -> Person {
        let email = format!("{name}@example.org");
        let made = self.make_operator(&email, Some(PASSWORD), false).await.unwrap();
        assert_eq!(made, Made::New);
        let credentials = self.sign_in(&email, PASSWORD).await.unwrap();
        let (name, _) = credentials.session.split_once("/sessions/").unwrap();
        Person { email, name: name.to_owned(), credentials }
    }

    /// Does something that only somebody with all rights on the database can.
    pub(crate) async fn tamper(&self, statement: &str) {
        let mut connection = self.database.superuser.connect().await.unwrap();
        let done = sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
        assert!(done.rows_affected() > 0, "{statement}");
    }
}

pub(crate) async fn suspend(admin: &mut Admin, name: &str) -> Result<(), Status> {
    let request = SuspendUserRequest { name: name.to_owned(), reason: "spam".to_owned() };
    admin.suspend_user(request).await.map(drop)
}

/// The kinds of what the log of a user, or of the service, says, newest first.
pub(crate) async fn kinds(admin: &mut Admin, parent: &str) -> Vec<String> {
    let request = ListAuditEventsRequest { parent: parent.to_owned(), ..Default::default() };
    let events = admin.list_audit_events(request).await.unwrap().into_inner().events;
    events.into_iter().map(|event| event.kind).collect()
}
