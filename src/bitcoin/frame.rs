//! `magic ‖ command ‖ length ‖ checksum ‖ payload` (Core `protocol.h`, `CMessageHeader`).

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER_PERMISSIVE;

use crate::codec::compact_size;
use crate::codec::hash::sha256d;

/// The longest payload that is taken, in bytes: what Core takes (`net.h`, MAX_PROTOCOL_MESSAGE_LENGTH). Bitcoin
/// Cash and Bitcoin SV have longer blocks, but nobody is asked for blocks here.
pub const MAX_PAYLOAD: u32 = 4_000_000;

/// Bytes of magic, command, length and checksum.
pub const HEADER_SIZE: usize = 24;

/// Bytes of a command in a header.
pub const COMMAND_SIZE: usize = 12;

/// The four bytes that start every frame of a network, as they stand on the wire. More than one network may have
/// the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Magic(pub [u8; 4]);

impl Magic {
    /// The magic of the signet with this challenge (BIP-325): so begins the hash of the challenge as a string.
    pub fn of_signet(challenge: &[u8]) -> Magic {
        let mut length = Vec::new();
        compact_size::write(challenge.len() as u64, &mut length);
        Magic(first_four(sha256d(&[&length, challenge])))
    }
}

/// Hex as on the wire: mainnet is `f9beb4d9`.
impl fmt::Display for Magic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

/// Why a text is not eight hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAMagic {
    /// It starts with `0x`.
    Prefix,
    /// It has this, which is no hex digit.
    Digit(char),
    /// It has so many hex digits.
    Length(usize),
}

impl fmt::Display for NotAMagic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotAMagic::Prefix => f.write_str("not a magic: write it without 0x")?,
            NotAMagic::Digit(c) => {
                write!(f, "not a magic: '{}' is no hex digit", c.escape_debug())?;
            }
            NotAMagic::Length(1) => f.write_str("not a magic: this is one hex digit")?,
            NotAMagic::Length(found) => write!(f, "not a magic: these are {found} hex digits")?,
        }
        f.write_str("; eight hex digits are needed, as on the wire (f9beb4d9)")
    }
}

impl std::error::Error for NotAMagic {}

impl FromStr for Magic {
    type Err = NotAMagic;

    fn from_str(text: &str) -> Result<Self, NotAMagic> {
        if text.starts_with("0x") || text.starts_with("0X") {
            return Err(NotAMagic::Prefix);
        }
        if let Some(c) = text.chars().find(|c| !c.is_ascii_hexdigit()) {
            return Err(NotAMagic::Digit(c));
        }
        let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok();
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes.map(Magic).ok_or(NotAMagic::Length(text.len()))
    }
}

/// A message's name: 1 to 12 printable ASCII characters, and only NULs behind them (Core `protocol.cpp`,
/// `IsMessageTypeValid`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Command([u8; COMMAND_SIZE]);

/// Twelve bytes that are no command: empty, a NUL or a control character inside, or not ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotACommand;

impl Command {
    /// `version`, the first message of each side.
    pub const VERSION: Command = Command::known("version");
    /// `verack`, which answers a version.
    pub const VERACK: Command = Command::known("verack");
    /// `wtxidrelay` (BIP-339).
    pub const WTXIDRELAY: Command = Command::known("wtxidrelay");
    /// `sendaddrv2` (BIP-155).
    pub const SENDADDRV2: Command = Command::known("sendaddrv2");
    /// `ping`.
    pub const PING: Command = Command::known("ping");
    /// `pong` (BIP-31).
    pub const PONG: Command = Command::known("pong");

    /// For constants: evaluated by the compiler, which refuses a name that is too long.
    pub(super) const fn known(name: &str) -> Command {
        let mut bytes = [0; COMMAND_SIZE];
        let mut at = 0;
        while at < name.len() {
            bytes[at] = name.as_bytes()[at];
            at += 1;
        }
        Command(bytes)
    }

    /// The command of a header. Nothing is stripped: `pi\0ng` is not `ping`.
    ///
    /// # Errors
    /// [`NotACommand`].
    pub fn from_bytes(bytes: [u8; COMMAND_SIZE]) -> Result<Command, NotACommand> {
        let length = bytes.iter().take_while(|byte| **byte != 0).count();
        let (name, padding) = bytes.split_at(length);
        let printable = name.iter().all(|byte| matches!(byte, b' '..=b'~'));
        if name.is_empty() || !printable || padding.iter().any(|byte| *byte != 0) {
            return Err(NotACommand);
        }
        Ok(Command(bytes))
    }

    /// The command of this name.
    ///
    /// # Errors
    /// [`NotACommand`] where it is too long, too.
    pub fn named(name: &str) -> Result<Command, NotACommand> {
        let mut bytes = [0; COMMAND_SIZE];
        bytes.get_mut(..name.len()).ok_or(NotACommand)?.copy_from_slice(name.as_bytes());
        // Its NULs would be taken for padding.
        if name.contains('\0') { Err(NotACommand) } else { Command::from_bytes(bytes) }
    }

    /// As it stands in a header.
    pub fn to_bytes(self) -> [u8; COMMAND_SIZE] {
        self.0
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        let length = self.0.iter().take_while(|byte| **byte != 0).count();
        // ASCII, or it would not have been made.
        std::str::from_utf8(&self.0[..length]).unwrap_or_default()
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Command({:?})", self.as_str())
    }
}

/// A frame whose checksum is right. What its payload says is up to [`Message::decode`](super::Message::decode).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The network's.
    pub magic: Magic,
    /// What the payload is.
    pub command: Command,
    /// How long the payload was, in bytes: at most [`MAX_PAYLOAD`].
    pub length: u32,
    /// The payload, or where it was longer than the reader keeps, its first bytes: whoever takes it for the whole
    /// compares its length with `length`.
    pub payload: Vec<u8>,
}

/// The checksum of a payload: so begins its double SHA-256.
pub fn checksum(payload: &[u8]) -> [u8; 4] {
    first_four(sha256d(&[payload]))
}

/// What of a double SHA-256 is a checksum.
pub(super) fn first_four([a, b, c, d, ..]: [u8; 32]) -> [u8; 4] {
    [a, b, c, d]
}

/// Appends a frame to `out`. Nobody takes a payload of more than [`MAX_PAYLOAD`] bytes.
pub fn encode(magic: Magic, command: Command, payload: &[u8], out: &mut Vec<u8>) {
    debug_assert!(payload.len() <= MAX_PAYLOAD as usize);
    out.extend_from_slice(&magic.0);
    out.extend_from_slice(&command.0);
    out.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    out.extend_from_slice(&checksum(payload));
    out.extend_from_slice(payload);
}
