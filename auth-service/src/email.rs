//! E-mail addresses and display names: they exist only if they are valid.

use email_address::{EmailAddress, Options};

/// The longest address, in bytes (RFC 5321 with its erratum 1690).
const MAX_BYTES: usize = 254;

/// An e-mail address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Reads an address, without blanks around it.
    ///
    /// # Errors
    /// In words for the caller.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim_matches(' ');
        if text.is_empty() {
            return Err("An email address is needed");
        }
        if text.len() > MAX_BYTES {
            return Err("An email address has at most 254 bytes");
        }
        let plain = |c: char| !c.is_control() && !c.is_whitespace() && c != '"' && c != '\\';
        let options =
            Options::default().with_required_tld().without_domain_literal().without_display_text();
        match EmailAddress::parse_with_options(text, options) {
            Ok(address) if text.chars().all(plain) => Ok(Self(address.as_str().to_owned())),
            _ => Err("Invalid email format"),
        }
    }

    /// The address as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What makes two addresses the same: case does not.
    #[must_use]
    pub fn canonical(&self) -> String {
        self.0.to_lowercase()
    }
}

/// What a user wants to be called; may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DisplayName(String);

impl DisplayName {
    /// Reads a name, without blanks around it.
    ///
    /// # Errors
    /// In words for the caller.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        if text.chars().count() > 100 {
            return Err("A display name has at most 100 characters.");
        }
        if text.chars().any(char::is_control) {
            return Err("A display name is one line without control characters.");
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s1_4_addresses_are_read_strictly() {
        let good = Email::parse(" Ada.Lovelace+tasks@Example.ORG ").unwrap();
        assert_eq!(good.as_str(), "Ada.Lovelace+tasks@Example.ORG");
        assert_eq!(good.canonical(), "ada.lovelace+tasks@example.org");
        assert!(Email::parse(&format!("{}@{}.org", "a".repeat(64), "b".repeat(60))).is_ok());
        for bad in [
            "",
            "ada",
            "ada@",
            "@example.org",
            "ada@localhost",
            "a@b@example.org",
            "ada@exa mple.org",
            "ada@example.org\r\nBcc: x@y.zz",
            "ada\0@example.org",
            "\"a b\"@example.org",
            "Ada <ada@example.org>",
            "ada@[127.0.0.1]",
            &format!(
                "{}@{}.org",
                "a".repeat(64),
                ["bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"; 4].join(".")
            ),
        ] {
            assert!(Email::parse(bad).is_err(), "{bad}");
        }
    }
}
