//! Every version message gives the values and the error that its vector says, and is built from them byte for byte.

use std::net::{Ipv6Addr, SocketAddr};

use p2pprobe::bitcoin::frame;
use p2pprobe::bitcoin::version::PROTOCOL;
use p2pprobe::bitcoin::{Command, Message, NetAddr, Version, services};
use p2pprobe::codec::{DecodeError, Reader};

use super::{stream, version_payload, version_payloads};
use crate::vectors::{Vector, hex};

pub fn decode(payload: &[u8]) -> Result<Version, DecodeError> {
    Version::decode(&mut Reader::new(payload))
}

fn addr_text(addr: &NetAddr) -> String {
    let socket = addr.socket_addr();
    format!("{} {} {}", services::hex(addr.services), socket.ip(), socket.port())
}

/// A version as the vectors write it.
fn text(version: &Version) -> Vec<(&'static str, String)> {
    let mut text = vec![
        ("protocol", version.protocol.to_string()),
        ("services", services::hex(version.services)),
        ("timestamp", version.timestamp.to_string()),
        ("addr-recv", addr_text(&version.addr_recv)),
    ];
    text.extend(version.addr_from.map(|addr| ("addr-from", addr_text(&addr))));
    text.extend(version.nonce.map(|nonce| ("nonce", hex(&nonce.to_le_bytes()))));
    text.extend(version.user_agent.as_ref().map(|user_agent| {
        match user_agent.iter().all(|byte| matches!(byte, b' '..=b'~')) {
            true => ("user-agent", String::from_utf8_lossy(user_agent).into_owned()),
            false => ("user-agent-hex", hex(user_agent)),
        }
    }));
    text.extend(version.start_height.map(|height| ("start-height", height.to_string())));
    text.extend(version.relay.map(|relay| ("relay", relay.to_string())));
    text.extend((version.extra > 0).then(|| ("extra", version.extra.to_string())));
    text
}

#[test]
fn values() {
    for (vector, payload) in version_payloads() {
        let found = match decode(&payload) {
            Ok(version) => text(&version),
            Err(e) => vec![("error", format!("{} @ {}: {:?}", e.field, e.offset, e.fault))],
        };
        let expected = vector.expected(&["source", "note", "payload"]);
        assert_eq!(found, expected, "{}", vector.name);
    }
}

#[test]
fn encoded_to_the_same_bytes() {
    let mut extra = Vec::new();
    for (vector, payload) in version_payloads() {
        let Ok(version) = decode(&payload) else { continue };
        let mut out = b"kept".to_vec();
        version.encode(&mut out);
        assert_eq!(out[..4], *b"kept");
        let known = payload.len() - version.extra;
        assert_eq!(hex(&out[4..]), hex(&payload[..known]), "{}", vector.name);
        extra.extend((version.extra > 0).then_some(version.extra));
    }
    assert_eq!(extra, [2, 1]);
}

/// A number as the vector writes it, with or without a sign.
fn number<T: std::str::FromStr>(vector: &Vector, key: &str) -> Option<T> {
    vector.get(key).map(|text| text.parse().unwrap_or_else(|_| panic!("[{}] {key}", vector.name)))
}

/// `SERVICES IP PORT`.
fn addr(text: &str) -> NetAddr {
    let [services, ip, port] = text.split(' ').collect::<Vec<_>>()[..] else { panic!("{text}") };
    let services = u64::from_str_radix(services.trim_start_matches("0x"), 16).expect(text);
    let addr = SocketAddr::new(ip.parse().expect(text), port.parse().expect(text));
    NetAddr::new(services, addr)
}

/// Built from the parameters of the text alone, each captured version is the same bytes.
#[test]
fn built_from_parameters() {
    let mut built = 0;
    for (vector, payload) in version_payloads() {
        if vector.get("error").is_some() || vector.get("extra").is_some() {
            continue;
        }
        let text_agent = vector.get("user-agent").map(|text| text.as_bytes().to_vec());
        let hex_agent = vector.get("user-agent-hex").map(|_| vector.hex("user-agent-hex"));
        let version = Version {
            protocol: number(&vector, "protocol").expect("a number"),
            services: addr(&format!("{} :: 0", vector.text("services"))).services,
            timestamp: number(&vector, "timestamp").expect("a number"),
            addr_recv: addr(vector.text("addr-recv")),
            addr_from: vector.get("addr-from").map(addr),
            nonce: vector.get("nonce").map(|_| u64::from_le_bytes(vector.array("nonce"))),
            user_agent: text_agent.or(hex_agent),
            start_height: number(&vector, "start-height"),
            relay: number(&vector, "relay"),
            extra: 0,
        };
        let mut out = Vec::new();
        version.encode(&mut out);
        assert_eq!(hex(&out), hex(&payload), "{}", vector.name);
        built += 1;
    }
    assert_eq!(built, 27);
}

/// The whole frame that was sent to Bitcoin Core 31.1 and answered.
#[test]
fn our_own_version() {
    let version = Version {
        protocol: PROTOCOL,
        services: 0,
        timestamp: 1_700_000_000,
        addr_recv: NetAddr::new(0, "127.0.0.1:29444".parse().expect("an address")),
        addr_from: Some(NetAddr::unspecified(0)),
        nonce: Some(0x0807_0605_0403_0201),
        user_agent: Some(b"/p2pprobe:0.0/".to_vec()),
        start_height: Some(0),
        relay: Some(false),
        extra: 0,
    };
    let (magic, sent) = stream("live-v1-core311-regtest-tx");
    let mut out = Vec::new();
    Message::Version(version).encode(magic, &mut out);
    for message in [Message::WtxidRelay, Message::SendAddrV2, Message::Verack] {
        message.encode(magic, &mut out);
    }
    Message::Ping(u64::MAX / 3 * 2).encode(magic, &mut out);
    assert_eq!(hex(&out), hex(&sent[..out.len()]));
    let mut rest = Vec::new();
    let getheaders = Command::named("getheaders").expect("a name");
    frame::encode(magic, getheaders, &sent[out.len() + 24..], &mut rest);
    assert_eq!(hex(&sent[out.len()..]), hex(&rest));
}

/// A version may end after each field, whatever protocol it announces.
#[test]
fn may_end_after_each_field() {
    let whole = version_payload("synth-full-relay0");
    let lengths = [46, 72, 80, 86, 90, 91];
    for (fields, length) in lengths.into_iter().enumerate() {
        let version = decode(&whole[..length]).expect("ends after a field");
        let there = [
            version.addr_from.is_some(),
            version.nonce.is_some(),
            version.user_agent.is_some(),
            version.start_height.is_some(),
            version.relay.is_some(),
        ];
        assert_eq!(there, [1, 2, 3, 4, 5].map(|field| field <= fields), "{length} bytes");
    }
    for length in (0..whole.len()).filter(|length| !lengths.contains(length)) {
        let e = decode(&whole[..length]).expect_err("ends inside a field");
        assert!(e.offset <= length && e.field.starts_with("version."), "{e}");
    }
}

/// A field that is absent takes those behind it along: there is no way to write them.
#[test]
fn nothing_is_encoded_behind_an_absent_field() {
    let version = decode(&version_payload("synth-full-relay0")).expect("decodes");
    let size = |version: &Version| {
        let mut out = Vec::new();
        version.encode(&mut out);
        out.len()
    };
    assert_eq!(size(&Version { start_height: None, ..version.clone() }), 86);
    assert_eq!(size(&Version { addr_from: None, ..version }), 46);
}

#[test]
fn addresses() {
    let v4 = NetAddr::new(9, "1.2.3.4:8333".parse().expect("an address"));
    assert_eq!(v4.ip, "::ffff:1.2.3.4".parse::<Ipv6Addr>().expect("an address"));
    assert_eq!(v4.socket_addr(), "1.2.3.4:8333".parse().expect("an address"));
    let v6 = NetAddr::new(9, "[2001:db8::1]:8333".parse().expect("an address"));
    assert_eq!(v6.socket_addr(), "[2001:db8::1]:8333".parse().expect("an address"));
    let none = NetAddr::unspecified(1);
    assert_eq!(none.socket_addr(), "[::]:0".parse().expect("an address"));
    let mut out = Vec::new();
    v4.encode(&mut out);
    assert_eq!(hex(&out), "090000000000000000000000000000000000ffff01020304208d");
    assert_eq!(out.len(), NetAddr::SIZE);
}

/// The vector of −2⁶³ seconds, and clocks at both ends.
#[test]
fn clock_offsets_saturate() {
    let version = decode(&version_payload("synth-negative-time")).expect("decodes");
    assert_eq!(version.timestamp, i64::MIN);
    assert_eq!(version.clock_offset_s(1_700_000_000), i64::MIN);
    assert_eq!(version.clock_offset_s(0), i64::MIN);
    let at = |timestamp| Version { timestamp, ..version.clone() };
    assert_eq!(at(1_700_000_007).clock_offset_s(1_700_000_000), 7);
    assert_eq!(at(0).clock_offset_s(1_700_000_000), -1_700_000_000);
    assert_eq!(at(i64::MAX).clock_offset_s(0), i64::MAX);
    assert_eq!(at(0).clock_offset_s(u64::MAX), i64::MIN);
}
