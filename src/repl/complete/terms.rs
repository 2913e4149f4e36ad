//! Completions from the graph: by position in the query, by name, by CURIE.

use super::graph::{by_frequency, iris_starting, is_type, properties_of, resolve, takes, values};
use super::{MOST, Offer, Offers};
use crate::repl::shared::ProjectState;
use kgq_graph::catalog::{Role, TermIndex, classes_of, is_ideograph, labels_of, local_name};
use kgq_snapshot::TermId;
use kgq_syntax::cursor::{CursorContext, Expected, place, triples};
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{Prefixes, Term};
use kgq_syntax::sparql::{prefixes_declared, tokenize};
use kgq_syntax::text::{count, visible};
use kgq_syntax::{Span, TokenKind, significant};

/// How many terms that fit a position are compared with the typed text; the others are found by name.
const MOST_COMPARED: usize = 400;
/// How many values of a property are inspected for the classes that it leads to.
const MOST_VALUES: usize = 50;
/// How many words of a label are read back from the cursor.
const MOST_WORDS: usize = 5;

impl Offers<'_> {
    /// Offers the terms of the graph for this position, the most frequent first.
    pub(super) fn of_position(&mut self, text: &str, place: &CursorContext) {
        let Some(index) = self.state.index() else { return };
        let snapshot = &self.state.snapshot;
        let (candidates, what) = match &place.expected {
            Expected::Verb { subject } => (self.properties(index, text, subject.as_deref()), "uses"),
            Expected::Object { property: Some(property) } if is_type(self.state, text, property) => {
                (index.classes().iter().take(MOST_COMPARED).copied().collect(), "members")
            }
            Expected::Object { property: Some(property) } => {
                (resolve(self.state, text, property).map(|p| values(snapshot, p)).unwrap_or_default(), "times")
            }
            Expected::Graph => (snapshot.named_graphs().iter().map(|g| (*g, 0)).collect(), ""),
            _ => return,
        };
        let verb = matches!(place.expected, Expected::Verb { .. });
        let rdf_type = snapshot.id(rdf::TYPE.into());
        let mut offered = 0;
        for (id, n) in candidates.into_iter().take(MOST_COMPARED) {
            // It is already offered as `a`.
            if verb && Some(id) == rdf_type && self.typed.is_empty() {
                continue;
            }
            if offered == MOST {
                break;
            }
            let name = self.name(id);
            let labels = labels_of(snapshot, id);
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

    /// The properties that fit a subject, by frequency.
    fn properties(&self, index: &TermIndex, text: &str, subject: Option<&str>) -> Vec<(TermId, u64)> {
        let snapshot = &self.state.snapshot;
        let all_properties = || index.properties().iter().take(MOST_COMPARED).copied().collect();
        let Some(subject) = subject else { return all_properties() };
        let all = triples(text);
        let term = |written: &str| resolve(self.state, text, written);
        if let Some(node) = term(subject) {
            let own = properties_of(snapshot, node);
            if !own.is_empty() {
                return own;
            }
        }
        let of_subject = || all.iter().map(|t| &t.parts).filter(|[s, _, _]| s == subject);
        let mut classes: Vec<TermId> =
            of_subject().filter(|[_, p, _]| is_type(self.state, text, p)).filter_map(|[_, _, o]| term(o)).collect();
        if classes.is_empty() {
            let into = all.iter().map(|t| &t.parts).filter(|[_, _, o]| o == subject).filter_map(|[_, p, _]| term(p));
            let reached = into.flat_map(|p| values(snapshot, p)).take(MOST_VALUES);
            classes = reached.flat_map(|(o, _)| classes_of(snapshot, o)).collect();
            classes.sort_unstable();
            classes.dedup();
        }
        let of_classes = by_frequency(classes.iter().flat_map(|class| index.properties_of(*class)).copied());
        if !of_classes.is_empty() {
            return of_classes;
        }
        // Use the properties of subjects that have all properties of this one.
        let known: Vec<TermId> = of_subject().filter_map(|[_, p, _]| term(p)).collect();
        let sets = [snapshot.statistics(), snapshot.quad_statistics()].into_iter().flat_map(|s| &s.characteristic_sets);
        let fitting = sets.filter(|set| !known.is_empty() && known.iter().all(|p| set.predicates.contains(p)));
        let beside = by_frequency(fitting.flat_map(|set| set.predicates.iter().map(|p| (*p, set.subjects))));
        if beside.is_empty() { all_properties() } else { beside }
    }

    /// Offers names of a namespace, as for `body:mi`.
    pub(super) fn of_namespace(&mut self, text: &str, place: &CursorContext) {
        let (prefix, local) = self.typed.split_once(':').unwrap_or((self.typed, ""));
        let declared = tokenize(text);
        let declared = prefixes_declared(text, &declared);
        let namespace = declared.iter().find(|d| d.prefix == prefix).map(|d| d.iri.to_owned());
        let Some(namespace) = namespace.or_else(|| self.state.prefixes.get(prefix).map(str::to_owned)) else { return };
        self.own = Some(only(prefix, &namespace));
        self.of_position(text, place);
        let snapshot = &self.state.snapshot;
        let verb = matches!(place.expected, Expected::Verb { .. });
        let index = self.state.index();
        let fits_place = |id| !verb || index.is_none_or(|index| index.role(id) == Role::Property);
        let starting = iris_starting(snapshot, &format!("{namespace}{local}"));
        let starting = starting.take(MOST_COMPARED).map(TermId::new).filter(|id| fits_place(*id)).take(MOST);
        let starting: Vec<Offer> = starting.map(|id| self.named_as_typed(id)).collect();
        self.found.extend(starting);
        if let Some(index) = index.filter(|_| !local.is_empty()) {
            let inside = iris_starting(snapshot, &namespace);
            let found = index.search(local, MOST, |id| inside.contains(&id.get()) && fits_place(id));
            let alike: Vec<Offer> = found.terms.into_iter().map(|id| self.named_as_typed(id)).collect();
            self.found.extend(alike);
        }
        // Part of a namespace may have a prefix of its own; names with another prefix do not fit.
        let prefix = format!("{prefix}:");
        self.found.retain(|offer| offer.value.starts_with(&prefix));
        self.found.truncate(MOST);
    }

    fn named_as_typed(&self, id: TermId) -> Offer {
        Offer { value: self.name(id), ..offer(self.state, id, &self.span) }
    }

    /// A term as written in a query, with the prefix that was typed if it fits.
    fn name(&self, id: TermId) -> String {
        let own = self.own.as_ref().and_then(|own| match self.state.snapshot.term(id) {
            Term::NamedNode(node) => own.shorten(node.as_str()),
            _ => None,
        });
        own.unwrap_or_else(|| shown(self.state, id))
    }

    pub(super) fn iris(&mut self) {
        let start = self.typed.trim_start_matches('<').trim_end_matches('>');
        for id in iris_starting(&self.state.snapshot, start).take(MOST).map(TermId::new) {
            let mut offer = offer(self.state, id, &self.span);
            if let Term::NamedNode(node) = self.state.snapshot.term(id) {
                offer.value = node.to_string();
            }
            self.found.push(offer);
        }
    }

    /// Offers terms with the word at the cursor in their label.
    pub(super) fn named(&mut self, text: &str, place: &CursorContext) {
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
            self.named_by(text, self.span.start);
        }
    }

    /// Offers terms whose label has the words up to the cursor, as many as match together. Returns whether there are any.
    pub(super) fn several_words(&mut self, text: &str) -> bool {
        let before = &text[..self.span.end];
        let mut starts: Vec<usize> = Vec::new();
        for token in significant(&tokenize(before)).iter().rev().take(MOST_WORDS) {
            if !matches!(token.kind, TokenKind::Word | TokenKind::Keyword | TokenKind::Integer)
                || token.text(before) == "a"
            {
                break;
            }
            starts.push(token.start);
        }
        let longest_first = starts.into_iter().skip(1).rev();
        // A keyword can begin a label only where the grammar does not allow it.
        let mut fitting = longest_first.filter(|start| {
            !matches!(
                place(text, *start).expected,
                Expected::Nothing | Expected::Query | Expected::Prefix | Expected::Modifier | Expected::Number
            )
        });
        fitting.any(|start| self.named_by(text, start))
    }

    /// Offers terms whose label matches the text from `start` to the cursor: those that fit the position, or else any.
    fn named_by(&mut self, text: &str, start: usize) -> bool {
        let Some(index) = self.state.index() else { return false };
        let span = start..self.span.end;
        let typed = &text[span.clone()];
        let snapshot = &self.state.snapshot;
        let found = match &place(text, start).expected {
            Expected::Verb { .. } => index.search(typed, MOST, |id| index.role(id) == Role::Property),
            Expected::Object { property: Some(property) } => {
                let fitting = if is_type(self.state, text, property) {
                    index.search(typed, MOST, |id| index.role(id) == Role::Class)
                } else {
                    match resolve(self.state, text, property) {
                        Some(property) => index.search(typed, MOST, |id| takes(snapshot, property, id)),
                        None => index.search(typed, MOST, |_| true),
                    }
                };
                if fitting.terms.is_empty() { index.search(typed, MOST, |_| true) } else { fitting }
            }
            _ => index.search(typed, MOST, |_| true),
        };
        self.found.extend(found.terms.iter().map(|id| offer(self.state, *id, &span)));
        !found.terms.is_empty()
    }
}

/// Terms whose label matches the typed text; only classes, if asked for.
pub fn named(state: &ProjectState, typed: &str, span: &Span, classes: bool) -> Vec<Offer> {
    let Some(index) = state.index() else { return Vec::new() };
    let wanted = |id: &TermId| !classes || index.role(*id) == Role::Class;
    let mut own = None;
    let found = if let Some((prefix, local)) = typed.split_once(':')
        && let Some(namespace) = state.prefixes.get(prefix)
    {
        own = Some(only(prefix, namespace));
        let starting = iris_starting(&state.snapshot, &format!("{namespace}{local}"));
        starting.map(TermId::new).take(MOST_COMPARED).filter(wanted).take(MOST).collect()
    } else if typed.is_empty() {
        index.classes().iter().take(MOST).map(|(id, _)| *id).collect()
    } else {
        index.search(typed, MOST, |id| wanted(&id)).terms
    };
    let offers = Offers { state, typed, own, span: span.clone(), found: Vec::new() };
    found.into_iter().map(|id| offers.named_as_typed(id)).collect()
}

/// One prefix, for names that have to begin with it.
fn only(prefix: &str, namespace: &str) -> Prefixes {
    let mut only = Prefixes::new();
    only.insert(prefix, namespace);
    only
}

/// Offers a term by its CURIE, with its labels and its kind.
fn offer(state: &ProjectState, id: TermId, span: &Span) -> Offer {
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

/// A term as written in a query.
fn shown(state: &ProjectState, id: TermId) -> String {
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

/// Whether a word of the name or of a label begins with the typed text.
fn fits(name: &str, labels: &[String], typed: &str) -> bool {
    let typed = typed.to_lowercase();
    let begins = |text: &str| {
        let text = text.to_lowercase();
        text.match_indices(&typed)
            .any(|(at, _)| text[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric() || is_ideograph(c)))
    };
    begins(name) || begins(local_name(name)) || labels.iter().any(|label| begins(label))
}
