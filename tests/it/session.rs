//! The session without a terminal: a script on its standard input; and behaviour shared with `kgq query` and `kgq run`.

use super::program::{Ran, run, run_with_input};
use std::fs;
use std::path::Path;

const DATA: &str = "@prefix : <http://e/> .
:mof a :Ministry ; :leads :banking, :insurance ; :name 'Finance' .
:miit a :Ministry ; :leads :telecoms ; :name 'Industry' .
:n :is 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30 .
";

/// A project with these additional lines in its kgq.toml.
fn project(lines: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let manifest = format!("name = \"small\"\ndata = [\"*.ttl\"]\n{lines}\n[prefixes]\n\"\" = \"http://e/\"\n");
    fs::write(folder.path().join("kgq.toml"), manifest).unwrap();
    fs::write(folder.path().join("data.ttl"), DATA).unwrap();
    folder
}

fn script(folder: &Path, arguments: &[&str], script: &str) -> Ran {
    run_with_input(folder, arguments, script.as_bytes().to_vec())
}

/// A query for each code of a common mistake.
const MISTAKES: &[(&str, &str)] = &[
    ("cross-product", "SELECT * { ?a :leads ?b . ?c :name ?d }"),
    ("never-bound", "SELECT ?m ?nmae { ?m :name ?name }"),
    ("used-once", "SELECT ?m { ?m :leads ?sector BIND(STR(?sector) AS ?text) }"),
    ("optional-shadows", "SELECT * { ?m a :Ministry OPTIONAL { ?m :leads ?x } OPTIONAL { ?m :name ?x } }"),
    ("not-equal", "SELECT ?m { ?m :leads ?s FILTER(?s != :banking) }"),
    ("unbounded-path", "SELECT * { ?a :leads+ ?b }"),
];

#[test]
fn query_run_and_the_session_warn_of_the_same_mistakes_and_can_be_told_not_to_or_to_fail() {
    let folder = project("");
    fs::create_dir(folder.path().join("queries")).unwrap();
    for (code, query) in MISTAKES {
        fs::write(folder.path().join("queries/wrong.rq"), format!("#+ title: Wrong\n{query}\n")).unwrap();
        let ways: [(&[&str], &str); 4] =
            [(&["query", query], ""), (&["run", "wrong"], ""), (&["repl"], query), (&["repl"], ".run wrong")];
        for (arguments, input) in ways {
            let with = |more: &[&str]| script(folder.path(), &[arguments, more].concat(), input);
            let told = with(&[]);
            assert!(
                told.stderr.contains(&format!("[{code}]")) && told.stderr.contains("warning: "),
                "{arguments:?} {told:?}"
            );
            assert_eq!(
                (told.code, told.stderr.matches(&format!("[{code}]")).count()),
                (0, 1),
                "{arguments:?} {told:?}"
            );
            let silent = with(&["--no-warnings"]);
            assert_eq!((silent.code, silent.stderr.as_str()), (0, ""), "{arguments:?}");
            let failed = with(&["-W", "error"]);
            assert!(
                failed.code != 0 && failed.stdout.is_empty() && failed.stderr.contains(code),
                "{arguments:?} {failed:?}"
            );
        }
    }
}

#[test]
fn a_saved_query_lies_where_the_project_looks_and_passes_its_test() {
    let folder = project("queries = [\"ask/**/*.rq\"]");
    let text = "SELECT ?m { ?m a :Ministry } ORDER BY ?m\n.save deep/ministries\n.run deep/ministries\n";
    let saved = script(folder.path(), &["repl"], text);
    assert_eq!(saved.code, 0, "{saved:?}");
    assert_eq!(saved.text().matches("http://e/mof").count(), 2, "{saved:?}");
    let query = fs::read_to_string(folder.path().join("ask/deep/ministries.rq")).unwrap();
    assert!(query.starts_with("#+ title: Ministries\n") && query.contains("PREFIX : <http://e/>"), "{query}");
    assert_eq!(run(folder.path(), &["test"]).code, 0);
    assert_eq!(run(folder.path(), &["check"]).code, 0);

    for (script_text, words) in [
        ("ASK {}\n.save deep/ministries\n", "there is a query `deep/ministries` already"),
        ("ASK {}\n.save ../out\n", "is no name for a query"),
        (".run deep/ministries\n.save other\n", "is a canned one already"),
        (
            "SELECT ?m { ?m a :Ministry }\n.values m\nSELECT ?m ?s { ?m :leads ?s }\n.save other\n",
            "limited by `.values`",
        ),
    ] {
        let refused = script(folder.path(), &["repl"], script_text);
        assert!(refused.code != 0 && refused.stderr.contains(words), "{script_text} {refused:?}");
    }
    assert_eq!(fs::read_to_string(folder.path().join("ask/deep/ministries.rq")).unwrap(), query);
}

#[test]
fn a_query_that_no_glob_would_find_or_whose_answer_would_be_data_is_not_saved() {
    let folder = project("queries = [\"ask/only.rq\"]");
    fs::create_dir(folder.path().join("ask")).unwrap();
    fs::write(folder.path().join("ask/only.rq"), "ASK {}").unwrap();
    let refused = script(folder.path(), &["repl"], "ASK {}\n.save mine\n");
    assert!(refused.stderr.contains("the globs are `ask/only.rq`"), "{refused:?}");

    let folder = project("ontology = [\"**/*.ttl\"]");
    let refused = script(folder.path(), &["repl"], "CONSTRUCT WHERE { ?m a :Ministry }\n.save mine\n");
    assert!(refused.stderr.contains("would be loaded as data"), "{refused:?}");
    assert!(!folder.path().join("queries").exists());
}

#[test]
fn a_query_that_takes_too_much_is_stopped_on_either_engine_and_the_session_goes_on() {
    let folder = project("");
    // Endless on any machine: 30 to the power of ten rows, all of which the answer would hold.
    let rows = "SELECT * { :n :is ?a, ?b, ?c, ?d, ?e, ?f, ?g, ?h, ?i, ?j } ";
    let sorted = format!("{rows} ORDER BY ?j");
    let (memory, time) = (("--max-memory=16MiB", "more memory than 16 MiB"), ("--timeout=1s", "longer than 1 s"));
    for engine in ["kgq", "oxigraph"] {
        for (query, (limit, words)) in [(rows, memory), (&sorted, memory), (&sorted, time)] {
            let text = format!("{query}\n\nASK {{ :mof a :Ministry }}\n");
            let arguments = ["--engine", engine, limit, "repl", "--keep-going", "--no-warnings"];
            let ran = script(folder.path(), &arguments, &text);
            assert!(ran.stderr.contains(words), "{engine} {limit} {query} {ran:?}");
            assert_eq!((ran.code, ran.text().trim()), (5, "true"), "{engine} {limit} {query} {ran:?}");
        }
    }
}

#[test]
fn a_script_stops_at_its_first_error_with_its_line_and_code_unless_told_otherwise() {
    let folder = project("");
    let text = "ASK { :mof a :Ministry }\n\nSELCT *\n\nASK { :mof a :Sector }\n";
    let stopped = script(folder.path(), &["repl"], text);
    assert_eq!((stopped.code, stopped.text().trim()), (3, "true"), "{stopped:?}");
    assert!(stopped.stderr.starts_with("<stdin>:3:1: unknown keyword `SELCT`"), "{stopped:?}");
    let through = script(folder.path(), &["repl", "--keep-going"], text);
    assert_eq!((through.code, through.text().trim()), (3, "true\nfalse"), "{through:?}");
    let command = script(folder.path(), &["repl"], "ASK {}\n.describ\n.nothing\n");
    assert!(command.stderr.contains("<stdin>:2") && command.code != 0, "{command:?}");
}

#[test]
fn answers_of_a_session_are_appended_to_a_file_and_a_file_that_cannot_be_is_refused_at_once() {
    let folder = project("");
    let text = ".output a.csv\nSELECT ?m { ?m a :Ministry } ORDER BY ?m\n.output\nASK {}\n.output a.csv\nASK { :mof a :Sector }\n";
    let ran = script(folder.path(), &["repl"], text);
    assert_eq!((ran.code, ran.text().as_str()), (0, "true\n"), "{ran:?}");
    assert!(
        ran.stderr.contains("the first replaces what is there") && ran.stderr.contains("appended to a.csv"),
        "{ran:?}"
    );
    let written = fs::read_to_string(folder.path().join("a.csv")).unwrap().replace('\r', "");
    assert_eq!(written, "m\nhttp://e/miit\nhttp://e/mof\n\nfalse\n");
    // Another session starts the file anew; a compressed file gets one more member for each append.
    let text = ".output a.csv\nASK {}\n.output b.nt.gz\nCONSTRUCT WHERE { :mof :leads ?x }\nCONSTRUCT WHERE { :miit :leads ?x }\n";
    assert_eq!(script(folder.path(), &["repl"], text).code, 0);
    assert_eq!(fs::read_to_string(folder.path().join("a.csv")).unwrap(), "true\n");
    let read = run(folder.path(), &["-d", "b.nt.gz", "query", "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"]);
    assert_eq!(read.text(), "?n\n3\n");

    let json = ".output a.json\nASK {}\nASK { :mof a :Sector }\n";
    let ran = script(folder.path(), &["repl"], json);
    assert!(ran.code == 2 && ran.stderr.contains("json holds no more than one"), "{ran:?}");
    assert!(fs::read_to_string(folder.path().join("a.json")).unwrap().contains("true"));
    if cfg!(feature = "tables") {
        let ran = script(folder.path(), &["repl"], &json.replace("a.json", "a.parquet"));
        assert!(ran.code == 2 && ran.stderr.contains("parquet holds no more than one"), "{ran:?}");
        let written = fs::read(folder.path().join("a.parquet")).unwrap();
        assert_eq!(written.windows(4).filter(|part| part == b"PAR1").count(), 2);
    }
    for (file, words) in [
        ("nowhere/a.csv", "No such file"),
        ("answers", "`.format FORMAT` says it before"),
        ("data.ttl", "is a file of the project"),
        ("..", "is a folder"),
    ] {
        let ran = script(folder.path(), &["repl"], &format!(".format csv\n.output {file}\n"));
        let ran = if file == "answers" { script(folder.path(), &["repl"], &format!(".output {file}\n")) } else { ran };
        assert!(ran.code != 0 && ran.stderr.contains(words), "{file} {ran:?}");
    }
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().flatten().map(|e| e.file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains(".building")), "{left:?}");
}

#[test]
fn the_session_goes_on_from_a_row_a_column_by_name_and_in_any_case() {
    let folder = project("");
    let with = |command: &str| {
        script(folder.path(), &["repl"], &format!("SELECT ?ministry {{ ?ministry :leads :telecoms }}\n{command}\n"))
    };
    for (command, words) in [
        (".describe 1.ministry", "Industry"),
        (".DESCRIBE :mof -F ntriples", "<http://e/mof> <http://e/name> \"Finance\""),
        (".cite", "none\n"),
        (".Cite 1", "none\n"),
    ] {
        let ran = with(command);
        assert!(ran.code == 0 && ran.text().contains(words), "{command} {ran:?}");
    }
    for (command, words) in [
        (".describe 1.minister", "did you mean `ministry`?"),
        (".describe 7.ministry", "the last answer has no row 7"),
        (".RNU x", "there is no command `.RNU`"),
        (".cite 7", "the last answer has no row 7"),
    ] {
        let ran = with(command);
        assert!(ran.code != 0 && ran.stderr.contains(words), "{command} {ran:?}");
    }
}

#[test]
fn errors_of_a_script_stand_in_its_lines_after_comments_and_commands_too() {
    let folder = project("");
    for (text, place) in [
        ("# one\n\n# two\n\nSELCT *\n", "<stdin>:5:1"),
        ("# one\n.timing off\n\nSELCT *\n", "<stdin>:4:1"),
        ("ASK {} ; SELCT *\n", "<stdin>:1:10"),
        ("SELECT * {\n.timing off\n?s nowhere:a ?o }\n", "<stdin>:3:4"),
        ("ASK {}\n# a\n\n.describ\n.nothing\n", "<stdin>:5:1"),
    ] {
        let ran = script(folder.path(), &["repl", "--keep-going"], text);
        assert!(ran.stderr.contains(place), "{text:?} {ran:?}");
    }
}
