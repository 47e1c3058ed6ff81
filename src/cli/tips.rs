//! What is said beside a flag that a command does not have.

use clap::Command;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};

/// What ping(8) calls flags of ours.
const OF_PING: [(&str, &str); 3] =
    [("-c", "--count N"), ("-i", "--interval TIME"), ("-W", "--timeout TIME")];

/// Puts our tips in the place of those of clap's that mislead. `name` is the command's, if one was named.
pub fn mend(error: &mut Error, program: &mut Command, name: Option<&str>) {
    if error.kind() != ErrorKind::UnknownArgument {
        return;
    }
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else { return };
    let flag = flag.clone();
    program.build();
    let Some(command) = name.and_then(|name| program.find_subcommand(name)) else { return };
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
        let tips = vec![StyledStr::from(tip)];
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
    }
}

/// True if the command has the flag that `text` begins with.
fn has(command: &Command, text: &str) -> bool {
    let long = text.strip_prefix("--").and_then(|text| text.split([' ', '=']).next());
    long.is_some_and(|long| command.get_arguments().any(|arg| arg.get_long() == Some(long)))
}
