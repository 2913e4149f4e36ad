//! Answers all canned queries in the background once somebody has opened a page, so that the page of a thing can list the answers
//! that contain it.

use super::Shared;
use super::connections::STACK;
use super::state::Held;
use std::sync::Arc;
use std::time::Duration;

/// The pause before looking again whether other requests still run.
const PAUSE: Duration = Duration::from_millis(50);

/// Answers the canned queries of a graph once, on its own thread, while the graph is current. Requests take precedence.
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
            // A query that fails here fails again when its page is opened, and is reported there.
            let _ = held.pages.answer_all(&go_on);
        };
        // If no thread can be started, pages only lack these lists.
        let _ = std::thread::Builder::new().name("answers".into()).stack_size(STACK).spawn(work);
    });
}
