//! The recipes of the README, run as they stand, against peers on loopback.

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use common::answering::Peer;
use common::btc;
use common::command::{PROGRAM, Ran, TempDir, clean, finish};
use common::namespace;
use common::scripted_tcp::ScriptedTcp;
use common::tcp_crowd::TcpCrowd;

/// The lines of the recipe with this name.
fn recipe(name: &str) -> String {
    let readme = include_str!("../README.md");
    let mark = format!("<!-- recipe {name} -->\n```sh\n");
    let (_, rest) = readme.split_once(&mark).unwrap_or_else(|| panic!("no recipe {name}"));
    let (text, _) = rest.split_once("\n```\n").expect("its end");
    text.to_owned()
}

/// A directory with nodes to probe, one of each kind up and one down.
struct Kitchen {
    dir: TempDir,
    up: Peer,
    nodes: TcpCrowd,
}

impl Kitchen {
    fn new() -> Self {
        let (dir, up, nodes) = (TempDir::new(), Peer::start(), TcpCrowd::answering());
        dir.file("nodes.txt", format!("# mine\n{} home\n127.0.0.1:1 away\n", up.enode));
        dir.file("btc.txt", format!("{} one\n127.0.0.1:1 two\n", nodes.target(0)));
        // In place of the real bootnodes.
        let config =
            format!("[ethereum.mainnet]\nbootnodes = [\"{}\", \"127.0.0.1:1\"]\n", up.enode);
        dir.file("config/p2pprobe/bootnodes.toml", config);
        Kitchen { dir, up, nodes }
    }

    /// Runs a recipe, and `then`, with this as its first argument.
    fn cook(&self, name: &str, argument: &str) -> Ran {
        let program = Path::new(PROGRAM).parent().expect("its directory");
        let path = format!("{}:{}", program.display(), std::env::var("PATH").expect("PATH"));
        let mut command = Command::new("sh");
        clean(&mut command);
        command
            .args(["-c", &recipe(name), "recipe", argument])
            .env("PATH", path)
            .env("HOME", self.dir.path())
            .env("XDG_CONFIG_HOME", self.dir.path().join("config"))
            .current_dir(self.dir.path())
            .stdin(Stdio::null());
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        finish(command.spawn().expect("sh"))
    }

    /// What a recipe prints; it says nothing else.
    fn taste(&self, name: &str) -> String {
        let ran = self.cook(name, "");
        assert_eq!(ran.stderr, "", "{name}: {}", ran.stdout);
        ran.stdout
    }
}

#[test]
fn who_is_down() {
    let kitchen = Kitchen::new();
    assert_eq!(kitchen.taste("loop"), "127.0.0.1:1 away: port-unreachable\n");
    let lines = kitchen.taste("one-run");
    assert!(
        lines.starts_with("port-unreachable  127.0.0.1:1 ") && lines.lines().count() == 1,
        "{lines}"
    );
}

#[test]
fn what_has_changed() {
    let mut kitchen = Kitchen::new();
    let first = kitchen.taste("changes");
    assert!(
        first.contains("> port-unreachable 127.0.0.1:1\n") && first.contains("> ok "),
        "{first}"
    );
    assert_eq!(kitchen.taste("changes"), "", "nothing has");
    let port = kitchen.up.address.port();
    kitchen.up = Peer::start();
    let changed = kitchen.taste("changes");
    let gone = |word: &str| {
        changed.lines().any(|line| {
            line.starts_with(&format!("{word} ")) && line.ends_with(&format!(":{port}"))
        })
    };
    assert!(gone("< ok") && gone("> port-unreachable"), "{changed}");
}

#[test]
fn any_bootnode() {
    let mut kitchen = Kitchen::new();
    assert_eq!(kitchen.taste("any"), "");
    kitchen.up = Peer::start();
    assert_eq!(
        kitchen.taste("any"),
        "no mainnet bootnode answers, or none can be reached from here\n"
    );
}

#[test]
fn a_check_for_nagios() {
    let kitchen = Kitchen::new();
    let ok = kitchen.cook("nagios", &kitchen.nodes.target(3));
    assert_eq!((ok.code, ok.stderr.as_str()), (Some(0), ""));
    assert!(ok.stdout.starts_with("OK: /Satoshi:31.1.0/ at 900000 | rtt="), "{}", ok.stdout);
    // What a node says of itself must not look like what the check says, nor break its JSON in a shell's hands.
    let agent = "/x|rtt=0ms;;;; \u{f6}<b>/".as_bytes();
    let said = btc::version_but(|version| version.user_agent = Some(agent.to_vec()));
    let odd = ScriptedTcp::start(btc::saying([said, btc::verack()].concat()));
    let odd = kitchen.cook("nagios", &odd.target());
    assert_eq!((odd.code, odd.stderr.as_str()), (Some(0), ""));
    let said = "OK: /x_rtt=0ms;;;; \\u{f6}_b_/ at 900000 | rtt=";
    assert!(odd.stdout.starts_with(said), "{}", odd.stdout);
    let down = kitchen.cook("nagios", "127.0.0.1:1");
    assert_eq!(down.code, Some(2));
    assert!(down.stdout.starts_with("CRITICAL: refused: the host is there"), "{}", down.stdout);
    let script = recipe("nagios");
    let script = script.replace("p2pprobe", "\"$P\"");
    if let Some(cut_off) =
        namespace::run_or_skip(&format!("set +eu\n{script}"), &["192.0.2.1:8333"])
    {
        assert_eq!(cut_off.code, Some(3), "the node has done nothing");
        assert!(cut_off.stdout.starts_with("UNKNOWN: no-route: "), "{}", cut_off.stdout);
    }
    let wrong = kitchen.cook("nagios", "no such node");
    assert_eq!(
        (wrong.code, wrong.stdout.as_str()),
        (Some(3), "UNKNOWN: wrong usage of the check\n")
    );
}

#[test]
fn metrics_for_prometheus() {
    let kitchen = Kitchen::new();
    assert_eq!(kitchen.taste("prometheus"), "");
    let metrics = fs::read_to_string(kitchen.dir.path().join("p2p.prom")).expect("the metrics");
    let up = kitchen.nodes.target(0);
    let lines: Vec<_> = metrics.lines().collect();
    assert_eq!(lines.len(), 4, "{metrics}");
    for line in [
        format!("p2p_up{{target=\"{up}\"}} 1"),
        "p2p_up{target=\"127.0.0.1:1\"} 0".to_owned(),
        format!("p2p_height{{target=\"{up}\"}} 900000"),
    ] {
        assert!(lines.contains(&line.as_str()), "{line} in\n{metrics}");
    }
    // All lines of a metric stand together.
    let names: Vec<_> = lines.iter().filter_map(|line| line.split('{').next()).collect();
    assert_eq!(names, ["p2p_height", "p2p_rtt_seconds", "p2p_up", "p2p_up"]);
}

/// One line that Prometheus cannot read would lose all of them, and so would two values of one series.
#[test]
fn metrics_of_a_list_with_mistakes() {
    let kitchen = Kitchen::new();
    let up = kitchen.nodes.target(0);
    kitchen.dir.file("btc.txt", format!("{up} one\n{up} again\n\"127.0.0.1:1\"\na\\b:1\n"));
    assert_eq!(kitchen.taste("prometheus"), "");
    let path = kitchen.dir.path().join("p2p.prom");
    let metrics = fs::read_to_string(&path).expect("the metrics");
    let series: Vec<_> = metrics.lines().filter_map(|line| line.rsplit_once(' ')).collect();
    let names: Vec<_> = series.iter().map(|(name, _)| *name).collect();
    let expected = [
        format!("p2p_height{{target=\"{up}\"}}"),
        format!("p2p_rtt_seconds{{target=\"{up}\"}}"),
        format!("p2p_up{{target=\"{up}\"}}"),
        "p2p_up{target=\"\\\"127.0.0.1:1\\\"\"}".to_owned(),
        "p2p_up{target=\"a\\\\b:1\"}".to_owned(),
    ];
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, expected, "{metrics}");
    // Without a list, the last metrics stay.
    fs::remove_file(kitchen.dir.path().join("btc.txt")).expect("removed");
    kitchen.cook("prometheus", "");
    assert_eq!(fs::read_to_string(&path).expect("the metrics"), metrics);
}

#[test]
fn nodes_that_are_behind_and_a_census() {
    let kitchen = Kitchen::new();
    assert_eq!(kitchen.taste("behind"), "", "900000 is enough");
    let census = kitchen.taste("census");
    assert!(census.contains("\"/Satoshi:31.1.0/\": 1"), "{census}");
    kitchen.dir.file("btc.txt", "127.0.0.1:1\n");
    assert_eq!(kitchen.taste("census"), "", "nobody said anything");
}

#[test]
fn failures_once_more() {
    let kitchen = Kitchen::new();
    let lines = kitchen.taste("again");
    let lines: Vec<_> = lines.lines().collect();
    assert!(lines[0].starts_with(&format!("{}\t", kitchen.up.node_id)), "{lines:?}");
    assert!(lines[1].starts_with("port-unreachable  127.0.0.1:1 "), "{lines:?}");
    assert_eq!(lines.len(), 2);
}

#[test]
fn several_processes_at_a_time() {
    let kitchen = Kitchen::new();
    for name in ["xargs", "parallel"] {
        let ran = kitchen.cook(name, "");
        let mut words: Vec<_> = ran.stdout.lines().filter_map(|l| l.split(' ').next()).collect();
        words.sort_unstable();
        assert_eq!(words, ["ok", "port-unreachable"], "{name}: {}", ran.stderr);
    }
}

#[test]
fn lines_that_come_one_by_one() {
    let kitchen = Kitchen::new();
    // It has no end of its own.
    let follow = recipe("follow");
    let limited = follow.replace("tail ", "timeout 2 tail ");
    assert_ne!(follow, limited);
    let mut command = Command::new("sh");
    clean(&mut command);
    let path = Path::new(PROGRAM).parent().expect("its directory").display().to_string();
    let path = format!("{path}:{}", std::env::var("PATH").expect("PATH"));
    command.args(["-c", &limited]).env("PATH", path).current_dir(kitchen.dir.path());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let ran = finish(command.spawn().expect("sh"));
    let mut lines: Vec<_> = ran.stdout.lines().map(|line| line.rsplit(' ').next()).collect();
    lines.sort_unstable();
    assert_eq!(lines, [Some("ok"), Some("port-unreachable")], "{}", ran.stderr);
}

/// None is left out here.
#[test]
fn each_recipe_has_a_test() {
    let tests = include_str!("recipes.rs");
    let names = include_str!("../README.md").split("<!-- recipe ").skip(1);
    for name in names.filter_map(|rest| rest.split(" -->").next()) {
        assert!(tests.contains(&format!("\"{name}\"")), "{name}");
    }
}
