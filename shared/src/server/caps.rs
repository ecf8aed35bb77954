//! How many connections are open, in total and from each address.
//!
//! Invariant: a slot is given back when its connection ends, however it ends.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::Limits;

/// The connections of one listener. Clones share the count.
#[derive(Clone)]
pub(super) struct Caps(Arc<Inner>);

struct Inner {
    most: usize,
    most_per_address: usize,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// The right to be open.
pub(super) struct Slot {
    caps: Caps,
    address: IpAddr,
}

impl Caps {
    pub(super) fn new(limits: &Limits) -> Self {
        Self(Arc::new(Inner {
            most: limits.max_connections,
            most_per_address: limits.max_connections_per_address,
            open: Mutex::default(),
        }))
    }

    /// A slot for a connection from `address`, or the limit that stands against it.
    pub(super) fn admit(&self, address: IpAddr) -> Result<Slot, &'static str> {
        let address = whole(address);
        let mut open = self.open();
        if open.total >= self.0.most {
            return Err("max_connections");
        }
        let from_there = open.by_address.entry(address).or_default();
        if *from_there >= self.0.most_per_address {
            return Err("max_connections_per_address");
        }
        *from_there += 1;
        open.total += 1;
        drop(open);
        Ok(Slot { caps: self.clone(), address })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = self.caps.open();
        open.total -= 1;
        if let Entry::Occupied(mut count) = open.by_address.entry(self.address) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

/// What counts as one address: one customer usually has a whole IPv6 /64.
fn whole(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_come_back_and_addresses_are_counted_apart() {
        let caps = Caps::new(&Limits {
            max_connections: 3,
            max_connections_per_address: 2,
            ..Limits::default()
        });
        let [a, b]: [IpAddr; 2] =
            ["2001:db8::1".parse().unwrap(), "::ffff:192.0.2.1".parse().unwrap()];
        let neighbour = "2001:db8::2".parse().unwrap();
        let first = caps.admit(a).ok().unwrap();
        let _second = caps.admit(neighbour).ok().unwrap();
        assert_eq!(caps.admit(a).err(), Some("max_connections_per_address"));
        let third = caps.admit(b).ok().unwrap();
        assert_eq!(caps.admit(b).err(), Some("max_connections"));
        drop((first, third));
        assert!(caps.admit(a).is_ok());
        assert_eq!(caps.open().by_address.len(), 1);
    }
}
