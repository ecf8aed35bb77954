//! The words, signs and quoted texts that a filter consists of, each with its
//! place. What they mean together is the parser's.

use super::Fault;

/// A piece of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// Its first character, from 1.
    pub(super) at: usize,
    /// Whether there is a blank before it.
    pub(super) spaced: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Word(String),
    /// What stood between quotes.
    Text(String),
    Sign(Sign),
    Minus,
    Comma,
    Open,
    Close,
    End,
}

/// What compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Has,
}

/// The pieces of `text`, the last of them the `End`.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Fault> {
    let mut lexer = Lexer { chars: text.chars().collect(), next: 0 };
    let mut tokens = Vec::new();
    loop {
        let start = lexer.next;
        lexer.skip_blanks();
        let (at, spaced) = (lexer.next + 1, lexer.next > start);
        let kind = lexer.kind()?;
        let is_last = kind == Kind::End;
        tokens.push(Token { kind, at, spaced });
        if is_last {
            return Ok(tokens);
        }
    }
}

struct Lexer {
    chars: Vec<char>,
    next: usize,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.next + ahead).copied()
    }

    fn skip_blanks(&mut self) {
        while self.peek(0).is_some_and(char::is_whitespace) {
            self.next += 1;
        }
    }

    fn kind(&mut self) -> Result<Kind, Fault> {
        let Some(first) = self.peek(0) else { return Ok(Kind::End) };
        let followed = self.peek(1) == Some('=');
        let (kind, length) = match first {
            '(' => (Kind::Open, 1),
            ')' => (Kind::Close, 1),
            ',' => (Kind::Comma, 1),
            '-' => (Kind::Minus, 1),
            ':' => (Kind::Sign(Sign::Has), 1),
            '=' => (Kind::Sign(Sign::Equal), 1),
            '!' if followed => (Kind::Sign(Sign::NotEqual), 2),
            '<' if followed => (Kind::Sign(Sign::LessOrEqual), 2),
            '<' => (Kind::Sign(Sign::Less), 1),
            '>' if followed => (Kind::Sign(Sign::GreaterOrEqual), 2),
            '>' => (Kind::Sign(Sign::Greater), 1),
            '"' | '\'' => return self.quoted(first),
            _ => return self.word(),
        };
        self.next += length;
        Ok(kind)
    }

    fn quoted(&mut self, quote: char) -> Result<Kind, Fault> {
        let start = self.next + 1;
        let mut text = String::new();
        loop {
            self.next += 1;
            match self.peek(0) {
                Some('\\') => {
                    self.next += 1;
                    match self.peek(0) {
                        Some(escaped @ ('\\' | '"' | '\'')) => text.push(escaped),
                        _ => return Err(self.fault("a backslash stands before \\, \" or '.")),
                    }
                }
                Some(end) if end == quote => {
                    self.next += 1;
                    return Ok(Kind::Text(text));
                }
                Some(char) => text.push(self.storable(char)?),
                None => return Err(Fault::new(start, "this quote is never closed.")),
            }
        }
    }

    fn word(&mut self) -> Result<Kind, Fault> {
        let mut word = String::new();
        while let Some(char) = self.peek(0) {
            match char {
                _ if char.is_whitespace() => break,
                '(' | ')' | ',' | '=' | '<' | '>' => break,
                '!' if self.peek(1) == Some('=') => break,
                ':' if !self.is_in_a_time() => break,
                '"' => return Err(self.fault("expected a blank before the quote.")),
                _ => word.push(self.storable(char)?),
            }
            self.next += 1;
        }
        Ok(Kind::Word(word))
    }

    /// Whether the colon here stands between digits, as in `10:30`.
    fn is_in_a_time(&self) -> bool {
        let before = self.next.checked_sub(1).and_then(|before| self.chars.get(before));
        before.is_some_and(char::is_ascii_digit)
            && self.peek(1).is_some_and(|char| char.is_ascii_digit())
    }

    /// Refuses the one character that Postgres has no place for.
    fn storable(&self, char: char) -> Result<char, Fault> {
        if char == '\0' { Err(self.fault("no text has a NUL.")) } else { Ok(char) }
    }

    fn fault(&self, message: &str) -> Fault {
        Fault::new(self.next + 1, message)
    }
}
