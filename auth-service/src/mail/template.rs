//! What mails say, as text and as HTML. A letter is a list of parts; one place
//! writes them as text and one as HTML, and both escape what people chose
//! themselves: a name, an address, a device.
//!
//! Invariant: the HTML loads nothing and leads nowhere but to the page.

use std::{borrow::Cow, fmt::Write as _};

use shared::secret::Secret;

/// A letter, ready to be put into a message.
pub(super) struct Letter {
    /// One line, none of it chosen by anybody.
    pub(super) subject: &'static str,
    /// For readers without HTML.
    pub(super) text: String,
    /// The same as a document.
    pub(super) html: String,
}

/// A letter before it is written.
pub(super) struct Content {
    pub(super) subject: &'static str,
    pub(super) parts: Vec<Part>,
}

/// A part of a letter.
pub(super) enum Part {
    /// A paragraph.
    Says(Cow<'static, str>),
    /// Something to be clicked, and where it leads.
    Link(&'static str, Secret),
    /// Something to be kept.
    Code(Secret),
}

impl Part {
    pub(super) const fn says(text: &'static str) -> Self {
        Self::Says(Cow::Borrowed(text))
    }
}

impl Content {
    /// Writes the letter to whoever is called `name`, which may be empty.
    pub(super) fn write(&self, name: &str) -> Letter {
        let greeting = if name.is_empty() { "Hello,".to_owned() } else { format!("Hello {name},") };
        Letter { subject: self.subject, text: self.text(&greeting), html: self.html(&greeting) }
    }

    fn text(&self, greeting: &str) -> String {
        let mut text = format!("{}\n", wrapped(&one_line(greeting)));
        for part in &self.parts {
            let _ = match part {
                Part::Says(says) => writeln!(text, "\n{}", wrapped(&one_line(says))),
                Part::Link(label, target) => writeln!(text, "\n{label}:\n{}", target.expose()),
                Part::Code(code) => writeln!(text, "\n{}", code.expose()),
            };
        }
        text.push_str("\n-- \nDuet\n");
        text
    }

    fn html(&self, greeting: &str) -> String {
        let mut body = format!("<p>{}</p>\n", escaped(&one_line(greeting)));
        for part in &self.parts {
            let _ = match part {
                Part::Says(says) => writeln!(body, "<p>{}</p>", escaped(&one_line(says))),
                Part::Link(label, target) => {
                    let target = escaped(target.expose());
                    writeln!(
                        body,
                        "<p><a href=\"{target}\" style=\"{BUTTON}\">{}</a></p>\n\
                         <p style=\"{SMALL}\">Or copy this into your browser:<br>{target}</p>",
                        escaped(label)
                    )
                }
                Part::Code(code) => {
                    writeln!(body, "<p><code>{}</code></p>", escaped(code.expose()))
                }
            };
        }
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>{}</title>\n</head>\n\
             <body style=\"{BODY}\">\n{body}<p style=\"{SMALL}\">Duet</p>\n</body>\n</html>\n",
            escaped(self.subject)
        )
    }
}

const BODY: &str = "max-width:36em;margin:2em auto;padding:0 1em;\
    font:16px/1.5 system-ui,sans-serif;color:#1b1b1b;background:#ffffff";
const BUTTON: &str = "display:inline-block;padding:0.6em 1.2em;border-radius:0.3em;\
    background:#0b5fa5;color:#ffffff;text-decoration:none";
const SMALL: &str = "font-size:13px;color:#5a5a5a;overflow-wrap:anywhere";

/// Where lines of text are broken (RFC 5322 asks for 78 at most).
const LINE_CHARACTERS: usize = 72;

/// What somebody chose could look like a line of ours.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn wrapped(text: &str) -> String {
    let (mut wrapped, mut length) = (String::new(), 0);
    for word in text.split_whitespace() {
        let characters = word.chars().count();
        if length > 0 && length + 1 + characters > LINE_CHARACTERS {
            wrapped.push('\n');
            length = 0;
        } else if length > 0 {
            wrapped.push(' ');
            length += 1;
        }
        wrapped.push_str(word);
        length += characters;
    }
    wrapped
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_chose_is_neither_markup_nor_a_line_of_ours() {
        let name = "<img src=x onerror='a()'>\r\nBcc: eve@example.org";
        let content = Content {
            subject: "A & B",
            parts: vec![
                Part::Says(format!("It is for \"{name}\".").into()),
                Part::Link("Go & see", Secret::from("https://d.test/reset#token=dm_a".to_owned())),
                Part::Code(Secret::from("dr_<>".to_owned())),
            ],
        };
        let Letter { text, html, .. } = content.write(name);
        assert!(html.contains("&lt;img src=x onerror=&#39;a()&#39;&gt;"), "{html}");
        assert!(!html.contains("<img") && html.contains("<title>A &amp; B</title>"));
        assert!(html.contains("href=\"https://d.test/reset#token=dm_a\""), "{html}");
        assert!(html.contains("<code>dr_&lt;&gt;</code>"));
        assert!(text.lines().all(|line| !line.starts_with("Bcc")), "{text}");
        assert!(text.contains("\nhttps://d.test/reset#token=dm_a\n"), "{text}");
    }

    #[test]
    fn the_text_is_broken_at_words() {
        let long = "word ".repeat(60);
        let text = wrapped(&long);
        assert!(text.lines().count() > 3);
        assert!(text.lines().all(|line| line.len() <= LINE_CHARACTERS && !line.ends_with(' ')));
        assert_eq!(text.split_whitespace().count(), 60);
        assert_eq!(
            Content { subject: "", parts: Vec::new() }.write("").text,
            "Hello,\n\n-- \nDuet\n"
        );
    }
}
