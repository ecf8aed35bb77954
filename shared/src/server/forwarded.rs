//! Whom a call comes from where proxies stand in front. Their word counts only
//! if the connection is one of theirs: everybody else can write the header, too.
//!
//! Only `X-Forwarded-For` is read. A proxy that writes one of the two headers
//! hands on the other as its client wrote it, so reading both (`Forwarded`, RFC
//! 7239, as well) would believe clients.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use http::HeaderMap;

const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// A network in CIDR notation, `10.0.0.0/8` or `2001:db8::/32`; an address alone
/// is a network of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// Never an IPv4 address in the form of IPv6.
    address: IpAddr,
    bits: u8,
}

/// Why a text is not a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a network is an address and a number of bits, as in 10.0.0.0/8 or 2001:db8::/32")]
pub struct NotANetwork;

impl Network {
    /// Whether `address` belongs to it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let unlike = network.to_bits() ^ address.to_bits();
                unlike.checked_shr(32 - u32::from(self.bits)).unwrap_or(0) == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let unlike = network.to_bits() ^ address.to_bits();
                unlike.checked_shr(128 - u32::from(self.bits)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(a, b)| (a, Some(b)));
        let address: IpAddr = address.parse().map_err(|_| NotANetwork)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), str::parse).map_err(|_| NotANetwork)?;
        // ::ffff:10.0.0.0/104 would be 10.0.0.0/8; nobody writes it.
        if bits > most || address != address.to_canonical() {
            return Err(NotANetwork);
        }
        Ok(Self { address, bits })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

/// The address that a call comes from: that of the connection, or if it belongs
/// to a trusted proxy, the last that such a proxy saw and that is none itself.
pub(super) fn client(trusted: &[Network], peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let is_proxy = |address| trusted.iter().any(|network| network.contains(address));
    let mut client = peer.to_canonical();
    if trusted.is_empty() || !is_proxy(client) {
        return client;
    }
    let fields = headers.get_all(X_FORWARDED_FOR).iter().rev();
    // What is no text says nothing, and ends what can be believed as well.
    let hops = fields.flat_map(|field| field.to_str().unwrap_or("?").rsplit(','));
    for hop in hops {
        let Some(address) = address(hop.trim()) else { return client };
        client = address;
        if !is_proxy(client) {
            return client;
        }
    }
    client
}

/// Reads an address; some proxies add the port.
fn address(text: &str) -> Option<IpAddr> {
    let address = text.parse::<IpAddr>().ok();
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<IpAddr>().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    address.or_else(bracketed).or_else(with_port).map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(trusted: &[&str], peer: &str, fields: &[&str]) -> String {
        let trusted: Vec<Network> = trusted.iter().map(|text| text.parse().unwrap()).collect();
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(X_FORWARDED_FOR, field.parse().unwrap());
        }
        client(&trusted, peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn a_stranger_is_not_believed() {
        let forged = &["203.0.113.9"];
        assert_eq!(seen(&[], "192.0.2.1", forged), "192.0.2.1");
        assert_eq!(seen(&["10.0.0.0/8"], "192.0.2.1", forged), "192.0.2.1");
        assert_eq!(seen(&[], "::ffff:192.0.2.1", forged), "192.0.2.1");
    }

    #[test]
    fn of_what_proxies_saw_the_last_that_is_none_of_them_counts() {
        let trusted = &["10.0.0.0/8", "2001:db8:ffff::/48"];
        for (fields, client) in [
            (&["203.0.113.9"][..], "203.0.113.9"),
            (&["198.51.100.1, 203.0.113.9"], "203.0.113.9"),
            (&["198.51.100.1", "203.0.113.9,10.1.1.1"], "203.0.113.9"),
            (&["203.0.113.9:4711, 2001:db8:ffff::7"], "203.0.113.9"),
            (&["[2001:db8::9]:4711"], "2001:db8::9"),
            (&["[2001:db8::9]"], "2001:db8::9"),
            (&["::ffff:203.0.113.9"], "203.0.113.9"),
            (&["10.9.9.9, 10.1.1.1"], "10.9.9.9"),
            (&["203.0.113.9, unknown"], "10.0.0.1"),
            (&["203.0.113.9, unknown, 10.1.1.1"], "10.1.1.1"),
            (&["203.0.113.9,"], "10.0.0.1"),
            (&[""], "10.0.0.1"),
            (&[], "10.0.0.1"),
        ] {
            assert_eq!(seen(trusted, "10.0.0.1", fields), client, "{fields:?}");
            assert_eq!(seen(trusted, "::ffff:10.0.0.1", fields), client, "{fields:?}");
        }
    }

    #[test]
    fn a_network_is_what_its_first_bits_say() {
        let holds = |network: &str, address: &str| {
            network.parse::<Network>().unwrap().contains(address.parse().unwrap())
        };
        assert!(holds("172.16.0.0/12", "172.31.255.255") && !holds("172.16.0.0/12", "172.32.0.0"));
        assert!(holds("10.1.2.3/8", "10.200.0.1") && holds("0.0.0.0/0", "203.0.113.9"));
        assert!(holds("192.0.2.1", "192.0.2.1") && !holds("192.0.2.1", "192.0.2.2"));
        assert!(holds("2001:db8::/32", "2001:db8:9::1") && !holds("2001:db8::/32", "2001:db9::1"));
        assert!(holds("::/0", "2001:db8::1") && !holds("::/0", "192.0.2.1"));
        assert!(holds("::1", "::1") && !holds("::1/128", "::2"));
        for bad in ["", "10.0.0.0/33", "::/129", "10.0.0/8", "a/8", "10.0.0.0/", "10.0.0.0/-1"] {
            assert_eq!(bad.parse::<Network>(), Err(NotANetwork), "{bad}");
        }
        assert_eq!("::ffff:10.0.0.0/104".parse::<Network>(), Err(NotANetwork));
    }
}
