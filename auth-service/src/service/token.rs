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
    verify::{Claims, DelegatedClaims, ServiceClaims, Token},
};
use tonic::{Request, Response, Status};

use super::{Service, answer};
use crate::{service_accounts::admission, sessions};

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
        // Whichever service a token is for, it is we who gave it out.
        let Ok(token) = self.0.verifier.introspect(token) else {
            return Ok(VerifyTokenResponse::default());
        };
        let (database, now) = (&self.0.database, self.0.clock.now());
        let lives = match &*token {
            Token::User(claims) => sessions::lives(database, claims.sub, claims.sid, now).await?,
            Token::Service(_) | Token::Delegated(_) => {
                admission::token_lives(database, &token, now).await?
            }
        };
        if !lives {
            return Ok(VerifyTokenResponse::default());
        }
        Ok(match &*token {
            Token::User(claims) => described(claims),
            Token::Service(claims) => of_service(claims),
            Token::Delegated(claims) => delegated(claims),
        })
    }
}

fn of_service(claims: &ServiceClaims) -> VerifyTokenResponse {
    let ServiceClaims { iss, sub, aud, exp, iat, nbf: _, jti, client_id: _, scope, act: _ } =
        claims.clone();
    VerifyTokenResponse {
        active: true,
        issuer: iss,
        subject: sub.to_string(),
        audience: aud,
        scopes: words(&scope),
        issue_time: seconds(iat),
        expire_time: seconds(exp),
        token_id: jti.to_string(),
        ..VerifyTokenResponse::default()
    }
}

fn delegated(claims: &DelegatedClaims) -> VerifyTokenResponse {
    let DelegatedClaims { iss, sub, aud, exp, iat, nbf: _, jti, sid, act: _, scope } =
        claims.clone();
    VerifyTokenResponse {
        active: true,
        issuer: iss,
        subject: sub.to_string(),
        user: name::of_user(sub),
        session: name::of_member(sub, "sessions", sid),
        audience: aud,
        scopes: words(&scope),
        issue_time: seconds(iat),
        expire_time: seconds(exp),
        token_id: jti.to_string(),
        ..VerifyTokenResponse::default()
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
    VerifyTokenResponse {
        active: true,
        issuer: iss,
        subject: sub.to_string(),
        user: name::of_user(sub),
        session: name::of_member(sub, "sessions", sid),
        audience: aud,
        email,
        email_verified,
        scopes: words(&scope),
        issue_time: seconds(iat),
        expire_time: seconds(exp),
        auth_time: seconds(auth_time),
        authentication_methods: amr,
        token_id: jti.to_string(),
    }
}

const fn seconds(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds, nanos: 0 })
}

fn words(scope: &str) -> Vec<String> {
    scope.split_ascii_whitespace().map(str::to_owned).collect()
}
