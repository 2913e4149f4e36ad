//! Runs Oxigraph's evaluator on a thread of its own, because its state can be neither sent nor kept beside the snapshot.

use super::Local;
use crate::answer::{Answer, Row, Solutions, Triples};
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{Triple, Variable};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// Deep queries recurse deeply; memory is taken only as it is used.
const STACK: usize = 256 << 20;
/// How many rows the evaluator may be ahead of the reader.
const AHEAD: usize = 1024;
/// How often a reader that waits for a row checks the budget.
const LOOK: Duration = Duration::from_millis(10);

enum Message {
    Variables(Vec<Variable>),
    Boolean(bool),
    Graph,
    Row(Row),
    Triple(Triple),
    Failed(Error),
}

/// Returns the answer that `evaluate` finds on another thread. Its budget is cancelled when nobody wants more rows.
///
/// # Errors
/// Those of `evaluate` before its first row.
pub(super) fn apart(
    budget: Budget,
    evaluate: impl FnOnce(&dyn Fn(Local<'_>)) -> Result<()> + Send + 'static,
) -> Result<Answer> {
    let (sender, receiver) = sync_channel(AHEAD);
    let work = move || {
        if let Err(error) = evaluate(&|local| send(local, &sender)) {
            // Nobody listens if the answer was dropped.
            let _ = sender.send(Message::Failed(error));
        }
    };
    let worker = std::thread::Builder::new().name("oxigraph".into()).stack_size(STACK).spawn(work);
    worker.map_err(|error| Error::io("a thread for the query", &error))?;
    let messages = Messages { receiver, budget };
    match messages.next() {
        Some(Message::Variables(variables)) => {
            let rows = messages.into_items(|message| match message {
                Message::Row(row) => Some(row),
                _ => None,
            });
            Ok(Answer::Solutions(Solutions::new(variables, rows)))
        }
        Some(Message::Graph) => Ok(Answer::Graph(Triples(Box::new(messages.into_items(|message| match message {
            Message::Triple(triple) => Some(triple),
            _ => None,
        }))))),
        Some(Message::Boolean(value)) => Ok(Answer::Boolean(value)),
        Some(Message::Failed(error)) => Err(error),
        Some(Message::Row(_) | Message::Triple(_)) | None => Err(failed()),
    }
}

fn failed() -> Error {
    Error::bug("Oxigraph's evaluator failed on this query")
}

/// Sends the results until they end or nobody listens any more.
fn send(local: Local<'_>, sender: &SyncSender<Message>) {
    let item = |item: Result<Message>| sender.send(item.unwrap_or_else(Message::Failed)).is_ok();
    let _ = match local {
        Local::Boolean(value) => item(Ok(Message::Boolean(value))),
        Local::Solutions(variables, mut rows) => {
            item(Ok(Message::Variables(variables))) && rows.all(|row| item(row.map(Message::Row)))
        }
        Local::Graph(mut triples) => {
            item(Ok(Message::Graph)) && triples.all(|triple| item(triple.map(Message::Triple)))
        }
    };
}

struct Messages {
    receiver: Receiver<Message>,
    budget: Budget,
}

impl Messages {
    fn next(&self) -> Option<Message> {
        loop {
            match self.receiver.recv_timeout(LOOK) {
                Ok(message) => return Some(message),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {
                    if let Err(error) = self.budget.check() {
                        return Some(Message::Failed(error));
                    }
                }
            }
        }
    }

    /// Returns the items that `read` finds in the messages, up to an error or the end.
    fn into_items<T>(self, read: impl Fn(Message) -> Option<T> + Send) -> impl Iterator<Item = Result<T>> + Send {
        std::iter::from_fn(move || match self.next()? {
            Message::Failed(error) => Some(Err(error)),
            message => Some(read(message).ok_or_else(failed)),
        })
    }
}

impl Drop for Messages {
    /// The thread ends when it next reads the dataset or finds a row. It is not joined, because a join in memory reads
    /// nothing and could run on.
    fn drop(&mut self) {
        self.budget.cancel();
    }
}
