//! Records that we make: which endpoint is used, the order of their keys, and their limit of 300 bytes.

use std::net::IpAddr;

use p2pprobe::codec::{Fault, rlp};
use p2pprobe::discv4::Record;

use super::enr::{decode, endpoint_text};
use super::packet::error_text;
use crate::checks;
use crate::vectors::{Vector, load, unhex};

/// The `set` lines of a vector, with the values' RLP.
fn sets(vector: &Vector) -> Vec<(String, Vec<u8>)> {
    let expected = vector.expected(&[]);
    let sets = expected.iter().filter(|(key, _)| *key == "set").map(|(_, set)| {
        let (key, value) = set.split_once(' ').expect("key and value");
        (key.to_owned(), value_rlp(value))
    });
    sets.collect()
}

fn value_rlp(value: &str) -> Vec<u8> {
    if let Some(raw) = value.strip_prefix("0x") {
        return unhex(raw);
    }
    match value.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => rlp::encode_bytes(&ip.octets()),
        Ok(IpAddr::V6(ip)) => rlp::encode_bytes(&ip.octets()),
        Err(_) => rlp::encode_bytes(&value.parse::<u16>().expect(value).to_be_bytes()),
    }
}

#[test]
fn values() {
    for vector in load("enr-make.txt", 9) {
        let name = &vector.name;
        let sets = sets(&vector);
        let pairs: Vec<_> = sets.iter().map(|(k, v)| (k.as_str(), v.as_slice())).collect();
        let made = Record::sign(&checks::key(), 5, &pairs).expect(name);
        let read = decode(&made.encode());
        if let Some(error) = vector.get("error") {
            assert_eq!(read.map_err(error_text), Err(error.to_owned()), "{name}");
            continue;
        }
        assert_eq!(read.as_ref(), Ok(&made), "{name}");
        assert_eq!((made.seq(), made.key()), (5, checks::key().public()), "{name}");
        let endpoint = made.endpoint().map_or("-".to_owned(), endpoint_text);
        assert_eq!(endpoint, vector.text("endpoint"), "{name}");
        if let Some(keys) = vector.get("keys") {
            let made_keys: Vec<_> =
                made.pairs().map(|(key, _)| String::from_utf8_lossy(key)).collect();
            assert_eq!(made_keys.join(" "), keys, "{name}");
        }
        if let Some((key, value)) = vector.get("get").and_then(|get| get.split_once(' ')) {
            assert_eq!(made.get(key), Some(&unhex(value)[..]), "{name}");
        }
    }
}

#[test]
fn three_hundred_bytes_are_the_limit() {
    let make = |len| {
        let value = rlp::encode_bytes(&vec![b'x'; len]);
        Record::sign(&checks::key(), 1, &[("z", &value)])
    };
    let longest = (150..300).take_while(|len| make(*len).is_ok()).last().expect("150 fits");
    let record = make(longest).expect("fits");
    assert_eq!(record.encode().len(), 300);
    assert_eq!(decode(&record.encode()), Ok(record));
    assert_eq!(make(longest + 1), Err(Fault::OverLimit { limit: 300, claimed: 301 }));
}

#[test]
fn identity_keys_cannot_be_set() {
    let foreign: &[(&str, &[u8])] = &[("id", b"\x82v5"), ("secp256k1", b"\x01")];
    let record = Record::sign(&checks::key(), 1, foreign).expect("short");
    assert_eq!(record.get("id"), Some(&b"\x82v4"[..]));
    assert_eq!(decode(&record.encode()), Ok(record));
}

/// `udp6` and `tcp6` fall back to `udp` and `tcp`; a port 0 is none.
#[test]
fn ports_of_each_family() {
    let v6 = value_rlp("2001:db8::1");
    let make = |pairs: &[(&str, &[u8])]| {
        let pairs = [&[("ip6", v6.as_slice())], pairs].concat();
        let record = Record::sign(&checks::key(), 1, &pairs).expect("short");
        (record.endpoint_v4().map(endpoint_text), record.endpoint_v6().map(endpoint_text))
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(make(&[]), (None, None));
    assert_eq!(make(&[("udp", b"\x01")]), (None, some("2001:db8::1 1 0")));
    assert_eq!(make(&[("udp", b"\x01"), ("tcp", b"\x02")]), (None, some("2001:db8::1 1 2")));
    let all: &[(&str, &[u8])] = &[
        ("ip", b"\x84\x01\x02\x03\x04"),
        ("udp", b"\x01"),
        ("tcp", b"\x02"),
        ("udp6", b"\x03"),
        ("tcp6", b"\x04"),
    ];
    assert_eq!(make(all), (some("1.2.3.4 1 2"), some("2001:db8::1 3 4")));
    assert_eq!(make(&[("ip", b"\x84\x01\x02\x03\x04"), ("udp", b"\x80")]), (None, None));
    // A port 0 of its own means that there is none for IPv6, whatever `udp` says.
    assert_eq!(make(&[("udp", b"\x01"), ("udp6", b"\x80")]), (None, None));
}

/// Each kind of address is used rather than one that reaches less far, and of two alike that of IPv4
/// (geth `p2p/enode/node.go`).
#[test]
fn the_address_that_reaches_farther_is_used() {
    let v4 = ["0.0.0.0", "127.0.0.1", "169.254.2.6", "192.168.2.2", "8.8.8.8"];
    let v6 = ["::", "::1", "fe80::1", "fd00::abcd:1", "2001:db8::1"];
    for (reach4, ip4) in v4.into_iter().enumerate() {
        for (reach6, ip6) in v6.into_iter().enumerate() {
            let (ip4_rlp, ip6_rlp) = (value_rlp(ip4), value_rlp(ip6));
            let pairs: &[(&str, &[u8])] = &[("ip", &ip4_rlp), ("ip6", &ip6_rlp), ("udp", b"\x05")];
            let record = Record::sign(&checks::key(), 1, pairs).expect("short");
            let (used, _) = record.endpoint().expect("has two");
            let expected = if reach4 >= reach6 { ip4 } else { ip6 };
            assert_eq!(used.ip().to_string(), expected, "{ip4} and {ip6}");
        }
    }
}
