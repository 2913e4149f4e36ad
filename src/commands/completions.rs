//! `kgq completions`.

use super::output::Output;
use clap_complete::env::Shells;
use kgq_syntax::error::{Error, Result};
use std::io::Write;

/// Print a script with which a shell asks kgq for completions: commands, options, queries, formats, terms
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  kgq completions bash > ~/.local/share/bash-completion/completions/kgq
  kgq completions fish > ~/.config/fish/completions/kgq.fish

The script fits this version of kgq; make it again after an update.")]
pub struct Args {
    #[arg(value_parser = ["bash", "elvish", "fish", "powershell", "zsh"])]
    pub shell: String,
}

pub fn run(args: &Args, output: &mut Output) -> Result<u8> {
    let shells = Shells::builtins();
    let shell = shells.completer(&args.shell).ok_or_else(|| Error::bug("a shell that the command line allows"))?;
    let mut script = Vec::new();
    let written = shell.write_registration("COMPLETE", "kgq", "kgq", "kgq", &mut script);
    written.and_then(|()| output.out.write_all(&script)).map_err(|e| Error::io("the output", &e))?;
    Ok(0)
}
