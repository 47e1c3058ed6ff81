//! `hash ‖ signature ‖ type ‖ data` (discv4 §Wire Protocol).

use super::message::Message;
use crate::codec::hash::keccak256;
use crate::codec::key::{NodeKey, PublicKey, Signature};
use crate::codec::{DecodeError, Fault, Reader};

/// The longest packet that the specification allows, in bytes. A longer one is decoded all the same:
/// ethereumjs sends Neighbors of up to 1373 bytes.
pub const MAX_SIZE: usize = 1280;

/// The longest packet that is looked at, in bytes: nobody sends longer ones in earnest, and hashing them costs.
pub const MAX_READ: usize = 2048;

/// Bytes of the hash that starts a packet, and with which a Pong names the Ping it answers.
pub const HASH_SIZE: usize = 32;
const SIGNATURE_SIZE: usize = 65;

/// A packet whose hash is right and whose message could be read. Who signed it is not known before
/// [`Packet::signer`] or [`Packet::signed_by`] is asked: that costs a hundred times what decoding does.
#[derive(Clone, Debug)]
pub struct Packet<'a> {
    /// Keccak-256 of all that follows it.
    pub hash: [u8; HASH_SIZE],
    /// The signature over `type ‖ data`.
    pub signature: Signature,
    /// What the packet says.
    pub message: Message,
    signed: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Decodes one datagram.
    ///
    /// # Errors
    /// [`Fault::OverLimit`] above [`MAX_READ`] bytes, [`Fault::Hash`], [`Fault::Signature`] where no key can have signed so, and those of
    /// [`Message::decode`].
    pub fn decode(datagram: &'a [u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(datagram);
        if datagram.len() > MAX_READ {
            let fault = Fault::OverLimit { limit: MAX_READ as u64, claimed: datagram.len() as u64 };
            return Err(r.error("packet", fault));
        }
        let at_hash = r;
        let hash = r.array::<HASH_SIZE>("hash")?;
        let at_signature = r;
        let mut hashed = r;
        let [rs @ .., v] = r.array::<SIGNATURE_SIZE>("signature")?;
        let mut signed = r;
        if r.is_empty() {
            return Err(r.error("type", Fault::Truncated { missing: 1 }));
        }
        if keccak256(&[hashed.all()]) != hash {
            return Err(at_hash.error("hash", Fault::Hash));
        }
        let signature = Signature { rs, v };
        signature.check().map_err(|fault| at_signature.error("signature", fault))?;
        let message = Message::decode(&mut r)?;
        Ok(Packet { hash, signature, message, signed: signed.all() })
    }

    /// The key that signed the packet.
    ///
    /// # Errors
    /// [`Fault::Signature`] at the offset of the signature.
    pub fn signer(&self) -> Result<PublicKey, DecodeError> {
        self.signature.recover(&keccak256(&[self.signed])).map_err(|fault| DecodeError {
            field: "signature",
            offset: HASH_SIZE,
            fault,
        })
    }

    /// True if `key` signed the packet. Cheaper than [`Packet::signer`].
    pub fn signed_by(&self, key: &PublicKey) -> bool {
        key.verifies(&keccak256(&[self.signed]), &self.signature)
    }
}

/// Appends the signed packet of `message` to `out` and gives its hash. With `extra` entropy the same
/// message makes another packet each time; without, the deterministic one.
pub fn encode(
    message: &Message,
    key: &NodeKey,
    extra: Option<&[u8; 32]>,
    out: &mut Vec<u8>,
) -> [u8; HASH_SIZE] {
    let data = message.encode_data();
    let code = [message.code()];
    let signature = key.sign(&keccak256(&[&code, &data]), extra).to_bytes();
    let hash = keccak256(&[&signature, &code, &data]);
    for part in [&hash[..], &signature, &code, &data] {
        out.extend_from_slice(part);
    }
    hash
}

/// Seconds from `now_unix_s` until `expiration`, saturating; 0 or less means expired. Values of 2^63 and
/// above count as long past, as geth and reth take them, and not as a far future.
pub fn expires_in_s(expiration: u64, now_unix_s: u64) -> i64 {
    // The wrap is the point: 2^64−x is read as −x.
    (expiration as i64).saturating_sub_unsigned(now_unix_s)
}
