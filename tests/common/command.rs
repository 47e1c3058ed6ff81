//! Runs the binary, with an end that always comes.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::schema;

/// No run here takes 5 s; this is for a machine that is busy with other tests.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// The binary.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_p2pprobe");

/// What a run gave.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ran {
    /// Its JSON lines, all of them held against the schema.
    pub fn lines(&self) -> Vec<Value> {
        schema::validate_all(&self.stdout)
    }

    /// Its JSON lines of one type.
    pub fn of_type(&self, kind: &str) -> Vec<Value> {
        self.lines().into_iter().filter(|line| line["type"] == kind).collect()
    }

    /// What each result line says: the failure, or `ok`.
    pub fn outcomes(&self) -> Vec<String> {
        self.of_type("probe").iter().map(outcome).collect()
    }
}

/// The failure of a result line, or `ok`.
pub fn outcome(line: &Value) -> String {
    line["failure"].as_str().unwrap_or("ok").to_owned()
}

/// The command `eth-ping` with no configuration of the user's in its way.
pub fn eth_ping<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Command {
    probe("eth-ping", args)
}

/// A command that probes, with no configuration of the user's in its way.
pub fn probe<A: AsRef<OsStr>>(name: &str, args: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(PROGRAM);
    command.arg(name).args(args);
    clean(&mut command);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Takes away what the surroundings of the tests could change.
pub fn clean(command: &mut Command) {
    for name in ["NO_COLOR", "CLICOLOR_FORCE", "XDG_CONFIG_HOME", "HOME", "TERM", "COLUMNS"] {
        command.env_remove(name);
    }
}

/// Runs `eth-ping` to its end.
pub fn run<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Ran {
    finish(eth_ping(args).spawn().expect("the binary starts"))
}

/// Runs `btc-handshake` to its end.
pub fn run_btc_handshake<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Ran {
    finish(probe("btc-handshake", args).spawn().expect("the binary starts"))
}

/// Runs `eth-ping` with this as its standard input.
pub fn run_with_input<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>, input: &[u8]) -> Ran {
    finish_with_input(eth_ping(args), input)
}

/// Runs a command with this as its standard input.
pub fn finish_with_input(mut command: Command, input: &[u8]) -> Ran {
    let mut child = command.stdin(Stdio::piped()).spawn().expect("the binary starts");
    let mut stdin = child.stdin.take().expect("stdin is a pipe");
    let input = input.to_vec();
    // It may end before it has read everything.
    let writer = thread::spawn(move || drop(stdin.write_all(&input)));
    let ran = finish(child);
    writer.join().expect("the writer ends");
    ran
}

/// Waits for the end, and panics if it does not come.
pub fn finish(child: Child) -> Ran {
    finish_within(child, PATIENCE)
}

/// The same for a run that takes longer than others.
pub fn finish_within(mut child: Child, patience: Duration) -> Ran {
    let stdout = child.stdout.take().map(collect);
    let stderr = child.stderr.take().map(collect);
    let text = |reader: Option<JoinHandle<String>>| {
        reader.map(|reader| reader.join().expect("a reader ends")).unwrap_or_default()
    };
    let ended = wait(&mut child, patience);
    let (stdout, stderr) = (text(stdout), text(stderr));
    match ended {
        Some(status) => Ran { code: status.code(), stdout, stderr },
        None => panic!("no end within {patience:?}; it had said\n{stdout}\n{stderr}"),
    }
}

/// The exit status; a child that does not end in time is killed, and there is none.
pub fn wait(child: &mut Child, patience: Duration) -> Option<ExitStatus> {
    let deadline = Instant::now() + patience;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().expect("the child can be waited for") {
            return Some(status);
        }
        thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}

fn collect(mut from: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).expect("the pipe can be read");
        String::from_utf8(bytes).expect("the output is UTF-8")
    })
}

/// A directory that is removed when this is dropped.
pub struct TempDir(PathBuf);

impl TempDir {
    /// A new, empty one.
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("p2pprobe-test-{}-{number}", std::process::id());
        let dir = std::env::temp_dir().join(name);
        std::fs::create_dir(&dir).expect("a temporary directory");
        TempDir(dir)
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file, with its directories, and gives its path as text.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("its directories");
        std::fs::write(&path, content).expect("a temporary file");
        path.to_str().expect("a path in UTF-8").to_owned()
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
