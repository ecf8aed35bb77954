//! What goes by mail: verifying an address, changing it, and setting a forgotten password.

use chrono::{DateTime, Utc};
use proto::auth::v1::{
    RequestEmailChangeRequest, RequestEmailChangeResponse, RequestEmailVerificationRequest,
    RequestEmailVerificationResponse, RequestPasswordResetRequest, RequestPasswordResetResponse,
    ResetPasswordRequest, ResetPasswordResponse, VerifyEmailRequest, VerifyEmailResponse,
    verify_email_response::Outcome,
};
use shared::{
    error::{Failure, Fields, Reason},
    interceptor::Identity,
    name, rng,
};
use tonic::Request;

use super::{Parts, Service};
use crate::{
    client::Client,
    email::{DisplayName, Email},
    error::MAIL_TOKEN_INVALID,
    hashing::StoredPassword,
    mail::{
        Draft, Mail,
        token::{MailToken, Purpose},
    },
    recovery::{self, NewAccount, Proved, ResetSubject},
    throttle,
};

impl Service {
    pub(super) async fn do_request_email_verification(
        &self,
        request: Request<RequestEmailVerificationRequest>,
    ) -> Result<RequestEmailVerificationResponse, Failure> {
        let identity = Identity::of(&request)?;
        let mut fields = Fields::new();
        let named = name::user(&mut fields, "name", &request.get_ref().name, &identity)?;
        fields.all((named,))?;
        let caller = self.caller(&identity)?;
        let outbox = &self.0.outbox;
        let mail = outbox.with_token(caller.now, Purpose::Verify, |token| Mail::Verify { token });
        let mail = mail.after(outbox.pauses_of_user(Purpose::Verify, caller.user));
        recovery::request_verification(&self.0.database, &caller, &mail).await?;
        outbox.filled();
        Ok(RequestEmailVerificationResponse {})
    }

    pub(super) async fn do_request_email_change(
        &self,
        request: Request<RequestEmailChangeRequest>,
    ) -> Result<RequestEmailChangeResponse, Failure> {
        let identity = Identity::of(&request)?;
        let RequestEmailChangeRequest { name, new_email } = request.into_inner();
        let mut fields = Fields::new();
        let named = name::user(&mut fields, "name", &name, &identity)?;
        let new = fields.read("new_email", Email::parse(&new_email));
        let (_, new) = fields.all((named, new))?;
        let caller = self.caller(&identity)?;
        self.recent(&identity)?;
        let outbox = &self.0.outbox;
        let to_old = outbox.with_token(caller.now, Purpose::ChangeOld, |token| Mail::ChangeOld {
            token,
            new_email: new.as_str().to_owned(),
        });
        // The other one goes with it, to a reader whom many accounts may name.
        let from = Client::current().address;
        let mut pauses = outbox.pauses_of_user(Purpose::ChangeOld, caller.user);
        pauses.extend(outbox.pauses_of_asker(Purpose::ChangeNew, &new, from));
        let to_old = to_old.after(pauses);
        let to_new =
            outbox.with_token(caller.now, Purpose::ChangeNew, |token| Mail::ChangeNew { token });
        let database = &self.0.database;
        if !recovery::request_change(database, &caller, &new, &to_old, &to_new).await? {
            let same = "This is the address of your account.";
            return Err(Failure::field(Reason::FieldInvalid, "new_email", same));
        }
        outbox.filled();
        Ok(RequestEmailChangeResponse {})
    }

    pub(super) async fn do_request_password_reset(
        &self,
        request: Request<RequestPasswordResetRequest>,
    ) -> Result<RequestPasswordResetResponse, Failure> {
        let mut fields = Fields::new();
        let email = fields.read("email", Email::parse(&request.get_ref().email));
        let (email,) = fields.all((email,))?;
        let Parts { database, outbox, throttles, sealer, clock, .. } = &*self.0;
        let now = clock.now();
        let mail = outbox.with_token(now, Purpose::Reset, |token| Mail::Reset { token });
        let mail = mail.after(outbox.pauses_of_reader(Purpose::Reset, &email));
        let address = throttle::mails_of_address(sealer, &Client::current());
        let counted = (&address, throttles.sign_up);
        recovery::request_reset(database, &email, counted, &mail, now).await?;
        outbox.filled();
        Ok(RequestPasswordResetResponse {})
    }

    pub(super) async fn do_reset_password(
        &self,
        request: ResetPasswordRequest,
    ) -> Result<ResetPasswordResponse, Failure> {
        let ResetPasswordRequest { token, new_password } = request;
        let (database, now) = (&self.0.database, self.0.clock.now());
        let mut fields = Fields::new();
        let token = MailToken::parse(&token).filter(|token| token.purpose == Purpose::Reset);
        let subject = match &token {
            Some(token) => self.begin_reset(token, now).await?,
            None => None,
        };
        let good = token.filter(|_| subject.is_some()).ok_or(MAIL_TOKEN_INVALID);
        let token = fields.read_as(Reason::MailTokenInvalid, "token", good);
        let password = match subject {
            Some(owner) => {
                let known = vec![owner.email, owner.display_name];
                self.new_password(&mut fields, "new_password", new_password, known).await?
            }
            // How easy it is to guess is work, and nobody's business.
            None => self.password_of_length(&mut fields, "new_password", new_password),
        };
        let (token, password) = fields.all((token, password))?;
        let hashed = self.0.hasher.hash(&password).await?;
        // Whoever signed in while it was hashed did so before.
        let now = self.0.clock.now();
        let client = Client::current();
        let notice = self.password_notice(&client, now);
        recovery::reset_password(database, &token, &hashed, &client, &notice, now).await?;
        self.0.outbox.filled();
        self.0.trust.changed();
        Ok(ResetPasswordResponse { device_token: self.first_pass(token.user, now) })
    }

    /// Whose password a token may set, if it is good. What follows is work, and so is
    /// counted before.
    async fn begin_reset(
        &self,
        token: &MailToken,
        now: DateTime<Utc>,
    ) -> Result<Option<ResetSubject>, Failure> {
        let Parts { database, throttles, sealer, .. } = &*self.0;
        let bucket = throttle::resets_by_token(sealer, token);
        let counted = (&bucket, throttles.account);
        Ok(recovery::begin_reset(database, token, counted, now).await?)
    }

    pub(super) async fn do_verify_email(
        &self,
        request: Request<VerifyEmailRequest>,
    ) -> Result<VerifyEmailResponse, Failure> {
        let mut fields = Fields::new();
        let token = MailToken::parse(&request.get_ref().token)
            .filter(|token| token.purpose != Purpose::Reset)
            .ok_or(MAIL_TOKEN_INVALID);
        let token = fields.read_as(Reason::MailTokenInvalid, "token", token);
        let (token,) = fields.all((token,))?;
        let (outbox, now) = (&self.0.outbox, self.0.clock.now());
        let notice = outbox.notice(now, Mail::EmailChanged {});
        let proved =
            recovery::verify(&self.0.database, &token, &Client::current(), &notice, now).await?;
        let outcome = match proved {
            Proved::Verified => Outcome::Verified,
            Proved::Agreed => Outcome::Agreed,
            Proved::Changed => {
                outbox.filled();
                // The other sessions are over.
                self.0.trust.changed();
                Outcome::Changed
            }
        };
        Ok(VerifyEmailResponse { outcome: outcome.into() })
    }

    /// Signs up where nobody is told who has an account: the mail goes on.
    pub(super) async fn request_sign_up(
        &self,
        email: &Email,
        display_name: &DisplayName,
        password: &StoredPassword,
    ) -> Result<(), Failure> {
        let (outbox, now) = (&self.0.outbox, self.0.clock.now());
        let mail = outbox.with_token(now, Purpose::SignUp, |token| Mail::SignUp { token });
        let from = Client::current().address;
        let mail = mail.after(outbox.pauses_of_asker(Purpose::SignUp, email, from));
        let notice = outbox.notice(now, Mail::AddressTaken {});
        let account = NewAccount { user: rng::uuid_v4(), email, display_name, password };
        recovery::request_sign_up(&self.0.database, &account, &mail, &notice, now).await?;
        outbox.filled();
        Ok(())
    }

    /// What the owner of an account gets to read when its password has changed.
    pub(super) fn password_notice(&self, client: &Client, now: DateTime<Utc>) -> Draft {
        self.0.outbox.notice(now, Mail::PasswordChanged { device: client.device_in_mail() })
    }
}
