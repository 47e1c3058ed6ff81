//! The `bitcoin` crate, which nobody here wrote, reads what we write, and writes what we read.

use ::bitcoin::consensus::encode::{deserialize, serialize};
use ::bitcoin::p2p::message::{NetworkMessage, RawNetworkMessage};
use ::bitcoin::p2p::message_network::VersionMessage;
use ::bitcoin::p2p::{Address, Magic as TheirMagic, ServiceFlags};
use p2pprobe::bitcoin::{Command, Magic, Message, NetAddr, Version};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::{read_all, streams};
use crate::vectors::hex;

fn their_addr(addr: &NetAddr) -> Address {
    let (services, address) = (ServiceFlags::from(addr.services), addr.ip.segments());
    Address { services, address, port: addr.port }
}

/// A version in their words; `None` where they have none for it: they need each field.
fn their_version(version: &Version) -> Option<VersionMessage> {
    Some(VersionMessage {
        version: version.protocol as u32,
        services: version.services.into(),
        timestamp: version.timestamp,
        receiver: their_addr(&version.addr_recv),
        sender: their_addr(&version.addr_from?),
        nonce: version.nonce?,
        user_agent: String::from_utf8(version.user_agent.clone()?).ok()?,
        start_height: version.start_height?,
        relay: version.relay?,
    })
}

fn theirs(magic: Magic, message: &Message) -> Option<RawNetworkMessage> {
    let payload = match message {
        Message::Version(version) => NetworkMessage::Version(their_version(version)?),
        Message::Verack => NetworkMessage::Verack,
        Message::WtxidRelay => NetworkMessage::WtxidRelay,
        Message::SendAddrV2 => NetworkMessage::SendAddrV2,
        Message::Ping(nonce) => NetworkMessage::Ping(*nonce),
        Message::Pong(nonce) => NetworkMessage::Pong(*nonce),
        Message::Other { .. } => return None,
    };
    Some(RawNetworkMessage::new(TheirMagic::from_bytes(magic.0), payload))
}

/// Both ways: the same bytes, and the same message from them.
fn agree(magic: Magic, message: &Message, theirs: &RawNetworkMessage) {
    let mut bytes = Vec::new();
    message.encode(magic, &mut bytes);
    assert_eq!(hex(&serialize(theirs)), hex(&bytes));
    assert_eq!(deserialize::<RawNetworkMessage>(&bytes).ok().as_ref(), Some(theirs));
    let (given, left) = read_all(magic, &serialize(theirs));
    let [Ok(frame)] = &given[..] else { panic!("{given:?}") };
    assert_eq!((Message::decode(frame).as_ref(), left), (Ok(message), 0));
    assert_eq!(frame.command.as_str(), theirs.cmd());
}

#[test]
fn of_captured_messages() {
    let mut judged = 0;
    for (_, magic, bytes) in streams() {
        for frame in read_all(magic, &bytes).0.into_iter().flatten() {
            let Ok(mut message) = Message::decode(&frame) else { continue };
            if let Message::Version(version) = &mut message {
                version.extra = 0;
            }
            let Some(theirs) = theirs(magic, &message) else { continue };
            agree(magic, &message, &theirs);
            judged += 1;
        }
    }
    // All but the one version that ends before its relay byte.
    assert_eq!(judged, 77);
}

/// What is not decoded here is framed alike, where they know it.
#[test]
fn of_other_frames() {
    let mut judged = 0;
    for (vector, magic, bytes) in streams() {
        for frame in read_all(magic, &bytes).0.into_iter().flatten() {
            let Ok(message @ Message::Other { .. }) = Message::decode(&frame) else { continue };
            let mut bytes = Vec::new();
            message.encode(magic, &mut bytes);
            let Ok(theirs) = deserialize::<RawNetworkMessage>(&bytes) else { continue };
            if let NetworkMessage::Unknown { command, payload } = theirs.payload() {
                let known = Command::named(command.as_ref()).expect(&vector.name);
                assert_eq!((known, payload), (frame.command, &frame.payload), "{}", vector.name);
            }
            assert_eq!(hex(&serialize(&theirs)), hex(&bytes), "{}", vector.name);
            judged += 1;
        }
    }
    // All but four: three that carry what no decoder should take, and a reject without the hash that they insist on.
    assert_eq!(judged, 43);
}

#[test]
fn of_five_hundred_versions() {
    let mut rng = StdRng::seed_from_u64(70_016);
    for _ in 0..500 {
        let mut addr = || NetAddr {
            services: rng.random(),
            ip: rng.random::<u128>().into(),
            port: rng.random(),
        };
        let (addr_recv, addr_from) = (addr(), addr());
        let user_agent = (0..rng.random_range(0..=256)).map(|_| rng.random_range(0..0x80));
        let user_agent = Some(user_agent.collect::<Vec<u8>>());
        let version = Version {
            protocol: rng.random(),
            services: rng.random(),
            timestamp: rng.random(),
            addr_recv,
            addr_from: Some(addr_from),
            nonce: Some(rng.random()),
            user_agent,
            start_height: Some(rng.random()),
            relay: Some(rng.random()),
            extra: 0,
        };
        let (magic, message) = (Magic(rng.random()), Message::Version(version));
        agree(magic, &message, &theirs(magic, &message).expect("every field"));
    }
}
