//! What the smallest set of conditions that nothing meets says: single conditions, pairs, what rejects all before it.

use super::literal::of_property;
use super::{MOST_COUNTED, MOST_ROWS, Probes, TIME, holds};
use crate::advice::place::Text;
use crate::advice::{Asked, Finding};
use kgq_engine::query::Query;
use kgq_engine::query::atoms::{Atom, Condition, Node, ask_triple};
use kgq_engine::{self as engine, Answer, EvaluationOptions, Limits};
use kgq_snapshot::{Permutation, QuadPermutation, TermId, TermKind};
use kgq_syntax::error::Error;
use kgq_syntax::rdf::language::written;
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{GraphName, NamedNode, Term};
use kgq_syntax::text::{count, visible};
use std::time::Duration;

impl Probes<'_> {
    pub(super) fn explain(&self, core: &[usize], text: &Text<'_>) -> Vec<Finding> {
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
    fn example(&self, before: &[usize], variables: &[kgq_syntax::rdf::Variable]) -> Option<String> {
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
                    Some(term) => visible(&written(&term).to_string()).into_owned(),
                    None => "unbound".to_owned(),
                };
                format!("?{} is {shown}", v.as_str())
            })
            .collect();
        (!values.is_empty()).then(|| format!("in one of them {}", values.join(", ")))
    }
}
