//! Text of a peer, made fit to be shown.

/// Text of a peer as printable ASCII: all else is escaped, and so is what would look like an escape.
pub fn printable(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' => shown.push_str("\\\\"),
                ' '..='~' => shown.push(c),
                c if c.is_ascii() => shown.push_str(&format!("\\x{:02x}", u32::from(c))),
                c => shown.extend(c.escape_unicode()),
            }
        }
        for byte in chunk.invalid() {
            shown.push_str(&format!("\\x{byte:02x}"));
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_printable_ascii_is_left() {
        let cases: [(&[u8], &str); 7] = [
            (b"/Satoshi:31.1.0(a; b)/", "/Satoshi:31.1.0(a; b)/"),
            (b"\x1b]0;x\x07\0\n", "\\x1b]0;x\\x07\\x00\\x0a"),
            ("\u{9b}31m\u{202e}é".as_bytes(), "\\u{9b}31m\\u{202e}\\u{e9}"),
            (b"\x9b\xff", "\\x9b\\xff"),
            (b"\\x1b", "\\\\x1b"),
            (b"\x7f", "\\x7f"),
            (b"", ""),
        ];
        for (bytes, shown) in cases {
            assert_eq!(printable(bytes), shown);
        }
    }
}
