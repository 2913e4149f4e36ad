//! Every limit permits one less and exactly its value, but not one more; set by its flag and by its key in kgq.toml, which its
//! error names.

use super::program;
use std::io::Write;
use std::path::Path;

/// Writes an input of this size into the folder, and returns the arguments that read it.
type Make = fn(&Path, usize) -> Vec<String>;

/// The flag without its dashes, which is also the key; the limit; the function that makes an input of a given size; the exit code
/// when it is exceeded.
const LIMITS: &[(&str, usize, Make, i32)] = &[
    ("max-depth", 10, |_, n| query(format!("ASK {{ FILTER({}1{}) }}", "(".repeat(n - 2), ")".repeat(n - 2))), 3),
    ("max-depth", 10, |f, n| load(f, "d.ttl", &format!("<e:s> <e:p> {}1{} .", "(".repeat(n), ")".repeat(n))), 3),
    (
        "max-depth",
        10,
        |f, n| {
            load(
                f,
                "d.nq",
                &format!("<e:s> <e:p> {}1{} .", "(".repeat(n), ")".repeat(n))
                    .replace('(', "<<( <e:s> <e:p> ")
                    .replace(')', " )>>")
                    .replace('1', "<e:o>"),
            )
        },
        3,
    ),
    ("max-depth", 10, |f, n| load(f, "d.jsonld", &format!("{}{}", "{\"e:p\":".repeat(n - 1) + "{", "}".repeat(n))), 3),
    ("max-depth", 10, |f, n| load(f, "d.rdf", &rdf_xml("", &xml_nested(n - 1))), 3),
    ("max-token", 40, |_, n| query(format!("ASK {{ ?s ?p '{}' }}", "x".repeat(n - 2))), 3),
    ("max-token", 40, |f, n| load(f, "d.ttl", &format!("<e:s> <e:p> '{}' .", "x".repeat(n - 2))), 3),
    ("max-token", 40, |f, n| load(f, "d.jsonld", &format!("{{\"e:p\": \"{}\"}}", "x".repeat(n - 2))), 3),
    ("max-query-size", 60, |_, n| query(format!("{:<n$}", "ASK { ?s ?p ?o }")), 3),
    ("max-operators", 5, |_, n| query(format!("ASK {{ {} }}", "?s ?p ?o . ".repeat(n))), 3),
    ("max-rows", 5, |_, n| query(format!("SELECT * {{ VALUES ?x {{ {} }} }}", "1 ".repeat(n))), 5),
    ("max-decompressed", 2_000, |f, n| gzip(f, &" ".repeat(n)), 3),
    (
        "max-entities",
        50,
        |f, n| load(f, "d.rdf", &rdf_xml(&format!("<!DOCTYPE r [<!ENTITY a \"{}\">]>", "x".repeat(n)), "")),
        3,
    ),
];

fn query(text: String) -> Vec<String> {
    ["query", &text].map(ToOwned::to_owned).to_vec()
}

fn load(folder: &Path, name: &str, text: &str) -> Vec<String> {
    std::fs::write(folder.join(name), text).unwrap();
    ["load", name].map(ToOwned::to_owned).to_vec()
}

fn gzip(folder: &Path, text: &str) -> Vec<String> {
    let file = std::fs::File::create(folder.join("d.nt.gz")).unwrap();
    let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::best());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap();
    ["load", "d.nt.gz"].map(ToOwned::to_owned).to_vec()
}

fn xml_nested(n: usize) -> String {
    let mut text = String::new();
    for level in 0..n {
        text.push_str(if level % 2 == 0 { "<rdf:Description>" } else { "<e:p>" });
    }
    for level in (0..n).rev() {
        text.push_str(if level % 2 == 0 { "</rdf:Description>" } else { "</e:p>" });
    }
    text
}

fn rdf_xml(head: &str, body: &str) -> String {
    let names = "xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" xmlns:e=\"e:\"";
    format!("{head}<rdf:RDF {names}>{body}</rdf:RDF>")
}

#[test]
fn every_limit_holds_at_its_value_and_not_one_beyond() {
    for (flag, limit, make, code) in LIMITS {
        for by_flag in [true, false] {
            for size in [limit - 1, *limit, limit + 1] {
                let folder = tempfile::tempdir().unwrap();
                let mut arguments = make(folder.path(), size);
                let setting = match (by_flag, *flag) {
                    (true, _) => "name = \"x\"\n".to_owned(),
                    (false, "max-depth" | "max-operators" | "max-rows") => {
                        format!("name = \"x\"\n[limits]\n{flag} = {limit}\n")
                    }
                    (false, _) => format!("name = \"x\"\n[limits]\n{flag} = \"{limit}\"\n"),
                };
                std::fs::write(folder.path().join("kgq.toml"), setting).unwrap();
                if by_flag {
                    arguments.extend([format!("--{flag}"), limit.to_string()]);
                }
                let ran = program::run(folder.path(), &arguments);
                let what = format!("{flag} {limit} by flag {by_flag}, {size}: {}", ran.stderr);
                if size > *limit {
                    assert_eq!(ran.code, *code, "{what}");
                    assert!(ran.stderr.contains(&format!("--{flag}")), "{what}");
                    assert!(ran.stderr.contains(&format!("`{flag}` in kgq.toml")), "{what}");
                } else {
                    assert_eq!(ran.code, 0, "{what}");
                }
            }
        }
    }
}

/// Queries that would take days, each in a different part of the program.
const ENDLESS: &[&str] = &[
    "SELECT (COUNT(*) AS ?n) { ?a ?p ?b . ?c ?q ?d . ?e ?r ?f . ?g ?s ?h . ?i ?t ?j FILTER(CONCAT(STR(?a), STR(?d), STR(?f), STR(?h), STR(?j)) = 'x') }",
    "SELECT * { ?a ?p ?b . ?c ?q ?d . ?e ?r ?f . ?g ?s ?h } ORDER BY DESC(STR(?h)) ?a",
    "SELECT DISTINCT ?a ?d ?f ?h { ?a ?p ?b . ?c ?q ?d . ?e ?r ?f . ?g ?s ?h . ?i ?t ?j }",
    "SELECT (SUM(?x) AS ?n) { ?a ?p ?b . ?c ?q ?d . ?e ?r ?f . ?g ?s ?h BIND(STRLEN(CONCAT(STR(?a), STR(?d), STR(?f), STR(?h))) AS ?x) }",
    "SELECT * { ?a ?p ?b . ?c ?q ?d . ?e ?r ?f . ?g ?s ?h OPTIONAL { ?i ?t ?j FILTER(CONCAT(STR(?a), STR(?j)) = 'x') } FILTER(!BOUND(?i) && CONCAT(STR(?b), STR(?f)) = 'y') }",
    "SELECT (GROUP_CONCAT(SUBSTR(CONCAT(STR(?a), STR(?d), STR(?f), STR(?h)), 1, 1); SEPARATOR='') AS ?x) { ?a ?p ?b . ?c ?q ?d . ?e ?r ?f . ?g ?s ?h }",
    "SELECT (COUNT(*) AS ?n) { ?a (<e:p>|!<e:q>)+ ?b . ?b (<e:p>/<e:p>)* ?c . ?c (^<e:p>|<e:p>)+ ?d . ?d <e:p>* ?e FILTER(CONCAT(STR(?a), STR(?c), STR(?d), STR(?e)) = 'x') }",
    "CONSTRUCT { ?a <e:x> ?f . ?h <e:y> ?d } { ?a ?p ?b . ?c ?q ?d . ?e ?r ?f . ?g ?s ?h }",
    "SELECT (STRLEN(REPLACE(?x, 'a*a*a*a*b', 'c')) AS ?n) { ?a ?p ?b . ?c ?q ?d . ?e ?r ?f . ?g ?s ?h BIND(CONCAT(STR(?a), 'aaaaaaaaaaaaaaaaaaaaaaaa', STR(?h)) AS ?x) }",
];

#[test]
fn a_time_out_ends_every_query_and_update_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let edges = (0..40).flat_map(|a| (0..40).map(move |b| format!("<e:{a}> <e:p> <e:{b}> .\n")));
    std::fs::write(folder.path().join("d.nt"), edges.collect::<String>()).unwrap();
    let update = "INSERT { ?a ?h ?d } WHERE { ?a ?p ?b . ?c ?q ?d . ?e ?r ?f . ?g ?s ?h . ?i ?t ?j }";
    let mut commands: Vec<Vec<&str>> = ENDLESS
        .iter()
        .map(|q| {
            vec![
                "query",
                "--output",
                "x.out",
                "--format",
                if q.starts_with("CONSTRUCT") { "ntriples" } else { "csv" },
                q,
            ]
        })
        .collect();
    commands.push(vec!["update", "--output", "x.nt", update]);
    commands.push(vec!["update", "--dry-run", update]);
    for command in commands {
        let arguments = [command.clone(), vec!["-d", "d.nt", "--timeout", "200ms", "--max-memory", "1GiB"]].concat();
        let ran = program::run(folder.path(), &arguments);
        assert_eq!(ran.code, 5, "{arguments:?}: {} {}", ran.text(), ran.stderr);
        assert!(ran.stderr.contains("--timeout") && ran.stderr.contains("`timeout` in kgq.toml"), "{}", ran.stderr);
        let left: Vec<_> = folder.path().read_dir().unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, ["d.nt"], "{arguments:?}");
    }
}
