//! One line of a file of targets: `TARGET LABEL…`, or one of our own JSON lines.

use serde::Deserialize;

use crate::target::{Said, TargetError, Why, Written};

/// The longest line that is read, in bytes. A record has at most 404 characters and a JSON line of ours
/// some 1,500.
pub const MAX_LINE: usize = 16 * 1024;
/// How much of a line that names no target is repeated in its result, in characters.
const MAX_ECHO: usize = 200;

/// Reads a target, and what else is said of it.
pub trait Read<P>: FnOnce(&str, Said<'_>) -> Result<Written<P>, TargetError> {}

impl<P, F: FnOnce(&str, Said<'_>) -> Result<Written<P>, TargetError>> Read<P> for F {}

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<P> {
    /// The target as typed.
    pub text: String,
    /// What it says.
    pub written: Written<P>,
    /// What follows it.
    pub label: Option<String>,
    /// Characters of the line before the target.
    indent: usize,
}

/// Why a line names no target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineError {
    /// The target as typed, or as much of the line as is fit to be repeated.
    pub text: String,
    /// What follows it.
    pub label: Option<String>,
    /// Where in the line, in characters from 1.
    pub column: usize,
    /// What is wrong there.
    pub error: TargetError,
}

/// The fields of our own JSON lines that are taken back in.
#[derive(Deserialize)]
struct JsonLine {
    #[serde(rename = "type")]
    kind: Option<String>,
    command: Option<String>,
    target: Option<String>,
    label: Option<String>,
    network: Option<String>,
    magic: Option<String>,
    magics_tried: Option<serde::de::IgnoredAny>,
    handshake_ms: Option<serde::de::IgnoredAny>,
}

impl<P> Entry<P> {
    /// The column in the line, in characters from 1, of a byte offset in the target.
    pub fn column(&self, offset: usize) -> usize {
        column(&self.text, offset) + self.indent
    }
}

/// The column, in characters from 1, of a byte offset.
pub fn column(text: &str, offset: usize) -> usize {
    text.char_indices().take_while(|(at, _)| *at < offset).count() + 1
}

/// Reads a line; `read` takes a target, and what else the line says of it. `None` for a line that says
/// nothing: blank, a comment, or a summary of ours.
///
/// # Errors
/// [`LineError`].
pub fn parse<P>(line: &[u8], read: impl Read<P>) -> Option<Result<Entry<P>, LineError>> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let text = match std::str::from_utf8(line) {
        Ok(text) => text,
        Err(e) => {
            let text = echo(String::from_utf8_lossy(line).trim());
            let offset = e.valid_up_to();
            let column = String::from_utf8_lossy(&line[..offset]).chars().count() + 1;
            let error = TargetError { offset, why: Why::NotUtf8 };
            return Some(Err(LineError { text, label: None, column, error }));
        }
    };
    let trimmed = text.trim_start();
    let indent = text.chars().count() - trimmed.chars().count();
    let trimmed = trimmed.trim_end();
    if trimmed.is_empty() || trimmed.starts_with('#') {
        return None;
    }
    if trimmed.starts_with('{') {
        return json(trimmed, indent, read);
    }
    let (target, label) = match trimmed.split_once(char::is_whitespace) {
        Some((target, label)) => (target, Some(label.trim_start().to_owned())),
        None => (trimmed, None),
    };
    Some(entry(target, label, indent, |text| read(text, Said::default())))
}

/// What is said of a line that is too long to be read.
pub fn too_long(start: &[u8]) -> LineError {
    let text = echo(String::from_utf8_lossy(start).trim_start());
    let error = TargetError { offset: MAX_LINE, why: Why::LineTooLong(MAX_LINE) };
    LineError { text, label: None, column: MAX_LINE + 1, error }
}

/// Reads an argument of the command line: a target, and nothing behind it.
///
/// # Errors
/// [`LineError`].
pub fn argument<P>(text: &str, read: impl Read<P>) -> Result<Entry<P>, LineError> {
    entry(text, None, 0, |text| read(text, Said::default()))
}

fn entry<P>(
    target: &str,
    label: Option<String>,
    indent: usize,
    read: impl FnOnce(&str) -> Result<Written<P>, TargetError>,
) -> Result<Entry<P>, LineError> {
    match read(target) {
        Ok(written) => Ok(Entry { text: target.to_owned(), written, label, indent }),
        Err(error) => {
            let column = column(target, error.offset) + indent;
            Err(LineError { text: echo(target), label, column, error })
        }
    }
}

fn json<P>(text: &str, indent: usize, read: impl Read<P>) -> Option<Result<Entry<P>, LineError>> {
    let bad = |what, column| {
        let error = TargetError { offset: 0, why: Why::Json(what) };
        Some(Err(LineError { text: echo(text), label: None, column, error }))
    };
    match serde_json::from_str::<JsonLine>(text) {
        Ok(JsonLine {
            target: Some(target),
            command,
            label,
            network,
            magic,
            magics_tried,
            handshake_ms,
            ..
        }) => {
            // Of several magics that were tried in vain none is the peer's.
            let magic = magic.filter(|_| magics_tried.is_none() || handshake_ms.is_some());
            let said = Said {
                command: command.as_deref(),
                network: network.as_deref(),
                magic: magic.as_deref(),
            };
            let entry = entry(&target, label, indent, |text| read(text, said));
            // A column within the target would be one of the decoded text, not of the line.
            Some(entry.map_err(|e| LineError { column: indent + 1, ..e }))
        }
        Ok(JsonLine { kind: Some(kind), .. }) if kind == "summary" => None,
        Ok(_) => bad("this JSON object has no \"target\"", indent + 1),
        Err(e) => bad("this is neither a target nor a JSON line of ours", indent + e.column()),
    }
}

fn echo(text: &str) -> String {
    match text.char_indices().nth(MAX_ECHO) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text.to_owned(),
    }
}
