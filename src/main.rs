//! The command line, handing over at once.

fn main() -> std::process::ExitCode {
    sealbid::cli::main()
}
