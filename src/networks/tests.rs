use super::*;
use crate::target::Place;

#[test]
fn the_built_in_networks_can_be_read() {
    let networks = ethereum::networks(read(BUILT_IN).expect("bootnodes.toml").ethereum);
    let networks = networks.expect("its tables");
    let counts: Vec<_> = networks.iter().map(|(name, nodes)| (&name[..], nodes.len())).collect();
    assert_eq!(counts, [("holesky", 2), ("hoodi", 3), ("mainnet", 4), ("sepolia", 5)]);
    let first = &networks["mainnet"][0];
    assert_eq!(first.label.as_deref(), Some("bootnode-aws-ap-southeast-1-001"));
    let Place::Host(_, _, node) = &first.place else { panic!("{first:?}") };
    let id = node.key.expect("a key").node_id().to_string();
    assert_eq!(id, "c845e51a5e470e445ad424f7cb516339237f469ad7b3c903221b5c49ce55863f");
}

#[test]
fn the_built_in_bitcoin_networks_can_be_read() {
    let networks = bitcoin::networks(read(BUILT_IN).expect("bootnodes.toml").bitcoin);
    let networks = networks.expect("its tables");
    let facts: Vec<_> = networks
        .iter()
        .map(|(name, n)| (&name[..], n.magic.to_string(), n.port, n.seeds.len()))
        .collect();
    let expected = [
        ("bch-chipnet", "e2b7daaf", Some(48333), 1),
        ("bch-regtest", "dab5bffa", Some(18444), 0),
        ("bch-scalenet", "c3afe1a2", Some(38333), 2),
        ("bch-testnet3", "f4e5f3f4", Some(18333), 3),
        ("bch-testnet4", "e2b7daaf", Some(28333), 4),
        ("bitcoin-cash", "e3e1f3e8", Some(8333), 8),
        ("bitcoin-sv", "e3e1f3e8", Some(8333), 3),
        ("bsv-regtest", "dab5bffa", Some(18444), 0),
        ("bsv-stn", "fbcec4f9", Some(9333), 1),
        ("bsv-testnet", "f4e5f3f4", Some(18333), 0),
        ("dogecoin", "c0c0c0c0", Some(22556), 2),
        ("dogecoin-regtest", "fabfb5da", Some(18444), 0),
        ("dogecoin-testnet", "fcc1b7dc", Some(44556), 1),
        ("litecoin", "fbc0b6db", Some(9333), 5),
        ("litecoin-regtest", "fabfb5da", Some(19444), 0),
        ("litecoin-testnet", "fdd2c8f1", Some(19335), 3),
        ("mainnet", "f9beb4d9", Some(8333), 8),
        ("namecoin", "f9beb4fe", Some(8334), 6),
        ("namecoin-regtest", "fabfb5da", None, 0),
        ("namecoin-testnet", "fabfb5fe", Some(18334), 0),
        ("namecoin-testnet4", "1c163f28", Some(48333), 0),
        ("regtest", "fabfb5da", Some(18444), 0),
        ("signet", "0a03cf40", Some(38333), 2),
        ("simnet", "161c1412", Some(18555), 0),
        ("testnet3", "0b110907", Some(18333), 5),
        ("testnet4", "1c163f28", Some(48333), 2),
    ];
    let expected = expected.map(|(name, magic, port, seeds)| (name, magic.to_owned(), port, seeds));
    assert_eq!(facts, expected);
    assert_eq!(networks["litecoin"].services[&24], "MWEB");
}

#[test]
fn a_port_tells_which_networks_a_node_may_be_of() {
    let magics = |port| {
        let networks = Networks::default().bitcoin_at(port);
        networks.iter().map(|network| network.magic.to_string()).collect::<Vec<_>>()
    };
    // Bitcoin SV bans for the other one, so its own comes first.
    assert_eq!(magics(8333), ["e3e1f3e8", "f9beb4d9"]);
    assert_eq!(magics(18444), ["dab5bffa", "fabfb5da"]);
    assert_eq!(magics(9333), ["fbcec4f9", "fbc0b6db"]);
    assert_eq!(magics(18333), ["f4e5f3f4", "0b110907"]);
    assert_eq!(magics(22556), ["c0c0c0c0"]);
    let anywhere = magics(12_345);
    let distinct: BTreeSet<_> = anywhere.iter().collect();
    assert_eq!((anywhere.len(), distinct.len()), (18, 18));
    assert_eq!(anywhere[..4], ["e3e1f3e8", "dab5bffa", "fbcec4f9", "f4e5f3f4"]);
}

#[test]
fn a_magic_may_be_that_of_several_networks() {
    let names = |magic: &str| Networks::default().with_magic(magic.parse().expect("a magic"));
    let regtests = ["dogecoin-regtest", "litecoin-regtest", "namecoin-regtest", "regtest"];
    assert_eq!(names("fabfb5da"), regtests.map(Arc::from));
    assert_eq!(names("00000000"), [] as [Arc<str>; 0]);
}

#[test]
fn a_name_within_two_edits_is_suggested() {
    let nearest = |name| match Networks::default().ethereum(name) {
        Err(unknown) => unknown.nearest,
        Ok(_) => panic!("{name}"),
    };
    assert_eq!(nearest("manet"), ["mainnet"]);
    assert_eq!(nearest("mainet"), ["mainnet"]);
    assert_eq!(nearest("hodi"), ["hoodi"]);
    assert_eq!(nearest("ethereum"), ["mainnet"]);
    assert!(nearest("mnet").is_empty());
    assert!(nearest("rinkeby").is_empty());
    let nearest = |name| match Networks::default().bitcoin(name) {
        Err(unknown) => unknown.nearest,
        Ok(_) => panic!("{name}"),
    };
    assert_eq!(nearest("bitcoin"), ["mainnet"]);
    assert_eq!(nearest("testnet"), ["testnet3", "testnet4"]);
    assert_eq!(nearest("litcoin"), ["litecoin"]);
}

#[test]
fn a_name_of_the_other_protocol_is_known_as_such() {
    let networks = Networks::default();
    let of_ethereum = |name| networks.ethereum(name).is_err_and(|unknown| unknown.is_the_others);
    let of_bitcoin = |name| networks.bitcoin(name).is_err_and(|unknown| unknown.is_the_others);
    assert_eq!(["testnet4", "testnet", "sepolia"].map(of_ethereum), [true, false, false]);
    assert_eq!(["sepolia", "spolia", "testnet4"].map(of_bitcoin), [true, false, false]);
}

/// Where several networks have a magic, nobody knows which of them a node is of.
#[test]
fn what_networks_of_a_magic_do_not_agree_on_is_not_said() {
    let of = |magic: &str| Networks::default().bitcoin_of(magic.parse().expect("a magic"));
    let names = |magic| services::names(0x100_0049, &of(magic).services).join(" ");
    let facts = |magic| (of(magic).name.as_deref().map(str::to_owned), of(magic).port);
    assert_eq!(facts("fbc0b6db"), (Some("litecoin".to_owned()), Some(9333)));
    assert_eq!(names("fbc0b6db"), "NETWORK WITNESS COMPACT_FILTERS MWEB");
    assert_eq!(facts("fabfb5da"), (None, None));
    assert_eq!(names("fabfb5da"), "NETWORK WITNESS COMPACT_FILTERS bit 24");
    assert_eq!(facts("e3e1f3e8"), (None, Some(8333)));
    assert_eq!(names("e3e1f3e8"), "NETWORK WITNESS bit 6 bit 24");
    assert_eq!(facts("01020304"), (None, None));
}
