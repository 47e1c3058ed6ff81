//! What `btc-handshake` says of the real nodes of [`common::bitcoin_peers`], word for word, and where a node can be
//! asked by RPC, that this is what it says of itself.

mod common;

use std::net::{SocketAddr, TcpListener};
use std::time::Instant;

use common::bitcoin_peers::{Bcoin, BitcoinSv, Litecoind, Network};
use common::command::run_btc_handshake;
use common::program::{Outcome, btc_handshake};
use serde_json::{Value, json};

const LITECOIN: &str = "/LitecoinCore:0.21.2.1/";
const LITECOIN_SERVICES: &[&str] = &["NETWORK", "WITNESS", "NETWORK_LIMITED", "MWEB"];
const LITECOIN_FIRST: &[&str] = &["version", "wtxidrelay", "sendaddrv2", "verack"];
const BITCOIN_SV: &str = "/Bitcoin SV:1.0.13/";
const BCOIN: &str = "/bcoin:v1.0.2/";

fn ask(network: &str, options: &[&str], to: SocketAddr) -> Outcome {
    btc_handshake(&[&["--network", network], options, &[&to.to_string()]].concat())
}

/// What a node is to be told as.
struct Expected<'a> {
    network: &'a str,
    magic: &'a str,
    protocol: i32,
    services: &'a str,
    names: &'a [&'a str],
    agent: &'a str,
    height: i32,
    /// The messages that come first, in this order.
    first: &'a [&'a str],
}

impl Expected<'_> {
    /// Asserts that a line is that of a node which answered so, and lacks nothing.
    fn assert_said(&self, line: &Value, to: SocketAddr) {
        let exact = json!({
            "ok": true, "command": "btc-handshake", "target": to.to_string(), "endpoint": to.to_string(),
            "network": self.network, "magic": self.magic, "protocol": self.protocol, "services": self.services,
            "service_names": self.names, "user_agent": self.agent, "height": self.height, "relay": true, "tries": 1,
        });
        for (field, value) in exact.as_object().expect("an object") {
            assert_eq!(&line[field], value, "{field} of {line:#}");
        }
        for field in ["failure", "reason", "user_agent_hex", "networks", "magics_tried"] {
            assert_eq!(line.get(field), None, "{field} of {line:#}");
        }
        assert!((-2..=2).contains(&line["clock_offset_s"].as_i64().expect("a number")), "{line:#}");
        let messages = line["messages"].as_array().expect("a list");
        assert_eq!(&Value::from(&messages[..self.first.len()]), &json!(self.first), "{line:#}");
        assert_eq!(messages.iter().filter(|name| **name == "pong").count(), 1, "{line:#}");
    }

    /// Asserts that a node is told so, as JSON and as text; gives the JSON line.
    fn assert_told(&self, to: SocketAddr) -> Value {
        let begun = Instant::now();
        let outcome = ask(self.network, &[], to);
        let whole_run = begun.elapsed().as_secs_f64() * 1000.0;
        let line = outcome.answered().clone();
        self.assert_said(&line, to);
        let ms = |field: &str| line[field].as_f64().unwrap_or_else(|| panic!("{field}: {line:#}"));
        assert!(ms("version_ms") <= ms("handshake_ms"), "{line:#}");
        assert!(ms("connect_ms") > 0.0 && ms("rtt_ms") > 0.0, "{line:#}");
        // One after the other.
        assert!(ms("connect_ms") + ms("handshake_ms") + ms("rtt_ms") < whole_run, "{line:#}");
        self.assert_told_as_text(to);
        line
    }

    fn assert_told_as_text(&self, to: SocketAddr) {
        let ran = run_btc_handshake(["--network", self.network, &to.to_string()]);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{}", ran.stdout);
        let [line] = ran.stdout.lines().collect::<Vec<_>>()[..] else { panic!("{}", ran.stdout) };
        let words: Vec<_> = line.split_whitespace().collect();
        assert_eq!(words[..2], ["ok", &to.to_string()], "{line}");
        assert!(words[2].ends_with("ms"), "{line}");
        let Expected { network, magic, protocol, services, names, agent, height, first } = self;
        let agent = if agent.contains(' ') { format!("{agent:?}") } else { (*agent).to_owned() };
        let (names, first) = (names.join(","), first.join(","));
        for part in [
            format!(" network={network} "),
            format!(" user_agent={agent} height={height} protocol={protocol} services={services}"),
            format!(" service_names={names} relay=true clock_offset_s="),
            format!(" magic={magic} "),
            format!(" endpoint={to} tries=1 at="),
            format!(" messages={first},"),
        ] {
            assert!(line.contains(&part), "{part:?} in {line}");
        }
    }
}

#[test]
fn litecoind_of_mainnet() {
    let Some(node) = Litecoind::start_or_skip(Network::Main) else { return };
    let expected = Expected {
        network: "litecoin",
        magic: "fbc0b6db",
        protocol: 70_016,
        services: "0x1000409",
        names: LITECOIN_SERVICES,
        agent: LITECOIN,
        height: 0,
        first: LITECOIN_FIRST,
    };
    let line = expected.assert_told(node.addr);
    assert_eq!((line.get("warnings"), line.get("seen_as")), (None, None), "{line:#}");
    let itself = node.network_info();
    assert_eq!(
        (&itself["subversion"], &itself["protocolversion"]),
        (&line["user_agent"], &line["protocol"])
    );
    assert_eq!(itself["localservicesnames"], line["service_names"], "{itself:#}");
}

#[test]
fn litecoind_of_regtest_by_both_names_of_its_magic() {
    let Some(node) = Litecoind::start_or_skip(Network::Regtest) else { return };
    node.mine(110);
    let litecoin = Expected {
        network: "litecoin-regtest",
        magic: "fabfb5da",
        protocol: 70_016,
        services: "0x1000409",
        names: LITECOIN_SERVICES,
        agent: LITECOIN,
        height: 110,
        first: LITECOIN_FIRST,
    };
    let line = litecoin.assert_told(node.addr);
    assert_eq!((line.get("warnings"), line.get("seen_as")), (None, None), "{line:#}");
    // Bitcoin has no name for the bit.
    let names = ["NETWORK", "WITNESS", "NETWORK_LIMITED", "bit 24"];
    let line = ask("regtest", &[], node.addr).answered().clone();
    Expected { network: "regtest", names: &names, ..litecoin }.assert_said(&line, node.addr);
}

#[test]
fn bcoin_of_both_networks_says_where_it_sees_us() {
    for (on, network, magic) in
        [(Network::Main, "mainnet", "f9beb4d9"), (Network::Regtest, "regtest", "fabfb5da")]
    {
        let Some(node) = Bcoin::start_or_skip(on) else { return };
        let expected = Expected {
            network,
            magic,
            protocol: 70_015,
            services: "0x9",
            names: &["NETWORK", "WITNESS"],
            agent: BCOIN,
            height: 0,
            first: &["version", "verack"],
        };
        expected.assert_told(node.addr);
        // From an address that nobody else here uses, and a port that was free just now.
        let ours = TcpListener::bind("127.0.0.5:0").and_then(|socket| socket.local_addr());
        let ours = ours.expect("an address").to_string();
        let line = ask(network, &["--bind", &ours], node.addr).answered().clone();
        expected.assert_said(&line, node.addr);
        assert_eq!((&line["seen_as"], line.get("warnings")), (&json!(ours), None), "{line:#}");
    }
    // Another network with the same magic, and that of mainnet without its being said.
    let Some(regtest) = Bcoin::start_or_skip(Network::Regtest) else { return };
    assert_eq!(
        ask("litecoin-regtest", &[], regtest.addr).answered()["network"],
        "litecoin-regtest"
    );
    let Some(main) = Bcoin::start_or_skip(Network::Main) else { return };
    assert_eq!(btc_handshake(&[&main.addr.to_string()]).answered()["network"], "mainnet");
}

#[test]
fn bitcoin_sv_with_its_extra_byte() {
    let Some(node) = BitcoinSv::start_or_skip() else { return };
    let expected = Expected {
        network: "bsv-regtest",
        magic: "dab5bffa",
        protocol: 70_016,
        services: "0x21",
        names: &["NETWORK", "BCH"],
        agent: BITCOIN_SV,
        height: 0,
        first: &["version", "verack", "protoconf"],
    };
    let line = expected.assert_told(node.addr);
    assert_eq!(line["warnings"], json!([{ "warning": "extra-bytes", "count": 1 }]), "{line:#}");
    assert_eq!(line.get("seen_as"), None, "{line:#}");
    let itself = node.rpc.call("getnetworkinfo", json!([]));
    assert_eq!(
        (&itself["subversion"], &itself["protocolversion"]),
        (&line["user_agent"], &line["protocol"])
    );
    let text = run_btc_handshake(["--network", "bsv-regtest", &node.addr.to_string()]).stdout;
    assert!(text.contains(" warnings=extra-bytes(count=1) "), "{text}");
}
