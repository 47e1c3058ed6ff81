//! What can be wrong with a file of networks.

use std::io;
use std::ops::Range;

use crate::bitcoin::NotAMagic;
use crate::host::HostPortError;
use crate::target::{BadName, Protocol, Why};

/// Why a file of networks cannot be used. The file's name is for the caller to say.
#[derive(Debug)]
pub enum NetworksError {
    /// It cannot be read.
    Unreadable(io::Error),
    /// It is longer than this, in bytes.
    TooLong(u64),
    /// Something in it.
    Mistake {
        /// Where, in lines from 1.
        line: usize,
        /// Where in the line, in characters from 1.
        column: usize,
        /// As it stands there.
        text: String,
        /// What is wrong.
        mistake: Mistake,
    },
}

/// What is wrong at a place of a file of networks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// A byte that is not UTF-8.
    NotUtf8,
    /// It is not TOML, in the parser's words. What stands there is the whole line.
    Toml(String),
    /// What is neither `[ethereum.NAME]` nor `[bitcoin.NAME]`.
    NotANetwork,
    /// A key right below `[ethereum]` or `[bitcoin]`, where names stand.
    NoName(Protocol),
    /// Double brackets around `ethereum.NAME` or `bitcoin.NAME`.
    Brackets(Protocol),
    /// A network's name that no target could be.
    Name(BadName),
    /// The name of a Bitcoin network is that of `--network any`.
    NameAny,
    /// A network of this protocol has no such key.
    UnknownKey(Protocol),
    /// A table inside a network's: the name of that has a dot, which TOML takes for its own.
    Dot(Protocol),
    /// The network named here lacks this key.
    Missing(Key),
    /// A value of another type or range than this key has.
    Value(Key),
    /// `magic` is none.
    Magic(NotAMagic),
    /// There are seeds, and no port for what they give.
    NoPort,
    /// A seed is no host name.
    Seed(BadSeed),
    /// A key of `services` is no number of a bit.
    Bit,
    /// A name in `services` is none: capital letters, digits and `_`.
    ServiceName,
    /// An entry of `bootnodes` is no node.
    Bootnode(Why),
}

/// A key of a network's table, or what its value holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// `bootnodes`.
    Bootnodes,
    /// One of them.
    Bootnode,
    /// `magic`.
    Magic,
    /// `port`.
    Port,
    /// `seeds`.
    Seeds,
    /// One of them.
    Seed,
    /// `services`.
    Services,
    /// A name of a service.
    Service,
    /// `bans`.
    Bans,
}

/// Why a seed is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadSeed {
    /// It is no host.
    Host(HostPortError),
    /// It is an address: DNS has nothing to say of it.
    Address,
    /// It has a port.
    Port,
}

/// Something at a place of a text, in bytes.
#[derive(Debug)]
pub struct Spot {
    /// Where the mistake is.
    pub at: usize,
    /// What it is in, from where to where.
    pub span: Range<usize>,
    /// What is wrong there.
    pub mistake: Mistake,
}

impl Spot {
    /// Told in lines and columns of the text.
    pub fn told(self, text: &str) -> NetworksError {
        let Spot { at, span, mistake } = self;
        let before = text.get(..at).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let said = match mistake {
            Mistake::Toml(_) => text[start..].lines().next(),
            _ => text.get(span),
        };
        NetworksError::Mistake {
            line: before.matches('\n').count() + 1,
            column: before[start..].chars().count() + 1,
            text: said.unwrap_or_default().to_owned(),
            mistake,
        }
    }
}
