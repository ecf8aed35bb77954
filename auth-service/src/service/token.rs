//! `auth.v1.TokenService`: what verifiers of access tokens need.

use prost_types::Timestamp;
use proto::auth::v1::{
    ExchangeTokenRequest, ExchangeTokenResponse, GetJsonWebKeySetRequest, GetJsonWebKeySetResponse,
    IssueServiceTokenRequest, IssueServiceTokenResponse, VerifyTokenRequest, VerifyTokenResponse,
    token_service_server::TokenService,
};
use shared::{
    error::Failure,
    name,
    verify::{Claims, Token},
};
use tonic::{Request, Response, Status};

use super::{Service, answer};
use crate::sessions;

#[tonic::async_trait]
impl TokenService for Service {
    async fn get_json_web_key_set(
        &self,
        _: Request<GetJsonWebKeySetRequest>,
    ) -> Result<Response<GetJsonWebKeySetResponse>, Status> {
        let keys = self.0.keys.published().into_iter().map(Into::into).collect();
        Ok(Response::new(GetJsonWebKeySetResponse { keys }))
    }

    async fn verify_token(
        &self,
        request: Request<VerifyTokenRequest>,
    ) -> Result<Response<VerifyTokenResponse>, Status> {
        answer(self.do_verify(&request.get_ref().token).await)
    }

    async fn issue_service_token(
        &self,
        request: Request<IssueServiceTokenRequest>,
    ) -> Result<Response<IssueServiceTokenResponse>, Status> {
        answer(self.do_issue_service_token(request).await)
    }

    async fn exchange_token(
        &self,
        request: Request<ExchangeTokenRequest>,
    ) -> Result<Response<ExchangeTokenResponse>, Status> {
        answer(self.do_exchange_token(request).await)
    }
}

impl Service {
    async fn do_verify(&self, token: &str) -> Result<VerifyTokenResponse, Failure> {
        let token = self.0.verifier.verify(token);
        // This service knows no service accounts, so it vouches for none.
        let Ok(Token::User(claims)) = token.as_deref() else {
            return Ok(VerifyTokenResponse::default());
        };
        let now = self.0.clock.now();
        if !sessions::lives(&self.0.database, claims.sub, claims.sid, now).await? {
            return Ok(VerifyTokenResponse::default());
        }
        Ok(described(claims))
    }
}

fn described(claims: &Claims) -> VerifyTokenResponse {
    let Claims {
        iss,
        sub,
        aud,
        exp,
        iat,
        nbf: _,
        jti,
        sid,
        auth_time,
        amr,
        email,
        email_verified,
        scope,
    } = claims.clone();
    let seconds = |seconds| Some(Timestamp { seconds, nanos: 0 });
    VerifyTokenResponse {
        active: true,
        issuer: iss,
        subject: sub.to_string(),
        user: name::of_user(sub),
        session: name::of_member(sub, "sessions", sid),
        audience: aud,
        email,
        email_verified,
        scopes: scope.split_whitespace().map(str::to_owned).collect(),
        issue_time: seconds(iat),
        expire_time: seconds(exp),
        auth_time: seconds(auth_time),
        authentication_methods: amr,
        token_id: jti.to_string(),
    }
}
