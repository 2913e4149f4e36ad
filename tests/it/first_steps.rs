//! The first steps of a new user, through the program itself: a project of one's own, the shipped graph, files without a project.

use super::program;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn kgq(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kgq"));
    command.current_dir(folder).args(arguments).stdin(Stdio::null());
    // The user's own cache and history are neither read nor written.
    command.env("XDG_CACHE_HOME", std::env::temp_dir().join("kgq-tests-cache"));
    command.output().unwrap()
}

/// The output of a run that must succeed.
fn says(folder: &Path, arguments: &[&str]) -> String {
    let output = kgq(folder, arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn a_new_project_answers_checks_and_tests() {
    let dir = tempfile::tempdir().unwrap();
    says(dir.path(), &["new", "mine"]);
    let mine = dir.path().join("mine");
    let all = says(&mine, &["run", "people-by-team", "--format", "csv"]);
    assert_eq!(all.replace('\r', ""), "name,teamName\nGrace,Engineering\nAda,Research\n");
    let one = says(&mine, &["run", "people-by-team", "team=Research", "--format", "csv"]);
    assert_eq!(one.replace('\r', ""), "name,teamName\nAda,Research\n");
    says(&mine, &["check"]);
    says(&mine, &["test"]);
    let again = kgq(dir.path(), &["new", "mine"]);
    assert_eq!(again.status.code(), Some(3));
}

#[test]
fn the_main_job_lists_twenty_regions_in_four_cohorts() {
    let answer = says(repository(), &["run", "regions-by-cohort", "--format", "csv"]);
    assert_eq!(answer.lines().count(), 21, "{answer}");
    for cohort in ["one", "four", "six", "nine"] {
        assert!(answer.contains(&format!("/id/cohort/{cohort},")), "{cohort}");
    }
}

#[test]
fn the_same_query_gives_the_same_rows_from_a_project_and_from_files() {
    let query = "SELECT ?region WHERE { ?region <https://opening-up.example/ontology#cohort> ?c } ORDER BY ?region";
    let project = says(repository(), &["query", query]);
    assert!(project.lines().count() > 20, "{project}");
    assert_eq!(says(repository(), &["query", "-d", "data/cohorts.ttl", "-d", "data/regions.ttl", query]), project);
    assert_eq!(says(repository(), &["--engine", "oxigraph", "query", query]), project);
    let home = tempfile::tempdir().unwrap();
    let arguments = ["-C", repository().to_str().unwrap(), "repl"];
    let session = super::program::run_with_input(home.path(), &arguments, format!("{query} ;\n").into_bytes());
    assert_eq!(session.text(), project, "{}", session.stderr);
}

#[test]
fn every_canned_query_that_needs_no_value_answers() {
    let listed = says(repository(), &["queries"]);
    let names: Vec<&str> = listed.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.len() >= 20, "{names:?}");
    // All in one session, which reads the files once; some by themselves, too.
    let script: String = names.iter().map(|name| format!(".run {name}\n")).collect();
    let home = tempfile::tempdir().unwrap();
    let arguments = ["-C", repository().to_str().unwrap(), "repl", "--keep-going"];
    let session = program::run_with_input(home.path(), &arguments, format!("{script}ASK {{}} ;\n").into_bytes());
    let refused: Vec<&str> = session.stderr.lines().filter(|line| line.starts_with("<stdin>:")).collect();
    assert!(refused.iter().all(|line| line.contains("needs a value")), "{}", session.stderr);
    assert!(refused.len() < names.len() / 2 && session.text().ends_with("true\n"), "{session:?}");
    for name in names.iter().step_by(12) {
        let output = kgq(repository(), &["run", name]);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() || errors.contains("needs a value"), "{name}: {errors}");
    }
}

#[test]
fn a_select_clause_uses_its_own_names_and_group_by_gives_new_ones() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("d.ttl"), "<e:a> <e:in> <e:x> . <e:b> <e:in> <e:x> . <e:c> <e:in> <e:y> .")
        .unwrap();
    for engine in ["kgq", "oxigraph"] {
        let query = "SELECT ?place (COUNT(*) AS ?n) (?n * 10 AS ?tens) (CONCAT(STR(?tens), '!') AS ?said)
                     { ?s <e:in> ?p } GROUP BY (?p AS ?place) ORDER BY ?place";
        let ran = program::run(folder.path(), &["query", "-d", "d.ttl", "--engine", engine, query]);
        let rows = "?place\t?n\t?tens\t?said\n<e:x>\t2\t20\t\"20!\"\n<e:y>\t1\t10\t\"10!\"\n";
        assert_eq!((ran.code, ran.text().as_str()), (0, rows), "{}", ran.stderr);
        assert_eq!(ran.stderr, "");
    }
}
