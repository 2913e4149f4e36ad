//! What is made ready while nobody waits: when somebody has looked at a page, all canned queries are answered, so that pages of things say
//! which answers hold them.

use super::Shared;
use super::connections::STACK;
use super::state::Held;
use std::sync::Arc;
use std::time::Duration;

/// How long it is waited while others ask.
const PAUSE: Duration = Duration::from_millis(50);

/// Answers the canned queries of a graph on a thread of its own, once, as long as the graph is current. Requests go first.
pub fn answer_all(server: &Shared, held: &Arc<Held>) {
    held.answering.call_once(|| {
        let (server, held) = (Arc::clone(server), Arc::clone(held));
        let work = move || {
            let go_on = || {
                loop {
                    let is_over = *server.stopping.borrow() || !Arc::ptr_eq(&server.held(), &held);
                    if is_over || server.admission.counts().0 == 0 {
                        return !is_over;
                    }
                    std::thread::sleep(PAUSE);
                }
            };
            // What fails here fails for who asks for the page, too, and is told there.
            let _ = held.pages.answer_all(&go_on);
        };
        // Without a thread, pages say less.
        let _ = std::thread::Builder::new().name("answers".into()).stack_size(STACK).spawn(work);
    });
}
