//! The `git` program, started in one way: what a repository's own configuration could make it run to look at files is turned off, names
//! of files are no patterns, and it reads nothing from the terminal.

use kgq_syntax::error::{Error, Kind, Result};
use std::path::Path;
use std::process::{Command, Stdio};

/// A command of git in a folder, to be given its arguments.
pub fn command(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("--literal-pathspecs").arg("-C").arg(folder).args(["-c", "core.fsmonitor=false"]).stdin(Stdio::null());
    command
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
