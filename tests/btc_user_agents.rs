//! User agents that are made to be obeyed by whoever shows them.

mod common;

use common::btc::{PATIENT, assert_harmless, probe_each, saying, verack, version_but};
use common::command::run_btc_handshake;
use common::scripted_tcp::{ScriptedTcp, Step};
use data_encoding::HEXLOWER;
use serde_json::json;

fn calling_itself(user_agent: &[u8]) -> Vec<Step> {
    let user_agent = user_agent.to_vec();
    let version = version_but(|version| version.user_agent = Some(user_agent));
    saying([version, verack()].concat())
}

/// What a peer calls itself, and what is shown of it.
const ROWS: [(&[u8], &str); 14] = [
    (b"\x1b[31m/red:1/", r"\x1b[31m/red:1/"),
    (b"\x1b]0;title\x07", r"\x1b]0;title\x07"),
    // The same sequence in a single control character (C1), in UTF-8 and as a byte.
    ("\u{9b}31m".as_bytes(), r"\u{9b}31m"),
    (b"\x9b31m", r"\x9b31m"),
    ("/\u{202e}ihsotaS:1/".as_bytes(), r"/\u{202e}ihsotaS:1/"),
    (b"/nul:\0/", r"/nul:\x00/"),
    (b"/a:1/\n/b:2/\r\n", r"/a:1/\x0a/b:2/\x0d\x0a"),
    (b"/tab:\t/\x7f", r"/tab:\x09/\x7f"),
    (b"/\xff\xfe:1/", r"/\xff\xfe:1/"),
    // Half of a character, and one that is longer than it may be.
    (b"/\xe2\x82/", r"/\xe2\x82/"),
    (b"/\xc0\xaf/", r"/\xc0\xaf/"),
    ("/caf\u{e9}:1/ \u{1f600}".as_bytes(), r"/caf\u{e9}:1/ \u{1f600}"),
    (br"/a\x1b:1/", r"/a\\x1b:1/"),
    (br#"/"quoted" 'twice' & <b>:1/"#, r#"/"quoted" 'twice' & <b>:1/"#),
];

#[test]
fn all_but_printable_ascii_is_escaped_and_the_bytes_are_told_beside_it() {
    let scripts = ROWS.map(|(user_agent, _)| calling_itself(user_agent));
    for ((user_agent, shown), probed) in ROWS.iter().zip(probe_each(PATIENT, scripts)) {
        let line = &probed.line;
        assert_eq!((&line["ok"], &line["user_agent"]), (&json!(true), &json!(shown)), "{line:#}");
        let hex = shown.contains('\\').then(|| HEXLOWER.encode(user_agent));
        assert_eq!(line["user_agent_hex"], json!(hex), "{line:#}");
        // A backslash is printable, and escaped all the same: with or without a warning.
        if user_agent.contains(&b'\\') {
            continue;
        }
        let warning = hex.map(|_| json!([{"warning": "unprintable", "field": "user_agent"}]));
        assert_eq!(line["warnings"], json!(warning), "{line:#}");
    }
}

#[test]
fn nothing_of_it_reaches_the_terminal() {
    for options in [&[][..], &["-v"], &["-vv"], &["--json", "-vv"]] {
        let start = |(user_agent, _): (&[u8], &str)| ScriptedTcp::start(calling_itself(user_agent));
        // Strangers choose bytes, too.
        let strangers =
            [&b"HTTP/1.1 200 \x1b]0;t\x07\r\n\r\n"[..], b"\x1b[31m\xc2\x9b\xe2\x80\xae"];
        let strangers = strangers.map(|bytes| ScriptedTcp::start(vec![Step::Send(bytes.to_vec())]));
        let peers: Vec<_> = ROWS.map(start).into_iter().chain(strangers).collect();
        let targets: Vec<_> = peers.iter().map(ScriptedTcp::target).collect();
        let common = PATIENT.iter().chain(&["--per-host-interval", "0"]);
        let arguments = common.chain(options).copied().chain(targets.iter().map(String::as_str));
        let ran = run_btc_handshake(arguments);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert_harmless(&ran.stdout);
        assert_harmless(&ran.stderr);
        assert_eq!(ran.stdout.lines().count(), peers.len(), "{ran:?}");
        assert_eq!(ran.stderr.is_empty(), options.is_empty(), "{ran:?}");
        assert!(ran.stdout.contains("31m/red:1/"), "it is not shown: {ran:?}");
    }
}

#[test]
fn it_may_be_256_bytes_long() {
    let scripts = [0, 252, 253, 256, 257, 5000].map(|length| calling_itself(&vec![b'a'; length]));
    let probed = probe_each(PATIENT, scripts);
    for (length, probed) in [0, 252, 253, 256].iter().zip(&probed) {
        let line = &probed.line;
        assert_eq!((&line["ok"], line.get("warnings")), (&json!(true), None), "{line:#}");
        assert_eq!(line["user_agent"].as_str().map(str::len), Some(*length), "{line:#}");
    }
    for probed in &probed[4..] {
        let line = &probed.line;
        assert_eq!(line["failure"], "malformed", "{line:#}");
        assert_eq!((&line["field"], &line["offset"]), (&json!("version.user_agent"), &json!(80)));
    }
}

#[test]
fn its_length_is_written_in_one_way_alone_and_is_not_believed() {
    let with_length = |length: &[u8]| {
        let whole = common::btc::version_payload(|version| version.user_agent = None);
        saying([common::btc::message("version", &[&whole, length].concat()), verack()].concat())
    };
    // Three bytes for 5, and lengths that nobody has the memory for.
    let lengths = [&b"\xfd\x05\0/a/b/"[..], b"\xfe\xff\xff\xff\xff", &[0xff; 9]];
    for probed in probe_each(PATIENT, lengths.map(with_length)) {
        let line = &probed.line;
        assert_eq!(line["failure"], "malformed", "{line:#}");
        assert_eq!((&line["field"], &line["offset"]), (&json!("version.user_agent"), &json!(80)));
    }
}
