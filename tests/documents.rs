//! What the program says of itself: its networks, the completions of shells, its manual pages.

mod common;

use std::io::Write;
use std::process::{Command, Stdio};

use common::command::{TempDir, finish, probe};
use common::schema;
use serde_json::{Value, json};

fn say(name: &str, arguments: &[&str]) -> String {
    let ran = finish(probe(name, arguments).spawn().expect("the binary starts"));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{name} {arguments:?}");
    ran.stdout
}

fn find<'a>(lines: &'a [Value], protocol: &str, name: &str) -> &'a Value {
    let is_it = |line: &&Value| line["protocol"] == protocol && line["name"] == name;
    lines.iter().find(is_it).unwrap_or_else(|| panic!("no {protocol} {name}"))
}

#[test]
fn networks_are_listed_with_where_they_come_from() {
    let dir = TempDir::new();
    let config = dir.file(
        "networks.toml",
        "[bitcoin.mine]\nmagic = \"01020304\"\nservices = { 25 = \"MINE\" }\n\
         [bitcoin.regtest]\nmagic = \"05060708\"\nport = 1\n\
         [ethereum.sepolia]\nbootnodes = [\"127.0.0.1:30303 mine\", \"127.0.0.1:1\"]\n\
         [ethereum.none]\nbootnodes = []\n",
    );
    let built_in = schema::validate_all(&say("networks", &["--json"]));
    let mainnet = find(&built_in, "bitcoin", "mainnet");
    assert_eq!((&mainnet["magic"], &mainnet["port"]), (&json!("f9beb4d9"), &json!(8333)));
    assert!(built_in.iter().all(|line| line["from"] == "built-in"));
    let all = schema::validate_all(&say("networks", &["--json", "--config", &config]));
    assert_eq!(all.len(), built_in.len() + 2);
    let mine = find(&all, "bitcoin", "mine");
    assert_eq!((&mine["from"], mine.get("overrides")), (&json!(config), None));
    assert_eq!((mine.get("port"), &mine["services"]), (None, &json!({"25": "MINE"})));
    for (protocol, name) in [("bitcoin", "regtest"), ("ethereum", "sepolia")] {
        let line = find(&all, protocol, name);
        assert_eq!((&line["from"], &line["overrides"]), (&json!(config), &json!(true)));
    }
    let nodes = json!([{"target": "127.0.0.1:30303", "label": "mine"}, {"target": "127.0.0.1:1"}]);
    assert_eq!(find(&all, "ethereum", "sepolia")["bootnodes"], nodes);
    let text = say("networks", &["--config", &config]);
    assert_eq!(text.lines().count(), all.len());
    for line in [
        "ethereum  mainnet            4 bootnodes                           built-in",
        "ethereum  none               no bootnodes                          FILE",
        "ethereum  sepolia            2 bootnodes                           FILE, in place of the built-in one",
        "bitcoin   bitcoin-sv         magic e3e1f3e8  port 8333   3 seeds   built-in; bans for another magic",
        "bitcoin   dogecoin-testnet   magic fcc1b7dc  port 44556  1 seed    built-in",
        "bitcoin   litecoin-regtest   magic fabfb5da  port 19444  no seeds  built-in; services 23=MWEB_LIGHT_CLIENT 24=MWEB",
        "bitcoin   mine               magic 01020304  no port     no seeds  FILE; services 25=MINE",
        "bitcoin   regtest            magic 05060708  port 1      no seeds  FILE, in place of the built-in one",
    ] {
        let line = line.replace("FILE", &config);
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

/// The block of the README with this mark and language.
fn block<'a>(mark: &str, language: &str) -> &'a str {
    let mark = format!("<!-- {mark} -->\n```{language}\n");
    let (_, rest) = include_str!("../README.md").split_once(&mark).expect("its mark");
    rest.split_once("```\n").expect("its end").0
}

#[test]
fn the_networks_of_the_readme_load_as_they_stand() {
    let dir = TempDir::new();
    let config = dir.file("networks.toml", block("networks", "toml"));
    let all = schema::validate_all(&say("networks", &["--json", "--config", &config]));
    let mine: Vec<_> = all.iter().filter(|line| line["from"] == config).cloned().collect();
    let expected = [
        json!({
            "type": "network", "name": "mynet", "protocol": "ethereum",
            "bootnodes": [{"target": "10.1.2.3:30303", "label": "rack-4"}], "from": config,
        }),
        json!({
            "type": "network", "name": "mynet", "protocol": "bitcoin", "magic": "0a0b0c0d",
            "port": 18999, "seeds": ["seed.example.org"], "services": {"25": "MYSERVICE"},
            "bans": true, "from": config,
        }),
    ];
    assert_eq!(mine, expected);
}

#[test]
fn completions_are_what_the_shell_takes() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let text = say("completions", &[shell]);
        assert!(text.contains("btc-handshake") && text.contains("max-clock-skew"), "{shell}");
    }
    let mut bash = Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn().expect("bash");
    let text = say("completions", &["bash"]);
    bash.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("taken");
    assert!(bash.wait().expect("its end").success());
}

#[test]
fn each_command_has_a_manual_page() {
    for (arguments, title) in [
        (&[][..], ".TH p2pprobe 1"),
        (&["eth-ping"], ".TH p2pprobe-eth-ping 1"),
        (&["btc-handshake"], ".TH p2pprobe-btc-handshake 1"),
    ] {
        let page = say("man", arguments);
        assert!(page.contains(title) && page.contains(".SH SYNOPSIS"), "{arguments:?}");
    }
    let ran = finish(probe("man", ["no-such"]).spawn().expect("the binary starts"));
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(ran.stderr.starts_with("error: there is no command named 'no-such'\n"));
}
