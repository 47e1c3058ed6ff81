//! The command line: everything's front door.

mod btc_handshake;
mod common;
mod config;
mod documents;
mod eth_ping;
mod networks;

use std::io::Write;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

/// Probes peers of peer-to-peer networks and says what each one is, or exactly why it could not tell.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    EthPing(eth_ping::EthPing),
    BtcHandshake(btc_handshake::BtcHandshake),
    Networks(networks::ListNetworks),
    Completions(documents::Completions),
    Man(documents::Man),
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
        Err(error) => {
            // Help goes to standard output; whoever closed it has seen enough.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let (name, done) = match cli.command {
        Command::EthPing(args) => ("eth-ping", args.run()),
        Command::BtcHandshake(args) => ("btc-handshake", args.run()),
        Command::Networks(args) => ("networks", args.run()),
        Command::Completions(args) => ("completions", args.run(Cli::command())),
        Command::Man(args) => ("man", args.run(Cli::command())),
    };
    done.unwrap_or_else(|fault| {
        match fault {
            Fault::Usage(text) => {
                let mut command = Cli::command();
                command.build();
                let error = match command.find_subcommand_mut(name) {
                    Some(command) => command.error(ErrorKind::ValueValidation, text),
                    None => command.error(ErrorKind::ValueValidation, text),
                };
                let _ = error.print();
            }
            Fault::Failed(error) => {
                // Where nobody hears it, the exit code says it.
                let _ = writeln!(std::io::stderr(), "error: {error:#}");
            }
        }
        ExitCode::from(2)
    })
}
