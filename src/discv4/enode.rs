//! `enode://KEY@HOST:TCP?discport=UDP` (the enode URL format).

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use data_encoding::HEXLOWER_PERMISSIVE;

use crate::codec::key::PublicKey;

/// The start of every enode URL.
pub const SCHEME: &str = "enode://";
const KEY_DIGITS: usize = 128;

/// A node's key and where it is said to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enode {
    /// The node's public key.
    pub key: PublicKey,
    /// Where it is.
    pub host: Host,
    /// TCP port; 0 is normal and means none.
    pub tcp: u16,
    /// UDP port: `discport` where given, else the TCP port; 0 means that it has no UDP endpoint.
    pub udp: u16,
}

/// An address, or a name that has yet to be resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// A literal address.
    Ip(IpAddr),
    /// A DNS name, or `localhost`.
    Name(String),
}

/// What is wrong with a text that should be an enode URL, a host or a port. Columns are counted by the
/// caller; [`At`] carries the byte offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnodeError {
    /// The public key does not have 128 hex digits.
    KeyLength {
        /// Characters before the `@`.
        found: usize,
    },
    /// A character of the public key is no hex digit.
    KeyDigit(char),
    /// The public key is no point on secp256k1.
    KeyNotOnCurve,
    /// No `@HOST`, or nothing between `@` and the port.
    MissingHost,
    /// A character that no host name has, an IPv6 address without brackets, or a bracket left open.
    BadHost(BadHost),
    /// No `:PORT`.
    MissingPort,
    /// The port is not a decimal number.
    PortDigit(char),
    /// The port is above 65535.
    PortRange,
    /// There is a `discport` and it is not a port.
    DiscPort,
}

/// Why a host is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadHost {
    /// A character that no host name has.
    Character(char),
    /// `[` without `]`.
    OpenBracket,
    /// What stands between the brackets is no IPv6 address.
    NotIpv6,
    /// An IPv6 address that is not between brackets.
    BareIpv6,
    /// An empty label, a label above 63 bytes, or a name above 253 bytes (RFC 1035 §2.3.4).
    Name,
    /// Only digits and dots, and yet no IPv4 address.
    NotIpv4,
}

/// A value, or an error, at a byte offset of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At<T> {
    /// Offset in bytes from the start of the text.
    pub offset: usize,
    /// What is there.
    pub what: T,
}

fn at<T>(offset: usize, what: T) -> At<T> {
    At { offset, what }
}

impl Enode {
    /// Reads an enode URL. Query keys other than the first `discport`, an empty `discport` and a
    /// fragment are ignored, as geth does.
    ///
    /// # Errors
    /// [`EnodeError`] with the byte offset at which it was found.
    pub fn parse(text: &str) -> Result<Self, At<EnodeError>> {
        let rest = text.strip_prefix(SCHEME).unwrap_or(text);
        let key_at = text.len() - rest.len();
        let (key_text, place) = match rest.split_once('@') {
            Some((key, place)) => (key, Some(place)),
            None => (rest, None),
        };
        let key = parse_key(key_text).map_err(|e| at(key_at + e.offset, e.what))?;
        let Some(place) = place else {
            return Err(at(text.len(), EnodeError::MissingHost));
        };
        let place_at = text.len() - place.len();
        let place = place.split('#').next().unwrap_or_default();
        let (place, query) = place.split_once('?').unwrap_or((place, ""));
        let mut query_at = place_at + place.len() + 1;
        let place = place.strip_suffix('/').unwrap_or(place);
        let (host, tcp) = parse_host_port(place).map_err(|e| at(place_at + e.offset, e.what))?;
        let mut udp = tcp;
        for pair in query.split('&') {
            if let Some(value) = pair.strip_prefix("discport=") {
                if !value.is_empty() {
                    let value_at = query_at + "discport=".len();
                    udp = parse_port(value).map_err(|_| at(value_at, EnodeError::DiscPort))?;
                }
                // The first one counts.
                break;
            }
            query_at += pair.len() + 1;
        }
        Ok(Enode { key, host, tcp, udp })
    }
}

impl fmt::Display for Enode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Enode { key, host, tcp, udp } = self;
        write!(f, "{SCHEME}{key}@{host}:{tcp}")?;
        if udp != tcp {
            write!(f, "?discport={udp}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Ip(IpAddr::V4(ip)) => ip.fmt(f),
            Host::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
            Host::Name(name) => f.write_str(name),
        }
    }
}

fn parse_key(text: &str) -> Result<PublicKey, At<EnodeError>> {
    if let Some((offset, digit)) = text.char_indices().find(|(_, c)| !c.is_ascii_hexdigit()) {
        return Err(at(offset, EnodeError::KeyDigit(digit)));
    }
    if text.len() != KEY_DIGITS {
        return Err(at(0, EnodeError::KeyLength { found: text.len() }));
    }
    let mut xy = [0; 64];
    HEXLOWER_PERMISSIVE
        .decode_mut(text.as_bytes(), &mut xy)
        .map_err(|_| at(0, EnodeError::KeyLength { found: text.len() }))?;
    PublicKey::from_xy(&xy).map_err(|_| at(0, EnodeError::KeyNotOnCurve))
}

/// Reads `HOST:PORT`, where HOST is an IPv4 address, an IPv6 address in brackets, or a name.
///
/// # Errors
/// [`EnodeError`] with the byte offset at which it was found.
pub fn parse_host_port(text: &str) -> Result<(Host, u16), At<EnodeError>> {
    let (host, rest) = if let Some(inner) = text.strip_prefix('[') {
        let Some((ip, rest)) = inner.split_once(']') else {
            return Err(at(0, EnodeError::BadHost(BadHost::OpenBracket)));
        };
        let ip: Ipv6Addr = ip.parse().map_err(|_| at(1, EnodeError::BadHost(BadHost::NotIpv6)))?;
        (Host::Ip(IpAddr::from(ip).to_canonical()), rest)
    } else {
        if is_bare_ipv6(text) {
            return Err(at(0, EnodeError::BadHost(BadHost::BareIpv6)));
        }
        let host = text.split(':').next().unwrap_or_default();
        (parse_host(host)?, &text[host.len()..])
    };
    let port_at = text.len() - rest.len() + 1;
    match rest.strip_prefix(':') {
        Some(port) if !port.is_empty() => {
            let port = parse_port(port).map_err(|e| at(port_at + e.offset, e.what))?;
            Ok((host, port))
        }
        _ => Err(at(text.len(), EnodeError::MissingPort)),
    }
}

/// True for what starts like an IPv6 address, with or without a port behind it: hex digits up to the first of
/// two colons.
fn is_bare_ipv6(text: &str) -> bool {
    let mut parts = text.split(':');
    let first = parts.next().unwrap_or_default();
    first.bytes().all(|b| b.is_ascii_hexdigit()) && parts.nth(1).is_some()
}

fn parse_host(text: &str) -> Result<Host, At<EnodeError>> {
    if text.is_empty() {
        return Err(at(0, EnodeError::MissingHost));
    }
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Ok(Host::Ip(ip));
    }
    let bad = |offset, why| Err(at(offset, EnodeError::BadHost(why)));
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if let Some((offset, c)) = text.char_indices().find(|(_, c)| !allowed(*c)) {
        return bad(offset, BadHost::Character(c));
    }
    if text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return bad(0, BadHost::NotIpv4);
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    if name.len() > 253 || name.split('.').any(|label| label.is_empty() || label.len() > 63) {
        return bad(0, BadHost::Name);
    }
    Ok(Host::Name(text.to_owned()))
}

fn parse_port(text: &str) -> Result<u16, At<EnodeError>> {
    if let Some((offset, c)) = text.char_indices().find(|(_, c)| !c.is_ascii_digit()) {
        return Err(at(offset, EnodeError::PortDigit(c)));
    }
    text.parse().map_err(|_| at(0, EnodeError::PortRange))
}

#[cfg(test)]
mod tests {
    //! The query of an enode URL: which `discport` counts, and where a wrong one stands.

    use super::*;

    /// Reads the place of an enode; the offset of an error is from the start of the place.
    fn ports(place: &str) -> Result<(u16, u16), At<EnodeError>> {
        // The generator point is a public key, too.
        let key = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798\
                   483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8";
        let text = format!("{SCHEME}{key}@{place}");
        let start = text.len() - place.len();
        let ports = Enode::parse(&text).map(|enode| (enode.tcp, enode.udp));
        ports.map_err(|e| at(e.offset - start, e.what))
    }

    #[test]
    fn the_first_discport_counts() {
        assert_eq!(ports("1.2.3.4:5?discport=6&discport=7"), Ok((5, 6)));
        assert_eq!(ports("1.2.3.4:5?discport=&discport=7"), Ok((5, 5)));
        assert_eq!(ports("1.2.3.4:5?a=b&discport=6&c"), Ok((5, 6)));
    }

    #[test]
    fn a_wrong_discport_is_found_where_it_stands() {
        assert_eq!(ports("1.2.3.4:5?discport=x"), Err(at(19, EnodeError::DiscPort)));
        assert_eq!(ports("1.2.3.4:5/?discport=x"), Err(at(20, EnodeError::DiscPort)));
        assert_eq!(ports("1.2.3.4:5/?a&discport=x"), Err(at(22, EnodeError::DiscPort)));
    }
}
