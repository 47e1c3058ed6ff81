//! `p2pprobe btc-handshake`.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Args;
use data_encoding::HEXLOWER_PERMISSIVE;
use nix::errno::Errno;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::net::TcpSocket;

use super::Fault;
use super::common::{
    BindArgs, HelpArgs, OutputArgs, PaceArgs, TargetArgs, connections, duration, exit_code,
    positive_duration, whole,
};
use super::system::{not_bound, runtime, signals, stop};
use crate::bitcoin::version::MAX_USER_AGENT;
use crate::bitcoin::{Magic, services};
use crate::nearest::nearest;
use crate::net::clock::Clock;
use crate::net::tcp::{Dialer, bind_to};
use crate::networks::{ANY, BitcoinNetwork, MAIN_NETWORK, Networks};
use crate::output::{Output, trace};
use crate::run::handshake::{Asked, HandshakeRun, Parts, Tracers};
use crate::source::{self, SystemLookUp};
use crate::target::bitcoin::{self, Bitcoin};

/// The network whose port a signet of one's own has.
const SIGNET: &str = "signet";
/// Who we say we are (BIP-14).
const USER_AGENT: &str = concat!("/p2pprobe:", env!("CARGO_PKG_VERSION"), "/");

/// Does a Bitcoin node answer, on which network, as what, and how far away is it?
///
/// Connects to each target, exchanges version and verack, sends one ping, hangs up, and prints what the node said, or the
/// reason why there was no handshake. Speaks to every chain that descends from Bitcoin. Exits with 0 if every target was
/// answered as expected, 1 if not, 2 if the command is wrong or the run failed.
#[derive(Debug, Args)]
#[command(
    disable_help_flag = true,
    disable_version_flag = true,
    after_help = EXAMPLES,
    mut_arg("targets", |arg| arg.help(
        "HOST, HOST:PORT, [IPV6]:PORT, or a network's name for what its DNS seeds give; `-` reads targets from standard input"
    )),
    mut_arg("concurrency", |arg| arg.help("Connections at the same time")),
    mut_arg("rate", |arg| arg.help("Connections begun a second, in all; 0: any number")),
    mut_arg("per_host_interval", |arg| arg.help(
        "Shortest time between two connections to one IP address; 0: none [default: 1s, or --interval if that is shorter]"
    )),
    mut_arg("verbose", |arg| arg.help(
        "Each message sent and received, on stderr; twice: with its bytes"
    )),
)]
pub struct BtcHandshake {
    #[command(flatten)]
    targets: TargetArgs,
    #[command(flatten)]
    which: NetworkArgs,
    #[command(flatten)]
    probe: ProbeArgs,
    #[command(flatten)]
    limits: LimitArgs,
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
#[command(next_help_heading = "Bitcoin network")]
struct NetworkArgs {
    /// The network of the targets that name none; `any`: all that use the port (where none does, all that are known) until
    /// one answers, one connection each, --per-host-interval apart. Bitcoin SV bans whoever speaks another network's magic,
    /// for a day [default: mainnet]
    #[arg(long, value_name = "NAME")]
    network: Option<String>,
    /// The network with this magic, as on the wire: f9beb4d9
    #[arg(long, value_name = "HEX", conflicts_with = "network")]
    magic: Option<Magic>,
    /// The signet with this challenge (BIP-325)
    #[arg(long, value_name = "HEX", conflicts_with_all = ["network", "magic"], value_parser = challenge)]
    signet_challenge: Option<Challenge>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Probe")]
struct ProbeArgs {
    /// How long a connect, or the look-up of a name, may take
    #[arg(long, value_name = "TIME", default_value = "5s", allow_negative_numbers = true, value_parser = positive_duration)]
    connect_timeout: Duration,
    /// How long one connection may take in all: connect, handshake and pong
    #[arg(long, value_name = "TIME", default_value = "15s", allow_negative_numbers = true, value_parser = positive_duration)]
    timeout: Duration,
    /// How many more connections to try where one is refused, times out, or ends before the handshake is done
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true, value_parser = whole(0..=u32::MAX))]
    retries: u32,
    /// What we say we are (BIP-14)
    #[arg(long, value_name = "TEXT", default_value = USER_AGENT, value_parser = user_agent)]
    user_agent: String,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Limits (an answer beyond them counts as not as asked)")]
struct LimitArgs {
    /// The chain must be this high
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole(0..=i32::MAX))]
    min_height: Option<i32>,
    /// The node must offer these services: NETWORK,WITNESS
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    need_services: Vec<String>,
    /// The clocks may differ by this much
    #[arg(long, value_name = "TIME", allow_negative_numbers = true, value_parser = duration)]
    max_clock_skew: Option<Duration>,
    /// Our ping must be answered within this time
    #[arg(long, value_name = "TIME", allow_negative_numbers = true, value_parser = duration)]
    max_rtt: Option<Duration>,
}

const EXAMPLES: &str = "\
TIME is a number with its unit: 500ms, 3s, 2m.

Examples:
  p2pprobe btc-handshake 203.0.113.7
  p2pprobe btc-handshake node.example.org:8333 --min-height 900000 --need-services NETWORK,WITNESS
  p2pprobe btc-handshake --network litecoin 203.0.113.7 '[2001:db8::7]:9333'
  p2pprobe btc-handshake testnet4 --any
  p2pprobe btc-handshake --file nodes.txt --json | jq -c 'select(.ok == true) | [.target, .height]'";

impl BtcHandshake {
    /// Runs the command.
    pub fn run(self) -> Result<ExitCode, Fault> {
        let clock = Clock::start();
        let networks = Arc::new(self.targets.networks()?);
        let asked = self.which.asked(&networks)?;
        let need_services = self.limits.services(&networks)?;
        let any = asked == bitcoin::Asked::Any;
        let targets = Bitcoin { networks: networks.clone(), asked };
        let inputs = self.targets.inputs(&targets)?;
        let signals = signals()?;
        let bind = self.network.addresses()?;
        let rng = StdRng::try_from_rng(&mut rand::rngs::SysRng)
            .context("the system gives no randomness")?;
        let summary = self.pace.count.is_some() || self.targets.stands_for_many(&inputs);
        let one = self.targets.is_one(&inputs) && self.pace.count.is_none();
        let mut output = Output::new(self.output.style(summary, one, self.targets.are_typed()));
        let most = self.targets.connections_for(&inputs, self.pace.concurrency);
        let concurrency = connections(most, &mut output)?;
        if any {
            output.warn(
                "a Bitcoin SV node bans whoever speaks another network's magic to it, for a day",
            )?;
        }
        let runtime = runtime()?;
        let (verdict, result) = runtime.block_on(async {
            let stop = stop(&signals)?;
            for address in &bind {
                can_bind(*address)
                    .map_err(|errno| anyhow!("cannot bind {address}: {}", not_bound(errno)))?;
            }
            let source = source::start(
                inputs,
                targets,
                self.targets.families(),
                self.probe.connect_timeout,
                SystemLookUp,
                stop.clone(),
            );
            let parts = Parts {
                networks,
                dialer: Dialer { clock, bind: bind.into(), stop },
                rng,
                source,
                output,
                tracers: self.tracers(),
            };
            let run = HandshakeRun::new(self.asked(concurrency, any, need_services), parts);
            Ok::<_, Fault>(run.run(self.output.any).await)
        })?;
        // A look-up that hangs must not hold up the end.
        runtime.shutdown_background();
        exit_code(verdict, result, &signals, &self.targets)
    }

    fn asked(&self, concurrency: usize, any: bool, need_services: Vec<String>) -> Asked {
        let (probe, limits, pace) = (&self.probe, &self.limits, &self.pace);
        Asked {
            keeping: self.output.keeping("btc-handshake", pace.count.is_some()),
            count: pace.count.unwrap_or(1),
            interval: pace.interval,
            retries: probe.retries,
            concurrency,
            rate: pace.rate,
            per_host_interval: pace.per_host_interval(),
            connect_timeout: probe.connect_timeout,
            timeout: probe.timeout,
            user_agent: probe.user_agent.clone(),
            any,
            min_height: limits.min_height,
            need_services,
            max_clock_skew: limits.max_clock_skew,
            max_rtt: limits.max_rtt,
        }
    }

    fn tracers(&self) -> Option<Tracers> {
        let hex = match self.output.verbose {
            0 => return None,
            verbose => verbose > 1,
        };
        Some(Box::new(move |peer, magic| {
            let mut conversation = trace::Conversation::new(peer, magic, hex);
            Box::new(move |seen| conversation.see(seen))
        }))
    }
}

impl NetworkArgs {
    fn asked(&self, networks: &Networks) -> Result<bitcoin::Asked, Fault> {
        let named = |name: &str| {
            networks.bitcoin(name).map_err(|unknown| {
                let any = match unknown.is_explained() {
                    true => String::new(),
                    false => format!(", and `{ANY}` is whichever it is"),
                };
                Fault::Usage(format!("--network: {unknown}{any}"))
            })
        };
        if let Some(magic) = self.magic {
            let network = BitcoinNetwork { name: None, ..(*networks.bitcoin_of(magic)).clone() };
            return Ok(bitcoin::Asked::One { network: Arc::new(network), said: true });
        }
        if let Some(Challenge(magic)) = self.signet_challenge {
            let network = BitcoinNetwork::nameless(magic, named(SIGNET)?.port);
            return Ok(bitcoin::Asked::One { network: Arc::new(network), said: true });
        }
        Ok(match self.network.as_deref() {
            Some(ANY) => bitcoin::Asked::Any,
            Some(name) => bitcoin::Asked::One { network: named(name)?, said: true },
            None => bitcoin::Asked::One { network: named(MAIN_NETWORK)?, said: false },
        })
    }
}

impl LimitArgs {
    /// The names of the services that are needed. What a name means is up to the network of each target; one that no
    /// network has is mistyped.
    fn services(&self, networks: &Networks) -> Result<Vec<String>, Fault> {
        let names: Vec<String> =
            self.need_services.iter().map(|name| name.trim().to_owned()).collect();
        let Some(unknown) = names.iter().find(|name| !networks.has_service(name)) else {
            return Ok(names);
        };
        let near = nearest(&unknown.to_ascii_uppercase(), networks.services());
        let rest = match near.first() {
            Some(nearest) => format!("did you mean {nearest}?"),
            None => format!(
                "there are {}, those that a network names, and `bit 0` to `bit 63`",
                services::known().collect::<Vec<_>>().join(", ")
            ),
        };
        let unknown = unknown.escape_debug();
        Err(Fault::Usage(format!("--need-services: no service is named '{unknown}'; {rest}")))
    }
}

/// The magic of a signet that was told by its challenge.
#[derive(Clone, Copy, Debug)]
struct Challenge(Magic);

fn challenge(text: &str) -> Result<Challenge, String> {
    match HEXLOWER_PERMISSIVE.decode(text.as_bytes()) {
        Ok(bytes) if !bytes.is_empty() => Ok(Challenge(Magic::of_signet(&bytes))),
        _ => Err("a challenge is a script: an even number of hex digits".to_owned()),
    }
}

fn user_agent(text: &str) -> Result<String, String> {
    if text.len() as u64 > MAX_USER_AGENT {
        return Err(format!("nodes take at most {MAX_USER_AGENT} bytes"));
    }
    if !text.bytes().all(|b| matches!(b, b' '..=b'~')) {
        return Err("printable ASCII only".to_owned());
    }
    Ok(text.to_owned())
}

/// Tries to bind an address, so that one that is not ours fails the run and not each target.
fn can_bind(address: SocketAddr) -> Result<(), Errno> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let bound = socket.and_then(|socket| bind_to(&socket, address));
    bound.map_err(|e| Errno::from_raw(e.raw_os_error().unwrap_or_default()))
}
