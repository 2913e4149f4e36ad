//! The program `kgq`: see the library of the same name.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: kgq::Allocator = kgq::Allocator;

fn main() -> ExitCode {
    ExitCode::from(kgq::main(std::env::args_os().collect()))
}
