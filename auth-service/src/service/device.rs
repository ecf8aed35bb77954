//! What a device keeps besides the session: its pass, in and out, and the cookies
//! for everything that a browser keeps.

use chrono::{DateTime, TimeDelta, Utc};
use proto::auth::v1::Credentials;
use shared::{error::Failure, rng, secret::Secret};
use tonic::{
    Response, Status,
    metadata::{Ascii, MetadataMap, MetadataValue},
};
use uuid::Uuid;

use super::{Parts, Service, auth::Transport};
use crate::{device::DevicePass, error::DOMAIN, sessions::NewSession};

impl Service {
    /// The pass of the device, in the message or in the cookie. One that is not
    /// good is none: it is not what signs anybody in.
    pub(super) fn read_device_pass(
        &self,
        metadata: &MetadataMap,
        transport: Transport,
        in_message: &str,
    ) -> Option<DevicePass> {
        let Parts { sealer, throttles, clock, cookies, .. } = &*self.0;
        let in_cookie = || cookies.read_device(metadata).filter(|_| transport == Transport::Cookie);
        let pass = match in_message {
            "" => in_cookie()?,
            given => Secret::from(given.to_owned()),
        };
        DevicePass::open(pass.expose(), sealer, throttles.device_ttl, clock.now())
    }

    /// The pass of the device that a session was opened on.
    pub(super) fn device_pass(&self, session: &NewSession) -> Secret {
        let &NewSession { user, device, now: issued_at, .. } = session;
        DevicePass { user, device, issued_at }.seal(&self.0.sealer)
    }

    /// The pass of a device whose user has just set the password, which forgot
    /// every device: it is issued after that.
    pub(super) fn first_pass(&self, user: Uuid, now: DateTime<Utc>) -> String {
        let issued_at = now + TimeDelta::microseconds(1);
        let pass = DevicePass { user, device: rng::uuid_v4(), issued_at };
        pass.seal(&self.0.sealer).expose().to_owned()
    }

    /// Puts an answer with a pass into the words of the wire; for a page of an
    /// allowed origin the pass moves from the message into its cookie.
    pub(super) fn with_pass<T>(
        &self,
        metadata: &MetadataMap,
        result: Result<T, Failure>,
        pass: impl Fn(&mut T) -> &mut String,
    ) -> Result<Response<T>, Status> {
        let mut message = result.map_err(|failure| failure.into_status(DOMAIN))?;
        let cookies = &self.0.cookies;
        if cookies.check_origin(metadata).is_err() {
            return Ok(Response::new(message));
        }
        let pass = Secret::from(std::mem::take(pass(&mut message)));
        let stored = cookies.store_device(&pass);
        let stored = stored.map_err(|error| Failure::internal(error).into_status(DOMAIN))?;
        let mut response = Response::new(message);
        response.metadata_mut().append("set-cookie", stored);
        Ok(response)
    }

    /// Moves the refresh token and the pass from the message into cookies.
    pub(super) fn put_into_cookies(
        &self,
        credentials: &mut Credentials,
    ) -> anyhow::Result<Vec<MetadataValue<Ascii>>> {
        let cookies = &self.0.cookies;
        let token = Secret::from(std::mem::take(&mut credentials.refresh_token));
        let expires = credentials.refresh_token_expire_time.map_or(0, |time| time.seconds);
        let lives = TimeDelta::seconds(expires - self.0.clock.now().timestamp());
        let mut stored = vec![cookies.store(&token, lives.to_std().unwrap_or_default())?];
        let pass = Secret::from(std::mem::take(&mut credentials.device_token));
        // A refresh brings none.
        if !pass.expose().is_empty() {
            stored.push(cookies.store_device(&pass)?);
        }
        Ok(stored)
    }
}
