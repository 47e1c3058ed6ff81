//! The handshake by hand: no socket, no clock, peers of a few lines.

mod limits;

use super::*;
use crate::machine::{CloseWhy, ConnectError};

const MAGIC: Magic = Magic([0xf9, 0xbe, 0xb4, 0xd9]);
const NONCE: u64 = 7;
const PING: u64 = 8;

fn at(ms: u64) -> Now {
    Now { mono: Mono(Duration::from_millis(ms)), unix_ms: 1_700_000_000_000 + ms }
}

fn config() -> Config {
    Config {
        magic: MAGIC,
        connect_timeout: Duration::from_secs(5),
        timeout: Duration::from_secs(15),
        user_agent: "/p2pprobe:0.1.0/".to_owned(),
    }
}

fn machine_with(ours: &OurNonces) -> Handshake {
    let to = "192.0.2.7:8333".parse().expect("an address");
    Handshake::new(config(), to, [NONCE, PING], ours.clone(), at(0))
}

/// Connected after 20 ms, its version taken.
fn machine() -> Handshake {
    let mut machine = machine_with(&OurNonces::default());
    assert_eq!(machine.poll_action(at(0)), Some(Action::Connect));
    assert_eq!(machine.poll_timeout(), Some(at(5_000).mono));
    let local = "192.0.2.1:40000".parse().expect("an address");
    machine.handle(at(20), StreamEvent::Connected { local });
    assert_eq!(machine.poll_timeout(), Some(at(15_000).mono));
    let [Message::Version(version)] = &sent_at(&mut machine, 20)[..] else {
        panic!("our version alone")
    };
    assert_eq!((version.protocol, version.services, version.relay), (70_016, 0, Some(false)));
    assert_eq!((version.nonce, version.start_height), (Some(NONCE), Some(0)));
    assert_eq!(version.user_agent.as_deref(), Some(&b"/p2pprobe:0.1.0/"[..]));
    assert_eq!(version.timestamp, 1_700_000_000);
    machine
}

/// All that the machine writes now, which is early.
fn sent(machine: &mut Handshake) -> Vec<Message> {
    sent_at(machine, 0)
}

/// All that the machine writes at this time.
fn sent_at(machine: &mut Handshake, ms: u64) -> Vec<Message> {
    let mut reader = FrameReader::new(MAGIC, KEEP);
    let mut messages = Vec::new();
    while let Some(action) = machine.poll_action(at(ms)) {
        let Action::Write(bytes) = action else { panic!("{action:?}") };
        let mut left = &bytes[..];
        while let Some(frame) = reader.next_frame(&mut left).expect("our frames are right") {
            messages.push(Message::decode(&frame).expect("our messages, too"));
        }
    }
    messages
}

fn version(protocol: i32, nonce: u64) -> Message {
    Message::Version(Version {
        protocol,
        services: 0x409,
        timestamp: 1_700_000_000,
        addr_recv: NetAddr::unspecified(0),
        addr_from: Some(NetAddr::unspecified(0)),
        nonce: Some(nonce),
        user_agent: Some(b"/Satoshi:31.1.0/".to_vec()),
        start_height: Some(900_000),
        relay: Some(true),
        extra: 0,
    })
}

fn encoded(messages: &[Message]) -> Vec<u8> {
    let mut bytes = Vec::new();
    messages.iter().for_each(|message| message.encode(MAGIC, &mut bytes));
    bytes
}

fn say(machine: &mut Handshake, ms: u64, messages: &[Message]) {
    machine.handle(at(ms), StreamEvent::Bytes(&encoded(messages)));
}

fn report(machine: &mut Handshake) -> HandshakeReport {
    assert_eq!(machine.poll_timeout(), None);
    let actions: Vec<_> = std::iter::from_fn(|| machine.poll_action(at(0))).collect();
    let (last, writes) = actions.split_last().expect("an action");
    assert_eq!(last, &Action::Close);
    assert!(writes.iter().all(|action| matches!(action, Action::Write(_))), "{writes:?}");
    let report = machine.poll_report().expect("a report");
    assert_eq!(machine.poll_report(), None, "it is said once");
    report
}

fn other(name: &str) -> Message {
    Message::Other { command: Command::named(name).expect("a name"), payload: vec![1] }
}

#[test]
fn a_handshake_as_core_has_it() {
    let mut machine = machine();
    say(
        &mut machine,
        50,
        &[version(70_016, 1), Message::WtxidRelay, Message::SendAddrV2, Message::Verack],
    );
    let expected = [Message::WtxidRelay, Message::SendAddrV2, Message::Verack, Message::Ping(PING)];
    // The round trip begins when the ping leaves, not when it is thought of.
    assert_eq!(sent_at(&mut machine, 53), expected);
    say(&mut machine, 70, &[other("sendcmpct"), Message::Ping(99), Message::Pong(1)]);
    assert_eq!(sent(&mut machine), [Message::Pong(99)]);
    say(&mut machine, 80, &[Message::Pong(PING)]);
    let report = report(&mut machine);
    assert_eq!((&report.end, report.stage), (&End::Done, Stage::Verack));
    let names: Vec<_> = report.messages.iter().map(|command| command.as_str()).collect();
    let heard =
        ["version", "wtxidrelay", "sendaddrv2", "verack", "sendcmpct", "ping", "pong", "pong"];
    assert_eq!(names, heard);
    let ms = |duration: Option<Duration>| duration.map(|duration| duration.as_millis());
    assert_eq!(
        [report.connect, report.version_took, report.handshake_took, report.pong].map(ms),
        [Some(20), Some(30), Some(30), Some(27)]
    );
    assert_eq!(report.version.and_then(|version| version.start_height), Some(900_000));
    assert_eq!(report.at_unix_ms, at(80).unix_ms);
    assert_eq!((report.duplicates, report.bad_commands, report.bad_checksums), (0, 0, 0));
    assert_eq!(
        (report.bad_checksum, report.out_of_order, report.clock_offset_s),
        (None, None, Some(0))
    );
}

#[test]
fn peers_of_before_70016_get_a_verack_and_nothing_else() {
    let mut machine = machine();
    say(&mut machine, 30, &[version(70_015, 1)]);
    assert_eq!(sent(&mut machine), [Message::Verack]);
}

#[test]
fn any_order_and_any_pieces_will_do() {
    let all = [Message::Verack, other("alert"), version(70_016, 1), version(70_016, NONCE)];
    let stream = encoded(&all);
    for size in [1, 7, 24, stream.len()] {
        let mut machine = machine();
        for piece in stream.chunks(size) {
            machine.handle(at(40), StreamEvent::Bytes(piece));
        }
        assert_eq!(sent(&mut machine).last(), Some(&Message::Ping(PING)), "pieces of {size}");
    }
}

#[test]
fn nothing_is_answered_before_our_verack() {
    let mut machine = machine();
    say(&mut machine, 30, &[Message::Ping(1), Message::Ping(2), Message::Verack]);
    assert_eq!(sent(&mut machine), []);
    say(&mut machine, 40, &[version(70_015, 1)]);
    let expected = [Message::Verack, Message::Pong(1), Message::Pong(2), Message::Ping(PING)];
    assert_eq!(sent(&mut machine), expected);
}

#[test]
fn how_far_it_came_is_said_when_the_peer_hangs_up_or_stalls() {
    let ends = [
        (vec![], Stage::VersionSent),
        (vec![Message::Verack], Stage::VersionSent),
        (vec![version(70_016, 1)], Stage::Version),
    ];
    for (messages, stage) in ends {
        let bytes = encoded(&messages).len() as u64;
        let mut closed = machine();
        say(&mut closed, 30, &messages);
        closed.handle(at(31), StreamEvent::Closed(CloseWhy::Reset));
        let closed = report(&mut closed);
        assert_eq!((closed.end, closed.stage), (End::Closed(CloseWhy::Reset), stage));
        assert_eq!(closed.received, bytes);
        let mut silent = machine();
        say(&mut silent, 30, &messages);
        silent.handle_timeout(at(14_999));
        assert_eq!(silent.poll_report(), None);
        silent.handle_timeout(at(15_000));
        let silent = report(&mut silent);
        assert_eq!((silent.end, silent.stage), (End::Stalled, stage));
    }
}

#[test]
fn a_handshake_without_a_pong_is_one() {
    let complete = || {
        let mut machine = machine();
        say(&mut machine, 30, &[version(70_016, 1), Message::Verack]);
        machine
    };
    let mut closed = complete();
    closed.handle(at(31), StreamEvent::Closed(CloseWhy::Eof));
    let mut late = complete();
    late.handle_timeout(at(15_000));
    for mut machine in [closed, late] {
        let report = report(&mut machine);
        assert_eq!((report.end, report.pong), (End::Done, None));
    }
    // Nobody knows whether the pong would have come.
    let mut stopped = complete();
    stopped.stop(at(40));
    let stopped = report(&mut stopped);
    assert_eq!((stopped.end, stopped.stage), (End::Interrupted, Stage::Verack));
}

#[test]
fn who_knows_no_pong_is_not_waited_for() {
    for (protocol, waits) in [(60_000, false), (60_001, true)] {
        let mut machine = machine();
        say(&mut machine, 30, &[version(protocol, 1), Message::Verack]);
        let expected: &[Message] = match waits {
            true => &[Message::Verack, Message::Ping(PING)],
            false => &[Message::Verack],
        };
        let Some(Action::Write(bytes)) = machine.poll_action(at(30)) else { panic!("a write") };
        assert_eq!(bytes, encoded(expected), "{protocol}");
        assert_eq!(machine.poll_timeout().is_some(), waits);
    }
}

#[test]
fn no_connection_is_named() {
    for why in [ConnectError::Refused, ConnectError::HostUnreachable] {
        let mut machine = machine_with(&OurNonces::default());
        assert_eq!(machine.poll_action(at(0)), Some(Action::Connect));
        machine.handle(at(1), StreamEvent::ConnectFailed(why));
        assert_eq!(report(&mut machine).end, End::ConnectFailed(why));
    }
    let mut machine = machine_with(&OurNonces::default());
    assert_eq!(machine.poll_action(at(0)), Some(Action::Connect));
    machine.handle_timeout(at(5_000));
    assert_eq!(report(&mut machine).end, End::ConnectTimeout);
}

#[test]
fn a_nonce_of_ours_is_ourselves_while_its_connection_is_open() {
    let ours = OurNonces::default();
    let to = "192.0.2.8:8333".parse().expect("an address");
    let second = Handshake::new(config(), to, [70, 80], ours.clone(), at(0));
    for (nonce, end) in [(NONCE, End::SelfConnection), (70, End::SelfConnection)] {
        let mut first = machine_with(&ours);
        assert_eq!(first.poll_action(at(0)), Some(Action::Connect));
        say(&mut first, 30, &[version(70_016, nonce)]);
        assert_eq!(report(&mut first).end, end);
    }
    drop(second);
    let mut first = machine_with(&ours);
    say(&mut first, 30, &[version(70_016, 70)]);
    assert_eq!(first.poll_report(), None);
}

#[test]
fn what_is_no_frame_ends_it_and_is_kept() {
    let mut machine = machine();
    machine.handle(at(30), StreamEvent::Bytes(b"HTTP/1.1 400 Bad Request\r\n"));
    let found = b"HTTP/1.1 400 Bad Request"[..24].to_vec();
    assert_eq!(report(&mut machine).end, End::OtherMagic { found });
}

#[test]
fn what_comes_in_pieces_is_waited_for_a_little() {
    let started = || {
        let mut machine = machine();
        machine.handle(at(30), StreamEvent::Bytes(b"S"));
        machine.handle(at(130), StreamEvent::Bytes(b"SH-2.0-x\r\n"));
        assert_eq!(machine.poll_timeout(), Some(at(280).mono));
        machine
    };
    let found = b"SSH-2.0-x\r\n".to_vec();
    let mut silent = started();
    silent.handle_timeout(at(279));
    assert_eq!(silent.poll_report(), None);
    silent.handle_timeout(at(280));
    let mut closed = started();
    closed.handle(at(200), StreamEvent::Closed(CloseWhy::Eof));
    for mut machine in [silent, closed] {
        assert_eq!(report(&mut machine).end, End::OtherMagic { found: found.clone() });
    }
    let mut more = started();
    more.handle(at(140), StreamEvent::Bytes(&[b'.'; 40]));
    let End::OtherMagic { found } = report(&mut more).end else { panic!("another magic") };
    assert_eq!(found.len(), 24);
}

/// The frame of a message with a checksum that is wrong.
fn broken(message: &Message) -> Vec<u8> {
    let mut bytes = encoded(std::slice::from_ref(message));
    bytes[20] ^= 1;
    bytes
}

#[test]
fn a_wrong_checksum_matters_where_the_message_does() {
    for message in [version(70_016, 1), Message::Verack] {
        let mut machine = machine();
        machine.handle(at(30), StreamEvent::Bytes(&broken(&message)));
        let command = message.command();
        assert_eq!(report(&mut machine).end, End::BadChecksum { command });
    }
    let mut machine = machine();
    machine.handle(at(30), StreamEvent::Bytes(&broken(&other("inv"))));
    say(&mut machine, 31, &[version(70_016, 1), Message::Verack]);
    sent(&mut machine);
    say(&mut machine, 32, &[Message::Pong(PING)]);
    let report = report(&mut machine);
    assert_eq!((report.bad_checksums, report.end), (1, End::Done));
    assert_eq!((report.bad_checksum, report.out_of_order), (Some(other("inv").command()), None));
}

/// The second version and the second verack decide nothing, so nothing about them can be wrong.
#[test]
fn of_two_of_a_kind_the_second_does_not_matter() {
    let cut = Message::Other { command: Command::VERSION, payload: vec![0; 45] };
    let twice = [
        (&[version(70_016, 1)][..], &[version(70_016, 2), cut][..], Message::Verack),
        (&[Message::Verack], &[Message::Verack], version(70_016, 1)),
    ];
    for (first, seconds, rest) in twice {
        for second in seconds {
            let mut machine = machine();
            say(&mut machine, 30, first);
            say(&mut machine, 31, std::slice::from_ref(second));
            machine.handle(at(32), StreamEvent::Bytes(&broken(second)));
            say(&mut machine, 33, std::slice::from_ref(&rest));
            sent(&mut machine);
            say(&mut machine, 34, &[Message::Pong(PING)]);
            let report = report(&mut machine);
            assert_eq!((report.end, report.duplicates), (End::Done, 1));
            assert_eq!((report.bad_checksums, report.bad_checksum), (1, Some(second.command())));
            assert_eq!(report.version.and_then(|version| version.nonce), Some(1));
        }
    }
}

/// What is counted adds up, and of the broken messages the first is named.
#[test]
fn what_is_wrong_with_messages_is_counted() {
    let nameless = [&MAGIC.0[..], b"pi\0ng\0\0\0\0\0\0\0", &[0; 4], b"\x5d\xf6\xe0\xe2"].concat();
    let mut machine = machine();
    machine.handle(at(30), StreamEvent::Bytes(&nameless));
    say(&mut machine, 31, &[version(70_016, 1), version(70_016, 2), version(70_016, 1)]);
    machine.handle(at(32), StreamEvent::Bytes(&nameless));
    machine.handle(at(32), StreamEvent::Bytes(&broken(&other("tx"))));
    machine.handle(at(32), StreamEvent::Bytes(&broken(&other("inv"))));
    say(&mut machine, 33, &[Message::Verack, Message::Verack]);
    sent(&mut machine);
    say(&mut machine, 34, &[Message::Pong(PING)]);
    let report = report(&mut machine);
    assert_eq!((report.duplicates, report.bad_commands, report.bad_checksums), (3, 2, 2));
    assert_eq!(report.bad_checksum, Some(other("tx").command()));
    assert_eq!((report.message_count, report.messages.len()), (10, 8));
    assert_eq!(report.out_of_order, None, "none that could be read");
}

#[test]
fn what_comes_before_its_time_is_named() {
    let hello = [version(70_016, 1), Message::Verack];
    let out_of_order = |messages: &[&[Message]]| {
        let mut machine = machine();
        say(&mut machine, 30, &messages.concat());
        sent(&mut machine);
        say(&mut machine, 31, &[Message::Pong(PING)]);
        let report = report(&mut machine);
        assert_eq!(report.end, End::Done);
        report.out_of_order.map(|command| command.as_str().to_owned())
    };
    let behind = [
        "ping",
        "pong",
        "inv",
        "addr",
        "addrv2",
        "headers",
        "getheaders",
        "getaddr",
        "getdata",
        "getblocks",
        "tx",
        "block",
        "mempool",
        "notfound",
        "sendheaders",
        "sendcmpct",
        "feefilter",
    ];
    let between =
        ["wtxidrelay", "sendaddrv2", "sendtxrcncl", "disabletx", "feature", "alert", "protoconf"];
    for (names, belongs_behind) in [(&behind[..], true), (&between, false)] {
        for name in names {
            let (said, name) = (&[other(name)][..], Some((*name).to_owned()));
            assert_eq!(out_of_order(&[said, &hello]), name, "before the version");
            let expected = name.filter(|_| belongs_behind);
            assert_eq!(out_of_order(&[&hello[..1], said, &hello[1..]]), expected, "between");
            assert_eq!(out_of_order(&[&hello, said]), None, "behind the verack");
        }
    }
    // The first of many; a verack, too, may come too early, and a second version is nothing else than that.
    let [version, verack] = hello;
    let (inv, tx) = (other("inv"), other("tx"));
    assert_eq!(out_of_order(&[&[verack.clone(), version.clone()]]).as_deref(), Some("verack"));
    let all = [version.clone(), version.clone(), tx, inv, verack];
    assert_eq!(out_of_order(&[&all]).as_deref(), Some("tx"));
}

#[test]
fn clocks_are_compared_when_the_version_comes() {
    let offset = |ms: u64, timestamp: i64| {
        let Message::Version(theirs) = version(70_016, 1) else { panic!("a version") };
        let mut machine = machine();
        say(&mut machine, ms, &[Message::Version(Version { timestamp, ..theirs })]);
        // A second version, and later ends, change nothing.
        say(&mut machine, ms + 5_000, &[version(70_016, 2)]);
        machine.stop(at(14_000));
        report(&mut machine).clock_offset_s
    };
    assert_eq!(offset(30, 1_700_000_000), Some(0));
    assert_eq!(offset(2_999, 1_700_000_000), Some(-2));
    assert_eq!(offset(3_000, 1_700_000_100), Some(97));
    assert_eq!(offset(30, i64::MAX), Some(i64::MAX - 1_700_000_000));
    assert_eq!(offset(30, i64::MIN), Some(i64::MIN), "saturated");
    let mut silent = machine();
    silent.stop(at(30));
    assert_eq!(report(&mut silent).clock_offset_s, None);
}

#[test]
fn a_version_that_is_cut_is_malformed() {
    let mut machine = machine();
    let command = Command::VERSION;
    say(&mut machine, 30, &[Message::Other { command, payload: vec![0; 45] }]);
    assert!(matches!(report(&mut machine).end, End::Malformed(_)));
}

#[test]
fn stopped_it_is_interrupted() {
    let mut machine = machine();
    machine.stop(at(30));
    assert_eq!(report(&mut machine).end, End::Interrupted);
    machine.handle(at(31), StreamEvent::Bytes(b"late"));
    assert_eq!(machine.poll_report(), None);
}

#[test]
fn stages_have_names_and_an_order() {
    let stages = [Stage::Connecting, Stage::VersionSent, Stage::Version, Stage::Verack];
    assert_eq!(stages.map(Stage::name), ["connect", "version-sent", "version", "verack"]);
    assert!(stages.is_sorted());
}
