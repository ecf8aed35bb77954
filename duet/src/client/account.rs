//! The commands about the account: `sign-up`, `sign-in`, `sign-out`, `whoami`,
//! `passwd` and `sessions`.
//!
//! Opening a session is never repeated by itself: it is no harmless call.

use std::mem;

use comfy_table::Row;
use proto::auth::v1::{
    self as auth, Challenge, ChangePasswordRequest, CompleteSignInRequest, CompleteSignInResponse,
    GetUserRequest, ListSessionsRequest, RefreshTokenTransport, RevokeOtherSessionsRequest,
    RevokeSessionRequest, SignInRequest, SignInResponse, SignOutRequest, SignUpRequest, User,
    account_service_client::AccountServiceClient, auth_service_client::AuthServiceClient,
};
use serde_json::json;
use shared::secret::Secret;
use tonic::Code;

use super::{
    connection::Connection,
    credentials::{Credentials, Store},
    failure::Failure,
    id::{self, Named},
    json,
    output::{self, Output},
    password,
    prompt::Answers,
    proof::{self, Given},
    session::{self, Session},
};
use crate::cli::{Options, Passwd, SignIn, SignUp};

const PAGE_SIZE: i32 = 500;

/// `duet sign-up`
pub(crate) async fn sign_up(
    options: &Options,
    args: &SignUp,
    answers: &mut Answers<'_>,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let SignUp { email, display_name, password_stdin } = args;
    let password = match password_stdin {
        true => password::read(answers)?,
        false => password::ask_new(email, answers)?,
    };
    let request = SignUpRequest {
        email: email.clone(),
        password: password.expose().to_owned(),
        display_name: display_name.clone(),
        refresh_token_transport: RefreshTokenTransport::Message.into(),
    };
    let answer = Connection::new(session::auth_url(options))?
        .call(request, None, async |channel, request| {
            AuthServiceClient::new(channel).sign_up(request).await
        })
        .await?;
    match (answer.user, answer.credentials) {
        (Some(user), Some(credentials)) => signed_in(options, &user, credentials, output).await,
        // Where nobody is told who has an account.
        _ => {
            let text = format!("A mail to {} says how to go on.", output::line(email));
            Ok(output.show(&json!({}), || text)?)
        }
    }
}

/// `duet sign-in`
pub(crate) async fn sign_in(
    options: &Options,
    args: &SignIn,
    answers: &mut Answers<'_>,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let SignIn { email, password_stdin, code } = args;
    let password = match password_stdin {
        true => password::read(answers)?,
        false => password::ask(email, answers)?,
    };
    let code = proof::given_code(code.as_ref(), answers)?;
    let auth_url = session::auth_url(options);
    let pass = Store::at(options.credentials.as_deref())?.passes().find(&auth_url, email);
    let request = SignInRequest {
        email: email.clone(),
        password: password.expose().to_owned(),
        refresh_token_transport: RefreshTokenTransport::Message.into(),
        device_token: pass.map_or_else(String::new, |pass| pass.expose().to_owned()),
    };
    let service = Connection::new(auth_url)?;
    let SignInResponse { mut user, mut credentials, challenge } = service
        .call(request, None, async |channel, request| {
            AuthServiceClient::new(channel).sign_in(request).await
        })
        .await?;
    if let Some(challenge) = challenge {
        let completed = complete(&service, &challenge, code.as_ref(), answers).await?;
        (user, credentials) = (completed.user, completed.credentials);
    }
    let (Some(user), Some(credentials)) = (user, credentials) else {
        let message = "The service asks for something that this duet does not know.";
        return Err(Failure::new(Code::Unimplemented, message));
    };
    signed_in(options, &user, credentials, output).await
}

/// Ends a sign-in that asks for a second factor.
async fn complete(
    service: &Connection,
    challenge: &Challenge,
    code: Option<&Secret>,
    answers: &mut Answers<'_>,
) -> Result<CompleteSignInResponse, Failure> {
    let kinds: Vec<_> = challenge.factor_kinds().collect();
    proof::with_code(code, &kinds, answers, async |code| {
        let request = CompleteSignInRequest {
            challenge_token: challenge.token.clone(),
            code: Some(proof::of_sign_in(code)),
            refresh_token_transport: RefreshTokenTransport::Message.into(),
        };
        service
            .call(request, None, async |channel, request| {
                AuthServiceClient::new(channel).complete_sign_in(request).await
            })
            .await
    })
    .await
}

async fn signed_in(
    options: &Options,
    user: &User,
    mut credentials: auth::Credentials,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let (auth_url, task_url) = (session::auth_url(options), session::task_url(options));
    let pass = Secret::from(mem::take(&mut credentials.device_token));
    let stored = Credentials::new(auth_url, task_url, user, credentials);
    let store = Store::at(options.credentials.as_deref())?;
    let lock = store.lock().await?;
    store.write(&stored, &lock)?;
    store.passes().keep(&stored, pass, &lock)?;
    let text = format!("You are signed in as {}.", output::line(&user.email));
    Ok(output.show(&json::User::from(user.clone()), || text)?)
}

/// `duet passwd`
pub(crate) async fn change_password(
    session: &mut Session,
    args: &Passwd,
    answers: &mut Answers<'_>,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let email = session.email().to_owned();
    let (current, new) = match args.password_stdin {
        true => (password::read(answers)?, password::read_new(answers)?),
        false => (password::ask(&email, answers)?, password::ask_new(&email, answers)?),
    };
    let code = proof::given_code(args.code.as_ref(), answers)?;
    let request = ChangePasswordRequest {
        name: String::new(),
        current_password: current.expose().to_owned(),
        new_password: new.expose().to_owned(),
    };
    // Whoever typed the password need not do it twice.
    let given = Given { password: Some(current), code };
    let answer = proof::proven(session, &given, answers, async |session| {
        // Made again, it would find that the old password is wrong.
        session
            .auth_once(request.clone(), async |channel, request| {
                AccountServiceClient::new(channel).change_password(request).await
            })
            .await
    })
    .await?;
    let text = "The password is changed, and every other session is ended.";
    output.show(&json!({}), || text.to_owned())?;
    session.know_device(answer.device_token.into()).await
}

/// `duet sign-out`
pub(crate) async fn sign_out(options: &Options, output: &mut Output<'_>) -> Result<(), Failure> {
    let store = Store::at(options.credentials.as_deref())?;
    let lock = store.lock().await?;
    if let Some(Credentials { auth_url, refresh_token, .. }) = store.read()? {
        let request = SignOutRequest { refresh_token: refresh_token.expose().to_owned() };
        Connection::new(auth_url)?
            .call_again(&request, None, &async |channel, request| {
                AuthServiceClient::new(channel).sign_out(request).await
            })
            .await?;
        store.remove(&lock)?;
    }
    Ok(output.show(&json!({}), || "You are signed out.".to_owned())?)
}

/// `duet whoami`
pub(crate) async fn whoami(session: &mut Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let answer = session
        .auth(GetUserRequest::default(), async |channel, request| {
            AccountServiceClient::new(channel).get_user(request).await
        })
        .await?;
    let user = answer.user.unwrap_or_default();
    let text = match user.display_name.as_str() {
        "" => output::line(&user.email),
        name => format!("{} <{}>", output::line(name), output::line(&user.email)),
    };
    Ok(output.show(&json::User::from(user), || text)?)
}

/// `duet sessions`
pub(crate) async fn list_sessions(
    session: &mut Session,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let sessions = all_sessions(session).await?;
    let rows = sessions.iter().map(|session| {
        Row::from([
            id::short(&session.name),
            output::line(&session.user_agent),
            output::time(session.create_time.as_ref()),
            output::time(session.last_active_time.as_ref()),
            if session.current { "this one".to_owned() } else { String::new() },
        ])
    });
    let table = output::table(&["ID", "Client", "Signed in", "Last active", ""], rows);
    let sessions: Vec<_> = sessions.into_iter().map(json::Session::from).collect();
    Ok(output.show(&json!({ "sessions": sessions }), || table)?)
}

/// `duet sessions revoke`
pub(crate) async fn revoke_session(
    session: &mut Session,
    text: &str,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let named = Named::parse(text, "sessions")?;
    let sessions = match named {
        Named::Fully(_) => Vec::new(),
        Named::Partly(_) => all_sessions(session).await?,
    };
    let all = sessions.iter().map(|session| (session.name.as_str(), session.user_agent.as_str()));
    let request = RevokeSessionRequest { name: named.among(all)? };
    let name = request.name.clone();
    session
        .auth(request, async |channel, request| {
            AccountServiceClient::new(channel).revoke_session(request).await
        })
        .await?;
    let text = format!("The session {} is ended.", output::line(&id::short(&name)));
    Ok(output.show(&json!({}), || text)?)
}

/// `duet sessions revoke-others`
pub(crate) async fn revoke_other_sessions(
    session: &mut Session,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let answer = session
        .auth(RevokeOtherSessionsRequest::default(), async |channel, request| {
            AccountServiceClient::new(channel).revoke_other_sessions(request).await
        })
        .await?;
    let text = match answer.revoked_count {
        0 => "There is no other session.".to_owned(),
        1 => "One other session is ended.".to_owned(),
        count => format!("{count} other sessions are ended."),
    };
    Ok(output.show(&json!({ "revokedCount": answer.revoked_count.to_string() }), || text)?)
}

async fn all_sessions(session: &mut Session) -> Result<Vec<auth::Session>, Failure> {
    let mut sessions = Vec::new();
    let mut request = ListSessionsRequest { page_size: PAGE_SIZE, ..Default::default() };
    loop {
        let page = session
            .auth(request.clone(), async |channel, request| {
                AccountServiceClient::new(channel).list_sessions(request).await
            })
            .await?;
        sessions.extend(page.sessions);
        if page.next_page_token.is_empty() {
            return Ok(sessions);
        }
        request.page_token = page.next_page_token;
    }
}
