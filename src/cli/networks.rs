//! `p2pprobe networks`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueHint};
use serde::Serialize;

use super::Fault;
use super::common::{printable, write};
use super::config::networks;
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
    /// The file that it was read from, or `built-in`.
    from: &'a str,
    /// There is a built-in one of this name, which is not used.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    overrides: bool,
}

impl ListNetworks {
    /// Runs the command.
    pub fn run(self) -> Result<ExitCode, Fault> {
        let (networks, file) = networks(self.config.as_deref())?;
        let file = file.map(|file| file.to_string_lossy().into_owned());
        let from = |users| file.as_deref().filter(|_| users).unwrap_or("built-in");
        let all = networks.all();
        let mut out = Vec::new();
        if self.json {
            for Entry { name, of, is_users, overrides } in all {
                let line = Line { kind: "network", name, of, from: from(is_users), overrides };
                serde_json::to_writer(&mut out, &line)?;
                out.push(b'\n');
            }
            return write(&out);
        }
        let facts: Vec<_> = all.iter().map(|entry| facts(&entry.of)).collect();
        let name_width = all.iter().map(|entry| entry.name.len()).max().unwrap_or_default();
        let width = facts.iter().map(|(_, facts, _)| facts.len()).max().unwrap_or_default();
        for (Entry { name, is_users, overrides, .. }, (protocol, facts, own)) in
            all.iter().zip(facts)
        {
            let from = printable(from(*is_users));
            let instead = if *overrides { ", in place of the built-in one" } else { "" };
            writeln!(
                out,
                "{protocol:<8}  {name:<name_width$}  {facts:<width$}  {from}{instead}{own}"
            )?;
        }
        write(&out)
    }
}

/// Whose network it is, what is known of every such one, and what is special to this one.
fn facts(of: &Of<'_>) -> (&'static str, String, String) {
    match of {
        Of::Ethereum { bootnodes } => {
            ("ethereum", counted(bootnodes.len(), "bootnode"), String::new())
        }
        Of::Bitcoin { magic, port, seeds, services, bans } => {
            let port = port.map_or_else(|| "no port".to_owned(), |port| format!("port {port}"));
            let seeds = counted(seeds.len(), "seed");
            let services: Vec<_> =
                services.iter().map(|(bit, name)| format!("{bit}={name}")).collect();
            let services = match &services[..] {
                [] => String::new(),
                services => format!("; services {}", services.join(" ")),
            };
            let bans = if *bans { "; bans for another magic" } else { "" };
            ("bitcoin", format!("magic {magic}  {port:<10}  {seeds}"), services + bans)
        }
    }
}

fn counted(count: usize, what: &str) -> String {
    match count {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}
