//! What `eth-ping` costs beside the cryptography that it cannot do without: the processor time of signing and
//! verifying by themselves, over that of a target of a whole run. Both are measured in turns, the least of each counts.
//!
//! `cargo bench --bench ping_cpu`; the goal is 0.85. Where there is valgrind, it counts instructions, too, which do not
//! depend on what else the machine does; the goal is 0.85 million for a target.

#[path = "../common/mod.rs"]
mod common;
#[path = "../crowd/mod.rs"]
mod crowd;
mod cryptography;

use std::io;
use std::path::PathBuf;
use std::process::{Command as Process, Stdio};

use common::{PATIENT, prober, scratch, watch};
use crowd::settings::{Settings, Shares};
use crowd::{Command, Crowd};
use cryptography::Cryptography;

const ROUNDS: usize = 12;
const TARGETS: u32 = 4_000;
/// Two sizes: the difference is what the targets cost, without the start and the end.
const COUNTED: [u32; 2] = [200, 1_200];

/// Peers of one kind, and their targets.
struct Peers {
    settings: Settings,
    crowd: Crowd,
    targets: PathBuf,
}

impl Peers {
    fn start(pinging: u32) -> io::Result<Self> {
        let shares = Shares { pinging, ..Shares::GOOD };
        let settings = Settings { shares, ..Settings::default() };
        let crowd = Crowd::start(Command::EthPing, settings, TARGETS, 0, 1)?;
        let peers = Peers { settings, crowd, targets: scratch(&format!("ping-{pinging}.txt")) };
        peers.write(TARGETS)?;
        Ok(peers)
    }

    /// Writes a file of so many targets.
    fn write(&self, targets: u32) -> io::Result<()> {
        crowd::write(&self.targets, Command::EthPing, &self.settings, self.crowd.ports, targets)
    }
}

/// A way to run it.
struct Row<'a> {
    name: &'static str,
    peers: &'a Peers,
    options: &'static [&'static str],
    /// Signatures made, and verified, for each target.
    signatures: f64,
    /// Seconds of the processor for each target.
    least: f64,
}

impl Row<'_> {
    fn measure(&mut self) -> io::Result<()> {
        let took = watch(prober("eth-ping", PATIENT, &self.peers.targets).args(self.options))?;
        assert_eq!(took.code, Some(0), "{}: not every target was answered", self.name);
        self.least = self.least.min(took.processor.as_secs_f64() / f64::from(TARGETS));
        Ok(())
    }

    /// Millions of instructions for a target.
    fn instructions(&self) -> io::Result<f64> {
        let mut counts = [0; 2];
        for (count, targets) in counts.iter_mut().zip(COUNTED) {
            self.peers.write(targets)?;
            *count = counted(prober("eth-ping", PATIENT, &self.peers.targets).args(self.options))?;
        }
        Ok((counts[1] - counts[0]) as f64 / f64::from(COUNTED[1] - COUNTED[0]) / 1e6)
    }
}

/// How many instructions a process takes, of which none is the kernel's.
fn counted(process: &Process) -> io::Result<u64> {
    let output = Process::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(process.get_program())
        .args(process.get_args())
        .stdin(Stdio::null())
        .output()?;
    assert!(output.status.success(), "not every target was answered under valgrind");
    let text = String::from_utf8_lossy(&output.stderr);
    let count = text.lines().find_map(|line| line.split_once("Collected : "));
    count.and_then(|(_, count)| count.trim().parse().ok()).ok_or(io::ErrorKind::InvalidData.into())
}

fn main() -> io::Result<()> {
    let (quiet, pinging) = (Peers::start(0)?, Peers::start(1000)?);
    let row = |name, peers, options, signatures| Row {
        name,
        peers,
        options,
        signatures,
        least: f64::INFINITY,
    };
    let mut rows: [Row<'_>; 4] = [
        row("peers that only Pong", &quiet, &[], 1.0),
        row("the same, --json", &quiet, &["--json"], 1.0),
        row("peers that ping back, --bond", &pinging, &["--bond"], 2.0),
        row("the same, --json", &pinging, &["--bond", "--json"], 2.0),
    ];
    let cryptography = Cryptography::new();
    let (mut sign, mut verify) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..ROUNDS {
        sign = sign.min(cryptography.sign()?);
        verify = verify.min(cryptography.verify()?);
        for row in &mut rows {
            row.measure()?;
        }
    }
    println!("{}; the least of {ROUNDS} rounds, {TARGETS} targets each", common::machine());
    println!("to sign {:.1} µs, to verify {:.1} µs", sign * 1e6, verify * 1e6);
    println!("results as text (unless --json) with the summary, to /dev/null");
    println!("| eth-ping | user+sys µs a target | of that, cryptography |");
    println!("| --- | --: | --: |");
    for Row { name, signatures, least, .. } in &rows {
        let ratio = signatures * (sign + verify) / least;
        println!("| {name} | {:.1} | {ratio:.2} |", least * 1e6);
    }
    if Process::new("valgrind").arg("--version").output().is_err() {
        println!("no valgrind: instructions are not counted");
        return Ok(());
    }
    println!("| eth-ping | million instructions a target |");
    println!("| --- | --: |");
    for row in &rows {
        println!("| {} | {:.3} |", row.name, row.instructions()?);
    }
    Ok(())
}
