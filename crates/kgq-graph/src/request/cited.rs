//! An answer together with the sources of each row.

use super::why::{AnswerPart, references};
use crate::audit::{self, Audit, Reference, RowSources, Texts};
use crate::graph::Graph;
use kgq_engine::query::Query;
use kgq_engine::why::Item;
use kgq_engine::{Answer, EvaluationOptions, Row};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{Literal, NamedNode, Triple, Variable};
use rustc_hash::FxHashMap;

/// An answer as rows, which can be shown before their sources are known: a triple is a row of three values, a truth
/// value a row of one.
pub struct AnswerRows {
    pub variables: Vec<Variable>,
    pub rows: Vec<Row>,
    /// Whether the answer has more rows than were asked for.
    pub is_cut: bool,
    /// For each row, the part to explain; empty for a false ASK, which no statement makes false.
    parts: Vec<AnswerPart>,
}

/// The rows of an answer, each with its sources.
pub struct CitedAnswer {
    pub variables: Vec<Variable>,
    pub rows: Vec<Row>,
    pub sources: Vec<RowSources>,
    /// Whether citations are expected at all.
    pub has_rule: bool,
    /// Distinct; those of the same document are adjacent.
    pub references: Vec<Reference>,
    numbers: FxHashMap<NamedNode, usize>,
}

/// Finds the sources of each row.
///
/// # Errors
/// Those of evaluation; a false answer, which no statement makes false.
pub fn cited_answer(
    graph: &Graph,
    query: &Query,
    answer: Answer,
    audit: &Audit<'_>,
    texts: &Texts,
    options: &EvaluationOptions,
) -> Result<CitedAnswer> {
    if let Answer::Boolean(false) = answer {
        return Err(Error::input("the answer is false, and no statement is behind that"));
    }
    AnswerRows::of(answer)?.cited(graph, query, audit, texts, options)
}

impl AnswerRows {
    /// # Errors
    /// Those of evaluation.
    pub fn of(answer: Answer) -> Result<Self> {
        Self::first(answer, usize::MAX)
    }

    /// Reads the first `most` rows, and whether there are more. It looks for at most one row beyond them.
    ///
    /// # Errors
    /// Those of evaluation.
    pub fn first(answer: Answer, most: usize) -> Result<Self> {
        let named =
            |names: &[&str]| -> Vec<Variable> { names.iter().map(|name| Variable::new_unchecked(*name)).collect() };
        let looked_for = most.saturating_add(1);
        Ok(match answer {
            Answer::Solutions(solutions) => {
                let variables = solutions.variables;
                let mut rows: Vec<Row> = solutions.rows.take(looked_for).collect::<Result<_>>()?;
                let is_cut = rows.len() > most;
                rows.truncate(most);
                let part = |row: &Row| AnswerPart::Row { variables: variables.clone(), row: row.clone() };
                let parts = rows.iter().map(part).collect();
                Self { variables, rows, is_cut, parts }
            }
            Answer::Graph(triples) => {
                let mut triples: Vec<Triple> = triples.0.take(looked_for).collect::<Result<_>>()?;
                let is_cut = triples.len() > most;
                triples.truncate(most);
                let row = |t: &Triple| -> Row {
                    vec![Some(t.subject.clone().into()), Some(t.predicate.clone().into()), Some(t.object.clone())]
                };
                let (variables, rows) = (named(&["subject", "predicate", "object"]), triples.iter().map(row).collect());
                Self { variables, rows, is_cut, parts: triples.into_iter().map(AnswerPart::Triple).collect() }
            }
            Answer::Boolean(value) => {
                let rows = vec![vec![Some(Literal::from(value).into())]];
                let parts = if value { vec![AnswerPart::True] } else { Vec::new() };
                Self { variables: named(&["answer"]), rows, is_cut: false, parts }
            }
        })
    }

    /// Finds the sources of each row; a false answer has none.
    ///
    /// # Errors
    /// Those of evaluation.
    pub fn cited(
        self,
        graph: &Graph,
        query: &Query,
        audit: &Audit<'_>,
        texts: &Texts,
        options: &EvaluationOptions,
    ) -> Result<CitedAnswer> {
        let Self { variables, rows, parts, .. } = self;
        let rule = graph.citation_rule(audit)?;
        let items: Vec<Item<'_>> = parts.iter().map(AnswerPart::item).collect();
        let mut sources = audit::item_sources(audit, graph.snapshot()?, query, &items, options, rule)?;
        sources.resize_with(rows.len(), RowSources::default);
        // References to the same document are adjacent, so that its title is printed once.
        let references = references(sources.iter().flat_map(|row| &row.citations), audit, texts);
        let numbers = (1..).zip(&references).map(|(number, of)| (of.citation.iri.clone(), number)).collect();
        Ok(CitedAnswer { variables, rows, sources, has_rule: rule.is_some(), references, numbers })
    }
}

impl CitedAnswer {
    /// Returns the reference numbers that a row cites, counted from 1 and sorted.
    pub fn numbers(&self, sources: &RowSources) -> Vec<usize> {
        let mut numbers: Vec<usize> =
            sources.citations.iter().filter_map(|iri| self.numbers.get(iri).copied()).collect();
        numbers.sort_unstable();
        numbers
    }
}
