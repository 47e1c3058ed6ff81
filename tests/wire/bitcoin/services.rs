//! Service bits and their names.

use std::collections::BTreeSet;

use p2pprobe::bitcoin::services::{OwnNames, bit_name, bit_named, hex, names};
use p2pprobe::networks::Networks;

/// The names that a network of `bootnodes.toml` gives to bits.
fn names_of(network: &str) -> OwnNames {
    Networks::default().bitcoin(network).expect("a network").services.clone()
}

#[test]
fn of_real_nodes() {
    for (services, network, expected) in [
        (0xc09, "mainnet", "0xc09 NETWORK WITNESS NETWORK_LIMITED P2P_V2"),
        (0x1000409, "litecoin", "0x1000409 NETWORK WITNESS NETWORK_LIMITED MWEB"),
        (0x1000409, "mainnet", "0x1000409 NETWORK WITNESS NETWORK_LIMITED bit 24"),
        (0x21, "bitcoin-cash", "0x21 NETWORK BCH"),
        (0x840, "mainnet", "0x840 COMPACT_FILTERS P2P_V2"),
        (0x840, "bitcoin-cash", "0x840 GRAPHENE EXTVERSION"),
        (0, "mainnet", "0x0 "),
        (1 << 63 | 1 << 9, "mainnet", "0x8000000000000200 bit 9 bit 63"),
    ] {
        let text = format!("{} {}", hex(services), names(services, &names_of(network)).join(" "));
        assert_eq!(text, expected, "{network}");
    }
}

#[test]
fn every_bit_has_one_name_that_finds_it() {
    for network in ["mainnet", "litecoin", "bitcoin-cash"] {
        let own = names_of(network);
        let all = names(u64::MAX, &own);
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 64, "{network}");
        for (bit, name) in (0..64).zip(&all) {
            assert_eq!(bit_named(&name.to_lowercase(), &own), Some(bit), "{network}: {name}");
        }
    }
    let none = OwnNames::new();
    let known = (0..64).filter_map(|bit| bit_name(bit, &none)).collect::<Vec<_>>();
    let expected =
        "NETWORK GETUTXO BLOOM WITNESS XTHIN BCH COMPACT_FILTERS NETWORK_LIMITED P2P_V2 UTREEXO";
    assert_eq!(known.join(" "), expected);
    assert_eq!((bit_name(64, &none), bit_named("MWEB", &none)), (None, None));
}
