//! The program `kgq` as a library, for its two callers: its own binary, and the Python package, which installs the same command.
//!
//! It exports no more than they need: [`main`] runs a command line, [`open`] opens a graph as a command line would. The API
//! of a graph is in `kgq-graph`.

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

pub use cli::open;
/// The global allocator for programs that call [`main`]: if memory runs out, the program says so and leaves nothing half-written.
pub use commands::Allocator;

use commands::Stream;
use std::ffi::OsString;
use std::io::Write;

/// Deep but legal queries and files need more stack than a main thread has; deeper ones are refused before parsing.
pub const STACK: usize = 256 << 20;

/// Runs the program with these arguments, of which the first is its own name; returns the exit code.
pub fn main(arguments: Vec<OsString>) -> u8 {
    commands::keep_freed();
    // If a shell asks for completions, print them and end.
    if let Some(code) = cli::complete(&arguments) {
        return code;
    }
    cut::end_on_cut_files();
    // The message of a panic may contain text from a file.
    std::panic::set_hook(Box::new(|panic| {
        let _ = writeln!(Stream::stderr(), "{panic}\nThis is a mistake in kgq itself; please report it.");
    }));
    let program = std::thread::Builder::new().stack_size(STACK).spawn(|| cli::main(arguments));
    // A panic has already printed its message; 70 is the exit code for our own mistakes.
    program.map(std::thread::JoinHandle::join).map_or(70, |joined| joined.unwrap_or(70))
}
