//! Evaluates and compares every case of a project.

use super::{Case, Outcome, cases, compare, ending, write};
use crate::catalog::{CannedQuery, Catalog, Values};
use crate::project::Project;
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{Prefixes, Term};
use std::path::PathBuf;

/// A case with what its query answers now.
#[derive(Clone, Debug)]
pub struct Compared {
    /// The name of the query and the case.
    pub name: String,
    pub file: String,
    /// Why it failed, the first line naming row and cell; `None` if it passed.
    pub failure: Option<Vec<String>>,
    /// What its file must hold for the case to pass, if the query could be evaluated.
    pub accepted: Option<Accepted>,
}

/// A file of expected answers with what the query answers now.
#[derive(Clone, Debug)]
pub struct Accepted {
    pub path: PathBuf,
    /// The text that the answer was compared with.
    pub before: String,
    pub after: String,
}

/// Evaluates a canned query with the values of its parameters.
pub type Answerer<'a> = &'a mut dyn FnMut(&CannedQuery, &Values) -> Result<Outcome>;

/// Runs the cases whose name contains `filter`, ordered by name. Also returns the cases that could be read. Each answer is
/// compared within the budget.
pub fn run(
    project: &Project,
    catalog: &Catalog,
    prefixes: &Prefixes,
    filter: Option<&str>,
    answer: Answerer<'_>,
    budget: &Budget,
) -> Result<(Vec<Compared>, Vec<Case>)> {
    let (mut tested, mut all) = (Vec::new(), Vec::new());
    for (name, case) in cases(project, catalog)? {
        let wanted = filter.is_none_or(|filter| name.contains(filter));
        match case {
            Ok(case) => {
                if wanted {
                    tested.push(run_case(catalog, prefixes, &case, answer, budget));
                }
                all.push(case);
            }
            Err(error) if wanted => {
                tested.push(Compared { file: name.clone(), name, failure: Some(lines(&error)), accepted: None })
            }
            Err(_) => {}
        }
    }
    Ok((tested, all))
}

fn run_case(catalog: &Catalog, prefixes: &Prefixes, case: &Case, answer: Answerer<'_>, budget: &Budget) -> Compared {
    let name = |term: &Term| shown(term, prefixes);
    let compared = catalog.get(&case.query).and_then(|query| {
        let outcome = answer(query, &case.values())?;
        Ok((compare(&case.expected, &outcome, &name, budget)?, outcome))
    });
    let (failure, accepted) = match compared {
        Err(error) => (Some(lines(&error)), None),
        Ok((difference, outcome)) => {
            let text = difference.as_ref().and_then(|_| accepted(case, &outcome, prefixes).ok());
            let before = || case.text.clone();
            let accepted = text.map(|after| Accepted { path: case.path.clone(), before: before(), after });
            (difference.map(|d| d.lines), accepted)
        }
    };
    Compared { name: case.name.clone(), file: case.file.clone(), failure, accepted }
}

/// Returns the new text of the file; its comments are kept.
fn accepted(case: &Case, outcome: &Outcome, prefixes: &Prefixes) -> Result<String> {
    let ending = case.file.rsplit('.').next().unwrap_or_default();
    if ending == "json" {
        return write(ending, &case.expected.params, outcome, prefixes);
    }
    let comments: String = case.text.split_inclusive('\n').take_while(|line| line.starts_with('#')).collect();
    Ok(comments + &write(ending, &[], outcome, prefixes)?)
}

/// Makes the first case of a query that has none: its answer with the default values of its parameters.
pub(crate) fn first_case(
    project: &Project,
    query: &CannedQuery,
    prefixes: &Prefixes,
    answer: Answerer<'_>,
) -> Result<(PathBuf, String)> {
    let outcome = answer(query, &Values::default())?;
    let ending = ending(&outcome);
    let path = project.root.join(super::FOLDER).join(format!("{}.{ending}", query.name));
    Ok((path, write(ending, &[], &outcome, prefixes)?))
}

fn lines(error: &Error) -> Vec<String> {
    error.to_string().lines().map(str::to_owned).collect()
}

fn shown(term: &Term, prefixes: &Prefixes) -> String {
    match term {
        Term::NamedNode(iri) => prefixes.display(iri.as_str()),
        Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => term.to_string(),
    }
}
