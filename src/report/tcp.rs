//! What a TCP connect tells (`--tcp`).

use serde::Serialize;

use super::{Failure, Millis, NotAsAsked};
use crate::machine::LocalError;

/// What a TCP connect gave.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Tcp {
    /// The outcome.
    pub tcp: TcpState,
    /// How long the connect took, where it succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp_connect_ms: Option<Millis>,
    /// Why this machine could not try, where it could not.
    #[serde(skip)]
    pub local: Option<LocalError>,
}

/// The outcome of a TCP connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TcpState {
    /// Somebody listens.
    Open,
    /// Nobody listens.
    Refused,
    /// Nothing came back in time.
    Timeout,
    /// The network said that the host cannot be reached.
    Unreachable,
    /// This machine could not try.
    LocalError,
    /// The target names no TCP port.
    NoPort,
    /// The run was stopped first.
    Interrupted,
}

impl From<TcpState> for Tcp {
    fn from(tcp: TcpState) -> Self {
        Tcp { tcp, tcp_connect_ms: None, local: None }
    }
}

impl Tcp {
    /// What it makes of a peer that answered otherwise; a port that was not named is no fault.
    pub fn failure(&self) -> Option<Failure> {
        match self.tcp {
            TcpState::Open | TcpState::NoPort => None,
            TcpState::Refused | TcpState::Timeout | TcpState::Unreachable => {
                Some(Failure::NotAsAsked(NotAsAsked::Tcp))
            }
            TcpState::LocalError => {
                let why = self.local.unwrap_or(LocalError::NoRoute);
                Some(Failure::LocalError { why })
            }
            TcpState::Interrupted => Some(Failure::Interrupted),
        }
    }
}
