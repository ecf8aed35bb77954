//! `auth.v1.AuthService`: opens, extends and ends sessions.

use chrono::{DateTime, Utc};
use proto::auth::v1::{
    CompleteSignInRequest, CompleteSignInResponse, Credentials, GetDeletionReceiptRequest,
    GetDeletionReceiptResponse, RefreshSessionRequest, RefreshSessionResponse,
    RefreshTokenTransport, RequestPasswordResetRequest, RequestPasswordResetResponse,
    ResetPasswordRequest, ResetPasswordResponse, SignInRequest, SignInResponse, SignOutRequest,
    SignOutResponse, SignUpRequest, SignUpResponse, VerifyEmailRequest, VerifyEmailResponse,
    auth_service_server::AuthService,
};
use shared::{
    error::{Failure, Fields, Reason},
    name, rng,
    secret::Secret,
};
use tonic::{Request, Response, Status, metadata::MetadataMap};

use super::{Parts, Service, answer, read_password, to_timestamp};
use crate::{
    accounts::{self, Opening},
    challenge,
    client::Client,
    config::mail::Enumeration,
    email::{DisplayName, Email},
    error::{DOMAIN, Error},
    mail::{Mail, token::Purpose},
    refresh_token::RefreshToken,
    sessions::{self, NewSession},
    throttle::{self, Settlement},
    token::Subject,
};

#[tonic::async_trait]
impl AuthService for Service {
    async fn sign_up(
        &self,
        request: Request<SignUpRequest>,
    ) -> Result<Response<SignUpResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let result = self.do_sign_up(&metadata, request).await;
        self.with_cookie(result, |signed_up| signed_up.credentials.as_mut())
    }

    async fn sign_in(
        &self,
        request: Request<SignInRequest>,
    ) -> Result<Response<SignInResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let result = self.do_sign_in(&metadata, request).await;
        self.with_cookie(result, |signed_in| signed_in.credentials.as_mut())
    }

    async fn refresh_session(
        &self,
        request: Request<RefreshSessionRequest>,
    ) -> Result<Response<RefreshSessionResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let result = self.do_refresh(&metadata, request).await;
        self.with_cookie(result, |refreshed| refreshed.credentials.as_mut())
    }

    async fn sign_out(
        &self,
        request: Request<SignOutRequest>,
    ) -> Result<Response<SignOutResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let in_cookie = request.refresh_token.is_empty();
        let mut response = answer(self.do_sign_out(&metadata, request).await)?;
        if in_cookie {
            let cleared = self.0.cookies.clear();
            let cleared = cleared.map_err(|error| Failure::internal(error).into_status(DOMAIN))?;
            response.metadata_mut().insert("set-cookie", cleared);
        }
        Ok(response)
    }

    async fn request_password_reset(
        &self,
        request: Request<RequestPasswordResetRequest>,
    ) -> Result<Response<RequestPasswordResetResponse>, Status> {
        answer(self.do_request_password_reset(request).await)
    }

    async fn reset_password(
        &self,
        request: Request<ResetPasswordRequest>,
    ) -> Result<Response<ResetPasswordResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let result = self.do_reset_password(request).await;
        self.with_pass(&metadata, result, |reset| &mut reset.device_token)
    }

    async fn verify_email(
        &self,
        request: Request<VerifyEmailRequest>,
    ) -> Result<Response<VerifyEmailResponse>, Status> {
        answer(self.do_verify_email(request).await)
    }

    async fn get_deletion_receipt(
        &self,
        request: Request<GetDeletionReceiptRequest>,
    ) -> Result<Response<GetDeletionReceiptResponse>, Status> {
        answer(self.do_get_deletion_receipt(request).await)
    }

    async fn complete_sign_in(
        &self,
        request: Request<CompleteSignInRequest>,
    ) -> Result<Response<CompleteSignInResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let result = self.do_complete_sign_in(&metadata, request).await;
        self.with_cookie(result, |signed_in| signed_in.credentials.as_mut())
    }
}

/// Where a refresh token travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    Message,
    Cookie,
}

/// An answer, and where its refresh token travels.
pub(super) type Carried<T> = (T, Transport);

impl Service {
    async fn do_sign_up(
        &self,
        metadata: &MetadataMap,
        request: SignUpRequest,
    ) -> Result<Carried<SignUpResponse>, Failure> {
        let SignUpRequest { email, password, display_name, refresh_token_transport } = request;
        let mut fields = Fields::new();
        let known = vec![email.clone(), display_name.clone()];
        let email = fields.read("email", Email::parse(&email));
        let display_name = fields.read("display_name", DisplayName::parse(&display_name));
        let transport = self.read_transport(&mut fields, metadata, refresh_token_transport)?;
        let mut password = self.password_of_length(&mut fields, "password", password);
        if let Some(given) = password.take() {
            // What is work is counted, whatever else is wrong.
            let Parts { database, throttles, sealer, clock, .. } = &*self.0;
            let client = Client::current();
            throttle::begin_sign_up(database, throttles, sealer, &client, clock.now()).await?;
            password = self.strong_password(&mut fields, "password", given, known).await?;
        }
        let (email, display_name, transport, password) =
            fields.all((email, display_name, transport, password))?;

        let stored = self.0.hasher.hash(&password).await?;
        if self.0.enumeration == Enumeration::Strict {
            self.request_sign_up(&email, &display_name, &stored).await?;
            return Ok((SignUpResponse::default(), transport));
        }
        let session = self.new_session(rng::uuid_v4());
        let outbox = &self.0.outbox;
        let mail = outbox.with_token(session.now, Purpose::Verify, |token| Mail::Verify { token });
        let mail = mail.after(outbox.pauses_of_user(Purpose::Verify, session.user));
        let database = &self.0.database;
        let user =
            accounts::sign_up(database, &email, &display_name, &stored, &session, &mail).await?;
        outbox.filled();
        let methods = vec!["pwd".to_owned()];
        let credentials = self.first_credentials(&session, &user, methods)?;
        let answer = SignUpResponse { user: Some(user.into()), credentials: Some(credentials) };
        Ok((answer, transport))
    }

    async fn do_sign_in(
        &self,
        metadata: &MetadataMap,
        request: SignInRequest,
    ) -> Result<Carried<SignInResponse>, Failure> {
        let SignInRequest { email, password, refresh_token_transport, device_token } = request;
        let mut fields = Fields::new();
        let email = fields.read("email", Email::parse(&email));
        let password = read_password(&mut fields, "password", password);
        let transport = self.read_transport(&mut fields, metadata, refresh_token_transport)?;
        let (email, password, transport) = fields.all((email, password, transport))?;

        let Parts { database, hasher, throttles, sealer, clock, .. } = &*self.0;
        let (client, now) = (Client::current(), clock.now());
        let pass = self.read_device_pass(metadata, transport, &device_token);
        // What was counted must be checked.
        let seat = hasher.seat()?;
        let attempt =
            throttle::begin_sign_in(database, throttles, sealer, &email, pass, &client, now);
        let attempt = attempt.await?;
        let (user, stored) = attempt.account.clone().unzip();
        // An unknown user's password is checked, too, and is wrong.
        let right = hasher.verify_from(seat, &password, stored.clone()).await?;
        let (Some(user), Some(stored), true) = (user, stored, right) else {
            throttle::refuse(database, throttles, &attempt, &client, now).await?;
            return Err(Error::WrongCredentials.into());
        };
        let rehashed = match hasher.is_outdated(&stored) {
            true => match hasher.hash(&password).await {
                // There is no room for that now; the next sign-in does it.
                Err(failure) if failure.reason() == Reason::HashCapacity => None,
                hashed => Some(hashed?),
            },
            false => None,
        };
        let session = self.new_session(user).after(throttles, &attempt);
        let (database, rehashed) = (&self.0.database, rehashed.as_ref());
        let until = session.now + challenge::LIFETIME;
        let mut answer = SignInResponse::default();
        match accounts::open_session(database, &stored, rehashed, &session, until).await? {
            Opening::Opened(user) => {
                let methods = vec!["pwd".to_owned()];
                answer.credentials = Some(self.first_credentials(&session, &user, methods)?);
                answer.user = Some(user.into());
            }
            Opening::Challenged(factors) => {
                answer.challenge = Some(self.challenge(&session, transport, factors));
            }
        }
        Ok((answer, transport))
    }

    async fn do_refresh(
        &self,
        metadata: &MetadataMap,
        request: RefreshSessionRequest,
    ) -> Result<Carried<RefreshSessionResponse>, Failure> {
        let given = self.given_refresh_token(metadata, request.refresh_token)?;
        let (token, transport) = given.ok_or(Error::RefreshTokenMissing)?;
        let token = self.open(&token).ok_or(Error::RefreshTokenInvalid)?;
        let now = self.0.clock.now();
        let refreshed = sessions::refresh(&self.0.database, &token, &self.0.lifetimes, now).await;
        if matches!(refreshed, Err(Error::RefreshTokenReused)) {
            self.0.trust.changed();
        }
        let refreshed = refreshed?;
        let credentials =
            self.credentials(refreshed.token, refreshed.expires_at, refreshed.subject, now)?;
        Ok((RefreshSessionResponse { credentials: Some(credentials) }, transport))
    }

    async fn do_sign_out(
        &self,
        metadata: &MetadataMap,
        request: SignOutRequest,
    ) -> Result<SignOutResponse, Failure> {
        let given = self.given_refresh_token(metadata, request.refresh_token)?;
        if let Some(token) = given.and_then(|(token, _)| self.open(&token)) {
            let now = self.0.clock.now();
            sessions::end(&self.0.database, token.user, token.session, now).await?;
            self.0.trust.changed();
        }
        Ok(SignOutResponse {})
    }

    /// What came as a refresh token, in the message or in the cookie.
    fn given_refresh_token(
        &self,
        metadata: &MetadataMap,
        in_message: String,
    ) -> Result<Option<(Secret, Transport)>, Failure> {
        if in_message.is_empty() {
            let in_cookie = self.0.cookies.read(metadata)?;
            Ok(in_cookie.map(|token| (token, Transport::Cookie)))
        } else {
            Ok(Some((in_message.into(), Transport::Message)))
        }
    }

    /// A refresh token, if it is one of ours.
    fn open(&self, token: &Secret) -> Option<RefreshToken> {
        RefreshToken::open(token.expose(), &self.0.sealer)
    }

    pub(super) fn read_transport(
        &self,
        fields: &mut Fields,
        metadata: &MetadataMap,
        asked: i32,
    ) -> Result<Option<Transport>, Failure> {
        use RefreshTokenTransport::{Cookie, Message, Unspecified};
        let transport = match RefreshTokenTransport::try_from(asked) {
            Ok(Unspecified | Message) => Ok(Transport::Message),
            Ok(Cookie) => {
                self.0.cookies.check_origin(metadata)?;
                Ok(Transport::Cookie)
            }
            Err(_) => Err("There is no such way for a refresh token to travel."),
        };
        Ok(fields.read("refresh_token_transport", transport))
    }

    pub(super) fn new_session(&self, user: uuid::Uuid) -> NewSession {
        let client = Client::current().settling(Settlement::uncounted(&self.0.throttles));
        NewSession::of(user, client, &self.0.lifetimes, self.0.clock.now())
    }

    pub(super) fn first_credentials(
        &self,
        session: &NewSession,
        user: &accounts::User,
        methods: Vec<String>,
    ) -> Result<Credentials, Failure> {
        let token = RefreshToken { user: user.id, session: session.id, generation: 0 };
        let subject = Subject {
            user: user.id,
            session: session.id,
            email: user.email.clone(),
            email_verified: user.email_verified,
            is_admin: user.is_admin,
            auth_time: session.now,
            amr: methods,
            session_ends_at: session.expires_at,
        };
        let device_token = self.device_pass(session).expose().to_owned();
        let credentials = self.credentials(token, session.expires_at, subject, session.now)?;
        Ok(Credentials { device_token, ..credentials })
    }

    fn credentials(
        &self,
        refresh: RefreshToken,
        refresh_expires: DateTime<Utc>,
        subject: Subject,
        now: DateTime<Utc>,
    ) -> Result<Credentials, Failure> {
        let session = name::of_member(subject.user, "sessions", subject.session);
        let (access_token, expires) = self.access_token(subject, now)?;
        Ok(Credentials {
            access_token: access_token.expose().to_owned(),
            access_token_expire_time: Some(to_timestamp(expires)),
            refresh_token: refresh.seal(&self.0.sealer).expose().to_owned(),
            refresh_token_expire_time: Some(to_timestamp(refresh_expires)),
            session,
            device_token: String::new(),
        })
    }

    /// An access token, and when it expires.
    pub(super) fn access_token(
        &self,
        subject: Subject,
        now: DateTime<Utc>,
    ) -> Result<(Secret, DateTime<Utc>), Failure> {
        let issued = self.0.keys.active().and_then(|key| self.0.issuing.issue(&key, subject, now));
        issued.map_err(|error| Failure::internal(format!("{error:#}")))
    }

    /// Puts an answer into the words of the wire; in cookie mode the refresh
    /// token and the device's pass move from the message into cookies.
    fn with_cookie<T>(
        &self,
        result: Result<Carried<T>, Failure>,
        credentials: impl Fn(&mut T) -> Option<&mut Credentials>,
    ) -> Result<Response<T>, Status> {
        let (mut message, transport) = result.map_err(|failure| failure.into_status(DOMAIN))?;
        let mut stored = Ok(Vec::new());
        if transport == Transport::Cookie
            && let Some(credentials) = credentials(&mut message)
        {
            stored = self.put_into_cookies(credentials);
        }
        let stored = stored.map_err(|error| Failure::internal(error).into_status(DOMAIN))?;
        let mut response = Response::new(message);
        for cookie in stored {
            response.metadata_mut().append("set-cookie", cookie);
        }
        Ok(response)
    }
}
