//! What a person writes to name a peer. What may be written is each protocol's own to say: [`Targets`].

pub mod bitcoin;
pub mod ethereum;
mod why;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::host::Host;

pub use self::why::{Protocol, TargetError, UnknownNetwork, Why};

/// No network's name is longer, in bytes; from 64 hex digits on, a word is a public key.
pub const MAX_NAME: usize = 63;
/// The one word that is a host, though it has neither dot nor colon.
const LOCALHOST: &str = "localhost";

/// What a protocol's targets look like, and what the names of its networks stand for.
pub trait Targets: Send + 'static {
    /// What is known of a peer before it is asked, besides its address.
    type Peer: Clone + Send + 'static;

    /// Whose targets they are.
    const PROTOCOL: Protocol;

    /// Reads a target, and what else is said of it. Names of networks are not looked up here.
    ///
    /// # Errors
    /// [`TargetError`].
    fn parse(&self, text: &str, said: Said<'_>) -> Result<Written<Self::Peer>, TargetError>;

    /// What the name of a network stands for.
    ///
    /// # Errors
    /// [`Why::UnknownNetwork`], with the nearest name.
    fn expand(&self, name: &str) -> Result<Vec<Listed<Self::Peer>>, Why>;

    /// The name of the network that a peer is asked for, where the protocol asks for one.
    fn network_of(&self, peer: &Self::Peer) -> Option<Arc<str>>;
}

/// What a JSON line of ours says beside its target; nothing else does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Said<'a> {
    /// The command that wrote it.
    pub command: Option<&'a str>,
    /// The network's name.
    pub network: Option<&'a str>,
    /// Its magic, as hex, where the name alone does not tell: several networks may have it.
    pub magic: Option<&'a str>,
}

impl Said<'_> {
    /// A target of one protocol must not be asked in the other's way: names of networks and ports mean other peers there.
    fn is_for(self, protocol: Protocol) -> Result<(), TargetError> {
        match self.command {
            Some(command) if command != protocol.command() => {
                Err(TargetError { offset: 0, why: Why::OtherCommand(command.to_owned()) })
            }
            _ => Ok(()),
        }
    }
}

/// A target, or the name of a network that stands for some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written<P> {
    /// A peer.
    Peer(Place<P>),
    /// A word without dot, colon or slash.
    Network(String),
}

/// Where a peer is, and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place<P> {
    /// A host, which may be a name, and its port.
    Host(Host, u16, P),
    /// Several endpoints of one peer, the better one first.
    Endpoints(Vec<(SocketAddr, P)>),
    /// Names each of which stands for many peers, all with this port.
    Seeds(Vec<String>, u16, P),
}

/// What the name of a network stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<P> {
    /// As written in the list, without the label.
    pub text: String,
    /// What follows it there.
    pub label: Option<String>,
    /// What it says.
    pub place: Place<P>,
}

/// True for what can only be the name of a network: a word without dot, colon or slash.
fn is_name(text: &str) -> bool {
    text.len() <= MAX_NAME
        && !text.contains(['.', ':', '/', '['])
        && !text.eq_ignore_ascii_case(LOCALHOST)
}

/// Why a name cannot be a network's: written as a target, it would be something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadName {
    /// There is none.
    Empty,
    /// It is longer than [`MAX_NAME`].
    Long,
    /// It starts with `-`, as flags and standard input do.
    Dash,
    /// It is `localhost`, a host.
    Localhost,
    /// Something else than letters, digits, `-` and `_`.
    Character(char),
}

/// Whether a network may have this name: then every protocol's targets take it for one, on the command line and in a
/// file.
///
/// # Errors
/// [`BadName`].
pub fn check_name(name: &str) -> Result<(), BadName> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    match name.chars().find(|c| !allowed(*c)) {
        _ if name.is_empty() => Err(BadName::Empty),
        Some(c) => Err(BadName::Character(c)),
        None if name.starts_with('-') => Err(BadName::Dash),
        None if name.len() > MAX_NAME => Err(BadName::Long),
        None if name.eq_ignore_ascii_case(LOCALHOST) => Err(BadName::Localhost),
        None => Ok(()),
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
