//! Who is at the other end of a call, as far as it is written down: the network
//! that it comes from and what the client calls itself. The whole address is
//! used for throttling and is never stored.

use std::net::{IpAddr, Ipv4Addr};

use serde_json::{Value, json};
use shared::call;
use uuid::Uuid;

use crate::{mail::Draft, throttle::Settlement};

/// The other end of a call.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its address.
    pub address: IpAddr,
    /// What it calls itself, cut to what is good to show.
    pub user_agent: String,
    /// Who it is, by its token: `users/…`, `serviceAccounts/…`; empty before a
    /// sign-in.
    actor: String,
    /// What is due when it opens a session.
    settles: Option<Settlement>,
    /// As what it operates this service, if it does; `data.operating` reads it.
    operator: Option<Value>,
    /// What the owner is told by mail of what it does; `data.send_notice` reads it.
    notice: Option<Value>,
}

impl Client {
    /// The client of the call being served.
    #[must_use]
    pub fn current() -> Self {
        let call = call::current();
        let said = call.as_ref().and_then(|call| call.user_agent.as_ref()?.to_str().ok());
        let said = said.unwrap_or_default();
        Self {
            address: call.as_ref().map_or(Ipv4Addr::UNSPECIFIED.into(), |call| call.client),
            user_agent: said.chars().filter(|c| !c.is_control()).take(200).collect(),
            actor: String::new(),
            settles: None,
            operator: None,
            notice: None,
        }
    }

    /// The same client, known to be this user.
    #[must_use]
    pub fn acting_as(self, user: Uuid) -> Self {
        Self { actor: shared::name::of_user(user), ..self }
    }

    /// The same client, with what is due when it opens a session.
    #[must_use]
    pub fn settling(self, settlement: Settlement) -> Self {
        Self { settles: Some(settlement), ..self }
    }

    /// The same client, who calls as an operator; who that is and whether it is
    /// one is for the database to say.
    #[must_use]
    pub fn operating(self, operator: Value) -> Self {
        Self { operator: Some(operator), ..self }
    }

    /// The same client, with what the owner is told of what it does.
    #[must_use]
    pub fn telling(self, notice: &Draft) -> Self {
        Self { notice: Some(notice.json()), ..self }
    }

    /// The network that the address belongs to: 24 bits of IPv4, 48 of IPv6.
    #[must_use]
    pub fn address_prefix(&self) -> String {
        match self.address.to_canonical() {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                format!("{a}.{b}.{c}.0/24")
            }
            IpAddr::V6(address) => {
                let [a, b, c, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}::/48")
            }
        }
    }

    /// For the database: what `data.audit` reads, and at the opening of a session
    /// `data.settle_sign_in` and `data.cap_sessions`.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "actor": self.actor,
            "address_prefix": self.address_prefix(),
            "device_label": self.device_label(),
            "settles": self.settles,
            "operator": self.operator,
            "notice": self.notice,
        })
    }

    /// What a person would call the client: browser and system, or the first
    /// word that it says.
    #[must_use]
    pub fn device_label(&self) -> String {
        self.known_device().unwrap_or_else(|| {
            let first = self.user_agent.split_whitespace().next().unwrap_or_default();
            first.chars().take(64).collect()
        })
    }

    /// The same for a mail, which has no word in it that the client chose.
    #[must_use]
    pub fn device_in_mail(&self) -> String {
        self.known_device().unwrap_or_else(|| "another device".to_owned())
    }

    /// Browser and system, if the browser is known.
    fn known_device(&self) -> Option<String> {
        let said = |needle: &&(&str, &str)| self.user_agent.contains(needle.0);
        let browser = BROWSERS.iter().find(said)?.1;
        Some(match SYSTEMS.iter().find(said) {
            Some((_, system)) => format!("{browser} on {system}"),
            None => browser.to_owned(),
        })
    }
}

/// What browsers say of themselves; most also claim to be those after them.
const BROWSERS: [(&str, &str); 5] = [
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

/// Systems; Android says Linux, too.
const SYSTEMS: [(&str, &str); 6] = [
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn client(address: &str, user_agent: &str) -> Client {
        Client {
            address: address.parse().unwrap(),
            user_agent: user_agent.to_owned(),
            actor: String::new(),
            settles: None,
            operator: None,
            notice: None,
        }
    }

    #[test]
    fn an_address_is_written_down_as_the_network_it_is_in() {
        assert_eq!(client("203.0.113.77", "").address_prefix(), "203.0.113.0/24");
        assert_eq!(client("::ffff:203.0.113.77", "").address_prefix(), "203.0.113.0/24");
        assert_eq!(client("2001:db8:1:2::3", "").address_prefix(), "2001:db8:1::/48");
    }

    #[test]
    fn a_device_is_called_what_a_person_would_call_it() {
        let label = |said: &str| client("::1", said).device_label();
        let mobile = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) \
            Chrome/130.0.0.0 Mobile Safari/537.36";
        assert_eq!(label(mobile), "Chrome on Android");
        assert_eq!(
            label("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"),
            "Firefox on Linux"
        );
        assert_eq!(label("grpcurl/1.9.3 grpc-go/1.61.0"), "grpcurl/1.9.3");
        assert_eq!(label(""), "");
        let in_mail = |said: &str| client("::1", said).device_in_mail();
        assert_eq!(in_mail(mobile), "Chrome on Android");
        for chosen in ["grpcurl/1.9.3 grpc-go/1.61.0", "Call-me Linux", ""] {
            assert_eq!(in_mail(chosen), "another device");
        }
    }
}
