//! The statements behind each row of an answer.

use super::path::trace;
use super::sources::{Audit, Statement};
use kgq_engine::query::{Binding, BoundTo, Match, Query, Witness, bind, witness};
use kgq_engine::{self as engine, Answer, EvaluationOptions, Limits, Row};
use kgq_snapshot::Snapshot;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{NamedNode, Term, Triple, Variable};

/// How many members of a group are looked at for a row of an aggregate.
pub const MOST_MATCHES: usize = 100;

/// What one row rests on.
#[derive(Clone, Debug, Default)]
pub struct RowSources {
    /// The triples that matched, each once, in the order of the query's patterns.
    pub triples: Vec<Triple>,
    pub statements: Vec<Statement>,
    /// Every citation of the statements, their grounds' included, each once.
    pub citations: Vec<NamedNode>,
    /// Triples that need a citation and have none.
    pub uncited: Vec<Triple>,
    /// Whether some statement is inferred from others.
    pub inferred: bool,
    /// Whether there are more matches than were looked at.
    pub more: bool,
    /// Whether some path was too long to trace.
    pub untraced: bool,
}

/// Finds what each row of a SELECT's answer rests on. `needs` tells whether a triple needs a citation.
pub fn row_sources(
    audit: &Audit<'_>,
    snapshot: &Snapshot,
    query: &Query,
    variables: &[Variable],
    rows: &[Row],
    options: &EvaluationOptions,
    needs: &dyn Fn(&Triple) -> bool,
) -> Result<Vec<RowSources>> {
    let witness = witness(query);
    let options = EvaluationOptions { limits: Limits { rows: None, ..options.limits }, ..options.clone() };
    let of_row = |row: &Row| -> Result<RowSources> {
        let mut sources = RowSources::default();
        let (matches, more) = matches_of(&witness, snapshot, variables, row, &options)?;
        sources.more = more;
        for found in matches {
            match found {
                Match::Triple(triple) => sources.add(audit, triple),
                Match::Path(from, path, to) => match trace(audit, &from, &path, &to) {
                    Some(way) => way.into_iter().for_each(|triple| sources.add(audit, triple)),
                    None => sources.untraced = true,
                },
            }
        }
        sources.cite(audit, needs);
        Ok(sources)
    };
    rows.iter().map(of_row).collect()
}

impl RowSources {
    fn add(&mut self, audit: &Audit<'_>, triple: Triple) {
        if !self.triples.contains(&triple) && audit.holds(&triple) {
            self.triples.push(triple);
        }
    }

    fn cite(&mut self, audit: &Audit<'_>, needs: &dyn Fn(&Triple) -> bool) {
        for triple in &self.triples {
            let mut statements = audit.statements(triple);
            if triple.predicate.as_ref() == rdf::REIFIES {
                statements.extend(audit.statement(&triple.subject));
            }
            let mut cited = false;
            for statement in &statements {
                for citation in audit.all_citations(statement) {
                    cited = true;
                    if !self.citations.contains(&citation) {
                        self.citations.push(citation);
                    }
                }
            }
            if !cited && needs(triple) {
                self.uncited.push(triple.clone());
            }
            self.inferred |= statements.iter().any(|statement| !statement.grounds.is_empty());
            self.statements.extend(statements);
        }
    }
}

/// What matched for one row, and whether there is more.
fn matches_of(
    witness: &Witness,
    snapshot: &Snapshot,
    variables: &[Variable],
    row: &Row,
    options: &EvaluationOptions,
) -> Result<(Vec<Match>, bool)> {
    let values: Vec<(&Variable, &Term)> = variables
        .iter()
        .zip(row)
        .filter(|(variable, _)| witness.shared.contains(*variable))
        .filter_map(|(variable, value)| Some((variable, value.as_ref()?)))
        .collect();
    let mut query = witness.query.clone();
    // A blank node cannot be named in a query; solutions are compared with the row below.
    let bindings: Vec<Binding> = values
        .iter()
        .filter(|(_, term)| matches!(term, Term::NamedNode(_) | Term::Literal(_)))
        .map(|(variable, term)| Binding { variable: (*variable).clone(), value: BoundTo::One((*term).clone()) })
        .collect();
    bind(&mut query, &bindings);
    let Answer::Solutions(solutions) = engine::evaluate(snapshot, &query, options)? else {
        return Err(Error::bug("what is behind a row is a table"));
    };
    let (names, mut matches, mut looked_at) = (solutions.variables, Vec::new(), 0);
    for solution in solutions.rows {
        let solution = solution?;
        let value = |variable: &Variable| -> Option<Term> {
            let at = names.iter().position(|name| name == variable);
            let own = at.and_then(|at| solution.get(at)?.clone());
            own.or_else(|| values.iter().find(|(v, _)| *v == variable).map(|(_, term)| (*term).clone()))
        };
        if !agrees(witness, variables, row, &value) {
            continue;
        }
        if looked_at == MOST_MATCHES {
            return Ok((matches, true));
        }
        looked_at += 1;
        for found in witness.matches(&value) {
            if !matches.contains(&found) {
                matches.push(found);
            }
        }
    }
    Ok((matches, false))
}

/// Whether a match has the row's values, and leaves unbound what the row does.
fn agrees(witness: &Witness, variables: &[Variable], row: &Row, value: &dyn Fn(&Variable) -> Option<Term>) -> bool {
    variables
        .iter()
        .zip(row)
        .filter(|(variable, _)| witness.shared.contains(*variable))
        .all(|(variable, own)| value(variable) == *own)
}
