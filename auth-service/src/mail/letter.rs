//! The words of every mail. A new kind of mail gets its words here.

use chrono::{DateTime, Utc};
use shared::secret::Secret;

use super::{
    Mail, Outbox, Sealed,
    outbox::Leased,
    template::{Content, Part},
    token::Purpose,
};

/// Where links in mails lead.
pub(super) struct Links<'a> {
    /// The page's address, without a slash at its end.
    pub(super) page: &'a str,
    /// What opens the secrets.
    pub(super) outbox: &'a Outbox,
}

const NOT_YOU: &str = "If it was not you, ignore this mail; nothing happens then.";

impl Links<'_> {
    /// What a mail says. None if its secret was sealed by a key that is gone.
    pub(super) fn content(&self, mail: &Leased) -> Option<Content> {
        match &mail.mail {
            Mail::Verify { token } => self.verify(mail, token),
            Mail::SignUp { token } => self.sign_up(mail, token),
            Mail::AddressTaken {} => Some(self.address_taken()),
            Mail::Reset { token } => self.reset(mail, token),
            Mail::PasswordChanged { device } => Some(self.password_changed(mail, device)),
            Mail::FactorAdded { device } => Some(self.factor_added(mail, device)),
            Mail::FactorRemoved { device } => Some(self.factor_removed(mail, device)),
            Mail::RecoveryCodesMade { device } => Some(self.recovery_codes_made(mail, device)),
            Mail::ChangeOld { token, new_email } => self.change_old(mail, token, new_email),
            Mail::ChangeNew { token } => self.change_new(mail, token),
            Mail::EmailChanged {} => Some(email_changed(mail)),
            Mail::DeletionReceipt { token } => self.deletion_receipt(mail, token),
        }
    }

    fn verify(&self, mail: &Leased, token: &Sealed) -> Option<Content> {
        let parts = vec![
            Part::says(
                "This address was given for an account of Duet. If it was you, please verify that \
                it is yours. The link is good for 24 hours.",
            ),
            self.link(mail, Purpose::Verify, token)?,
            Part::says("If it was not you, do not follow the link."),
        ];
        Some(Content { subject: "Please verify your address", parts })
    }

    fn sign_up(&self, mail: &Leased, token: &Sealed) -> Option<Content> {
        let parts = vec![
            Part::says(
                "Somebody signed up for Duet with this address. If it was you, please verify that \
                it is yours: then your account is made, and you can sign in with the password \
                that you chose. The link is good for 24 hours.",
            ),
            self.link(mail, Purpose::SignUp, token)?,
            Part::says(
                "If it was not you, do not follow the link: the account would have somebody \
                else's password. Nothing happens without you.",
            ),
        ];
        Some(Content { subject: "Please finish your sign-up", parts })
    }

    fn address_taken(&self) -> Content {
        let parts = vec![
            Part::says(
                "Somebody signed up for Duet with this address, which has an account already. If \
                it was you, sign in instead; if you forgot your password, you can set a new one:",
            ),
            self.forgot(),
            Part::says(NOT_YOU),
        ];
        Content { subject: "You have an account already", parts }
    }

    fn reset(&self, mail: &Leased, token: &Sealed) -> Option<Content> {
        let parts = vec![
            Part::says(
                "Somebody asked for a new password for your account. The link is good for 30 \
                minutes and works once. When the new password is set, you are signed out \
                everywhere.",
            ),
            self.link(mail, Purpose::Reset, token)?,
            Part::says(NOT_YOU),
        ];
        Some(Content { subject: "Set a new password", parts })
    }

    fn password_changed(&self, mail: &Leased, device: &str) -> Content {
        let parts = vec![
            happened("The password of your account was changed", mail.created_at, device),
            Part::says(
                "All other devices were signed out. If it was not you, set a new password at once:",
            ),
            self.forgot(),
        ];
        Content { subject: "Your password was changed", parts }
    }

    fn factor_added(&self, mail: &Leased, device: &str) -> Content {
        let parts = vec![
            happened("A second factor was added to your account", mail.created_at, device),
            Part::says(
                "Whoever signs in is asked for one beside the password. If it was not you, \
                somebody knows your password: set a new password at once, and then remove the \
                second factor. If you cannot sign in, ask whoever runs this service to remove it.",
            ),
            self.forgot(),
        ];
        Content { subject: "A second factor was added", parts }
    }

    fn factor_removed(&self, mail: &Leased, device: &str) -> Content {
        let parts = vec![
            happened("A second factor of your account was removed", mail.created_at, device),
            Part::says("If you did not ask for that, set a new password at once:"),
            self.forgot(),
        ];
        Content { subject: "A second factor was removed", parts }
    }

    fn recovery_codes_made(&self, mail: &Leased, device: &str) -> Content {
        let parts = vec![
            happened("New recovery codes were made for your account", mail.created_at, device),
            Part::says(
                "The earlier ones are good no more. If it was not you, set a new password at once:",
            ),
            self.forgot(),
        ];
        Content { subject: "You have new recovery codes", parts }
    }

    fn change_old(&self, mail: &Leased, token: &Sealed, new_email: &str) -> Option<Content> {
        let asks = format!(
            "Somebody who is signed in to your account wants it to have the address {new_email} \
            instead of this one. It changes when both addresses have agreed. The link is good \
            for 24 hours."
        );
        let parts = vec![
            Part::Says(asks.into()),
            self.link(mail, Purpose::ChangeOld, token)?,
            Part::says(
                "If it was not you, do not follow the link, and change your password: somebody \
                else is signed in to your account.",
            ),
        ];
        Some(Content { subject: "Shall your account get another address?", parts })
    }

    fn change_new(&self, mail: &Leased, token: &Sealed) -> Option<Content> {
        let parts = vec![
            Part::says(
                "Somebody wants their account of Duet to have this address. If it was you, please \
                agree. The link is good for 24 hours.",
            ),
            self.link(mail, Purpose::ChangeNew, token)?,
            Part::says("If it was not you, do not follow the link. Nothing happens then."),
        ];
        Some(Content { subject: "Shall this be the address of an account?", parts })
    }

    fn deletion_receipt(&self, mail: &Leased, token: &Sealed) -> Option<Content> {
        let parts = vec![
            happened("Your account was deleted", mail.created_at, ""),
            Part::says(
                "With this code you can ask for a year which service has erased your data when:",
            ),
            Part::Code(secret(self.outbox.open(mail.id, token)?.as_slice())?),
        ];
        Some(Content { subject: "Your account was deleted", parts })
    }

    fn forgot(&self) -> Part {
        Part::Link("Set a new password", Secret::from(format!("{}/forgot", self.page)))
    }

    /// The link with a token. It stands after the `#`, which browsers keep to
    /// themselves: no server and no log on the way gets to see it.
    fn link(&self, mail: &Leased, purpose: Purpose, token: &Sealed) -> Option<Part> {
        let (label, path) = match purpose {
            Purpose::Verify | Purpose::SignUp => ("Verify this address", "verify"),
            Purpose::Reset => ("Set a new password", "reset"),
            Purpose::ChangeOld | Purpose::ChangeNew => ("Agree to the change", "verify"),
        };
        let token = self.outbox.open_token(mail.id, mail.user, purpose, token)?.text();
        let target = format!("{}/{path}#token={}", self.page, token.expose());
        Some(Part::Link(label, Secret::from(target)))
    }
}

fn email_changed(mail: &Leased) -> Content {
    let parts = vec![
        happened("The address of your account was changed", mail.created_at, ""),
        Part::says(
            "Both addresses had agreed. From now on mails about your account go to the new one, \
            and you sign in with it.",
        ),
    ];
    Content { subject: "Your account has another address", parts }
}

fn happened(what: &str, at: DateTime<Utc>, device: &str) -> Part {
    let at = at.format("%-d %B %Y at %H:%M UTC");
    let with = if device.is_empty() { String::new() } else { format!(", with {device}") };
    Part::Says(format!("{what} on {at}{with}.").into())
}

fn secret(bytes: &[u8]) -> Option<Secret> {
    Some(Secret::from(std::str::from_utf8(bytes).ok()?.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use shared::secret::Key;
    use uuid::Uuid;

    use super::*;
    use crate::{
        mail::{Draft, template::Letter, tests::one_of_each},
        sealing::Sealer,
    };

    /// What a document says, without what it looks like.
    fn words(html: &str) -> Vec<String> {
        let (_, body) = html.split_once("<body").unwrap();
        let (mut said, mut outside) = (String::new(), false);
        for c in body.chars() {
            match c {
                '<' => outside = false,
                '>' => {
                    outside = true;
                    said.push(' ');
                }
                c if outside => said.push(c),
                _ => {}
            }
        }
        let said = said.replace("&#39;", "'").replace("Or copy this into your browser:", "");
        said.split_whitespace().map(str::to_owned).collect()
    }

    /// Every mail says the same as text and as HTML, and leads to the same places; its
    /// lines are as short as RFC 5322 asks for, but for links.
    #[test]
    fn both_parts_of_every_mail_say_the_same() {
        let outbox = Outbox::new(Arc::new(Sealer::new(&Key::random(), None)));
        let links = Links { page: "https://page.test", outbox: &outbox };
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        for Draft { id, mail, give_up_at, .. } in one_of_each(&outbox, now) {
            let leased = Leased {
                user: Uuid::from_u128(7),
                id,
                recipient: "ada@example.org".to_owned(),
                display_name: "Ada ".repeat(25),
                mail,
                attempts: 1,
                created_at: now,
                give_up_at,
            };
            let kind = leased.mail.kind();
            let Letter { text, html, .. } =
                links.content(&leased).unwrap().write(leased.display_name.trim());
            let targets: Vec<&str> =
                text.lines().filter(|line| line.starts_with("https://")).collect();
            let hrefs: Vec<&str> =
                html.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
            assert_eq!(targets, hrefs, "{kind}");
            let long =
                text.lines().find(|line| line.chars().count() > 78 && !targets.contains(line));
            assert_eq!(long, None, "{kind}");
            // As text a link has a colon before it, and the signature a line.
            let said = text.replace(":\nhttps://", "\nhttps://").replace("\n-- \n", "\n");
            let said: Vec<&str> = said.split_whitespace().collect();
            assert_eq!(said, words(&html), "{kind}");
        }
    }
}
