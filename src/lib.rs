//! p2pprobe probes peers of peer-to-peer networks and says what each one is, or exactly why it could not tell.
//!
//! The binary of the same name is a thin front door; this library is for its own tests, benchmarks and fuzzers,
//! and for whoever wants a discv4 or Bitcoin codec, or a machine, without sockets.
//!
//! # One way
//!
//! Data flows one way:
//!
//! ```text
//! arguments → source of targets → protocol machines ⇄ drivers → reports → output
//! ```
//!
//! | part | modules | knows | never knows |
//! | --- | --- | --- | --- |
//! | codec | [`codec`] | bytes | sockets, clocks, output |
//! | wire messages | [`discv4`], [`bitcoin`] | the codec | sockets, clocks, output |
//! | machines | [`machine`], [`discv4::pinger`], [`bitcoin::handshake`], [`tcp_check`] | messages; the time and randomness handed in | sockets, the system's clock, output |
//! | drivers | [`net`] | sockets, the runtime, the machines' verbs | what a message means |
//! | source | [`source`], [`target`], [`host`], [`networks`], [`turns`] | targets | sockets, messages |
//! | reports | [`report`], [`tally`] | what was found | sockets |
//! | output | [`output`] | reports | protocols, sockets |
//! | command line | [`cli`], [`run`], [`signals`] | everything's front door | bytes |
//!
//! # A machine by hand
//!
//! Machines never touch a socket, a clock or a source of randomness: whoever drives one hands in what happened
//! and what time it is, and drains what it wants done. Here is a Ping; [`bitcoin::handshake`] and [`tcp_check`] begin
//! with an example of theirs.
//!
//! ```
//! use std::time::Duration;
//!
//! use p2pprobe::codec::key::NodeKey;
//! use p2pprobe::discv4::pinger::{Config, PingTarget, Pinger};
//! use p2pprobe::discv4::{Endpoint, Message, Packet, Pong, packet};
//! use p2pprobe::machine::{DatagramMachine, Event, JobId, JobReport, Mono, Now, RttClock};
//! use rand::SeedableRng;
//! use rand::rngs::StdRng;
//!
//! let ours = NodeKey::new([1; 32], [0; 32]).unwrap();
//! let theirs = NodeKey::new([2; 32], [0; 32]).unwrap();
//! let config = Config {
//!     timeout: Duration::from_secs(2),
//!     retries: 1,
//!     count: 1,
//!     interval: Duration::from_secs(1),
//!     per_host_interval: Duration::ZERO,
//!     concurrency: 512,
//!     bond: false,
//! };
//! let mut pinger = Pinger::new(config, ours, StdRng::seed_from_u64(7));
//! let at = |ms| Now { mono: Mono(Duration::from_millis(ms)), unix_ms: 1_700_000_000_000 + ms };
//!
//! // A job begins, and its Ping is ready to leave.
//! let to = "192.0.2.7:30303".parse().unwrap();
//! let from = Endpoint::new("192.0.2.1:40000".parse().unwrap(), 0);
//! let target = PingTarget { to, tcp: 30303, key: Some(*theirs.public()), from };
//! pinger.start(at(0), JobId(1), target);
//! let mut ping = Vec::new();
//! let transmit = pinger.poll_transmit(at(0), &mut ping).unwrap();
//! pinger.handle(at(0), Event::Sent { id: transmit.id, at: at(0).mono });
//!
//! // Its Pong comes 30 ms later.
//! let pong = Message::Pong(Pong {
//!     to: from,
//!     ping_hash: Packet::decode(&ping).unwrap().hash,
//!     expiration: 1_700_000_020,
//!     enr_seq: None,
//! });
//! let mut bytes = Vec::new();
//! packet::encode(&pong, &theirs, None, &mut bytes);
//! let (clock, arrived) = (RttClock::Kernel, at(30).mono);
//! pinger.handle(at(30), Event::Datagram { from: to, clock, arrived, bytes: &bytes });
//!
//! let Some((JobId(1), JobReport::Probe(report))) = pinger.poll_report() else { panic!() };
//! let answer = report.outcome.unwrap();
//! assert_eq!(answer.rtt_ms.0, Duration::from_millis(30));
//! assert_eq!(answer.node_id, theirs.public().node_id());
//! assert_eq!(pinger.poll_report(), Some((JobId(1), JobReport::Done)));
//! ```

pub mod bitcoin;
pub mod cli;
pub mod codec;
pub mod discv4;
pub mod host;
pub mod machine;
mod nearest;
pub mod net;
pub mod networks;
pub mod output;
pub mod report;
pub mod run;
pub mod signals;
pub mod source;
pub mod stop;
pub mod tally;
pub mod target;
pub mod tcp_check;
pub mod turns;
