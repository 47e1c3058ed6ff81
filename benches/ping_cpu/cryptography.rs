//! What signing and verifying take by themselves, with the crate and the calls that the prober uses.

use std::io;

use nix::sys::resource::UsageWho;
use p2pprobe::codec::hash::keccak256;
use secp256k1::{Message, Secp256k1, SecretKey, VerifyOnly, ecdsa};

use super::common::processor;

/// Signatures that are made, and verified, in a round.
const SIGNATURES: u32 = 2_000;

/// A key and what it signed, made beforehand.
pub struct Cryptography {
    verifier: Secp256k1<VerifyOnly>,
    secret: SecretKey,
    digests: Vec<[u8; 32]>,
    signatures: Vec<ecdsa::Signature>,
}

impl Cryptography {
    /// Makes them.
    pub fn new() -> Self {
        let secp = Secp256k1::new();
        let secret = SecretKey::from_byte_array([7; 32]).expect("a key");
        let digests: Vec<_> =
            (0..SIGNATURES).map(|number| keccak256(&[&number.to_be_bytes()])).collect();
        let sign = |digest: &[u8; 32]| secp.sign_ecdsa(Message::from_digest(*digest), &secret);
        let signatures = digests.iter().map(sign).collect();
        Cryptography { verifier: Secp256k1::verification_only(), secret, digests, signatures }
    }

    /// Seconds of the processor for a recoverable signature with entropy of its own.
    pub fn sign(&self) -> io::Result<f64> {
        let secp = Secp256k1::new();
        time(|| {
            for digest in &self.digests {
                let message = Message::from_digest(*digest);
                // Any 32 bytes that differ are entropy enough here.
                let signed =
                    secp.sign_ecdsa_recoverable_with_noncedata(message, &self.secret, digest);
                std::hint::black_box(signed);
            }
        })
    }

    /// Seconds of the processor to verify one by the key that is known.
    pub fn verify(&self) -> io::Result<f64> {
        let public = self.secret.public_key(&Secp256k1::new());
        time(|| {
            for (digest, signature) in self.digests.iter().zip(&self.signatures) {
                let message = Message::from_digest(*digest);
                let verified = self.verifier.verify_ecdsa(message, signature, &public);
                assert!(verified.is_ok());
            }
        })
    }
}

/// What this thread takes for it, divided by [`SIGNATURES`].
fn time(work: impl Fn()) -> io::Result<f64> {
    let before = processor(UsageWho::RUSAGE_THREAD)?;
    work();
    let taken = processor(UsageWho::RUSAGE_THREAD)? - before;
    Ok(taken.as_secs_f64() / f64::from(SIGNATURES))
}
