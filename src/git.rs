//! The `git` program, started in one way: it asks no monitor of files that a repository names, names of files are no patterns, and it reads
//! nothing from the terminal. Who shows differences or lines turns off the programs that a repository can name for that
//! (`--no-ext-diff`, `--no-textconv`). Filters of a repository's configuration (`filter.NAME.clean`) stay: git reads files of the
//! working tree through them, and without them takes files for changed that are not.

use kgq_syntax::error::{Error, Kind, Result};
use std::path::Path;
use std::process::{Command, Stdio};

/// A command of git in a folder, to be given its arguments.
pub fn command(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("--literal-pathspecs").arg("-C").arg(folder).args(["-c", "core.fsmonitor=false"]).stdin(Stdio::null());
    command
}

/// Who wrote the lines of a file last, as `git blame --line-porcelain` tells it: of all, or of these.
///
/// # Errors
/// As [`output`].
pub fn blame(folder: &Path, file: &Path, lines: impl IntoIterator<Item = usize>) -> Result<String> {
    let mut blame = command(folder);
    blame.args(["blame", "--line-porcelain", "--no-textconv"]);
    for line in lines {
        blame.args(["-L", &format!("{line},{line}")]);
    }
    output(blame.arg("--").arg(file))
}

/// What a command prints, without the end of its line.
///
/// # Errors
/// That there is no git; the first line of what it says where it fails.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.output().map_err(|error| Error::io("git", &error))?;
    if !output.status.success() {
        let told = String::from_utf8_lossy(&output.stderr);
        return Err(Error::new(Kind::Io, format!("git: {}", told.lines().next().unwrap_or("it failed"))));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned())
}
