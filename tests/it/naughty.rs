//! Strings that break programs, as literal, IRI, graph, parameter and file name: they come back byte for byte, alter no query,
//! and never reach a terminal unescaped.

use super::program;
use super::roundtrip::{rows_of, rows_read_back, write_rows};
use kgq_graph::render::{Format, GraphOptions, write_quads};
use kgq_snapshot::store::{Input, ReadOptions, read};
use kgq_syntax::budget::Budget;
use kgq_syntax::rdf::{Literal, NamedNode, Prefixes, Quad, RdfFormat, Term};
use std::collections::BTreeSet;

const NAUGHTY: &[&str] = &[
    "",
    " ",
    "  two  spaces  ",
    "'",
    "\"",
    "''",
    "\"\"\"",
    "it's \"quoted\"",
    "\\",
    "\\\\\"",
    "\\n is no newline",
    "line\nbreak",
    "carriage\rreturn",
    "both\r\nof them",
    "tab\there",
    "}",
    "} UNION { ?s ?p ?o",
    "{ } # comment",
    "') } DELETE WHERE { ?s ?p ?o } #",
    "\" . <e:x> <e:y> \"",
    "?x $x",
    "\\u0022",
    "\\u0022 } \\U0000007D",
    "%22%7D%0A",
    "<script>alert(1)</script>",
    "&amp; &lt; &#x41; ]]>",
    "a,b;c|d",
    "=cmd|' /C calc'!A0",
    "--",
    "-rf",
    "null",
    "NaN",
    "1e400",
    "中文，标点。",
    "e\u{301} is not é",
    "Z\u{334}\u{351}a\u{334}l\u{322}g\u{337}o",
    "👩\u{200d}👩\u{200d}👧 🇨🇳 ☺\u{fe0f}",
    "\u{202e}desrever\u{202c}",
    "\u{2066}isolated\u{2069}\u{200f}\u{61c}",
    "\u{feff}marked",
    "zero\u{200b}width\u{ad}soft",
    "\u{1b}[31mred\u{1b}[0m",
    "\u{1b}]0;title\u{7}",
    "\u{9b}31mred",
    "\u{7f}\u{85}\u{a0}\u{2028}\u{2029}",
    "bell\u{7} back\u{8}space form\u{c}feed",
    "\u{fffd}\u{10ffff}\u{e000}",
    "ß ſ K İ ı ǆ",
];

/// Whether XML 1.0 can represent the text, escaped or not.
fn fits_xml(text: &str) -> bool {
    text.chars().all(|c| c >= ' ' || "\t\n\r".contains(c))
}

#[test]
fn a_naughty_literal_reads_back_from_every_format() {
    let quads: Vec<Quad> = NAUGHTY
        .iter()
        .enumerate()
        .map(|(i, text)| {
            let node = |name: &str| NamedNode::new_unchecked(format!("http://e/{name}"));
            let graph = if i % 2 == 0 { oxrdf::GraphName::DefaultGraph } else { node("g").into() };
            Quad::new(node(&format!("s{i}")), node("p"), Literal::new_simple_literal(*text), graph)
        })
        .collect();
    for format in RdfFormat::ALL.iter().copied().filter(|f| f.is_written()) {
        let fits = |quad: &&Quad| match &quad.object {
            Term::Literal(literal) => format != RdfFormat::RdfXml || fits_xml(literal.value()),
            _ => true,
        };
        let mut quads: Vec<Quad> = quads.iter().filter(fits).cloned().collect();
        if !format.holds_named_graphs() {
            quads.iter_mut().for_each(|quad| quad.graph_name = oxrdf::GraphName::DefaultGraph);
        }
        let mut out = Vec::new();
        write_quads(&quads, format, &Prefixes::default(), GraphOptions::default(), &Budget::default(), &mut out)
            .unwrap();
        let back = read(&Input::bytes("d", out, format), 0, ReadOptions::default()).unwrap().quads;
        let set = |quads: &[Quad]| quads.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
        assert_eq!(set(&back), set(&quads), "{}", format.name());
    }
}

#[test]
fn a_naughty_value_reads_back_from_the_formats_of_results() {
    let terms: Vec<Term> =
        NAUGHTY.iter().filter(|t| fits_xml(t)).map(|text| Literal::new_simple_literal(*text).into()).collect();
    rows_read_back(&terms);
}

#[test]
fn an_iri_of_any_characters_reads_back() {
    let iris: Vec<NamedNode> =
        NAUGHTY.iter().filter_map(|text| NamedNode::new(format!("http://e/{text}")).ok()).collect();
    assert!(iris.len() > 10, "{iris:?}");
    let quads: Vec<Quad> =
        iris.iter().map(|iri| Quad::new(iri.clone(), iri.clone(), iri.clone(), iri.clone())).collect();
    for format in [RdfFormat::TriG, RdfFormat::NQuads, RdfFormat::JsonLd] {
        let mut prefixes = Prefixes::default();
        prefixes.insert_if_absent("", "http://e/");
        let mut out = Vec::new();
        write_quads(&quads, format, &prefixes, GraphOptions::default(), &Budget::default(), &mut out).unwrap();
        let back = read(&Input::bytes("d", out, format), 0, ReadOptions::default()).unwrap().quads;
        let set = |quads: &[Quad]| quads.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
        assert_eq!(set(&back), set(&quads), "{}", format.name());
    }
    rows_read_back(&iris.into_iter().map(Term::from).collect::<Vec<_>>());
}

/// Whether a terminal obeys the character, or it changes the order of the text around it.
fn is_raw(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

#[test]
fn no_naughty_string_reaches_a_terminal_raw() {
    let literals = NAUGHTY.iter().map(|text| Term::from(Literal::new_simple_literal(*text)));
    let iris = NAUGHTY.iter().map(|text| Term::from(NamedNode::new_unchecked(format!("http://e/{text}"))));
    let (variables, rows) = rows_of(&literals.chain(iris).collect::<Vec<_>>());
    for width in [None, Some(20), Some(80)] {
        let table = String::from_utf8(write_rows(&variables, &rows, Format::Table, width)).unwrap();
        assert_eq!(table.chars().find(|c| is_raw(*c)), None, "{width:?}");
    }
}

#[test]
fn a_naughty_parameter_is_a_value_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("kgq.toml"), "name = \"x\"\n").unwrap();
    std::fs::create_dir(folder.path().join("queries")).unwrap();
    let text = "#+ params:\n#+   v:\n#+     type: string\nSELECT ($v AS ?x) (STR(1) AS ?n) { FILTER(BOUND($v)) }";
    std::fs::write(folder.path().join("queries/q.rq"), text).unwrap();
    for naughty in NAUGHTY {
        let ran = program::run(folder.path(), &["run", "q", "--format", "json", &format!("v={naughty}")]);
        assert_eq!(ran.code, 0, "{naughty:?}: {}", ran.stderr);
        let answer: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
        let rows = answer["results"]["bindings"].as_array().unwrap();
        assert_eq!(rows.len(), 1, "{naughty:?}: {answer}");
        assert_eq!(rows[0]["x"]["value"], **naughty);
        assert_eq!(rows[0]["n"]["value"], "1");
    }
}

#[test]
fn a_naughty_file_name_is_read_written_and_said_safely() {
    for naughty in NAUGHTY.iter().filter(|text| !text.contains('/')) {
        let folder = tempfile::tempdir().unwrap();
        let name = format!("x{naughty}.ttl");
        std::fs::write(folder.path().join(&name), "<#s> <e:p> 1 .").unwrap();
        let output = format!("y{naughty}.csv");
        let ran = program::run(folder.path(), &["query", "-d", &name, "--output", &output, "SELECT ?o { ?s ?p ?o }"]);
        assert_eq!(ran.code, 0, "{naughty:?}: {}", ran.stderr);
        assert_eq!(std::fs::read_to_string(folder.path().join(&output)).unwrap(), "o\r\n1\r\n");
        std::fs::write(
            folder.path().join(&name),
            format!("<#s> <e:p> \"{}\" <<<", naughty.replace(['"', '\\', '\n', '\r'], "")),
        )
        .unwrap();
        let ran = program::run(folder.path(), &["load", &name]);
        assert_eq!(ran.code, 3, "{naughty:?}: {}", ran.stderr);
        assert_eq!(ran.stderr.chars().find(|c| is_raw(*c)), None, "{naughty:?}: {:?}", ran.stderr);
        let ran = program::run(folder.path(), &["load", &format!("missing{name}")]);
        assert_eq!((ran.code, ran.stderr.chars().find(|c| is_raw(*c))), (4, None), "{naughty:?}: {:?}", ran.stderr);
    }
}
