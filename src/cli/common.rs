//! The flags that every probing command has.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use anyhow::anyhow;
use clap::{ArgAction, Args, ValueEnum, ValueHint};

use super::Fault;
use super::config::networks;
use super::system::{input_name, not_read, not_written};
use crate::host::Host;
use crate::net::descriptors;
use crate::networks::Networks;
use crate::output::{Format, Output, Shape, Style};
use crate::run::{Keeping, RunError};
use crate::signals::Signals;
use crate::source::Input;
use crate::source::line::{self, Entry};
use crate::tally::Verdict;
use crate::target::{Families, Place, Targets, Written};

/// When text is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set or TERM is dumb
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Targets and where to read them from.
#[derive(Debug, Args)]
#[command(next_help_heading = "Targets")]
pub struct TargetArgs {
    /// Enode URL, ENR, HOST:PORT or a network's name; `-` reads targets from standard input
    #[arg(value_name = "TARGET", help_heading = None::<&str>)]
    pub targets: Vec<String>,
    /// Read targets from FILE, one a line; `-` is standard input; may stand several times
    #[arg(long = "file", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files: Vec<String>,
    /// Add the networks of this file [default: $XDG_CONFIG_HOME/p2pprobe/bootnodes.toml]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Use IPv4 only
    #[arg(short = '4', long = "ipv4", conflicts_with = "v6")]
    pub v4: bool,
    /// Use IPv6 only
    #[arg(short = '6', long = "ipv6")]
    pub v6: bool,
}

/// How fast, and how often.
#[derive(Debug, Args)]
#[command(next_help_heading = "Pace")]
pub struct PaceArgs {
    /// How often to probe each target [default: 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole(1..=u32::MAX))]
    pub count: Option<u32>,
    /// From one probe of a target to the next
    #[arg(long, value_name = "TIME", default_value = "1s", allow_negative_numbers = true, value_parser = duration)]
    pub interval: Duration,
    /// Targets probed at the same time
    #[arg(long, value_name = "N", default_value_t = 512, allow_negative_numbers = true, value_parser = whole(1..=65_536_u32))]
    pub concurrency: u32,
    /// Packets sent a second, in all; 0: any number
    #[arg(long, value_name = "N", default_value_t = 2000, allow_negative_numbers = true, value_parser = whole(0..=u32::MAX))]
    pub rate: u32,
    /// Shortest time between two tries at one IP address; 0: none [default: 1s, or --interval if that is shorter]
    #[arg(long, value_name = "TIME", allow_negative_numbers = true, value_parser = duration)]
    per_host_interval: Option<Duration>,
}

impl PaceArgs {
    /// The shortest time between two tries at one IP address.
    pub fn per_host_interval(&self) -> Duration {
        self.per_host_interval.unwrap_or(self.interval.min(Duration::from_secs(1)))
    }
}

/// What is said, and how.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
    /// Sum up at the end; --count, --file, `-` and a network's name imply it
    #[arg(long)]
    pub summary: bool,
    /// Give results in the order of the targets, not as they come
    #[arg(long)]
    pub ordered: bool,
    /// Exit with 0 if one target at least was answered
    #[arg(long)]
    pub any: bool,
    /// Nothing on stderr but errors
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Each packet sent and received, on stderr; twice: with its bytes
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
    /// Colour text
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

/// Local addresses.
#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub struct BindArgs {
    /// Local address with its port, such as 192.0.2.1:0 (any port); once for each family [default: the system's choice]
    #[arg(long, value_name = "ADDRESS", value_parser = socket_address)]
    pub bind: Vec<SocketAddr>,
}

/// What every command has. clap's own flags would stand before all others.
#[derive(Debug, Args)]
#[command(next_help_heading = "Help")]
pub struct HelpArgs {
    /// This help; -h gives it in short
    #[arg(short, long, action = ArgAction::Help)]
    help: Option<bool>,
    /// The version of p2pprobe
    #[arg(short = 'V', long, action = ArgAction::Version)]
    version: Option<bool>,
}

impl TargetArgs {
    /// The address families in use.
    pub fn families(&self) -> Families {
        Families { v4: !self.v6, v6: !self.v4 }
    }

    /// The networks that have a name.
    pub fn networks(&self) -> Result<Networks, Fault> {
        Ok(networks(self.config.as_deref())?.0)
    }

    /// Opens all inputs, in the order: targets, then files. Nothing is sent before all of them are known to be
    /// good.
    pub fn inputs<T: Targets>(&self, targets: &T) -> Result<Vec<Input<T::Peer>>, Fault> {
        // clap's own words would say nothing of files and of networks' names.
        if self.targets.is_empty() && self.files.is_empty() {
            let forms = "name a node, a network such as mainnet, or --file FILE";
            return Err(Fault::Usage(format!("there is no target: {forms}")));
        }
        let mut inputs = Vec::new();
        for text in &self.targets {
            inputs.push(match text.as_str() {
                "-" => open("-")?,
                text => Input::Argument(argument(text, targets)?),
            });
        }
        for file in &self.files {
            inputs.push(open(file)?);
        }
        Ok(inputs)
    }

    /// True if they are one peer.
    pub fn is_one<P>(&self, inputs: &[Input<P>]) -> bool {
        inputs.len() == 1 && !self.stands_for_many(inputs)
    }

    /// True if more than single targets may come of it.
    pub fn stands_for_many<P>(&self, inputs: &[Input<P>]) -> bool {
        inputs.iter().any(|input| match input {
            Input::File { .. } => true,
            Input::Argument(entry) => matches!(entry.written, Written::Network(_)),
        })
    }

    /// How many connections the inputs may ever need at the same time, if no more than `most` are to be open.
    pub fn connections_for<P>(&self, inputs: &[Input<P>], most: u32) -> usize {
        let most = most as usize;
        if self.stands_for_many(inputs) { most } else { most.min(inputs.len()) }
    }

    /// True if a person types targets while the run goes on.
    pub fn are_typed(&self) -> bool {
        self.targets.iter().chain(&self.files).any(|name| name == "-") && io::stdin().is_terminal()
    }

    /// What is said where the inputs gave no target.
    fn no_target(&self) -> String {
        /// More names than these are no help.
        const NAMED: usize = 5;
        let inputs = self.targets.iter().filter(|target| *target == "-").chain(&self.files);
        let mut names: Vec<_> = inputs.map(|name| input_name(name)).collect();
        match (names.pop(), names.len()) {
            (Some(only), 0) => format!("nothing to probe: {only} has no target"),
            (Some(last), 1..NAMED) => {
                format!("nothing to probe: {} and {last} have no target", names.join(", "))
            }
            (_, others) => format!("nothing to probe: {} files have no target", others + 1),
        }
    }
}

/// A file of targets gives nothing.
fn input_not_read(file: &str, error: &io::Error) -> Fault {
    not_read(&input_name(file), Path::new(file), error, "name one with a target in each line")
}

/// How many of so many connections may be open at the same time; where those are fewer, a warning says so.
pub fn connections(wanted: usize, output: &mut Output) -> io::Result<usize> {
    let room = descriptors::room_for(wanted);
    if room < wanted {
        let s = if room == 1 { "" } else { "s" };
        output.warn(&format!(
            "{room} connection{s} at the same time and not {wanted}: no more descriptors may be open (ulimit -n)"
        ))?;
    }
    Ok(room)
}

impl OutputArgs {
    /// How results are kept.
    pub fn keeping(&self, command: &'static str, numbered: bool) -> Keeping {
        Keeping { command, numbered, ordered: self.ordered }
    }

    /// How to write, where `summary` says whether other arguments imply one, `one` whether a single result is all that
    /// there will be, and `typed` whether a person types targets meanwhile.
    pub fn style(&self, summary: bool, one: bool, typed: bool) -> Style {
        let terminal = || {
            let plain = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
            let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
            io::stdout().is_terminal() && !plain("NO_COLOR") && !dumb
        };
        Style {
            format: if self.json { Format::Json } else { Format::Text },
            color: match self.color {
                Color::Auto => terminal(),
                Color::Always => true,
                Color::Never => false,
            },
            shape: Shape::of_stdout(one),
            quiet: self.quiet,
            summary: self.summary || summary,
            // Lines about packets say enough, and would break it; and it would run over what is typed.
            progress: !self.quiet && self.verbose == 0 && !typed,
        }
    }
}

impl BindArgs {
    /// The addresses to bind, at most one a family.
    pub fn addresses(&self) -> Result<Vec<SocketAddr>, Fault> {
        for family in [SocketAddr::is_ipv4, SocketAddr::is_ipv6] {
            if self.bind.iter().filter(|address| family(address)).count() > 1 {
                return Err(Fault::Usage(
                    "--bind: one IPv4 and one IPv6 address at most".to_owned(),
                ));
            }
        }
        Ok(self.bind.clone())
    }
}

/// The exit code of a run, or what made it fail as a whole.
pub fn exit_code(
    verdict: Verdict,
    result: Result<(), RunError>,
    signals: &Signals,
    targets: &TargetArgs,
) -> Result<ExitCode, Fault> {
    match result {
        Err(RunError::Output(e)) if e.kind() == io::ErrorKind::BrokenPipe => {}
        Err(RunError::Output(e)) => return Err(not_written(&e)),
        Err(RunError::Input { file, error }) => return Err(input_not_read(&file, &error)),
        Ok(()) => {}
    }
    if let Some(code) = signals.exit_code() {
        return Ok(ExitCode::from(code));
    }
    match verdict {
        Verdict::Good => Ok(ExitCode::SUCCESS),
        Verdict::Bad => Ok(ExitCode::from(1)),
        Verdict::Nothing => Err(anyhow!(targets.no_target()).into()),
    }
}

/// Writes to standard output; whoever closed it has seen enough.
pub fn write(bytes: &[u8]) -> Result<ExitCode, Fault> {
    match io::stdout().lock().write_all(bytes) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => Err(not_written(&e)),
        Ok(()) | Err(_) => Ok(ExitCode::SUCCESS),
    }
}

fn open<P>(file: &str) -> Result<Input<P>, Fault> {
    Input::open(file).map_err(|e| input_not_read(file, &e))
}

fn argument<T: Targets>(text: &str, targets: &T) -> Result<Entry<T::Peer>, Fault> {
    let bad = |column: usize, why: &dyn std::fmt::Display| {
        Fault::Usage(format!("target '{}': column {column}: {why}", around(text, column)))
    };
    let is_file = || Path::new(text).is_file();
    let file = |unless: &str| {
        let text = printable(text);
        Fault::Usage(format!("'{text}' is a file: write --file {text}{unless}"))
    };
    let entry = match line::argument(text, |text, said| targets.parse(text, said)) {
        Ok(entry) => entry,
        Err(_) if is_file() => return Err(file("")),
        Err(error) => return Err(bad(error.column, &error.error)),
    };
    match &entry.written {
        Written::Network(name) => match targets.expand(name) {
            Ok(_) => {}
            Err(_) if is_file() => return Err(file("")),
            Err(why) => return Err(bad(1, &why)),
        },
        // The names of most files would do for a host, and be asked of DNS.
        Written::Peer(Place::Host(Host::Name(_), ..)) if !text.contains(':') && is_file() => {
            return Err(file(&format!(", or {text}:PORT for a host of that name")));
        }
        Written::Peer(_) => {}
    }
    Ok(entry)
}

/// As much of a long text as shows what stands at a column, in characters from 1.
fn around(text: &str, column: usize) -> String {
    const BEFORE: usize = 60;
    const AFTER: usize = 20;
    let skip = if column > BEFORE + AFTER { column - BEFORE } else { 0 };
    let mut shown = text.chars().skip(skip);
    let kept: String = shown.by_ref().take(BEFORE + AFTER).collect();
    let dots = |cut| if cut { "…" } else { "" };
    let after = shown.next().is_some();
    format!("{}{}{}", dots(skip > 0), kept.escape_debug(), dots(after))
}

/// The name of a file, or what stands in one, fit for a terminal: without what it obeys, or what turns the order of the
/// letters around.
pub fn printable(text: &str) -> String {
    let fit = |c: char| match c {
        '\\' | '\'' | '"' => vec![c],
        c => c.escape_debug().collect(),
    };
    text.chars().flat_map(fit).collect()
}

/// Reads a whole number of a range.
pub fn whole<T: FromStr + PartialOrd + Display + Clone>(
    range: RangeInclusive<T>,
) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| match text.parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(format!("it must be a whole number from {} to {}", range.start(), range.end())),
    }
}

/// Reads `500ms`, `3s`, `2m`; `0` needs no unit.
pub fn duration(text: &str) -> Result<Duration, String> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    humantime::parse_duration(text)
        .map_err(|_| "no length of time with its unit: write 500ms, 3s or 2m".to_owned())
}

fn socket_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        "no address with its port: write 192.0.2.1:0 for any port, 192.0.2.1:40000 or [2001:db8::1]:40000".to_owned()
    })
}

/// A duration that is not zero.
pub fn positive_duration(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("it must be longer than 0".to_owned()),
        duration => Ok(duration),
    }
}
