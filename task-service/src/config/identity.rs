//! How this service reaches auth-service, and as whom: the channel, and the
//! token of its own account if it was given a secret.

use std::time::Duration;

use shared::{
    clock::SharedClock,
    service_token::{Credential, Purpose, ServiceToken},
};
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};

use super::Config;

/// What this service needs of its account: to be told keys and revocations.
const SCOPE: &str = "trust:watch";
/// How long auth-service may take to let us connect, and to show that it lives.
const PATIENCE: Duration = Duration::from_secs(5);
/// The service that it calls.
const AUDIENCE: &str = "auth-service";

impl Config {
    /// A channel to auth-service, which connects when it is first needed; needs
    /// a runtime.
    ///
    /// # Errors
    /// In words for the operator.
    pub fn auth_channel(&self) -> anyhow::Result<Channel> {
        // A peer that has vanished is found out while there is a stream.
        let endpoint = Endpoint::from_shared(self.auth_url.clone())?
            .connect_timeout(PATIENCE)
            .http2_keep_alive_interval(PATIENCE * 2)
            .keep_alive_timeout(PATIENCE);
        let endpoint = match endpoint.uri().scheme_str() {
            Some("https") => endpoint.tls_config(ClientTlsConfig::new().with_enabled_roots())?,
            _ => endpoint,
        };
        Ok(endpoint.connect_lazy())
    }

    /// How this service proves which account it has, if it has one.
    ///
    /// # Errors
    /// In words for the operator.
    pub fn credential(&self) -> Result<Option<Credential>, String> {
        let file = self.service_secret_file.as_deref();
        Credential::either(self.service_secret.as_ref(), file)
            .map_err(|fault| format!("TASK_SERVICE_SECRET {fault}"))
    }

    /// The token for calls to auth-service, if this service has an account.
    /// There is none in it until it is kept.
    ///
    /// # Errors
    /// In words for the operator.
    pub fn service_token(&self, clock: SharedClock) -> anyhow::Result<Option<ServiceToken>> {
        let Some(credential) = self.credential().map_err(anyhow::Error::msg)? else {
            return Ok(None);
        };
        let purpose =
            Purpose { scopes: vec![SCOPE.to_owned()], audience: vec![AUDIENCE.to_owned()] };
        Ok(Some(ServiceToken::new(self.auth_channel()?, credential, purpose, clock)))
    }
}
