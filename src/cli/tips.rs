//! What is said beside a flag that a command does not have, and a command that there is not.

use clap::Command;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};

use super::common::printable;
use super::config::networks_without_config;
use crate::discv4::enode::SCHEME;
use crate::discv4::enr::PREFIX;
use crate::target::Protocol;

/// What ping(8), and for the count that of Windows, calls flags of ours.
const OF_PING: [(&str, &str); 4] =
    [("-c", "--count N"), ("-n", "--count N"), ("-i", "--interval TIME"), ("-W", "--timeout TIME")];

/// Puts our tips in the place of those of clap's that mislead. `name` is the command's, if one was named.
pub fn mend(error: &mut Error, program: &mut Command, name: Option<&str>) {
    match error.kind() {
        ErrorKind::UnknownArgument => flag(error, program, name),
        ErrorKind::InvalidSubcommand => command(error),
        // The names of shells are short, so that each is like another one; all are listed anyway.
        ErrorKind::InvalidValue if name == Some("completions") => {
            error.remove(ContextKind::SuggestedValue);
        }
        _ => {}
    }
}

fn flag(error: &mut Error, program: &mut Command, name: Option<&str>) {
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else { return };
    let flag = flag.clone();
    program.build();
    let command = name.and_then(|name| program.find_subcommand(name)).unwrap_or(program);
    let owners: Vec<_> = program
        .get_subcommands()
        .filter(|other| has(other, &flag))
        .map(Command::get_name)
        .collect();
    let of_ping = OF_PING.iter().find(|(short, ours)| *short == flag && has(command, ours));
    let tip = match (of_ping, owners.is_empty()) {
        (Some((_, ours)), _) => Some(format!("write {ours}")),
        (None, false) => Some(format!("it is a flag of {}", owners.join(" and "))),
        (None, true) => None,
    };
    // To pass it behind `--`, which clap advises: no target begins with `-`.
    error.remove(ContextKind::Suggested);
    if let Some(tip) = tip {
        // A flag that looks like it is not what was meant.
        if error.remove(ContextKind::SuggestedArg).is_some() {
            let usage = command.clone().render_usage();
            error.insert(ContextKind::Usage, ContextValue::StyledStr(usage));
        }
        say(error, tip);
    }
}

/// What stands in a command's place may be a target.
fn command(error: &mut Error) {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else {
        return;
    };
    let line = |of: Protocol| format!("p2pprobe {} {}", of.command(), printable(word));
    let lines: Vec<_> = protocols(word).into_iter().map(line).collect();
    if !lines.is_empty() {
        error.remove(ContextKind::SuggestedSubcommand);
        say(error, format!("name a command first: {}", lines.join(" or ")));
    }
}

/// Whose target this may be, as far as it looks like one.
fn protocols(word: &str) -> Vec<Protocol> {
    if word.starts_with(SCHEME) || word.starts_with(PREFIX) {
        return vec![Protocol::Ethereum];
    }
    let is_host = word.contains(['.', ':', '/']);
    let networks = networks_without_config();
    let mut protocols = Vec::new();
    protocols.extend((is_host || networks.ethereum(word).is_ok()).then_some(Protocol::Ethereum));
    protocols.extend((is_host || networks.bitcoin(word).is_ok()).then_some(Protocol::Bitcoin));
    protocols
}

fn say(error: &mut Error, tip: String) {
    let tips = vec![StyledStr::from(tip)];
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
}

/// True if the command has the flag that `text` begins with.
fn has(command: &Command, text: &str) -> bool {
    let long = text.strip_prefix("--").and_then(|text| text.split([' ', '=']).next());
    long.is_some_and(|long| command.get_arguments().any(|arg| arg.get_long() == Some(long)))
}
