//! The bounds of what is read from one peer and answered to it: each at its limit and one past it.

use super::*;

/// What ended it, if anything did, and how many messages and bytes it read.
fn flooded(machine: &mut Handshake) -> Option<(End, u32, u64)> {
    machine.poll_report().map(|report| (report.end, report.message_count, report.received))
}

/// The last message that is read is read as any other.
#[test]
fn floods_of_messages_end_at_their_bound() {
    let limit = Flood::Messages;
    let inv = encoded(&[other("inv")]);
    let bytes = inv.len() as u64;
    let after = |count: u32| {
        let mut machine = machine();
        machine.handle(at(30), StreamEvent::Bytes(&inv.repeat(count as usize)));
        machine
    };
    assert_eq!(flooded(&mut after(MAX_MESSAGES - 1)), None);
    let ended = (End::Flooded { limit }, MAX_MESSAGES, bytes * u64::from(MAX_MESSAGES));
    assert_eq!(flooded(&mut after(MAX_MESSAGES)), Some(ended.clone()));
    assert_eq!(flooded(&mut after(MAX_MESSAGES + 1)), Some(ended));

    let mut messages = after(MAX_MESSAGES - 2);
    say(&mut messages, 31, &[version(70_016, 1)]);
    assert_eq!(flooded(&mut messages), None);
    say(&mut messages, 32, &[Message::Verack]);
    assert_eq!(flooded(&mut messages).map(|(end, ..)| end), Some(End::Done));
    // What has no name or a wrong checksum counts, too.
    for (at_byte, xor) in [(4, 0x80), (20, 1)] {
        let mut bad = inv.clone();
        bad[at_byte] ^= xor;
        let mut messages = after(MAX_MESSAGES - 2);
        messages.handle(at(31), StreamEvent::Bytes(&bad));
        assert_eq!(flooded(&mut messages), None);
        messages.handle(at(31), StreamEvent::Bytes(&bad));
        let end = flooded(&mut messages).map(|(end, ..)| end);
        assert_eq!(end, Some(End::Flooded { limit }));
    }
}

/// A peer that has sent this first, and then all but so many of the bytes that are read.
fn all_but(left: u64, first: &[Message]) -> Handshake {
    let inv = |length: u64| {
        let command = Command::named("inv").expect("a name");
        encoded(&[Message::Other { command, payload: vec![0; length as usize - 24] }])
    };
    let mut machine = machine();
    say(&mut machine, 30, first);
    let room = MAX_BYTES - left - encoded(first).len() as u64;
    let long = inv(4_000_000);
    (0..room / 4_000_000).for_each(|_| machine.handle(at(30), StreamEvent::Bytes(&long)));
    machine.handle(at(30), StreamEvent::Bytes(&inv(room % 4_000_000)));
    machine
}

#[test]
fn floods_of_bytes_end_at_their_bound() {
    let ended = Some((End::Flooded { limit: Flood::Bytes }, MAX_BYTES));
    let flooded = |machine: &mut Handshake| flooded(machine).map(|(end, _, bytes)| (end, bytes));
    let mut machine = all_but(1, &[]);
    assert_eq!(flooded(&mut machine), None);
    // A frame that has begun.
    machine.handle(at(31), StreamEvent::Bytes(&MAGIC.0[..1]));
    assert_eq!(flooded(&mut machine), ended);

    // A message that ends with the last byte is read, and one that ends behind it is not, however they come.
    let hello = encoded(&[version(70_016, 1), Message::Verack]);
    for size in [hello.len(), 1] {
        for (short, end) in [(0, Some((End::Done, MAX_BYTES))), (1, ended.clone())] {
            let mut machine = all_but(hello.len() as u64 - short, &[]);
            hello.chunks(size).for_each(|piece| machine.handle(at(31), StreamEvent::Bytes(piece)));
            assert_eq!(flooded(&mut machine), end, "{short} too few, in pieces of {size}");
        }
    }
    // What is no frame is named nevertheless.
    let mut machine = all_but(3, &[]);
    machine.handle(at(31), StreamEvent::Bytes(b"SSH-2.0"));
    let found = b"SSH".to_vec();
    assert_eq!(flooded(&mut machine), Some((End::OtherMagic { found }, MAX_BYTES)));
}

#[test]
fn a_flood_takes_nothing_from_a_handshake() {
    let hello = [version(70_016, 1), Message::Verack];
    let mut bytes = all_but(1, &hello);
    assert_eq!(flooded(&mut bytes), None);
    bytes.handle(at(31), StreamEvent::Bytes(&MAGIC.0));
    let mut messages = machine();
    say(&mut messages, 30, &hello);
    say(&mut messages, 31, &vec![other("inv"); MAX_MESSAGES as usize]);
    for mut machine in [bytes, messages] {
        assert_eq!(flooded(&mut machine).map(|(end, ..)| end), Some(End::Done));
    }
}

/// Whether they waited for our verack or not.
#[test]
fn so_many_pings_are_answered_and_no_more() {
    for pings in [MAX_PONGS - 1, MAX_PONGS, MAX_PONGS + 1] {
        let nonces: Vec<_> = (0..u64::from(pings)).map(Message::Ping).collect();
        let answered = nonces.len().min(MAX_PONGS as usize);
        for early in [0, 1, nonces.len() - 1, nonces.len()] {
            let mut machine = machine();
            say(&mut machine, 30, &nonces[..early]);
            assert_eq!(sent(&mut machine), []);
            say(&mut machine, 31, &[version(70_015, 1)]);
            say(&mut machine, 32, &nonces[early..]);
            let pongs: Vec<_> = (0..answered as u64).map(Message::Pong).collect();
            assert_eq!(sent(&mut machine), [vec![Message::Verack], pongs].concat());
        }
    }
}
