//! The binary: parse, run, exit code; nothing else.

fn main() -> std::process::ExitCode {
    p2pprobe::cli::main()
}
