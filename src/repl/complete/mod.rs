//! Completion at the cursor: what the grammar allows there, and which of it occurs in the graph.

mod graph;
mod terms;
mod words;

use super::dot;
use super::shared::{ProjectState, Shared};
use kgq_syntax::Span as TextSpan;
use kgq_syntax::cursor::{Expected, place};
use kgq_syntax::rdf::Prefixes;
use kgq_syntax::sparql::dot_command;
use kgq_syntax::text::{char_width, typeable, visible, width};
use reedline::{Completer, CompletionOrigin, CompletionResult, CompletionStatus, Span, Suggestion};
pub use terms::named;

/// The completer of the editor.
pub struct Completion {
    shared: Shared,
    /// Whether a request came before the term index was built, and has to be answered later.
    owed: bool,
}

impl Completion {
    pub fn new(shared: Shared) -> Self {
        Self { shared, owed: false }
    }
}

impl Completer for Completion {
    fn complete(&mut self, line: &str, pos: usize) -> CompletionResult {
        let state = self.shared.get();
        let offers = offers(&state, line, pos);
        let widths = offers.iter().map(|offer| width(&typeable(&offer.value))).filter(|width| *width <= WIDEST_VALUE);
        let widest = widths.max().unwrap_or(0);
        // A line that fills the last column would wrap on some terminals.
        let room = terminal_size::terminal_size().map_or(80, |(columns, _)| usize::from(columns.0)).saturating_sub(1);
        let suggestions: Vec<Suggestion> = offers.into_iter().map(|offer| suggestion(offer, widest, room)).collect();
        self.owed = state.index().is_none();
        if self.owed {
            return CompletionResult::stale_or_pending(suggestions.into(), CompletionOrigin::new(line, pos));
        }
        CompletionResult::fresh(suggestions)
    }

    fn poll_completion(&mut self) -> CompletionStatus {
        if !self.owed {
            return CompletionStatus::Idle;
        }
        self.owed = self.shared.get().index().is_none();
        if self.owed { CompletionStatus::Pending } else { CompletionStatus::Ready }
    }
}

/// A completion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The bytes of the text that it replaces.
    pub span: TextSpan,
    pub value: String,
    /// Its description: a label, a kind, a signature.
    pub about: String,
}

/// Cuts a text to the available width.
fn cut(text: String, room: usize) -> String {
    if width(&text) <= room {
        return text;
    }
    let mut used = 1;
    let fits = |c: &char| {
        used += char_width(*c);
        used <= room
    };
    let mut out: String = text.chars().take_while(fits).collect();
    out.push('…');
    out
}

/// The width in cells up to which values are aligned; wider ones push their description to the right.
const WIDEST_VALUE: usize = 32;

/// A completion as a menu item. Every item shows its description, not only the selected one.
fn suggestion(offer: Offer, widest: usize, room: usize) -> Suggestion {
    let value = typeable(&offer.value).into_owned();
    let pad = " ".repeat(widest.saturating_sub(width(&value)));
    let shown = cut(format!("{value}{pad}  {}", visible(&offer.about)), room);
    Suggestion {
        append_whitespace: !value.ends_with([':', '(', '=']),
        display_override: (!offer.about.is_empty()).then_some(shown),
        value,
        span: Span::new(offer.span.start, offer.span.end),
        ..Suggestion::default()
    }
}

/// The maximum number of terms offered at once.
const MOST: usize = 40;

/// The completions at byte `cursor`, the likeliest first.
pub fn offers(state: &ProjectState, text: &str, cursor: usize) -> Vec<Offer> {
    let Some(before) = text.get(..cursor) else { return Vec::new() };
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = &before[line_start..];
    if line.trim_start() == "." || dot_command(line).is_some() {
        return dot::offers(state, text, line_start, cursor);
    }
    let place = place(text, cursor);
    if place.expected == Expected::Nothing {
        return Vec::new();
    }
    let typed = &text[place.typed.clone()];
    let mut offers = Offers { state, typed, own: None, span: place.typed.clone(), found: Vec::new() };
    if typed.starts_with(['?', '$']) {
        offers.variables(text);
    } else if typed.starts_with('<') {
        offers.iris();
    } else if typed.contains(':') {
        offers.of_namespace(text, &place);
    } else if typed.is_empty() {
        offers.keywords(&place.expected);
        offers.of_position(text, &place);
        offers.prefixes(&place.expected);
        offers.variables(text);
    } else if !offers.several_words(text) {
        offers.keywords(&place.expected);
        offers.of_position(text, &place);
        offers.prefixes(&place.expected);
        offers.named(text, &place);
    }
    let mut seen = rustc_hash::FxHashSet::default();
    offers.found.retain(|offer| seen.insert(offer.value.clone()));
    offers.found
}

struct Offers<'a> {
    state: &'a ProjectState,
    typed: &'a str,
    /// The prefix that was typed, which names get even where their namespace has another one too.
    own: Option<Prefixes>,
    span: TextSpan,
    found: Vec<Offer>,
}

impl Offers<'_> {
    fn add(&mut self, value: impl Into<String>, about: impl Into<String>) {
        self.found.push(Offer { span: self.span.clone(), value: value.into(), about: about.into() });
    }

    fn starts(&self, name: &str) -> bool {
        name.get(..self.typed.len()).is_some_and(|head| head.eq_ignore_ascii_case(self.typed))
    }
}

#[cfg(test)]
mod tests;
