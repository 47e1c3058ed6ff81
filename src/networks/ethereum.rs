//! `[ethereum.NAME]`: nodes that answer discv4.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::NetworksError;
use crate::source::line::{self, Entry};
use crate::target::ethereum::{Node, parse};
use crate::target::{Listed, Why, Written};

/// By their names.
pub type EthereumNetworks = BTreeMap<String, Vec<Listed<Node>>>;

/// As it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EthereumTable {
    bootnodes: Vec<String>,
}

/// Reads the tables' values.
///
/// # Errors
/// [`NetworksError::Bootnode`].
pub fn networks(
    tables: BTreeMap<String, EthereumTable>,
) -> Result<EthereumNetworks, NetworksError> {
    let mut networks = EthereumNetworks::new();
    for (network, table) in tables {
        let mut nodes = Vec::new();
        for (index, text) in table.bootnodes.iter().enumerate() {
            nodes.push(bootnode(text).map_err(|(column, why)| NetworksError::Bootnode {
                network: network.clone(),
                entry: index + 1,
                column,
                why,
            })?);
        }
        networks.insert(network, nodes);
    }
    Ok(networks)
}

fn bootnode(text: &str) -> Result<Listed<Node>, (usize, Why)> {
    let bad = |entry: &Entry<Node>, offset, why| (entry.column(offset), why);
    match line::parse(text.as_bytes(), |text, _| parse(text)) {
        Some(Ok(Entry { written: Written::Peer(place), text, label, .. })) => {
            Ok(Listed { text, label, place })
        }
        Some(Ok(entry)) => Err(bad(&entry, 0, Why::NetworkInList)),
        Some(Err(e)) => Err((e.column, e.error.why)),
        None => Err((1, Why::Empty)),
    }
}
