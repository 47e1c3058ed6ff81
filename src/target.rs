//! What a person writes to name an Ethereum node: enode URL, ENR, `host:port`, or a network's name.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::codec::key::PublicKey;
use crate::codec::{DecodeError, Fault};
use crate::discv4::enode::{At, BadHost, EnodeError, Host, SCHEME, parse_host_port};
use crate::discv4::enr::{self, TextError};
use crate::discv4::{Enode, Record};

/// A target, or the name of a network that stands for some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// A node.
    Node(EthTarget),
    /// A word without dot, colon or slash.
    Network(String),
}

/// A node: where it is and, unless its address alone was given, its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EthTarget {
    /// The key that is expected to answer.
    pub key: Option<PublicKey>,
    /// Where to find it.
    pub place: Place,
}

/// Where a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A host, which may be a name, with its UDP and its TCP port (0: none).
    Host(Host, u16, u16),
    /// The endpoints of a record, the better one first: UDP address and TCP port (0: none).
    Endpoints(Vec<(SocketAddr, u16)>),
}

/// Why a text names no target, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetError {
    /// Bytes from the start of the text.
    pub offset: usize,
    /// What is wrong there.
    pub why: Why,
}

/// Why a text names no target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// There is no text.
    Empty,
    /// A URL of another scheme.
    Scheme,
    /// A public key and nothing else.
    KeyAlone,
    /// No enode URL, or no host and port.
    Enode(EnodeError),
    /// The UDP port is 0, which means that the node has no UDP endpoint.
    NoUdp,
    /// The record names no address and UDP port.
    RecordWithoutUdp,
    /// No record.
    Enr(TextError),
    /// The name of a network in a network's own list of nodes.
    NetworkInList,
    /// The name of no network that we know.
    UnknownNetwork(Box<UnknownNetwork>),
    /// A line of a file that is not UTF-8.
    NotUtf8,
    /// A line of a file that is longer than this, in bytes.
    LineTooLong(usize),
    /// A line that starts with `{` and is no JSON, or has no `target` that is a string.
    Json(&'static str),
}

/// A name that no network has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownNetwork {
    /// As written.
    pub name: String,
    /// The known name that is nearest, if it is near.
    pub nearest: Option<String>,
    /// All known names.
    pub known: Vec<String>,
}

/// No network's name is longer, in bytes; what is, and has neither dot nor colon, is a record without its prefix.
const MAX_NAME: usize = 64;

impl Written {
    /// Reads a target.
    ///
    /// # Errors
    /// [`TargetError`]. Names of networks are not looked up here.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        let error = |offset, why| TargetError { offset, why };
        let enode_error = |At { offset, what }| error(offset, Why::Enode(what));
        if text.is_empty() {
            return Err(error(0, Why::Empty));
        }
        if text.starts_with(SCHEME) {
            let enode = Enode::parse(text).map_err(enode_error)?;
            if enode.udp == 0 {
                return Err(error(text.len(), Why::NoUdp));
            }
            let Enode { key, host, tcp, udp } = enode;
            return Ok(EthTarget { key: Some(key), place: Place::Host(host, udp, tcp) }.into());
        }
        if text.starts_with(enr::PREFIX) {
            return record(text).map(Written::from);
        }
        if text.contains("://") || text.contains('@') {
            return Err(error(0, Why::Scheme));
        }
        if text.len() >= 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(error(text.len(), Why::KeyAlone));
        }
        if text.len() > MAX_NAME && !text.contains(['.', ':', '/']) {
            return Err(error(0, Why::Enr(TextError::Prefix)));
        }
        if !text.contains(['.', ':', '/', '[']) && text != "localhost" {
            return Ok(Written::Network(text.to_owned()));
        }
        let (host, port) = parse_host_port(text).map_err(enode_error)?;
        if port == 0 {
            return Err(error(text.len() - 1, Why::NoUdp));
        }
        // Nodes use one port number for both unless they say otherwise.
        Ok(EthTarget { key: None, place: Place::Host(host, port, port) }.into())
    }
}

impl From<EthTarget> for Written {
    fn from(target: EthTarget) -> Self {
        Written::Node(target)
    }
}

fn record(text: &str) -> Result<EthTarget, TargetError> {
    let record = Record::parse(text).map_err(|e| TargetError {
        offset: match e {
            TextError::Base64 { offset } => offset,
            TextError::Prefix | TextError::Record(_) => 0,
        },
        why: Why::Enr(e),
    })?;
    let Some(first) = record.endpoint() else {
        return Err(TargetError { offset: 0, why: Why::RecordWithoutUdp });
    };
    let both = [record.endpoint_v4(), record.endpoint_v6()];
    let other = both.into_iter().flatten().find(|other| *other != first);
    let endpoints = [first].into_iter().chain(other).collect();
    Ok(EthTarget { key: Some(*record.key()), place: Place::Endpoints(endpoints) })
}

/// A target for a text line: the key of an enode URL and the body of a record are cut short.
pub fn shortened(target: &str) -> String {
    const KEPT: usize = 8;
    let head = |text: &str| text.chars().take(KEPT).collect::<String>();
    if let Some(rest) = target.strip_prefix(SCHEME) {
        return match rest.split_once('@') {
            Some((key, place)) if key.len() > KEPT => format!("{}…@{place}", head(key)),
            _ => rest.to_owned(),
        };
    }
    match target.strip_prefix(enr::PREFIX) {
        // All records start alike; what tells them apart is the signature, from the fifth character on.
        Some(rest) if rest.len() > 2 * KEPT => {
            format!("{}{}…", enr::PREFIX, rest.chars().take(2 * KEPT).collect::<String>())
        }
        _ => target.to_owned(),
    }
}

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.why.fmt(f)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::Empty => f.write_str("there is no target"),
            Why::Scheme => f.write_str(
                "this is no node: write enode://KEY@HOST:PORT, enr:…, HOST:PORT or a network's name",
            ),
            Why::KeyAlone => {
                f.write_str("a public key alone has no address: write enode://KEY@HOST:PORT")
            }
            Why::Enode(error) => error.fmt(f),
            Why::NoUdp => f.write_str("the UDP port is 0: this node has no UDP endpoint to ping"),
            Why::RecordWithoutUdp => {
                f.write_str("the record names no UDP endpoint: it lacks an address or a UDP port")
            }
            Why::Enr(error) => error.fmt(f),
            Why::NetworkInList => f.write_str(
                "a network's list cannot name a network: write enode://KEY@HOST:PORT, enr:… or HOST:PORT",
            ),
            Why::UnknownNetwork(unknown) => {
                let UnknownNetwork { name, nearest, known } = &**unknown;
                write!(f, "there is no network named '{}'", name.escape_debug())?;
                match nearest {
                    Some(nearest) => write!(f, "; did you mean '{nearest}'?"),
                    None => write!(
                        f,
                        "; there are {} (--config FILE adds others, a host needs a port)",
                        known.join(", ")
                    ),
                }
            }
            Why::NotUtf8 => f.write_str("the line is not UTF-8 text"),
            Why::LineTooLong(limit) => write!(f, "the line is longer than {limit} bytes"),
            Why::Json(what) => f.write_str(what),
        }
    }
}

impl fmt::Display for EnodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EnodeError::KeyLength { found } => {
                write!(f, "the public key has {found} hex digits, not 128")
            }
            EnodeError::KeyDigit(c) => {
                write!(f, "'{}' is no hex digit of a public key", c.escape_debug())
            }
            EnodeError::KeyNotOnCurve => f.write_str("the public key is no point on secp256k1"),
            EnodeError::MissingHost => {
                f.write_str("the host is missing: write HOST:PORT or enode://KEY@HOST:PORT")
            }
            EnodeError::MissingPort => {
                f.write_str("the port is missing: write HOST:PORT (30303 is usual)")
            }
            EnodeError::PortDigit(c) => write!(f, "'{}' is no digit of a port", c.escape_debug()),
            EnodeError::PortRange => f.write_str("the port is above 65535"),
            EnodeError::DiscPort => f.write_str("discport is no port (0 to 65535)"),
            EnodeError::BadHost(bad) => bad.fmt(f),
        }
    }
}

impl fmt::Display for BadHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadHost::Character(c) => {
                write!(f, "'{}' cannot stand in a host name", c.escape_debug())
            }
            BadHost::OpenBracket => f.write_str("'[' without ']'"),
            BadHost::NotIpv6 => f.write_str("no IPv6 address between the brackets"),
            BadHost::BareIpv6 => f.write_str("an IPv6 address needs brackets: [ADDRESS]:PORT"),
            BadHost::Name => f.write_str("no host name: a part of it is empty or too long"),
            BadHost::NotIpv4 => f.write_str("no IPv4 address: four numbers from 0 to 255 make one"),
        }
    }
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TextError::Prefix => f.write_str("a record starts with enr:"),
            TextError::Base64 { .. } => f.write_str(
                "not base64url: a record is letters, digits, '-' and '_', whole and without '='",
            ),
            TextError::Record(DecodeError {
                fault: Fault::OverLimit { limit, .. }, field, ..
            }) if *field == "record" => {
                write!(f, "the record is longer than {limit} bytes")
            }
            TextError::Record(error) => write!(f, "the record is not valid: {error}"),
        }
    }
}

/// True if an address is of a family that is in use.
pub fn family_allowed(ip: IpAddr, families: Families) -> bool {
    match ip {
        IpAddr::V4(_) => families.v4,
        IpAddr::V6(_) => families.v6,
    }
}

/// Which address families are in use (`-4`, `-6`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Families {
    /// IPv4.
    pub v4: bool,
    /// IPv6.
    pub v6: bool,
}
