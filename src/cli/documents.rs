//! `p2pprobe completions` and `p2pprobe man`: what the shell and man(1) want to know of the command line.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Args, Command};
use clap_complete::Shell;

use super::Fault;

/// Completions for a shell, on standard output.
#[derive(Debug, Args)]
#[command(after_help = COMPLETIONS)]
pub struct Completions {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

const COMPLETIONS: &str = "\
Where they go:
  bash  p2pprobe completions bash > ~/.local/share/bash-completion/completions/p2pprobe
  zsh   p2pprobe completions zsh > ~/.zfunc/_p2pprobe    # with fpath+=~/.zfunc before compinit
  fish  p2pprobe completions fish > ~/.config/fish/completions/p2pprobe.fish";

/// The manual page, on standard output: of all, or of one command.
#[derive(Debug, Args)]
#[command(after_help = MAN)]
pub struct Man {
    /// The command; without one, the page of p2pprobe itself
    command: Option<String>,
}

const MAN: &str = "\
Examples:
  p2pprobe man btc-handshake | man -l -
  p2pprobe man > ~/.local/share/man/man1/p2pprobe.1
  p2pprobe man eth-ping > ~/.local/share/man/man1/p2pprobe-eth-ping.1";

impl Completions {
    /// Writes them.
    pub fn run(self, mut all: Command) -> Result<ExitCode, Fault> {
        let mut out = Vec::new();
        clap_complete::generate(self.shell, &mut all, "p2pprobe", &mut out);
        write(&out)
    }
}

impl Man {
    /// Writes it.
    pub fn run(self, mut all: Command) -> Result<ExitCode, Fault> {
        all.build();
        let command = match &self.command {
            None => all,
            Some(name) => match all.find_subcommand(name) {
                Some(command) => command.clone(),
                None => {
                    let name = name.escape_debug();
                    return Err(Fault::Usage(format!("there is no command named '{name}'")));
                }
            },
        };
        let mut out = Vec::new();
        clap_mangen::Man::new(command).render(&mut out)?;
        write(&out)
    }
}

/// Writes to standard output; whoever closed it has seen enough.
pub fn write(bytes: &[u8]) -> Result<ExitCode, Fault> {
    match io::stdout().lock().write_all(bytes) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            Err(anyhow::anyhow!("cannot write to standard output: {e}").into())
        }
        Ok(()) | Err(_) => Ok(ExitCode::SUCCESS),
    }
}
