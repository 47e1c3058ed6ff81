//! The networks that have a name: those of `bootnodes.toml`, which is compiled in, and what the user's own
//! file adds to it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::Deserialize;

use crate::source::line::{self, Entry};
use crate::target::{EthTarget, UnknownNetwork, Why, Written};

const BUILT_IN: &str = include_str!("../bootnodes.toml");
/// A mistyped name is taken for the known one that is at most this many edits away.
const NEAR: usize = 2;

/// All named networks.
#[derive(Clone, Debug, Default)]
pub struct Networks {
    /// The user's, which win.
    ethereum: EthereumNetworks,
    /// Read when a name is first looked up: most runs need none.
    built_in: OnceLock<EthereumNetworks>,
}

type EthereumNetworks = BTreeMap<String, Vec<Bootnode>>;

/// A node that a network's name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bootnode {
    /// As written in the file, without the label.
    pub text: String,
    /// What follows it there.
    pub label: Option<String>,
    /// What it says.
    pub target: EthTarget,
}

/// Why a file of networks cannot be used. The file's name is for the caller to say.
#[derive(Debug, PartialEq)]
pub enum NetworksError {
    /// It cannot be read, in the system's words.
    Unreadable(String),
    /// It is not TOML, or has a key that we do not know; the parser's text shows where.
    Toml(String),
    /// An entry of `bootnodes` is no node.
    Bootnode {
        /// The table's name.
        network: String,
        /// Which entry, from 1.
        entry: usize,
        /// Where in it, in characters from 1.
        column: usize,
        /// What is wrong there.
        why: Why,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    ethereum: BTreeMap<String, EthereumTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EthereumTable {
    bootnodes: Vec<String>,
}

impl Networks {
    /// The built-in networks and those of `file`, which win.
    ///
    /// # Errors
    /// [`NetworksError`] about `file`.
    pub fn with_file(file: &Path) -> Result<Self, NetworksError> {
        let text =
            std::fs::read_to_string(file).map_err(|e| NetworksError::Unreadable(e.to_string()))?;
        Ok(Networks { ethereum: parse(&text)?, built_in: OnceLock::new() })
    }

    fn built_in(&self) -> &EthereumNetworks {
        // A test makes sure that what is compiled in can be read.
        self.built_in.get_or_init(|| parse(BUILT_IN).unwrap_or_default())
    }

    /// The nodes that an Ethereum network's name stands for.
    ///
    /// # Errors
    /// [`Why::UnknownNetwork`], with the nearest name.
    pub fn ethereum(&self, name: &str) -> Result<&[Bootnode], Why> {
        if let Some(nodes) = self.ethereum.get(name).or_else(|| self.built_in().get(name)) {
            return Ok(nodes);
        }
        let known: BTreeSet<&String> = self.ethereum.keys().chain(self.built_in().keys()).collect();
        let nearest = known
            .iter()
            .map(|known| (strsim::levenshtein(known, name), known))
            .filter(|(edits, _)| *edits <= NEAR)
            .min()
            .map(|(_, known)| (*known).clone());
        let known = known.into_iter().cloned().collect();
        let name = name.to_owned();
        Err(Why::UnknownNetwork(Box::new(UnknownNetwork { name, nearest, known })))
    }
}

fn parse(text: &str) -> Result<EthereumNetworks, NetworksError> {
    let file: File = toml::from_str(text).map_err(|e| NetworksError::Toml(e.to_string()))?;
    let mut networks = EthereumNetworks::new();
    for (network, table) in file.ethereum {
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

fn bootnode(text: &str) -> Result<Bootnode, (usize, Why)> {
    let bad = |entry: &Entry, offset, why| (entry.column(offset), why);
    match line::parse(text.as_bytes()) {
        Some(Ok(Entry { written: Written::Node(target), text, label, .. })) => {
            Ok(Bootnode { text, label, target })
        }
        Some(Ok(entry)) => Err(bad(&entry, 0, Why::NetworkInList)),
        Some(Err(e)) => Err((e.column, e.error.why)),
        None => Err((1, Why::Empty)),
    }
}

/// The user's own file, if there is one: `$XDG_CONFIG_HOME/p2pprobe/bootnodes.toml`, by default below
/// `~/.config` (XDG Base Directory Specification).
pub fn user_file() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    // A relative path is to be ignored, says the specification.
    let config = set("XDG_CONFIG_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| set("HOME").map(|home| home.join(".config")))?;
    let file = config.join("p2pprobe").join("bootnodes.toml");
    file.exists().then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_networks_can_be_read() {
        let networks = parse(BUILT_IN).expect("bootnodes.toml");
        let counts: Vec<_> =
            networks.iter().map(|(name, nodes)| (&name[..], nodes.len())).collect();
        assert_eq!(counts, [("holesky", 2), ("hoodi", 3), ("mainnet", 4), ("sepolia", 5)]);
        let first = &networks["mainnet"][0];
        assert_eq!(first.label.as_deref(), Some("bootnode-aws-ap-southeast-1-001"));
        let id = first.target.key.expect("a key").node_id().to_string();
        assert_eq!(id, "c845e51a5e470e445ad424f7cb516339237f469ad7b3c903221b5c49ce55863f");
    }

    #[test]
    fn a_name_within_two_edits_is_suggested() {
        let nearest = |name| match Networks::default().ethereum(name) {
            Err(Why::UnknownNetwork(unknown)) => unknown.nearest,
            other => panic!("{other:?}"),
        };
        assert_eq!(nearest("manet").as_deref(), Some("mainnet"));
        assert_eq!(nearest("mainet").as_deref(), Some("mainnet"));
        assert_eq!(nearest("hodi").as_deref(), Some("hoodi"));
        assert_eq!(nearest("mnet"), None);
        assert_eq!(nearest("rinkeby"), None);
    }
}
