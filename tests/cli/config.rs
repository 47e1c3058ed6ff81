//! The user's own networks: `$XDG_CONFIG_HOME`, `~/.config`, `--config`.

use std::os::unix::fs::symlink;

use crate::common::answering::Peer;
use crate::common::command::{Ran, TempDir, eth_ping, finish};

const FILE: &str = "p2pprobe/bootnodes.toml";

fn network(name: &str, nodes: &[&Peer]) -> String {
    let nodes: Vec<_> = nodes.iter().map(|peer| format!("\"{}\"", peer.enode)).collect();
    format!("[ethereum.{name}]\nbootnodes = [{}]\n", nodes.join(", "))
}

/// Runs with these variables.
fn run(args: &[&str], variables: &[(&str, &str)]) -> Ran {
    let mut command = eth_ping(["--json", "--per-host-interval", "0"].iter().chain(args));
    command.envs(variables.iter().copied());
    finish(command.spawn().expect("the binary starts"))
}

/// Where the probes of a run went.
fn endpoints(ran: &Ran) -> Vec<String> {
    let probes = ran.of_type("probe");
    probes.iter().map(|line| line["endpoint"].as_str().expect("text").to_owned()).collect()
}

#[test]
fn the_users_file_adds_networks_and_overrides_them() {
    let (dir, peer, other) = (TempDir::new(), Peer::start(), Peer::start());
    let text = network("mine", &[&peer]) + &network("mainnet", &[&other]);
    dir.file(FILE, &text);
    dir.file(&format!(".config/{FILE}"), &text);
    let path = dir.path().to_str().expect("UTF-8");
    for variables in [
        &[("XDG_CONFIG_HOME", path), ("HOME", "/none")][..],
        &[("HOME", path)],
        // Empty or relative, it is to be ignored (XDG Base Directory Specification).
        &[("HOME", path), ("XDG_CONFIG_HOME", "")],
        &[("HOME", path), ("XDG_CONFIG_HOME", "relative")],
    ] {
        let ran = run(&["mine"], variables);
        assert_eq!(ran.code, Some(0), "{variables:?}: {ran:?}");
        assert_eq!(endpoints(&ran), [peer.address.to_string()]);
        assert_eq!(ran.lines()[0]["network"], "mine");
        assert_eq!(ran.of_type("summary").len(), 1);
        assert_eq!(endpoints(&run(&["mainnet"], variables)), [other.address.to_string()]);
        // The others are still there.
        let unknown = run(&["spolia"], variables);
        assert!(unknown.stderr.contains("did you mean 'sepolia'?"), "{unknown:?}");
    }
}

#[test]
fn a_file_that_is_named_stands_in_its_place() {
    let (dir, peer, other) = (TempDir::new(), Peer::start(), Peer::start());
    dir.file(FILE, network("mine", &[&other]) + &network("yours", &[&other]));
    let named = dir.file("named.toml", network("mine", &[&peer]));
    let variables = [("XDG_CONFIG_HOME", dir.path().to_str().expect("UTF-8"))];
    let ran = run(&["--config", &named, "mine"], &variables);
    assert_eq!(endpoints(&ran), [peer.address.to_string()]);
    assert_eq!(run(&["--config", &named, "yours"], &variables).code, Some(2));
}

#[test]
fn a_users_file_that_cannot_be_used_is_named() {
    let dir = TempDir::new();
    let file = dir.file(FILE, "[solana]\n");
    let variables = [("XDG_CONFIG_HOME", dir.path().to_str().expect("UTF-8"))];
    let ran = run(&["127.0.0.1:9"], &variables);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(ran.stderr.starts_with(&format!("error: config file {file}:1:2: ")), "{}", ran.stderr);
}

/// It is there, and somebody means it to be heeded.
#[test]
fn a_users_file_that_cannot_be_reached_is_not_passed_over() {
    let dir = TempDir::new();
    let path = dir.path().to_str().expect("UTF-8");
    dir.file("dangling/p2pprobe/other.toml", "");
    symlink("/none", dir.path().join("dangling").join(FILE)).expect("a link");
    dir.file("loop/other.toml", "");
    symlink("p2pprobe", dir.path().join("loop/p2pprobe")).expect("a link");
    // Below a file there is nothing.
    dir.file("file/p2pprobe", "");
    for (config, said) in [
        ("dangling", "it is a link to what is not there; `ls -l` shows where it leads"),
        ("loop", "Too many symbolic links encountered"),
        ("file", ""),
        ("none", ""),
    ] {
        let config = format!("{path}/{config}");
        let ran = run(&["127.0.0.1:port"], &[("XDG_CONFIG_HOME", &config)]);
        let expected = match said {
            "" => "error: target '127.0.0.1:port': ".to_owned(),
            said => format!("error: cannot read config file {config}/{FILE}: {said}"),
        };
        assert!(ran.stderr.starts_with(&expected), "{ran:?}");
    }
}
