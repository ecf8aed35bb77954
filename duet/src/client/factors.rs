//! `duet factors`: the second factors of the account, and how one is added from
//! a terminal.
//!
//! Invariant: a secret or a recovery code is printed once, where the answer goes
//! or into the file that was named, and kept nowhere.

mod codes;
mod picture;

use comfy_table::Row;
use proto::auth::v1::{
    BeginTotpEnrollmentRequest, BeginTotpEnrollmentResponse, ConfirmTotpEnrollmentRequest,
    ConfirmTotpEnrollmentResponse, DeleteFactorRequest, Factor as Message, FactorKind,
    RegenerateRecoveryCodesRequest, account_service_client::AccountServiceClient as Client,
};
use serde::Serialize;
use serde_json::json;
use shared::secret::Secret;
use tonic::Code;

use self::codes::Place;
use super::{
    failure::Failure,
    id::{self, Named},
    output::{self, Output},
    prompt::Answers,
    proof::{self, Given, proven},
    session::Session,
};
use crate::cli::factors::{Add, Factors, RecoveryCodes, Remove};

/// `duet factors`
pub(crate) async fn run(
    session: &mut Session,
    command: Option<&Factors>,
    answers: &mut Answers<'_>,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    match command {
        None | Some(Factors::List) => list(session, output).await,
        Some(Factors::Add(args)) => add(session, args, answers, output).await,
        Some(Factors::Remove(args)) => remove(session, args, answers, output).await,
        Some(Factors::RecoveryCodes(args)) => recovery_codes(session, args, answers, output).await,
    }
}

async fn list(session: &mut Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let factors = proof::factors(session).await?;
    let text = if factors.is_empty() {
        "There is no second factor. Add one with `duet factors add`.".to_owned()
    } else {
        let rows = factors.iter().map(|factor| {
            Row::from([
                id::short(&factor.name),
                what(factor),
                output::time(factor.create_time.as_ref()),
                match factor.last_use_time.as_ref() {
                    None => "never".to_owned(),
                    time => output::time(time),
                },
            ])
        });
        output::table(&["ID", "Factor", "Since", "Last used"], rows)
    };
    let factors: Vec<_> = factors.into_iter().map(Factor::from).collect();
    Ok(output.show(&json!({ "factors": factors }), || text)?)
}

/// A factor in words.
fn what(factor: &Message) -> String {
    match (factor.kind(), factor.display_name.as_str(), factor.remaining_count) {
        (FactorKind::RecoveryCodes, _, 1) => "1 recovery code is left".to_owned(),
        (FactorKind::RecoveryCodes, _, left) => format!("{left} recovery codes are left"),
        (FactorKind::Passkey, "", _) => "passkey".to_owned(),
        (FactorKind::Passkey, name, _) => format!("{} (passkey)", output::line(name)),
        (_, "", _) => "authenticator".to_owned(),
        (_, name, _) => output::line(name),
    }
}

async fn add(
    session: &mut Session,
    args: &Add,
    answers: &mut Answers<'_>,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let given = Given::by(&args.proof, answers)?;
    let place = Place::made(&args.place)?;
    let request = BeginTotpEnrollmentRequest {
        parent: String::new(),
        display_name: args.display_name.clone(),
    };
    let begun = proven(session, &given, answers, async |session| {
        session
            .auth(request.clone(), async |channel, request| {
                Client::new(channel).begin_totp_enrollment(request).await
            })
            .await
    })
    .await?;
    show_secret(&begun, output)?;

    let answer = if args.first_code_stdin {
        let code = answers.read("first code")?;
        confirmed(session, &begun.name, &code).await
    } else {
        proof::asked("The code it shows: ", "--first-code-stdin", answers, async |code| {
            confirmed(session, &begun.name, code).await
        })
        .await
    }?;
    let ConfirmTotpEnrollmentResponse { factor, recovery_codes } = answer;
    let factor = Factor::from(factor.unwrap_or_default());
    let added = "The authenticator is added; its code is asked for from the next sign-in on.";
    if recovery_codes.is_empty() {
        let json = json!({ "factor": factor, "recoveryCodes": recovery_codes });
        return Ok(output.show(&json, || format!("{added} Your recovery codes stay as they are."))?);
    }
    place.show(&recovery_codes, added, json!({ "factor": factor }), output)
}

fn show_secret(
    begun: &BeginTotpEnrollmentResponse,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let BeginTotpEnrollmentResponse { name, secret, uri, qr_svg: _, expire_time } = begun;
    let json = json!({
        "name": name,
        "secret": secret,
        "uri": uri,
        "expireTime": expire_time.as_ref().map(ToString::to_string),
    });
    let picture = if output.is_terminal() { picture::of(uri) } else { None };
    output.show(&json, || {
        let scan =
            picture.map(|picture| format!("Scan this with your authenticator:\n\n{picture}\n\n"));
        format!(
            "{}{}\n  {}\n\n{}\n  {}\n",
            scan.as_deref().unwrap_or_default(),
            match scan {
                Some(_) => "Or type in its secret:",
                None => "Type this secret into your authenticator:",
            },
            in_groups(&output::line(secret)),
            "Or open on its device:",
            output::line(uri)
        )
    })?;
    // Whoever computes the code has to see this first.
    Ok(output.flush()?)
}

/// A long secret, as people can type it.
fn in_groups(secret: &str) -> String {
    let letters: Vec<char> = secret.chars().collect();
    letters.chunks(4).map(|group| group.iter().collect()).collect::<Vec<String>>().join(" ")
}

async fn confirmed(
    session: &mut Session,
    name: &str,
    code: &Secret,
) -> Result<ConfirmTotpEnrollmentResponse, Failure> {
    let request =
        ConfirmTotpEnrollmentRequest { name: name.to_owned(), totp_code: code.expose().to_owned() };
    // The recovery codes come with one answer only.
    session
        .auth_once(request, async |channel, request| {
            Client::new(channel).confirm_totp_enrollment(request).await
        })
        .await
        .map_err(|failure| {
            let hint = "It may be added all the same. If you had no second factor before, nobody \
                        has seen the recovery codes then: make new ones with `duet factors \
                        recovery-codes`.";
            in_doubt(failure, hint)
        })
}

/// Of a call that brings recovery codes: without an answer it may be done, too.
fn in_doubt(failure: Failure, hint: &str) -> Failure {
    let is_lost = matches!(failure.code(), Some(Code::Unavailable | Code::DeadlineExceeded));
    failure.hint_if(is_lost, hint)
}

async fn remove(
    session: &mut Session,
    args: &Remove,
    answers: &mut Answers<'_>,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let given = Given::by(&args.proof, answers)?;
    let named = Named::parse(&args.factor, "factors")?;
    let factors = match named {
        Named::Fully(_) => Vec::new(),
        Named::Partly(_) => proof::factors(session).await?,
    };
    let all: Vec<_> = factors.iter().map(|factor| (factor.name.as_str(), what(factor))).collect();
    let name = named.among(all.iter().map(|(name, what)| (*name, what.as_str())))?;
    let request = DeleteFactorRequest { name: name.clone() };
    proven(session, &given, answers, async |session| {
        // Made again, it would find nothing.
        session
            .auth_once(request.clone(), async |channel, request| {
                Client::new(channel).delete_factor(request).await
            })
            .await
    })
    .await?;
    let text = format!("The factor {} is removed.", output::line(&id::short(&name)));
    Ok(output.show(&json!({}), || text)?)
}

async fn recovery_codes(
    session: &mut Session,
    args: &RecoveryCodes,
    answers: &mut Answers<'_>,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let given = Given::by(&args.proof, answers)?;
    let place = Place::made(&args.place)?;
    let answer = proven(session, &given, answers, async |session| {
        session
            .auth(RegenerateRecoveryCodesRequest::default(), async |channel, request| {
                Client::new(channel).regenerate_recovery_codes(request).await
            })
            .await
            .map_err(|failure| {
                let hint = "If they were made all the same, nobody has seen them: make new ones \
                            with `duet factors recovery-codes`.";
                in_doubt(failure, hint)
            })
    })
    .await?;
    let made = "There are new recovery codes; the old ones are good no more.";
    place.show(&answer.recovery_codes, made, json!({}), output)
}

/// A factor as JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Factor {
    name: String,
    kind: &'static str,
    display_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    create_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_use_time: Option<String>,
    remaining_count: i32,
}

impl From<Message> for Factor {
    fn from(factor: Message) -> Self {
        let Message { name, kind, display_name, create_time, last_use_time, remaining_count } =
            factor;
        Self {
            name,
            kind: FactorKind::try_from(kind).unwrap_or_default().as_str_name(),
            display_name,
            create_time: create_time.map(|time| time.to_string()),
            last_use_time: last_use_time.map(|time| time.to_string()),
            remaining_count,
        }
    }
}
