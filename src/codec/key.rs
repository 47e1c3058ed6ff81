//! Node keys, node IDs and recoverable signatures on secp256k1.

use std::fmt;
use std::sync::OnceLock;

use data_encoding::HEXLOWER;
use secp256k1::ecdsa::{self, RecoverableSignature, RecoveryId};
use secp256k1::{All, Message, Secp256k1, SecretKey};

use super::Fault;
use super::hash::keccak256;

/// Verification needs no secret, so all share one context that is never blinded.
fn verifier() -> &'static Secp256k1<secp256k1::VerifyOnly> {
    static CONTEXT: OnceLock<Secp256k1<secp256k1::VerifyOnly>> = OnceLock::new();
    CONTEXT.get_or_init(Secp256k1::verification_only)
}

/// A node's private key, with what it needs to sign.
pub struct NodeKey {
    secp: Secp256k1<All>,
    secret: SecretKey,
    public: OnceLock<PublicKey>,
}

impl NodeKey {
    /// A key from its 32 bytes. `blinding` is any 32 random bytes: the context is blinded with them once,
    /// here, and not after every signature, which would double the cost of signing.
    ///
    /// # Errors
    /// `None` where `secret` is zero or not below the group order.
    pub fn new(secret: [u8; 32], blinding: [u8; 32]) -> Option<Self> {
        let mut key = Self::short_lived(secret)?;
        key.secp.seeded_randomize(&blinding);
        Some(key)
    }

    /// A key that lives no longer than the run. It has nothing that a side channel could give away, and is spared
    /// the blinding, which costs as much as a signature.
    ///
    /// # Errors
    /// `None` where `secret` is zero or not below the group order.
    pub fn short_lived(secret: [u8; 32]) -> Option<Self> {
        let secret = SecretKey::from_byte_array(secret).ok()?;
        Some(NodeKey { secp: Secp256k1::new(), secret, public: OnceLock::new() })
    }

    /// The public half. Derived when it is first asked for: signing needs it not, and it costs as much.
    pub fn public(&self) -> &PublicKey {
        self.public.get_or_init(|| PublicKey(self.secret.public_key(&self.secp)))
    }

    /// Signs a 32-byte digest: RFC 6979, low S. With `extra` (RFC 6979 §3.6) two signatures of the same
    /// digest differ; without, the signature is the deterministic one that test vectors hold.
    pub fn sign(&self, digest: &[u8; 32], extra: Option<&[u8; 32]>) -> Signature {
        let message = Message::from_digest(*digest);
        let signature = match extra {
            None => self.secp.sign_ecdsa_recoverable(message, &self.secret),
            Some(extra) => {
                self.secp.sign_ecdsa_recoverable_with_noncedata(message, &self.secret, extra)
            }
        };
        let (recovery, rs) = signature.serialize_compact();
        Signature { rs, v: i32::from(recovery) as u8 }
    }
}

impl fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never the secret.
        f.debug_tuple("NodeKey").field(self.public()).finish()
    }
}

/// A node's public key, a point on secp256k1.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey(secp256k1::PublicKey);

impl PublicKey {
    /// From X‖Y, each 32 bytes big-endian, as enode URLs and Neighbors carry it.
    ///
    /// # Errors
    /// [`Fault::NotOnCurve`].
    pub fn from_xy(xy: &[u8; 64]) -> Result<Self, Fault> {
        let mut uncompressed = [0x04; 65];
        uncompressed[1..].copy_from_slice(xy);
        secp256k1::PublicKey::from_byte_array_uncompressed(uncompressed)
            .map(PublicKey)
            .map_err(|_| Fault::NotOnCurve)
    }

    /// From the 33 bytes of the compressed form, as an ENR carries it.
    ///
    /// # Errors
    /// [`Fault::NotOnCurve`].
    pub fn from_compressed(bytes: &[u8; 33]) -> Result<Self, Fault> {
        secp256k1::PublicKey::from_byte_array_compressed(*bytes)
            .map(PublicKey)
            .map_err(|_| Fault::NotOnCurve)
    }

    /// X‖Y, 64 bytes.
    pub fn to_xy(&self) -> [u8; 64] {
        let mut xy = [0; 64];
        xy.copy_from_slice(&self.0.serialize_uncompressed()[1..]);
        xy
    }

    /// The compressed form, 33 bytes.
    pub fn to_compressed(&self) -> [u8; 33] {
        self.0.serialize()
    }

    /// Keccak-256 of X‖Y (discv4 §Node Identities).
    pub fn node_id(&self) -> NodeId {
        NodeId(keccak256(&[&self.to_xy()]))
    }

    /// True if this key made the signature. S is normalised first: every client takes a high S from a peer, so we
    /// do. The recovery id has no part in it: r and s prove who signed, and only where they do not is it asked
    /// who did ([`Signature::recover`]).
    pub fn verifies(&self, digest: &[u8; 32], signature: &Signature) -> bool {
        let Ok(mut standard) = ecdsa::Signature::from_compact(&signature.rs) else {
            return false;
        };
        standard.normalize_s();
        self.verifies_exactly(digest, &standard)
    }

    /// True if this key made the 64-byte r‖s and S is low, as the identity scheme "v4" of a record has it.
    pub fn verifies_low_s(&self, digest: &[u8; 32], rs: &[u8; 64]) -> bool {
        ecdsa::Signature::from_compact(rs).is_ok_and(|rs| self.verifies_exactly(digest, &rs))
    }

    fn verifies_exactly(&self, digest: &[u8; 32], rs: &ecdsa::Signature) -> bool {
        verifier().verify_ecdsa(Message::from_digest(*digest), rs, &self.0).is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.to_xy()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

/// Keccak-256 of a public key: what distances are measured between (discv4 §Node Identities).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct NodeId(pub [u8; 32]);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Each result line has one: no allocation for it.
        f.write_str(HEXLOWER.encode_mut_str(&self.0, &mut [0; 64]))
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeId({self})")
    }
}

/// A recoverable signature: r‖s and the recovery id, 65 bytes on the wire (discv4 §Wire Protocol).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// r‖s, each 32 bytes big-endian.
    pub rs: [u8; 64],
    /// The recovery id, 0 to 3 where valid.
    pub v: u8,
}

impl Signature {
    /// The 65 bytes of the wire.
    pub fn to_bytes(&self) -> [u8; 65] {
        let mut bytes = [self.v; 65];
        bytes[..64].copy_from_slice(&self.rs);
        bytes
    }

    /// Checks what can be checked without curve arithmetic: recovery id and the ranges of r and s.
    ///
    /// # Errors
    /// [`Fault::Signature`].
    pub fn check(&self) -> Result<(), Fault> {
        self.recoverable().map(drop)
    }

    /// The key that made this signature of `digest`. **Some** key comes out of nearly every signature:
    /// only comparing it with the expected one authenticates anything.
    ///
    /// # Errors
    /// [`Fault::Signature`].
    pub fn recover(&self, digest: &[u8; 32]) -> Result<PublicKey, Fault> {
        let signature = self.recoverable()?;
        verifier()
            .recover_ecdsa(Message::from_digest(*digest), &signature)
            .map(PublicKey)
            .map_err(|_| Fault::Signature)
    }

    fn recoverable(&self) -> Result<RecoverableSignature, Fault> {
        let recovery = RecoveryId::try_from(i32::from(self.v)).map_err(|_| Fault::Signature)?;
        // r = 0 or s = 0 pass from_compact; no key can have made them.
        let zero = [0; 32];
        if self.rs[..32] == zero || self.rs[32..] == zero {
            return Err(Fault::Signature);
        }
        RecoverableSignature::from_compact(&self.rs, recovery).map_err(|_| Fault::Signature)
    }
}
