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
        | Errno::EHOSTDOWN
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

/// An error of a TCP connect that came later than at once.
pub fn connect(error: &std::io::Error) -> ConnectError {
    match errno(error) {
        // A reset of what was all but open.
        Errno::ECONNREFUSED | Errno::ECONNRESET => ConnectError::Refused,
        Errno::EHOSTUNREACH | Errno::ENETUNREACH | Errno::EHOSTDOWN => {
            ConnectError::HostUnreachable
        }
        Errno::ETIMEDOUT => ConnectError::TimedOut,
        errno => ConnectError::Local(local(errno)),
    }
}

/// An error of a TCP connect that came at once: nobody out there can have said that there is no way.
pub fn connect_at_once(error: &std::io::Error) -> ConnectError {
    match errno(error) {
        errno @ (Errno::EHOSTUNREACH | Errno::ENETUNREACH | Errno::EHOSTDOWN) => {
            ConnectError::Local(local(errno))
        }
        Errno::EADDRNOTAVAIL | Errno::EADDRINUSE => ConnectError::Local(LocalError::NoPort),
        _ => connect(error),
    }
}

fn errno(error: &std::io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_that_this_machine_lacks_is_no_missing_route() {
        for errno in [Errno::EAFNOSUPPORT, Errno::EPFNOSUPPORT] {
            assert_eq!(local(errno), LocalError::NoFamily, "{errno}");
        }
        assert_eq!(local(Errno::ENETUNREACH), LocalError::NoRoute);
        assert_eq!(local(Errno::EPERM), LocalError::Os(Errno::EPERM as i32));
    }

    #[test]
    fn who_says_that_there_is_no_way() {
        let error = |errno: Errno| std::io::Error::from_raw_os_error(errno as i32);
        for errno in [Errno::ENETUNREACH, Errno::EHOSTUNREACH] {
            assert_eq!(connect(&error(errno)), ConnectError::HostUnreachable, "{errno}");
            let at_once = connect_at_once(&error(errno));
            assert_eq!(at_once, ConnectError::Local(LocalError::NoRoute), "{errno}");
        }
        let refused = error(Errno::ECONNREFUSED);
        assert_eq!(connect_at_once(&refused), ConnectError::Refused);
        assert_eq!(connect(&error(Errno::ETIMEDOUT)), ConnectError::TimedOut);
    }
}
