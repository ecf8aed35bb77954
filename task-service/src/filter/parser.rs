//! The grammar of filters (AIP-160): AND, written or not, between factors, OR
//! between the terms of a factor, NOT or a minus before a term.
//!
//! Invariant: no filter is longer, has more terms or is nested deeper than the
//! limits say, so neither this nor anything that walks the tree can run away.

use super::{
    Expression, Fault, MAX_BYTES, MAX_DEPTH, MAX_TERMS,
    lexer::{Kind, Sign, Token, tokens},
    term::{Field, Misfit, Term},
    value::{Argument, Value},
};

const TERM: &str = "expected a comparison such as status = OPEN, or a text to look for.";
const VALUE: &str = "expected a value.";
const DAYS: &str = "expected a number of days, at most 36525 either way.";
const FUNCTIONS: &str =
    "the functions are today() and days(n), after a field as in due <= today().";

/// Reads a filter; None if there is nothing in it.
pub(super) fn parse(text: &str) -> Result<Option<Expression>, Fault> {
    if text.len() > MAX_BYTES {
        let fits = |(at, char): &(usize, char)| at + char.len_utf8() <= MAX_BYTES;
        let fitting = text.char_indices().take_while(fits).count();
        return Err(Fault::new(fitting + 1, format!("a filter has at most {MAX_BYTES} bytes.")));
    }
    let mut rest = tokens(text)?;
    rest.reverse();
    let end = Token { kind: Kind::End, at: text.chars().count() + 1, spaced: false };
    let mut parser = Parser { rest, end, terms: 0, depth: 0 };
    if parser.next().kind == Kind::End {
        return Ok(None);
    }
    let expression = parser.expression()?;
    match parser.take() {
        Token { kind: Kind::End, .. } => Ok(Some(expression)),
        token => Err(Fault::new(token.at, "there is no parenthesis to close.")),
    }
}

struct Parser {
    /// What was not taken yet, the next one last.
    rest: Vec<Token>,
    /// What comes after all of it.
    end: Token,
    terms: usize,
    depth: usize,
}

impl Parser {
    /// Factors with AND or a blank between them, up to the end or a closing
    /// parenthesis.
    fn expression(&mut self) -> Result<Expression, Fault> {
        let mut factors = vec![self.factor()?];
        loop {
            match &self.next().kind {
                Kind::End | Kind::Close => return Ok(joined(Expression::And, factors)),
                Kind::Word(word) if word == "AND" => drop(self.take()),
                _ => {}
            }
            factors.push(self.factor()?);
        }
    }

    /// Terms with OR between them.
    fn factor(&mut self) -> Result<Expression, Fault> {
        let mut terms = vec![self.term()?];
        while matches!(&self.next().kind, Kind::Word(word) if word == "OR") {
            self.take();
            terms.push(self.term()?);
        }
        Ok(joined(Expression::Or, terms))
    }

    fn term(&mut self) -> Result<Expression, Fault> {
        let negated = match &self.next().kind {
            Kind::Minus => {
                self.take();
                if self.next().spaced {
                    return Err(self.fault("a minus stands right before what it excludes."));
                }
                true
            }
            Kind::Word(word) if word == "NOT" => {
                self.take();
                true
            }
            _ => false,
        };
        let expression = self.simple()?;
        if !self.next().spaced && !matches!(&self.next().kind, Kind::End | Kind::Close) {
            return Err(self.fault("expected a blank."));
        }
        Ok(if negated { Expression::Not(Box::new(expression)) } else { expression })
    }

    /// What stands in parentheses, a comparison, or a text.
    fn simple(&mut self) -> Result<Expression, Fault> {
        let Token { kind, at, .. } = self.take();
        let text = match kind {
            Kind::Open => return self.nested(at),
            Kind::Word(word) if is_keyword(&word) => {
                return Err(Fault::new(at, keyword_fault(&word)));
            }
            Kind::Word(word) => {
                if let Kind::Sign(sign) = self.next().kind {
                    let field = Field::named(&word).map_err(|text| Fault::new(at, text))?;
                    return self.comparison(at, field, sign);
                }
                if self.is_call() {
                    return Err(Fault::new(at, FUNCTIONS));
                }
                word
            }
            Kind::Text(text) => {
                if matches!(&self.next().kind, Kind::Sign(_)) {
                    return Err(Fault::new(at, "the name of a field stands without quotes."));
                }
                text
            }
            Kind::Sign(_) | Kind::Minus | Kind::Comma | Kind::Close | Kind::End => {
                return Err(Fault::new(at, TERM));
            }
        };
        let term = Term::anywhere(text).map_err(|text| Fault::new(at, text))?;
        self.counted(at, term)
    }

    fn nested(&mut self, at: usize) -> Result<Expression, Fault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let text = format!("parentheses stand at most {MAX_DEPTH} deep in each other.");
            return Err(Fault::new(at, text));
        }
        let expression = self.expression()?;
        self.depth -= 1;
        match &self.next().kind {
            Kind::Close => {
                self.take();
                Ok(expression)
            }
            _ => Err(self.fault(&format!("the parenthesis at character {at} is never closed."))),
        }
    }

    fn comparison(&mut self, at: usize, field: Field, sign: Sign) -> Result<Expression, Fault> {
        let sign_at = self.take().at;
        let value_at = self.next().at;
        let argument = self.argument()?;
        let term = Term::comparison(field, sign, argument).map_err(|misfit| match misfit {
            Misfit::Sign(expected) => Fault::new(sign_at, expected),
            Misfit::Value(expected) => Fault::new(value_at, expected),
        })?;
        self.counted(at, term)
    }

    fn argument(&mut self) -> Result<Argument, Fault> {
        let Token { kind, at, .. } = self.take();
        match kind {
            Kind::Text(text) => Ok(Argument::Value(Value { text, quoted: true })),
            Kind::Minus => match self.take() {
                Token { kind: Kind::Word(word), spaced: false, .. } => {
                    Ok(Argument::Value(Value { text: format!("-{word}"), quoted: false }))
                }
                _ => Err(Fault::new(at, VALUE)),
            },
            Kind::Word(word) if self.is_call() => self.call(at, &word),
            Kind::Word(text) => Ok(Argument::Value(Value { text, quoted: false })),
            _ => Err(Fault::new(at, VALUE)),
        }
    }

    /// `today()` or `days(n)`, of which the name was taken.
    fn call(&mut self, at: usize, name: &str) -> Result<Argument, Fault> {
        self.take();
        let days = match name {
            "today" => 0,
            "days" => {
                let at = self.next().at;
                let days = self.argument().ok().and_then(Argument::days);
                days.ok_or_else(|| Fault::new(at, DAYS))?
            }
            _ => return Err(Fault::new(at, FUNCTIONS)),
        };
        match self.take() {
            Token { kind: Kind::Close, .. } => Ok(Argument::Today { days }),
            token => Err(Fault::new(token.at, "expected a closing parenthesis.")),
        }
    }

    fn counted(&mut self, at: usize, term: Term) -> Result<Expression, Fault> {
        self.terms += 1;
        if self.terms > MAX_TERMS {
            return Err(Fault::new(at, format!("a filter has at most {MAX_TERMS} terms.")));
        }
        Ok(Expression::Term(term))
    }

    /// Whether a parenthesis follows at once.
    fn is_call(&self) -> bool {
        let next = self.next();
        next.kind == Kind::Open && !next.spaced
    }

    fn next(&self) -> &Token {
        self.rest.last().unwrap_or(&self.end)
    }

    fn take(&mut self) -> Token {
        self.rest.pop().unwrap_or_else(|| self.end.clone())
    }

    fn fault(&self, message: &str) -> Fault {
        Fault::new(self.next().at, message)
    }
}

fn joined(join: fn(Vec<Expression>) -> Expression, mut parts: Vec<Expression>) -> Expression {
    if parts.len() == 1 { parts.remove(0) } else { join(parts) }
}

fn is_keyword(word: &str) -> bool {
    ["AND", "OR", "NOT"].iter().any(|keyword| word.eq_ignore_ascii_case(keyword))
}

/// Why a keyword cannot stand where a term should. In small letters it was
/// probably meant as a keyword, and would silently look for the word.
fn keyword_fault(word: &str) -> String {
    let keyword = word.to_ascii_uppercase();
    if word == keyword {
        TERM.to_owned()
    } else {
        format!("write {keyword} in capitals, or \"{word}\" in quotes for the word.")
    }
}
