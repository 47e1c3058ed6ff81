//! `p2pprobe completions`: what a shell wants to know of the command line.

use std::io::Write;
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{Args, Command, ValueHint};
use clap_complete::Shell;

use super::Fault;
use super::common::write;
use super::config::networks_without_config;
use crate::networks::{ANY, Networks, Of};

/// Completions for a shell, on standard output.
///
/// They know the names of networks, those of your own file as it is now.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Completions {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

const EXAMPLES: &str = "\
Examples:
  source <(p2pprobe completions bash)    # in ~/.bashrc
  source <(p2pprobe completions zsh)     # in ~/.zshrc, after compinit
  p2pprobe completions fish | source     # in ~/.config/fish/config.fish";

impl Completions {
    /// Writes them.
    pub fn run(self, mut all: Command) -> Result<ExitCode, Fault> {
        // All commands: those that were not asked for have not been put together yet.
        all.build();
        let mut all = with_names(all, &networks_without_config());
        let mut out = Vec::new();
        clap_complete::generate(self.shell, &mut all, "p2pprobe", &mut out);
        if self.shell == Shell::Fish {
            fish_positionals(&all, &mut out)?;
        }
        write(&out)
    }
}

/// The command line with words that the parser does not check, or checks later: names of networks and of services.
fn with_names(all: Command, networks: &Networks) -> Command {
    let (mut ethereum, mut bitcoin, mut seeded) = (Vec::new(), vec![ANY.to_owned()], Vec::new());
    let services: Vec<_> = networks.services().into_iter().map(str::to_owned).collect();
    for entry in networks.all() {
        let name = entry.name.to_owned();
        match entry.of {
            Of::Ethereum { .. } => ethereum.push(name),
            Of::Bitcoin { seeds, .. } => {
                bitcoin.push(name.clone());
                // Without seeds, the name stands for no node.
                seeded.extend((!seeds.is_empty()).then_some(name));
            }
        }
    }
    all.mut_subcommands(|command| command.mut_args(no_files))
        .mut_subcommand("eth-ping", |command| takes(command, "targets", ethereum))
        .mut_subcommand("btc-handshake", |command| {
            let command = takes(command, "targets", seeded);
            let command = takes(command, "network", bitcoin);
            takes(command, "need_services", services)
        })
}

/// Without a hint, shells would offer files for numbers and times.
fn no_files(arg: clap::Arg) -> clap::Arg {
    match arg.get_value_hint() {
        ValueHint::Unknown if arg.get_action().takes_values() => arg.value_hint(ValueHint::Other),
        _ => arg,
    }
}

fn takes(command: Command, arg: &str, names: impl IntoIterator<Item = String>) -> Command {
    // The names of networks and of their services are plain words, which no shell needs quotes for.
    let names = PossibleValuesParser::new(names.into_iter().collect::<Vec<_>>());
    command.mut_arg(arg, |arg| arg.value_parser(names))
}

/// What clap_complete leaves out for fish: the words that stand without a flag.
fn fish_positionals(all: &Command, out: &mut impl Write) -> Result<(), Fault> {
    for command in all.get_subcommands() {
        let values = command.get_positionals().flat_map(clap::Arg::get_possible_values);
        let words: Vec<_> = values.map(|value| value.get_name().to_owned()).collect();
        if !words.is_empty() {
            let (name, words) = (command.get_name(), words.join(" "));
            writeln!(
                out,
                "complete -c p2pprobe -n \"__fish_p2pprobe_using_subcommand {name}\" -f -a \"{words}\""
            )?;
        }
    }
    Ok(())
}
