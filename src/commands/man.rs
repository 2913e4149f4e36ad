//! `kgq man`.

use super::output::{Output, write_file};
use clap_mangen::Man;
use kgq_syntax::error::{Error, Result};
use std::path::PathBuf;

/// Write the manual pages into a folder: `kgq.1`, and one for each command
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  kgq man ~/.local/share/man/man1         then `man kgq` and `man kgq-query` find them")]
pub struct Args {
    /// Where the pages go; it is made if it is not there
    #[arg(value_name = "FOLDER")]
    pub pages: PathBuf,
}

pub fn run(args: &Args, output: &mut Output) -> Result<u8> {
    std::fs::create_dir_all(&args.pages).map_err(|e| Error::io(args.pages.display(), &e))?;
    let mut program = crate::cli::with_own_options(crate::cli::command());
    program.build();
    let commands: Vec<&clap::Command> = program.get_subcommands().filter(|c| c.get_name() != "help").collect();
    for command in std::iter::once(&program).chain(commands.iter().copied()) {
        let name = match command.get_name() {
            "kgq" => "kgq".to_owned(),
            name => format!("kgq-{name}"),
        };
        let file = args.pages.join(format!("{name}.1"));
        let page = Man::new(command.clone().name(name));
        write_file(&file, |mut out| page.render(&mut out).map_err(|e| Error::io(file.display(), &e)))?;
    }
    output.note(&format!("{} pages in {}", commands.len() + 1, args.pages.display()));
    Ok(0)
}
