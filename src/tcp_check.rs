//! The machine behind `--tcp`: connects, says what became of it, closes.

use std::time::Duration;

use crate::machine::{Action, ConnectError, Mono, Now, StreamEvent, StreamMachine};
use crate::report::{Millis, Tcp, TcpState};

/// A TCP connect and nothing more.
#[derive(Clone, Debug)]
pub struct TcpCheck {
    began: Mono,
    deadline: Mono,
    asked: bool,
    outcome: Option<Tcp>,
}

impl TcpCheck {
    /// Begins now and waits for at most `timeout`.
    pub fn new(now: Now, timeout: Duration) -> Self {
        TcpCheck { began: now.mono, deadline: now.mono + timeout, asked: false, outcome: None }
    }

    fn end(&mut self, tcp: TcpState, tcp_connect_ms: Option<Millis>) {
        self.outcome.get_or_insert(Tcp { tcp, tcp_connect_ms });
    }
}

impl StreamMachine for TcpCheck {
    type Report = Tcp;

    fn handle(&mut self, now: Now, event: StreamEvent<'_>) {
        match event {
            StreamEvent::Connected { .. } => {
                self.end(TcpState::Open, Some(Millis(now.mono.since(self.began))));
            }
            StreamEvent::ConnectFailed(why) => {
                let state = match why {
                    ConnectError::Refused => TcpState::Refused,
                    ConnectError::HostUnreachable => TcpState::Unreachable,
                    ConnectError::Local(_) => TcpState::LocalError,
                };
                self.end(state, None);
            }
            StreamEvent::Bytes(_) | StreamEvent::Closed(_) => {}
        }
    }

    fn handle_timeout(&mut self, now: Now) {
        if now.mono >= self.deadline {
            self.end(TcpState::Timeout, None);
        }
    }

    fn poll_action(&mut self, _now: Now) -> Option<Action> {
        let first = !std::mem::replace(&mut self.asked, true);
        first.then_some(Action::Connect)
    }

    fn poll_report(&mut self) -> Option<Tcp> {
        self.outcome
    }

    fn poll_timeout(&self) -> Option<Mono> {
        self.outcome.is_none().then_some(self.deadline)
    }

    fn stop(&mut self, _now: Now) {
        self.end(TcpState::Interrupted, None);
    }
}
