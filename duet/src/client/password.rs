//! Where a password comes from: standard input, or the terminal without being
//! shown. Never from an argument or the environment, which others can see.

use std::io::{self, Read};

use shared::secret::Secret;
use tonic::Code;

use super::failure::Failure;

/// More than any service accepts.
const LONGEST: u64 = 8 * 1024;

/// The password on standard input, without the line end.
pub(crate) fn read(input: &mut dyn Read) -> Result<Secret, Failure> {
    let mut text = String::new();
    input
        .take(LONGEST)
        .read_to_string(&mut text)
        .map_err(|error| Failure::usage(format!("Standard input cannot be read: {error}.")))?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    match text.as_str() {
        "" => Err(Failure::usage("There is no password on standard input.")),
        _ => Ok(Secret::from(text)),
    }
}

/// Asks for the password of an account.
pub(crate) fn ask(email: &str) -> Result<Secret, Failure> {
    prompt(&format!("Password of {}: ", super::output::line(email)))
}

/// Asks for a new password, twice.
pub(crate) fn ask_new(email: &str) -> Result<Secret, Failure> {
    let first = ask(email)?;
    if prompt("The same again: ")? == first {
        Ok(first)
    } else {
        Err(Failure::new(Code::InvalidArgument, "The two passwords are not the same."))
    }
}

fn prompt(text: &str) -> Result<Secret, Failure> {
    rpassword::prompt_password(text).map(Secret::from).map_err(|error| match error.kind() {
        io::ErrorKind::Interrupted => Failure::new(Code::Cancelled, "No password was given."),
        _ => Failure::usage("There is no terminal to ask for the password; use --password-stdin."),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_line_end_is_not_part_of_the_password() {
        for (input, password) in [
            ("hush", "hush"),
            ("hush\n", "hush"),
            ("hush\r\n", "hush"),
            (" hush \n\n", " hush \n"),
            ("hush\r", "hush\r"),
        ] {
            assert_eq!(read(&mut input.as_bytes()).unwrap().expose(), password);
        }
        assert_eq!(read(&mut "\n".as_bytes()).unwrap_err().exit(), 64);
        assert_eq!(read(&mut [0xff_u8].as_slice()).unwrap_err().exit(), 64);
    }
}
