//! `p2pprobe eth-ping`.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::{Args, ValueHint};
use data_encoding::HEXLOWER_PERMISSIVE;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::Fault;
use super::common::{
    BindArgs, HelpArgs, OutputArgs, PaceArgs, TargetArgs, connections, duration, exit_code,
    positive_duration, printable, whole,
};
use super::system::{not_bound, not_read, runtime, signals, stop};
use crate::codec::key::NodeKey;
use crate::discv4::pinger::{Config, Pinger};
use crate::net::clock::Clock;
use crate::net::udp::{Options, Seen, Tracer, UdpDriver};
use crate::output::{Output, trace};
use crate::run::ping::{Asked, PingRun};
use crate::source::{self, SystemLookUp};
use crate::target::ethereum::Ethereum;

/// Is a node alive, does it answer as itself, how far is it, and how does it see us?
///
/// Sends a signed discv4 Ping to each target and prints the decoded Pong, or the reason why none came. Exits
/// with 0 if every target was answered as expected, 1 if not, 2 if the command is wrong or the run failed.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, disable_version_flag = true, after_help = EXAMPLES)]
pub struct EthPing {
    #[command(flatten)]
    targets: TargetArgs,
    #[command(flatten)]
    ping: PingArgs,
    #[command(flatten)]
    pace: PaceArgs,
    #[command(flatten)]
    network: BindArgs,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    _help: HelpArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Probe")]
struct PingArgs {
    /// How long each Ping waits for its Pong
    #[arg(long, value_name = "TIME", default_value = "2s", allow_negative_numbers = true, value_parser = positive_duration)]
    timeout: Duration,
    /// How many more Pings to send while no answer comes
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true, value_parser = whole(0..=u32::MAX))]
    retries: u32,
    /// Wait up to 500 ms for the node's own Ping and answer it, so that it will answer other requests
    #[arg(long)]
    bond: bool,
    /// Connect to the node's TCP port, too; a port that is not open counts as not as asked
    #[arg(long)]
    tcp: bool,
    /// An answer that takes longer counts as not as asked
    #[arg(long, value_name = "TIME", allow_negative_numbers = true, value_parser = duration)]
    max_rtt: Option<Duration>,
    /// Sign with the key in FILE, 32 bytes as hex, which you alone may read, and not with a fresh one
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    key: Option<PathBuf>,
}

const EXAMPLES: &str = "\
TIME is a number with its unit: 500ms, 3s, 2m.

Examples:
  p2pprobe eth-ping mainnet
  p2pprobe eth-ping 'enode://KEY@203.0.113.7:30303?discport=30301' --tcp
  p2pprobe eth-ping node.example.org:30303 --count 5
  p2pprobe eth-ping --file nodes.txt --json | jq -r 'select(.ok | not) | .target'";

impl EthPing {
    /// Runs the command.
    pub fn run(self) -> Result<ExitCode, Fault> {
        let clock = Clock::start();
        let targets = Ethereum { networks: self.targets.networks()? };
        let inputs = self.targets.inputs(&targets)?;
        let bind = self.network.addresses()?;
        let mut rng = StdRng::try_from_rng(&mut rand::rngs::SysRng)
            .context("the system gives no randomness")?;
        let key = match &self.ping.key {
            Some(file) => read_key(file, &mut rng)?,
            None => fresh_key(&mut rng),
        };
        let signals = signals()?;
        let summary = self.pace.count.is_some() || self.targets.stands_for_many(&inputs);
        let one = self.targets.is_one(&inputs) && self.pace.count.is_none();
        let mut output = Output::new(self.output.style(summary, one, self.targets.are_typed()));
        let connections = match self.ping.tcp {
            true => {
                let most = self.targets.connections_for(&inputs, self.pace.concurrency);
                connections(most, &mut output)?
            }
            false => 0,
        };
        let pinger = Pinger::new(self.config(), key, rng);
        let runtime = runtime()?;
        let (verdict, result) = runtime.block_on(async {
            let stop = stop(&signals)?;
            let options = Options { bind, rate: self.pace.rate, tracer: self.tracer() };
            let driver = UdpDriver::new(clock, options).map_err(|(address, errno)| {
                anyhow!("cannot bind {address}: {}", not_bound(errno))
            })?;
            let source = source::start(
                inputs,
                targets,
                self.targets.families(),
                self.ping.timeout,
                SystemLookUp,
                stop.clone(),
            );
            let run =
                PingRun::new(self.asked(connections), clock, driver, pinger, source, stop, output);
            Ok::<_, Fault>(run.run(self.output.any).await)
        })?;
        // A look-up that hangs must not hold up the end.
        runtime.shutdown_background();
        exit_code(verdict, result, &signals, &self.targets)
    }

    fn config(&self) -> Config {
        Config {
            timeout: self.ping.timeout,
            retries: self.ping.retries,
            count: self.pace.count.unwrap_or(1),
            interval: self.pace.interval,
            per_host_interval: self.pace.per_host_interval(),
            concurrency: self.pace.concurrency as usize,
            bond: self.ping.bond,
        }
    }

    fn asked(&self, connections: usize) -> Asked {
        Asked {
            keeping: self.output.keeping("eth-ping", self.pace.count.is_some()),
            connections,
            max_rtt: self.ping.max_rtt,
            tcp: self.ping.tcp.then_some(self.ping.timeout),
        }
    }

    fn tracer(&self) -> Option<Tracer> {
        let hex = match self.output.verbose {
            0 => return None,
            verbose => verbose > 1,
        };
        Some(Box::new(move |seen: Seen<'_>| trace::discv4(seen, hex)))
    }
}

fn fresh_key(rng: &mut StdRng) -> NodeKey {
    loop {
        // All but one in 2^127 values are keys.
        if let Some(key) = NodeKey::short_lived(bytes(rng)) {
            return key;
        }
    }
}

fn bytes(rng: &mut StdRng) -> [u8; 32] {
    let mut bytes = [0; 32];
    rng.fill_bytes(&mut bytes);
    bytes
}

fn read_key(file: &Path, rng: &mut StdRng) -> Result<NodeKey, Fault> {
    /// Hex digits, a prefix and some white space; whatever is longer is no key.
    const MAX_FILE: u64 = 256;
    let path = printable(&file.to_string_lossy());
    let name = format!("key file {path}");
    let unreadable = |e: io::Error| not_read(&name, file, &e, "`openssl rand -hex 32` makes a key");
    let open = File::open(file).map_err(unreadable)?;
    let metadata = open.metadata().map_err(unreadable)?;
    // What is said of its mode would be bad advice.
    if metadata.is_dir() {
        return Err(unreadable(io::ErrorKind::IsADirectory.into()));
    }
    let mode = metadata.permissions().mode();
    if mode & 0o077 != 0 {
        let mode = mode & 0o777;
        let advice = format!("mend that with: chmod 600 {path}");
        return Err(
            anyhow!("{name}: others may read or change it (mode {mode:o}); {advice}").into()
        );
    }
    let mut text = Vec::new();
    open.take(MAX_FILE).read_to_end(&mut text).map_err(unreadable)?;
    let digits = text.trim_ascii();
    let secret = HEXLOWER_PERMISSIVE
        .decode(digits.strip_prefix(b"0x").unwrap_or(digits))
        .ok()
        .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
        .ok_or_else(|| {
            anyhow!("{name}: it does not hold 32 bytes as 64 hex digits; `openssl rand -hex 32` makes some")
        })?;
    let key = NodeKey::new(secret, bytes(rng));
    Ok(key.ok_or_else(|| anyhow!("{name}: it holds zero or a number too large to be a key"))?)
}
