//! Why a query has no solution: single terms first, then the smallest set of conditions that nothing meets.

use super::place::Text;
use super::{Asked, Finding, terms};
use crate::engine::{self, Answer, EvaluationOptions, Limits};
use crate::error::Error;
use crate::query::atoms::{Atom, Atoms, Condition, Node, ask_triple, atoms};
use crate::query::{Form, Query};
use crate::rdf::vocabulary::rdf;
use crate::rdf::{GraphName, Literal, NamedNode, Term};
use crate::snapshot::{Permutation, QuadPermutation, TermId, TermKind};
use crate::text::{count, visible};
use std::time::{Duration, Instant};

/// How long the search may take, and how many queries it may ask.
const TIME: Duration = Duration::from_secs(1);
const MOST_PROBES: usize = 64;
/// How many statements are looked at for a literal that is almost the same.
const MOST_ROWS: usize = 20_000;
/// Counts are exact up to here.
const MOST_COUNTED: usize = 1_000;

pub fn why(asked: &Asked<'_>, text: &Text<'_>) -> Vec<Finding> {
    let taken = atoms(asked.query);
    if let Some(finding) = sliced(asked, &taken, text) {
        return vec![finding];
    }
    if asked.snapshot.triple_count() + asked.snapshot.quad_count() == 0 {
        return vec![Finding::new("empty-dataset", "there are no data: no file has a statement").at(text, None)];
    }
    let mut found = terms::unknown(asked, text);
    let required = |atom: &&Atom| matches!(atom.condition, Condition::Triple { .. });
    for atom in taken.atoms.iter().filter(required) {
        found.extend(literal(asked, atom, text));
    }
    if !found.is_empty() {
        return found;
    }
    let mut probes = Probes { asked, taken: &taken, started: Instant::now(), asked_for: 0 };
    probes.why(text)
}

/// LIMIT and OFFSET that leave nothing.
fn sliced(asked: &Asked<'_>, taken: &Atoms, text: &Text<'_>) -> Option<Finding> {
    if taken.limit == Some(0) {
        return Some(Finding::new("limit-zero", "LIMIT 0 asks for no rows").at(text, text.keyword("LIMIT")));
    }
    let all: Vec<usize> = (0..taken.atoms.len()).collect();
    if taken.offset > 0 && holds(asked, &taken.ask(&all), TIME) == Some(true) && !taken.having {
        return Some(
            Finding::new("offset-beyond", format!("OFFSET {} passes over every row", taken.offset))
                .at(text, text.keyword("OFFSET")),
        );
    }
    None
}

/// Whether an ASK holds; `None` if that could not be found out in time.
fn holds(asked: &Asked<'_>, query: &Query, time: Duration) -> Option<bool> {
    let limits = Limits { time: Some(time), ..asked.options.limits };
    let options = EvaluationOptions { limits, cancelled: std::sync::Arc::default(), ..asked.options.clone() };
    match engine::evaluate(asked.snapshot, query, &options) {
        Ok(Answer::Boolean(value)) => Some(value),
        Ok(Answer::Solutions(_) | Answer::Graph(_)) | Err(_) => None,
    }
}

/// A literal that the data have in another form.
fn literal(asked: &Asked<'_>, atom: &Atom, text: &Text<'_>) -> Option<Finding> {
    let Condition::Triple {
        predicate: Node::Term(Term::NamedNode(property)),
        object: Node::Term(Term::Literal(wanted)),
        ..
    } = &atom.condition
    else {
        return None;
    };
    of_property(asked, property, wanted, false).map(|f| f.at(text, text.literal(wanted.value())))
}

/// What the property has instead of this literal. `by_value`: whether equal values count as the same, as in a FILTER.
fn of_property(asked: &Asked<'_>, property: &NamedNode, wanted: &Literal, by_value: bool) -> Option<Finding> {
    let snapshot = asked.snapshot;
    let id = snapshot.id(property.as_ref().into())?;
    let mut best: Option<(u8, Literal)> = None;
    let mut sample: Option<Literal> = None;
    for index in [snapshot.triples(Permutation::Pos), snapshot.quads(QuadPermutation::Posg)] {
        let rows = index.run(id);
        let mut last = None;
        for object in index.column(1, rows.start..rows.end.min(rows.start + MOST_ROWS)) {
            if last == Some(*object) || snapshot.kind(*object) != TermKind::Literal {
                continue;
            }
            last = Some(*object);
            let Term::Literal(other) = snapshot.term(*object) else { continue };
            if other == *wanted {
                return None;
            }
            let rank = if other.value() == wanted.value() {
                0
            } else if number(&other).is_some() && number(&other) == number(wanted) {
                if by_value
                    && other.datatype() != oxrdf::vocab::xsd::STRING
                    && wanted.datatype() != oxrdf::vocab::xsd::STRING
                {
                    return None;
                }
                1
            } else if other.value().trim().to_lowercase() == wanted.value().trim().to_lowercase() {
                2
            } else {
                sample.get_or_insert(other);
                continue;
            };
            if best.as_ref().is_none_or(|(old, _)| rank < *old) {
                best = Some((rank, other));
            }
        }
    }
    let shown = |l: &Literal| {
        let text = l.to_string();
        match text.split_once("^^<") {
            Some((value, datatype)) => {
                visible(&format!("{value}^^{}", asked.prefixes.display(datatype.trim_end_matches('>')))).into_owned()
            }
            None => visible(&text).into_owned(),
        }
    };
    let own = asked.curie(property);
    Some(match best {
        Some((2, other)) => Finding::new("literal-case", format!("no {own} is {}", shown(wanted)))
            .hint_if(Some(format!("did you mean {}?", shown(&other)))),
        Some((_, other)) if other.language() != wanted.language() => {
            let has = match other.language() {
                Some(language) => format!("the data have it in the language {language}"),
                None => "the data have it without a language".to_owned(),
            };
            Finding::new("literal-language", format!("no {own} is {}: {has}", shown(wanted)))
                .hint_if(Some(format!("did you mean {}?", shown(&other))))
        }
        Some((_, other)) => Finding::new(
            "literal-datatype",
            format!(
                "no {own} is {}: the data have a {}",
                shown(wanted),
                asked.prefixes.display(other.datatype().as_str())
            ),
        )
        .hint_if(Some(format!("did you mean {}?", shown(&other)))),
        None => Finding::new("unknown-literal", format!("no {own} is {}", shown(wanted)))
            .hint_if(sample.map(|s| format!("one that it has is {}", shown(&s)))),
    })
}

fn number(literal: &Literal) -> Option<f64> {
    literal.value().trim().parse().ok()
}

struct Probes<'a> {
    asked: &'a Asked<'a>,
    taken: &'a Atoms,
    started: Instant,
    asked_for: usize,
}

impl Probes<'_> {
    /// Whether some of the conditions have a solution together; `None` if time or probes are used up.
    fn hold(&mut self, which: &[usize]) -> Option<bool> {
        let left = TIME.checked_sub(self.started.elapsed()).filter(|left| !left.is_zero())?;
        if self.asked_for == MOST_PROBES {
            return None;
        }
        self.asked_for += 1;
        holds(self.asked, &self.taken.ask(which), left)
    }

    fn why(&mut self, text: &Text<'_>) -> Vec<Finding> {
        let all: Vec<usize> = (0..self.taken.atoms.len()).collect();
        match self.hold(&all) {
            Some(true) => return self.after_all(text),
            Some(false) => {}
            None => return Vec::new(),
        }
        let mut whole = true;
        // The shortest beginning without a solution: each condition only takes solutions away.
        let (mut good, mut bad) = (0, all.len());
        while bad - good > 1 {
            let middle = good + (bad - good) / 2;
            match self.hold(&all[..middle]) {
                Some(true) => good = middle,
                Some(false) => bad = middle,
                None => {
                    whole = false;
                    break;
                }
            }
        }
        let mut core: Vec<usize> = all[..bad].to_vec();
        if !whole {
            return self.beginning(good, text);
        }
        // What can be left out without a solution appearing is not the reason.
        for atom in (0..bad.saturating_sub(1)).rev() {
            let without: Vec<usize> = core.iter().copied().filter(|a| *a != atom).collect();
            if !self.keeps_variables(&without) {
                continue;
            }
            match self.hold(&without) {
                Some(false) => core = without,
                Some(true) => {}
                None => break,
            }
        }
        self.explain(&core, text)
    }

    /// Whether every FILTER among these still has its variables bound, which it needs to accept anything.
    fn keeps_variables(&self, which: &[usize]) -> bool {
        let bound = |before: usize, v| {
            which
                .iter()
                .any(|a| *a != before && !self.taken.only_restricts(*a) && self.taken.atoms[*a].variables.contains(v))
        };
        let originally = |v| {
            (0..self.taken.atoms.len())
                .any(|a| !self.taken.only_restricts(a) && self.taken.atoms[a].variables.contains(v))
        };
        which
            .iter()
            .filter(|a| self.taken.only_restricts(**a))
            .all(|a| self.taken.atoms[*a].variables.iter().all(|v| bound(*a, v) || !originally(v)))
    }

    /// The conditions are met, and still there is no row.
    fn after_all(&self, text: &Text<'_>) -> Vec<Finding> {
        if self.taken.having {
            return vec![Finding::new("having-rejects-all", "no group passes HAVING").at(text, text.keyword("HAVING"))];
        }
        if self.asked.query.form() == Form::Construct {
            let message = "there are solutions, but none binds what the template needs";
            return vec![Finding::new("template-unbound", message).at(text, text.keyword("CONSTRUCT"))];
        }
        Vec::new()
    }

    /// Time is up: how far the query has solutions.
    fn beginning(&self, good: usize, text: &Text<'_>) -> Vec<Finding> {
        let Some(next) = self.taken.atoms.get(good) else { return Vec::new() };
        let message = match good {
            0 => "somewhere from here on nothing is found; there was no time to look closer".to_owned(),
            n => format!(
                "the first {} still have solutions; from here on it could not be found out in time",
                count(n as u64, "condition", "conditions")
            ),
        };
        vec![Finding::new("no-common-solution", message).at(text, text.atom(next))]
    }

    fn explain(&self, core: &[usize], text: &Text<'_>) -> Vec<Finding> {
        let atoms: Vec<&Atom> = core.iter().map(|a| &self.taken.atoms[*a]).collect();
        let last = core.last().copied().unwrap_or(0);
        if let [atom] = atoms.as_slice() {
            return vec![self.single(atom, text)];
        }
        if self.taken.only_restricts(last) {
            return vec![self.rejected(core, text)];
        }
        if let [a, b] = atoms.as_slice()
            && let Some(finding) = self.pair(a, b, text)
        {
            return vec![finding];
        }
        let patterns = count(atoms.len() as u64, "condition", "conditions");
        let mut errors: Vec<Error> = Vec::new();
        for (atom, at) in atoms.iter().zip(core) {
            let alone = match self.count(&[*at]) {
                Some(n) if n >= MOST_COUNTED => format!("this alone has {MOST_COUNTED} solutions or more"),
                Some(n) => format!("this alone has {}", count(n as u64, "solution", "solutions")),
                None => "this is one of them".to_owned(),
            };
            let place = text.source.place(text.atom(atom).unwrap_or_else(|| text.start()));
            let first = errors.is_empty();
            let finding =
                Finding::new("no-common-solution", format!("nothing meets these {patterns} together; {alone}"));
            errors.push(if first { finding.error.at(place) } else { Error::input(format!("  and {alone}")).at(place) });
        }
        let error = Error::all(errors).unwrap_or_else(|| Error::bug("the reason was lost"));
        vec![Finding { code: "no-common-solution", error }]
    }

    /// How many solutions conditions have, as far as they are counted.
    fn count(&self, which: &[usize]) -> Option<usize> {
        if which.iter().all(|a| self.taken.only_restricts(*a)) {
            return None;
        }
        let left = TIME.checked_sub(self.started.elapsed()).unwrap_or(Duration::from_millis(100));
        let limits = Limits { time: Some(left.max(Duration::from_millis(50))), ..self.asked.options.limits };
        let options = EvaluationOptions { limits, cancelled: std::sync::Arc::default(), ..self.asked.options.clone() };
        match engine::evaluate(self.asked.snapshot, &self.taken.select(which, MOST_COUNTED), &options) {
            Ok(Answer::Solutions(solutions)) => {
                let mut n = 0;
                for row in solutions.rows {
                    row.ok()?;
                    n += 1;
                }
                Some(n)
            }
            Ok(Answer::Boolean(_) | Answer::Graph(_)) | Err(_) => None,
        }
    }

    /// A condition that nothing meets by itself, though the graph has its terms.
    fn single(&self, atom: &Atom, text: &Text<'_>) -> Finding {
        let span = text.atom(atom);
        if let Condition::Triple { subject, predicate: Node::Term(Term::NamedNode(property)), object } = &atom.condition
        {
            let turned = ask_triple(object, property, subject).filter(|_| *object != *subject);
            let constants = matches!(subject, Node::Term(_)) || matches!(object, Node::Term(Term::NamedNode(_)));
            if constants && turned.is_some_and(|query| self.holds_anywhere(&query)) {
                let own = self.asked.curie(property);
                return Finding::new("reversed", format!("{own} goes the other way round here"))
                    .at(text, span)
                    .hint_if(Some("exchange what stands before and after it, or turn it round with `^`".into()));
            }
            let graphs = self.graphs_with(subject, property, object);
            if atom.graph.is_none() && !graphs.is_empty() {
                let names = graphs.iter().take(3).map(|g| self.asked.curie(g)).collect::<Vec<_>>().join(", ");
                return Finding::new("in-named-graph", format!("this stands in a named graph only: {names}"))
                    .at(text, span)
                    .hint_if(Some("ask for it in `GRAPH ?g { … }`".into()));
            }
            if let (Node::Term(Term::NamedNode(thing)), Node::Variable(_)) = (subject, object) {
                let has = self.properties_of(thing);
                return Finding::new(
                    "no-match",
                    format!("{} has no {}", self.asked.curie(thing), self.asked.curie(property)),
                )
                .at(text, span)
                .hint_if((!has.is_empty()).then(|| format!("it has {}", has.join(", "))));
            }
        }
        if atom.graph.is_some() && self.asked.snapshot.named_graphs().is_empty() {
            return Finding::new("unknown-graph", "the dataset has no named graph")
                .at(text, text.keyword("GRAPH").or(span))
                .hint_if(Some("leave GRAPH out: everything stands in the default graph".into()));
        }
        let message = match atom.condition {
            Condition::Filter => return Finding::new("filter-rejects-all", "this FILTER is never true").at(text, span),
            Condition::Union => "no branch of this UNION finds anything",
            Condition::SubSelect => "this group finds nothing",
            Condition::Values => "this gives no values",
            Condition::Path { .. } => "nothing is connected by this path",
            Condition::Triple { .. } | Condition::Optional | Condition::Minus | Condition::Bind => {
                "no statement fits this"
            }
        };
        Finding::new("no-match", message).at(text, span)
    }

    fn holds_anywhere(&self, query: &Query) -> bool {
        let options = EvaluationOptions { default_graph: engine::DefaultGraph::Union, ..self.asked.options.clone() };
        let asked = Asked { options: &options, ..*self.asked };
        holds(&asked, query, Duration::from_millis(200)) == Some(true)
    }

    /// The named graphs that have the statement.
    fn graphs_with(&self, subject: &Node, property: &NamedNode, object: &Node) -> Vec<NamedNode> {
        let snapshot = self.asked.snapshot;
        let id = |node: &Node| match node {
            Node::Term(term) => snapshot.id(term.as_ref()).map(Some),
            Node::Variable(_) | Node::Other => Some(None),
        };
        let (Some(s), Some(o), Some(p)) = (id(subject), id(object), snapshot.id(property.as_ref().into())) else {
            return Vec::new();
        };
        let (permutation, prefix, graph_at) = match (s, o) {
            (Some(s), Some(o)) => (QuadPermutation::Spog, vec![s, p, o], 3),
            (Some(s), None) => (QuadPermutation::Spog, vec![s, p], 3),
            (None, Some(o)) => (QuadPermutation::Posg, vec![p, o], 3),
            (None, None) => (QuadPermutation::Psog, vec![p], 3),
        };
        let index = snapshot.quads(permutation);
        let rows = index.range(&prefix);
        let mut graphs: Vec<TermId> = index.column(graph_at, rows.start..rows.end.min(rows.start + MOST_ROWS)).to_vec();
        graphs.sort_unstable();
        graphs.dedup();
        let named = graphs.into_iter().filter_map(|g| match snapshot.term(g) {
            Term::NamedNode(node) => Some(node),
            _ => None,
        });
        named.filter(|g| !matches!(GraphName::from(g.clone()), GraphName::DefaultGraph)).collect()
    }

    fn properties_of(&self, thing: &NamedNode) -> Vec<String> {
        let snapshot = self.asked.snapshot;
        let Some(id) = snapshot.id(thing.as_ref().into()) else { return Vec::new() };
        let index = snapshot.triples(Permutation::Spo);
        let mut properties = index.column(1, index.run(id)).to_vec();
        properties.dedup();
        properties
            .into_iter()
            .take(8)
            .filter_map(|p| match snapshot.term(p) {
                Term::NamedNode(node) => Some(self.asked.curie(&node)),
                _ => None,
            })
            .collect()
    }

    /// Two patterns that do not go together, for a reason that can be named.
    fn pair(&self, a: &Atom, b: &Atom, text: &Text<'_>) -> Option<Finding> {
        let (
            Condition::Triple { subject: s1, predicate: Node::Term(Term::NamedNode(p1)), object: o1 },
            Condition::Triple { subject: s2, predicate: Node::Term(Term::NamedNode(p2)), object: o2 },
        ) = (&a.condition, &b.condition)
        else {
            return None;
        };
        // A class and a property on one subject.
        for (class, property, atom, subject, other) in [((p1, o1), p2, b, s1, s2), ((p2, o2), p1, a, s2, s1)] {
            if let ((p, Node::Term(Term::NamedNode(class))), true) =
                (class, subject == other && property.as_ref() != rdf::TYPE)
                && p.as_ref() == rdf::TYPE
            {
                let (class, property) = (self.asked.curie(class), property);
                let users = self.classes_with(property);
                let own = self.asked.curie(property);
                let hint = (!users.is_empty()).then(|| format!("things with {own} are {}", users.join(", ")));
                return Some(
                    Finding::new("not-of-class", format!("no {class} has such a {own}"))
                        .at(text, text.atom(atom))
                        .hint_if(hint),
                );
            }
        }
        // A literal that is asked for its properties.
        for (object, subject, property, atom) in [(o1, s2, p1, b), (o2, s1, p2, a)] {
            if let Node::Variable(variable) = object
                && object == subject
                && self.only_literals(property)
            {
                let message = format!(
                    "?{} is a text or a number here ({}), and such has no properties",
                    variable.as_str(),
                    self.asked.curie(property)
                );
                return Some(Finding::new("literal-as-subject", message).at(text, text.atom(atom)));
            }
        }
        None
    }

    fn classes_with(&self, property: &NamedNode) -> Vec<String> {
        let snapshot = self.asked.snapshot;
        let Some(id) = snapshot.id(property.as_ref().into()) else { return Vec::new() };
        let index = snapshot.triples(Permutation::Pso);
        let rows = index.run(id);
        let subjects = index.column(1, rows.start..rows.end.min(rows.start + MOST_COUNTED));
        let mut counts: std::collections::BTreeMap<TermId, usize> = std::collections::BTreeMap::new();
        for subject in subjects {
            for class in crate::catalog::classes_of(snapshot, *subject) {
                *counts.entry(class).or_default() += 1;
            }
        }
        let mut counts: Vec<(TermId, usize)> = counts.into_iter().collect();
        counts.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        counts
            .into_iter()
            .take(3)
            .filter_map(|(class, _)| match snapshot.term(class) {
                Term::NamedNode(node) => Some(self.asked.curie(&node)),
                _ => None,
            })
            .collect()
    }

    fn only_literals(&self, property: &NamedNode) -> bool {
        let snapshot = self.asked.snapshot;
        let Some(id) = snapshot.id(property.as_ref().into()) else { return false };
        let index = snapshot.triples(Permutation::Pos);
        let objects = index.column(1, index.run(id));
        !objects.is_empty() && objects.iter().take(MOST_ROWS).all(|o| snapshot.kind(*o) == TermKind::Literal)
    }

    /// The last condition takes away what the others found.
    fn rejected(&self, core: &[usize], text: &Text<'_>) -> Finding {
        let (last, before) = core.split_last().expect("a core has a condition");
        let atom = &self.taken.atoms[*last];
        let n = match self.count(before) {
            Some(n) if n >= MOST_COUNTED => format!("all of the {MOST_COUNTED} or more solutions before it"),
            Some(1) => "the only solution before it".to_owned(),
            Some(n) => format!("all {} before it", count(n as u64, "solution", "solutions")),
            None => "all solutions before it".to_owned(),
        };
        if atom.condition == Condition::Minus {
            return Finding::new("minus-removes-all", format!("MINUS takes {n} away")).at(text, text.atom(atom));
        }
        if let Some((variable, wanted)) = atom.equality() {
            let property =
                before.iter().find_map(|a| match &self.taken.atoms[*a].condition {
                    Condition::Triple {
                        predicate: Node::Term(Term::NamedNode(p)), object: Node::Variable(v), ..
                    } if *v == variable => Some(p),
                    _ => None,
                });
            if let Some(finding) = property.and_then(|p| of_property(self.asked, p, &wanted, true)) {
                return finding.at(text, text.atom(atom));
            }
        }
        let hint = if atom.is_text_search() {
            Some("it tells upper from lower case: compare with `LCASE(…)`, or give REGEX the flag \"i\"".to_owned())
        } else {
            self.example(before, &atom.variables)
        };
        Finding::new("filter-rejects-all", format!("this FILTER rejects {n}")).at(text, text.atom(atom)).hint_if(hint)
    }

    /// What one of the rejected solutions looks like.
    fn example(&self, before: &[usize], variables: &[crate::rdf::Variable]) -> Option<String> {
        let limits = Limits { time: Some(Duration::from_millis(200)), ..self.asked.options.limits };
        let options = EvaluationOptions { limits, cancelled: std::sync::Arc::default(), ..self.asked.options.clone() };
        let query = self.taken.select(before, 1);
        let Ok(Answer::Solutions(mut solutions)) = engine::evaluate(self.asked.snapshot, &query, &options) else {
            return None;
        };
        let row = solutions.rows.next()?.ok()?;
        let values: Vec<String> = variables
            .iter()
            .map(|v| {
                let value = solutions.variables.iter().position(|own| own == v).and_then(|at| row.get(at)?.clone());
                let shown = match value {
                    Some(Term::NamedNode(node)) => self.asked.curie(&node),
                    Some(term) => visible(&term.to_string()).into_owned(),
                    None => "unbound".to_owned(),
                };
                format!("?{} is {shown}", v.as_str())
            })
            .collect();
        (!values.is_empty()).then(|| format!("in one of them {}", values.join(", ")))
    }
}
