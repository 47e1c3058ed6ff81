//! `[bitcoin.NAME]`: what makes a chain that speaks Bitcoin's protocol a network of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::file::{File, Name, Table, Value, list, text, wrong};
use super::mistake::{BadSeed, Key, Mistake, Spot};
use crate::bitcoin::Magic;
use crate::host::{Host, parse_host_and_port};
use crate::target::Protocol;

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

/// Reads the tables' values.
///
/// # Errors
/// What is wrong, and where.
pub fn networks(file: &File<'_>) -> Result<BitcoinNetworks, Spot> {
    file.networks(Protocol::Bitcoin, |table| Ok(Arc::new(network(table)?)))
}

fn network(table: &Table<'_>) -> Result<BitcoinNetwork, Spot> {
    let name = table.name.get_ref();
    if name == ANY {
        return Err(wrong(table.name, Mistake::NameAny));
    }
    let (mut magic, mut port, mut seeds, mut services) = (None, None, Vec::new(), BTreeMap::new());
    let (mut bans, mut seeds_at) = (false, None);
    for (key, value) in table.iter() {
        let bad = |key| wrong(value, Mistake::Value(key));
        match &key.get_ref()[..] {
            "magic" => {
                let text = text(value, Key::Magic)?;
                magic = Some(text.parse().map_err(|why| wrong(value, Mistake::Magic(why)))?);
            }
            "port" => port = Some(number(value).ok_or_else(|| bad(Key::Port))?),
            "seeds" => {
                seeds = list(value, Key::Seeds)?.iter().map(seed).collect::<Result<_, _>>()?;
                seeds_at = Some(value);
            }
            "services" => {
                let table = value.get_ref().as_table().ok_or_else(|| bad(Key::Services))?;
                services = table.iter().map(service).collect::<Result<_, _>>()?;
            }
            "bans" => bans = value.get_ref().as_bool().ok_or_else(|| bad(Key::Bans))?,
            _ => return Err(table.unknown(key, value)),
        }
    }
    if let (None, Some(at)) = (port, seeds_at.filter(|_| !seeds.is_empty())) {
        return Err(wrong(at, Mistake::NoPort));
    }
    let magic = magic.ok_or_else(|| table.missing(Key::Magic))?;
    Ok(BitcoinNetwork { name: Some(name[..].into()), magic, port, seeds, services, bans })
}

/// A port that something can listen on.
fn number(value: &Value<'_>) -> Option<u16> {
    let integer = value.get_ref().as_integer()?;
    u16::from_str_radix(integer.as_str(), integer.radix()).ok().filter(|port| *port != 0)
}

fn seed(value: &Value<'_>) -> Result<String, Spot> {
    let seed = text(value, Key::Seed)?;
    let why = match parse_host_and_port(seed) {
        Ok((Host::Name(_), None)) => return Ok(seed.to_owned()),
        Ok((_, Some(_))) => BadSeed::Port,
        Ok((Host::Ip(_), None)) => BadSeed::Address,
        Err(e) => BadSeed::Host(e.what),
    };
    Err(wrong(value, Mistake::Seed(why)))
}

fn service((bit, name): (&Name<'_>, &Value<'_>)) -> Result<(u32, String), Spot> {
    let is_bit = |number: &u32| *number < u64::BITS && number.to_string() == **bit.get_ref();
    let number = bit.get_ref().parse().ok().filter(is_bit);
    let number = number.ok_or_else(|| wrong(bit, Mistake::Bit))?;
    let text = text(name, Key::Service)?;
    let allowed = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    if !text.starts_with(|c: char| c.is_ascii_uppercase()) || !text.bytes().all(allowed) {
        return Err(wrong(name, Mistake::ServiceName));
    }
    Ok((number, text.to_owned()))
}
