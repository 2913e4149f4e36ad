//! Why an answer has a row: the statements that it follows from, where each is written, and the sources it is cited
//! from.

mod json;
mod text;

pub use json::document;
pub use text::{Style, sources, text, way_heading};
pub(crate) use text::{derivation_lines, statement_line};

use crate::audit::{Audit, Reference, Statement, Texts};
use crate::graph::Graph;
use kgq_engine::query::Query;
use kgq_engine::why::{Ground, Item, Why, why, witnesses};
use kgq_engine::{Answer, Budget, EvaluationOptions, Row, evaluate};
use kgq_syntax::error::{Error, Place, Result};
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{GraphName, NamedNode, NamedOrBlankNode, Quad, Term, Triple, Variable};
use kgq_syntax::text::count;
use rustc_hash::{FxHashMap, FxHashSet};

/// A part of an answer, with what it rests on.
pub struct Explained {
    pub part: AnswerPart,
    /// The parts of the query, each with what it matched.
    pub grounds: Vec<Ground>,
    /// Whether no statement can be left out.
    pub is_irredundant: bool,
    /// The witness, each statement once.
    pub statements: Vec<Stated>,
    /// Distinct, in the order in which the statements cite them.
    pub references: Vec<Reference>,
}

/// A row of a SELECT, a triple of a CONSTRUCT or DESCRIBE, or the truth of an ASK.
#[derive(Clone, Debug)]
pub enum AnswerPart {
    Row { variables: Vec<Variable>, row: Row },
    Triple(Triple),
    True,
}

/// A statement of the witness.
pub struct Stated {
    pub quad: Quad,
    /// `None` if the graph comes from a saved snapshot.
    pub place: Option<Place>,
    /// Its reifiers in the graph, with what they rest on.
    pub statements: Vec<Statement>,
    /// Its citations, as indices into the references, from 0.
    pub citations: Vec<usize>,
    /// Whether it was inferred from others.
    pub is_inferred: bool,
    /// Whether it needs a citation and has none.
    pub is_uncited: bool,
    /// The statements that it was inferred from; each is followed by those that it was itself inferred from.
    pub derivation: Vec<Derived>,
}

/// A statement from which another was inferred.
pub struct Derived {
    /// The number of steps below the witness statement: 1 if that was inferred from it directly.
    pub depth: usize,
    pub triple: Triple,
    /// What the reifier of the inferred statement says about the inference, such as its rule.
    pub by: Vec<(NamedNode, Term)>,
    pub place: Option<Place>,
    /// Its own citations, as indices into the references.
    pub citations: Vec<usize>,
}

impl AnswerPart {
    pub fn item(&self) -> Item<'_> {
        match self {
            Self::Row { variables, row } => Item::Row(variables, row),
            Self::Triple(triple) => Item::Triple(triple),
            Self::True => Item::True,
        }
    }
}

/// Returns the row or triple with this number, counted from 1; for an ASK, that it is true.
///
/// # Errors
/// Those of evaluation; no part with this number.
pub fn part(graph: &Graph, query: &Query, number: usize) -> Result<AnswerPart> {
    part_within(graph, query, number, &graph.evaluation_options())
}

/// Like [`part`], but evaluated with these options.
///
/// # Errors
/// Those of evaluation; no part with this number.
pub fn part_within(graph: &Graph, query: &Query, number: usize, options: &EvaluationOptions) -> Result<AnswerPart> {
    let at = number.checked_sub(1).ok_or_else(|| Error::usage("rows are counted from 1"))?;
    let none = |found: usize, one: &str, many: &str| {
        Error::input(format!("the answer has no {one} {number}; it has {}", count(found as u64, one, many)))
    };
    match evaluate(graph.snapshot()?, query, options)? {
        Answer::Solutions(solutions) => {
            let (variables, mut rows, mut found) = (solutions.variables, solutions.rows, 0);
            while let Some(row) = rows.next().transpose()? {
                if found == at {
                    return Ok(AnswerPart::Row { variables, row });
                }
                found += 1;
            }
            Err(none(found, "row", "rows"))
        }
        Answer::Graph(triples) => {
            let (mut triples, mut found) = (triples.0, 0);
            while let Some(triple) = triples.next().transpose()? {
                if found == at {
                    return Ok(AnswerPart::Triple(triple));
                }
                found += 1;
            }
            Err(none(found, "triple", "triples"))
        }
        Answer::Boolean(true) => Ok(AnswerPart::True),
        Answer::Boolean(false) => Err(Error::input("the answer is false, and no statement is behind that")),
    }
}

/// Ways to a row are counted only up to this number.
pub(crate) const MOST_WAYS: usize = 1_000;

/// Explains the ways to a part of an answer, as many as are shown, and counts them up to `MOST_WAYS`.
///
/// # Errors
/// As [`explain`].
pub fn explain_ways(
    graph: &Graph,
    query: &Query,
    part: &AnswerPart,
    shown: usize,
    audit: &Audit<'_>,
    texts: &Texts,
) -> Result<(Vec<Explained>, usize)> {
    let found = witnesses(graph.snapshot()?, query, part.item(), &graph.evaluation_options(), MOST_WAYS)?;
    let all = found.len();
    let budget = graph.evaluation_options().budget_of_query();
    let explained =
        found.into_iter().take(shown).map(|found| as_explained(graph, found, part.clone(), audit, texts, &budget));
    Ok((explained.collect::<Result<_>>()?, all))
}

/// Explains a part of an answer.
///
/// # Errors
/// Those of evaluation; a value that the query computes anew each time.
pub fn explain(graph: &Graph, query: &Query, part: AnswerPart, audit: &Audit<'_>, texts: &Texts) -> Result<Explained> {
    explain_within(graph, query, part, audit, texts, &graph.evaluation_options())
}

/// Like [`explain`], but evaluated with these options.
///
/// # Errors
/// Those of evaluation; a value that the query computes anew each time.
pub fn explain_within(
    graph: &Graph,
    query: &Query,
    part: AnswerPart,
    audit: &Audit<'_>,
    texts: &Texts,
    options: &EvaluationOptions,
) -> Result<Explained> {
    let snapshot = graph.snapshot()?;
    let found = why(snapshot, query, part.item(), options)?;
    let found = found.ok_or_else(|| {
        Error::input("what the query computes there is new each time it is asked, so it cannot be explained")
    })?;
    as_explained(graph, found, part, audit, texts, &options.budget_of_query())
}

fn as_explained(
    graph: &Graph,
    found: Why,
    part: AnswerPart,
    audit: &Audit<'_>,
    texts: &Texts,
    budget: &Budget,
) -> Result<Explained> {
    let (grounds, is_irredundant) = (found.grounds, found.is_irredundant);
    let (statements, references) = stated(graph, found.statements, audit, texts, budget)?;
    Ok(Explained { part, grounds, is_irredundant, statements, references })
}

/// Returns statements with their places and citations, and the distinct references that they cite.
///
/// # Errors
/// Those of reading the files, and of the budget.
pub fn stated(
    graph: &Graph,
    quads: Vec<Quad>,
    audit: &Audit<'_>,
    texts: &Texts,
    budget: &Budget,
) -> Result<(Vec<Stated>, Vec<Reference>)> {
    let needed = graph.citation_rule(audit)?;
    let mut stated = Vec::new();
    let mut cited: Vec<Vec<NamedNode>> = Vec::new();
    for quad in quads {
        let triple = Triple::from(quad.clone());
        let statements = audit.behind(&triple);
        let citations: Vec<NamedNode> = statements.iter().flat_map(|s| audit.all_citations(s)).collect();
        stated.push(Stated {
            place: None,
            is_inferred: statements.iter().any(|statement| !statement.grounds.is_empty()),
            is_uncited: citations.is_empty() && needed.is_some_and(|needed| needed.contains(&triple)),
            quad,
            statements,
            citations: Vec::new(),
            derivation: Vec::new(),
        });
        cited.push(citations);
    }
    let references = references(cited.iter().flatten(), audit, texts);
    let number: FxHashMap<&NamedNode, usize> =
        references.iter().enumerate().map(|(number, reference)| (&reference.citation.iri, number)).collect();
    for (stated, citations) in stated.iter_mut().zip(&cited) {
        stated.citations = citations.iter().filter_map(|citation| number.get(citation).copied()).collect();
        stated.citations.sort_unstable();
        stated.citations.dedup();
        stated.derivation = derivation(&stated.statements, audit, &number);
    }
    find_places(graph, &mut stated, budget)?;
    graph.intact()?;
    Ok((stated, references))
}

/// Returns the statements that these were inferred from, directly or through others, each once.
fn derivation(statements: &[Statement], audit: &Audit<'_>, number: &FxHashMap<&NamedNode, usize>) -> Vec<Derived> {
    let mut seen: FxHashSet<NamedOrBlankNode> = statements.iter().map(|s| s.reifier.clone()).collect();
    // A stack: grounds are pushed in reverse, so that each is followed by what it rests on itself.
    let mut open: Vec<(usize, Statement, NamedOrBlankNode)> = Vec::new();
    let push = |depth: usize, statement: &Statement, open: &mut Vec<_>| {
        for ground in statement.grounds.iter().rev() {
            open.extend(audit.statement(ground).map(|ground| (depth, ground, statement.reifier.clone())));
        }
    };
    statements.iter().rev().for_each(|statement| push(1, statement, &mut open));
    let mut found = Vec::new();
    while let Some((depth, statement, inferred)) = open.pop() {
        if !seen.insert(statement.reifier.clone()) {
            continue;
        }
        push(depth + 1, &statement, &mut open);
        let by = audit.remarks(&inferred).into_iter();
        found.push(Derived {
            depth,
            citations: statement.citations.iter().filter_map(|citation| number.get(citation).copied()).collect(),
            by: by.filter(|(property, _)| property.as_ref() != rdf::TYPE).collect(),
            triple: statement.triple,
            place: None,
        });
    }
    found
}

/// Finds where the statements, and those that they were inferred from, are written.
fn find_places(graph: &Graph, stated: &mut [Stated], budget: &Budget) -> Result<()> {
    let derived = stated.iter().flat_map(|stated| &stated.derivation);
    let derived = derived.map(|derived| derived.triple.clone().in_graph(GraphName::DefaultGraph));
    let quads: Vec<Quad> = stated.iter().map(|stated| stated.quad.clone()).chain(derived).collect();
    let mut places = graph.places_of(&quads, budget)?.into_iter();
    stated.iter_mut().zip(&mut places).for_each(|(stated, place)| stated.place = place);
    let derived = stated.iter_mut().flat_map(|stated| &mut stated.derivation);
    derived.zip(places).for_each(|(derived, place)| derived.place = place);
    Ok(())
}

/// Returns the distinct references of these citations; those of one document are adjacent.
pub(super) fn references<'c>(
    citations: impl Iterator<Item = &'c NamedNode>,
    audit: &Audit<'_>,
    texts: &Texts,
) -> Vec<Reference> {
    let mut seen = FxHashSet::default();
    let mut references: Vec<Reference> =
        citations.filter(|citation| seen.insert(*citation)).map(|iri| Reference::new(iri, audit, texts)).collect();
    let document = |reference: &Reference| reference.document.as_ref().map(|document| document.iri.clone());
    let mut first: FxHashMap<Option<NamedNode>, usize> = FxHashMap::default();
    for (at, reference) in references.iter().enumerate() {
        first.entry(document(reference)).or_insert(at);
    }
    references.sort_by_cached_key(|reference| first.get(&document(reference)).copied());
    references
}
