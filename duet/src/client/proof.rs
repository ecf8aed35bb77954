//! Proofs of who the user is beyond the session: the code that ends a sign-in,
//! and the password, with a code where there is a second factor, that a command
//! has to bring which could cost the account.
//!
//! Invariant: what flags give is read before any service is asked, so a script
//! knows which line of its input is what. A person is asked only for what is
//! needed.

use proto::auth::v1::{
    Factor, FactorKind, ListFactorsRequest, account_service_client::AccountServiceClient,
    complete_sign_in_request, reauthenticate_request,
};
use shared::secret::Secret;
use tonic::Code;

use super::{
    failure::Failure,
    output, password,
    prompt::{Answers, Echo},
    session::Session,
};
use crate::cli::owner::Proof;

/// How often a person may type a code. The service ends a sign-in after as many.
const TRIES: usize = 5;

/// What a person is asked, by what there is besides.
const QUESTION: &str = "Code of your authenticator, or a recovery code: ";
const BESIDE_A_PASSKEY: &str = "Passkeys work in a browser; here it is the code of your \
                                authenticator, or a recovery code: ";
const FOR_A_PASSKEY: &str = "Passkeys work in a browser; here it is a recovery code: ";
const ON_PAPER: &str = "Recovery code: ";
const IN_A_BROWSER: &str = "Only a passkey is left of your second factors, and passkeys work in a \
                            browser.";

/// Where a code is to be read from standard input.
const FROM_INPUT: &str = "-";

/// What the flags gave to prove with.
#[derive(Debug, Default)]
pub(crate) struct Given {
    /// The password.
    pub(crate) password: Option<Secret>,
    /// A code of the second factor.
    pub(crate) code: Option<Secret>,
}

impl Given {
    /// Reads it: the password from the first line of standard input, then the
    /// code if it is there, too.
    pub(crate) fn by(proof: &Proof, answers: &mut Answers<'_>) -> Result<Self, Failure> {
        let Proof { password_stdin, code } = proof;
        let password = password_stdin.then(|| password::read(answers)).transpose()?;
        Ok(Self { password, code: given_code(code.as_ref(), answers)? })
    }
}

/// The code that a flag gave, or that stands on standard input. A recovery code
/// does only there: others can read a command line, and it is good for long.
pub(crate) fn given_code(
    flag: Option<&Secret>,
    answers: &mut Answers<'_>,
) -> Result<Option<Secret>, Failure> {
    match flag {
        None => Ok(None),
        Some(code) if code.expose() == FROM_INPUT => answers.read("code").map(Some),
        Some(code) if is_totp(code.expose()) => Ok(Some(code.clone())),
        Some(_) => Err(Failure::usage(
            "This is not the code of an authenticator; for a recovery code use `--code -`, \
             because others can read a command line.",
        )),
    }
}

/// Makes a call. If the service wants a recent proof of who the user is, it gets
/// one, and the call is made again.
pub(crate) async fn proven<A>(
    session: &mut Session,
    given: &Given,
    answers: &mut Answers<'_>,
    mut call: impl AsyncFnMut(&mut Session) -> Result<A, Failure>,
) -> Result<A, Failure> {
    match call(session).await {
        Err(failure) if failure.reason() == Some("REAUTHENTICATION_REQUIRED") => {
            prove(session, given, answers).await?;
            call(session).await
        }
        result => result,
    }
}

async fn prove(
    session: &mut Session,
    given: &Given,
    answers: &mut Answers<'_>,
) -> Result<(), Failure> {
    let password = match &given.password {
        Some(password) => password.clone(),
        None => password::ask(session.email(), answers)?,
    };
    let mut kinds = Vec::new();
    if given.code.is_none() {
        kinds = factors(session).await?.iter().map(Factor::kind).collect();
        if kinds.is_empty() {
            return session.prove(&password, None).await;
        }
    }
    with_code(given.code.as_ref(), &kinds, answers, async |code| {
        session.prove(&password, Some(of_proof(code))).await
    })
    .await
}

/// The second factors of the user, newest first.
pub(crate) async fn factors(session: &mut Session) -> Result<Vec<Factor>, Failure> {
    let answer = session
        .auth(ListFactorsRequest::default(), async |channel, request| {
            AccountServiceClient::new(channel).list_factors(request).await
        })
        .await?;
    Ok(answer.factors)
}

/// Tries the code that was given, or those that a person types, until one is
/// good. `kinds` are those of the factors that there are.
pub(crate) async fn with_code<A>(
    given: Option<&Secret>,
    kinds: &[FactorKind],
    answers: &mut Answers<'_>,
    mut attempt: impl AsyncFnMut(&Secret) -> Result<A, Failure>,
) -> Result<A, Failure> {
    match given {
        Some(code) => attempt(code).await,
        None => asked(question(kinds)?, "--code", answers, attempt).await,
    }
}

/// How a person is asked for a code where these kinds of factors are. No terminal
/// has a passkey answer.
fn question(kinds: &[FactorKind]) -> Result<&'static str, Failure> {
    let has = |kind| kinds.contains(&kind);
    let (app, paper) = (has(FactorKind::Totp), has(FactorKind::RecoveryCodes));
    match (has(FactorKind::Passkey), app, paper) {
        (true, true, _) => Ok(BESIDE_A_PASSKEY),
        (true, false, true) => Ok(FOR_A_PASSKEY),
        (true, false, false) => Err(Failure::new(Code::FailedPrecondition, IN_A_BROWSER)),
        (false, false, true) => Ok(ON_PAPER),
        (false, _, _) => Ok(QUESTION),
    }
}

/// Has a person type codes until one is good; `flag` would have given one.
pub(crate) async fn asked<A>(
    question: &str,
    flag: &str,
    answers: &mut Answers<'_>,
    mut attempt: impl AsyncFnMut(&Secret) -> Result<A, Failure>,
) -> Result<A, Failure> {
    let mut text = question.to_owned();
    let mut tries = 1;
    loop {
        let code = answers.ask(&text, Echo::Shown, "code", flag)?;
        match attempt(&code).await {
            Err(failure) if tries < TRIES && failure.is_of_code() => {
                text = format!("{}\n{question}", output::lines(&failure.to_string()));
                tries += 1;
            }
            result => return result,
        }
    }
}

/// A code as CompleteSignIn takes it.
pub(crate) fn of_sign_in(code: &Secret) -> complete_sign_in_request::Code {
    use complete_sign_in_request::Code::{RecoveryCode, TotpCode};
    let text = code.expose().to_owned();
    if is_totp(&text) { TotpCode(text) } else { RecoveryCode(text) }
}

/// A code as Reauthenticate takes it.
fn of_proof(code: &Secret) -> reauthenticate_request::Code {
    use reauthenticate_request::Code::{RecoveryCode, TotpCode};
    let text = code.expose().to_owned();
    if is_totp(&text) { TotpCode(text) } else { RecoveryCode(text) }
}

/// Whether a code looks like an authenticator's. One digit more or less is a
/// slip, and no recovery code.
fn is_totp(code: &str) -> bool {
    let mut typed = code.chars().filter(|c| !matches!(c, ' ' | '-'));
    typed.clone().count() < 10 && typed.all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_asked_for_what_there_is_not() {
        use FactorKind::{Passkey, RecoveryCodes, Totp};
        for (kinds, asked) in [
            (&[][..], Some(QUESTION)),
            (&[Totp], Some(QUESTION)),
            (&[Totp, RecoveryCodes], Some(QUESTION)),
            (&[Totp, RecoveryCodes, Passkey], Some(BESIDE_A_PASSKEY)),
            (&[Passkey, Totp], Some(BESIDE_A_PASSKEY)),
            (&[RecoveryCodes, Passkey], Some(FOR_A_PASSKEY)),
            (&[RecoveryCodes], Some(ON_PAPER)),
            (&[Passkey], None),
        ] {
            assert_eq!(question(kinds).ok(), asked, "{kinds:?}");
        }
    }

    #[test]
    fn a_code_is_told_by_its_looks() {
        for code in ["123456", "123 456", "123-456", "12345", "1234567"] {
            assert!(is_totp(code), "{code}");
        }
        for code in ["0123-4567-89ab-cdef", "0123456701234567", "12345a"] {
            assert!(!is_totp(code), "{code}");
        }
    }
}
