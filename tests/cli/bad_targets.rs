//! Targets that cannot be read, on the command line: what is wrong, where, and that nothing is sent.

use data_encoding::BASE64URL_NOPAD;
use p2pprobe::codec::key::NodeKey;
use p2pprobe::codec::rlp::{self, RlpStream};
use p2pprobe::discv4::Record;

use super::transcript::Transcript;

const KEY: &str = "d860a01f9722d78051619d1e2351aba3f43f943f6f00718d1b9baa4101932a1f\
                   5011f16bb2b1bb35db20d6fe28fa0bf09636d26a87d31de9ec6203eeedb1f666";
/// The example of EIP-778.
const RECORD: &str = "enr:-IS4QHCYrYZbAKWCBRlAy5zzaDZXJBGkcnh4MHcBFZntXNFrdvJjX04jRzjzCBOonrkTfj499SZu\
                      Oh8R33Ls8RRcy5wBgmlkgnY0gmlwhH8AAAGJc2VjcDI1NmsxoQPKY0yuDUmstAHYpMa2_oxVtw0RW_Q\
                      AdpzBQA8yWM0xOIN1ZHCCdl8";

/// Holds what these targets give, each alone, against a snapshot; `KEY` stands for a good key.
fn check(name: &str, targets: &[&str]) {
    let mut transcript = Transcript::default();
    transcript.replace(KEY, "KEY");
    for target in targets {
        transcript.refused(&[&target.replace("KEY", KEY)]);
    }
    transcript.check(name);
}

#[test]
fn keys() {
    let (short, long) = (&KEY[1..], format!("{KEY}a"));
    check(
        "keys",
        &[
            &format!("enode://{short}@192.0.2.1:30303"),
            &format!("enode://{long}@192.0.2.1:30303"),
            "enode://@192.0.2.1:30303",
            &format!("enode://{}x{}@192.0.2.1:30303", &KEY[..5], &KEY[6..]),
            &format!("enode://{}@192.0.2.1:30303", "1".repeat(128)),
            "KEY",
            &KEY[..64],
            "KEY@192.0.2.1:30303",
        ],
    );
}

#[test]
fn hosts_and_ports() {
    check(
        "hosts_and_ports",
        &[
            "enode://KEY",
            "enode://KEY@",
            "enode://KEY@:30303",
            "enode://KEY@192.0.2.1",
            "enode://KEY@192.0.2.1:",
            "enode://KEY@192.0.2.1:65536",
            "enode://KEY@192.0.2.1:303o3",
            "enode://KEY@192.0.2.1:30303?discport=0",
            "enode://KEY@192.0.2.1:30303?discport=99999",
            "enode://KEY@192.0.2.1:0",
            "enode://KEY@2001:db8::1:30303",
            "enode://KEY@[2001:db8::1:30303",
            "enode://KEY@[2001:db8::g]:30303",
            "enode://KEY@exa$mple.org:30303",
            "192.0.2.1",
            "192.0.2.1:0",
            "192.0.2.256:30303",
            "node.example.org",
            "node..example.org:30303",
            "2001:db8::1",
            "2001:db8::1:30303",
            "fe80::1%eth0:30303",
            ":30303",
            "localhost",
        ],
    );
}

#[test]
fn records() {
    let bad_signature = RECORD.replace("QHCY", "QHCZ");
    let key = NodeKey::new([1; 32], [0; 32]).expect("a key");
    let tcp = rlp::encode_bytes(&[0x76, 0x5f]);
    let no_udp = Record::sign(&key, 1, &[("tcp", &tcp)]).expect("a record").to_string();
    let mut odd = RlpStream::new_list(3);
    odd.append(&[7_u8; 64].as_slice()).append(&1_u64).append(&"id");
    let odd = format!("enr:{}", BASE64URL_NOPAD.encode(&odd.out()));
    check(
        "records",
        &[
            &bad_signature,
            &format!("{RECORD}="),
            &RECORD.replace('-', "+"),
            &format!("{RECORD}{}", "A".repeat(300)),
            &odd,
            &no_udp,
            "enr:",
            RECORD.trim_start_matches("enr:"),
        ],
    );
}

#[test]
fn names_of_networks_and_other_words() {
    check(
        "names_of_networks_and_other_words",
        &[
            "manet",
            "Mainnet",
            "spolia",
            "polygon",
            "litecoin",
            "testnet4",
            "30303",
            "65536",
            "0",
            "",
            "http://example.org:30303",
            "example.org/30303",
            "/etc/hosts",
            "\u{1b}[31mred\u{1b}[0m",
            "\u{202e}tenniam",
            "mainnet ",
        ],
    );
}
