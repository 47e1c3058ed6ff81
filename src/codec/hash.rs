//! The hashes that the wire formats use.

use sha2::{Digest, Sha256};
use tiny_keccak::{Hasher, Keccak};

/// Keccak-256 as Ethereum uses it (the original padding, not SHA3-256) of the parts joined together.
pub fn keccak256(parts: &[&[u8]]) -> [u8; 32] {
    let mut keccak = Keccak::v256();
    for part in parts {
        keccak.update(part);
    }
    let mut hash = [0; 32];
    keccak.finalize(&mut hash);
    hash
}

/// SHA-256 of the SHA-256 of bytes that come in pieces: Bitcoin's checksums (Core `hash.h`, `CHash256`).
#[derive(Clone, Debug, Default)]
pub struct Sha256d(Sha256);

impl Sha256d {
    /// Adds what follows.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash of all that was added.
    pub fn finish(self) -> [u8; 32] {
        Sha256::digest(self.0.finalize()).into()
    }
}

/// SHA-256 of the SHA-256 of the parts joined together (Core `hash.h`, `Hash`).
pub fn sha256d(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256d::default();
    for part in parts {
        hash.update(part);
    }
    hash.finish()
}
