//! What the first bytes of a peer look like that does not speak as it should.

use serde::Serialize;

use super::frame::{Command, Magic};

/// First bytes that are kept to be looked at and shown: as many as a frame's header has.
pub const KEPT: usize = super::frame::HEADER_SIZE;

/// What first bytes look like. A guess: nothing was asked of the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// A frame of a Bitcoin network with this magic: a known one, or any before a `version`.
    Bitcoin(Magic),
    /// Something else.
    Other(LooksLike),
}

/// What first bytes look like that are not Bitcoin's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LooksLike {
    /// A web server's answer or page, or a client's request.
    Http,
    /// An SSH banner (RFC 4253 §4.2).
    Ssh,
    /// A TLS handshake or alert record (RFC 8446 §5.1).
    Tls,
    /// A greeting or refusal as SMTP and FTP have it (RFC 5321 §4.2, RFC 959 §4.2); which of both, only words can
    /// tell.
    SmtpOrFtp,
    /// None of these. Encrypted transports look so, too (BIP-324).
    Unknown,
}

/// How web pages and requests begin; case does not matter. Some servers answer with a page and no status.
const HTTP: [&[u8]; 10] = [
    b"HTTP/",
    b"GET ",
    b"HEAD ",
    b"POST ",
    b"PUT ",
    b"OPTIONS ",
    b"CONNECT ",
    b"PRI * HTTP/",
    b"<html",
    b"<!doctype",
];

/// Codes of greetings and refusals: 220 ready, 120 later, 421 not now, 530 and 554 not you.
const GREETINGS: [&[u8; 3]; 5] = [b"220", b"120", b"421", b"530", b"554"];

impl Opening {
    /// Looks at the first bytes that came; `known` are the magics of the networks that have a name.
    pub fn of(bytes: &[u8], known: &[Magic]) -> Opening {
        let begins =
            |with: &[u8]| bytes.get(..with.len()).is_some_and(|b| b.eq_ignore_ascii_case(with));
        // A known magic first: its four bytes are the rarest.
        if let Some(magic) = magic(bytes, known) {
            return Opening::Bitcoin(magic);
        }
        Opening::Other(match bytes {
            _ if HTTP.iter().any(|with| begins(with)) => LooksLike::Http,
            [b'S', b'S', b'H', b'-', ..] => LooksLike::Ssh,
            // Alert or handshake, of SSL 3.0 to TLS 1.3.
            [0x15 | 0x16, 3, 0..=4, ..] => LooksLike::Tls,
            [a, b, c, b' ' | b'-', ..] if GREETINGS.contains(&&[*a, *b, *c]) => {
                LooksLike::SmtpOrFtp
            }
            _ => LooksLike::Unknown,
        })
    }
}

/// The magic of bytes that begin a frame.
fn magic(first: &[u8], known: &[Magic]) -> Option<Magic> {
    let (magic, rest) = first.split_first_chunk()?;
    let version = Command::VERSION.to_bytes();
    (known.contains(&Magic(*magic)) || rest.starts_with(&version)).then_some(Magic(*magic))
}
