//! Addresses of the internet: networks in CIDR notation, and the network that stands for one client.
//!
//! Promise: an IPv4 address has one form here, also where it came wrapped in IPv6 (`::ffff:…`).
//! Deliberately not here: where an address was read from; `http::client_address` decides what to believe.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// A network: an address and how many of its first bits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Network {
    bits: u128,
    prefix: u8,
}

/// A text is no address and no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an address such as 10.0.0.1 and not a network such as 10.0.0.0/8 or fd00::/8")]
pub struct InvalidNetwork;

/// Bits of an IPv6 address that one client is given: within its /64 it chooses addresses as it likes.
const CLIENT_PREFIX_V6: u8 = 64;
/// Bits before an IPv4 address in its IPv6 form.
const V4_OFFSET: u8 = 96;

/// The 128 bits of an address, IPv4 in its mapped form.
fn bits(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

const fn mask(prefix: u8) -> u128 {
    if prefix == 0 { 0 } else { u128::MAX << (128 - prefix) }
}

impl Network {
    fn new(address: IpAddr, prefix: u8) -> Self {
        Self { bits: bits(address) & mask(prefix), prefix }
    }

    /// What counts as one client: an IPv4 address, or the /64 that an IPv6 address lies in.
    pub fn of_client(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(_) => Self::new(address, 128),
            IpAddr::V6(_) => Self::new(address, CLIENT_PREFIX_V6),
        }
    }

    /// Whether an address lies in the network.
    pub fn contains(self, address: IpAddr) -> bool {
        bits(address) & mask(self.prefix) == self.bits
    }
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| InvalidNetwork)?;
        let (offset, most) = if address.is_ipv4() { (V4_OFFSET, 32) } else { (0, 128) };
        let prefix = match prefix {
            None => most,
            Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                text.parse().ok().filter(|prefix| *prefix <= most).ok_or(InvalidNetwork)?
            }
            Some(_) => return Err(InvalidNetwork),
        };
        Ok(Self::new(address, offset + prefix))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = Ipv6Addr::from_bits(self.bits);
        match address.to_ipv4_mapped() {
            Some(v4) if self.prefix >= V4_OFFSET => write!(f, "{v4}/{}", self.prefix - V4_OFFSET),
            _ => write!(f, "{address}/{}", self.prefix),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap_or_else(|_| panic!("{text}"))
    }

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_network_holds_its_addresses_and_no_others() {
        let ten = network("10.1.0.0/16");
        assert!(ten.contains(address("10.1.255.1")) && ten.contains(address("::ffff:10.1.0.9")));
        assert!(!ten.contains(address("10.2.0.1")) && !ten.contains(address("::1")));
        assert!(network("192.0.2.7").contains(address("192.0.2.7")));
        assert!(!network("192.0.2.7").contains(address("192.0.2.8")));
        assert!(network("fd00::/8").contains(address("fd12::1")));
        assert!(network("0.0.0.0/0").contains(address("203.0.113.1")));
        assert!(!network("0.0.0.0/0").contains(address("2001:db8::1")), "IPv4 as a whole is not IPv6");
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.1/", "10.0.0.1/+8", "localhost", "10.0.0.1/8/8"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_client_is_an_ipv4_address_or_a_64_of_ipv6() {
        assert_eq!(Network::of_client(address("192.0.2.7")), Network::of_client(address("::ffff:192.0.2.7")));
        assert_ne!(Network::of_client(address("192.0.2.7")), Network::of_client(address("192.0.2.8")));
        assert_eq!(Network::of_client(address("2001:db8::1")), Network::of_client(address("2001:db8::ffff:2")));
        assert_ne!(Network::of_client(address("2001:db8::1")), Network::of_client(address("2001:db8:0:1::1")));
        assert_eq!(Network::of_client(address("192.0.2.7")).to_string(), "192.0.2.7/32");
        assert_eq!(Network::of_client(address("2001:db8::1")).to_string(), "2001:db8::/64");
        assert_eq!(network("10.1.0.0/16").to_string(), "10.1.0.0/16");
    }
}
