//! `p2pprobe networks`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueHint};
use serde::Serialize;

use super::Fault;
use super::common::{networks, printable, write};
use crate::networks::{Entry, Of};

/// Which networks have a name, what each stands for, and where that was read.
///
/// Built-in networks, and those of your own file, which win.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ListNetworks {
    /// Add the networks of this file [default: $XDG_CONFIG_HOME/p2pprobe/bootnodes.toml]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    config: Option<PathBuf>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  p2pprobe networks
  p2pprobe networks --json | jq -r 'select(.protocol == \"bitcoin\") | [.name, .port] | @tsv'";

/// A line.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'a str,
    #[serde(flatten)]
    of: Of<'a>,
    /// The file that it was read from; none where it is built in.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    /// There is a built-in one of this name, which is not used.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    overrides: bool,
}

impl ListNetworks {
    /// Runs the command.
    pub fn run(self) -> Result<ExitCode, Fault> {
        let (networks, file) = networks(self.config.as_deref())?;
        let file = file.map(|file| file.to_string_lossy().into_owned());
        let mut out = Vec::new();
        for Entry { name, of, is_users, overrides } in networks.all() {
            let file = file.as_deref().filter(|_| is_users);
            if self.json {
                let line = Line { kind: "network", name, of, file, overrides };
                serde_json::to_writer(&mut out, &line)?;
                out.push(b'\n');
                continue;
            }
            let from = match (file, overrides) {
                (None, _) => "built in".to_owned(),
                (Some(file), false) => printable(file),
                (Some(file), true) => format!("{}, in place of the built-in one", printable(file)),
            };
            let name = printable(name);
            match of {
                Of::Ethereum { bootnodes } => {
                    let nodes = bootnodes.len();
                    writeln!(out, "ethereum  {name:<18}  {:<16}  {nodes} bootnodes  {from}", "")?;
                }
                Of::Bitcoin { magic, port, seeds, .. } => {
                    let port = port.map_or_else(|| "-".to_owned(), |port| port.to_string());
                    let seeds = seeds.len();
                    writeln!(
                        out,
                        "bitcoin   {name:<18}  {magic}  {port:>6}  {seeds} seeds      {from}"
                    )?;
                }
            }
        }
        write(&out)
    }
}
