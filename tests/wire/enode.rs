//! Every enode URL gives the key, host and ports, or the error and its place, that its vector says.

use p2pprobe::discv4::Enode;
use p2pprobe::discv4::enode::EnodeError;
use p2pprobe::host::{BadHost, Host, HostPortError};

use crate::checks;
use crate::vectors::load;

#[test]
fn values() {
    for vector in load("enode.txt", 15) {
        let found = match Enode::parse(vector.text("text")) {
            Ok(enode) => vec![
                ("key", enode.key.to_string()),
                ("node-id", enode.key.node_id().to_string()),
                ("host", enode.host.to_string()),
                ("tcp", enode.tcp.to_string()),
                ("udp", enode.udp.to_string()),
            ],
            Err(e) => vec![("error", format!("{}: {:?}", e.offset, e.what))],
        };
        assert_eq!(found, vector.expected(&["source", "note", "text"]), "{}", vector.name);
    }
}

#[test]
fn prints_as_it_was_read() {
    let mut seen = 0;
    for vector in load("enode.txt", 15) {
        if let Ok(enode) = Enode::parse(vector.text("text")) {
            assert_eq!(enode.to_string(), vector.text("text"));
            seen += 1;
        }
    }
    assert_eq!(seen, 5);
}

/// What stands around key, host and ports, and what is wrong with them, beyond the vectors.
#[test]
fn places() {
    let vectors = load("enode.txt", 15);
    let key = vectors[0].text("key");
    let parse = |place: &str| Enode::parse(&format!("enode://{key}@{place}"));
    let ports = |place: &str| parse(place).map(|enode| (enode.tcp, enode.udp));
    for (place, expected) in [
        ("1.2.3.4:0?discport=5", (0, 5)),
        ("1.2.3.4:5?discport=0", (5, 0)),
        ("1.2.3.4:5?discport=", (5, 5)),
        ("1.2.3.4:5?a=b&discport=6&c", (5, 6)),
        ("1.2.3.4:5/?discport=6", (5, 6)),
        ("1.2.3.4:5#discport=6", (5, 5)),
        ("1.2.3.4:5?discport=6#f", (5, 6)),
        // As in geth, the first of several counts.
        ("1.2.3.4:5?discport=6&discport=7", (5, 6)),
        ("1.2.3.4:65535", (65535, 65535)),
    ] {
        assert_eq!(ports(place), Ok(expected), "{place}");
    }
    for (place, offset, what) in [
        ("", 0, EnodeError::Place(HostPortError::MissingHost)),
        (":5", 0, EnodeError::Place(HostPortError::MissingHost)),
        ("1.2.3.4", 7, EnodeError::Place(HostPortError::MissingPort)),
        ("1.2.3.4:", 8, EnodeError::Place(HostPortError::MissingPort)),
        ("[::1]", 5, EnodeError::Place(HostPortError::MissingPort)),
        ("1.2.3.4:65536", 8, EnodeError::Place(HostPortError::PortRange)),
        ("1.2.3.4:+5", 8, EnodeError::Place(HostPortError::PortDigit('+'))),
        ("1.2.3.4:5?discport=x", 19, EnodeError::DiscPort),
        ("1.2.3.4:5/?discport=x", 20, EnodeError::DiscPort),
        ("1.2.3.4:5?a&discport=65536", 21, EnodeError::DiscPort),
        ("[::1:5", 0, EnodeError::Place(HostPortError::Host(BadHost::OpenBracket))),
        ("[1.2.3.4]:5", 1, EnodeError::Place(HostPortError::Host(BadHost::NotIpv6))),
        ("2001:db8::1:5", 0, EnodeError::Place(HostPortError::Host(BadHost::BareIpv6))),
        ("a b:5", 1, EnodeError::Place(HostPortError::Host(BadHost::Character(' ')))),
        ("u@h:5", 1, EnodeError::Place(HostPortError::Host(BadHost::Character('@')))),
        ("a..b:5", 0, EnodeError::Place(HostPortError::Host(BadHost::Name))),
        ("1.2.3:5", 0, EnodeError::Place(HostPortError::Host(BadHost::NotIpv4))),
        ("256.2.3.4:5", 0, EnodeError::Place(HostPortError::Host(BadHost::NotIpv4))),
    ] {
        let e = parse(place).expect_err(place);
        // The place starts behind `enode://`, the key and the `@`.
        assert_eq!((e.offset, e.what), (8 + 128 + 1 + offset, what), "{place}");
    }
}

#[test]
fn keys() {
    let vectors = load("enode.txt", 15);
    let key = vectors[0].text("key");
    let upper = format!("enode://{}@1.2.3.4:5", key.to_uppercase());
    assert_eq!(Enode::parse(&upper).expect("hex is case-insensitive").key.to_string(), key);
    let mapped = Enode::parse(&format!("{key}@[::ffff:1.2.3.4]:5")).expect("without scheme");
    assert_eq!(mapped.host, Host::Ip([1, 2, 3, 4].into()));
    let off = format!("enode://{}0@1.2.3.4:5", &key[..127]);
    let e = Enode::parse(&off).expect_err("the last digit is another");
    assert_eq!((e.offset, e.what), (8, EnodeError::KeyNotOnCurve));
    let e = Enode::parse(&format!("enode://{}é", &key[..4])).expect_err("no hex");
    assert_eq!((e.offset, e.what), (12, EnodeError::KeyDigit('é')));
}

#[test]
fn names_have_the_lengths_of_dns() {
    let vectors = load("enode.txt", 15);
    let key = vectors[0].text("key");
    let parse = |host: &str| Enode::parse(&format!("enode://{key}@{host}:5")).map(|e| e.host);
    let label = "a".repeat(63);
    // 253 bytes: three labels of 63, one of 61, three dots.
    let longest = [label.as_str(), &label, &label, &label[2..]].join(".");
    assert_eq!(parse(&longest), Ok(Host::Name(longest.clone())));
    for bad in [format!("{longest}a"), format!("{label}a"), ".".to_owned(), ".a".to_owned()] {
        let e = parse(&bad).expect_err(&bad);
        assert!(
            matches!(
                e.what,
                EnodeError::Place(HostPortError::Host(BadHost::Name | BadHost::NotIpv4))
            ),
            "{e:?}"
        );
    }
    assert_eq!(parse("localhost"), Ok(Host::Name("localhost".to_owned())));
}

/// Every cut, and every byte replaced by every other ASCII character: an error at a place inside the
/// text, or an enode that survives printing.
#[test]
fn mutations() {
    for vector in load("enode.txt", 15) {
        let text = vector.text("text").as_bytes();
        for cut in 0..=text.len() {
            checks::enode(&text[..cut]);
        }
        for at in 0..text.len() {
            let mut bytes = text.to_vec();
            for bit in 0..7 {
                bytes[at] = text[at] ^ 1 << bit;
                checks::enode(&bytes);
            }
        }
    }
}
