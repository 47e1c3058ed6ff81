//! Ethereum Node Records (EIP-778): `[signature, seq, k, v, …]` and their text form `enr:…`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use data_encoding::BASE64URL_NOPAD;

use crate::codec::hash::keccak256;
use crate::codec::key::{NodeKey, PublicKey};
use crate::codec::rlp::{self, RlpStream};
use crate::codec::{DecodeError, Fault, Reader};

/// The longest record in bytes (EIP-778).
pub const MAX_SIZE: usize = 300;
/// The start of a record's text form.
pub const PREFIX: &str = "enr:";
/// The longest text form after its prefix: base64 writes 3 bytes as 4 characters.
const MAX_TEXT: usize = MAX_SIZE / 3 * 4;

/// A record whose signature is right. Keys that nobody here knows are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    signature: [u8; 64],
    seq: u64,
    /// Key and the value's RLP as it stands, sorted by key.
    pairs: Vec<(Vec<u8>, Vec<u8>)>,
    key: PublicKey,
}

/// Why a text is no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextError {
    /// No `enr:` at the start.
    Prefix,
    /// Not base64url without padding; the offset is that of the first wrong character in the text.
    Base64 {
        /// Bytes from the start of the text.
        offset: usize,
    },
    /// The bytes are no valid record.
    Record(DecodeError),
}

impl Record {
    /// Reads `enr:` and base64url without padding.
    ///
    /// # Errors
    /// [`TextError`].
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let base64 = text.strip_prefix(PREFIX).ok_or(TextError::Prefix)?;
        if base64.len() > MAX_TEXT {
            // Three bytes for each four characters, and the rest.
            let claimed = (base64.len() / 4 * 3 + base64.len() % 4 * 3 / 4) as u64;
            let fault = Fault::OverLimit { limit: MAX_SIZE as u64, claimed };
            return Err(TextError::Record(DecodeError { field: "record", offset: 0, fault }));
        }
        let bytes = BASE64URL_NOPAD
            .decode(base64.as_bytes())
            .map_err(|e| TextError::Base64 { offset: PREFIX.len() + e.position })?;
        let mut r = Reader::new(&bytes);
        let record = Record::decode(&mut r).map_err(TextError::Record)?;
        r.end("record").map_err(TextError::Record)?;
        Ok(record)
    }

    /// Takes a record and verifies it. The values of the known keys `ip`, `ip6`, `tcp`, `udp`, `tcp6` and
    /// `udp6` must be what EIP-778 says; others may be anything.
    ///
    /// # Errors
    /// [`DecodeError`], with [`Fault::OverLimit`] above 300 bytes, [`Fault::Unsorted`], [`Fault::Missing`],
    /// [`Fault::Scheme`], [`Fault::Signature`].
    pub fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut start = *r;
        let mut list = rlp::list(r, "record")?;
        let size = r.offset() - start.offset();
        if size > MAX_SIZE {
            let fault = Fault::OverLimit { limit: MAX_SIZE as u64, claimed: size as u64 };
            return Err(start.error("record", fault));
        }
        let at_signature = list;
        let signature = rlp::array(&mut list, "record.signature")?;
        let seq = rlp::u64(&mut list, "record.seq")?;
        let mut pairs: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        while !list.is_empty() {
            let at_key = list;
            let key = rlp::string(&mut list, "record.key")?;
            if pairs.last().is_some_and(|(last, _)| last.as_slice() >= key) {
                return Err(at_key.error("record.key", Fault::Unsorted));
            }
            if list.is_empty() {
                return Err(list.error("record.value", Fault::Missing));
            }
            let mut at_value = list;
            let value = rlp::raw(&mut list, "record.value")?;
            check_value(key, &mut at_value)?;
            pairs.push((key.to_vec(), value.to_vec()));
        }
        let key = public_key(&pairs).map_err(|(field, fault)| start.error(field, fault))?;
        let record = Record { signature, seq, pairs, key };
        if !key.verifies_low_s(&keccak256(&[&record.content()]), &signature) {
            return Err(at_signature.error("record.signature", Fault::Signature));
        }
        debug_assert_eq!(start.take("record", size).ok(), Some(&record.encode()[..]));
        Ok(record)
    }

    /// Makes and signs a record of the identity scheme "v4". `pairs` are keys and RLP-encoded values;
    /// `id` and `secp256k1` are added, and the last of equal keys wins.
    ///
    /// # Errors
    /// [`Fault::OverLimit`] above 300 bytes.
    pub fn sign(key: &NodeKey, seq: u64, pairs: &[(&str, &[u8])]) -> Result<Self, Fault> {
        let mut sorted = std::collections::BTreeMap::new();
        for (name, value) in pairs {
            sorted.insert(name.as_bytes().to_vec(), value.to_vec());
        }
        sorted.insert(b"id".to_vec(), rlp::encode_bytes(b"v4"));
        let public = key.public().to_compressed();
        sorted.insert(b"secp256k1".to_vec(), rlp::encode_bytes(&public));
        let pairs = sorted.into_iter().collect();
        let mut record = Record { signature: [0; 64], seq, pairs, key: *key.public() };
        record.signature = key.sign(&keccak256(&[&record.content()]), None).rs;
        match record.encode().len() {
            size if size > MAX_SIZE => {
                Err(Fault::OverLimit { limit: MAX_SIZE as u64, claimed: size as u64 })
            }
            _ => Ok(record),
        }
    }

    /// The record's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = RlpStream::new();
        out.begin_list(2 + 2 * self.pairs.len()).append(&self.signature.as_slice());
        self.append_content(&mut out);
        out.out().to_vec()
    }

    /// What the signature covers: `[seq, k, v, …]`.
    fn content(&self) -> Vec<u8> {
        let mut out = RlpStream::new();
        out.begin_list(1 + 2 * self.pairs.len());
        self.append_content(&mut out);
        out.out().to_vec()
    }

    fn append_content(&self, out: &mut RlpStream) {
        out.append(&self.seq);
        for (key, value) in &self.pairs {
            out.append(key).append_raw(value, 1);
        }
    }

    /// The sequence number.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The node's public key.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// All pairs, sorted: the key and the value's RLP as it stands.
    pub fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.pairs.iter().map(|(key, value)| (key.as_slice(), value.as_slice()))
    }

    /// A value's RLP as it stands.
    pub fn get(&self, key: &str) -> Option<&[u8]> {
        get(&self.pairs, key)
    }

    fn ip4(&self) -> Option<Ipv4Addr> {
        let bytes = rlp::string(&mut Reader::new(self.get("ip")?), "ip").ok()?;
        <[u8; 4]>::try_from(bytes).ok().map(Ipv4Addr::from)
    }

    fn ip6(&self) -> Option<Ipv6Addr> {
        let bytes = rlp::string(&mut Reader::new(self.get("ip6")?), "ip6").ok()?;
        <[u8; 16]>::try_from(bytes).ok().map(Ipv6Addr::from)
    }

    fn port(&self, key: &'static str) -> Option<u16> {
        rlp::u16(&mut Reader::new(self.get(key)?), key).ok().filter(|port| *port != 0)
    }

    /// The UDP address and TCP port (0: none) for IPv4.
    pub fn endpoint_v4(&self) -> Option<(SocketAddr, u16)> {
        let udp = SocketAddr::new(self.ip4()?.into(), self.port("udp")?);
        Some((udp, self.port("tcp").unwrap_or(0)))
    }

    /// The UDP address and TCP port (0: none) for IPv6. Where `udp6` or `tcp6` is absent, `udp` and `tcp`
    /// hold for both families (EIP-778).
    pub fn endpoint_v6(&self) -> Option<(SocketAddr, u16)> {
        let port = |v6, both| self.port(if self.get(v6).is_some() { v6 } else { both });
        let udp = SocketAddr::new(self.ip6()?.into(), port("udp6", "udp")?);
        Some((udp, port("tcp6", "tcp").unwrap_or(0)))
    }

    /// The endpoint to use: that of the more global address, IPv4 where both are alike (geth
    /// `p2p/enode/node.go`).
    pub fn endpoint(&self) -> Option<(SocketAddr, u16)> {
        match (self.endpoint_v4(), self.endpoint_v6()) {
            (Some(v4), Some(v6)) if reach(v4.0.ip()) >= reach(v6.0.ip()) => Some(v4),
            (v4, v6) => v6.or(v4),
        }
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", BASE64URL_NOPAD.encode(&self.encode()))
    }
}

/// How far an address reaches: unspecified, loopback, link, site, world.
fn reach(ip: IpAddr) -> u8 {
    let (link_local, private) = match ip {
        IpAddr::V4(ip) => (ip.is_link_local(), ip.is_private()),
        IpAddr::V6(ip) => (ip.is_unicast_link_local(), ip.is_unique_local()),
    };
    match ip {
        ip if ip.is_unspecified() => 0,
        ip if ip.is_loopback() => 1,
        _ if link_local => 2,
        _ if private => 3,
        _ => 4,
    }
}

fn get<'a>(pairs: &'a [(Vec<u8>, Vec<u8>)], key: &str) -> Option<&'a [u8]> {
    let found = pairs.binary_search_by(|(k, _)| k.as_slice().cmp(key.as_bytes())).ok()?;
    pairs.get(found).map(|(_, value)| value.as_slice())
}

/// The key of the identity scheme "v4" (EIP-778 §"v4" Identity Scheme).
fn public_key(pairs: &[(Vec<u8>, Vec<u8>)]) -> Result<PublicKey, (&'static str, Fault)> {
    let id = get(pairs, "id").ok_or(("record.id", Fault::Missing))?;
    if id != rlp::encode_bytes(b"v4") {
        return Err(("record.id", Fault::Scheme));
    }
    let field = "record.secp256k1";
    let value = get(pairs, "secp256k1").ok_or((field, Fault::Missing))?;
    let bytes = rlp::array(&mut Reader::new(value), field).map_err(|e| (field, e.fault))?;
    PublicKey::from_compressed(&bytes).map_err(|fault| (field, fault))
}

fn check_value(key: &[u8], r: &mut Reader<'_>) -> Result<(), DecodeError> {
    match key {
        b"ip" => rlp::array::<4>(r, "record.ip").map(drop),
        b"ip6" => rlp::array::<16>(r, "record.ip6").map(drop),
        b"tcp" | b"udp" | b"tcp6" | b"udp6" => rlp::u16(r, "record.port").map(drop),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    //! A text that is too long for a record says how long.

    use super::*;

    #[test]
    fn the_claimed_size_is_that_of_the_bytes() {
        for size in [301, 302, 303, 1000] {
            let text = format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&vec![0; size]));
            let fault = Fault::OverLimit { limit: 300, claimed: size as u64 };
            let error = DecodeError { field: "record", offset: 0, fault };
            assert_eq!(Record::parse(&text), Err(TextError::Record(error)));
        }
    }
}
