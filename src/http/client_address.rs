//! Which address a request comes from: read here and nowhere else, for the record and for the limits.
//!
//! The address is that of the connection, unless the connection is a trusted proxy's (`server.trusted_proxies`). Then it
//! is the right-most address of `X-Forwarded-For` that is no trusted proxy: every proxy appends the address that it
//! saw, so that whatever stands further left was written by somebody we have no reason to believe. `Forwarded`
//! (RFC 7239) is not read: two headers that say the same thing would be two ways to say something else.

use std::net::{IpAddr, SocketAddr};

use actix_web::http::header::{HeaderMap, HeaderName};

use crate::kernel::network::Network;

/// The header that proxies append to.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of the client behind a connection from `peer`.
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut nearest = peer.to_canonical();
    // Lines of one name are one list, in their order.
    let lines: Vec<&str> = headers.get_all(FORWARDED_FOR).map(|line| line.to_str().unwrap_or("")).collect();
    for named in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        if !is_trusted(nearest) {
            break;
        }
        // What cannot be read was not written by a proxy that we know: the nearest known address stands.
        let Some(address) = parse(named.trim()) else { break };
        nearest = address;
    }
    nearest
}

/// An address as proxies write it: alone, with a port, in brackets.
fn parse(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let with_port = || text.parse::<SocketAddr>().map(|address| address.ip()).ok();
    bare.parse::<IpAddr>().ok().or_else(with_port).map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn seen(peer: &str, lines: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, HeaderValue::from_str(line).expect("a header"));
        }
        let trusted: Vec<Network> = trusted.iter().map(|text| text.parse().expect("a network")).collect();
        client_address(peer.parse().expect("an address"), &headers, &trusted).to_string()
    }

    #[test]
    fn a_stranger_is_where_its_connection_comes_from_whatever_it_says() {
        assert_eq!(seen("203.0.113.9", &["198.51.100.1"], &[]), "203.0.113.9");
        assert_eq!(seen("203.0.113.9", &["198.51.100.1"], &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(seen("::ffff:203.0.113.9", &[], &[]), "203.0.113.9");
    }

    #[test]
    fn behind_trusted_proxies_the_right_most_address_that_is_none_of_them_counts() {
        let trusted = ["10.0.0.0/8", "fd00::/8"];
        assert_eq!(seen("10.0.0.1", &["198.51.100.1"], &trusted), "198.51.100.1");
        // The client wrote the first one itself.
        assert_eq!(seen("10.0.0.1", &["1.1.1.1, 198.51.100.1"], &trusted), "198.51.100.1");
        assert_eq!(seen("10.0.0.1", &["1.1.1.1, 198.51.100.1, 10.0.0.2"], &trusted), "198.51.100.1");
        assert_eq!(seen("10.0.0.1", &["1.1.1.1", "198.51.100.1,10.0.0.2"], &trusted), "198.51.100.1");
        assert_eq!(seen("fd00::1", &["[2001:db8::7]:4711"], &trusted), "2001:db8::7");
        assert_eq!(seen("10.0.0.1", &["198.51.100.1:52011"], &trusted), "198.51.100.1");
    }

    #[test]
    fn what_a_proxy_did_not_write_is_not_read() {
        let trusted = ["10.0.0.0/8"];
        assert_eq!(seen("10.0.0.1", &[], &trusted), "10.0.0.1", "a proxy asks for itself");
        assert_eq!(seen("10.0.0.1", &["10.0.0.3, 10.0.0.2"], &trusted), "10.0.0.3", "all of them are ours");
        assert_eq!(seen("10.0.0.1", &["198.51.100.1, unknown"], &trusted), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", &["198.51.100.1, nonsense, 10.0.0.2"], &trusted), "10.0.0.2");
        assert_eq!(seen("10.0.0.1", &[""], &trusted), "10.0.0.1");
    }
}
