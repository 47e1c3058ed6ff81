//! `p2pprobe man`: manual pages, as man(1) reads them.

use std::process::ExitCode;

use clap::builder::{PossibleValuesParser, StyledStr};
use clap::{Arg, Args, Command};
use clap_mangen::roff::{Roff, bold, roman};

use super::common::write;
use super::{Fault, commands};

/// The manual page, on standard output: of all, or of one command.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Man {
    /// The command; without one, the page of p2pprobe itself
    #[arg(value_parser = PossibleValuesParser::new(commands()))]
    command: Option<String>,
}

const HELP: &str = "\
Examples:
  p2pprobe man btc-handshake | man -l -
  p2pprobe man > ~/.local/share/man/man1/p2pprobe.1
  p2pprobe man eth-ping > ~/.local/share/man/man1/p2pprobe-eth-ping.1";

/// What stands at the head.
const MANUAL: &str = "User Commands";
/// What stands at the foot.
const SOURCE: &str = concat!("p2pprobe ", env!("CARGO_PKG_VERSION"));
/// Where the examples begin in what --help ends with.
const EXAMPLES: &str = "Examples:\n";

/// What a run ends with.
const EXIT_STATUS: [(&str, &str); 4] = [
    (
        "0",
        "Every target was answered as expected; with --any, at least one; with --count, each at least once.",
    ),
    ("1", "Not so."),
    ("2", "Wrong usage, nothing to probe, or the run failed as a whole."),
    (
        "130, 143",
        "Stopped by SIGINT or SIGTERM, after the summary. A second signal ends the run at once.",
    ),
];

/// Files, and the argument that makes a command read them.
const FILES: [(&str, &str, &str); 1] = [(
    "config",
    "$XDG_CONFIG_HOME/p2pprobe/bootnodes.toml",
    "Networks of your own; by default ~/.config/p2pprobe/bootnodes.toml.",
)];

/// Variables, and the argument that makes a command heed them.
const ENVIRONMENT: [(&str, &str, &str); 3] = [
    (
        "color",
        "NO_COLOR",
        "If it is set and not empty, text is not coloured, unless --color says so.",
    ),
    ("color", "TERM", "If it is dumb, text is not coloured, unless --color says so."),
    (
        "config",
        "XDG_CONFIG_HOME",
        "Where configuration lies, as an absolute path; by default ~/.config.",
    ),
];

impl Man {
    /// Writes it.
    pub fn run(self, all: Command) -> Result<ExitCode, Fault> {
        let mut all = all.disable_help_subcommand(true);
        all.build();
        // The parser took no other name than those that there are.
        let command = self.command.and_then(|name| all.find_subcommand(name)).unwrap_or(&all);
        write(page(command.clone())?.as_bytes())
    }
}

/// What clap_mangen makes of a command, and the sections that it knows nothing of.
fn page(command: Command) -> Result<String, Fault> {
    let name = command.get_bin_name().unwrap_or(command.get_name()).replace(' ', "-");
    let help = text(command.get_after_help());
    let (before, rest) = help.split_once(EXAMPLES).unwrap_or((&help, ""));
    // What --help says below its examples, the sections say at length.
    let examples = rest.lines().take_while(|line| !line.is_empty());
    let mut own = Roff::new();
    exit_status(&mut own, &command);
    heeded(&mut own, &command, "ENVIRONMENT", &ENVIRONMENT);
    heeded(&mut own, &command, "FILES", &FILES);
    own.control("SH", ["EXAMPLES"]);
    // Line by line, so that they can be pasted.
    own.control("nf", []);
    own.extend(examples.map(str::trim_start));
    own.control("fi", []);
    see_also(&mut own, &name);
    let mut page = generated(command, &name, before)?;
    page.push_str(&own.to_roff().replace('\'', r"\(aq"));
    // Left alone, troff makes quotes and accents of these, which no shell takes.
    Ok(page.replace('`', r"\(ga").replace('~', r"\(ti").replace('^', r"\(ha"))
}

/// From the title to the options and commands.
fn generated(mut command: Command, name: &str, note: &str) -> Result<String, Fault> {
    let headings = command.get_arguments().filter_map(Arg::get_help_heading);
    let headings: Vec<_> = headings.map(str::to_owned).collect();
    let about = text(command.get_long_about().or_else(|| command.get_about()));
    let usage = command.render_usage().to_string();
    let command = command
        .display_name(name.to_owned())
        .long_about(format!("{about}\n\n{note}").trim_end().to_owned())
        .override_usage(usage.trim_start_matches("Usage: ").to_owned())
        .subcommand_help_heading("COMMANDS")
        .after_help(None)
        .version(None);
    // A date that changed with each build would say nothing; unquoted, none at all would not hold its place.
    let man = clap_mangen::Man::new(command).date("\"\"").source(SOURCE).manual(MANUAL);
    let mut page = Vec::new();
    man.render(&mut page)?;
    // Paths, names and flags are no words to be broken, or to be spread over a line.
    let mut page = String::from_utf8(page)?.replacen(".SH NAME", ".nh\n.ad l\n.SH NAME", 1);
    // An empty line among breaks, before the values of a flag, is a fault to mandoc.
    page = page.replace(".br\n\n.br\n", ".sp\n");
    for heading in headings {
        // They are sections to clap_mangen, in capitals; here they are parts of the options.
        let quoted = |text: &str| match text.contains(' ') {
            true => format!("\"{text}\"\n"),
            false => format!("{text}\n"),
        };
        let (section, part) = (quoted(&heading.to_uppercase()), quoted(&heading));
        page = page.replace(&format!(".SH {section}"), &format!(".SS {part}"));
    }
    Ok(page)
}

fn text(help: Option<&StyledStr>) -> String {
    help.map(StyledStr::to_string).unwrap_or_default()
}

/// True if the command, or one of its own, has this argument.
fn has(command: &Command, id: &str) -> bool {
    command.get_arguments().any(|arg| arg.get_id() == id)
        || command.get_subcommands().any(|command| has(command, id))
}

fn exit_status(page: &mut Roff, command: &Command) {
    if has(command, "targets") {
        page.control("SH", ["EXIT STATUS"]);
        for (status, what) in EXIT_STATUS {
            entry(page, status, what);
        }
    }
}

/// A section of those that the command heeds.
fn heeded(page: &mut Roff, command: &Command, title: &str, all: &[(&str, &str, &str)]) {
    let mut entries = all.iter().filter(|(id, ..)| has(command, id)).peekable();
    if entries.peek().is_some() {
        page.control("SH", [title]);
    }
    for (_, name, what) in entries {
        entry(page, name, what);
    }
}

fn entry(page: &mut Roff, name: &str, what: &str) {
    page.control("TP", []);
    page.text([bold(name)]);
    page.text([roman(what)]);
}

fn see_also(page: &mut Roff, itself: &str) {
    let commands = commands().into_iter().map(|name| format!("p2pprobe-{name}"));
    let others = std::iter::once("p2pprobe".to_owned()).chain(commands).filter(|n| n != itself);
    let mut line = Vec::new();
    for name in others {
        let comma = if line.is_empty() { "" } else { ", " };
        line.extend([roman(comma), bold(name), roman("(1)")]);
    }
    page.control("SH", ["SEE ALSO"]);
    page.text(line);
}
