//! The networks that have a name: those of `bootnodes.toml`, which is compiled in, and what the user's own
//! file adds to it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::source::line::{self, Entry};
use crate::target::{EthTarget, UnknownNetwork, Why, Written};

const BUILT_IN: &str = include_str!("../bootnodes.toml");
/// A mistyped name is taken for the known one that is at most this many edits away.
const NEAR: usize = 2;

/// All named networks.
#[derive(Clone, Debug, Default)]
pub struct Networks {
    ethereum: BTreeMap<String, Vec<Bootnode>>,
}

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
    /// The built-in networks.
    ///
    /// # Errors
    /// None that a test would not have found: the file is compiled in.
    pub fn built_in() -> Result<Self, NetworksError> {
        let mut networks = Networks::default();
        networks.add(BUILT_IN)?;
        Ok(networks)
    }

    /// The built-in networks and those of `file`, which win.
    ///
    /// # Errors
    /// [`NetworksError`] about `file`.
    pub fn with_file(file: &Path) -> Result<Self, NetworksError> {
        let text =
            std::fs::read_to_string(file).map_err(|e| NetworksError::Unreadable(e.to_string()))?;
        let mut networks = Self::built_in()?;
        networks.add(&text)?;
        Ok(networks)
    }

    fn add(&mut self, text: &str) -> Result<(), NetworksError> {
        let file: File = toml::from_str(text).map_err(|e| NetworksError::Toml(e.to_string()))?;
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
            self.ethereum.insert(network, nodes);
        }
        Ok(())
    }

    /// The nodes that an Ethereum network's name stands for.
    ///
    /// # Errors
    /// [`Why::UnknownNetwork`], with the nearest name.
    pub fn ethereum(&self, name: &str) -> Result<&[Bootnode], Why> {
        if let Some(nodes) = self.ethereum.get(name) {
            return Ok(nodes);
        }
        let known: Vec<String> = self.ethereum.keys().cloned().collect();
        let nearest = known
            .iter()
            .map(|known| (strsim::levenshtein(known, name), known))
            .filter(|(edits, _)| *edits <= NEAR)
            .min()
            .map(|(_, known)| known.clone());
        let name = name.to_owned();
        Err(Why::UnknownNetwork(Box::new(UnknownNetwork { name, nearest, known })))
    }
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
