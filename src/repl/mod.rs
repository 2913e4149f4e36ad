//! The session at a terminal.

use crate::commands::Output;
use crate::error::{Error, Result};
use crate::session::Session;

/// Reads queries and dot-commands until the end of input.
pub fn run(_session: &mut Session, _output: &mut Output) -> Result<u8> {
    Err(Error::usage("the session needs a terminal"))
}
