//! Command lines and what they print, as one text to be kept as a snapshot.

use std::fmt::Write;
use std::net::TcpListener;
use std::path::PathBuf;

use crate::common::answering::Peer;
use crate::common::command::{finish, probe};

/// Runs commands that must be refused, and writes down what they say.
pub struct Transcript {
    command: &'static str,
    text: String,
    /// Where it runs, if that matters.
    dir: Option<PathBuf>,
    /// A variable that it finds.
    variable: Option<(&'static str, PathBuf)>,
    /// What differs from run to run, and what stands for it.
    replaced: Vec<(String, &'static str)>,
}

impl Default for Transcript {
    fn default() -> Self {
        Self::of("eth-ping")
    }
}

impl Transcript {
    /// Of this command.
    pub fn of(command: &'static str) -> Self {
        let (text, replaced) = (String::new(), Vec::new());
        Transcript { command, text, dir: None, variable: None, replaced }
    }

    /// Runs this command, or what stands in its place, from now on.
    pub fn go_on_with(&mut self, command: &'static str) {
        self.command = command;
    }

    /// Runs what follows with this variable.
    pub fn set(&mut self, name: &'static str, value: impl Into<PathBuf>) {
        self.variable = Some((name, value.into()));
    }

    /// Runs what follows in this directory.
    pub fn run_in(&mut self, dir: impl Into<PathBuf>) {
        self.dir = Some(dir.into());
    }

    /// Writes `name` where `value` is said.
    pub fn replace(&mut self, value: impl Into<String>, name: &'static str) {
        self.replaced.push((value.into(), name));
    }

    /// Runs the command with these arguments and a good target before them: the run must be refused as a
    /// whole (exit code 2, nothing on stdout), and the good target must hear nothing.
    pub fn refused(&mut self, args: &[&str]) {
        if self.command == "btc-handshake" {
            // Whoever connects stands in its queue, even if nobody takes him.
            let peer = TcpListener::bind("127.0.0.1:0").expect("a listener on loopback");
            peer.set_nonblocking(true).expect("a listener that does not block");
            self.run_behind(&peer.local_addr().expect("its address").to_string(), args);
            assert!(peer.accept().is_err(), "{args:?}: somebody connected");
        } else {
            let peer = Peer::start();
            self.run_behind(&peer.enode, args);
            assert_eq!(peer.received(), 0, "{args:?}: it was sent something");
        }
    }

    fn run_behind(&mut self, target: &str, args: &[&str]) {
        self.run(args, &[&[target], args].concat());
    }

    /// The same without the good target.
    pub fn refused_alone(&mut self, args: &[&str]) {
        self.run(args, args);
    }

    fn run(&mut self, shown: &[&str], args: &[&str]) {
        let mut probe = probe(self.command, args);
        if let Some(dir) = &self.dir {
            probe.current_dir(dir);
        }
        probe.envs(self.variable.clone());
        let ran = finish(probe.spawn().expect("the binary starts"));
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{shown:?}: {ran:?}");
        let mut command = format!("$ p2pprobe {}", self.command.escape_debug());
        for arg in shown {
            let arg = arg.escape_debug();
            write!(command, " '{arg}'").expect("a String takes everything");
        }
        let mut text = format!("{command}\n{}\n", ran.stderr);
        for (value, name) in &self.replaced {
            text = text.replace(value, name);
        }
        self.text.push_str(&text);
    }

    /// Holds all of it against the snapshot of this name.
    pub fn check(self, name: &str) {
        let mut settings = insta::Settings::clone_current();
        settings.set_omit_expression(true);
        settings.set_prepend_module_to_snapshot(false);
        settings.bind(|| insta::assert_snapshot!(name, self.text));
    }
}
