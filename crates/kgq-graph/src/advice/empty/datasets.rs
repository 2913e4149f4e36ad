//! Conditions that look at another graph than the one in which what they want stands.

use super::{MOST_COUNTED, MOST_ROWS, Probes};
use crate::advice::Diagnostic;
use crate::advice::place::QueryText;
use kgq_engine::query::LeftOut;
use kgq_engine::query::atoms::{Atom, AtomKind, PatternTerm};
use kgq_snapshot::{QuadPermutation, TermId};
use kgq_syntax::rdf::{NamedNode, Term, Variable};
use kgq_syntax::text::count;

impl Probes<'_> {
    /// Reports a graph in which the conditions would be met, or that is none.
    pub(super) fn elsewhere(&self, core: &[usize], text: &QueryText<'_>) -> Option<Diagnostic> {
        self.outside_of_dataset(core, text)
            .or_else(|| self.value_as_graph(core, text))
            .or_else(|| self.in_default_graph(core, text))
            .or_else(|| self.in_named_graph(core, text))
    }

    /// FROM or FROM NAMED leave out the graph in which a condition is matched.
    fn outside_of_dataset(&self, core: &[usize], text: &QueryText<'_>) -> Option<Diagnostic> {
        let matched =
            |at: &&usize| matches!(self.taken.atoms[**at].condition, AtomKind::Triple { .. } | AtomKind::Path { .. });
        let (at, left_out) = core.iter().filter(matched).find_map(|at| Some((*at, self.taken.left_out(*at)?)))?;
        let changed = self.taken.with_left_out(&left_out);
        let (message, words) = match &left_out {
            LeftOut::Default => (
                "FROM NAMED without FROM leaves the default graph empty, and this is matched there".to_owned(),
                "write FROM in place of FROM NAMED".to_owned(),
            ),
            LeftOut::Named => (
                "FROM without FROM NAMED leaves no named graph, and this is matched in one".to_owned(),
                "write FROM NAMED in place of FROM".to_owned(),
            ),
            LeftOut::Graph(graph) => {
                let graph = self.asked.curie(graph);
                (format!("no FROM NAMED names {graph}, in which this is matched"), format!("add `FROM NAMED {graph}`"))
            }
        };
        let mut hints = vec![self.tried(&words, &changed, core)];
        if left_out == LeftOut::Default {
            hints.push(self.tried("ask for it in `GRAPH ?g { … }`", &self.taken.in_any_graph(core), core));
        }
        let diagnostic = Diagnostic::new("outside-of-dataset", message).at(text, text.atom(&self.taken.atoms[at]));
        Some(hints.into_iter().fold(diagnostic, Diagnostic::hint_if))
    }

    /// `GRAPH ?x` where other conditions give ?x values that are no names of graphs.
    fn value_as_graph(&self, core: &[usize], text: &QueryText<'_>) -> Option<Diagnostic> {
        let (atom, variable) = core.iter().find_map(|at| match &self.taken.atoms[*at] {
            atom @ Atom { graph: Some(PatternTerm::Variable(variable)), .. } => Some((atom, variable)),
            _ => None,
        })?;
        let others: Vec<usize> = core.iter().copied().filter(|at| self.taken.atoms[*at].graph != atom.graph).collect();
        let binds = |at: &usize| !self.taken.only_restricts(*at) && self.taken.atoms[*at].variables.contains(variable);
        if !others.iter().any(binds) {
            return None;
        }
        let values = self.values(&others, variable)?;
        let graphs = self.asked.snapshot.named_graphs();
        let is_graph =
            |term: &Term| self.asked.snapshot.id(term.as_ref()).is_some_and(|id| graphs.binary_search(&id).is_ok());
        let first = values.first().filter(|_| !values.iter().any(is_graph))?;
        let shown = self.asked.shown(first);
        let message = match values.len() {
            1 => format!("no graph is called {shown}, which is what {variable} is here"),
            n => format!(
                "{variable} has {} here, such as {shown}, and no graph is called so",
                count(n as u64, "value", "values")
            ),
        };
        Some(Diagnostic::new("unknown-graph", message).at(text, text.atom(atom)))
    }

    /// The different values of a variable in the first solutions of these conditions.
    fn values(&self, which: &[usize], variable: &Variable) -> Option<Vec<Term>> {
        let (variables, rows) = self.rows(which, MOST_COUNTED)?;
        // Of some of the values nothing can be concluded.
        if rows.len() >= MOST_COUNTED {
            return None;
        }
        let column = variables.iter().position(|own| own == variable)?;
        let mut values: Vec<Term> = Vec::new();
        for value in rows.iter().filter_map(|row| row.get(column)?.as_ref()) {
            if !values.contains(value) {
                values.push(value.clone());
            }
        }
        Some(values)
    }

    /// What the query asks of a named graph is in the default graph.
    fn in_default_graph(&self, core: &[usize], text: &QueryText<'_>) -> Option<Diagnostic> {
        let (atom, graph) = core.iter().find_map(|at| {
            let atom = &self.taken.atoms[*at];
            Some((atom, atom.graph.as_ref()?))
        })?;
        let hint = self.tried("leave GRAPH out", &self.taken.outside_of_graph(graph), core)?;
        let message = "this stands in the default graph, which GRAPH does not look at";
        Some(Diagnostic::new("in-default-graph", message).at(text, text.atom(atom)).hint_if(Some(hint)))
    }

    /// A filter inside `GRAPH ?g` rejects everything because ?g has no value there; behind the group it would not.
    pub(super) fn filter_before_graph(&self, text: &QueryText<'_>) -> Option<Diagnostic> {
        let (at, variable) = self.taken.too_early.first()?;
        let all: Vec<usize> = (0..self.taken.atoms.len()).collect();
        let words = format!("move the FILTER behind the `}}` of GRAPH {variable}");
        let hint = self.tried(&words, self.taken, &all)?;
        let message =
            format!("{variable} has no value yet inside GRAPH {variable} {{ … }}, so this FILTER is never true");
        let place = text.atom(&self.taken.atoms[*at]);
        Some(Diagnostic::new("filter-rejects-all", message).at(text, place).hint_if(Some(hint)))
    }

    /// What the query asks of the default graph is in named graphs.
    fn in_named_graph(&self, core: &[usize], text: &QueryText<'_>) -> Option<Diagnostic> {
        let (atom, names) = core.iter().find_map(|at| {
            let atom = &self.taken.atoms[*at];
            let AtomKind::Triple { subject, predicate: PatternTerm::Term(Term::NamedNode(property)), object } =
                &atom.condition
            else {
                return None;
            };
            let names = if atom.graph.is_none() { self.graphs_with(subject, property, object) } else { Vec::new() };
            (!names.is_empty()).then_some((atom, names))
        })?;
        let hint = self.tried("ask for it in `GRAPH ?g { … }`", &self.taken.in_any_graph(core), core)?;
        let names: Vec<String> = names.iter().take(3).map(|graph| self.asked.curie(graph)).collect();
        let message = format!("this stands in a named graph only: {}", names.join(", "));
        Some(Diagnostic::new("in-named-graph", message).at(text, text.atom(atom)).hint_if(Some(hint)))
    }

    /// The named graphs that have the statement.
    fn graphs_with(&self, subject: &PatternTerm, property: &NamedNode, object: &PatternTerm) -> Vec<NamedNode> {
        let snapshot = self.asked.snapshot;
        let id = |node: &PatternTerm| match node {
            PatternTerm::Term(term) => snapshot.id(term.as_ref()).map(Some),
            PatternTerm::Variable(_) | PatternTerm::Other => Some(None),
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
        let mut graphs: Vec<TermId> = index.blocks(graph_at, rows).take(MOST_ROWS).collect();
        graphs.sort_unstable();
        graphs.dedup();
        let named = graphs.into_iter().filter_map(|g| match snapshot.term(g) {
            Term::NamedNode(node) => Some(node),
            _ => None,
        });
        named.collect()
    }
}
