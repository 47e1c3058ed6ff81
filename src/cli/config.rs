//! The file of the user's own networks, and what is said where it cannot be used: where, what, and what to write.

use std::path::{Path, PathBuf};

use anyhow::anyhow;

use super::Fault;
use super::common::printable;
use super::system::not_read;
use crate::bitcoin::NotAMagic;
use crate::nearest::nearest;
use crate::networks::{BadSeed, Key, Mistake, Networks, NetworksError, user_file};
use crate::target::{BadName, MAX_NAME, Protocol};

/// How much of what stands in the file is repeated, in characters.
const MAX_ECHO: usize = 60;
/// The keys of an Ethereum network's table.
const ETHEREUM_KEYS: &[Key] = &[Key::Bootnodes];
/// Those of a Bitcoin network's.
const BITCOIN_KEYS: &[Key] = &[Key::Magic, Key::Port, Key::Seeds, Key::Services, Key::Bans];

/// The networks that have a name, with those of a file: the one that is named, or else the user's own, if there is one.
pub fn networks(config: Option<&Path>) -> Result<(Networks, Option<PathBuf>), Fault> {
    let Some(file) = config.map(Path::to_path_buf).or_else(user_file) else {
        return Ok((Networks::default(), None));
    };
    match Networks::with_file(&file) {
        Ok(networks) => Ok((networks, Some(file))),
        Err(e) => Err(fault(&file, &e)),
    }
}

/// The same where another thing is wrong, or asked for: whoever probes is told of a file that cannot be used.
pub fn networks_without_config() -> Networks {
    user_file().and_then(|file| Networks::with_file(&file).ok()).unwrap_or_default()
}

fn fault(file: &Path, error: &NetworksError) -> Fault {
    let name = format!("config file {}", printable(&file.to_string_lossy()));
    match error {
        NetworksError::Unreadable(e) => {
            not_read(&name, file, e, "`p2pprobe networks` lists what is known without it")
        }
        NetworksError::TooLong(most) => {
            anyhow!("{name}: it is longer than {most} bytes, and no list of networks: name another")
                .into()
        }
        NetworksError::Mistake { line, column, text, mistake } => {
            anyhow!("{name}:{line}:{column}: {}", words(mistake, text)).into()
        }
    }
}

/// What is wrong with `text`, and what to write in its place.
fn words(mistake: &Mistake, text: &str) -> String {
    let (line, text) = (text, &shown(text)[..]);
    match mistake {
        Mistake::NotUtf8 => "this byte is not UTF-8: save the file as UTF-8 text".to_owned(),
        Mistake::Toml(message) => {
            let message = not_toml(message, line);
            let place = if text.is_empty() { "" } else { "; in the line: " };
            format!("this is not TOML: {message}{place}{text}")
        }
        Mistake::NotANetwork => {
            format!(
                "{text} is neither [ethereum.NAME] nor [bitcoin.NAME]: write one of these (chains that speak Bitcoin's protocol are [bitcoin.NAME], too)"
            )
        }
        Mistake::NoName(protocol) => {
            let header = header(*protocol);
            format!("{text} belongs to no network: write {header} above it, with a name of yours")
        }
        Mistake::Brackets(protocol) => {
            let header = header(*protocol);
            format!("{text} stands in double brackets: write {header}, in single ones")
        }
        Mistake::Name(bad) => format!(
            "{text} cannot be a network's name: {}; it may hold letters, digits, - and _ (at most {MAX_NAME}, the first not a -)",
            bad_name(*bad)
        ),
        Mistake::NameAny => {
            format!(
                "{text} cannot be a Bitcoin network's name: `--network any` means another thing; take another name"
            )
        }
        Mistake::UnknownKey(protocol) => unknown_key(*protocol, text),
        Mistake::Dot(protocol) => {
            let header = header(*protocol);
            format!("{text} is one name too many: it is {header}, and a NAME has no dot in it")
        }
        Mistake::Missing(key) => {
            format!("the network {text} has no {}: add {}", name(*key), wanted(*key))
        }
        Mistake::Value(key) => {
            format!("{}: {text} will not do: write {}", name(*key), wanted(*key))
        }
        Mistake::Magic(why) => {
            let why = match why {
                NotAMagic::Prefix => "has 0x in front: leave that away".to_owned(),
                NotAMagic::Digit(c) => {
                    format!("has a '{}', which is no hex digit", c.escape_debug())
                }
                NotAMagic::Length(1) => "is one hex digit".to_owned(),
                NotAMagic::Length(found) => format!("has {found} hex digits"),
            };
            format!("magic: {text} {why}; write {}", wanted(Key::Magic))
        }
        Mistake::NoPort => {
            format!(
                "seeds: the network has no port to find their nodes at: add {}",
                wanted(Key::Port)
            )
        }
        Mistake::Seed(why) => {
            let why = match why {
                BadSeed::Host(why) => why.to_string(),
                BadSeed::Address => "this is an address, and no name".to_owned(),
                BadSeed::Port => "a port has no place here, it stands in `port`".to_owned(),
            };
            format!("seeds: {text}: {why}; write {}", wanted(Key::Seed))
        }
        Mistake::Bit => {
            format!(
                "services: {text} is no bit: write a number from 0 to 63, as in {}",
                example(Key::Services)
            )
        }
        Mistake::ServiceName => format!(
            "services: {text} is no name: write capital letters, digits and _, the first a letter, such as \"MYSERVICE\""
        ),
        Mistake::Bootnode(why) => format!("bootnodes: {text}: {why}"),
    }
}

/// The parser's words, or our own where what they say is not what is wrong.
fn not_toml(message: &str, line: &str) -> String {
    // Without its quotes, `f9beb4d9` is a bad boolean to the parser, `10.1.2.3` a number, and `c0ffee00` a string.
    let unquoted = ["string values must be quoted", "invalid boolean", "invalid float"];
    if unquoted.iter().any(|start| message.starts_with(start)) {
        let line = line.trim_start();
        let mut keys = ETHEREUM_KEYS.iter().chain(BITCOIN_KEYS).copied();
        return match keys.find(|key| line.starts_with(name(*key))) {
            Some(key @ (Key::Port | Key::Bans)) => format!("write {}", wanted(key)),
            // Without a key, it is an entry of a list.
            key => format!("text needs quotes, as in {}", example(key.unwrap_or(Key::Bootnode))),
        };
    }
    let odd = |quote| line.matches(quote).count() % 2 == 1;
    if message.starts_with("unclosed array") && (odd('"') || !line.contains('"') && odd('\'')) {
        return "a text has no quote at its end".to_owned();
    }
    printable(message)
}

fn bad_name(bad: BadName) -> String {
    match bad {
        BadName::Empty => "it is empty".to_owned(),
        BadName::Long => "it is too long".to_owned(),
        BadName::Dash => "a flag starts with -".to_owned(),
        BadName::Localhost => "that is a host".to_owned(),
        BadName::Character(c) => format!("it has a '{}'", c.escape_debug()),
    }
}

fn unknown_key(protocol: Protocol, text: &str) -> String {
    let (whose, known) = match protocol {
        Protocol::Ethereum => ("an Ethereum", ETHEREUM_KEYS),
        Protocol::Bitcoin => ("a Bitcoin", BITCOIN_KEYS),
    };
    let known: Vec<_> = known.iter().copied().map(name).collect();
    let rest = match nearest(text, known.iter().copied()).first() {
        Some(nearest) => format!("did you mean {nearest}?"),
        None => format!("write one of {}", known.join(", ")),
    };
    format!("{text} is no key of {whose} network: {rest}")
}

fn header(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Ethereum => "[ethereum.NAME]",
        Protocol::Bitcoin => "[bitcoin.NAME]",
    }
}

/// The key at which such a value stands.
fn name(key: Key) -> &'static str {
    match key {
        Key::Bootnodes | Key::Bootnode => "bootnodes",
        Key::Magic => "magic",
        Key::Port => "port",
        Key::Seeds | Key::Seed => "seeds",
        Key::Services | Key::Service => "services",
        Key::Bans => "bans",
    }
}

fn example(key: Key) -> &'static str {
    match key {
        Key::Bootnodes => "bootnodes = [\"10.1.2.3:30303\"]",
        Key::Bootnode => "\"10.1.2.3:30303\"",
        Key::Magic => "magic = \"f9beb4d9\"",
        Key::Port => "port = 8333",
        Key::Seeds => "seeds = [\"seed.example.org\"]",
        Key::Seed => "\"seed.example.org\"",
        Key::Services => "services = { 25 = \"MYSERVICE\" }",
        Key::Service => "\"MYSERVICE\"",
        Key::Bans => "bans = true",
    }
}

/// What such a value is, with an example.
fn wanted(key: Key) -> String {
    let what = match key {
        Key::Bootnodes => "a list of nodes",
        Key::Bootnode => "a node in quotes",
        Key::Magic => "eight hex digits in quotes, as on the wire",
        Key::Port => "a number from 1 to 65535 without quotes",
        Key::Seeds => "a list of host names",
        Key::Seed => "a host name in quotes",
        Key::Services => "bits with their names",
        Key::Service => "a name in quotes",
        Key::Bans => "true or false without quotes",
    };
    format!("{what}, such as {}", example(key))
}

/// As much of a text of the file as helps to find it, on one line.
fn shown(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MAX_ECHO) {
        Some((cut, _)) => format!("{}…", printable(&line[..cut])),
        None => printable(&line),
    }
}
