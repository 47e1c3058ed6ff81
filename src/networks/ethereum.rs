//! `[ethereum.NAME]`: nodes that answer discv4.

use std::collections::BTreeMap;

use super::file::{File, Table, Value, list, text, wrong};
use super::mistake::{Key, Mistake, Spot};
use crate::source::line::{self, Entry};
use crate::target::ethereum::{Node, parse};
use crate::target::{Listed, Protocol, Why, Written};

/// By their names.
pub type EthereumNetworks = BTreeMap<String, Vec<Listed<Node>>>;

/// Reads the tables' values.
///
/// # Errors
/// What is wrong, and where.
pub fn networks(file: &File<'_>) -> Result<EthereumNetworks, Spot> {
    file.networks(Protocol::Ethereum, nodes)
}

fn nodes(table: &Table<'_>) -> Result<Vec<Listed<Node>>, Spot> {
    let mut nodes = None;
    for (key, value) in table.iter() {
        match &key.get_ref()[..] {
            "bootnodes" => {
                let list = list(value, Key::Bootnodes)?;
                nodes = Some(list.iter().map(bootnode).collect::<Result<_, _>>()?);
            }
            _ => return Err(table.unknown(key, value)),
        }
    }
    nodes.ok_or_else(|| table.missing(Key::Bootnodes))
}

fn bootnode(value: &Value<'_>) -> Result<Listed<Node>, Spot> {
    let written = text(value, Key::Bootnode)?;
    let (column, why) = match line::parse(written.as_bytes(), |text, _| parse(text)) {
        Some(Ok(Entry { written: Written::Peer(place), text, label, .. })) => {
            return Ok(Listed { text, label, place });
        }
        Some(Ok(entry)) => (entry.column(0), Why::NetworkInList),
        Some(Err(e)) => (e.column, e.error.why),
        None => (1, Why::Empty),
    };
    let mut spot = wrong(value, Mistake::Bootnode(why));
    // Between its quotes, unless escapes or three quotes shift what stands there.
    if spot.span.len() == written.len() + 2 {
        let before = written.chars().take(column - 1).map(char::len_utf8).sum::<usize>();
        spot.at += 1 + before;
    }
    Err(spot)
}
