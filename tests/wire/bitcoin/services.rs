//! Service bits and their names.

use p2pprobe::bitcoin::services::{Dialect, bit_name, hex, names};

fn text(services: u64, dialect: Dialect) -> String {
    format!("{} {}", hex(services), names(services, dialect).join(" "))
}

#[test]
fn of_real_nodes() {
    for (services, dialect, expected) in [
        (0xc09, Dialect::Bitcoin, "0xc09 NETWORK WITNESS NETWORK_LIMITED P2P_V2"),
        (0x1000409, Dialect::Litecoin, "0x1000409 NETWORK WITNESS NETWORK_LIMITED MWEB"),
        (0x1000409, Dialect::Bitcoin, "0x1000409 NETWORK WITNESS NETWORK_LIMITED bit 24"),
        (0x21, Dialect::BitcoinCash, "0x21 NETWORK BCH"),
        (0x840, Dialect::Bitcoin, "0x840 COMPACT_FILTERS P2P_V2"),
        (0x840, Dialect::BitcoinCash, "0x840 GRAPHENE EXTVERSION"),
        (0, Dialect::Bitcoin, "0x0 "),
        (1 << 63 | 1 << 9, Dialect::Bitcoin, "0x8000000000000200 bit 9 bit 63"),
    ] {
        assert_eq!(text(services, dialect), expected);
    }
}

#[test]
fn every_bit_has_one_name() {
    for dialect in [Dialect::Bitcoin, Dialect::Litecoin, Dialect::BitcoinCash] {
        let mut all = names(u64::MAX, dialect);
        assert_eq!(all.len(), 64);
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 64, "{dialect:?}");
    }
    let known = (0..64).filter_map(|bit| bit_name(bit, Dialect::Bitcoin)).collect::<Vec<_>>();
    let expected =
        "NETWORK GETUTXO BLOOM WITNESS XTHIN BCH COMPACT_FILTERS NETWORK_LIMITED P2P_V2 UTREEXO";
    assert_eq!(known.join(" "), expected);
    assert_eq!(bit_name(64, Dialect::Bitcoin), None);
}
