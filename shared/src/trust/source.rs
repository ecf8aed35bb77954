//! Where the keys of a verifier are fetched: from auth-service over gRPC, or
//! from any issuer's key set over HTTP.

use std::{future::Future, pin::Pin, time::Duration};

use proto::auth::v1::{GetJsonWebKeySetRequest, token_service_client::TokenServiceClient};
use tonic::{service::interceptor::InterceptedService, transport::Channel};

use crate::{
    call::Propagate,
    jwk::{Jwk, JwkSet},
};

/// How long a fetch of the keys may take.
const FETCH_TIMEOUT: Duration = Duration::from_secs(2);

/// Where keys come from.
pub trait KeySource: Send + Sync + 'static {
    /// The keys as they are now.
    fn fetch(&self) -> Pin<Box<dyn Future<Output = anyhow::Result<Vec<Jwk>>> + Send + '_>>;
}

/// Keys of the auth service, over gRPC.
pub struct GrpcKeys(TokenServiceClient<InterceptedService<Channel, Propagate>>);

impl GrpcKeys {
    /// Keys from the service at `channel`.
    #[must_use]
    pub fn new(channel: Channel) -> Self {
        let propagate = Propagate { most: FETCH_TIMEOUT };
        Self(TokenServiceClient::with_interceptor(channel, propagate))
    }
}

impl KeySource for GrpcKeys {
    fn fetch(&self) -> Pin<Box<dyn Future<Output = anyhow::Result<Vec<Jwk>>> + Send + '_>> {
        let mut client = self.0.clone();
        Box::pin(async move {
            let answer = client.get_json_web_key_set(GetJsonWebKeySetRequest {}).await?;
            Ok(answer.into_inner().keys.into_iter().map(Jwk::from).collect())
        })
    }
}

/// Keys of any issuer, from the address of its key set (RFC 7517).
pub struct UrlKeys {
    client: reqwest::Client,
    url: String,
}

impl UrlKeys {
    /// Keys from `url`.
    ///
    /// # Errors
    /// If the HTTP client cannot be made.
    pub fn new(url: &str) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder()
            .timeout(FETCH_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { client, url: url.to_owned() })
    }
}

impl KeySource for UrlKeys {
    fn fetch(&self) -> Pin<Box<dyn Future<Output = anyhow::Result<Vec<Jwk>>> + Send + '_>> {
        const LONGEST: usize = 64 * 1024;
        Box::pin(async move {
            let mut answer = self.client.get(&self.url).send().await?.error_for_status()?;
            let mut said = Vec::new();
            while let Some(more) = answer.chunk().await? {
                said.extend_from_slice(&more);
                anyhow::ensure!(said.len() <= LONGEST, "the key set is larger than 64 KiB");
            }
            let set: JwkSet = serde_json::from_slice(&said)?;
            Ok(set.keys)
        })
    }
}
