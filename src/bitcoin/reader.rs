//! Frames out of a stream that comes in pieces of any size.

use super::frame::{COMMAND_SIZE, Command, Frame, HEADER_SIZE, MAX_PAYLOAD, Magic, first_four};
use super::opening::KEPT;
use crate::codec::hash::Sha256d;
use crate::codec::{DecodeError, Reader};

/// What is wrong with a stream of frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// The bytes where a frame should begin are not the magic. The end of the stream: whoever scans on finds what
    /// somebody wants to be found. [`Opening::of`](super::Opening::of) says what they look like.
    Magic {
        /// These bytes, [`KEPT`] of them at the most. There may be more of them when asked again with more input.
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

/// Cuts a stream into frames. It keeps the header of the one that has begun and the first bytes of its payload; the
/// other bytes of it are hashed for the checksum and dropped, so that no peer can make it hold more than that, and
/// nothing is reserved for what is only claimed. Input that is not consumed yet stays with the caller.
#[derive(Debug)]
pub struct FrameReader {
    magic: Magic,
    /// Bytes of each payload that are kept.
    keep: usize,
    /// What came of the header. Where it can be none, the first bytes of what stands there: a final error is told
    /// from them again.
    head: Vec<u8>,
    /// What is kept of the payload, the number of its bytes that came, and their hash.
    payload: Vec<u8>,
    came: u32,
    hash: Sha256d,
    received: u64,
    /// Where in the stream the frame under way begins.
    began: u64,
}

// What is shown of a stranger is what a header would have held.
const _: () = assert!(KEPT == HEADER_SIZE);

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
    /// Reads frames that begin with `magic`, and keeps `keep` bytes of each payload. With [`MAX_PAYLOAD`] all of it
    /// is kept, always.
    pub fn new(magic: Magic, keep: usize) -> Self {
        FrameReader {
            magic,
            keep,
            head: Vec::with_capacity(HEADER_SIZE),
            payload: Vec::new(),
            came: 0,
            hash: Sha256d::default(),
            received: 0,
            began: 0,
        }
    }

    /// The next frame, with the first of `bytes` as its rest: they are consumed up to its end, and those behind it
    /// are left for the next call. `None` where its end has not come yet; then all of them were consumed.
    ///
    /// # Errors
    /// Those of [`FrameError`]: of the magic at the first byte that contradicts it, of the length from the header
    /// alone, of the command and the checksum once the whole frame has come. A [final](FrameError::is_final) one
    /// comes again each time, and consumes all that it is handed.
    pub fn next_frame(&mut self, bytes: &mut &[u8]) -> Result<Option<Frame>, FrameError> {
        let header = match self.header(bytes) {
            Ok(Some(header)) => header,
            Ok(None) => return Ok(None),
            Err(e) => {
                self.consume(bytes, usize::MAX);
                return Err(e);
            }
        };
        let part = self.consume(bytes, (header.length - self.came) as usize);
        // No longer than the length, which is one of u32.
        self.came += part.len() as u32;
        self.hash.update(part);
        self.keep(part, header.length as usize);
        if self.came < header.length { Ok(None) } else { self.close(&header).map(Some) }
    }

    /// The header, once it is here and can be one.
    fn header(&mut self, bytes: &mut &[u8]) -> Result<Option<Header>, FrameError> {
        let part = self.consume(bytes, HEADER_SIZE - self.head.len());
        self.head.extend_from_slice(part);
        if self.head.iter().zip(self.magic.0).any(|(found, expected)| *found != expected) {
            return Err(FrameError::Magic { found: self.head.clone() });
        }
        let Ok(header) = Header::decode(&self.head) else { return Ok(None) };
        if header.length > MAX_PAYLOAD {
            return Err(FrameError::Oversized { length: header.length });
        }
        Ok(Some(header))
    }

    /// The first of the bytes, `most` at the most.
    fn consume<'a>(&mut self, bytes: &mut &'a [u8], most: usize) -> &'a [u8] {
        let (part, rest) = bytes.split_at(most.min(bytes.len()));
        *bytes = rest;
        self.received = self.received.saturating_add(part.len() as u64);
        part
    }

    /// Appends as much of a part of the payload as is to be kept.
    fn keep(&mut self, part: &[u8], length: usize) {
        let most = self.keep.min(length);
        let kept = &part[..part.len().min(most - self.payload.len())];
        let needed = self.payload.len() + kept.len();
        if needed > self.payload.capacity() {
            // Twofold, as a vector grows by itself, but not beyond what can ever be kept.
            let capacity = needed.max(2 * self.payload.capacity()).min(most);
            self.payload.reserve_exact(capacity - self.payload.len());
        }
        self.payload.extend_from_slice(kept);
    }

    /// Gives out the frame that has come, and begins the next one.
    fn close(&mut self, header: &Header) -> Result<Frame, FrameError> {
        self.head.clear();
        self.came = 0;
        self.began += HEADER_SIZE as u64 + u64::from(header.length);
        let payload = std::mem::take(&mut self.payload);
        let computed = first_four(std::mem::take(&mut self.hash).finish());
        let found = header.command;
        let command = Command::from_bytes(found).map_err(|_| FrameError::Command { found })?;
        let claimed = header.checksum;
        if claimed != computed {
            return Err(FrameError::Checksum { command, claimed, computed });
        }
        Ok(Frame { magic: self.magic, command, length: header.length, payload })
    }

    /// Bytes that came of the frame that has not ended yet, kept or not; after a final error, those that tell it.
    pub fn pending(&self) -> usize {
        self.head.len() + self.came as usize
    }

    /// Where in the stream the frame begins that has not ended yet, or what should be one, in bytes.
    pub fn began(&self) -> u64 {
        self.began
    }

    /// Bytes that were ever consumed.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Bytes of memory that are reserved for what came.
    pub fn reserved(&self) -> usize {
        self.head.capacity() + self.payload.capacity()
    }
}
