//! A mail as it leaves (RFC 5322): headers, text, HTML. Whoever sends it again
//! sends the same bytes under the same Message-ID, so that a reader sees it once.
//!
//! Invariant: nothing that a person chose stands in a header, but the address.

use lettre::{
    Address, Message,
    message::{
        Mailbox, MultiPart, SinglePart,
        header::{HeaderName, HeaderValue},
    },
};

use super::{outbox::Leased, template::Letter};

/// RFC 3834: nobody's absence is to be answered to us.
const AUTO_SUBMITTED: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");

/// Puts a letter into a message.
///
/// # Errors
/// In words for the log: the recipient's address is none that mail goes to.
pub(super) fn compose(mail: &Leased, from: &Mailbox, letter: Letter) -> Result<Message, String> {
    let recipient: Address = mail.recipient.parse().map_err(|error| format!("{error}"))?;
    let Letter { subject, text, html } = letter;
    let message_id = format!("<{}@{}>", mail.id, from.email.domain());
    let body = MultiPart::alternative()
        .boundary(format!("duet-{}", mail.id.simple()))
        .singlepart(SinglePart::plain(text))
        .singlepart(SinglePart::html(html));
    Message::builder()
        .message_id(Some(message_id))
        .date(mail.created_at.into())
        .from(from.clone())
        .to(Mailbox::new(None, recipient))
        .subject(subject)
        .raw_header(HeaderValue::new(AUTO_SUBMITTED, "auto-generated".to_owned()))
        .multipart(body)
        .map_err(|error| error.to_string())
}
