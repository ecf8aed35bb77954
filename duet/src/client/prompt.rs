//! Who answers a question: a person at the terminal that the program was started
//! from, or a script by lines of standard input, whichever the flags say.
//!
//! Invariants: what is secret is not shown while it is typed; of standard input
//! no more is read than the lines that were asked for.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write as _},
};

use shared::secret::Secret;
use tonic::Code;

use super::failure::Failure;

/// The longest answer, far beyond what any service accepts.
const LONGEST: usize = 8 * 1024;

/// How an answer is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Echo {
    /// It is seen.
    Shown,
    /// It is not.
    Hidden,
}

/// Somebody who can be asked.
pub trait Terminal {
    /// Asks for a line.
    ///
    /// # Errors
    /// `Interrupted` or `UnexpectedEof` if no answer is given; any other if there
    /// is no terminal.
    fn ask(&mut self, question: &str, echo: Echo) -> io::Result<Secret>;
}

/// The terminal that the program was started from, wherever its input and output
/// go.
#[derive(Clone, Copy, Debug)]
pub struct ControllingTerminal;

impl Terminal for ControllingTerminal {
    fn ask(&mut self, question: &str, echo: Echo) -> io::Result<Secret> {
        if echo == Echo::Hidden {
            return rpassword::prompt_password(question).map(Secret::from);
        }
        let mut terminal: File = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
        terminal.write_all(question.as_bytes())?;
        line_of(&mut terminal)?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

/// Where answers come from.
pub(crate) struct Answers<'a> {
    /// Standard input.
    pub(crate) input: &'a mut dyn Read,
    terminal: &'a mut dyn Terminal,
}

impl<'a> Answers<'a> {
    /// Answers from a person or from standard input.
    pub(crate) fn new(input: &'a mut dyn Read, terminal: &'a mut dyn Terminal) -> Self {
        Self { input, terminal }
    }

    /// The next line of standard input; `what` is what should stand there.
    pub(crate) fn read(&mut self, what: &str) -> Result<Secret, Failure> {
        let line = line_of(self.input)
            .map_err(|error| Failure::usage(format!("Standard input cannot be read: {error}.")))?;
        line.filter(|line| !line.expose().is_empty())
            .ok_or_else(|| Failure::usage(format!("There is no {what} on standard input.")))
    }

    /// Asks a person for `what`; `flag` would have given it.
    pub(crate) fn ask(
        &mut self,
        question: &str,
        echo: Echo,
        what: &str,
        flag: &str,
    ) -> Result<Secret, Failure> {
        self.terminal.ask(question, echo).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted | io::ErrorKind::UnexpectedEof => {
                Failure::new(Code::Cancelled, format!("No {what} was given."))
            }
            _ => Failure::usage(format!("There is no terminal to ask for the {what}; use {flag}.")),
        })
    }
}

/// A line without its end; none at the end of everything.
pub(crate) fn line_of(input: &mut dyn Read) -> io::Result<Option<Secret>> {
    // Room for all of it: what is moved leaves a copy in memory.
    let mut line = Vec::with_capacity(LONGEST);
    // A byte at a time: what follows the line is another answer.
    let mut byte = [0];
    let ended = loop {
        match input.read(&mut byte) {
            Ok(0) => break false,
            Ok(_) if byte == *b"\n" => break true,
            Ok(_) if line.len() == LONGEST => return Err(io::Error::other("a line is too long")),
            Ok(_) => line.extend(byte),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    };
    if !ended && line.is_empty() {
        return Ok(None);
    }
    if ended && line.last() == Some(&b'\r') {
        line.pop();
    }
    let line = String::from_utf8(line).map_err(|_| io::Error::other("it is not UTF-8"))?;
    Ok(Some(Secret::from(line)))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nobody;

    impl Terminal for Nobody {
        fn ask(&mut self, _: &str, _: Echo) -> io::Result<Secret> {
            Err(io::ErrorKind::NotFound.into())
        }
    }

    #[test]
    fn a_line_is_an_answer_without_its_end() {
        for (input, first, second) in [
            ("hush", "hush", None),
            ("hush\n", "hush", None),
            ("hush\r\nmore\n", "hush", Some("more")),
            (" hush \nmore", " hush ", Some("more")),
            ("hush\r", "hush\r", None),
        ] {
            let (mut input, mut nobody) = (input.as_bytes(), Nobody);
            let mut answers = Answers::new(&mut input, &mut nobody);
            assert_eq!(answers.read("password").unwrap().expose(), first);
            let next = answers.read("code");
            assert_eq!(next.ok().as_ref().map(Secret::expose), second, "{first:?}");
        }
    }

    #[test]
    fn what_is_not_there_is_told_with_what_would_give_it() {
        let long = [b'x'; LONGEST + 1];
        for input in [&b""[..], b"\n", b"\xff\n", &long] {
            let (mut input, mut nobody) = (input, Nobody);
            let mut answers = Answers::new(&mut input, &mut nobody);
            assert_eq!(answers.read("password").unwrap_err().exit(), 64);
            let failure = answers.ask("Code: ", Echo::Shown, "code", "--code").unwrap_err();
            assert_eq!(failure.exit(), 64);
            assert_eq!(
                failure.to_string(),
                "There is no terminal to ask for the code; use --code."
            );
        }
    }
}
