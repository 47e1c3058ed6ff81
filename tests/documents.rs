//! What the program says of itself: its networks, the completions of shells, its manual pages.

mod common;

use std::collections::BTreeSet;
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

/// The line that begins like this.
fn line<'a>(text: &'a str, begin: &str) -> &'a str {
    let found = text.lines().find(|line| line.trim_start().starts_with(begin));
    found.unwrap_or_else(|| panic!("no line begins with {begin} in\n{text}"))
}

/// The commands that --help lists.
fn commands() -> Vec<String> {
    let help = finish(probe("--help", [""; 0]).spawn().expect("the binary starts")).stdout;
    let list = help.split_once("\nCommands:\n").expect("a list").1;
    let list = list.lines().take_while(|line| !line.is_empty());
    let names = list.filter_map(|line| line.split_whitespace().next()).map(str::to_owned);
    names.filter(|name| name != "help").collect()
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

/// What bash offers for the last word of a line.
fn offered(home: &TempDir, script: &str, words: &[&str]) -> Vec<String> {
    let (last, before) = (words.len() - 1, words.len() - 2);
    let list = words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
    let script = format!(
        "compopt() {{ :; }}\n{script}\nCOMP_WORDS=({list}) COMP_CWORD={last}\n\
         _p2pprobe p2pprobe '{}' '{}'\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"",
        words[last], words[before]
    );
    let mut bash = Command::new("bash");
    let out = bash.arg("-c").arg(script).current_dir(home.path()).output().expect("bash");
    assert_eq!(String::from_utf8_lossy(&out.stderr), "");
    let text = String::from_utf8(out.stdout).expect("UTF-8");
    text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[test]
fn completions_know_networks_services_and_commands() {
    let home = TempDir::new();
    home.file(
        ".config/p2pprobe/bootnodes.toml",
        "[bitcoin.mine]\nmagic = \"01020304\"\nservices = { 25 = \"MYOWN\" }\n\
         [ethereum.mynet]\nbootnodes = []\n",
    );
    home.file("my.txt", "");
    let mut command = probe("completions", ["bash"]);
    let script = finish(command.env("HOME", home.path()).spawn().expect("the binary starts"));
    let offered = |words: &[&str]| offered(&home, &script.stdout, words);
    for (words, wanted) in [
        (&["p2pprobe", "eth-ping", "my"][..], &["mynet"][..]),
        (&["p2pprobe", "eth-ping", "--tcp", "se"], &["sepolia"]),
        // A network without seeds stands for no node.
        (&["p2pprobe", "btc-handshake", "mi"], &[]),
        (&["p2pprobe", "btc-handshake", "--network", "mi"], &["mine"]),
        (&["p2pprobe", "btc-handshake", "--network", "a"], &["any"]),
        (&["p2pprobe", "btc-handshake", "--network", "litecoin-t"], &["litecoin-testnet"]),
        (&["p2pprobe", "btc-handshake", "--need-services", "MY"], &["MYOWN"]),
        (&["p2pprobe", "btc-handshake", "--need-services", "WI"], &["WITNESS"]),
        (&["p2pprobe", "eth-ping", "--file", "my"], &["my.txt"]),
        (&["p2pprobe", "eth-ping", "--count", ""], &[]),
        (&["p2pprobe", "man", "b"], &["btc-handshake"]),
    ] {
        assert_eq!(offered(words), wanted, "{words:?}");
    }
}

#[test]
fn completions_go_without_a_file_of_networks_that_is_broken() {
    let home = TempDir::new();
    home.file(".config/p2pprobe/bootnodes.toml", "[bitcoin");
    let mut command = probe("completions", ["bash"]);
    let ran = finish(command.env("HOME", home.path()).spawn().expect("the binary starts"));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert_eq!(ran.stdout, say("completions", &["bash"]));
}

#[test]
fn zsh_finds_two_colons_before_a_value() {
    let text = say("completions", &["zsh"]);
    let options = text.lines().filter(|line| line.starts_with('\''));
    let options: Vec<_> = options.filter_map(|line| line.split_once("]:")).collect();
    assert!(options.len() > 30, "{text}");
    for (_, value) in options {
        // '--flag=[help]:NAME:what completes it'
        assert_eq!(value.replace("\\:", "").matches(':').count(), 1, "{value}");
    }
}

#[test]
fn fish_is_told_of_words_without_a_flag() {
    let text = say("completions", &["fish"]);
    assert!(text.contains("\nfunction __fish_p2pprobe_using_subcommand\n"));
    for (command, word) in
        [("man", "btc-handshake"), ("eth-ping", "sepolia"), ("completions", "zsh")]
    {
        let condition = format!("-n \"__fish_p2pprobe_using_subcommand {command}\"");
        let words = line(&text, &format!("complete -c p2pprobe {condition} -f -a \""));
        let words = words.rsplit('"').nth(1).expect("words in quotes");
        assert!(words.split(' ').any(|found| found == word), "{command}: {words}");
    }
}

#[test]
fn each_command_has_a_manual_page() {
    let pages = commands();
    assert!(pages.len() > 4, "{pages:?}");
    for name in pages.iter().map(String::as_str).chain([""]) {
        let (arguments, title) = match name {
            "" => (vec![], "p2pprobe".to_owned()),
            name => (vec![name], format!("p2pprobe-{name}")),
        };
        let page = say("man", &arguments);
        let head = format!(".TH {title} 1 \"\" \"p2pprobe {}\" ", env!("CARGO_PKG_VERSION"));
        assert!(page.contains(&head), "{page}");
        assert!(page.contains(&format!(".SH NAME\n{} \\- ", title.replace('-', "\\-"))), "{page}");
        assert!(page.contains("\n.SH SYNOPSIS\n\\fBp2pprobe"), "{page}");
        // Each of the others is named at the end, in bold.
        let also = page.split_once(".SH \"SEE ALSO\"\n").expect("a section").1;
        for other in &pages {
            let other_page = format!("\\-{}\\fR(1)", other.replace('-', "\\-"));
            assert_eq!(also.contains(&other_page), other != name, "{page}");
        }
        for left_to_troff in ["`", "~", "^", ".SH EXTRA", ".SH VERSION"] {
            assert!(!page.contains(left_to_troff), "{left_to_troff}: {page}");
        }
    }
    let page = say("man", &[]);
    for name in &pages {
        let entry = format!(".TP\np2pprobe\\-{}(1)\n", name.replace('-', "\\-"));
        assert!(page.contains(&entry), "{page}");
    }
    let ran = finish(probe("man", ["no-such"]).spawn().expect("the binary starts"));
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    let all = format!("[possible values: {}]", pages.join(", "));
    assert!(ran.stderr.contains("'no-such'") && ran.stderr.contains(&all), "{}", ran.stderr);
}

#[test]
fn manual_pages_have_the_examples_of_the_help_as_they_stand() {
    for name in commands() {
        let help = say(&name, &["--help"]);
        let examples = help.split_once("\nExamples:\n").expect("examples").1;
        let page = say("man", &[&name]);
        let shown = page.split_once("\n.SH EXAMPLES\n.nf\n").expect("examples").1;
        let shown = shown.split_once("\n.fi\n").expect("their end").0;
        let shown = shown.replace("\\-", "-").replace("\\(aq", "'").replace("\\(ti", "~");
        let examples: Vec<_> = examples.lines().map(str::trim_start).collect();
        assert_eq!(shown.lines().collect::<Vec<_>>(), examples, "{name}");
    }
}

#[test]
fn manual_pages_tell_what_a_command_ends_with_reads_and_heeds() {
    for (name, sections) in [
        ("eth-ping", &["\"EXIT STATUS\"", "ENVIRONMENT", "FILES"][..]),
        ("btc-handshake", &["\"EXIT STATUS\"", "ENVIRONMENT", "FILES"]),
        ("networks", &["ENVIRONMENT", "FILES"]),
        ("man", &[]),
    ] {
        let page = say("man", &[name]);
        for section in ["\"EXIT STATUS\"", "ENVIRONMENT", "FILES"] {
            let there = page.contains(&format!("\n.SH {section}\n"));
            assert_eq!(there, sections.contains(&section), "{name}: {section}");
        }
        assert_eq!(page.contains("NO_COLOR\\fR\n"), sections.len() == 3, "{name}");
    }
    let page = say("man", &["btc-handshake"]);
    let synopsis = "\\fBp2pprobe btc\\-handshake\\fR [OPTIONS] [TARGET]...\n";
    assert!(page.contains(synopsis), "{page}");
    assert!(page.contains("\n.SH OPTIONS\n") && page.contains("\n.SS \"Bitcoin network\"\n"));
    assert!(page.contains("\n.PP\nTIME is a number"), "{page}");
}

#[test]
fn each_command_tells_the_version_of_the_program() {
    for name in commands() {
        let version = format!("p2pprobe {}\n", env!("CARGO_PKG_VERSION"));
        assert_eq!(say(&name, &["-V"]), version, "{name}");
    }
}

/// What stands in backquotes in the first column of each row of the README's tables from one text to another.
fn first_column(from: &str, to: &str) -> BTreeSet<&'static str> {
    let (_, rest) = include_str!("../README.md").split_once(from).expect(from);
    let (part, _) = rest.split_once(to).expect(to);
    let cells = part.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    cells
        .flat_map(|cell| cell.split('`').filter(|word| !word.is_empty() && *word != ", "))
        .collect()
}

/// A kind that is new, or gone, stands in the schema and in both tables.
#[test]
fn the_readme_has_every_kind_of_failure() {
    let schema = include_str!("schema/p2pprobe.schema.json");
    let schema: Value = serde_json::from_str(schema).expect("JSON");
    let kinds = ["eth_failure", "btc_failure"].map(|of| schema["$defs"][of]["enum"].clone());
    let kinds: Vec<Vec<String>> = kinds.map(|of| serde_json::from_value(of).expect("names")).into();
    let kinds: BTreeSet<&str> = kinds.iter().flatten().map(String::as_str).collect();
    assert_eq!(first_column("| failure | when", "Warnings do not fail"), kinds);
    assert_eq!(first_column("| it says | so", "Is it the node or the way"), kinds);
}
