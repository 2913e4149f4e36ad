//! An answer with what each of its rows rests on.

use super::why::Part;
use crate::audit::{self, Audit, Reference, RowSources, Texts};
use crate::graph::Graph;
use kgq_engine::query::Query;
use kgq_engine::why::Item;
use kgq_engine::{Answer, EvaluationOptions, Row};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{Literal, Triple, Variable};

/// The rows of an answer, each with its sources; a triple is a row of three, a truth a row of one.
pub struct CitedAnswer {
    pub variables: Vec<Variable>,
    pub rows: Vec<Row>,
    pub sources: Vec<RowSources>,
    /// Whether anybody asks for citations.
    pub has_rule: bool,
    /// Each once; those of one document stand together.
    pub references: Vec<Reference>,
}

/// Finds the sources of each row.
///
/// # Errors
/// Those of evaluation; that the answer is false, which nothing makes it.
pub fn cited_answer(
    graph: &Graph,
    query: &Query,
    answer: Answer,
    audit: &Audit<'_>,
    texts: &Texts,
    options: &EvaluationOptions,
) -> Result<CitedAnswer> {
    let (variables, rows, parts) = as_rows(answer)?;
    let rule = graph.citation_rule(audit)?;
    let items: Vec<Item<'_>> = parts.iter().map(Part::item).collect();
    let sources = audit::item_sources(audit, graph.snapshot()?, query, &items, options, rule)?;
    let mut references: Vec<Reference> = Vec::new();
    for iri in sources.iter().flat_map(|row| &row.citations) {
        if !references.iter().any(|r| r.citation.iri == *iri) {
            references.push(Reference::new(iri, audit, texts));
        }
    }
    // The places of one document stand together, so that its title is printed once.
    let document = |reference: &Reference| reference.document.as_ref().map(|document| document.iri.clone());
    let documents: Vec<_> = references.iter().map(document).collect();
    references.sort_by_cached_key(|reference| documents.iter().position(|known| *known == document(reference)));
    Ok(CitedAnswer { variables, rows, sources, has_rule: rule.is_some(), references })
}

fn as_rows(answer: Answer) -> Result<(Vec<Variable>, Vec<Row>, Vec<Part>)> {
    let named = |names: &[&str]| -> Vec<Variable> { names.iter().map(|name| Variable::new_unchecked(*name)).collect() };
    Ok(match answer {
        Answer::Solutions(solutions) => {
            let variables = solutions.variables;
            let rows: Vec<Row> = solutions.rows.collect::<Result<_>>()?;
            let part = |row: &Row| Part::Row { variables: variables.clone(), row: row.clone() };
            let parts = rows.iter().map(part).collect();
            (variables, rows, parts)
        }
        Answer::Graph(triples) => {
            let triples: Vec<Triple> = triples.0.collect::<Result<_>>()?;
            let row = |t: &Triple| -> Row {
                vec![Some(t.subject.clone().into()), Some(t.predicate.clone().into()), Some(t.object.clone())]
            };
            let rows = triples.iter().map(row).collect();
            (named(&["subject", "predicate", "object"]), rows, triples.into_iter().map(Part::Triple).collect())
        }
        Answer::Boolean(true) => (named(&["answer"]), vec![vec![Some(Literal::from(true).into())]], vec![Part::True]),
        Answer::Boolean(false) => return Err(Error::input("the answer is false, which no statement makes it")),
    })
}
