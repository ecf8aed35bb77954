//! What people, operators and machines do that brings secrets into the world,
//! every kind of them at least once. Whoever adds a kind of secret adds it here.

use auth_service::{admin::first, config::Config, email::Email};
use aws_lc_rs::digest;
use clap::Parser as _;
use proto::{
    auth::v1::{
        BeginTotpEnrollmentRequest, BeginTotpEnrollmentResponse, ChangePasswordRequest,
        CompleteSignInRequest, ConfirmTotpEnrollmentRequest, CreateServiceAccountRequest,
        Credentials, DeleteUserRequest, ExchangeTokenRequest, ExportUserRequest,
        IssueServiceTokenRequest, ReauthenticateRequest, RefreshSessionRequest,
        RefreshTokenTransport, RegenerateRecoveryCodesRequest, RequestEmailChangeRequest,
        RequestPasswordResetRequest, ResetPasswordRequest, RotateSigningKeyRequest, SignInRequest,
        SignInResponse, SignUpRequest, VerifyEmailRequest,
        account_service_client::AccountServiceClient, admin_service_client::AdminServiceClient,
        auth_service_client::AuthServiceClient, complete_sign_in_request::Code,
        issue_service_token_request::Credential, token_service_client::TokenServiceClient,
    },
    task::v1::{ListTasksRequest, WatchTasksRequest},
};
use serde_json::json;
use shared::{clock::SystemClock, database::Database, rng, secret::Secret, testing::TestIssuer};
use tonic::{
    Request, Status, metadata::MetadataMap, service::interceptor::InterceptedService,
    transport::Channel,
};

use super::{
    authenticator::{from_base32, totp},
    grounds::{Grounds, novel},
    hunt::{DATABASE, Hunt, Place},
};
use crate::harness::{Bearer, channel, create};

type Account = AccountServiceClient<InterceptedService<Channel, Bearer>>;

const EMAIL: &str = "ada@example.org";

/// Somebody who does all this, and notes every secret.
pub(crate) struct Script<'a> {
    grounds: &'a Grounds,
    hunt: &'a mut Hunt,
    auth: AuthServiceClient<Channel>,
    /// The password that is good now.
    password: String,
}

impl<'a> Script<'a> {
    pub(crate) fn new(grounds: &'a Grounds, hunt: &'a mut Hunt) -> Self {
        let auth = grounds.up.auth();
        Self { grounds, hunt, auth, password: String::new() }
    }

    /// From the sign-up to an export, with everything that an owner can do.
    pub(crate) async fn run(mut self) {
        // The canaries of the database: what is no secret is found there.
        let (display_name, number) = (novel("Canary"), rng::bytes::<4>());
        let number = format!("{}", u32::from_be_bytes(number) % 900_000 + 100_000);
        self.hunt.known("a display name", &display_name, &DATABASE);
        let places = [Place::Rows, Place::Statements];
        self.hunt.code("a number in a display name", &number, &places);
        let session = self.sign_up(EMAIL, format!("{display_name} {number}")).await;
        self.verify().await;
        self.sign_in_and_on().await;
        self.in_a_browser().await;
        self.change_password(&session).await;
        let codes = self.second_factor(&session).await;
        let session = self.reset(&codes[1]).await;
        self.change_email(&session).await;
        self.tasks(&session).await;
        self.machines(&session).await;
        self.export(&session).await;
        let session = self.sign_up("bob@example.org", String::new()).await;
        self.delete(&session).await;
    }

    fn account(&self, session: &Credentials) -> Account {
        let bearer = Bearer(session.access_token.clone());
        AccountServiceClient::with_interceptor(channel(&self.grounds.up.auth), bearer)
    }

    /// Notes a password that nobody has used before.
    fn new_password(&mut self, name: &str) -> String {
        let password = novel("Walnut");
        self.hunt.secret(name, &password);
        password
    }

    fn note(&mut self, name: &str, credentials: &Credentials) {
        let Credentials { access_token, refresh_token, device_token, .. } = credentials;
        self.hunt.token(&format!("the access token of {name}"), access_token);
        self.hunt.token(&format!("the refresh token of {name}"), refresh_token);
        if !device_token.is_empty() {
            self.hunt.token(&format!("the device pass of {name}"), device_token);
        }
    }

    async fn sign_up(&mut self, email: &str, display_name: String) -> Credentials {
        self.password = self.new_password(&format!("the password of {email}"));
        let request = SignUpRequest {
            email: email.to_owned(),
            password: self.password.clone(),
            display_name,
            ..SignUpRequest::default()
        };
        let answer = self.auth.sign_up(request).await.unwrap().into_inner();
        let credentials = answer.credentials.unwrap();
        self.note("a sign-up", &credentials);
        credentials
    }

    /// The token in the mail to `email` with this subject.
    async fn mailed(&mut self, email: &str, subject: &str) -> String {
        let (to, subject) = (format!("To: {email}\r\n"), format!("Subject: {subject}\r\n"));
        let find = |mail: &str| {
            let (_, token) = mail.split_once("#token=")?;
            let token = token.split(|c: char| c.is_whitespace() || c == '"').next()?;
            let fits = mail.contains(&to) && mail.contains(&subject);
            fits.then(|| token.to_owned())
        };
        let token = self.grounds.mail(find).await;
        self.hunt.token(&format!("the token of a mail: {}", subject.trim()), &token);
        token
    }

    async fn verify(&mut self) {
        let token = self.mailed(EMAIL, "Please verify your address").await;
        self.auth.verify_email(VerifyEmailRequest { token }).await.unwrap();
    }

    async fn sign_in(&mut self, password: &str) -> Result<SignInResponse, Status> {
        let (email, password) = (EMAIL.to_owned(), password.to_owned());
        let request = SignInRequest { email, password, ..SignInRequest::default() };
        Ok(self.auth.sign_in(request).await?.into_inner())
    }

    async fn sign_in_and_on(&mut self) {
        let wrong = self.new_password("a wrong password");
        self.sign_in(&wrong).await.unwrap_err();
        let password = self.password.clone();
        let session = self.sign_in(&password).await.unwrap().credentials.unwrap();
        self.note("a sign-in", &session);
        let refresh_token = session.refresh_token.clone();
        let answer = self.auth.refresh_session(RefreshSessionRequest { refresh_token }).await;
        self.note("a refresh", &answer.unwrap().into_inner().credentials.unwrap());
        // Mistyped, so that it is refused and that is noted.
        let refresh_token = format!("{}A", session.refresh_token);
        self.auth.refresh_session(RefreshSessionRequest { refresh_token }).await.unwrap_err();
        let request = ReauthenticateRequest { password, ..ReauthenticateRequest::default() };
        let proven = self.account(&session).reauthenticate(request).await.unwrap().into_inner();
        self.hunt.token("the access token of a new proof", &proven.access_token);
    }

    /// Where cookies carry what a browser keeps.
    async fn in_a_browser(&mut self) {
        let origin = format!("http://{}", self.grounds.up.web);
        let mut request = Request::new(SignInRequest {
            email: EMAIL.to_owned(),
            password: self.password.clone(),
            refresh_token_transport: RefreshTokenTransport::Cookie.into(),
            ..SignInRequest::default()
        });
        request.metadata_mut().insert("origin", origin.parse().unwrap());
        let answer = self.auth.sign_in(request).await.unwrap();
        let mut cookies = self.cookies(answer.metadata());
        assert_eq!(cookies.len(), 2);
        let mut request = Request::new(RefreshSessionRequest::default());
        request.metadata_mut().insert("origin", origin.parse().unwrap());
        request.metadata_mut().insert("cookie", cookies.remove(0).parse().unwrap());
        let answer = self.auth.refresh_session(request).await.unwrap();
        assert_eq!(self.cookies(answer.metadata()).len(), 1);
    }

    /// The cookies that are set.
    fn cookies(&mut self, metadata: &MetadataMap) -> Vec<String> {
        let set = metadata.get_all("set-cookie").iter().map(|set| set.to_str().unwrap());
        let pairs: Vec<String> = set.map(|set| set.split(';').next().unwrap().to_owned()).collect();
        for pair in &pairs {
            let (name, token) = pair.split_once('=').unwrap();
            self.hunt.token(&format!("the cookie {name}"), token);
        }
        pairs
    }

    async fn change_password(&mut self, session: &Credentials) {
        let new_password = self.new_password("a changed password");
        let current_password = std::mem::replace(&mut self.password, new_password.clone());
        let name = String::new();
        let request = ChangePasswordRequest { name, current_password, new_password };
        self.account(session).change_password(request).await.unwrap();
    }

    /// An authenticator, a sign-in by each kind of code, and the codes left.
    async fn second_factor(&mut self, session: &Credentials) -> Vec<String> {
        let mut account = self.account(session);
        let request = BeginTotpEnrollmentRequest::default();
        let begun = account.begin_totp_enrollment(request).await.unwrap().into_inner();
        let BeginTotpEnrollmentResponse { name, secret, uri, .. } = begun;
        let key = from_base32(&secret);
        self.hunt.secret("the secret of an authenticator", &secret);
        self.hunt.secret("the bytes of that secret", &key);
        self.hunt.secret("the address of an authenticator", &uri);
        // A code is good a step early: no test has to wait for the next one.
        let step = SystemClock::shared().now().timestamp() / 30;
        let (first, second) = (totp(&key, step), totp(&key, step + 1));
        self.hunt.code("the first code", &first, &[]);
        self.hunt.code("the second code", &second, &[]);
        let request = ConfirmTotpEnrollmentRequest { name, totp_code: first.clone() };
        let confirmed = account.confirm_totp_enrollment(request).await.unwrap().into_inner();
        self.note_recovery_codes(&confirmed.recovery_codes);

        self.complete(Code::TotpCode(first)).await.unwrap_err();
        self.complete(Code::TotpCode(second)).await.unwrap();
        let [code, ..] = &confirmed.recovery_codes[..] else { panic!("ten codes") };
        self.complete(Code::RecoveryCode(code.clone())).await.unwrap();
        let request = RegenerateRecoveryCodesRequest::default();
        let renewed = account.regenerate_recovery_codes(request).await.unwrap().into_inner();
        self.note_recovery_codes(&renewed.recovery_codes);
        renewed.recovery_codes
    }

    fn note_recovery_codes(&mut self, codes: &[String]) {
        for code in codes {
            self.hunt.secret("a recovery code", code);
            self.hunt.secret("a recovery code without dashes", code.replace('-', ""));
        }
    }

    async fn complete(&mut self, code: Code) -> Result<Credentials, Status> {
        let password = self.password.clone();
        let challenge = self.sign_in(&password).await.unwrap().challenge.unwrap();
        self.hunt.token("a challenge", &challenge.token);
        let challenge_token = challenge.token;
        let request =
            CompleteSignInRequest { challenge_token, code: Some(code), ..Default::default() };
        let answer = self.auth.complete_sign_in(request).await?.into_inner();
        let credentials = answer.credentials.unwrap();
        self.note("a sign-in with a second factor", &credentials);
        Ok(credentials)
    }

    /// A password set anew by mail.
    async fn reset(&mut self, recovery_code: &str) -> Credentials {
        let request = RequestPasswordResetRequest { email: EMAIL.to_owned() };
        self.auth.request_password_reset(request).await.unwrap();
        let token = self.mailed(EMAIL, "Set a new password").await;
        self.password = self.new_password("a password set anew");
        let request = ResetPasswordRequest { token, new_password: self.password.clone() };
        self.auth.reset_password(request).await.unwrap();
        self.complete(Code::RecoveryCode(recovery_code.to_owned())).await.unwrap()
    }

    /// Begun, and agreed to by nobody.
    async fn change_email(&mut self, session: &Credentials) {
        let new_email = "lovelace@example.org";
        let request =
            RequestEmailChangeRequest { name: String::new(), new_email: new_email.to_owned() };
        self.account(session).request_email_change(request).await.unwrap();
        self.mailed(EMAIL, "Shall your account get another address?").await;
        self.mailed(new_email, "Shall this be the address of an account?").await;
    }

    async fn tasks(&mut self, session: &Credentials) {
        let mut tasks = self.grounds.up.tasks(&session.access_token);
        let title = novel("Canary");
        self.hunt.known("a title", &title, &DATABASE);
        for title in [title.as_str(), "Another"] {
            create(&mut tasks, title).await.unwrap();
        }
        let request = ListTasksRequest { page_size: 1, ..ListTasksRequest::default() };
        let page = tasks.list_tasks(request.clone()).await.unwrap().into_inner();
        let request = ListTasksRequest { page_token: page.next_page_token.clone(), ..request };
        tasks.list_tasks(request).await.unwrap();
        self.hunt.secret("a page token", &page.next_page_token);
        self.hunt.secret("a sync token", &page.sync_token);
        let resume_token = page.sync_token;
        let request = WatchTasksRequest { resume_token, ..WatchTasksRequest::default() };
        let mut stream = tasks.watch_tasks(request).await.unwrap().into_inner();
        let event = stream.message().await.unwrap().unwrap();
        self.hunt.secret("a resume token", &event.resume_token);
    }

    /// Services, by a secret and by a key, and one that acts for Ada.
    async fn machines(&mut self, ada: &Credentials) {
        let signer = TestIssuer::new();
        let secret = self.service_accounts(&signer).await;
        let now = SystemClock::shared().now().timestamp();
        let assertion = signer.sign(
            &json!({ "alg": "EdDSA", "typ": "JWT" }),
            &json!({
                "iss": "signer", "sub": "signer", "aud": "http://localhost:50051",
                "iat": now, "exp": now + 60, "jti": rng::uuid_v4(),
            }),
        );
        self.hunt.token("an assertion", &assertion);
        let up = &self.grounds.up;
        let mut tokens = TokenServiceClient::new(channel(&up.auth));
        let mut actor_token = String::new();
        for credential in [Credential::Assertion(assertion), Credential::Secret(secret)] {
            let request =
                IssueServiceTokenRequest { credential: Some(credential), ..Default::default() };
            let issued = tokens.issue_service_token(request).await.unwrap().into_inner();
            self.hunt.token("the token of a service", &issued.access_token);
            actor_token = issued.access_token;
        }
        let request = ExchangeTokenRequest {
            subject_token: ada.access_token.clone(),
            actor_token,
            audience: vec!["task-service".to_owned()],
            scopes: vec!["tasks:read".to_owned()],
        };
        let exchanged = tokens.exchange_token(request).await.unwrap().into_inner();
        self.hunt.token("an exchanged token", &exchanged.access_token);
        let mut acting = up.tasks(&exchanged.access_token);
        acting.list_tasks(ListTasksRequest::default()).await.unwrap();
    }

    /// Two accounts that an operator makes; tells the secret of the first.
    async fn service_accounts(&mut self, signer: &TestIssuer) -> String {
        let operator = self.operator().await;
        let (bearer, channel) = (Bearer(operator.access_token), channel(&self.grounds.up.auth));
        let mut admin = AdminServiceClient::with_interceptor(channel, bearer);
        let create = |name: &str, public_key: String| CreateServiceAccountRequest {
            name: format!("serviceAccounts/{name}"),
            scopes: ["token:exchange", "tasks:read"].map(str::to_owned).into(),
            public_key,
        };
        let made = admin.create_service_account(create("reporter", String::new())).await.unwrap();
        let secret = made.into_inner().secret;
        self.hunt.token("the secret of a service account", &secret);
        // The canary of what is stored as bytes.
        let hash = digest::digest(&digest::SHA256, secret.as_bytes());
        self.hunt.known("the hash of that secret", hash, &DATABASE);
        let key = json!(signer.jwk()).to_string();
        admin.create_service_account(create("signer", key)).await.unwrap();
        admin.rotate_signing_key(RotateSigningKeyRequest::default()).await.unwrap();
        secret
    }

    async fn operator(&mut self) -> Credentials {
        let password = self.new_password("the password of an operator");
        let pepper = self.grounds.file("pepper");
        let flags =
            ["auth-service", "--argon2-memory=7168", "--pepper-file", pepper.to_str().unwrap()];
        let config = Config::parse_from(flags);
        let database = Database::new(self.grounds.options("auth", "auth_app"), 1);
        let email = Email::parse("root@example.org").unwrap();
        let secret = || Ok(Secret::from(password.clone()));
        let now = SystemClock::shared().now();
        first::make(&config, &database, &email, false, secret, now).await.unwrap();
        let request = SignInRequest {
            email: "root@example.org".to_owned(),
            password: password.clone(),
            ..SignInRequest::default()
        };
        let answer = self.auth.sign_in(request).await.unwrap().into_inner();
        let credentials = answer.credentials.unwrap();
        self.note("an operator", &credentials);
        credentials
    }

    /// For which auth-service gets itself a token to ask task-service with.
    async fn export(&mut self, session: &Credentials) {
        let export = self.account(session).export_user(ExportUserRequest::default()).await;
        let mut pieces = export.unwrap().into_inner();
        while pieces.message().await.unwrap().is_some() {}
    }

    async fn delete(&mut self, session: &Credentials) {
        let request = DeleteUserRequest {
            name: String::new(),
            email: "bob@example.org".to_owned(),
            request_id: rng::uuid_v4().to_string(),
        };
        let deleted = self.account(session).delete_user(request).await.unwrap().into_inner();
        self.hunt.token("the receipt of a deletion", &deleted.receipt_token);
    }
}
