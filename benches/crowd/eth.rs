//! Answers for all discv4 peers.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::sync::Arc;
use std::time::Instant;

use nix::poll::PollTimeout;

use super::eth_answers::{Answered, Late, Packet};
use super::eth_manner::{Manner, Pinged, packet_type, unix_s};
use super::eth_socket::{AnywhereSocket, Buffer, Datagram};
use super::targets::Ports;
use super::{Common, Opened, TICK, peers};

/// Datagrams that are read before what is due is sent.
const BATCH: usize = 64;

/// Opens the sockets.
pub fn open(common: &Arc<Common>, port: u16, threads: usize) -> io::Result<Opened> {
    let socket = Arc::new(AnywhereSocket::bind(port)?);
    let other = Arc::new(AnywhereSocket::bind(0)?);
    // Taken at one address that no peer has, it is closed at all the others, and nobody else can take it.
    let closed = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let ports = Ports { open: socket.port, closed: closed.local_addr()?.port() };
    let in_table = Some(socket.in_table()?);
    let work = |_| -> Box<dyn FnOnce() + Send> {
        let mut worker = Worker {
            common: common.clone(),
            socket: socket.clone(),
            other: other.clone(),
            late: Late::default(),
            due: BTreeMap::new(),
            delayed: 0,
        };
        Box::new(move || worker.run())
    };
    let work = (0..threads.max(1)).map(work).collect();
    Ok(Opened { ports, in_table, closed: Box::new(closed), work })
}

/// One thread.
struct Worker {
    common: Arc<Common>,
    socket: Arc<AnywhereSocket>,
    other: Arc<AnywhereSocket>,
    late: Late,
    /// What is delayed; the number tells apart what is due at the same time.
    due: BTreeMap<(Instant, u64), Packet>,
    delayed: u64,
}

impl Worker {
    fn run(&mut self) {
        let socket = self.socket.clone();
        let mut buffer = Buffer::new();
        while !self.common.is_stopped() {
            let mut read = 0;
            while read < BATCH
                && let Some(datagram) = socket.receive(&mut buffer)
            {
                self.take(&datagram);
                read += 1;
            }
            self.send_due();
            if read < BATCH {
                socket.wait(self.patience());
            }
        }
    }

    fn take(&mut self, datagram: &Datagram<'_>) {
        let counts = &self.common.counts;
        let number = peers::number(datagram.at);
        let (hash, number) = match (packet_type(datagram.bytes), number) {
            (Some((1, hash)), Some(number)) => (hash, number),
            (Some((2, _)), Some(_)) => return counts.pongs.add(),
            _ => return counts.strange.add(),
        };
        let Some((nth, lost)) = self.common.begin_exchange(number) else {
            return counts.strange.add();
        };
        counts.came.add();
        let settings = self.common.settings;
        let manner = Manner::of(&settings, number);
        if lost {
            counts.lost.add();
        } else if !matches!(manner, Manner::Silent | Manner::Refuses) {
            counts.answered.add();
        }
        let at = SocketAddrV4::new(datagram.at, self.socket.port);
        let from = datagram.from;
        let pinged = Pinged { number, manner, at, from, hash, unix_s: unix_s() };
        let Answered { packets, added } = self.late.answer(&settings, &pinged, nth, lost);
        (0..added).for_each(|_| counts.added.add());
        for (delay, packet) in packets {
            if delay.is_zero() {
                self.send(&packet);
            } else {
                self.delayed += 1;
                self.due.insert((Instant::now() + delay, self.delayed), packet);
            }
        }
    }

    fn send(&self, packet: &Packet) {
        let socket = if packet.other_port { &self.other } else { &self.socket };
        if socket.send(packet.at, packet.to, &packet.bytes).is_err() {
            self.common.counts.unsent.add();
        }
    }

    fn send_due(&mut self) {
        while let Some(entry) = self.due.first_entry()
            && entry.key().0 <= Instant::now()
        {
            let packet = entry.remove();
            self.send(&packet);
        }
    }

    /// Until something is due, or the end may have come.
    fn patience(&self) -> PollTimeout {
        let next = self.due.first_key_value().map(|((at, _), _)| *at);
        let due = next.map_or(TICK, |at| at.saturating_duration_since(Instant::now()));
        // Rounded up: what is due in less than a millisecond is not to be asked for a thousand times.
        let millis = due.min(TICK).as_micros().div_ceil(1000);
        PollTimeout::try_from(millis as i32).unwrap_or(PollTimeout::ZERO)
    }
}
