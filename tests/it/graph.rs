//! The shipped graph: what its canned queries promise to a reader. `KGQ_CASES` is how many of the expected tables of each query
//! are looked at row by row, instead of one of each third query.

use super::updates::number;
use kgq_engine::{Answer, Row};
use kgq_graph::audit::Audit;
use kgq_graph::catalog::Values;
use kgq_graph::graph::{Graph, OpenOptions};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Columns that tell whether a row, or its speaker, is inferred, and by which rule.
const MARKS: [&str; 8] = [
    "inferred",
    "approval_inferred",
    "by_inferred",
    "date_inferred",
    "of_pilot_inferred",
    "order_inferred",
    "attribution",
    "rule",
];

fn session() -> Graph {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).to_owned();
    Graph::open(OpenOptions { folder, ..OpenOptions::default() }).unwrap()
}

/// A row's values by column, and whether it rests on an inference.
type Cited = (BTreeMap<String, String>, bool);

fn answer(session: &Graph, audit: &Audit<'_>, query: &str, parameters: &[String]) -> Vec<Cited> {
    let canned = session.catalog().unwrap().get(query).unwrap();
    let query = session.parse_canned(canned, &Values::parse(parameters).unwrap()).unwrap();
    let Answer::Solutions(solutions) = session.evaluate(&query).unwrap() else { panic!("{} is no table", canned.name) };
    let variables = solutions.variables;
    let rows: Vec<Row> = solutions.rows.collect::<Result<_, _>>().unwrap();
    let sources = session.row_sources(audit, &query, &variables, &rows).unwrap();
    let cited = rows.iter().zip(sources).map(|(row, sources)| {
        let values = variables.iter().zip(row);
        let bound = values.filter_map(|(name, value)| Some((name.as_str().to_owned(), value.as_ref()?.to_string())));
        (bound.collect(), sources.inferred)
    });
    cited.collect()
}

/// The parameters of each expected table, by the query's name.
fn cases() -> BTreeMap<String, Vec<Vec<String>>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut cases: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
    for entry in fs::read_dir(root.join("tests/answers")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "csv") {
            continue;
        }
        let mut name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        while !root.join(format!("queries/{name}.rq")).is_file() {
            name = name.rsplit_once('.').expect("a case is named after a query").0.to_owned();
        }
        let text = fs::read_to_string(&path).unwrap();
        let parameters = text.lines().filter_map(|l| l.strip_prefix("# param ")).map(str::to_owned).collect();
        cases.entry(name).or_default().push(parameters);
    }
    cases.values_mut().for_each(|tables| tables.sort());
    cases
}

#[test]
fn a_row_that_rests_on_an_inference_says_so_in_a_column() {
    let session = session();
    let audit = session.audit().unwrap();
    let (mut inferred, mut unmarked) = (0, Vec::new());
    let (cases, most) = (cases(), number("KGQ_CASES", 0) as usize);
    let step = if most == 0 { 3 } else { 1 };
    for (query, parameters) in
        cases.iter().step_by(step).flat_map(|(query, tables)| tables.iter().take(most.max(1)).map(move |t| (query, t)))
    {
        for (row, _) in answer(&session, &audit, query, parameters).into_iter().filter(|(_, inferred)| *inferred) {
            inferred += 1;
            if !MARKS.iter().any(|mark| row.contains_key(*mark)) {
                unmarked.push(format!("{query} {parameters:?}: {row:?}"));
            }
        }
    }
    assert!(inferred > 100, "only {inferred} rows rest on inferences");
    assert!(unmarked.is_empty(), "{} rows:\n{}", unmarked.len(), unmarked.join("\n"));
}

#[test]
fn posts_that_are_printed_rest_on_no_inference() {
    let session = session();
    let rows = answer(&session, &session.audit().unwrap(), "officials-and-posts", &[]);
    let inferred: Vec<&str> =
        rows.iter().filter(|(_, inferred)| *inferred).map(|(row, _)| row["name"].as_str()).collect();
    assert_eq!((rows.len(), inferred), (6, vec!["\"Ling Ji\"@en", "\"Ling Ji\"@en"]));
}

#[test]
fn every_title_question_and_description_is_in_both_languages() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("queries");
    let mut looked_at = 0;
    for folder in [root.clone(), root.join("checks")] {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|ending| ending != "rq") {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            for key in ["title", "question", "description"] {
                let Some((_, after)) = text.split_once(&format!("#+ {key}:")) else { continue };
                looked_at += 1;
                let mut lines = after.lines();
                let (same, en, zh) = (lines.next().unwrap(), lines.next().unwrap(), lines.next().unwrap());
                assert!(
                    same.trim().is_empty() && en.starts_with("#+   en: ") && zh.starts_with("#+   zh: "),
                    "{key} of {}",
                    path.display()
                );
            }
        }
    }
    assert!(looked_at > 100);
}
