//! `[bitcoin.NAME]`: what makes a chain that speaks Bitcoin's protocol a network of its own.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;

use super::NetworksError;
use crate::bitcoin::Magic;
use crate::host::{Host, parse_host_and_port};

/// What `--network` takes for: whichever it is.
pub const ANY: &str = "any";

/// By their names.
pub type BitcoinNetworks = BTreeMap<String, Arc<BitcoinNetwork>>;

/// A network of nodes that speak Bitcoin's protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BitcoinNetwork {
    /// Its name, if it has one.
    pub name: Option<Arc<str>>,
    /// What starts each of its messages. Others may have the same.
    pub magic: Magic,
    /// The port that its nodes listen on unless they say otherwise.
    pub port: Option<u16>,
    /// Names that DNS knows for many nodes each.
    pub seeds: Vec<String>,
    /// Names of service bits (0 to 63) that mean something else here than on Bitcoin.
    pub services: BTreeMap<u32, String>,
    /// True if its nodes ban whoever speaks another magic to them.
    pub bans: bool,
}

impl BitcoinNetwork {
    /// A network of which only the magic is known.
    pub fn nameless(magic: Magic, port: Option<u16>) -> Self {
        let (seeds, services) = (Vec::new(), BTreeMap::new());
        BitcoinNetwork { name: None, magic, port, seeds, services, bans: false }
    }
}

/// As it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BitcoinTable {
    magic: String,
    port: Option<u16>,
    #[serde(default)]
    seeds: Vec<String>,
    #[serde(default)]
    services: BTreeMap<String, String>,
    #[serde(default)]
    bans: bool,
}

/// What is wrong with a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadTable {
    /// `magic` is not eight hex digits.
    Magic,
    /// `port` is 0.
    Port,
    /// There are seeds, and no port for what they give.
    NoPort,
    /// The table's name is that of `--network any`.
    Name,
    /// A seed is no host name; which, from 1.
    Seed(usize),
    /// A key of `services` is no number of a bit.
    Service(String),
    /// A name in `services` is none: capital letters, digits and `_`.
    ServiceName(String),
}

impl fmt::Display for BadTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadTable::Magic => f.write_str("magic: eight hex digits are needed, as on the wire"),
            BadTable::Port => f.write_str("port: 0 is no port"),
            BadTable::NoPort => {
                f.write_str("seeds: without a port there is no way to what they give")
            }
            BadTable::Name => f.write_str("`--network any` has this name already"),
            BadTable::Seed(entry) => {
                write!(f, "seeds, entry {entry}: this is no host name (a port has no place here)")
            }
            BadTable::Service(bit) => {
                write!(f, "services: '{}' is no bit, 0 to 63", bit.escape_debug())
            }
            BadTable::ServiceName(name) => {
                let name = name.escape_debug();
                write!(f, "services: '{name}' is no name: write capital letters, digits and _")
            }
        }
    }
}

/// Reads the tables' values.
///
/// # Errors
/// [`NetworksError::Bitcoin`].
pub fn networks(tables: BTreeMap<String, BitcoinTable>) -> Result<BitcoinNetworks, NetworksError> {
    let read = |(name, table): (String, BitcoinTable)| match network(&name, table) {
        Ok(network) => Ok((name, Arc::new(network))),
        Err(why) => Err(NetworksError::Bitcoin { network: name, why }),
    };
    tables.into_iter().map(read).collect()
}

fn network(name: &str, table: BitcoinTable) -> Result<BitcoinNetwork, BadTable> {
    let BitcoinTable { magic, port, seeds, services, bans } = table;
    if name == ANY {
        return Err(BadTable::Name);
    }
    if port == Some(0) {
        return Err(BadTable::Port);
    }
    let is_name = |seed: &String| matches!(parse_host_and_port(seed), Ok((Host::Name(_), None)));
    if let Some(bad) = seeds.iter().position(|seed| !is_name(seed)) {
        return Err(BadTable::Seed(bad + 1));
    }
    if port.is_none() && !seeds.is_empty() {
        return Err(BadTable::NoPort);
    }
    let is_service = |name: &str| {
        let allowed = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
        name.starts_with(|c: char| c.is_ascii_uppercase()) && name.bytes().all(allowed)
    };
    let service = |(bit, name): (String, String)| match bit.parse::<u32>() {
        Ok(number) if number < u64::BITS && is_service(&name) => Ok((number, name)),
        Ok(number) if number < u64::BITS => Err(BadTable::ServiceName(name)),
        _ => Err(BadTable::Service(bit)),
    };
    Ok(BitcoinNetwork {
        name: Some(name.into()),
        magic: magic.parse().map_err(|_| BadTable::Magic)?,
        port,
        seeds,
        services: services.into_iter().map(service).collect::<Result<_, _>>()?,
        bans,
    })
}
