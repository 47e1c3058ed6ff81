//! The command line: everything's front door.

mod btc_handshake;
mod common;
mod completions;
mod config;
mod eth_ping;
mod man;
mod networks;
mod system;
mod tips;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

/// Probes peers of peer-to-peer networks and says what each one is, or exactly why it could not tell.
#[derive(Debug, Parser)]
#[command(
    version,
    propagate_version = true,
    max_term_width = 100,
    after_help = EXAMPLES,
    // -V of a command tells the version of the program.
    mut_subcommands(|command| command.display_name("p2pprobe")),
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  p2pprobe eth-ping mainnet
  p2pprobe btc-handshake 203.0.113.7:8333
  p2pprobe btc-handshake --file nodes.txt --json | jq -r 'select(.ok == true) | .user_agent'

Exit codes: 0 all answered as expected; 1 not so; 2 wrong usage or failure; 130, 143 a signal.
More: p2pprobe COMMAND --help; p2pprobe man COMMAND | man -l -";

// Put together when it is asked for: a run needs the flags of one. What each is for stands here, too, for `--help`.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
enum Command {
    /// Is a node alive, does it answer as itself, how far is it, and how does it see us?
    EthPing(eth_ping::EthPing),
    /// Does a Bitcoin node answer, on which network, as what, and how far away is it?
    BtcHandshake(btc_handshake::BtcHandshake),
    /// Which networks have a name, what each stands for, and where that was read.
    Networks(networks::ListNetworks),
    /// Completions for a shell, on standard output.
    Completions(completions::Completions),
    /// The manual page, on standard output: of all, or of one command.
    Man(man::Man),
}

/// The names of all commands, none of which has to be put together for that.
fn commands() -> Vec<String> {
    Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect()
}

/// What went wrong with a run as a whole. All of it ends with exit code 2.
#[derive(Debug)]
enum Fault {
    /// The command line is wrong; nothing was sent.
    Usage(String),
    /// Something else failed.
    Failed(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Fault {
    fn from(error: E) -> Self {
        Fault::Failed(error.into())
    }
}

/// Reads the arguments and does what they ask for.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refused(error),
    };
    let (name, done) = match cli.command {
        Command::EthPing(args) => ("eth-ping", args.run()),
        Command::BtcHandshake(args) => ("btc-handshake", args.run()),
        Command::Networks(args) => ("networks", args.run()),
        Command::Completions(args) => ("completions", args.run(Cli::command())),
        Command::Man(args) => ("man", args.run(Cli::command())),
    };
    done.unwrap_or_else(|fault| fault.tell(Some(name)))
}

/// Says why there is nothing to run: help was asked for, or the arguments are wrong.
fn refused(mut error: clap::Error) -> ExitCode {
    if error.use_stderr() {
        let name = std::env::args_os().nth(1);
        tips::mend(&mut error, &mut Cli::command(), name.as_ref().and_then(|name| name.to_str()));
        let _ = error.print();
        return ExitCode::from(2);
    }
    match error.print().and_then(|()| io::stdout().flush()) {
        Ok(()) => ExitCode::SUCCESS,
        // Who closed it has seen enough.
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(e) => system::not_written(&e).tell(None),
    }
}

impl Fault {
    /// Says it; a wrong command line with the usage of the command of this name.
    fn tell(self, name: Option<&str>) -> ExitCode {
        match self {
            Fault::Usage(text) => {
                let mut command = Cli::command();
                command.build();
                let error = match name.and_then(|name| command.find_subcommand_mut(name)) {
                    Some(command) => command.error(ErrorKind::ValueValidation, text),
                    None => command.error(ErrorKind::ValueValidation, text),
                };
                let _ = error.print();
            }
            Fault::Failed(error) => {
                // Where nobody hears it, the exit code says it.
                let _ = writeln!(io::stderr(), "error: {error:#}");
            }
        }
        ExitCode::from(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_command_is_for_is_said_alike_before_and_after_it_is_put_together() {
        let about = |all: &clap::Command| -> Vec<_> {
            let commands = all.get_subcommands().filter(|command| command.get_name() != "help");
            commands.map(|command| command.get_about().map(ToString::to_string)).collect()
        };
        let mut all = Cli::command();
        let before = about(&all);
        all.build();
        assert!(!before.is_empty() && before.iter().all(Option::is_some), "{before:?}");
        assert_eq!(before, about(&all));
    }
}
