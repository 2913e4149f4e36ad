//! The dataset that Oxigraph's evaluator sees: a snapshot's indexes, restricted to the graphs that the query asks for.
//!
//! It decides itself which graphs a query sees (FROM, FROM NAMED, the union of all): spareval would repeat a triple
//! that two merged graphs share.

use super::DefaultGraph;
use kgq_snapshot::{Bound, Index, InlineValue, Permutation, QuadPermutation, Snapshot, TermId, TermKind};
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{NamedNode, Term};
use spareval::{ExpressionTerm, InternalQuad, QueryableDataset};
use spargebra::Query;
use std::ops::Range;
use std::sync::Arc;

/// The dataset of one query.
pub(super) struct DatasetView<'a> {
    snapshot: &'a Snapshot,
    default: Sources,
    /// The named graphs that FROM NAMED lists; `None` for all.
    named: Option<Arc<[EvaluatedTerm]>>,
    budget: Budget,
}

/// The graphs that make up a query's default graph.
#[derive(Clone)]
struct Sources {
    stored_default: bool,
    named: NamedSources,
}

#[derive(Clone)]
enum NamedSources {
    All,
    /// Sorted.
    These(Arc<[TermId]>),
}

/// A term of the snapshot, or one made by the query. The snapshot never contains a made term, so equality is that of terms.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum EvaluatedTerm {
    Stored(TermId),
    Made(Arc<Term>),
}

impl<'a> DatasetView<'a> {
    pub(super) fn new(snapshot: &'a Snapshot, query: &Query, default_graph: DefaultGraph, budget: Budget) -> Self {
        let stored = |graphs: &[NamedNode]| -> Arc<[TermId]> {
            let mut ids: Vec<TermId> = graphs.iter().filter_map(|g| snapshot.id(g.as_ref().into())).collect();
            ids.sort_unstable();
            ids.dedup();
            ids.into()
        };
        let all = |stored_default| Sources { stored_default, named: NamedSources::All };
        let (default, named) = match (query.dataset(), default_graph) {
            (None, DefaultGraph::Stored) => {
                (Sources { stored_default: true, named: NamedSources::These(Arc::new([])) }, None)
            }
            (None, DefaultGraph::Union) => (all(true), None),
            (Some(dataset), _) => {
                let default = Sources { stored_default: false, named: NamedSources::These(stored(&dataset.default)) };
                (default, dataset.named.clone())
            }
        };
        let mut view = Self { snapshot, default, named: None, budget };
        view.named = named.map(|names| {
            let mut seen = Vec::new();
            for name in names {
                let name = view.evaluated(name.into());
                if !seen.contains(&name) {
                    seen.push(name);
                }
            }
            seen.into()
        });
        view
    }

    fn evaluated(&self, term: Term) -> EvaluatedTerm {
        match self.snapshot.id(term.as_ref()) {
            Some(id) => EvaluatedTerm::Stored(id),
            None => EvaluatedTerm::Made(Arc::new(term)),
        }
    }

    fn term(&self, term: EvaluatedTerm) -> Term {
        match term {
            EvaluatedTerm::Stored(id) => self.snapshot.term(id),
            EvaluatedTerm::Made(term) => Arc::unwrap_or_clone(term),
        }
    }

    fn rows(&self, (index, rows): (Index<'a>, Range<usize>)) -> Rows<'a> {
        Rows {
            index,
            rows,
            key: None,
            columns: Default::default(),
            at: 0,
            snapshot: self.snapshot,
            budget: self.budget.clone(),
        }
    }

    /// Returns the triples of the stored default graph that match.
    fn stored_default(&self, pattern: Bound) -> Rows<'a> {
        self.rows(self.snapshot.matching_triples(pattern))
    }

    /// Returns the quads of all named graphs that match; the same triple in several graphs comes in a row.
    fn all_named(&self, pattern: Bound) -> Rows<'a> {
        self.rows(self.snapshot.matching_quads(pattern))
    }

    /// Returns the quads of one named graph that match.
    fn one_named(&self, pattern: Bound, graph: TermId) -> Found<'a> {
        let (permutation, prefix) = match pattern {
            [Some(s), Some(p), Some(o)] => (QuadPermutation::Gspo, vec![graph, s, p, o]),
            [Some(s), Some(p), None] => (QuadPermutation::Gspo, vec![graph, s, p]),
            [Some(s), None, None] => (QuadPermutation::Gspo, vec![graph, s]),
            [None, None, None] => (QuadPermutation::Gspo, vec![graph]),
            [None, Some(p), Some(o)] => (QuadPermutation::Gpos, vec![graph, p, o]),
            [None, Some(p), None] => (QuadPermutation::Gpos, vec![graph, p]),
            // No permutation begins with the graph and the object.
            [_, None, Some(_)] => {
                let of_graph = move |quad: &Result<Quad>| quad.as_ref().map_or(true, |q| q[3] == graph);
                return Box::new(self.all_named(pattern).filter(of_graph));
            }
        };
        let index = self.snapshot.quads(permutation);
        Box::new(self.rows((index, index.range(&prefix))))
    }

    /// Returns the triples of the query's default graph that match, each once.
    fn default_graph(&self, pattern: Bound) -> Found<'a> {
        let Sources { stored_default, named } = self.default.clone();
        let stored = stored_default.then(|| self.stored_default(pattern)).into_iter().flatten();
        let named: Found<'a> = match named {
            NamedSources::These(graphs) if graphs.is_empty() => return Box::new(stored),
            NamedSources::These(graphs) if graphs.len() == 1 => self.one_named(pattern, graphs[0]),
            NamedSources::These(graphs) => Box::new(
                self.all_named(pattern)
                    .filter(move |quad| quad.as_ref().map_or(true, |q| graphs.binary_search(&q[3]).is_ok())),
            ),
            NamedSources::All => Box::new(self.all_named(pattern)),
        };
        let spo = self.snapshot.triples(Permutation::Spo);
        let mut last = None;
        Box::new(stored.chain(named.filter(move |quad| {
            let Ok([s, p, o, _]) = *quad else { return true };
            // The graph is the last sort key, so repetitions follow each other.
            let repeated = last == Some([s, p, o]) || (stored_default && !spo.range(&[s, p, o]).is_empty());
            last = Some([s, p, o]);
            !repeated
        })))
    }
}

/// Subject, predicate, object, and the graph, which is unbound for the stored default graph.
type Quad = [TermId; 4];
type Found<'a> = Box<dyn Iterator<Item = Result<Quad>> + 'a>;

/// The rows of a range of an index as quads.
struct Rows<'a> {
    index: Index<'a>,
    rows: Range<usize>,
    /// The first column's id in the current row, and the end of its run.
    key: Option<(TermId, usize)>,
    /// The other columns of the rows being read.
    columns: [Vec<TermId>; 3],
    at: usize,
    snapshot: &'a Snapshot,
    budget: Budget,
}

impl Rows<'_> {
    /// Rows read at once; the budget is checked in between.
    const CHUNK: usize = 1024;
}

impl Iterator for Rows<'_> {
    type Item = Result<Quad>;

    fn next(&mut self) -> Option<Result<Quad>> {
        let order = self.index.order();
        if self.at == self.columns[0].len() {
            if self.rows.is_empty() {
                return None;
            }
            let chunk = self.rows.start..self.rows.end.min(self.rows.start + Self::CHUNK);
            for (depth, column) in (1..order.len()).zip(&mut self.columns) {
                column.clear();
                self.index.read(depth, chunk.clone(), column);
            }
            self.at = 0;
            if let Err(error) = self.budget.check().and_then(|()| self.snapshot.intact()) {
                self.rows = 0..0;
                self.columns = Default::default();
                return Some(Err(error));
            }
        }
        let row = self.rows.start;
        let key = match self.key {
            Some((key, end)) if row < end => key,
            _ => {
                let key = self.index.key_at(row);
                self.key = Some((key, self.index.run(key).end));
                key
            }
        };
        let mut quad = [TermId::UNBOUND; 4];
        quad[order[0].position()] = key;
        for (component, column) in order[1..].iter().zip(&self.columns) {
            quad[component.position()] = column[self.at];
        }
        self.rows.start += 1;
        self.at += 1;
        Some(Ok(quad))
    }
}

impl<'a> QueryableDataset<'a> for DatasetView<'a> {
    type InternalTerm = EvaluatedTerm;
    type Error = Error;

    fn internal_quads_for_pattern(
        &self,
        subject: Option<&EvaluatedTerm>,
        predicate: Option<&EvaluatedTerm>,
        object: Option<&EvaluatedTerm>,
        graph_name: Option<Option<&EvaluatedTerm>>,
    ) -> impl Iterator<Item = Result<InternalQuad<EvaluatedTerm>>> + use<'a> {
        let mut pattern = [None; 3];
        let mut possible = true;
        for (bound, term) in pattern.iter_mut().zip([subject, predicate, object]) {
            match term {
                Some(EvaluatedTerm::Stored(id)) => *bound = Some(*id),
                // No statement contains a term that the dataset lacks.
                Some(EvaluatedTerm::Made(_)) => possible = false,
                None => {}
            }
        }
        let found: Found<'a> = match graph_name {
            _ if !possible => Box::new(std::iter::empty()),
            Some(None) => self.default_graph(pattern),
            Some(Some(EvaluatedTerm::Made(_))) => Box::new(std::iter::empty()),
            Some(Some(graph)) if self.named.as_ref().is_some_and(|named| !named.contains(graph)) => {
                Box::new(std::iter::empty())
            }
            Some(Some(EvaluatedTerm::Stored(graph))) => self.one_named(pattern, *graph),
            None => match &self.named {
                None => Box::new(self.all_named(pattern)),
                Some(named) => {
                    let named = Arc::clone(named);
                    Box::new(self.all_named(pattern).filter(move |quad| {
                        quad.as_ref().map_or(true, |q| named.contains(&EvaluatedTerm::Stored(q[3])))
                    }))
                }
            },
        };
        let in_default = matches!(graph_name, Some(None));
        // Here the evaluator learns that it has to stop. It may go on reading after an error, and then finds nothing.
        let found: Found<'a> = match self.budget.check() {
            Ok(()) => found,
            Err(error) => Box::new(std::iter::once(Err(error))),
        };
        found.map(move |quad| {
            let [subject, predicate, object, graph] = quad?;
            Ok(InternalQuad {
                subject: EvaluatedTerm::Stored(subject),
                predicate: EvaluatedTerm::Stored(predicate),
                object: EvaluatedTerm::Stored(object),
                graph_name: (!in_default).then_some(EvaluatedTerm::Stored(graph)),
            })
        })
    }

    fn internal_named_graphs(&self) -> impl Iterator<Item = Result<EvaluatedTerm>> + use<'a> {
        let names: Vec<EvaluatedTerm> = match &self.named {
            Some(named) => named.to_vec(),
            None => self.snapshot.named_graphs().iter().map(|id| EvaluatedTerm::Stored(*id)).collect(),
        };
        names.into_iter().map(Ok)
    }

    fn contains_internal_graph_name(&self, graph_name: &EvaluatedTerm) -> Result<bool> {
        Ok(match (&self.named, graph_name) {
            (Some(named), graph) => named.contains(graph),
            (None, EvaluatedTerm::Stored(id)) => self.snapshot.named_graphs().binary_search(id).is_ok(),
            (None, EvaluatedTerm::Made(_)) => false,
        })
    }

    fn internalize_term(&self, term: Term) -> Result<EvaluatedTerm> {
        Ok(self.evaluated(term))
    }

    fn externalize_term(&self, term: EvaluatedTerm) -> Result<Term> {
        Ok(self.term(term))
    }

    fn externalize_expression_term(&self, term: EvaluatedTerm) -> Result<ExpressionTerm> {
        let EvaluatedTerm::Stored(id) = term else { return Ok(self.term(term).into()) };
        if self.snapshot.kind(id) != TermKind::Literal {
            return Ok(self.snapshot.term(id).into());
        }
        Ok(match self.snapshot.value(id) {
            InlineValue::Boolean(value) => ExpressionTerm::BooleanLiteral(value.into()),
            InlineValue::Integer(value) => ExpressionTerm::IntegerLiteral(value),
            InlineValue::Decimal(value) => ExpressionTerm::DecimalLiteral(value),
            InlineValue::Float(value) => ExpressionTerm::FloatLiteral(value),
            InlineValue::Double(value) => ExpressionTerm::DoubleLiteral(value),
            InlineValue::DateTime(value) => ExpressionTerm::DateTimeLiteral(value),
            InlineValue::Date(_)
            | InlineValue::String
            | InlineValue::LanguageString
            | InlineValue::Wide
            | InlineValue::Other
            | InlineValue::BlankNode
            | InlineValue::Iri
            | InlineValue::Triple => self.snapshot.term(id).into(),
        })
    }
}
