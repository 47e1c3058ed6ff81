//! Command lines and what they print, as one text to be kept as a snapshot.

use std::fmt::Write;

use crate::common::answering::Peer;
use crate::common::command::{eth_ping, finish};

/// Runs commands that must be refused, and writes down what they say.
#[derive(Default)]
pub struct Transcript {
    text: String,
    /// What differs from run to run, and what stands for it.
    replaced: Vec<(String, &'static str)>,
}

impl Transcript {
    /// Writes `name` where `value` is said.
    pub fn replace(&mut self, value: impl Into<String>, name: &'static str) {
        self.replaced.push((value.into(), name));
    }

    /// Runs `eth-ping` with these arguments and a good target before them: the run must be refused as a
    /// whole (exit code 2, nothing on stdout), and the good target must not be pinged.
    pub fn refused(&mut self, args: &[&str]) {
        let peer = Peer::start();
        let mut all = vec![peer.enode.as_str()];
        all.extend(args);
        self.run(args, &all);
        assert_eq!(peer.received(), 0, "{args:?}: it was sent something");
    }

    /// The same without the good target.
    pub fn refused_alone(&mut self, args: &[&str]) {
        self.run(args, args);
    }

    fn run(&mut self, shown: &[&str], args: &[&str]) {
        let ran = finish(eth_ping(args).spawn().expect("the binary starts"));
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{shown:?}: {ran:?}");
        let mut command = "$ p2pprobe eth-ping".to_owned();
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
