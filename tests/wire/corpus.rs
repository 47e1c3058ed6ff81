//! Every input kept for the fuzzers goes through the check of its fuzz target.

use std::fs;
use std::path::Path;

use crate::checks;

/// A fuzz target's name and what it checks.
type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 7] = [
    ("bitcoin_frame", checks::bitcoin::frames),
    ("bitcoin_version", checks::bitcoin::version),
    ("enode", checks::enode),
    ("packet", checks::packet),
    ("record", checks::record),
    ("record_text", checks::record_text),
    ("rlp", checks::rlp),
];

fn file_names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    let name = |entry: fs::DirEntry| entry.file_name().into_string().expect("UTF-8");
    let mut names: Vec<_> = entries.map(|entry| name(entry.expect("readable"))).collect();
    names.sort();
    names
}

#[test]
fn replayed() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let corpora = file_names(&fuzz.join("corpus"));
    assert_eq!(corpora, TARGETS.map(|(name, _)| name));
    let sources = TARGETS.map(|(name, _)| format!("{name}.rs"));
    assert_eq!(file_names(&fuzz.join("fuzz_targets")), sources);
    for (target, check) in TARGETS {
        let dir = fuzz.join("corpus").join(target);
        let names = file_names(&dir);
        assert!(names.len() >= 10, "{target}: {} inputs", names.len());
        for name in names {
            // Shown where the test fails.
            println!("{target}/{name}");
            check(&fs::read(dir.join(name)).expect("readable"));
        }
    }
}
