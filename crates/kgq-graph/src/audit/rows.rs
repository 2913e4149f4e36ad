//! What a part of an answer rests on: the statements of its witness, and their citations.

use super::sources::{Audit, Statement};
use kgq_engine::query::Query;
use kgq_engine::why::{Item, why};
use kgq_engine::{EvaluationOptions, Limits, Row};
use kgq_snapshot::Snapshot;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{NamedNode, Triple, Variable};
use rustc_hash::FxHashSet;

/// What one row rests on.
#[derive(Clone, Debug, Default)]
pub struct RowSources {
    /// The distinct triples of its witness, in the order of the query's patterns.
    pub triples: Vec<Triple>,
    pub statements: Vec<Statement>,
    /// The distinct citations of the statements and of their grounds.
    pub citations: Vec<NamedNode>,
    /// Triples that need a citation and have none.
    pub uncited: Vec<Triple>,
    /// Whether some statement is inferred from others.
    pub inferred: bool,
    /// Whether it has no witness, because the query computes it anew each time.
    pub unexplained: bool,
}

/// The triples that need a citation: those in data files that the audit does not exempt.
#[derive(Clone, Copy)]
pub struct Needed<'r> {
    audit: &'r Audit<'r>,
    /// For each file, whether it has the role of data.
    is_data: &'r [bool],
}

impl<'r> Needed<'r> {
    pub fn new(audit: &'r Audit<'_>, is_data: &'r [bool]) -> Self {
        Self { audit, is_data }
    }

    /// Whether the triple needs a citation. A triple that is in no file does not.
    pub fn contains(&self, triple: &Triple) -> bool {
        self.audit.files_of(triple).any(|file| self.is_data.get(file).copied().unwrap_or(false))
            && !self.audit.is_exempt(triple)
    }
}

/// Returns what each row of a SELECT answer rests on.
///
/// # Errors
/// Those of evaluation.
pub fn row_sources(
    audit: &Audit<'_>,
    snapshot: &Snapshot,
    query: &Query,
    variables: &[Variable],
    rows: &[Row],
    options: &EvaluationOptions,
    rule: Option<Needed<'_>>,
) -> Result<Vec<RowSources>> {
    let items: Vec<Item<'_>> = rows.iter().map(|row| Item::Row(variables, row)).collect();
    item_sources(audit, snapshot, query, &items, options, rule)
}

/// Finds what each part of an answer rests on.
///
/// # Errors
/// Those of evaluation.
pub(crate) fn item_sources(
    audit: &Audit<'_>,
    snapshot: &Snapshot,
    query: &Query,
    items: &[Item<'_>],
    options: &EvaluationOptions,
    rule: Option<Needed<'_>>,
) -> Result<Vec<RowSources>> {
    let options = EvaluationOptions { limits: Limits { rows: None, ..options.limits }, ..options.clone() };
    let of_item = |item: &Item<'_>| -> Result<RowSources> {
        let mut sources = RowSources::default();
        let Some(found) = why(snapshot, query, *item, &options)? else {
            sources.unexplained = true;
            return Ok(sources);
        };
        let mut seen = FxHashSet::default();
        let triples = found.statements.into_iter().map(Triple::from);
        sources.triples = triples.filter(|triple| seen.insert(triple.clone())).collect();
        sources.cite(audit, rule);
        Ok(sources)
    };
    let found = items.iter().map(of_item).collect();
    snapshot.intact()?;
    found
}

impl RowSources {
    fn cite(&mut self, audit: &Audit<'_>, rule: Option<Needed<'_>>) {
        let mut seen = FxHashSet::default();
        for triple in &self.triples {
            let statements = audit.behind(triple);
            let citations: Vec<NamedNode> = statements.iter().flat_map(|s| audit.all_citations(s)).collect();
            if citations.is_empty() && rule.is_some_and(|needed| needed.contains(triple)) {
                self.uncited.push(triple.clone());
            }
            self.citations.extend(citations.into_iter().filter(|citation| seen.insert(citation.clone())));
            self.inferred |= statements.iter().any(|statement| !statement.grounds.is_empty());
            self.statements.extend(statements);
        }
    }
}
