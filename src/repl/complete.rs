//! Completion at the cursor: what may stand there, and which of it the graph has.

use super::dot;
use super::shared::{Shared, State};
use crate::catalog::{Role, classes_of, labels_of};
use crate::rdf::Term;
use crate::snapshot::TermId;
use crate::syntax::sparql::dot_command;
use crate::text::visible;
use reedline::{Completer, CompletionResult, Span, Suggestion};

/// The editor's completer.
pub struct Completion {
    shared: Shared,
}

impl Completion {
    pub fn new(shared: Shared) -> Self {
        Self { shared }
    }
}

impl Completer for Completion {
    fn complete(&mut self, line: &str, pos: usize) -> CompletionResult {
        let state = self.shared.get();
        let offers = offers(&state, line, pos);
        CompletionResult::fresh(offers.into_iter().map(suggestion).collect::<Vec<_>>())
    }
}

/// Something that could stand at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The bytes of the text that it replaces.
    pub span: std::ops::Range<usize>,
    pub value: String,
    /// What it is: a label, a kind, a signature.
    pub about: String,
}

fn suggestion(offer: Offer) -> Suggestion {
    Suggestion {
        value: offer.value,
        description: (!offer.about.is_empty()).then_some(offer.about),
        span: Span::new(offer.span.start, offer.span.end),
        append_whitespace: true,
        ..Suggestion::default()
    }
}

/// What could stand at byte `cursor`, the likeliest first.
pub fn offers(state: &State, text: &str, cursor: usize) -> Vec<Offer> {
    let line_start = text[..cursor].rfind('\n').map_or(0, |at| at + 1);
    let line = &text[line_start..cursor];
    if line.trim_start() == "." || dot_command(line).is_some() {
        return dot::offers(state, text, line_start, cursor);
    }
    Vec::new()
}

/// Terms whose CURIE or label fits what was typed; classes alone, if asked for.
pub fn terms(state: &State, typed: &str, span: &std::ops::Range<usize>, classes: bool) -> Vec<Offer> {
    let Some(index) = state.index() else { return Vec::new() };
    let wanted = |id| !classes || index.role(id) == Role::Class;
    let found = index.search(typed, MOST, wanted);
    found.into_iter().map(|id| offer(state, id, span)).collect()
}

/// How many terms are offered at once.
const MOST: usize = 40;

/// A term by its CURIE, with its labels and what it is.
fn offer(state: &State, id: TermId, span: &std::ops::Range<usize>) -> Offer {
    let name = |id: TermId| match state.snapshot.term(id) {
        Term::NamedNode(node) => state.prefixes.display(node.as_str()),
        term => term.to_string(),
    };
    let role = state.index().map_or(Role::Thing, |index| index.role(id));
    let kind = match role {
        Role::Class => "class".to_owned(),
        Role::Property => "property".to_owned(),
        Role::Thing => {
            let classes = classes_of(&state.snapshot, id);
            classes
                .first()
                .map(|class| labels_of(&state.snapshot, *class).into_iter().next().unwrap_or_else(|| name(*class)))
                .unwrap_or_default()
        }
    };
    let mut about = labels_of(&state.snapshot, id);
    about.truncate(2);
    if !kind.is_empty() {
        about.push(format!("({kind})"));
    }
    Offer { span: span.clone(), value: name(id), about: visible(&about.join(" ")).into_owned() }
}
