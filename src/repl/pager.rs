//! Text that is longer than the screen, through the user's pager or, where there is none, a screenful at a time.

use crate::commands::{Content, Output, as_shown};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::text::{folded, width};
use std::io::{BufRead, IsTerminal, Write};
use std::process::{Command, Stdio};

/// Shows a text: at once if it fits the screen or there is no terminal, else page by page.
pub fn show(text: &str, output: &mut Output) -> Result<()> {
    let size = terminal_size::terminal_size();
    let (columns, lines) = size.map_or((80, 24), |(w, h)| (usize::from(w.0), usize::from(h.0)));
    let long = output.terminal.is_some() && rows_on_screen(text, columns) + 2 > lines;
    if !long || !std::io::stdin().is_terminal() {
        return print(text, output);
    }
    match pager_command() {
        None => print(text, output),
        Some(command) => match through(&command, &as_shown(text, Content::LaidOut, output.colour)) {
            Ok(()) => Ok(()),
            Err(_) => by_screens(text, columns, lines, output),
        },
    }
}

/// Shows a page of prose: its lines are broken between words.
pub fn page(text: &str, output: &mut Output) -> Result<()> {
    match output.terminal {
        Some(width) => show(&folded(text, width), output),
        None => show(text, output),
    }
}

fn print(text: &str, output: &mut Output) -> Result<()> {
    output.out.write_all(text.as_bytes()).and_then(|()| output.out.flush()).map_err(|e| Error::io("the output", &e))
}

/// What the user pages with: `KGQ_PAGER`, `PAGER`, else `less`; an empty one or `cat` means no paging.
fn pager_command() -> Option<String> {
    let chosen = ["KGQ_PAGER", "PAGER"].iter().find_map(|name| std::env::var(name).ok());
    match chosen.as_deref().map(str::trim) {
        Some("" | "cat") => None,
        Some(command) => Some(command.to_owned()),
        None => Some("less".into()),
    }
}

fn through(command: &str, text: &str) -> std::io::Result<()> {
    // The user's own command line, with its own words and quotes.
    let mut pager = Command::new("sh");
    pager.arg("-c").arg(format!("exec {command}")).stdin(Stdio::piped());
    if std::env::var_os("LESS").is_none() {
        pager.env("LESS", "RSX");
    }
    pager.env("LESSCHARSET", "utf-8");
    let mut child = pager.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A pager that is left early closes the pipe.
        let _ = stdin.write_all(text.as_bytes());
    }
    let status = child.wait()?;
    // The shell's codes for a command that is not there or cannot be run.
    if matches!(status.code(), Some(126 | 127)) {
        return Err(std::io::Error::from(std::io::ErrorKind::NotFound));
    }
    Ok(())
}

fn by_screens(text: &str, columns: usize, lines: usize, output: &mut Output) -> Result<()> {
    let room = lines.saturating_sub(2).max(1);
    let mut page = String::new();
    let mut used = 0;
    for line in text.split_inclusive('\n') {
        let height = rows_on_screen(line, columns);
        if used + height > room && used > 0 {
            print(&page, output)?;
            page.clear();
            used = 0;
            print("-- more: Enter, or q and Enter to stop --", output)?;
            let mut answer = String::new();
            let read = std::io::stdin().lock().read_line(&mut answer);
            if read.is_err() || answer.trim().starts_with(['q', 'Q']) || answer.is_empty() {
                return Ok(());
            }
        }
        page.push_str(line);
        used += height;
    }
    print(&page, output)
}

/// How many rows of the screen a text takes.
fn rows_on_screen(text: &str, columns: usize) -> usize {
    text.lines().map(|line| width(&without_colour(line)).div_ceil(columns.max(1)).max(1)).sum()
}

/// The line without our own colour codes (no others reach a terminal).
fn without_colour(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find('\x1b') {
        out.push_str(&rest[..at]);
        rest = rest[at..].split_once('m').map_or("", |(_, after)| after);
    }
    out + rest
}
