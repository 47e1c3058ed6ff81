//! Why a text names no target, and the words for it.

use std::fmt;

use crate::codec::{DecodeError, Fault};
use crate::discv4::enode::EnodeError;
use crate::discv4::enr::TextError;
use crate::host::{BadHost, HostPortError};

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
    /// A URL of another scheme, or anything else that is no target of this protocol.
    NotATarget(Protocol),
    /// An enode URL or an ENR where a Bitcoin node is needed.
    EthereumNode,
    /// A public key and nothing else.
    KeyAlone,
    /// No enode URL, or no host and port.
    Enode(EnodeError),
    /// No host, or no port.
    HostPort(HostPortError),
    /// No port, and none that goes without saying.
    NoDefaultPort,
    /// The TCP port is 0.
    PortZero,
    /// The address of an overlay network that we do not reach: Tor, I2P.
    Overlay,
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
    /// The same in the field `network` of a JSON line.
    UnknownInJson(Box<UnknownNetwork>),
    /// A JSON line that another command wrote: this one.
    OtherCommand(String),
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
    /// Whose networks were searched.
    pub protocol: Protocol,
    /// As written.
    pub name: String,
    /// The known names that are nearest, if they are near.
    pub nearest: Vec<String>,
    /// All known names.
    pub known: Vec<String>,
    /// True if the other protocol has a network of this name.
    pub is_the_others: bool,
}

impl UnknownNetwork {
    /// True if its text says what may have been meant.
    pub fn is_explained(&self) -> bool {
        self.is_the_others || !self.nearest.is_empty()
    }

    /// The port that stands alone, where a host and its port were meant.
    fn port(&self) -> Option<u16> {
        let digits = self.name.bytes().all(|b| b.is_ascii_digit());
        self.name.parse().ok().filter(|port| digits && *port != 0)
    }
}

/// Whose peers a command probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Ethereum, over discv4.
    Ethereum,
    /// Bitcoin and the chains that speak its protocol.
    Bitcoin,
}

impl Protocol {
    /// The command that probes its peers.
    pub fn command(self) -> &'static str {
        match self {
            Protocol::Ethereum => "eth-ping",
            Protocol::Bitcoin => "btc-handshake",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Protocol::Ethereum => "Ethereum",
            Protocol::Bitcoin => "Bitcoin",
        }
    }

    fn other(self) -> Self {
        match self {
            Protocol::Ethereum => Protocol::Bitcoin,
            Protocol::Bitcoin => Protocol::Ethereum,
        }
    }
}

impl From<Box<UnknownNetwork>> for Why {
    fn from(unknown: Box<UnknownNetwork>) -> Self {
        Why::UnknownNetwork(unknown)
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
            Why::NotATarget(Protocol::Ethereum) => f.write_str(
                "this is no node: write enode://KEY@HOST:PORT, enr:…, HOST:PORT or a network's name",
            ),
            Why::NotATarget(Protocol::Bitcoin) => f.write_str(
                "this is no node: write HOST, HOST:PORT, [IPV6]:PORT or a network's name",
            ),
            Why::EthereumNode => f.write_str("this is an Ethereum node: eth-ping is for those"),
            Why::HostPort(error) => error.fmt(f),
            Why::NoDefaultPort => f.write_str(
                "the port is missing, and there is none that goes without saying here: write HOST:PORT",
            ),
            Why::PortZero => f.write_str("the port is 0, where nothing can listen"),
            Why::Overlay => {
                f.write_str("Tor and I2P addresses cannot be reached: p2pprobe has no proxy support")
            }
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
            Why::UnknownNetwork(unknown) if unknown.is_explained() => unknown.fmt(f),
            Why::UnknownNetwork(unknown) => {
                if let Some(port) = unknown.port() {
                    return write!(
                        f,
                        "there is no network named '{}'; a port stands behind its host and a colon: HOST:{port}",
                        unknown.name
                    );
                }
                let host = match unknown.protocol {
                    Protocol::Ethereum => "a host needs a port",
                    Protocol::Bitcoin if unknown.name == "any" => {
                        "`any` can be that of --network only"
                    }
                    Protocol::Bitcoin => "a host without a dot needs a port",
                };
                write!(f, "{unknown} (--config FILE adds others, {host})")
            }
            Why::UnknownInJson(unknown) => write!(f, "network: {unknown}"),
            Why::OtherCommand(command) => {
                let command = command.escape_debug();
                write!(f, "this is a result of {command}: give it to that command")
            }
            Why::NotUtf8 => f.write_str("the line is not UTF-8 text"),
            Why::LineTooLong(limit) => write!(f, "the line is longer than {limit} bytes"),
            Why::Json(what) => f.write_str(what),
        }
    }
}

impl fmt::Display for UnknownNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// So many names and more are too much for each line of a file that says one wrong.
        const MANY: usize = 10;
        let UnknownNetwork { protocol, name, nearest, known, is_the_others } = self;
        let name = name.escape_debug();
        if *is_the_others {
            let (protocol, command) = (protocol.name(), protocol.other().command());
            return write!(
                f,
                "there is no {protocol} network named '{name}'; it is one of {command}'s"
            );
        }
        write!(f, "there is no network named '{name}'; ")?;
        let quoted: Vec<_> = nearest.iter().map(|name| format!("'{name}'")).collect();
        if !quoted.is_empty() {
            return write!(f, "did you mean {}?", quoted.join(" or "));
        }
        match known.len() {
            0..MANY => write!(f, "there are {}", known.join(", ")),
            MANY.. => f.write_str("`p2pprobe networks` lists those that there are"),
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
            EnodeError::Place(HostPortError::MissingHost) => {
                f.write_str("the host is missing: write HOST:PORT or enode://KEY@HOST:PORT")
            }
            EnodeError::Place(HostPortError::MissingPort) => {
                f.write_str("the port is missing: write HOST:PORT (30303 is usual)")
            }
            EnodeError::Place(HostPortError::Host(BadHost::BareIpv6)) => {
                f.write_str("an IPv6 address needs brackets: [ADDRESS]:PORT")
            }
            EnodeError::Place(error) => error.fmt(f),
            EnodeError::DiscPort => f.write_str("discport is no port (0 to 65535)"),
        }
    }
}

impl fmt::Display for HostPortError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HostPortError::MissingHost => f.write_str("the host is missing: write HOST:PORT"),
            HostPortError::MissingPort => f.write_str("the port is missing: write HOST:PORT"),
            HostPortError::PortDigit(c) => {
                write!(f, "'{}' is no digit of a port", c.escape_debug())
            }
            HostPortError::PortRange => f.write_str("the port is above 65535"),
            HostPortError::Host(bad) => bad.fmt(f),
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
            BadHost::BareIpv6 => {
                f.write_str("an IPv6 address needs brackets: [ADDRESS] or [ADDRESS]:PORT")
            }
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
