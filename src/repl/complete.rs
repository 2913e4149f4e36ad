//! Completion at the cursor: what may stand there by the grammar, and which of it the graph has.

use super::dot;
use super::shared::{Shared, State};
use crate::catalog::{Role, TermIndex, classes_of, labels_of, local_name};
use crate::rdf::{NamedNode, Term};
use crate::snapshot::{Permutation, QuadPermutation, Snapshot, TermId, TermKind};
use crate::syntax::cursor::{Expected, Place, place, triples};
use crate::syntax::sparql::{dot_command, tokenize};
use crate::syntax::words::{AGGREGATES, FUNCTIONS, KEYWORDS, WELL_KNOWN_PREFIXES};
use crate::syntax::{Kind, Span as TextSpan, significant};
use crate::text::{count, visible};
use reedline::{Completer, CompletionResult, Span, Suggestion};
use rustc_hash::FxHashMap;

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
    pub span: TextSpan,
    pub value: String,
    /// What it is: a label, a kind, a signature.
    pub about: String,
}

fn suggestion(offer: Offer) -> Suggestion {
    Suggestion {
        append_whitespace: !offer.value.ends_with([':', '(', '=']),
        value: offer.value,
        description: (!offer.about.is_empty()).then_some(offer.about),
        span: Span::new(offer.span.start, offer.span.end),
        ..Suggestion::default()
    }
}

/// How many terms are offered at once.
const MOST: usize = 40;
/// How many statements of a property are looked at for the values it takes.
const MOST_ROWS: usize = 20_000;
/// How many words of a label are read back from the cursor.
const MOST_WORDS: usize = 5;

/// What could stand at byte `cursor`, the likeliest first.
pub fn offers(state: &State, text: &str, cursor: usize) -> Vec<Offer> {
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
    let mut offers = Offers { state, typed, span: place.typed.clone(), found: Vec::new() };
    if typed.starts_with(['?', '$']) {
        offers.variables(text);
        return offers.found;
    }
    if typed.starts_with('<') {
        offers.iris();
        return offers.found;
    }
    if typed.contains(':') {
        offers.names(text, &place);
        return offers.found;
    }
    if !typed.is_empty() && offers.several_words(text) {
        return offers.found;
    }
    offers.keywords(&place.expected);
    offers.of_position(text, &place);
    offers.prefixes(&place.expected);
    if typed.is_empty() {
        offers.variables(text);
    } else {
        offers.labels(text, &place);
    }
    let mut seen = rustc_hash::FxHashSet::default();
    offers.found.retain(|offer| seen.insert(offer.value.clone()));
    offers.found
}

struct Offers<'a> {
    state: &'a State,
    typed: &'a str,
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

    /// The other variables of the text, each once, in order.
    fn variables(&mut self, text: &str) {
        let bare = self.typed.trim_start_matches(['?', '$']);
        let mut seen: Vec<String> = Vec::new();
        for token in tokenize(text) {
            if token.start == self.span.start {
                continue;
            }
            if let Some(name) = token.variable(text)
                && name.starts_with(bare)
                && !seen.iter().any(|s| s == name)
            {
                seen.push(name.to_owned());
            }
        }
        for name in seen {
            self.add(format!("?{name}"), "variable");
        }
    }

    fn keywords(&mut self, expected: &Expected) {
        let words: &[&str] = match expected {
            Expected::Query => &["SELECT", "ASK", "CONSTRUCT", "DESCRIBE", "PREFIX", "BASE"],
            Expected::Projection => &["DISTINCT", "REDUCED", "WHERE", "FROM", "ASC", "DESC", "LIMIT"],
            Expected::Subject | Expected::Separator => {
                &["FILTER", "OPTIONAL", "BIND", "VALUES", "MINUS", "UNION", "GRAPH", "FILTER NOT EXISTS", "SELECT"]
            }
            Expected::Verb { .. } => &["a"],
            Expected::Expression => &["EXISTS", "NOT EXISTS", "IN", "NOT IN", "DISTINCT", "AS", "true", "false"],
            Expected::Modifier => &["ORDER BY", "LIMIT", "OFFSET", "GROUP BY", "HAVING", "VALUES"],
            Expected::Graph if self.typed.is_empty() => &[],
            Expected::Graph => &["NAMED"],
            Expected::Nothing | Expected::Prefix | Expected::Object { .. } | Expected::Number => &[],
        };
        // The empty word begins with everything; only a few things are worth offering then.
        for word in words.iter().filter(|word| self.starts(word)).copied().collect::<Vec<_>>() {
            let known = word.split(' ').all(|w| KEYWORDS.iter().any(|k| k.eq_ignore_ascii_case(w)));
            debug_assert!(known, "{word}");
            self.add(word, "");
        }
        if matches!(expected, Expected::Expression | Expected::Projection) && !self.typed.is_empty() {
            for name in AGGREGATES.iter().filter(|name| self.starts(name)).copied().collect::<Vec<_>>() {
                self.add(format!("{name}("), format!("{name}(expression): aggregate"));
            }
            let functions: Vec<_> = FUNCTIONS.iter().filter(|(name, _)| self.starts(name)).copied().collect();
            for (name, arguments) in functions {
                self.add(format!("{name}("), format!("{name}({arguments})"));
            }
        }
    }

    fn prefixes(&mut self, expected: &Expected) {
        if *expected == Expected::Prefix {
            let declared = self.state.prefixes.iter().chain(WELL_KNOWN_PREFIXES.iter().copied());
            let found: Vec<(String, String)> = declared
                .filter(|(prefix, _)| self.starts(prefix))
                .map(|(prefix, iri)| (format!("{prefix}: <{iri}>"), visible(iri).into_owned()))
                .collect();
            found.into_iter().for_each(|(value, about)| self.add(value, about));
            return;
        }
        let term = matches!(
            expected,
            Expected::Subject
                | Expected::Verb { .. }
                | Expected::Object { .. }
                | Expected::Expression
                | Expected::Graph
        );
        if term && !self.typed.is_empty() {
            let known = self.state.prefixes.iter().filter(|(prefix, _)| self.starts(prefix));
            let found: Vec<(String, String)> =
                known.map(|(prefix, iri)| (format!("{prefix}:"), visible(iri).into_owned())).collect();
            found.into_iter().for_each(|(value, about)| self.add(value, about));
        }
    }

    /// What the graph has for this position, the most frequent first.
    fn of_position(&mut self, text: &str, place: &Place) {
        let Some(index) = self.state.index() else { return };
        let (candidates, what) = match &place.expected {
            Expected::Verb { subject } => (self.properties(index, text, subject.as_deref()), "uses"),
            Expected::Object { property: Some(property) } if is_type(self.state, text, property) => {
                (index.classes().to_vec(), "members")
            }
            Expected::Object { property: Some(property) } => (
                resolve(self.state, text, property).map(|p| values(&self.state.snapshot, p)).unwrap_or_default(),
                "times",
            ),
            Expected::Graph => (self.state.snapshot.named_graphs().iter().map(|g| (*g, 0)).collect::<Vec<_>>(), ""),
            _ => return,
        };
        let verb = matches!(place.expected, Expected::Verb { .. });
        let rdf_type = self.state.snapshot.id(crate::rdf::vocabulary::rdf::TYPE.into());
        let mut offered = 0;
        for (id, n) in candidates {
            // It is offered as `a`.
            if verb && Some(id) == rdf_type && self.typed.is_empty() {
                continue;
            }
            if offered == MOST {
                break;
            }
            let name = shown(self.state, id);
            let labels = labels_of(&self.state.snapshot, id);
            if !self.typed.is_empty() && !fits(&name, &labels, self.typed) {
                continue;
            }
            offered += 1;
            let mut about = labels.into_iter().take(2).collect::<Vec<_>>().join(" · ");
            if n > 0 {
                about = format!("{about}{}{}", if about.is_empty() { "" } else { "  " }, number_of(n, what));
            }
            self.add(name, visible(&about).into_owned());
        }
    }

    /// The properties that fit a subject, by how often they occur.
    fn properties(&self, index: &TermIndex, text: &str, subject: Option<&str>) -> Vec<(TermId, u64)> {
        let snapshot = &self.state.snapshot;
        let Some(subject) = subject else { return index.properties().to_vec() };
        let all = triples(text);
        let term = |written: &str| resolve(self.state, text, written);
        if let Some(node) = term(subject) {
            let own = counted(predicates_of(snapshot, node));
            if !own.is_empty() {
                return own;
            }
        }
        let of_subject = || all.iter().map(|t| &t.parts).filter(|[s, _, _]| s == subject);
        let mut found: FxHashMap<TermId, u64> = FxHashMap::default();
        let classes = of_subject().filter(|[_, p, _]| is_type(self.state, text, p)).filter_map(|[_, _, o]| term(o));
        let into = all.iter().map(|t| &t.parts).filter(|[_, _, o]| o == subject).filter_map(|[_, p, _]| term(p));
        let ranges = into.flat_map(|p| values(snapshot, p)).take(50).flat_map(|(o, _)| classes_of(snapshot, o));
        let mut classes: Vec<TermId> = classes.collect();
        if classes.is_empty() {
            classes = ranges.collect();
            classes.sort_unstable();
            classes.dedup();
        }
        for class in classes {
            for (property, n) in index.properties_of(class) {
                *found.entry(*property).or_default() += n;
            }
        }
        if found.is_empty() {
            // Subjects that have what this one has.
            let known: Vec<TermId> = of_subject().filter_map(|[_, p, _]| term(p)).collect();
            for statistics in [snapshot.statistics(), snapshot.quad_statistics()] {
                let fitting = statistics
                    .characteristic_sets
                    .iter()
                    .filter(|set| !known.is_empty() && known.iter().all(|p| set.predicates.contains(p)));
                for set in fitting {
                    for property in &set.predicates {
                        *found.entry(*property).or_default() += set.subjects;
                    }
                }
            }
        }
        if found.is_empty() {
            return index.properties().to_vec();
        }
        let mut found: Vec<(TermId, u64)> = found.into_iter().collect();
        found.sort_unstable_by_key(|(id, n)| (std::cmp::Reverse(*n), *id));
        found
    }

    /// Names of a namespace: `body:mi`.
    fn names(&mut self, text: &str, place: &Place) {
        let (prefix, local) = self.typed.split_once(':').unwrap_or((self.typed, ""));
        let declared = tokenize(text);
        let declared = crate::syntax::sparql::prefixes_declared(text, &declared);
        let namespace = declared.iter().find(|d| d.prefix == prefix).map(|d| d.iri.to_owned());
        let Some(namespace) = namespace.or_else(|| self.state.prefixes.get(prefix).map(str::to_owned)) else { return };
        self.of_position(text, place);
        let fits_prefix = format!("{prefix}:");
        self.found.retain(|offer| offer.value.starts_with(&fits_prefix));
        let snapshot = &self.state.snapshot;
        for id in iris_starting(snapshot, &format!("{namespace}{local}"), MOST) {
            let offer = offer(self.state, id, &self.span);
            // A longer namespace may have a prefix of its own.
            if offer.value.starts_with(&fits_prefix) {
                self.found.push(offer);
            }
        }
        if let Some(index) = self.state.index().filter(|_| !local.is_empty()) {
            let mut name = Vec::new();
            let mut inside = |id| snapshot.text(id, &mut name) && name.starts_with(namespace.as_bytes());
            let wanted = std::cell::RefCell::new(&mut inside);
            for id in index.search(local, MOST, |id| (wanted.borrow_mut())(id)) {
                self.found.push(offer(self.state, id, &self.span));
            }
        }
        let mut seen = rustc_hash::FxHashSet::default();
        self.found.retain(|offer| seen.insert(offer.value.clone()));
        self.found.truncate(MOST);
    }

    fn iris(&mut self) {
        let start = self.typed.trim_start_matches('<').trim_end_matches('>');
        for id in iris_starting(&self.state.snapshot, start, MOST) {
            let mut offer = offer(self.state, id, &self.span);
            if let Term::NamedNode(node) = self.state.snapshot.term(id) {
                offer.value = node.to_string();
            }
            self.found.push(offer);
        }
    }

    /// Terms whose label has the word at the cursor.
    fn labels(&mut self, text: &str, place: &Place) {
        let term = matches!(
            place.expected,
            Expected::Subject
                | Expected::Verb { .. }
                | Expected::Object { .. }
                | Expected::Expression
                | Expected::Graph
                | Expected::Separator
                | Expected::Projection
        );
        if term {
            let start = self.span.start;
            self.named_by(text, start);
        }
    }

    /// Terms whose label has the word at the cursor and those before it, as many of them as fit together. Whether there are any.
    fn several_words(&mut self, text: &str) -> bool {
        let before = &text[..self.span.end];
        let mut starts: Vec<usize> = Vec::new();
        for token in significant(&tokenize(before)).iter().rev().take(MOST_WORDS) {
            if !matches!(token.kind, Kind::Word | Kind::Keyword | Kind::Integer) || token.text(before) == "a" {
                break;
            }
            starts.push(token.start);
        }
        let longest_first = starts.into_iter().skip(1).rev();
        // A word that the language knows begins a label only where the language would not have it.
        let mut fitting = longest_first.filter(|start| {
            !matches!(
                crate::syntax::cursor::place(text, *start).expected,
                Expected::Nothing | Expected::Query | Expected::Prefix | Expected::Modifier | Expected::Number
            )
        });
        fitting.any(|start| self.named_by(text, start))
    }

    /// Offers the terms whose label fits the text from `start` to the cursor.
    fn named_by(&mut self, text: &str, start: usize) -> bool {
        let Some(index) = self.state.index() else { return false };
        let verb = matches!(crate::syntax::cursor::place(text, start).expected, Expected::Verb { .. });
        let wanted = |id| !verb || index.role(id) == Role::Property;
        let span = start..self.span.end;
        let found = index.search(&text[span.clone()], MOST, wanted);
        self.found.extend(found.iter().map(|id| offer(self.state, *id, &span)));
        !found.is_empty()
    }
}

/// Terms whose label fits what was typed; classes alone, if asked for.
pub fn terms(state: &State, typed: &str, span: &TextSpan, classes: bool) -> Vec<Offer> {
    let Some(index) = state.index() else { return Vec::new() };
    let wanted = |id| !classes || index.role(id) == Role::Class;
    if let Some((prefix, local)) = typed.split_once(':')
        && let Some(namespace) = state.prefixes.get(prefix)
    {
        let found = iris_starting(&state.snapshot, &format!("{namespace}{local}"), MOST);
        return found.into_iter().filter(|id| wanted(*id)).map(|id| offer(state, id, span)).collect();
    }
    if typed.is_empty() {
        return index.classes().iter().take(MOST).map(|(id, _)| offer(state, *id, span)).collect();
    }
    index.search(typed, MOST, wanted).into_iter().map(|id| offer(state, id, span)).collect()
}

/// A term by its CURIE, with its labels and what it is.
fn offer(state: &State, id: TermId, span: &TextSpan) -> Offer {
    let role = state.index().map_or(Role::Thing, |index| index.role(id));
    let kind = match role {
        Role::Class => Some("class".to_owned()),
        Role::Property => Some("property".to_owned()),
        Role::Thing => classes_of(&state.snapshot, id)
            .first()
            .map(|class| labels_of(&state.snapshot, *class).into_iter().next().unwrap_or_else(|| shown(state, *class))),
    };
    let mut about = labels_of(&state.snapshot, id);
    about.truncate(2);
    let mut about = about.join(" · ");
    if let Some(kind) = kind {
        about = format!("{about}{}({kind})", if about.is_empty() { "" } else { "  " });
    }
    Offer { span: span.clone(), value: shown(state, id), about: visible(&about).into_owned() }
}

/// A term as it is written in a query.
fn shown(state: &State, id: TermId) -> String {
    match state.snapshot.term(id) {
        Term::NamedNode(node) => state.prefixes.display(node.as_str()),
        term => visible(&term.to_string()).into_owned(),
    }
}

fn number_of(n: u64, what: &str) -> String {
    match what {
        "uses" => count(n, "use", "uses"),
        "members" => count(n, "member", "members"),
        _ => count(n, "time", "times"),
    }
}

/// Whether a name or one of the labels has a word that begins so.
fn fits(name: &str, labels: &[String], typed: &str) -> bool {
    let typed = typed.to_lowercase();
    let begins = |text: &str| {
        let text = text.to_lowercase();
        text.match_indices(&typed).any(|(at, _)| {
            text[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric() || crate::catalog::is_ideograph(c))
        })
    };
    begins(name) || begins(local_name(name)) || labels.iter().any(|label| begins(label))
}

fn is_type(state: &State, text: &str, written: &str) -> bool {
    written == "a"
        || resolve(state, text, written)
            .is_some_and(|id| state.snapshot.id(crate::rdf::vocabulary::rdf::TYPE.into()) == Some(id))
}

/// The stored term of a name in a query.
fn resolve(state: &State, text: &str, written: &str) -> Option<TermId> {
    let node = if let Some(iri) = written.strip_prefix('<').and_then(|w| w.strip_suffix('>')) {
        NamedNode::new(iri).ok()?
    } else if written == "a" {
        crate::rdf::vocabulary::rdf::TYPE.into_owned()
    } else {
        let (prefix, local) = written.split_once(':')?;
        let tokens = tokenize(text);
        match crate::syntax::sparql::prefixes_declared(text, &tokens).iter().find(|d| d.prefix == prefix) {
            Some(declared) => NamedNode::new(format!("{}{local}", declared.iri)).ok()?,
            None => state.prefixes.expand(written)?,
        }
    };
    state.snapshot.id(node.as_ref().into())
}

/// The values that a property takes, the most frequent first.
fn values(snapshot: &Snapshot, property: TermId) -> Vec<(TermId, u64)> {
    let objects =
        [snapshot.triples(Permutation::Pos), snapshot.quads(QuadPermutation::Posg)].into_iter().flat_map(|index| {
            let rows = index.run(property);
            index.column(1, rows.start..rows.end.min(rows.start + MOST_ROWS)).iter().copied()
        });
    counted(objects.filter(|o| snapshot.kind(*o) != TermKind::BlankNode))
}

fn predicates_of(snapshot: &Snapshot, subject: TermId) -> impl Iterator<Item = TermId> + '_ {
    [snapshot.triples(Permutation::Spo), snapshot.quads(QuadPermutation::Spog)].into_iter().flat_map(move |index| {
        let rows = index.run(subject);
        index.column(1, rows).iter().copied()
    })
}

fn counted(terms: impl Iterator<Item = TermId>) -> Vec<(TermId, u64)> {
    let mut counts: FxHashMap<TermId, u64> = FxHashMap::default();
    for term in terms {
        *counts.entry(term).or_default() += 1;
    }
    let mut counts: Vec<(TermId, u64)> = counts.into_iter().collect();
    counts.sort_unstable_by_key(|(id, n)| (std::cmp::Reverse(*n), *id));
    counts
}

/// The IRIs of the graph that start so, in order: they are stored sorted.
fn iris_starting(snapshot: &Snapshot, start: &str, most: usize) -> Vec<TermId> {
    let range = snapshot.kind_range(TermKind::Iri);
    let mut text = Vec::new();
    let mut before = |id: u32| snapshot.text(TermId::new(id), &mut text) && text.as_slice() < start.as_bytes();
    let (mut low, mut high) = (range.start, range.end);
    while low < high {
        let middle = low + (high - low) / 2;
        if before(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    let mut text = Vec::new();
    (low..range.end)
        .map(TermId::new)
        .take_while(|id| snapshot.text(*id, &mut text) && text.starts_with(start.as_bytes()))
        .take(most)
        .collect()
}

#[cfg(test)]
#[path = "complete_tests.rs"]
mod tests;
