//! `kgq completions`.

use super::output::Output;
use clap_complete::Shell;
use kgq_syntax::error::{Error, Result};
use std::io::Write;

/// Print a script that completes kgq's commands in a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  kgq completions bash > ~/.local/share/bash-completion/completions/kgq")]
pub struct Args {
    pub shell: Shell,
}

pub fn run(args: &Args, output: &mut Output) -> Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut crate::cli::command(), "kgq", &mut script);
    output.out.write_all(&script).map_err(|e| Error::io("the output", &e))?;
    Ok(0)
}
