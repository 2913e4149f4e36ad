//! The program `kgq` as a library, for what starts it: its own binary, and the Python package, whose command it is too.
//!
//! It gives no more than that: [`main`] runs a command line, [`open`] opens a graph as a command line would. What can be asked of a
//! graph is in `kgq-graph`.

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
/// Where memory ends, the program says so and leaves nothing half-written: to be the global allocator of what runs [`main`].
pub use commands::Allocator;

use commands::Stream;
use std::ffi::OsString;
use std::io::Write;

/// Deep but legal queries and files need more stack than a main thread has; what is deeper is refused before parsing.
pub const STACK: usize = 256 << 20;

/// Runs the program with these arguments, the first of which is its own name; returns the exit code.
pub fn main(arguments: Vec<OsString>) -> u8 {
    // Where a shell asks for completions, they are printed, and the program ends.
    if let Some(code) = cli::complete(&arguments) {
        return code;
    }
    cut::end_on_cut_files();
    // What a panic says may hold words of a file.
    std::panic::set_hook(Box::new(|panic| {
        let _ = writeln!(Stream::stderr(), "{panic}\nThis is a mistake in kgq itself; please report it.");
    }));
    let program = std::thread::Builder::new().stack_size(STACK).spawn(|| cli::main(arguments));
    // A panic has printed its message; it is a mistake of ours.
    program.map(std::thread::JoinHandle::join).map_or(70, |joined| joined.unwrap_or(70))
}
