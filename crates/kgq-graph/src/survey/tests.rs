//! A folder as people keep it, and the project made from its draft.

use super::*;
use crate::project::{MANIFEST, Project};
use std::fs;

const FILES: &[(&str, &str)] = &[
    (
        "model/core.ttl",
        "@prefix : <https://shop.example/model#> . @prefix owl: <http://www.w3.org/2002/07/owl#> . @prefix ex: <http://one.example/> .
         @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix dcterms: <http://purl.org/dc/terms/> . @prefix unused: <http://u/> .
         <https://shop.example/model> a owl:Ontology ; dcterms:title \"The \\\"shop\\\"\" ; owl:imports <http://elsewhere.example/o> .
         :Article a owl:Class ; rdfs:label \"Article\"@en , \"Artikel\"@de ; rdfs:seeAlso ex:a . :price a owl:DatatypeProperty ; rdfs:label \"price\"@en .",
    ),
    ("model/old.rdf", "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns:owl='http://www.w3.org/2002/07/owl#'><owl:Class rdf:about='https://shop.example/model#Old'/></rdf:RDF>"),
    (
        "articles/a.ttl",
        "@prefix : <https://shop.example/article/> . @prefix s: <https://shop.example/model#> . @prefix ex: <http://two.example/> .
         @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
         :a1 a s:Article ; s:price 3 ; rdfs:label \"One\"@en . :a2 a s:Article ; rdfs:label \"Two\"@en ; s:like ex:b, ex:c .",
    ),
    ("articles/b.ttl", "<https://shop.example/article/a3> a <https://shop.example/model#Article> ."),
    ("articles/broken.ttl", "<https://shop.example/article/a4> a\n"),
    ("articles/tests/wrong.ttl", "this is wrong on purpose"),
    ("package.json", "{\"name\": \"shop\", \"version\": \"1\"}"),
    ("ask/all.rq", "SELECT * { ?s ?p ?o }"),
    (".git/x.ttl", "<e:a> <e:b> <e:c> ."),
    ("other/kgq.toml", "name = \"other\"\n"),
    ("other/x.ttl", "<e:a> <e:b> <e:c> ."),
];

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// The draft for these files, and the project made from it.
fn project(files: &[(&str, &str)]) -> (Draft, Project, tempfile::TempDir) {
    let folder = folder(files);
    let draft = draft(folder.path(), ReadOptions::default()).unwrap();
    fs::write(folder.path().join(MANIFEST), &draft.text).unwrap();
    let project = Project::open(folder.path()).unwrap_or_else(|e| panic!("{e}\n{}", draft.text));
    (draft, project, folder)
}

#[test]
fn a_folder_becomes_a_project_that_loads_what_can_be_loaded() {
    let (draft, project, _folder) = project(FILES);
    let broken: Vec<&str> = draft.broken.iter().filter_map(|e| Some(e.place()?.file.as_str())).collect();
    let counts = (draft.ontology, draft.data, draft.queries, draft.left_out, broken);
    assert_eq!(counts, (2, 2, 1, 1, vec!["articles/broken.ttl"]), "{}", draft.text);
    let files = project.files().unwrap();
    let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["model/core.ttl", "model/old.rdf", "articles/a.ttl", "articles/b.ttl"], "{}", draft.text);
    assert_eq!(project.find_queries().unwrap().files.len(), 1);
    let manifest = &project.manifest;
    assert_eq!(manifest.title.as_deref(), Some("The \"shop\""));
    assert_eq!(manifest.base.as_deref(), Some("https://shop.example/"));
    assert_eq!(manifest.check.languages, ["en"; 0]);
    // The most used namespace is chosen; unused prefixes are left out.
    assert_eq!(manifest.prefixes["ex"], "http://two.example/");
    assert_eq!(manifest.prefixes["s"], "https://shop.example/model#");
    assert!(!manifest.prefixes.contains_key("unused"));
    for said in [
        "articles/broken.ttl:1:",
        "package.json: it holds no statement",
        "articles/tests/",
        "`ex:` is in other files <http://one.example/>",
        "<http://elsewhere.example/o>",
        "en 4, de 1",
    ] {
        assert!(draft.text.contains(said), "{said} is not in\n{}", draft.text);
    }
}

#[test]
fn names_and_texts_of_files_break_no_line_of_the_draft() {
    let files = [
        (
            "a[1] {x}.ttl",
            "@prefix e: <http://e/> . e:o a <http://www.w3.org/2002/07/owl#Ontology> ; <http://purl.org/dc/terms/title> \"a\\nb\\\\\\u001B\" .",
        ),
        ("b\nname = 1.ttl", "broken"),
        ("c.ttl", "<http://e/c> <http://e/p> <http://e/d> ."),
    ];
    let (_, project, _folder) = project(&files);
    assert_eq!(project.manifest.title.as_deref(), Some("a\nb\\\u{1b}"));
    let names: Vec<String> = project.files().unwrap().into_iter().map(|file| file.name).collect();
    assert_eq!(names, ["a[1] {x}.ttl", "c.ttl"]);
}

#[test]
fn statements_in_named_graphs_and_labels_in_all_languages_are_noticed() {
    let label = "<http://www.w3.org/2000/01/rdf-schema#label>";
    let text = format!(
        "GRAPH <http://e/g> {{ <http://e/a> {label} \"a\"@en, \"一\"@zh . <http://e/b> {label} \"b\"@en, \"二\"@zh }}"
    );
    let (_, project, _folder) = project(&[("d.trig", &text)]);
    assert_eq!(project.manifest.default_graph, crate::project::DefaultGraphSetting::Union);
    assert_eq!(project.manifest.check.languages, ["en", "zh"]);
}

#[test]
fn a_folder_without_rdf_is_refused_with_what_was_wrong() {
    let folder = folder(&[("a.ttl", "broken"), ("readme.md", "")]);
    let error = draft(folder.path(), ReadOptions::default()).unwrap_err().render(false);
    assert!(error.contains("no file here holds RDF") && error.contains("a.ttl:1:1"), "{error}");
}

#[test]
fn a_well_known_vocabulary_is_not_the_projects_own() {
    let vocabulary = "@prefix : <http://www.w3.org/2000/01/rdf-schema#> . @prefix dct: <http://purl.org/dc/terms/> .
        dct:title :label \"t\" . dct:issued :label \"i\" . dct:creator :label \"c\" . :label :comment \"l\" .";
    let (_, project, _folder) = project(&[("model/used.ttl", vocabulary)]);
    assert_eq!(project.manifest.base, None);
    let prefixes = &project.manifest.prefixes;
    assert!(!prefixes.contains_key(""), "{prefixes:?}");
    assert!(prefixes.contains_key("rdfs") && prefixes.contains_key("dct"), "{prefixes:?}");

    let own = "@prefix dct: <http://purl.org/dc/terms/> . <http://own.example/a> dct:title \"a\" .";
    let (_, project, _folder) = self::project(&[("model/used.ttl", vocabulary), ("data/own.ttl", own)]);
    assert_eq!(project.manifest.base.as_deref(), Some("http://own.example/"));

    // One subject of thirteen makes no base.
    let many: String =
        (0..8).map(|n| format!("<http://purl.org/dc/terms/{n}> <http://purl.org/dc/terms/title> \"t\" .\n")).collect();
    let (_, project, _folder) =
        self::project(&[("model/used.ttl", vocabulary), ("model/more.nt", &many), ("data/own.ttl", own)]);
    assert_eq!(project.manifest.base, None);
}
