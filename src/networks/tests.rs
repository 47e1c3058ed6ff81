use super::*;
use crate::host::{BadHost, HostPortError};
use crate::source::line;
use crate::target::bitcoin::{Asked, Bitcoin};
use crate::target::ethereum::parse;
use crate::target::{BadName, MAX_NAME, Place, Said, Targets, Written};

#[test]
fn the_built_in_networks_can_be_read() {
    let networks = file::read(BUILT_IN).and_then(|file| ethereum::networks(&file));
    let networks = networks.expect("bootnodes.toml");
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
    let networks = file::read(BUILT_IN).and_then(|file| bitcoin::networks(&file));
    let networks = networks.expect("bootnodes.toml");
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
    let all: BTreeSet<_> = Networks::default().magics().iter().map(ToString::to_string).collect();
    assert_eq!((anywhere.len(), anywhere.iter().cloned().collect()), (all.len(), all));
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
    assert_eq!(nearest("MAINNET"), ["mainnet"]);
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

fn mistake(text: &str) -> (usize, usize, String, Mistake) {
    match Networks::with_bytes(text.as_bytes()).expect_err(text) {
        NetworksError::Mistake { line, column, text, mistake } => (line, column, text, mistake),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn a_mistake_is_told_with_its_place_and_what_stands_there() {
    let magic = "[bitcoin.mine]\nmagic = \"0a0b0c0d\"\n";
    let told = |text: &str, mistake| (text.to_owned(), mistake);
    for (text, place, expected) in [
        ("port = 0", (3, 8), told("0", Mistake::Value(Key::Port))),
        ("port = 65536", (3, 8), told("65536", Mistake::Value(Key::Port))),
        (
            "# é\nseeds = [\n 'é', 5]",
            (5, 2),
            told("'é'", Mistake::Seed(BadSeed::Host(HostPortError::Host(BadHost::Character('é'))))),
        ),
        ("seeds = ['a.b', 'a.b:1']", (3, 17), told("'a.b:1'", Mistake::Seed(BadSeed::Port))),
        ("seeds = ['a.b']", (3, 9), told("['a.b']", Mistake::NoPort)),
        ("services = { 64 = 'X' }", (3, 14), told("64", Mistake::Bit)),
        ("services = { 025 = 'X' }", (3, 14), told("025", Mistake::Bit)),
        ("services = { 25 = 'x' }", (3, 19), told("'x'", Mistake::ServiceName)),
        ("é = 1", (3, 1), told("é = 1", Mistake::Toml(String::new()))),
        ("'é' = 1", (3, 1), told("'é'", Mistake::UnknownKey(Protocol::Bitcoin))),
    ] {
        let (line, column, text, mut mistake) = mistake(&format!("{magic}{text}"));
        if let Mistake::Toml(words) = &mut mistake {
            words.clear();
        }
        assert_eq!(((line, column), (text, mistake)), (place, expected));
    }
    for good in
        ["", "port = 1", "port = 65535\nseeds = ['a.b']", "services = { 63 = 'X_1' }", "seeds = []"]
    {
        assert!(Networks::with_text(&format!("{magic}{good}")).is_ok(), "{good}");
    }
    assert!(Networks::with_text("").is_ok());
}

/// Where escapes shift the text, its start is all that can be told.
#[test]
fn a_mistake_in_a_bootnode_is_told_where_it_is() {
    for (node, column) in [
        ("'10.1.2.3'", 23),
        ("\"10.1.2.3:x\"", 24),
        ("\"\\u0031.1.2.3\"", 14),
        ("''", 15),
        // In characters, each of which is two or three bytes here.
        ("'é…:1'", 15),
        ("' a.é:1'", 18),
        ("'\u{2003}10.1.2.3:é'", 25),
    ] {
        let (line, found, text, mistake) =
            mistake(&format!("[ethereum.mine]\nbootnodes = [{node}]"));
        assert!(matches!(mistake, Mistake::Bootnode(_)), "{mistake:?}");
        assert_eq!((line, found, &text[..]), (2, column, node));
    }
}

#[test]
fn a_mark_of_the_byte_order_is_no_column() {
    let column = |text: &[u8]| match Networks::with_bytes(text) {
        Err(NetworksError::Mistake { line: 1, column, text, .. }) => (column, text),
        other => panic!("{other:?}"),
    };
    for text in ["[solana.x]", "[bitcoin", "[bitcoin.é] x"] {
        let with = format!("\u{feff}{text}");
        assert_eq!(column(with.as_bytes()), column(text.as_bytes()), "{text}");
    }
    assert_eq!(column(b"\xef\xbb\xbf[\xff]"), column(b"[\xff]"));
}

#[test]
fn double_brackets_are_not_taken_for_a_network_without_a_name() {
    let what = |text: &str| mistake(text).3;
    assert_eq!(what("[[ethereum.x]]"), Mistake::Brackets(Protocol::Ethereum));
    assert_eq!(what("[[bitcoin.x]]\nmagic = '01020304'"), Mistake::Brackets(Protocol::Bitcoin));
    for key in ["bootnodes = []", "bootnodes = ['a:1']", "bootnodes = [{}, 1]", "x = 1"] {
        assert_eq!(what(&format!("[ethereum]\n{key}")), Mistake::NoName(Protocol::Ethereum));
    }
}

#[test]
fn a_file_of_networks_has_an_end() {
    let file = |len| read(io::repeat(b'\n').take(len)).expect("it can be read");
    assert!(Networks::with_bytes(&file(MAX_FILE)).is_ok());
    for len in [MAX_FILE + 1, u64::MAX] {
        let read = file(len);
        assert_eq!(read.len() as u64, MAX_FILE + 1);
        let too_long = Networks::with_bytes(&read).expect_err("it is too long");
        assert!(matches!(too_long, NetworksError::TooLong(MAX_FILE)), "{too_long:?}");
    }
}

/// A name that is taken is a target of each protocol, and of a line of a file; of the others none is.
#[test]
fn a_name_of_ones_own_is_a_target() {
    let networks = Arc::new(Networks::default());
    let network = networks.bitcoin(MAIN_NETWORK).expect("there is one");
    let bitcoin = Bitcoin { networks, asked: Asked::One { network, said: false } };
    let longest = "a".repeat(MAX_NAME);
    for name in ["a", "_", "a-", "8333", "enr", "Local-Host", &longest] {
        let tables = "[ethereum.NAME]\nbootnodes = []\n[bitcoin.NAME]\nmagic = '0a0b0c0d'\n";
        let read = Networks::with_text(&tables.replace("NAME", name)).map_err(|spot| spot.mistake);
        assert!(read.is_ok(), "{name}: {read:?}");
        let ethereum = line::parse(name.as_bytes(), |text, _| parse(text));
        let ethereum = ethereum.expect("a line").map(|entry| entry.written);
        assert_eq!(ethereum, Ok(Written::Network(name.to_owned())));
        let bitcoin = bitcoin.parse(name, Said::default());
        assert_eq!(bitcoin, Ok(Written::Network(name.to_owned())));
    }
    let too_long = "a".repeat(MAX_NAME + 1);
    for (name, why) in [
        ("", BadName::Empty),
        ("-", BadName::Dash),
        ("-4", BadName::Dash),
        ("localhost", BadName::Localhost),
        ("LocalHost", BadName::Localhost),
        (&too_long, BadName::Long),
        ("my.net", BadName::Character('.')),
        ("my net", BadName::Character(' ')),
        ("a:b", BadName::Character(':')),
        ("a/b", BadName::Character('/')),
        ("é", BadName::Character('é')),
        ("#a", BadName::Character('#')),
    ] {
        for table in [format!("ethereum.'{name}'"), format!("bitcoin.'{name}'")] {
            let found = mistake(&format!("[{table}]"));
            let (column, text) = (table.find('\'').expect("a quote") + 2, format!("'{name}'"));
            assert_eq!(found, (1, column, text, Mistake::Name(why)));
        }
    }
    assert_eq!(mistake("[bitcoin.any]").3, Mistake::NameAny);
    assert_eq!(mistake("[bitcoin.my.net]").3, Mistake::Dot(Protocol::Bitcoin));
    // It is a name like others where no command takes it for another thing.
    assert!(Networks::with_text("[ethereum.any]\nbootnodes = []").is_ok());
}
