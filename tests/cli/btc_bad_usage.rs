//! Flags and files that `btc-handshake` cannot use: what is wrong, what to do, and that nobody is connected to.

use std::net::TcpListener;

use super::transcript::Transcript;
use crate::common::command::TempDir;

fn check(name: &str, cases: &[&[&str]]) {
    let mut transcript = Transcript::of("btc-handshake");
    for args in cases {
        transcript.refused(args);
    }
    transcript.check(name);
}

#[test]
fn nothing_asked() {
    let mut transcript = Transcript::of("btc-handshake");
    transcript.refused_alone(&[]);
    transcript.check("btc_nothing_asked");
}

#[test]
fn networks() {
    check(
        "btc_networks",
        &[
            &["--network", "maimnet"],
            &["--network", "lightcoin"],
            &["--network", ""],
            &["--magic", "f9beb4d"],
            &["--magic", "f9beb4d900"],
            &["--magic", "0xf9beb4d9"],
            &["--magic", "mainnet!"],
            &["--magic", "f9beb4d9", "--network", "mainnet"],
            &["--signet-challenge", "5"],
            &["--signet-challenge", ""],
            &["--signet-challenge", "OP_TRUE!"],
            &["--signet-challenge", "51", "--magic", "f9beb4d9"],
            &["--signet-challenge", "51", "--network", "signet"],
        ],
    );
}

#[test]
fn what_is_asked_of_a_node() {
    check(
        "btc_limits",
        &[
            &["--need-services", "NETWROK"],
            &["--need-services", "NETWORK,witnes"],
            // Litecoin's.
            &["--need-services", "MWBE"],
            &["--need-services", "TOWER"],
            &["--need-services", "NETWORK,,WITNESS"],
            &["--need-services", "bit 64"],
            &["--min-height", "high"],
            &["--min-height", "2147483648"],
            &["--max-rtt", "5"],
            &["--max-clock-skew", "never"],
        ],
    );
}

#[test]
fn user_agents() {
    let mut transcript = Transcript::of("btc-handshake");
    let long = "a".repeat(257);
    transcript.replace(long.clone(), "A257");
    // Nobody who reads the snapshot should have to obey it.
    transcript.replace("\u{202e}", "U+202E");
    transcript.replace("\u{7f}", "DEL");
    for agent in [&long, "/x\n:1/", "/x\u{7f}:1/", "/é:1/", "/\u{202e}x:1/"] {
        transcript.refused(&["--user-agent", agent]);
    }
    transcript.check("btc_user_agents");
}

#[test]
fn pace_and_times() {
    check(
        "btc_pace_and_times",
        &[
            &["--connect-timeout", "0"],
            &["--timeout", "0s"],
            &["--timeout", "15"],
            &["--interval", "1"],
            &["--per-host-interval", "quick"],
            &["--count", "0"],
            &["--concurrency", "0"],
            &["--concurrency", "65537"],
            &["--retries", "some"],
            &["--rate", "fast"],
            &["-4", "-6"],
            &["-q", "-v"],
            // Flags of eth-ping.
            &["--key", "node.key"],
            &["--bond"],
        ],
    );
}

#[test]
fn addresses_to_bind() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let taken = taken.local_addr().expect("its address");
    let mut transcript = Transcript::of("btc-handshake");
    transcript.replace(taken.to_string(), "127.0.0.1:TAKEN");
    transcript.refused(&["--bind", "127.0.0.1"]);
    transcript.refused(&["--bind", "127.0.0.1:0", "--bind", "127.0.0.2:0"]);
    transcript.refused(&["--bind", &taken.to_string()]);
    transcript.refused(&["--bind", "192.0.2.1:0"]);
    transcript.check("btc_addresses_to_bind");
}

#[test]
fn files_of_networks() {
    let dir = TempDir::new();
    let table = |name: &str, text: &str| {
        dir.file(&format!("{name}.toml"), format!("[bitcoin.mine]\n{text}\n"))
    };
    let good = "magic = \"00c0ffee\"\n";
    let with = |name: &str, text: &str| table(name, &format!("{good}{text}"));
    let files = [
        table("no-magic", "port = 1"),
        table("short", "magic = \"00c0ff\""),
        table("hex", "magic = \"0x00c0ff\""),
        table("number", "magic = 12648430"),
        with("port-0", "port = 0"),
        with("port-65536", "port = 65536"),
        with("key", "prot = 8333"),
        with("seed", "seeds = [\"seed.example.org\", \"seed..example.org\"]"),
        with("seed-port", "seeds = [\"seed.example.org:8333\"]"),
        with("seed-address", "seeds = [\"192.0.2.1\"]"),
        with("bit-64", "services = { 64 = \"FUTURE\" }"),
        with("bit-name", "services = { NETWORK = \"0\" }"),
        with("no-port", "seeds = [\"seed.example.org\"]"),
        with("bit-lower-case", "services = { 24 = \"mweb\" }"),
        with("bit-blank", "services = { 24 = \"M WEB\" }"),
        with("bit-digit", "services = { 24 = \"24\" }"),
        dir.file("any.toml", "[bitcoin.any]\nmagic = \"00c0ffee\"\n"),
        with("bans", "bans = \"yes\""),
        dir.file("name.toml", "[bitcoin.\"my\\u001bnet\"]\nmagic = \"00c0\"\n"),
        dir.file("table.toml", "[bitcoins.mine]\nmagic = \"00c0ffee\"\n"),
        dir.file("litecoin.toml", "[litecoin.mine]\nmagic = \"00c0ffee\"\n"),
        dir.file("no-name.toml", "[bitcoin]\nmagic = \"00c0ffee\"\n"),
        dir.file("no-protocol.toml", "[mine]\nmagic = \"00c0ffee\"\n"),
        dir.file("dot.toml", "[bitcoin.my.net]\nmagic = \"00c0ffee\"\n"),
        dir.file("quoted-dot.toml", "[bitcoin.\"my.net\"]\nmagic = \"00c0ffee\"\n"),
        dir.file("flag.toml", "[bitcoin.-4]\nmagic = \"00c0ffee\"\n"),
        dir.file("host.toml", "[bitcoin.localhost]\nmagic = \"00c0ffee\"\n"),
        table("prefix", "magic = \"0x00c0ffee\""),
        table("no-quotes", "magic = c0ffee00"),
        table("no-quotes-f", "magic = f9beb4d9"),
        table("no-quotes-0", "magic = 0a0b0c0d"),
        table("port-no-quotes", "port = eight"),
        table("bans-no-quotes", "bans = no"),
        table("seeds-no-quotes", "seeds = [seed.example.org]"),
        table("one-digit", "magic = \"0\""),
        with("port-text", "port = \"8333\""),
        with("seed-no-list", "seeds = \"seed.example.org\""),
        with("seed-no-text", "seeds = [\"seed.example.org\", 5]"),
        with("services-list", "services = [\"MINE\"]"),
        with("service-no-text", "services = { 25 = 25 }"),
        with("twice", "port = 1\nport = 2"),
        with("typo", "sedes = [\"seed.example.org\"]"),
    ];
    let mut transcript = Transcript::of("btc-handshake");
    transcript.replace(dir.path().to_str().expect("UTF-8"), "DIR");
    for file in &files {
        transcript.refused(&["--config", file]);
    }
    transcript.check("btc_files_of_networks");
}

#[test]
fn files_of_targets() {
    let dir = TempDir::new();
    let path = dir.path().to_str().expect("UTF-8");
    let mut transcript = Transcript::of("btc-handshake");
    transcript.replace(path, "DIR");
    transcript.refused(&["--file", &format!("{path}/none.txt")]);
    transcript.refused_alone(&["--file", &dir.file("comments.txt", "# one\n\n  \t\n# two\n")]);
    transcript.check("btc_files_of_targets");
}
