//! The program `kgq`: its command line and its session.

mod cli;
mod commands;
mod cut;
mod edits;
mod git;
#[cfg(feature = "serve")]
mod hints;
#[cfg(feature = "mcp")]
mod mcp;
#[cfg(feature = "net")]
mod net;
mod repl;
#[cfg(feature = "serve")]
mod server;

use commands::Stream;
use std::io::Write;
use std::process::ExitCode;

/// Where memory ends, the program says so and leaves nothing half-written.
#[global_allocator]
static ALLOCATOR: commands::Allocator = commands::Allocator;

/// Deep but legal queries and files need more stack than a main thread has; what is deeper is refused before parsing.
const STACK: usize = 256 << 20;

fn main() -> ExitCode {
    // Where a shell asks for completions, they are printed, and the program ends.
    clap_complete::CompleteEnv::with_factory(cli::command).complete();
    cut::end_on_cut_files();
    // What a panic says may hold words of a file.
    std::panic::set_hook(Box::new(|panic| {
        let _ = writeln!(Stream::stderr(), "{panic}\nThis is a mistake in kgq itself; please report it.");
    }));
    let program = std::thread::Builder::new().stack_size(STACK).spawn(|| cli::main(std::env::args_os()));
    // A panic has printed its message; it is a mistake of ours.
    let code = program.map(std::thread::JoinHandle::join);
    ExitCode::from(code.map_or(70, |joined| joined.unwrap_or(70)))
}
