//! The canned queries asked again and compared with the answers expected of them, which the new answers may replace.

use super::replace::Replaced;
use crate::answers::{self, Accepted, Answerer, Coverage, ENDINGS, FOLDER, coverage, first_case};
use crate::catalog::Catalog;
use crate::graph::Graph;
use crate::project::Project;
use kgq_syntax::error::Result;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Which answers are compared, and what becomes of those that differ.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'a> {
    /// Only cases whose name contains this.
    pub filter: Option<&'a str>,
    /// Whether what the queries answer now is to be expected.
    pub accept: bool,
}

/// An answer that is not what is expected, and is not accepted.
pub struct FailedCase {
    /// The name of the query and the case.
    pub name: String,
    pub file: String,
    /// The first line names row and cell.
    pub lines: Vec<String>,
}

/// What the comparison found. Nothing is written yet.
pub struct TestReport {
    /// The number of answers that are as expected.
    pub passed: usize,
    /// In the order of their names; then the queries without a case that cannot be answered.
    pub failures: Vec<FailedCase>,
    /// The files of expected answers with the accepted ones: of cases that failed, and of queries that had no case.
    pub accepted: Vec<Replaced>,
    /// What no expected answer covers, accepted ones included.
    pub coverage: Coverage,
}

/// Compares the answers of the project's canned queries with those expected of them.
///
/// # Errors
/// A graph that is no project, or cannot be loaded; files of answers that cannot be listed.
pub fn test(graph: &Graph, request: Request<'_>) -> Result<TestReport> {
    test_by(graph, request, &mut |query, values| graph.outcome(query, values))
}

fn test_by(graph: &Graph, request: Request<'_>, answer: Answerer<'_>) -> Result<TestReport> {
    let (project, catalog, prefixes) = (graph.require_project()?, graph.catalog()?, graph.prefixes()?);
    // Read before the queries run: what is saved meanwhile was not compared, and may not be replaced.
    let before = if request.accept { contents_for_first(project, catalog) } else { Contents::new() };
    let budget = graph.loading_budget();
    let (cases, read) = answers::run(project, catalog, prefixes, request.filter, answer, &budget)?;
    let passed = cases.iter().filter(|case| case.failure.is_none()).count();
    let (mut failures, mut accepted) = (Vec::new(), Vec::new());
    for case in cases {
        let Some(lines) = case.failure else { continue };
        match case.accepted.filter(|_| request.accept) {
            Some(Accepted { path, before, after }) => {
                let (before, after) = (Some(before.into_bytes()), after.into_bytes());
                accepted.push(Replaced { name: case.file, path, before, after });
            }
            None => failures.push(FailedCase { name: case.name, file: case.file, lines }),
        }
    }
    let base = project.manifest.base.as_deref();
    let coverage = coverage(catalog, &read, graph.parse_context()?, graph.snapshot()?, base);
    graph.intact()?;
    let mut tested = TestReport { passed, failures, accepted, coverage };
    if request.accept {
        tested.accept_first(graph, request.filter, answer, &before)?;
    }
    Ok(tested)
}

impl TestReport {
    /// Accepts the answers of queries that have no case.
    fn accept_first(
        &mut self,
        graph: &Graph,
        filter: Option<&str>,
        answer: Answerer<'_>,
        before: &Contents,
    ) -> Result<()> {
        let (project, catalog, prefixes) = (graph.require_project()?, graph.catalog()?, graph.prefixes()?);
        let mut written = BTreeSet::new();
        for name in first_wanted(&self.coverage.queries, filter, catalog) {
            let query = catalog.get(name)?;
            match first_case(project, query, prefixes, answer) {
                Ok((path, text)) => {
                    let (file, before) = (project.display_path(&path), before.get(&path).cloned());
                    self.accepted.push(Replaced { name: file, path, before, after: text.into_bytes() });
                    written.insert(name.to_owned());
                }
                Err(error) => {
                    let lines = error.to_string().lines().map(str::to_owned).collect();
                    self.failures.push(FailedCase { name: name.to_owned(), file: query.file.clone(), lines });
                }
            }
        }
        self.coverage.queries.retain(|name| !written.contains(name));
        Ok(())
    }
}

/// The queries that get a first case. One with a required parameter cannot be answered without it: a person must write its case.
fn first_wanted<'a>(
    names: &'a [String],
    filter: Option<&'a str>,
    catalog: &'a Catalog,
) -> impl Iterator<Item = &'a str> {
    let is_answerable =
        |name: &str| catalog.get(name).is_ok_and(|query| !query.header.params.values().any(|param| param.required));
    let names = names.iter().map(String::as_str);
    names.filter(move |name| filter.is_none_or(|filter| name.contains(filter)) && is_answerable(name))
}

type Contents = BTreeMap<PathBuf, Vec<u8>>;

/// What stands where first cases would be written: mostly nothing, but also files that are no case, or none that can be read.
fn contents_for_first(project: &Project, catalog: &Catalog) -> Contents {
    let folder = project.root.join(FOLDER);
    let names = catalog.queries.iter().flat_map(|query| ENDINGS.map(|ending| format!("{}.{ending}", query.name)));
    let paths = names.map(|name| folder.join(name)).filter(|path| path.is_file());
    // A file that cannot be read is found when it would be replaced.
    paths.filter_map(|path| std::fs::read(&path).ok().map(|bytes| (path, bytes))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::replace::replace;
    use super::*;
    use crate::graph::OpenOptions;
    use kgq_snapshot::store::Unfinished;
    use std::fs;

    #[test]
    fn only_what_stands_where_a_first_case_would_be_is_read_before_the_queries_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir_all(path(FOLDER).join("new.json")).unwrap();
        fs::write(path("kgq.toml"), "name = \"t\"\ndata = []\nqueries = [\"*.rq\"]\n").unwrap();
        fs::write(path("new.rq"), "#+ title: New\nSELECT ?o { ?s ?p ?o }\n").unwrap();
        for name in [".cache", "notes.md", "new.case.csv", "new.csv"] {
            fs::write(path(FOLDER).join(name), name).unwrap();
        }
        let graph = Graph::open(OpenOptions { folder: folder.path().into(), ..Default::default() }).unwrap();
        let found = contents_for_first(graph.require_project().unwrap(), graph.catalog().unwrap());
        assert_eq!(found, Contents::from([(path(FOLDER).join("new.csv"), b"new.csv".to_vec())]));
    }

    #[test]
    fn an_answer_that_is_saved_while_the_queries_run_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir_all(path(FOLDER)).unwrap();
        fs::write(path("kgq.toml"), "name = \"t\"\ndata = [\"*.ttl\"]\nqueries = [\"*.rq\"]\n").unwrap();
        fs::write(path("a.ttl"), "<http://e/a> <http://e/p> 1 .").unwrap();
        fs::write(path("old.rq"), "#+ title: Old\nSELECT ?o { ?s ?p ?o }\n").unwrap();
        fs::write(path("new.rq"), "#+ title: New\nSELECT ?p { ?s ?p ?o }\n").unwrap();
        let (old, new) = (path(FOLDER).join("old.csv"), path(FOLDER).join("new.csv"));
        let graph = Graph::open(OpenOptions { folder: folder.path().into(), ..Default::default() }).unwrap();
        let accept = Request { filter: None, accept: true };
        let written = |tested: TestReport| replace(None, tested.accepted, &Unfinished::default());
        for saved in [&old, &new] {
            fs::write(&old, "o\n2\n").unwrap();
            let _ = fs::remove_file(&new);
            let tested = test_by(&graph, accept, &mut |query, values| {
                fs::write(saved, "saved meanwhile").unwrap();
                graph.outcome(query, values)
            });
            assert!(written(tested.unwrap()).is_err_and(|error| error.message().contains("was changed")));
            assert_eq!(fs::read(saved).unwrap(), b"saved meanwhile");
        }
        fs::write(&old, "o\n2\n").unwrap();
        fs::remove_file(&new).unwrap();
        written(test(&graph, accept).unwrap()).unwrap();
        assert_eq!(
            (fs::read(&old).unwrap(), fs::read(&new).unwrap()),
            (b"o\n1\n".to_vec(), b"p\nhttp://e/p\n".to_vec())
        );
        assert_eq!(test(&graph, Request::default()).unwrap().passed, 2);
    }
}
