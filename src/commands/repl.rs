//! The arguments of `kgq repl`; the session itself is a front end of its own.

use super::advice::AdviceArgs;

/// Ask in a session: history, completion, highlighting; `.help` lists its commands
///
/// Where standard input is no terminal, what it holds is run as a script, up to the first error.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(after_help = "Examples:
  kgq repl
  kgq repl < questions.txt")]
pub struct Args {
    /// Run a script to its end, whatever fails in it; the exit code is that of the first failure
    #[arg(long)]
    pub keep_going: bool,
    #[command(flatten)]
    pub advice: AdviceArgs,
}
