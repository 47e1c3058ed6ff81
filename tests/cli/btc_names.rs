//! Names of hosts and of networks, as the system resolves them: in a namespace, where nothing leads to any DNS.

use std::collections::BTreeMap;

use crate::common::command::{TempDir, outcome};
use crate::common::namespace::run_or_skip;

/// Names that stand for loopback addresses, and no resolver but these.
const HOSTS: &str = "
    f=$(mktemp)
    printf '127.0.0.1 one.seed\\n127.0.0.2 one.seed two.seed\\n127.0.0.3 two.seed\\n::1 six.seed two.seed\\n' > $f
    mount --bind $f /etc/hosts; rm $f
    f=$(mktemp); echo 'hosts: files' > $f; mount --bind $f /etc/nsswitch.conf; rm $f
";

/// What each target gave: outcome and label by the target.
fn run(config: &str, args: &[&str]) -> Option<(BTreeMap<String, String>, String, Option<i32>)> {
    let script = format!("{HOSTS} exec \"$P\" btc-handshake --json --config \"$@\"");
    let ran = run_or_skip(&script, &[&[config], args].concat())?;
    let told = |line: &serde_json::Value| {
        let text = |key: &str| line[key].as_str().unwrap_or("-").to_owned();
        (text("target"), format!("{} {} {}", outcome(line), text("network"), text("label")))
    };
    let probes = ran.of_type("probe");
    let found: BTreeMap<_, _> = probes.iter().map(told).collect();
    assert_eq!(found.len(), probes.len(), "a target twice: {ran:?}");
    assert_eq!(ran.of_type("summary").len(), 1, "{ran:?}");
    Some((found, ran.stderr, ran.code))
}

#[test]
fn a_network_stands_for_what_its_seeds_give() {
    let dir = TempDir::new();
    let config = dir.file(
        "networks.toml",
        "[bitcoin.mine]\nmagic = \"00c0ffee\"\nport = 9\nseeds = [\"one.seed\", \"two.seed\", \"six.seed\", \"no.seed\"]\n
        [bitcoin.gone]\nmagic = \"00c0ffee\"\nport = 9\nseeds = [\"no.seed\", \"nor.seed\"]\n
        [bitcoin.alone]\nmagic = \"00c0ffee\"\nport = 9\n",
    );
    let Some((found, stderr, code)) = run(&config, &["mine"]) else { return };
    assert_eq!(code, Some(1));
    let targets: Vec<_> = found.keys().map(String::as_str).collect();
    assert_eq!(targets, ["127.0.0.1:9", "127.0.0.2:9", "127.0.0.3:9", "[::1]:9"], "{stderr}");
    assert_eq!(found["127.0.0.1:9"], "refused mine one.seed");
    assert_eq!(found["127.0.0.3:9"], "refused mine two.seed");
    assert!(
        found["127.0.0.2:9"].ends_with("one.seed") || found["127.0.0.2:9"].ends_with("two.seed")
    );
    assert!(stderr.starts_with("warning: seed no.seed: "), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");

    let Some((found, stderr, _)) = run(&config, &["-4", "-q", "mine"]) else { return };
    assert_eq!((found.len(), found.contains_key("[::1]:9"), stderr.as_str()), (3, false, ""));
    let Some((found, stderr, _)) = run(&config, &["-6", "mine"]) else { return };
    assert_eq!(found.into_keys().collect::<Vec<_>>(), ["[::1]:9"], "{stderr}");

    for args in [&["gone"][..], &["-4", "gone"], &["alone"]] {
        let Some((found, stderr, code)) = run(&config, args) else { return };
        let name = args.last().copied().unwrap_or_default();
        let told = &found[name];
        assert!(told.starts_with("unresolved ") && told.ends_with(" -"), "{told}");
        assert_eq!(code, Some(1), "{stderr}");
        assert_eq!(stderr.lines().count(), if name == "gone" { 2 } else { 0 }, "{stderr}");
    }
}

#[test]
fn a_name_takes_the_port_of_its_network_and_the_family_that_was_asked_for() {
    let dir = TempDir::new();
    let config = dir.file("networks.toml", "[bitcoin.mine]\nmagic = \"00c0ffee\"\nport = 9\n");
    let script = format!(
        "{HOSTS}
        for args in 'one.seed' 'two.seed:10' '-4 two.seed' '-6 two.seed' '-6 one.seed' 'no.seed'; do
            \"$P\" btc-handshake --json --network mine --config \"$1\" $args || true
        done"
    );
    let Some(ran) = run_or_skip(&script, &[&config]) else { return };
    let lines = ran.lines();
    let told = |line: &serde_json::Value| {
        format!("{} {}", outcome(line), line["endpoint"].as_str().unwrap_or("-"))
    };
    let found: Vec<_> = lines.iter().map(told).collect();
    assert!(found[0] == "refused 127.0.0.1:9" || found[0] == "refused 127.0.0.2:9", "{found:?}");
    assert!(found[1].ends_with(":10"), "{found:?}");
    assert!(found[2].starts_with("refused 127.0.0."), "{found:?}");
    assert_eq!(found[3..], ["refused [::1]:9", "unresolved -", "unresolved -"], "{ran:?}");
    assert_eq!(
        lines[4]["reason"],
        "one.seed: the name has no address of the family that was asked for"
    );
}
