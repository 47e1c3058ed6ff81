//! The system's errors as machines see them.

use nix::errno::Errno;

use crate::machine::{ConnectError, LocalError};

/// An error of a send, a bind or the opening of a socket.
pub fn local(errno: Errno) -> LocalError {
    match errno {
        // EINVAL: from an address such as 127.0.0.1 to one beyond.
        Errno::ENETUNREACH
        | Errno::EHOSTUNREACH
        | Errno::EADDRNOTAVAIL
        | Errno::ENETDOWN
        | Errno::EINVAL => LocalError::NoRoute,
        Errno::EAFNOSUPPORT | Errno::EPFNOSUPPORT => LocalError::NoFamily,
        errno => LocalError::Os(errno as i32),
    }
}

/// An error that an ICMP message, not the send that returns it, may have caused.
pub fn may_be_pending(errno: Errno) -> bool {
    matches!(
        errno,
        Errno::ECONNREFUSED
            | Errno::EHOSTUNREACH
            | Errno::ENETUNREACH
            | Errno::EHOSTDOWN
            | Errno::ENOPROTOOPT
            | Errno::EACCES
            | Errno::EPROTO
            | Errno::EMSGSIZE
            | Errno::ENONET
            | Errno::EOPNOTSUPP
    )
}

/// An error of a TCP connect.
pub fn connect(error: &std::io::Error) -> ConnectError {
    let Some(errno) = error.raw_os_error().map(Errno::from_raw) else {
        return ConnectError::Local(LocalError::Os(0));
    };
    match errno {
        Errno::ECONNREFUSED => ConnectError::Refused,
        Errno::EHOSTUNREACH | Errno::ENETUNREACH | Errno::EHOSTDOWN | Errno::ETIMEDOUT => {
            ConnectError::HostUnreachable
        }
        errno => ConnectError::Local(local(errno)),
    }
}
