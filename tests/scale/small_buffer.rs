//! A system that grants next to nothing as receive buffer. That cannot be set for one network namespace alone
//! (`net.core.rmem_max` is the machine's), so the library that stands between the binary and the system asks for less.

use std::path::Path;
use std::process::Command as Process;
use std::time::Duration;

use crate::common::command::TempDir;
use crate::crowd::Command;
use crate::crowd::settings::{Settings, Shares, Weather};
use crate::scene::{ALL_GOOD, Results, Scene, finish, outcome};

/// Whoever asks for a receive buffer gets the smallest that Linux has, of 2304 bytes, and leaves a note of it.
const LESS: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int setsockopt(int fd, int level, int name, const void *value, socklen_t length) {
    static int (*next)(int, int, int, const void *, socklen_t);
    static const int least = 0;
    if (!next) next = (int (*)(int, int, int, const void *, socklen_t))dlsym(RTLD_NEXT, "setsockopt");
    if (level == SOL_SOCKET && name == SO_RCVBUF) {
        int note = open(getenv("NOTE"), O_CREAT | O_WRONLY, 0600);
        if (note >= 0) close(note);
        return next(fd, level, name, &least, sizeof least);
    }
    return next(fd, level, name, value, length);
}
"#;

/// That library, and the file that shows that it was used.
pub struct Less {
    library: String,
    note: String,
    _dir: TempDir,
}

impl Less {
    pub fn new() -> Self {
        let dir = TempDir::new();
        let source = dir.file("less.c", LESS);
        let path = |name: &str| dir.path().join(name).to_str().expect("UTF-8").to_owned();
        let (library, note) = (path("less.so"), path("note"));
        let cc = Process::new("cc").args(["-shared", "-fPIC", "-o", &library, &source]).status();
        assert!(cc.expect("a C compiler, as the build needs one").success());
        Less { library, note, _dir: dir }
    }

    /// Gives it to what is started; `exec` the binary there.
    pub fn applied(&self, mut process: Process) -> Process {
        process.env("LD_PRELOAD", &self.library).env("NOTE", &self.note);
        process
    }

    pub fn assert_used(&self) {
        assert!(Path::new(&self.note).exists(), "the binary did not ask for a buffer");
    }
}

#[test]
fn whatever_does_not_fit_is_counted_and_blamed_on_nobody() {
    // Answers come late and in heaps; of those that ping back, more than one datagram at once.
    let weather = Weather { jitter: Duration::from_millis(30), duplicated: 300, ..Weather::FAIR };
    let shares = Shares { odd: 500, ..ALL_GOOD };
    let less = Less::new();
    let scene = Scene::new(Command::EthPing, Settings { seed: 51, shares, weather }, 2000);
    let line = "exec \"$P\" $C --json --rate 0 --per-host-interval 0 --timeout 1s --retries 8 \
                --concurrency 8192 --file \"$F\"";
    let ran = finish(less.applied(scene.bash(line)));
    less.assert_used();
    let results = Results::read(&ran.stdout);
    assert!(results.summary["own_drops"].as_u64() > Some(100), "{:#}", results.summary);
    scene.assert_all_told(&results, |_, _| None);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
}

/// Without a further try some answers are lost for good: then it says why.
#[test]
fn no_silence_is_seen_where_we_were_deaf() {
    let weather = Weather { jitter: Duration::from_millis(5), ..Weather::FAIR };
    let shares = Shares { silent: 200, odd: 300, ..ALL_GOOD };
    let less = Less::new();
    let scene = Scene::new(Command::EthPing, Settings { seed: 52, shares, weather }, 2000);
    let line = "exec \"$P\" $C --json --rate 0 --per-host-interval 0 --timeout 500ms --retries 0 \
                --concurrency 8192 --file \"$F\"";
    let ran = finish(less.applied(scene.bash(line)));
    less.assert_used();
    let results = Results::read(&ran.stdout);
    assert!(results.summary["own_drops"].as_u64() > Some(0), "{:#}", results.summary);
    // Which of them it hits is chance.
    scene.assert_all_told(&results, |_, line| {
        let ours = outcome(line) == "local-error" && line["tries"].as_u64() > Some(1);
        ours.then_some("local-error")
    });
}
