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

/// SHA-256 of the SHA-256 of the parts joined together: Bitcoin's checksums (Core `hash.h`, `Hash`).
pub fn sha256d(parts: &[&[u8]]) -> [u8; 32] {
    let mut sha256 = Sha256::new();
    for part in parts {
        sha256.update(part);
    }
    Sha256::digest(sha256.finalize()).into()
}
