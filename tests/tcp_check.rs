//! The machine behind `--tcp`, driven by hand: no socket, no clock.

use std::net::SocketAddr;
use std::time::Duration;

use p2pprobe::machine::{
    Action, CloseWhy, ConnectError, LocalError, Mono, Now, StreamEvent, StreamMachine,
};
use p2pprobe::report::{Millis, Tcp, TcpState};
use p2pprobe::tcp_check::TcpCheck;

fn at(ms: u64) -> Now {
    Now { mono: Mono(Duration::from_millis(ms)), unix_ms: 1_700_000_000_000 + ms }
}

fn check() -> TcpCheck {
    let mut machine = TcpCheck::new(at(1000), Duration::from_millis(500));
    assert_eq!(machine.poll_report(), None);
    assert_eq!(machine.poll_action(at(1000)), Some(Action::Connect));
    assert_eq!(machine.poll_action(at(1000)), None, "one connect");
    assert_eq!(machine.poll_timeout(), Some(at(1500).mono));
    machine
}

fn connected() -> StreamEvent<'static> {
    StreamEvent::Connected { local: SocketAddr::from(([127, 0, 0, 1], 1)) }
}

fn failed(tcp: TcpState) -> Option<Tcp> {
    Some(tcp.into())
}

#[test]
fn a_connection_is_open_and_timed_from_the_beginning() {
    let mut machine = check();
    machine.handle(at(1042), connected());
    let tcp_connect_ms = Some(Millis(Duration::from_millis(42)));
    assert_eq!(machine.poll_action(at(1042)), Some(Action::Close));
    assert_eq!(machine.poll_report(), Some(Tcp { tcp_connect_ms, ..TcpState::Open.into() }));
    assert_eq!((machine.poll_timeout(), machine.poll_action(at(1042))), (None, None));
    assert_eq!(machine.poll_report(), None, "it is said once");
}

#[test]
fn each_failure_to_connect_has_its_name() {
    for (why, state) in [
        (ConnectError::Refused, TcpState::Refused),
        (ConnectError::HostUnreachable, TcpState::Unreachable),
        (ConnectError::TimedOut, TcpState::Timeout),
        (ConnectError::Local(LocalError::NoRoute), TcpState::LocalError),
        (ConnectError::Local(LocalError::Os(24)), TcpState::LocalError),
    ] {
        let mut machine = check();
        machine.handle(at(1001), StreamEvent::ConnectFailed(why));
        let local = match why {
            ConnectError::Local(why) => Some(why),
            ConnectError::Refused | ConnectError::HostUnreachable | ConnectError::TimedOut => None,
        };
        assert_eq!(machine.poll_report(), Some(Tcp { local, ..state.into() }), "{why:?}");
    }
}

#[test]
fn a_deadline_that_has_not_come_changes_nothing() {
    let mut machine = check();
    machine.handle_timeout(at(1499));
    assert_eq!((machine.poll_report(), machine.poll_timeout()), (None, Some(at(1500).mono)));
    machine.handle_timeout(at(1500));
    assert_eq!(machine.poll_report(), failed(TcpState::Timeout));
    assert_eq!(machine.poll_timeout(), None);
}

#[test]
fn stopped_it_says_interrupted() {
    let mut machine = check();
    machine.stop(at(1100));
    assert_eq!(machine.poll_report(), failed(TcpState::Interrupted));
}

#[test]
fn what_came_first_stands() {
    let mut machine = check();
    machine.handle(at(1001), StreamEvent::ConnectFailed(ConnectError::Refused));
    machine.handle(at(1002), connected());
    machine.handle_timeout(at(9000));
    machine.stop(at(9001));
    assert_eq!(machine.poll_report(), failed(TcpState::Refused));

    let mut machine = check();
    machine.handle_timeout(at(1500));
    machine.handle(at(1501), connected());
    assert_eq!(machine.poll_report(), failed(TcpState::Timeout));
}

#[test]
fn bytes_and_an_early_end_say_nothing() {
    let mut machine = check();
    machine.handle(at(1001), StreamEvent::Bytes(b"SSH-2.0"));
    machine.handle(at(1002), StreamEvent::Closed(CloseWhy::Reset));
    machine.handle(at(1003), StreamEvent::Closed(CloseWhy::Eof));
    assert_eq!((machine.poll_report(), machine.poll_timeout()), (None, Some(at(1500).mono)));
}

#[test]
fn only_a_port_that_was_named_and_is_not_open_is_the_peers_fault() {
    use TcpState::{Interrupted, LocalError, NoPort, Open, Refused, Timeout, Unreachable};
    let failure = |tcp: TcpState| Tcp::from(tcp).failure().map(|failure| failure.kind());
    assert_eq!([Open, NoPort].map(failure), [None, None]);
    assert_eq!([Refused, Timeout, Unreachable].map(failure), [Some("not-as-asked"); 3]);
    assert_eq!([LocalError, Interrupted].map(failure), [Some("local-error"), Some("interrupted")]);
}
