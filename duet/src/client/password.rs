//! Passwords: read from a line of standard input, or typed at the terminal
//! without being shown. Never from an argument or the environment, which others
//! can see.

use shared::secret::Secret;
use tonic::Code;

use super::{
    failure::Failure,
    output,
    prompt::{Answers, Echo},
};

const FLAG: &str = "--password-stdin";

/// The password on the next line of standard input.
pub(crate) fn read(answers: &mut Answers<'_>) -> Result<Secret, Failure> {
    answers.read("password")
}

/// The new password on the next line of standard input.
pub(crate) fn read_new(answers: &mut Answers<'_>) -> Result<Secret, Failure> {
    answers.read("new password")
}

/// Asks for the password of an account.
pub(crate) fn ask(email: &str, answers: &mut Answers<'_>) -> Result<Secret, Failure> {
    let question = format!("Password of {}: ", output::line(email));
    answers.ask(&question, Echo::Hidden, "password", FLAG)
}

/// Asks for a new password, twice.
pub(crate) fn ask_new(email: &str, answers: &mut Answers<'_>) -> Result<Secret, Failure> {
    let question = format!("New password of {}: ", output::line(email));
    let first = answers.ask(&question, Echo::Hidden, "password", FLAG)?;
    if answers.ask("The same again: ", Echo::Hidden, "password", FLAG)? == first {
        Ok(first)
    } else {
        Err(Failure::new(Code::InvalidArgument, "The two passwords are not the same."))
    }
}
