//! Frames out of a stream that comes in pieces of any size.

use super::frame::{COMMAND_SIZE, Command, Frame, HEADER_SIZE, MAX_PAYLOAD, Magic, checksum};
use super::opening::KEPT;
use crate::codec::{DecodeError, Reader};

/// A buffer larger than this is given back once it is empty, in bytes: one that a long message left behind would
/// otherwise stay for as long as the connection does.
const MAX_KEPT_BUFFER: usize = 64 * 1024;

/// What is wrong with a stream of frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// The bytes where a frame should begin are not the magic. The end of the stream: whoever scans on finds what
    /// somebody wants to be found. [`Opening::of`](super::Opening::of) says what they look like.
    Magic {
        /// These bytes, [`KEPT`] of them at the most. There may be more of them when asked again after a push.
        found: Vec<u8>,
    },
    /// A header claims a payload of more than [`MAX_PAYLOAD`] bytes. The end of the stream: Core disconnects.
    Oversized {
        /// What it claims.
        length: u32,
    },
    /// A frame whose command is none. It is dropped, and the next one can be read, as Core does.
    Command {
        /// What stands there.
        found: [u8; COMMAND_SIZE],
    },
    /// A frame whose payload has another checksum than it claims. It is dropped, and the next one can be read, as
    /// Core does.
    Checksum {
        /// What the payload was to be.
        command: Command,
        /// The checksum in the header.
        claimed: [u8; 4],
        /// The checksum of the payload.
        computed: [u8; 4],
    },
}

impl FrameError {
    /// True where no further frame can be read.
    pub fn is_final(&self) -> bool {
        matches!(self, FrameError::Magic { .. } | FrameError::Oversized { .. })
    }
}

/// Cuts a stream into frames. It holds what was pushed and not taken yet, and reserves nothing for what is only
/// claimed; whoever takes all frames after each push never lets it hold more than one frame and one push.
#[derive(Debug)]
pub struct FrameReader {
    magic: Magic,
    buffer: Vec<u8>,
    /// Bytes of the buffer that were taken.
    taken: usize,
    received: u64,
    ended: bool,
}

struct Header {
    command: [u8; COMMAND_SIZE],
    length: u32,
    checksum: [u8; 4],
}

impl Header {
    fn decode(bytes: &[u8]) -> Result<Header, DecodeError> {
        let mut r = Reader::new(bytes);
        r.take("magic", size_of::<Magic>())?;
        Ok(Header {
            command: r.array("command")?,
            length: r.le_u32("length")?,
            checksum: r.array("checksum")?,
        })
    }
}

impl FrameReader {
    /// Reads frames that begin with `magic`.
    pub fn new(magic: Magic) -> Self {
        FrameReader { magic, buffer: Vec::new(), taken: 0, received: 0, ended: false }
    }

    /// Adds what came. After an error that [is final](FrameError::is_final) only the first bytes are kept.
    pub fn push(&mut self, bytes: &[u8]) {
        self.received = self.received.saturating_add(bytes.len() as u64);
        if self.taken > 0 {
            self.buffer.drain(..self.taken);
            self.taken = 0;
        }
        let room = if self.ended { KEPT.saturating_sub(self.buffer.len()) } else { bytes.len() };
        self.buffer.extend_from_slice(&bytes[..room.min(bytes.len())]);
    }

    /// The next frame; `None` where its end has not come yet.
    ///
    /// # Errors
    /// Those of [`FrameError`]: of the magic at the first byte that contradicts it, of the length from the header
    /// alone, of the command and the checksum once the whole frame has come. A final one comes again each time.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        let Some((header, length)) = self.header()? else { return Ok(None) };
        let pending = self.pending_bytes();
        let Some(payload) = pending[HEADER_SIZE..].get(..length) else { return Ok(None) };
        let frame = open(self.magic, &header, payload);
        self.taken += HEADER_SIZE + length;
        if self.taken == self.buffer.len() {
            self.buffer.clear();
            self.buffer.shrink_to(MAX_KEPT_BUFFER);
            self.taken = 0;
        }
        frame.map(Some)
    }

    /// The next header, if it is here and can be one, and the length that it claims.
    fn header(&mut self) -> Result<Option<(Header, usize)>, FrameError> {
        let pending = self.pending_bytes();
        if pending.iter().zip(self.magic.0).any(|(found, expected)| *found != expected) {
            let found = pending[..pending.len().min(KEPT)].to_vec();
            self.end();
            return Err(FrameError::Magic { found });
        }
        let Ok(header) = Header::decode(pending) else { return Ok(None) };
        if header.length > MAX_PAYLOAD {
            self.end();
            return Err(FrameError::Oversized { length: header.length });
        }
        let length = header.length as usize;
        Ok(Some((header, length)))
    }

    /// Forgets all but the first bytes, which tell the same error again.
    fn end(&mut self) {
        self.buffer.drain(..self.taken);
        self.taken = 0;
        self.buffer.truncate(KEPT);
        self.buffer.shrink_to(KEPT);
        self.ended = true;
    }

    fn pending_bytes(&self) -> &[u8] {
        &self.buffer[self.taken..]
    }

    /// Bytes that are held of frames not taken yet.
    pub fn pending(&self) -> usize {
        self.pending_bytes().len()
    }

    /// Bytes that were ever pushed.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Bytes of memory that are reserved.
    pub fn reserved(&self) -> usize {
        self.buffer.capacity()
    }
}

fn open(magic: Magic, header: &Header, payload: &[u8]) -> Result<Frame, FrameError> {
    let found = header.command;
    let command = Command::from_bytes(found).map_err(|_| FrameError::Command { found })?;
    let (claimed, computed) = (header.checksum, checksum(payload));
    if claimed != computed {
        return Err(FrameError::Checksum { command, claimed, computed });
    }
    Ok(Frame { magic, command, payload: payload.to_vec() })
}
