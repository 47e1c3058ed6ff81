//! Targets that `btc-handshake` cannot read: what is wrong, where, and that nobody is connected to; in a file, a result
//! like any other.

use serde_json::json;

use super::transcript::Transcript;
use crate::common::command::{TempDir, finish, probe, run_btc_handshake};
use crate::common::tcp_crowd::TcpCrowd;

const ENODE: &str = "enode://d860a01f9722d78051619d1e2351aba3f43f943f6f00718d1b9baa4101932a1f5011f16bb2b1bb35db20d6fe28fa0bf0\
                     9636d26a87d31de9ec6203eeedb1f666@192.0.2.1:30303";
/// The example of EIP-778.
const RECORD: &str = "enr:-IS4QHCYrYZbAKWCBRlAy5zzaDZXJBGkcnh4MHcBFZntXNFrdvJjX04jRzjzCBOonrkTfj499SZu\
                      Oh8R33Ls8RRcy5wBgmlkgnY0gmlwhH8AAAGJc2VjcDI1NmsxoQPKY0yuDUmstAHYpMa2_oxVtw0RW_Q\
                      AdpzBQA8yWM0xOIN1ZHCCdl8";
const ONION: &str = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion";

/// Holds what these targets give, each alone, against a snapshot.
fn check(name: &str, targets: &[&str]) {
    let mut transcript = Transcript::of("btc-handshake");
    transcript.replace(ENODE, "ENODE");
    transcript.replace(RECORD, "RECORD");
    for target in targets {
        transcript.refused(&[target]);
    }
    transcript.check(name);
}

#[test]
fn hosts() {
    check(
        "btc_hosts",
        &[
            "",
            "exa$mple.org",
            "exa$mple.org:8333",
            "node..example.org",
            "192.0.2.256",
            "192.0.2",
            "192.0.2.1 ",
            "2001:db8::1",
            "2001:db8::1:8333",
            "[2001:db8::1",
            "[2001:db8::g]",
            "[192.0.2.1]:8333",
            "[2001:db8::1]8333",
            "\u{1b}[31mred\u{1b}[0m.example.org",
        ],
    );
}

#[test]
fn ports() {
    check(
        "btc_ports",
        &[
            "192.0.2.1:0",
            "[2001:db8::1]:0",
            "192.0.2.1:65536",
            "192.0.2.1:http",
            "192.0.2.1:833e",
            "192.0.2.1:-1",
            "192.0.2.1:",
            ":8333",
            "192.0.2.1:8333:8333",
        ],
    );
}

#[test]
fn what_is_reached_otherwise() {
    let onion = format!("{ONION}:8333");
    check(
        "btc_reached_otherwise",
        &[
            ENODE,
            RECORD,
            "http://node.example.org:8333",
            "tcp://192.0.2.1:8333",
            "user@node.example.org:8333",
            ONION,
            &onion,
            &ONION.to_uppercase(),
            &format!("{ONION}."),
            "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p:0",
        ],
    );
}

#[test]
fn names_of_networks_and_of_files() {
    let dir = TempDir::new();
    let file = dir.file("nodes.txt", "192.0.2.1\n");
    let mut transcript = Transcript::of("btc-handshake");
    transcript.replace(dir.path().to_str().expect("UTF-8"), "DIR");
    for target in ["maimnet", "lightcoin", "Testnet4", "any", "sepolia", "8333", "mainnet ", &file]
    {
        transcript.refused(&[target]);
    }
    transcript.check("btc_names_of_networks_and_of_files");
}

/// None of these is looked up, and where it were, `.invalid` would be nobody's (RFC 6761).
#[test]
fn a_file_that_is_named_like_a_host_is_no_host() {
    let dir = TempDir::new();
    for name in ["nodes.invalid", "localhost", "nodes", "mainnet"] {
        dir.file(name, "192.0.2.1\n");
    }
    dir.file("directory.invalid/file", "");
    let mut transcript = Transcript::of("btc-handshake");
    transcript.run_in(dir.path());
    for target in ["nodes.invalid", "localhost", "nodes"] {
        transcript.refused(&[target]);
    }
    transcript.check("btc_files_named_like_hosts");
}

#[test]
fn an_address_and_a_host_with_its_port_are_no_files() {
    let (dir, crowd) = (TempDir::new(), TcpCrowd::answering());
    let (address, named) = (crowd.target(0), format!("localhost:{}", crowd.port));
    for name in [&address, &named, "127.0.0.1"] {
        dir.file(name, "");
    }
    let port = dir.file(
        "port.toml",
        format!("[bitcoin.mine]\nmagic = \"f9beb4d9\"\nport = {}\n", crowd.port),
    );
    let args = ["--json", "-4", "--per-host-interval", "0", "--config", &port, "--network", "mine"];
    let mut command = probe("btc-handshake", args);
    command.args([&address, &named, "127.0.0.1"]).current_dir(dir.path());
    let ran = finish(command.spawn().expect("the binary starts"));
    assert_eq!((ran.code, ran.outcomes()), (Some(0), vec!["ok".to_owned(); 3]), "{ran:?}");
}

#[test]
fn no_port_goes_without_saying() {
    let mut transcript = Transcript::of("btc-handshake");
    // That of regtest, which Litecoin's has too, at another port; one that nobody has; a network without a port.
    transcript.refused(&["--magic", "fabfb5da", "192.0.2.1"]);
    transcript.refused(&["--magic", "00c0ffee", "node.example.org"]);
    transcript.refused(&["--network", "namecoin-regtest", "[2001:db8::1]"]);
    transcript.check("btc_no_port");
}

#[test]
fn in_a_file_each_is_a_result_of_its_own() {
    let dir = TempDir::new();
    let lines: [(&str, &str); 13] = [
        ("exa$mple.org", "4: '$' cannot stand in a host name"),
        ("  192.0.2.1:0 label", "13: the port is 0, where nothing can listen"),
        ("192.0.2.1:65536", "11: the port is above 65535"),
        ("2001:db8::1", "1: an IPv6 address needs brackets: [ADDRESS] or [ADDRESS]:PORT"),
        ("enr:-IS4", "1: this is an Ethereum node: eth-ping is for those"),
        (
            "\tuser@192.0.2.1",
            "2: this is no node: write HOST, HOST:PORT, [IPV6]:PORT or a network's name",
        ),
        (ONION, "1: Tor and I2P addresses cannot be reached: p2pprobe has no proxy support"),
        ("maimnet", "1: there is no network named 'maimnet'; did you mean 'mainnet'?"),
        (
            "{\"target\":\"192.0.2.1\",\"network\":\"maimnet\"}",
            "1: network: there is no network named 'maimnet'; did you mean 'mainnet'?",
        ),
        (
            "{\"target\":\"192.0.2.1\",\"network\":\"lightcoin\"}",
            "1: network: there is no network named 'lightcoin'; `p2pprobe networks` lists those that there are",
        ),
        (
            "lightcoin",
            "1: there is no network named 'lightcoin'; `p2pprobe networks` lists those that there are \
             (--config FILE adds others, a host without a dot needs a port)",
        ),
        (
            " {\"command\":\"eth-ping\",\"target\":\"192.0.2.1:8333\"}",
            "2: this is a result of eth-ping: give it to that command",
        ),
        (" {\"target\":\"192.0.2.1:0\"}", "2: the port is 0, where nothing can listen"),
    ];
    let content: Vec<_> = lines.iter().map(|(line, _)| *line).collect();
    let file = dir.file("nodes.txt", content.join("\n"));
    let ran = run_btc_handshake(["--json", "--file", &file]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""));
    let probes = ran.of_type("probe");
    assert_eq!(probes.len(), lines.len(), "{ran:?}");
    for ((number, (line, reason)), probe) in (1..).zip(lines).zip(&probes) {
        assert_eq!(probe["failure"], "bad-target", "{line}: {probe:#}");
        assert_eq!((&probe["line"], &probe["file"]), (&json!(number), &json!(file)));
        assert_eq!(probe["reason"], format!("{file}:{number}:{reason}"));
    }
    assert_eq!(probes[1]["label"], "label");
    let summary = &ran.of_type("summary")[0];
    assert_eq!(summary["failures"], json!({"bad-target": lines.len()}));
}
