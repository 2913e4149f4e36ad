//! Shows text longer than the screen through the user's pager or, without one, a screenful at a time.
//!
//! Output is passed on as it is written: no text is held whole, and interrupts are noticed between two pieces.

use crate::commands::{Content, Output, Stream, as_shown};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::text::{folded, width};
use std::io::{self, BufRead, IsTerminal, Write};
use std::process::{Child, Command, Stdio};

/// Shows a text: at once if it fits the screen or there is no terminal, else page by page.
pub fn show(text: &str, output: &mut Output) -> Result<()> {
    let mut paged = Paged::new(output, Content::LaidOut, &|| false);
    match (paged.write_all(text.as_bytes()), paged.finish()?) {
        (Err(error), None) => Err(Error::io("the output", &error)),
        _ => Ok(()),
    }
}

/// Shows prose, with its lines wrapped between words.
pub fn page(text: &str, output: &mut Output) -> Result<()> {
    match output.terminal {
        Some(width) => show(&folded(text, width), output),
        None => show(text, output),
    }
}

/// Why a text was not shown to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// The reader left.
    ByReader,
    ByInterrupt,
}

/// A writer to the screen that pages when needed.
pub struct Paged<'o> {
    output: &'o mut Output,
    content: Content,
    interrupted: &'o dyn Fn() -> bool,
    way: Way,
    left: Option<Left>,
}

/// How a text reaches the screen.
enum Way {
    Straight,
    /// The text so far, until it is known whether it fits the screen.
    Held(Vec<u8>),
    Pager(Child, Stream),
    Screens(Screens),
}

impl<'o> Paged<'o> {
    /// Creates a writer. `interrupted` says whether the rest of the text is no longer wanted.
    pub fn new(output: &'o mut Output, content: Content, interrupted: &'o dyn Fn() -> bool) -> Self {
        let may_page = output.terminal.is_some() && io::stdin().is_terminal() && pager_command().is_some();
        let way = if may_page { Way::Held(Vec::new()) } else { Way::Straight };
        Self { output, content, interrupted, way, left: None }
    }

    /// Shows the held text, and waits until the pager ends. Returns why the text was not shown to its end, if it was not.
    ///
    /// # Errors
    /// Writing the output fails.
    pub fn finish(mut self) -> Result<Option<Left>> {
        let done = match std::mem::replace(&mut self.way, Way::Straight) {
            Way::Straight => self.output.out.flush(),
            Way::Held(text) => self.print(&text).and_then(|()| self.output.out.flush()),
            Way::Pager(mut child, mut door) => {
                // A pager that the user leaves early closes the pipe.
                let _ = door.flush();
                drop(door);
                child.wait().map(drop)
            }
            Way::Screens(mut screens) => {
                let rest = std::mem::take(&mut screens.rest);
                match self.left {
                    None => screens.show(&rest, self.output, self.content).map(|_| ()),
                    Some(_) => Ok(()),
                }
            }
        };
        done.map_err(|e| Error::io("the output", &e))?;
        Ok(self.left)
    }

    fn print(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.output.out.write_as(self.content, |out| out.write_all(bytes))
    }

    /// Begins to page, starting with the held text.
    fn begin(&mut self, held: &[u8], screen: Screen) -> io::Result<()> {
        let pager = pager_command().filter(|command| is_there(command)).and_then(|command| pager(&command).ok());
        self.way = match pager {
            Some((child, stdin)) => Way::Pager(child, Stream::through(Box::new(stdin), self.output.out.is_styled())),
            None => Way::Screens(Screens { screen, rest: Vec::new(), used: 0 }),
        };
        self.pass(held)
    }

    fn pass(&mut self, bytes: &[u8]) -> io::Result<()> {
        let content = self.content;
        match &mut self.way {
            Way::Straight => self.print(bytes),
            Way::Held(held) => {
                held.extend_from_slice(bytes);
                let screen = Screen::now();
                let shown = as_shown(&String::from_utf8_lossy(held), content, self.output.colour);
                if screen.fits(&shown) {
                    return Ok(());
                }
                let held = std::mem::take(held);
                self.begin(&held, screen)
            }
            Way::Pager(_, door) => {
                door.write_as(content, |out| out.write_all(bytes)).map_err(|_| self.leave(Left::ByReader))
            }
            Way::Screens(screens) => {
                screens.rest.extend_from_slice(bytes);
                let lines = screens.rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
                let whole: Vec<u8> = screens.rest.drain(..lines).collect();
                if screens.show(&whole, self.output, content)? { Ok(()) } else { Err(self.leave(Left::ByReader)) }
            }
        }
    }

    /// The error that makes the caller stop writing.
    fn leave(&mut self, why: Left) -> io::Error {
        self.left.get_or_insert(why);
        io::ErrorKind::BrokenPipe.into()
    }
}

impl Write for Paged<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.left.is_some() || (self.interrupted)() {
            return Err(self.leave(Left::ByInterrupt));
        }
        self.pass(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The user's pager command: `KGQ_PAGER`, else `PAGER`, else `less`. `None` if it is empty or `cat`, which turns paging off.
fn pager_command() -> Option<String> {
    let chosen = ["KGQ_PAGER", "PAGER"].iter().find_map(|name| std::env::var(name).ok());
    match chosen.as_deref().map(str::trim) {
        Some("" | "cat") => None,
        Some(command) => Some(command.to_owned()),
        None => Some("less".into()),
    }
}

/// Whether the shell finds the program at the start of the command line.
fn is_there(command: &str) -> bool {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("set -- {command}\ncommand -v -- \"$1\"")).stdin(Stdio::null()).stdout(Stdio::null());
    shell.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn pager(command: &str) -> io::Result<(Child, std::process::ChildStdin)> {
    // The command line is the user's own, with its words and quotes.
    let mut pager = Command::new("sh");
    pager.arg("-c").arg(format!("exec {command}")).stdin(Stdio::piped());
    if std::env::var_os("LESS").is_none() {
        pager.env("LESS", "RSX");
    }
    pager.env("LESSCHARSET", "utf-8");
    let mut child = pager.spawn()?;
    let stdin = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
    Ok((child, stdin))
}

/// The size of the screen.
#[derive(Clone, Copy)]
struct Screen {
    columns: usize,
    lines: usize,
}

impl Screen {
    fn now() -> Self {
        let size = terminal_size::terminal_size();
        let (columns, lines) = size.map_or((80, 24), |(w, h)| (usize::from(w.0), usize::from(h.0)));
        Self { columns, lines }
    }

    fn fits(self, text: &str) -> bool {
        rows_on_screen(text, self.columns) + 2 <= self.lines
    }
}

/// Shows a screenful at a time.
struct Screens {
    screen: Screen,
    /// The beginning of an incomplete line.
    rest: Vec<u8>,
    /// The number of screen rows in use.
    used: usize,
}

impl Screens {
    /// Shows whole lines; returns `false` if the reader wants no more.
    fn show(&mut self, lines: &[u8], output: &mut Output, content: Content) -> io::Result<bool> {
        let room = self.screen.lines.saturating_sub(2).max(1);
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            let height = rows_on_screen(&String::from_utf8_lossy(line), self.screen.columns);
            if self.used + height > room && self.used > 0 {
                self.used = 0;
                output.out.write_all(b"-- more: Enter, or q and Enter to stop --")?;
                output.out.flush()?;
                let mut answer = String::new();
                let read = io::stdin().lock().read_line(&mut answer);
                if read.is_err() || answer.trim().starts_with(['q', 'Q']) || answer.is_empty() {
                    return Ok(false);
                }
            }
            output.out.write_as(content, |out| out.write_all(line))?;
            self.used += height;
        }
        output.out.flush()?;
        Ok(true)
    }
}

/// The number of screen rows that a text takes.
fn rows_on_screen(text: &str, columns: usize) -> usize {
    text.lines().map(|line| width(&without_colour(line)).div_ceil(columns.max(1)).max(1)).sum()
}

/// The line without our own colour codes; no other codes reach a terminal.
fn without_colour(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find('\x1b') {
        out.push_str(&rest[..at]);
        rest = rest[at..].split_once('m').map_or("", |(_, after)| after);
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_interrupt_ends_a_text_between_two_pieces() {
        let sink = Sink::default();
        let mut output = Output::to(Box::new(sink.clone()));
        let wanted = Cell::new(true);
        let interrupted = || !wanted.get();
        let mut paged = Paged::new(&mut output, Content::LaidOut, &interrupted);
        paged.write_all(b"seen\n").unwrap();
        wanted.set(false);
        assert_eq!(paged.write_all(b"not seen\n").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(paged.finish().unwrap(), Some(Left::ByInterrupt));
        assert_eq!(*sink.0.lock().unwrap(), b"seen\n");
    }

    #[test]
    fn a_pager_is_looked_for_before_it_is_written_to() {
        assert!(is_there("sh -c 'cat'") && is_there("cat"));
        assert!(!is_there("no-such-program-anywhere -R") && !is_there("'"));
    }
}
