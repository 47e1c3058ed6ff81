//! Reads the files of `tests/vectors/`: `[name]`, then `key = value` lines; `#` starts a comment.

use std::collections::HashSet;
use std::path::Path;

use data_encoding::HEXLOWER;

/// One vector. A key may stand more than once.
pub struct Vector {
    pub name: String,
    pairs: Vec<(String, String)>,
}

/// All vectors of a file. There must be `count` of them, so that none gets lost unseen.
pub fn load(file: &str, count: usize) -> Vec<Vector> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(file);
    let text = std::fs::read_to_string(&path).expect(file);
    let mut vectors: Vec<Vector> = Vec::new();
    let mut names = HashSet::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            assert!(names.insert(name.to_owned()), "{file}: [{name}] stands twice");
            vectors.push(Vector { name: name.to_owned(), pairs: Vec::new() });
            continue;
        }
        // An empty value has no space behind its equals sign.
        let (key, value) = line.split_once(" =").unwrap_or_else(|| panic!("{file}: {line:?}"));
        let vector = vectors.last_mut().expect("a name comes first");
        vector.pairs.push((key.to_owned(), value.trim_start().to_owned()));
    }
    assert_eq!(vectors.len(), count, "vectors in {file}");
    for vector in &vectors {
        assert!(vector.get("source").is_some(), "{file}: [{}] names no source", vector.name);
    }
    vectors
}

impl Vector {
    /// The value of a key that may be absent.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.pairs.iter().find(|(k, _)| k == key).map(|(_, value)| value.as_str())
    }

    /// The value of a key that must be there.
    pub fn text(&self, key: &str) -> &str {
        self.get(key).unwrap_or_else(|| panic!("[{}] has no {key}", self.name))
    }

    /// A hex value's bytes.
    pub fn hex(&self, key: &str) -> Vec<u8> {
        unhex(self.text(key))
    }

    /// A hex value's bytes, exactly `N` of them.
    pub fn array<const N: usize>(&self, key: &str) -> [u8; N] {
        self.hex(key).try_into().unwrap_or_else(|_| panic!("[{}] {key}: length", self.name))
    }

    /// A number.
    pub fn number(&self, key: &str) -> u64 {
        self.text(key).parse().unwrap_or_else(|_| panic!("[{}] {key}: number", self.name))
    }

    /// Every `key = value` whose key is not in `inputs`: what the vector expects.
    pub fn expected(&self, inputs: &[&str]) -> Vec<(&str, String)> {
        let expected = self.pairs.iter().filter(|(key, _)| !inputs.contains(&key.as_str()));
        expected.map(|(key, value)| (key.as_str(), value.clone())).collect()
    }
}

/// Bytes from lower-case hex.
pub fn unhex(text: &str) -> Vec<u8> {
    HEXLOWER.decode(text.as_bytes()).unwrap_or_else(|e| panic!("{text}: {e}"))
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}
