//! The networks that have a name: those of `bootnodes.toml`, which is compiled in, and what the user's own
//! file adds to it.

mod bitcoin;
mod ethereum;
mod file;
mod mistake;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use serde::Serialize;

use self::bitcoin::BitcoinNetworks;
pub use self::bitcoin::{ANY, BitcoinNetwork};
use self::ethereum::EthereumNetworks;
use self::mistake::Spot;
pub use self::mistake::{BadSeed, Key, Mistake, NetworksError};
use crate::bitcoin::{Magic, services};
use crate::nearest::nearest;
use crate::target::ethereum::Node;
use crate::target::{Listed, Protocol, UnknownNetwork};

const BUILT_IN: &str = include_str!("../bootnodes.toml");
/// How long a file may be, in bytes: there is room for thousands of networks, and what is longer, or has no end, is
/// another file.
const MAX_FILE: u64 = 1 << 20;
/// The name that the main network of each protocol has in `bootnodes.toml`.
pub const MAIN_NETWORK: &str = "mainnet";

/// All named networks.
#[derive(Clone, Debug, Default)]
pub struct Networks {
    /// The user's, which win.
    ethereum: EthereumNetworks,
    bitcoin: BitcoinNetworks,
    /// Read when they are first needed: most runs need none of them, and none needs both but to explain a name.
    built_in_ethereum: OnceLock<EthereumNetworks>,
    built_in_bitcoin: OnceLock<BitcoinNetworks>,
}

impl Networks {
    /// The built-in networks and those of `file`, which win.
    ///
    /// # Errors
    /// [`NetworksError`] about `file`.
    pub fn with_file(file: &Path) -> Result<Self, NetworksError> {
        let bytes = File::open(file).and_then(read).map_err(NetworksError::Unreadable)?;
        Self::with_bytes(&bytes)
    }

    fn with_bytes(bytes: &[u8]) -> Result<Self, NetworksError> {
        if bytes.len() as u64 > MAX_FILE {
            return Err(NetworksError::TooLong(MAX_FILE));
        }
        // A mark of the byte order (U+FEFF) is no column.
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let text = std::str::from_utf8(bytes).map_err(|e| {
            let at = e.valid_up_to();
            let spot = Spot { at, span: at..at, mistake: Mistake::NotUtf8 };
            spot.told(&String::from_utf8_lossy(bytes))
        })?;
        Self::with_text(text).map_err(|spot| spot.told(text))
    }

    fn with_text(text: &str) -> Result<Self, Spot> {
        let file = file::read(text)?;
        let (ethereum, bitcoin) = (ethereum::networks(&file)?, bitcoin::networks(&file)?);
        Ok(Networks { ethereum, bitcoin, ..Networks::default() })
    }

    // A test makes sure that what is compiled in can be read.

    fn built_in_ethereum(&self) -> &EthereumNetworks {
        self.built_in_ethereum.get_or_init(|| {
            file::read(BUILT_IN).and_then(|file| ethereum::networks(&file)).unwrap_or_default()
        })
    }

    fn built_in_bitcoin(&self) -> &BitcoinNetworks {
        self.built_in_bitcoin.get_or_init(|| {
            file::read(BUILT_IN).and_then(|file| bitcoin::networks(&file)).unwrap_or_default()
        })
    }

    /// The nodes that an Ethereum network's name stands for.
    ///
    /// # Errors
    /// [`UnknownNetwork`], with the nearest name.
    pub fn ethereum(&self, name: &str) -> Result<&[Listed<Node>], Box<UnknownNetwork>> {
        let found = self.ethereum.get(name).or_else(|| self.built_in_ethereum().get(name));
        found.map(Vec::as_slice).ok_or_else(|| self.unknown(Protocol::Ethereum, name))
    }

    /// A Bitcoin network.
    ///
    /// # Errors
    /// [`UnknownNetwork`], with the nearest name.
    pub fn bitcoin(&self, name: &str) -> Result<Arc<BitcoinNetwork>, Box<UnknownNetwork>> {
        let found = self.bitcoin.get(name).or_else(|| self.built_in_bitcoin().get(name));
        found.cloned().ok_or_else(|| self.unknown(Protocol::Bitcoin, name))
    }

    fn unknown(&self, protocol: Protocol, name: &str) -> Box<UnknownNetwork> {
        let ethereum = self.ethereum.keys().chain(self.built_in_ethereum().keys()).collect();
        let bitcoin = self.bitcoin.keys().chain(self.built_in_bitcoin().keys()).collect();
        match protocol {
            Protocol::Ethereum => unknown(protocol, name, ethereum, &bitcoin),
            Protocol::Bitcoin => unknown(protocol, name, bitcoin, &ethereum),
        }
    }

    /// All Bitcoin networks.
    fn all_bitcoin(&self) -> impl Iterator<Item = &Arc<BitcoinNetwork>> {
        let built_in = self.built_in_bitcoin().iter();
        let overridden = |name: &String| self.bitcoin.contains_key(name);
        let rest = built_in.filter(move |(name, _)| !overridden(name));
        self.bitcoin.iter().chain(rest).map(|(_, network)| network)
    }

    /// The Bitcoin networks that a node at this port may be of, one for each magic: those whose port it is, or all where
    /// it is nobody's. Those whose nodes ban for a wrong magic come first.
    pub fn bitcoin_at(&self, port: u16) -> Vec<Arc<BitcoinNetwork>> {
        let mut all: Vec<_> = self.all_bitcoin().collect();
        if all.iter().any(|network| network.port == Some(port)) {
            all.retain(|network| network.port == Some(port));
        }
        all.sort_by_key(|network| !network.bans);
        let mut seen = BTreeSet::new();
        all.retain(|network| seen.insert(network.magic));
        all.into_iter().map(|network| self.bitcoin_of(network.magic)).collect()
    }

    /// The network that has this magic. Where several have it, or none that is known, it has no name, and of ports and
    /// services it has what they agree on.
    pub fn bitcoin_of(&self, magic: Magic) -> Arc<BitcoinNetwork> {
        let sharing: Vec<_> = self.all_bitcoin().filter(|n| n.magic == magic).collect();
        if let [network] = sharing[..] {
            return network.clone();
        }
        let ports: BTreeSet<_> = sharing.iter().filter_map(|network| network.port).collect();
        let port = ports.first().copied().filter(|_| ports.len() == 1);
        let services = services::agreed(sharing.iter().map(|network| &network.services));
        Arc::new(BitcoinNetwork { services, ..BitcoinNetwork::nameless(magic, port) })
    }

    /// The names of the Bitcoin networks that have this magic.
    pub fn with_magic(&self, magic: Magic) -> Vec<Arc<str>> {
        let all = self.all_bitcoin().filter(|network| network.magic == magic);
        let mut names: Vec<_> = all.filter_map(|network| network.name.clone()).collect();
        names.sort();
        names
    }

    /// True if Bitcoin or any of the networks has a service of this name.
    pub fn has_service(&self, name: &str) -> bool {
        let common = services::OwnNames::new();
        let known = |own| services::bit_named(name, own).is_some();
        known(&common) || self.all_bitcoin().any(|network| known(&network.services))
    }

    /// The names of services that Bitcoin or any of the networks has.
    pub fn services(&self) -> BTreeSet<&str> {
        let own = self.all_bitcoin().flat_map(|network| network.services.values());
        let mut names: BTreeSet<&str> = services::known().collect();
        names.extend(own.map(String::as_str));
        names
    }

    /// The magics of all Bitcoin networks.
    pub fn magics(&self) -> Vec<Magic> {
        self.all_bitcoin().map(|network| network.magic).collect()
    }
}

/// A network, and where it comes from.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it stands for.
    pub of: Of<'a>,
    /// True if it is the user's.
    pub is_users: bool,
    /// True if there is a built-in one of this name, too.
    pub overrides: bool,
}

/// What a network stands for.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "protocol", rename_all = "kebab-case")]
pub enum Of<'a> {
    /// An Ethereum network.
    Ethereum {
        /// Its nodes.
        bootnodes: Vec<Bootnode<'a>>,
    },
    /// A Bitcoin network.
    Bitcoin {
        /// Its magic, as hex.
        magic: String,
        /// Its port.
        #[serde(skip_serializing_if = "Option::is_none")]
        port: Option<u16>,
        /// Its DNS seeds.
        seeds: &'a [String],
        /// Its own names of service bits.
        services: &'a services::OwnNames,
        /// Whether its nodes ban for a wrong magic.
        bans: bool,
    },
}

/// A bootnode. A line with these fields is a target, too.
#[derive(Clone, Debug, Serialize)]
pub struct Bootnode<'a> {
    /// As written.
    pub target: &'a str,
    /// What follows it there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<&'a str>,
}

impl<'a> Bootnode<'a> {
    fn of(node: &'a Listed<Node>) -> Self {
        Bootnode { target: &node.text, label: node.label.as_deref() }
    }
}

impl Networks {
    /// All networks, by protocol and name, without the built-in ones that the user's take the place of.
    pub fn all(&self) -> Vec<Entry<'_>> {
        let (ours, theirs) = (self.built_in_ethereum(), &self.ethereum);
        let ethereum = merged(ours, theirs, |nodes| Of::Ethereum {
            bootnodes: nodes.iter().map(Bootnode::of).collect(),
        });
        let (ours, theirs) = (self.built_in_bitcoin(), &self.bitcoin);
        let bitcoin = merged(ours, theirs, |network| Of::Bitcoin {
            magic: network.magic.to_string(),
            port: network.port,
            seeds: &network.seeds,
            services: &network.services,
            bans: network.bans,
        });
        ethereum.chain(bitcoin).collect()
    }
}

fn merged<'a, N>(
    built_in: &'a BTreeMap<String, N>,
    users: &'a BTreeMap<String, N>,
    of: impl Fn(&'a N) -> Of<'a>,
) -> impl Iterator<Item = Entry<'a>> {
    let names: BTreeSet<&String> = built_in.keys().chain(users.keys()).collect();
    names.into_iter().filter_map(move |name| {
        let (is_users, overrides) = (users.contains_key(name), built_in.contains_key(name));
        let network = users.get(name).or_else(|| built_in.get(name))?;
        let overrides = is_users && overrides;
        Some(Entry { name, of: of(network), is_users, overrides })
    })
}

/// A file, as far as it takes to see that it is too long.
fn read(file: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unknown(
    protocol: Protocol,
    name: &str,
    known: BTreeSet<&String>,
    others: &BTreeSet<&String>,
) -> Box<UnknownNetwork> {
    let small = name.to_ascii_lowercase();
    // Who names the protocol means its main network.
    let meant = match (protocol, &small[..]) {
        (Protocol::Ethereum, "ethereum" | "eth") | (Protocol::Bitcoin, "bitcoin" | "btc") => {
            MAIN_NETWORK
        }
        _ => &small,
    };
    let nearest = nearest(meant, known.iter().map(|known| known.as_str()));
    let nearest = nearest.into_iter().map(str::to_owned).collect();
    let known = known.into_iter().cloned().collect();
    let name = name.to_owned();
    let is_the_others = others.contains(&name);
    Box::new(UnknownNetwork { protocol, name, nearest, known, is_the_others })
}

/// The user's own file, if there is one, even if it cannot be read: `$XDG_CONFIG_HOME/p2pprobe/bootnodes.toml`, by default below
/// `~/.config` (XDG Base Directory Specification).
pub fn user_file() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    // A relative path is to be ignored, says the specification.
    let config = set("XDG_CONFIG_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| set("HOME").map(|home| home.join(".config")))?;
    let file = config.join("p2pprobe").join("bootnodes.toml");
    is_there(&file).then_some(file)
}

/// False if there is nothing of this name; what is there and cannot be reached was meant to be heeded.
fn is_there(file: &Path) -> bool {
    // Nothing lies below a file, such as /dev/null for the home of whoever has none; and what lies in a home that one may
    // not enter is somebody else's: a service may have been given one.
    let nothing = [ErrorKind::NotFound, ErrorKind::NotADirectory, ErrorKind::PermissionDenied];
    file.symlink_metadata().map_or_else(|e| !nothing.contains(&e.kind()), |_| true)
}

#[cfg(test)]
mod tests;
