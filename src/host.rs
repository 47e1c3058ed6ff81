//! `HOST:PORT` as people write it.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// An address, or a name that has yet to be resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// A literal address.
    Ip(IpAddr),
    /// A DNS name, or `localhost`.
    Name(String),
}

/// What is wrong with a text that should be a host and a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostPortError {
    /// There is nothing where the host should be.
    MissingHost,
    /// A character that no host name has, an IPv6 address without brackets, or a bracket left open.
    Host(BadHost),
    /// No `:PORT`.
    MissingPort,
    /// The port is not a decimal number.
    PortDigit(char),
    /// The port is above 65535.
    PortRange,
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

/// The value at that offset.
pub fn at<T>(offset: usize, what: T) -> At<T> {
    At { offset, what }
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

/// Reads `HOST:PORT`, where HOST is an IPv4 address, an IPv6 address in brackets, or a name.
///
/// # Errors
/// [`HostPortError`] with the byte offset at which it was found.
pub fn parse_host_port(text: &str) -> Result<(Host, u16), At<HostPortError>> {
    match parse_host_and_port(text)? {
        (host, Some(port)) => Ok((host, port)),
        (_, None) => Err(at(text.len(), HostPortError::MissingPort)),
    }
}

/// Reads `HOST` or `HOST:PORT`, as [`parse_host_port`] does.
///
/// # Errors
/// [`HostPortError`] with the byte offset at which it was found.
pub fn parse_host_and_port(text: &str) -> Result<(Host, Option<u16>), At<HostPortError>> {
    let (host, rest) = if let Some(inner) = text.strip_prefix('[') {
        let Some((ip, rest)) = inner.split_once(']') else {
            return Err(at(0, HostPortError::Host(BadHost::OpenBracket)));
        };
        let ip: Ipv6Addr = ip.parse().map_err(|_| at(1, HostPortError::Host(BadHost::NotIpv6)))?;
        (Host::Ip(IpAddr::from(ip).to_canonical()), rest)
    } else {
        if is_bare_ipv6(text) {
            return Err(at(0, HostPortError::Host(BadHost::BareIpv6)));
        }
        let host = text.split(':').next().unwrap_or_default();
        (parse_host(host)?, &text[host.len()..])
    };
    let port_at = text.len() - rest.len() + 1;
    match rest.strip_prefix(':') {
        None if rest.is_empty() => Ok((host, None)),
        Some(port) if !port.is_empty() => {
            let port = parse_port(port).map_err(|e| at(port_at + e.offset, e.what))?;
            Ok((host, Some(port)))
        }
        _ => Err(at(text.len(), HostPortError::MissingPort)),
    }
}

/// True for what starts like an IPv6 address, with or without a port behind it: hex digits up to the first of
/// two colons.
fn is_bare_ipv6(text: &str) -> bool {
    let mut parts = text.split(':');
    let first = parts.next().unwrap_or_default();
    first.bytes().all(|b| b.is_ascii_hexdigit()) && parts.nth(1).is_some()
}

fn parse_host(text: &str) -> Result<Host, At<HostPortError>> {
    if text.is_empty() {
        return Err(at(0, HostPortError::MissingHost));
    }
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Ok(Host::Ip(ip));
    }
    let bad = |offset, why| Err(at(offset, HostPortError::Host(why)));
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if let Some((offset, c)) = text.char_indices().find(|(_, c)| !allowed(*c)) {
        return bad(offset, BadHost::Character(c));
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    // Resolvers take 127.1 and 0x7f.1 for addresses, but no name ends with a number (RFC 3696 §2).
    if name.rsplit('.').next().is_some_and(is_number) {
        return bad(0, BadHost::NotIpv4);
    }
    if name.len() > 253 || name.split('.').any(|label| label.is_empty() || label.len() > 63) {
        return bad(0, BadHost::Name);
    }
    Ok(Host::Name(text.to_owned()))
}

fn is_number(label: &str) -> bool {
    let hex = label.strip_prefix("0x").or_else(|| label.strip_prefix("0X"));
    match hex {
        Some(hex) => hex.bytes().all(|b| b.is_ascii_hexdigit()),
        None => !label.is_empty() && label.bytes().all(|b| b.is_ascii_digit()),
    }
}

/// Reads a port.
///
/// # Errors
/// [`HostPortError`] with the byte offset at which it was found.
pub fn parse_port(text: &str) -> Result<u16, At<HostPortError>> {
    if let Some((offset, c)) = text.char_indices().find(|(_, c)| !c.is_ascii_digit()) {
        return Err(at(offset, HostPortError::PortDigit(c)));
    }
    text.parse().map_err(|_| at(0, HostPortError::PortRange))
}
