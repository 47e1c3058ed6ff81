//! The machine behind `--tcp`: connects, says what became of it, closes.
//!
//! ```
//! use std::time::Duration;
//!
//! use p2pprobe::machine::{Action, Mono, Now, StreamEvent, StreamMachine};
//! use p2pprobe::report::TcpState;
//! use p2pprobe::tcp_check::TcpCheck;
//!
//! let at = |ms| Now { mono: Mono(Duration::from_millis(ms)), unix_ms: 0 };
//! let mut machine = TcpCheck::new(at(0), Duration::from_secs(2));
//! assert_eq!(machine.poll_action(at(0)), Some(Action::Connect));
//! let local = "192.0.2.1:40000".parse().unwrap();
//! machine.handle(at(42), StreamEvent::Connected { local });
//! assert_eq!(machine.poll_action(at(42)), Some(Action::Close));
//! let report = machine.poll_report().unwrap();
//! assert_eq!(report.tcp, TcpState::Open);
//! assert_eq!(report.tcp_connect_ms.unwrap().0, Duration::from_millis(42));
//! ```

use std::time::Duration;

use crate::machine::{Action, ConnectError, Mono, Now, StreamEvent, StreamMachine};
use crate::report::{Millis, Tcp, TcpState};

/// A TCP connect and nothing more.
#[derive(Clone, Debug)]
pub struct TcpCheck {
    began: Mono,
    deadline: Mono,
    state: State,
}

/// How far the check has come.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    New,
    Connecting,
    /// Known, and not yet said; `true` while the connection is to be closed.
    Known(Tcp, bool),
    Said,
}

impl TcpCheck {
    /// Begins now and waits for at most `timeout`.
    pub fn new(now: Now, timeout: Duration) -> Self {
        TcpCheck { began: now.mono, deadline: now.mono + timeout, state: State::New }
    }

    fn end(&mut self, outcome: Tcp) {
        if matches!(self.state, State::New | State::Connecting) {
            self.state = State::Known(outcome, outcome.tcp == TcpState::Open);
        }
    }
}

impl StreamMachine for TcpCheck {
    type Report = Tcp;

    fn handle(&mut self, now: Now, event: StreamEvent<'_>) {
        match event {
            StreamEvent::Connected { .. } => {
                let took = Millis(now.mono.since(self.began));
                self.end(Tcp { tcp_connect_ms: Some(took), ..TcpState::Open.into() });
            }
            StreamEvent::ConnectFailed(why) => {
                self.end(match why {
                    ConnectError::Refused => TcpState::Refused.into(),
                    ConnectError::HostUnreachable => TcpState::Unreachable.into(),
                    ConnectError::TimedOut => TcpState::Timeout.into(),
                    ConnectError::Local(why) => {
                        Tcp { local: Some(why), ..TcpState::LocalError.into() }
                    }
                });
            }
            StreamEvent::Bytes(_) | StreamEvent::Closed(_) => {}
        }
    }

    fn handle_timeout(&mut self, now: Now) {
        if now.mono >= self.deadline {
            self.end(TcpState::Timeout.into());
        }
    }

    fn poll_action(&mut self, _now: Now) -> Option<Action> {
        match self.state {
            State::New => {
                self.state = State::Connecting;
                Some(Action::Connect)
            }
            State::Known(tcp, true) => {
                self.state = State::Known(tcp, false);
                Some(Action::Close)
            }
            State::Connecting | State::Known(_, false) | State::Said => None,
        }
    }

    fn poll_report(&mut self) -> Option<Tcp> {
        match self.state {
            State::Known(tcp, _) => {
                self.state = State::Said;
                Some(tcp)
            }
            State::New | State::Connecting | State::Said => None,
        }
    }

    fn poll_timeout(&self) -> Option<Mono> {
        matches!(self.state, State::New | State::Connecting).then_some(self.deadline)
    }

    fn stop(&mut self, _now: Now) {
        self.end(TcpState::Interrupted.into());
    }
}
