//! The TCP driver: one machine, one target.

use std::future::pending;
use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::clock::Clock;
use super::error;
use crate::machine::{Action, CloseWhy, ConnectError, Mono, StreamEvent, StreamMachine};
use crate::stop::Stop;

/// How much is read at once, in bytes. A connection in flight must stay small: there may be thousands.
const READ_SIZE: usize = 512;

/// Runs `machine` against `to` until it reports. Told to stop, the machine reports what it has.
pub async fn drive<M: StreamMachine>(
    mut machine: M,
    to: SocketAddr,
    clock: Clock,
    mut stop: Stop,
) -> M::Report {
    let mut stream: Option<TcpStream> = None;
    let mut stopped = false;
    loop {
        while let Some(action) = machine.poll_action(clock.now()) {
            let deadline = machine.poll_timeout();
            match action {
                Action::Connect => {
                    stream = None;
                    let connected = tokio::select! {
                        connected = TcpStream::connect(to) => connected,
                        () = sleep_until(clock, deadline) => break,
                        () = stopping(&mut stop, stopped) => break,
                    };
                    match connected.and_then(|open| Ok((open.local_addr()?, open))) {
                        Ok((local, open)) => {
                            stream = Some(open);
                            machine.handle(clock.now(), StreamEvent::Connected { local });
                        }
                        Err(e) => {
                            let why: ConnectError = error::connect(&e);
                            machine.handle(clock.now(), StreamEvent::ConnectFailed(why));
                        }
                    }
                }
                Action::Write(bytes) => {
                    let Some(open) = &mut stream else { continue };
                    let written = tokio::select! {
                        written = open.write_all(&bytes) => written,
                        () = sleep_until(clock, deadline) => break,
                        () = stopping(&mut stop, stopped) => break,
                    };
                    if written.is_err() {
                        stream = None;
                        machine.handle(clock.now(), StreamEvent::Closed(CloseWhy::Reset));
                    }
                }
                Action::Close => stream = None,
            }
        }
        if let Some(report) = machine.poll_report() {
            return report;
        }
        if stop.is_requested() && !stopped {
            stopped = true;
            machine.stop(clock.now());
            continue;
        }
        let mut buffer = [0; READ_SIZE];
        tokio::select! {
            read = read(stream.as_mut(), &mut buffer) => {
                let event = match read {
                    Ok(0) => StreamEvent::Closed(CloseWhy::Eof),
                    Ok(count) => StreamEvent::Bytes(buffer.get(..count).unwrap_or_default()),
                    Err(_) => StreamEvent::Closed(CloseWhy::Reset),
                };
                if matches!(event, StreamEvent::Closed(_)) {
                    stream = None;
                }
                machine.handle(clock.now(), event);
            }
            () = sleep_until(clock, machine.poll_timeout()) => machine.handle_timeout(clock.now()),
            () = stopping(&mut stop, stopped) => {}
        }
    }
}

async fn read(stream: Option<&mut TcpStream>, buffer: &mut [u8]) -> io::Result<usize> {
    match stream {
        Some(stream) => stream.read(buffer).await,
        None => pending().await,
    }
}

async fn sleep_until(clock: Clock, at: Option<Mono>) {
    match at {
        Some(at) => tokio::time::sleep_until(clock.instant(at)).await,
        None => pending().await,
    }
}

/// Returns once the run is to end; never if that is known already.
async fn stopping(stop: &mut Stop, known: bool) {
    match known {
        true => pending().await,
        false => stop.requested().await,
    }
}
