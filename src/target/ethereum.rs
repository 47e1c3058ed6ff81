//! Ethereum nodes: enode URL, ENR, `host:port`, or a network's name.

use std::sync::Arc;

use super::{LOCALHOST, Listed, Place, Said, TargetError, Targets, Why, Written, is_name};
use crate::codec::key::PublicKey;
use crate::discv4::enode::{EnodeError, SCHEME};
use crate::discv4::enr::{self, TextError};
use crate::discv4::{Enode, Record};
use crate::host::{At, parse_host_port};
use crate::networks::Networks;
use crate::target::Protocol;

/// What is known of a node before it is asked. The port of its place is the UDP port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its TCP port; 0 where it names none.
    pub tcp: u16,
    /// The key that is expected to answer; none where only an address was given.
    pub key: Option<PublicKey>,
}

/// The targets of Ethereum commands.
#[derive(Clone, Debug, Default)]
pub struct Ethereum {
    /// The networks that have a name.
    pub networks: Networks,
}

impl Targets for Ethereum {
    type Peer = Node;

    const PROTOCOL: Protocol = Protocol::Ethereum;

    fn parse(&self, text: &str, said: Said<'_>) -> Result<Written<Node>, TargetError> {
        said.is_for(Protocol::Ethereum)?;
        parse(text)
    }

    fn expand(&self, name: &str) -> Result<Vec<Listed<Node>>, Why> {
        Ok(self.networks.ethereum(name)?.to_vec())
    }

    fn network_of(&self, _node: &Node) -> Option<Arc<str>> {
        None
    }
}

/// Reads a target.
///
/// # Errors
/// [`TargetError`]. Names of networks are not looked up here.
pub fn parse(text: &str) -> Result<Written<Node>, TargetError> {
    let error = |offset, why| TargetError { offset, why };
    let enode_error = |At { offset, what }| error(offset, Why::Enode(what));
    if text.is_empty() {
        return Err(error(0, Why::Empty));
    }
    if text.starts_with(SCHEME) {
        let enode = Enode::parse(text).map_err(enode_error)?;
        if enode.udp == 0 {
            return Err(error(text.len(), Why::NoUdp));
        }
        let Enode { key, host, tcp, udp } = enode;
        return Ok(Written::Peer(Place::Host(host, udp, Node { tcp, key: Some(key) })));
    }
    if text.starts_with(enr::PREFIX) {
        return record(text).map(Written::Peer);
    }
    if text.contains("://") || text.contains('@') {
        return Err(error(0, Why::NotATarget(Protocol::Ethereum)));
    }
    if text.len() >= 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(error(text.len(), Why::KeyAlone));
    }
    if is_name(text) {
        return Ok(Written::Network(text.to_owned()));
    }
    // What is longer than any name, and has neither dot nor colon, is a record without its prefix.
    if !text.contains(['.', ':', '/', '[']) && !text.eq_ignore_ascii_case(LOCALHOST) {
        return Err(error(0, Why::Enr(TextError::Prefix)));
    }
    let (host, port) = parse_host_port(text)
        .map_err(|At { offset, what }| error(offset, Why::Enode(EnodeError::Place(what))))?;
    if port == 0 {
        return Err(error(text.len() - 1, Why::NoUdp));
    }
    // Nodes use one port number for both unless they say otherwise.
    Ok(Written::Peer(Place::Host(host, port, Node { tcp: port, key: None })))
}

fn record(text: &str) -> Result<Place<Node>, TargetError> {
    let record = Record::parse(text).map_err(|e| TargetError {
        offset: match e {
            TextError::Base64 { offset } => offset,
            TextError::Prefix | TextError::Record(_) => 0,
        },
        why: Why::Enr(e),
    })?;
    let Some(first) = record.endpoint() else {
        return Err(TargetError { offset: 0, why: Why::RecordWithoutUdp });
    };
    let both = [record.endpoint_v4(), record.endpoint_v6()];
    let other = both.into_iter().flatten().find(|other| *other != first);
    let node = |tcp| Node { tcp, key: Some(*record.key()) };
    let endpoints = [first].into_iter().chain(other).map(|(udp, tcp)| (udp, node(tcp)));
    Ok(Place::Endpoints(endpoints.collect()))
}

/// A target for a text line: the key of an enode URL and the body of a record are cut short.
pub fn shortened(target: &str) -> String {
    const KEPT: usize = 8;
    let head = |text: &str| text.chars().take(KEPT).collect::<String>();
    if let Some(rest) = target.strip_prefix(SCHEME) {
        return match rest.split_once('@') {
            Some((key, place)) if key.len() > KEPT => format!("{}…@{place}", head(key)),
            _ => rest.to_owned(),
        };
    }
    match target.strip_prefix(enr::PREFIX) {
        // All records start alike; what tells them apart is the signature, from the fifth character on.
        Some(rest) if rest.len() > 2 * KEPT => {
            format!("{}{}…", enr::PREFIX, rest.chars().take(2 * KEPT).collect::<String>())
        }
        _ => target.to_owned(),
    }
}
