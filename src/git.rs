//! Runs the `git` program in one safe way: it starts no file monitor that a repository names, file names are not patterns,
//! and it reads nothing from the terminal. Callers that show differences or lines also turn off the programs that a
//! repository can name for these (`--no-ext-diff`, `--no-textconv`). Filters in the configuration of a repository
//! (`filter.NAME.clean`) stay on: git reads files of the working tree through them, and without them it would take unchanged
//! files for changed.

use kgq_syntax::error::{Error, Kind, Result};
use std::path::Path;
use std::process::{Command, Stdio};

/// A git command in a folder, without arguments yet.
pub fn command(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("--literal-pathspecs").arg("-C").arg(folder).args(["-c", "core.fsmonitor=false"]).stdin(Stdio::null());
    command
}

/// Who last changed the lines of a file, in the format of `git blame --line-porcelain`: all lines, or only these.
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

/// The output of a command, without the final line break.
///
/// # Errors
/// git is not installed, or the command fails; the error has the first line of its message.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.output().map_err(|error| Error::io("git", &error))?;
    if !output.status.success() {
        let told = String::from_utf8_lossy(&output.stderr);
        return Err(Error::new(Kind::Io, format!("git: {}", told.lines().next().unwrap_or("it failed"))));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned())
}
