//! Bitcoin nodes: `host`, `host:port`, `[v6]:port`, or a network's name, which stands for what its DNS seeds give.

use std::sync::Arc;

use super::{Listed, Place, Protocol, Said, TargetError, Targets, Why, Written, is_name};
use crate::discv4::{enode, enr};
use crate::host::{At, Host, parse_host_and_port};
use crate::networks::{BitcoinNetwork, Networks};

/// The port of a target without one where any network will do: mainnet's.
const ANY_PORT: u16 = 8333;

/// Names below these are reached through Tor and I2P only.
const OVERLAYS: [&str; 2] = [".onion", ".i2p"];

/// The networks whose magic is spoken to a peer, in this order; the next one only where the peer hung up without a
/// word. Most peers have one.
pub type Candidates = Vec<Arc<BitcoinNetwork>>;

/// The network that targets are asked for which name none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// This one; said by the user, or not said at all.
    One {
        /// Which.
        network: Arc<BitcoinNetwork>,
        /// True if the user said so: then it also counts for targets of a JSON line that names another.
        said: bool,
    },
    /// Whichever it is (`--network any`).
    Any,
}

/// The targets of Bitcoin commands.
#[derive(Clone, Debug)]
pub struct Bitcoin {
    /// The networks that have a name.
    pub networks: Arc<Networks>,
    /// The one that is asked for.
    pub asked: Asked,
}

impl Bitcoin {
    /// The networks to be tried, and the port that goes without saying.
    fn candidates(&self, said: Said<'_>) -> Result<(Candidates, Option<u16>), Why> {
        let network = match &self.asked {
            Asked::Any => return Ok((Vec::new(), Some(ANY_PORT))),
            Asked::One { network, said: true } => network.clone(),
            Asked::One { network, said: false } => match (said.network, said.magic) {
                (Some(name), _) => self.networks.bitcoin(name).map_err(Why::UnknownInJson)?,
                (None, Some(magic)) => match magic.parse() {
                    Ok(magic) if magic != network.magic => self.networks.bitcoin_of(magic),
                    _ => network.clone(),
                },
                (None, None) => network.clone(),
            },
        };
        let port = network.port;
        Ok((vec![network], port))
    }
}

impl Targets for Bitcoin {
    type Peer = Candidates;

    const PROTOCOL: Protocol = Protocol::Bitcoin;

    fn parse(&self, text: &str, said: Said<'_>) -> Result<Written<Candidates>, TargetError> {
        said.is_for(Protocol::Bitcoin)?;
        let error = |offset, why| TargetError { offset, why };
        if text.is_empty() {
            return Err(error(0, Why::Empty));
        }
        if text.starts_with(enode::SCHEME) || text.starts_with(enr::PREFIX) {
            return Err(error(0, Why::EthereumNode));
        }
        if text.contains(['/', '@']) {
            return Err(error(0, Why::NotATarget(Protocol::Bitcoin)));
        }
        if is_name(text) {
            return Ok(Written::Network(text.to_owned()));
        }
        let (host, port) = parse_host_and_port(text)
            .map_err(|At { offset, what }| error(offset, Why::HostPort(what)))?;
        if let Host::Name(name) = &host
            && is_in_overlay(name)
        {
            return Err(error(0, Why::Overlay));
        }
        let (mut candidates, default) = self.candidates(said).map_err(|why| error(0, why))?;
        let port = port.or(default).ok_or(error(text.len(), Why::NoDefaultPort))?;
        if port == 0 {
            return Err(error(text.len() - 1, Why::PortZero));
        }
        if candidates.is_empty() {
            candidates = self.networks.bitcoin_at(port);
        }
        Ok(Written::Peer(Place::Host(host, port, candidates)))
    }

    fn expand(&self, name: &str) -> Result<Vec<Listed<Candidates>>, Why> {
        let network = self.networks.bitcoin(name)?;
        // A table without a port has no seeds either.
        let Some(port) = network.port.filter(|_| !network.seeds.is_empty()) else {
            return Ok(Vec::new());
        };
        let place = Place::Seeds(network.seeds.clone(), port, vec![network]);
        Ok(vec![Listed { text: name.to_owned(), label: None, place }])
    }

    fn network_of(&self, candidates: &Candidates) -> Option<Arc<str>> {
        match (&self.asked, &candidates[..]) {
            (Asked::Any, _) => None,
            (_, [network, ..]) => network.name.clone(),
            (_, []) => None,
        }
    }
}

/// True for a name that must not be asked of DNS (RFC 7686 for `.onion`), however it is written: a dot at its end means
/// the same.
fn is_in_overlay(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    OVERLAYS.iter().any(|overlay| name.ends_with(overlay))
}
