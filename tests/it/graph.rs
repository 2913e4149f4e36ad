//! The graph that ships with the project: what its canned queries owe a reader.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Columns that say that a row, or its speaker, is inferred, and by what rule.
const MARKS: [&str; 4] = ["inferred", "date_inferred", "attribution", "rule"];

fn answer(query: &str, parameters: &[String]) -> serde_json::Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kgq"));
    command
        .args(["-C", env!("CARGO_MANIFEST_DIR"), "run", query])
        .args(parameters)
        .args(["--cite", "--format", "json"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{query} {parameters:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Each file of expected tables: the query's name and its parameters.
fn cases() -> Vec<(String, Vec<String>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut cases = Vec::new();
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
        cases.push((name, text.lines().filter_map(|l| l.strip_prefix("# param ")).map(str::to_owned).collect()));
    }
    cases
}

#[test]
fn a_row_that_rests_on_an_inference_says_so_in_a_column() {
    let (mut inferred, mut unmarked) = (0, Vec::new());
    for (query, parameters) in cases() {
        let table = answer(&query, &parameters);
        for row in table["results"]["bindings"].as_array().unwrap() {
            if row["cite"]["inferred"] == true {
                inferred += 1;
                if !MARKS.iter().any(|mark| row.get(*mark).is_some()) {
                    unmarked.push(format!("{query} {parameters:?}: {row}"));
                }
            }
        }
    }
    assert!(inferred > 100, "only {inferred} rows rest on inferences");
    assert!(unmarked.is_empty(), "{} rows:\n{}", unmarked.len(), unmarked.join("\n"));
}

#[test]
fn posts_that_are_printed_rest_on_no_inference() {
    let table = answer("officials-and-posts", &[]);
    let rows = table["results"]["bindings"].as_array().unwrap();
    let inferred: Vec<&str> = rows
        .iter()
        .filter(|row| row["cite"]["inferred"] == true)
        .map(|row| row["name"]["value"].as_str().unwrap())
        .collect();
    assert_eq!((rows.len(), inferred), (6, vec!["Ling Ji", "Ling Ji"]));
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
