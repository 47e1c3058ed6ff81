//! What first bytes look like.

use p2pprobe::bitcoin::{Command, LooksLike, Magic, Opening};

use super::{MAINNET, framed, stream};

/// The magics of the networks that have a name (`chainparams.cpp` of each).
const KNOWN: [[u8; 4]; 8] = [
    [0xf9, 0xbe, 0xb4, 0xd9],
    [0x0b, 0x11, 0x09, 0x07],
    [0xfa, 0xbf, 0xb5, 0xda],
    [0xfb, 0xc0, 0xb6, 0xdb],
    [0xc0, 0xc0, 0xc0, 0xc0],
    [0xe3, 0xe1, 0xf3, 0xe8],
    [0xda, 0xb5, 0xbf, 0xfa],
    [0xf9, 0xbe, 0xb4, 0xfe],
];

fn looks_like(bytes: &[u8]) -> &'static str {
    match Opening::of(bytes, &KNOWN.map(Magic)) {
        Opening::Other(LooksLike::Http) => "HTTP",
        Opening::Other(LooksLike::Ssh) => "SSH",
        Opening::Other(LooksLike::Tls) => "TLS",
        Opening::Other(LooksLike::SmtpOrFtp) => "SMTP or FTP",
        Opening::Other(LooksLike::Unknown) => "nothing known",
        Opening::Bitcoin(magic) => magic.to_string().leak(),
    }
}

#[test]
fn of_the_vectors() {
    for (name, expected) in [
        ("frame-bad-http-response", "HTTP"),
        ("frame-bad-ssh-banner", "SSH"),
        ("frame-bad-tls-alert", "TLS"),
        ("frame-bad-magic", "nothing known"),
        ("verack-litecoin", "fbc0b6db"),
        ("verack-namecoin", "f9beb4fe"),
        ("live-v1-bsv1013-mainnet-rx", "e3e1f3e8"),
    ] {
        assert_eq!(looks_like(&stream(name).1), expected, "{name}");
    }
}

#[test]
fn of_other_servers() {
    for (bytes, expected) in [
        (&b"HTTP/1.1 400 Bad Request\r\n"[..], "HTTP"),
        (b"<html>\r\n<head><title>400", "HTTP"),
        (b"<!DOCTYPE html>", "HTTP"),
        (b"GET / HTTP/1.1\r\n", "HTTP"),
        (b"PRI * HTTP/2.0\r\n", "HTTP"),
        (b"SSH-2.0-OpenSSH_9.2p1", "SSH"),
        (b"\x15\x03\x01\0\x02\x02\x46", "TLS"),
        (b"\x16\x03\x03\0\x7a\x02", "TLS"),
        (b"220 mail.example.org ESMTP", "SMTP or FTP"),
        (b"220-FTP server", "SMTP or FTP"),
        (b"554 5.7.1 no", "SMTP or FTP"),
        (b"220x", "nothing known"),
        (b"221 bye", "nothing known"),
        (b"\x15\x03\x05\0\x02", "nothing known"),
        (b"HTT", "nothing known"),
        (b"SSH", "nothing known"),
        (b"220", "nothing known"),
        (b"", "nothing known"),
    ] {
        assert_eq!(looks_like(bytes), expected, "{}", bytes.escape_ascii());
    }
}

/// A magic that has no name yet is one all the same where a version follows it.
#[test]
fn of_unnamed_networks() {
    let mut frame = framed(Command::VERSION, b"");
    frame[..4].copy_from_slice(b"\x01\x02\x03\x04");
    assert_eq!(looks_like(&frame), "01020304");
    assert_eq!(looks_like(&frame[..16]), "01020304");
    assert_eq!(looks_like(&frame[..15]), "nothing known");
    frame[12] = b'x';
    assert_eq!(looks_like(&frame), "nothing known");
    assert_eq!(looks_like(&MAINNET.0), "f9beb4d9");
    assert_eq!(looks_like(&MAINNET.0[..3]), "nothing known");
}
