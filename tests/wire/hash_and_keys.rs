//! Keccak-256, public keys and node IDs have the published values.

use p2pprobe::codec::Fault;
use p2pprobe::codec::hash::keccak256;
use p2pprobe::codec::key::{NodeKey, PublicKey};

use crate::vectors::load;

#[test]
fn keccak_of_known_inputs() {
    for vector in load("keccak.txt", 6) {
        let input = match vector.get("text") {
            Some(text) => text.as_bytes().to_vec(),
            None => vector.hex("byte").repeat(vector.number("count") as usize),
        };
        let hash: [u8; 32] = vector.array("hash");
        assert_eq!(keccak256(&[&input]), hash, "{}", vector.name);
        // Hashing in parts is hashing the whole.
        for cut in [0, input.len() / 2, input.len()] {
            let (head, tail) = input.split_at(cut);
            assert_eq!(keccak256(&[head, tail]), hash, "{} cut at {cut}", vector.name);
        }
    }
}

#[test]
fn public_keys_and_node_ids() {
    for vector in load("keys.txt", 10) {
        let name = &vector.name;
        let key = NodeKey::new(vector.array("private"), [7; 32]).expect(name);
        let public = key.public();
        assert_eq!(public.to_xy(), vector.array("public"), "{name}");
        assert_eq!(public.to_compressed(), vector.array("compressed"), "{name}");
        assert_eq!(public.node_id().0, vector.array("node-id"), "{name}");
        assert_eq!(public.to_string(), vector.text("public"), "{name}");
        assert_eq!(public.node_id().to_string(), vector.text("node-id"), "{name}");
        assert_eq!(PublicKey::from_xy(&vector.array("public")), Ok(*public), "{name}");
        assert_eq!(PublicKey::from_compressed(&vector.array("compressed")), Ok(*public), "{name}");
        // The blinding changes nothing that can be seen.
        let other = NodeKey::new(vector.array("private"), [9; 32]).expect(name);
        assert_eq!(other.sign(&[1; 32], None), key.sign(&[1; 32], None), "{name}");
        // A key is never printed.
        assert!(!format!("{key:?}").contains(vector.text("private")), "{name}");
    }
}

#[test]
fn keys_off_the_curve_are_refused() {
    for vector in load("keys.txt", 10) {
        let mut xy: [u8; 64] = vector.array("public");
        xy[63] ^= 1;
        assert_eq!(PublicKey::from_xy(&xy), Err(Fault::NotOnCurve), "{}", vector.name);
        let mut compressed: [u8; 33] = vector.array("compressed");
        compressed[0] = 0x04;
        assert_eq!(PublicKey::from_compressed(&compressed), Err(Fault::NotOnCurve));
    }
    assert_eq!(PublicKey::from_xy(&[0; 64]), Err(Fault::NotOnCurve));
    // No curve point has X = 5 (7 + 5³ is no square).
    let mut compressed = [0; 33];
    (compressed[0], compressed[32]) = (2, 5);
    assert_eq!(PublicKey::from_compressed(&compressed), Err(Fault::NotOnCurve));
}

#[test]
fn private_keys_outside_the_group_are_refused() {
    let order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    let order: [u8; 32] = crate::vectors::unhex(order).try_into().expect("32 bytes");
    assert!(NodeKey::new([0; 32], [0; 32]).is_none());
    assert!(NodeKey::new(order, [0; 32]).is_none());
    assert!(NodeKey::new([0xff; 32], [0; 32]).is_none());
    let mut last = order;
    last[31] -= 1;
    assert!(NodeKey::new(last, [0; 32]).is_some());
}

#[test]
fn extra_entropy_makes_another_valid_signature() {
    let key = NodeKey::new([1; 32], [2; 32]).expect("a valid key");
    let digest = [3; 32];
    let signatures = [None, Some(&[4; 32]), Some(&[5; 32])].map(|extra| key.sign(&digest, extra));
    assert_ne!(signatures[0], signatures[1]);
    assert_ne!(signatures[1], signatures[2]);
    for signature in signatures {
        assert_eq!(signature.recover(&digest), Ok(*key.public()));
        assert!(key.public().verifies(&digest, &signature));
        assert!(key.public().verifies_low_s(&digest, &signature.rs));
        assert!(!key.public().verifies(&[4; 32], &signature));
    }
}
