//! Faults inserted into a copy of the shipped project: each must be reported on its line, with its code.

use super::program::copy_folder;
use kgq_engine::Limits;
use kgq_graph::check::{Finding, Report, Severity};
use kgq_graph::graph::{Graph, OpenOptions};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

/// A copy of the project, with the source text where its `kgq.toml` expects it.
fn copy() -> TempDir {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = tempfile::tempdir().unwrap();
    let project = dir.path().join("project");
    for folder in ["ontology", "data", "queries"] {
        copy_folder(&root.join(folder), &project.join(folder));
    }
    fs::copy(root.join("kgq.toml"), project.join("kgq.toml")).unwrap();
    let text = root.join("../shared/seed/article.txt");
    if text.exists() {
        fs::create_dir_all(dir.path().join("shared/seed")).unwrap();
        fs::copy(text, dir.path().join("shared/seed/article.txt")).unwrap();
    }
    dir
}

fn checked(dir: &TempDir) -> Report {
    let options = OpenOptions { folder: dir.path().join("project"), ..OpenOptions::default() };
    Graph::open(options).unwrap().check().unwrap()
}

fn text_at_hand(dir: &TempDir) -> bool {
    let there = dir.path().join("shared/seed/article.txt").exists();
    if !there {
        crate::needs::absent_file("../shared/seed/article.txt");
    }
    there
}

struct Fault {
    what: &'static str,
    file: &'static str,
    from: &'static str,
    to: &'static str,
    code: &'static str,
    /// A text on the line of the finding, in the changed file; for another file, it follows `FILE|`.
    line: &'static str,
    needs_text: bool,
}

#[rustfmt::skip]
const FAULTS: &[Fault] = &[
    Fault { what: "a typo in a class", file: "data/regions.ttl", from: "region:chengdu\n    a ou:Region", to: "region:chengdu\n    a ou:Regoin", code: "undefined-term", line: "ou:Regoin", needs_text: false },
    Fault { what: "a typo in a property", file: "data/regions.ttl", from: "ou:cohort cohort:six ~ st:chengdu-cohort", to: "ou:cohrot cohort:six ~ st:chengdu-cohort", code: "undefined-term", line: "ou:cohrot", needs_text: false },
    Fault { what: "a typo in a term of RDFS", file: "data/regions.ttl", from: "rdfs:label \"Chengdu\"@en", to: "rdfs:lable \"Chengdu\"@en", code: "undefined-term", line: "rdfs:lable", needs_text: false },
    Fault { what: "a typo in a datatype of the ontology's own use", file: "ontology/shapes.ttl", from: "sh:message \"A department stands", to: "sh:mesage \"A department stands", code: "undefined-term", line: "sh:mesage", needs_text: false },
    Fault { what: "a wrong datatype", file: "data/documents.ttl", from: "dcterms:issued \"2025-04-11\"^^xsd:date ", to: "dcterms:issued \"2025-04-11\"^^xsd:dat ", code: "undefined-term", line: "xsd:dat ", needs_text: false },
    Fault { what: "a date that is none", file: "data/documents.ttl", from: "\"2025-04-11\"^^xsd:date ", to: "\"2025-04-31\"^^xsd:date ", code: "ill-formed-literal", line: "\"2025-04-31\"", needs_text: false },
    Fault { what: "a number that is a string", file: "data/cohorts.ttl", from: "ou:position 3 ", to: "ou:position \"3\" ", code: "shape-datatype", line: "ou:position \"3\"", needs_text: false },
    Fault { what: "a post without an organisation", file: "data/officials.ttl", from: "    org:postIn body:pbc-research ~ st:director-research-bureau-body {| prov:wasDerivedFrom cite:s34-wang-xin |} ;\n", to: "", code: "shape-min-count", line: "post:director-research-bureau\n", needs_text: false },
    Fault { what: "a post in two organisations", file: "data/officials.ttl", from: "org:postIn body:pbc-research ~ st:director-research-bureau-body {|", to: "org:postIn body:pbc ~ st:two {| prov:wasDerivedFrom cite:s34-wang-xin |}, body:pbc-research ~ st:director-research-bureau-body {|", code: "shape-max-count", line: "body:pbc ~ st:two", needs_text: false },
    Fault { what: "an official who holds no post", file: "data/officials.ttl", from: "    org:holds post:director-ict-development ~ st:xie-cun-holds {|\n        prov:wasDerivedFrom cite:s20-xie-cun ;\n        prov:wasDerivedFrom cite:xinhua-chinese-report ;\n    |} ;\n", to: "", code: "shape-min-count", line: "person:xie-cun\n", needs_text: false },
    Fault { what: "a cyclic sub-organisation", file: "data/organisations.ttl", from: "body:mofcom\n    a org:Organization ;", to: "body:state-council org:subOrganizationOf body:mofcom ~ st:cycle {| prov:wasDerivedFrom cite:s4-office |} .\nbody:mofcom\n    a org:Organization ;", code: "rule:organisation-under-itself", line: "body:mofcom\n", needs_text: false },
    Fault { what: "the same cycle, by its shape", file: "data/organisations.ttl", from: "body:mofcom\n    a org:Organization ;", to: "body:state-council org:subOrganizationOf body:mofcom ~ st:cycle {| prov:wasDerivedFrom cite:s4-office |} .\nbody:mofcom\n    a org:Organization ;", code: "shape-sparql", line: "body:state-council org:subOrganizationOf body:mofcom", needs_text: false },
    Fault { what: "a region in two cohorts", file: "data/regions.ttl", from: "ou:cohort cohort:six ~ st:chengdu-cohort", to: "ou:cohort cohort:four ~ st:twice {| prov:wasDerivedFrom cite:s9-four |} ;\n    ou:cohort cohort:six ~ st:chengdu-cohort", code: "shape-max-count", line: "~ st:chengdu-cohort", needs_text: false },
    Fault { what: "a region in two cohorts, by the project's rule", file: "data/regions.ttl", from: "ou:cohort cohort:six ~ st:chengdu-cohort", to: "ou:cohort cohort:four ~ st:twice {| prov:wasDerivedFrom cite:s9-four |} ;\n    ou:cohort cohort:six ~ st:chengdu-cohort", code: "rule:region-in-two-cohorts", line: "region:chengdu\n", needs_text: false },
    Fault { what: "an object of the wrong class", file: "data/regions.ttl", from: "ou:cohort cohort:six ~ st:chengdu-cohort", to: "ou:cohort area:western ~ st:chengdu-cohort", code: "shape-class", line: "~ st:chengdu-cohort", needs_text: false },
    Fault { what: "a value that does not match its pattern", file: "data/regions.ttl", from: "\"1815286\"", to: "\"18I5286\"", code: "shape-pattern", line: "18I5286", needs_text: false },
    Fault { what: "a link to a thing that is not there", file: "data/regions.ttl", from: "geo:hasGeometry point:chengdu ~", to: "geo:hasGeometry point:chengdoo ~", code: "broken-link", line: "point:chengdoo", needs_text: false },
    Fault { what: "a ground that is not there", file: "data/sectors.ttl", from: "~ st:clinics-broader {|\n        a ou:Inference ;\n        ou:rule rule:classification ;\n        prov:wasDerivedFrom st:foreign-clinics-named", to: "~ st:clinics-broader {|\n        a ou:Inference ;\n        ou:rule rule:classification ;\n        prov:wasDerivedFrom st:foreign-clinics-nemad", code: "broken-link", line: "st:foreign-clinics-nemad", needs_text: false },
    Fault { what: "a statement without a citation", file: "data/regions.ttl", from: "ou:geonamesId \"1814906\" ~ st:chongqing-geonames {| prov:wasDerivedFrom cite:geonames |} ;", to: "ou:geonamesId \"1814906\" ;", code: "uncited", line: "\"1814906\"", needs_text: false },
    Fault { what: "a reifier that is derived from nothing", file: "data/regions.ttl", from: "~ st:chongqing-geonames {| prov:wasDerivedFrom cite:geonames |}", to: "~ st:chongqing-geonames", code: "uncited", line: "\"1814906\"", needs_text: false },
    Fault { what: "two inferences that follow from each other", file: "data/sectors.ttl", from: "~ st:culture-scheme {|\n        a ou:Inference ;\n        ou:rule rule:classification ;\n        prov:wasDerivedFrom st:sector-culture-label-en ;", to: "~ st:culture-scheme {|\n        a ou:Inference ;\n        ou:rule rule:classification ;\n        prov:wasDerivedFrom st:culture-broader ;", code: "uncited", line: "~ st:culture-scheme", needs_text: false },
    Fault { what: "a moved span", file: "data/citations.ttl", from: "oa:end 1303 ;\n    oa:start 1168", to: "oa:end 1305 ;\n    oa:start 1170", code: "citation-hash", line: "ou:sha256 \"596b8d6d0d30", needs_text: true },
    Fault { what: "a span beyond the text", file: "data/citations.ttl", from: "oa:end 1303", to: "oa:end 13030", code: "citation-span", line: "oa:end 13030", needs_text: true },
    Fault { what: "an anchor that is not in its sentence", file: "data/citations.ttl", from: "ou:anchor \"two expansions\"", to: "ou:anchor \"three expansions\"", code: "citation-anchor", line: "three expansions", needs_text: true },
    Fault { what: "an anchor that stands twice", file: "data/citations.ttl", from: "ou:anchor \"two expansions\"", to: "ou:anchor \"pilot\"", code: "citation-anchor", line: "ou:anchor \"pilot\" ;", needs_text: true },
    Fault { what: "words that are said to be quoted and are not", file: "data/figures.ttl", from: "\"two expansions\"@en", to: "\"three expansions\"@en", code: "citation-quote", line: "\"three expansions\"@en", needs_text: true },
    Fault { what: "a label that does not say whose words it is", file: "data/figures.ttl", from: "        ou:wording wording:quoted ;\n        prov:wasDerivedFrom cite:s7-expansions ;\n", to: "        prov:wasDerivedFrom cite:s7-expansions ;\n", code: "rule:wording-unsaid", line: "figure:expansions\n", needs_text: false },
    Fault { what: "a figure that nothing tells the parts of", file: "data/figures.ttl", from: "figure:upgrades\n    a ou:Figure", to: "figure:upgrading\n    a ou:Figure", code: "rule:figure-of-unsaid-parts", line: "figure:upgrading\n", needs_text: false },
    Fault { what: "a question without an answer or a silence", file: "data/questions.ttl", from: "question:benefits\n    a ou:Question", to: "question:benefit\n    a ou:Question", code: "rule:question-left-open", line: "question:benefit\n", needs_text: false },
    Fault { what: "a measure that its claim does not name", file: "data/measures.ttl", from: "measure:upgrade\n    a ou:Measure", to: "measure:upgrading\n    a ou:Measure", code: "rule:measure-in-no-claim", line: "measure:upgrading\n", needs_text: false },
    Fault { what: "a measure that leaves open who does it", file: "data/measures.ttl", from: "measure:pattern\n    a ou:Measure", to: "measure:patterns\n    a ou:Measure", code: "rule:measure-of-unsaid-doer", line: "measure:patterns\n", needs_text: false },
    Fault { what: "a time that is unknown and has a date", file: "data/times.ttl", from: "    ou:timing timing:printed ~ st:time-since-2015-timing", to: "    ou:timing timing:unknown ~ st:time-since-2015-timing", code: "shape-sparql", line: "time:since-2015\n", needs_text: false },
    Fault { what: "a wrong hash of the source", file: "data/sources.ttl", from: "fd2c02623f13bf9d", to: "fd2c02623f13bf9e", code: "source-text", line: "fd2c02623f13bf9e", needs_text: true },
    Fault { what: "a label missing in Chinese", file: "data/regions.ttl", from: "    rdfs:label \"成都\"@zh ~", to: "    rdfs:comment \"成都\"@zh ~", code: "missing-label", line: "\"Chengdu\"@en", needs_text: false },
    Fault { what: "the same label twice", file: "data/regions.ttl", from: "rdfs:label \"重庆\"@zh", to: "rdfs:label \"成都\"@zh", code: "duplicate-label", line: "rdfs:label \"成都\"@zh ~ st:region-chongqing-label-zh", needs_text: false },
    Fault { what: "a missing dot", file: "data/events.ttl", from: "programme:pilot\n    a ou:Programme ;", to: "programme:pilot\n    a ou:Programme .", code: "syntax", line: "rdfs:label \"comprehensive pilot work of expanding", needs_text: false },
    Fault { what: "a query that does not parse", file: "queries/tasks-of-sector.rq", from: "ou:sector ?narrow .", to: "ou:sector ?narrow ..", code: "query-syntax", line: "ou:sector ?narrow ..", needs_text: false },
    Fault { what: "a query with an undeclared parameter", file: "queries/tasks-of-sector.rq", from: "skos:broader* $sector", to: "skos:broader* $sektor", code: "undeclared-parameter", line: "$sektor", needs_text: false },
    Fault { what: "a parameter that is not used", file: "queries/tasks-of-sector.rq", from: "skos:broader* $sector", to: "skos:broader* ?other", code: "unused-parameter", line: "#+   sector:", needs_text: false },
    Fault { what: "a query for a term that the graph does not have", file: "queries/tasks-of-sector.rq", from: "a ou:Task ;", to: "a ou:Tasks ;", code: "unknown-term", line: "a ou:Tasks ;", needs_text: false },
    Fault { what: "a default that is no member of its class", file: "queries/tasks-of-sector.rq", from: "default: sector:service-industry", to: "default: cohort:four", code: "parameter-value", line: "#+   sector:", needs_text: false },
    Fault { what: "a type that there is not", file: "queries/tasks-of-ministry.rq", from: "type: org:Organization", to: "type: organisation", code: "parameter-value", line: "#+   ministry:", needs_text: false },
    Fault { what: "a header that says something unknown", file: "queries/fdi-2024.rq", from: "#+ columns:", to: "#+ colums:", code: "query-syntax", line: "#+ colums:", needs_text: false },
    Fault { what: "a figure without a unit", file: "data/figures.ttl", from: "    qudt:unit unit:batch ~ st:approval-batches-unit {| prov:wasDerivedFrom cite:s6-batches |} ;\n", to: "", code: "rule:figure-without-unit", line: "figure:approval-batches\n", needs_text: false },
    Fault { what: "a shape that SHACL does not allow", file: "ontology/shapes.ttl", from: "sh:pattern \"^[0-9]+$\"", to: "sh:pattern \"^[0-9+$\"", code: "ill-formed-shape", line: "sh:property [\n        sh:path ou:geonamesId", needs_text: false },
    Fault { what: "a setting with an unknown prefix", file: "kgq.toml", from: "anchor       = \"ou:anchor\"", to: "anchor       = \"uo:anchor\"", code: "citation-setting", line: "uo:anchor", needs_text: false },
    Fault { what: "a source that no citation names", file: "kgq.toml", from: "id/source/article\"", to: "id/source/artikel\"", code: "unknown-source", line: "id/source/artikel", needs_text: false },
];

/// The line number, from 1, of the first occurrence of the needle.
fn line_of(text: &str, needle: &str) -> usize {
    let at = text.find(needle).unwrap_or_else(|| panic!("`{needle}` is not in the changed file"));
    text[..at].matches('\n').count() + 1
}

fn shown(findings: &[Finding]) -> String {
    let line = |f: &Finding| format!("  {} {} {} {}", f.place, f.severity, f.code, f.message);
    findings.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_shipped_project_has_nothing_to_find() {
    let dir = copy();
    let report = checked(&dir);
    assert_eq!(shown(&report.findings), "");
    let citations = report.counts.citations.unwrap();
    assert_eq!((citations.missing, citations.failed), (0, 0));
    assert!(report.counts.statements > 500, "{}", report.counts.statements);
}

/// Faults that can be in one copy together, as none hides another.
#[derive(Default)]
struct Batch<'f> {
    faults: Vec<&'f Fault>,
    files: BTreeMap<&'static str, String>,
}

impl<'f> Batch<'f> {
    fn take(&mut self, fault: &'f Fault) -> bool {
        // A file that does not parse suspends other checks.
        let breaks = |f: &Fault| f.code == "syntax";
        if !self.faults.is_empty() && (breaks(fault) || self.faults.iter().any(|f| breaks(f))) {
            return false;
        }
        let original = || fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(fault.file)).unwrap();
        let text = self.files.entry(fault.file).or_insert_with(original);
        if !text.contains(fault.from) {
            assert!(!self.faults.is_empty(), "{}: `{}` is not in {}", fault.what, fault.from, fault.file);
            return false;
        }
        *text = text.replacen(fault.from, fault.to, 1);
        self.faults.push(fault);
        true
    }

    /// The faults that were not reported in their place.
    fn missed(&self) -> Vec<(&'f Fault, String)> {
        let dir = copy();
        for (file, text) in &self.files {
            fs::write(dir.path().join("project").join(file), text).unwrap();
        }
        let findings = checked(&dir).findings;
        let found = |fault: &Fault| {
            let line = line_of(&self.files[fault.file], fault.line);
            findings.iter().any(|f| f.code == fault.code && f.place.file == fault.file && f.place.line == line)
        };
        let missed = self.faults.iter().filter(|fault| !found(fault));
        missed.map(|fault| (*fault, shown(&findings))).collect()
    }
}

#[test]
fn every_seeded_fault_is_found_at_its_line_with_its_code() {
    let at_hand = text_at_hand(&copy());
    let mut batches: Vec<Batch<'_>> = Vec::new();
    for fault in FAULTS.iter().filter(|fault| at_hand || !fault.needs_text) {
        if !batches.iter_mut().any(|batch| batch.take(fault)) {
            let mut batch = Batch::default();
            assert!(batch.take(fault));
            batches.push(batch);
        }
    }
    let mut missed = Vec::new();
    for fault in batches.iter().flat_map(Batch::missed).map(|(fault, _)| fault) {
        // Another fault of its batch may have hidden it.
        let mut alone = Batch::default();
        assert!(alone.take(fault));
        for (fault, found) in alone.missed() {
            let line = line_of(&alone.files[fault.file], fault.line);
            missed.push(format!("{}: {} at {}:{line}; found\n{found}", fault.what, fault.code, fault.file));
        }
    }
    assert!(FAULTS.len() >= 30);
    assert!(missed.is_empty(), "{} of {} missed\n{}", missed.len(), FAULTS.len(), missed.join("\n"));
}

/// A project of the given files, outside any other.
fn project(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join("project").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

#[test]
fn a_project_without_citations_shapes_or_queries_is_checked_for_the_rest() {
    let dir = project(&[
        ("kgq.toml", "name = \"x\""),
        (
            "data/a.ttl",
            "@prefix foaf: <http://xmlns.com/foaf/0.1/> .\n<http://e/a> foaf:name \"A\" ; foaf:nmae \"B\" .",
        ),
    ]);
    let report = checked(&dir);
    let codes: Vec<_> = report.findings.iter().map(|f| (f.severity, f.code.as_ref())).collect();
    assert_eq!(codes, [(Severity::Warning, "undeclared-vocabulary")]);
    assert_eq!(report.last_line(), "2 statements in 1 file, 0 errors, 1 warning");
    assert_eq!(report.errors(), 0);
}

#[test]
fn every_broken_file_is_reported_and_hides_no_other() {
    let dir = project(&[
        ("kgq.toml", "name = \"x\"\n[citations]\nrequired = true\n"),
        ("data/a.ttl", "<http://e/a> <http://e/p> ."),
        ("data/b.ttl", "<http://e/a> <http://e/p> \"x .\n"),
        ("data/c.ttl", "<http://e/a> <http://e/p> 1 ."),
        ("queries/q.rq", "SELECT WHERE {"),
    ]);
    let report = checked(&dir);
    let codes: Vec<_> = report.findings.iter().map(|f| (f.place.file.as_str(), f.code.as_ref())).collect();
    assert_eq!(
        codes,
        [
            ("data/a.ttl", "syntax"),
            ("data/b.ttl", "syntax"),
            ("data/c.ttl", "uncited"),
            ("queries/q.rq", "query-syntax")
        ]
    );
}

#[test]
fn a_citation_of_a_chinese_source_counts_code_points() {
    let text = "国务院批复。商务部表示，试点任务共155项。";
    let graph = |start: usize, end: usize| {
        format!(
            "@prefix prov: <http://www.w3.org/ns/prov#> . @prefix oa: <http://www.w3.org/ns/oa#> .\n\
             <http://e/plan> <http://e/tasks> 155 ~ <http://e/st> {{| prov:wasDerivedFrom <http://e/cite> |}} .\n\
             <http://e/cite> oa:hasSource <http://e/doc> ; oa:exact \"155项\" ;\n\
             oa:hasSelector [ oa:start {start} ;\n oa:end {end} ] ."
        )
    };
    let manifest = "name = \"x\"\n[sources]\n\"http://e/doc\" = \"doc.txt\"\n[citations]\nrequired = true\n";
    let counted = |start: usize, end: usize| {
        let dir = project(&[("kgq.toml", manifest), ("doc.txt", text), ("data/a.ttl", &graph(start, end))]);
        checked(&dir)
    };
    let right = counted(6, 22);
    assert_eq!(right.last_line(), "1 statement to cite, 0 without a citation, 0 citations failed, 0 not checked");
    assert_eq!(right.errors(), 0);
    let in_bytes = counted(18, 60);
    assert_eq!(in_bytes.last_line(), "1 statement to cite, 0 without a citation, 1 citation failed, 0 not checked");
    let finding = in_bytes.findings.iter().find(|f| f.code == "citation-span").unwrap();
    assert_eq!(
        (finding.place.line, finding.message.as_str()),
        (4, "<http://e/cite>: the span 18–60 does not lie in the text, which has 22 code points")
    );
}

/// Six patterns without a common variable: more rows than could be examined in years.
const ENDLESS: &str = "?a ?p ?b . ?c ?q ?d . ?e ?r ?f . ?g ?s ?h . ?i ?t ?j . ?k ?u ?l \
    FILTER(CONCAT(STR(?a), STR(?d), STR(?f), STR(?g), STR(?j), STR(?l)) = 'x')";

#[test]
fn rules_and_constraints_in_sparql_keep_the_limits_and_the_other_checks_go_on() {
    let things: String = (0..60).map(|i| format!("<http://e/{i}> <http://e/p> {i} .\n")).collect();
    let rule = format!("#+ title: Endless\nSELECT ?a {{ {ENDLESS} }}\n");
    let dir = project(&[
        ("kgq.toml", "name = \"x\""),
        ("data/a.ttl", &things),
        ("queries/checks/endless.rq", &rule),
        ("queries/checks/seven.rq", "#+ title: Seven\nSELECT ?s { ?s <http://e/p> 7 }\n"),
    ]);
    let limits = Limits { time: Some(Duration::from_millis(500)), ..Limits::default() };
    let project = dir.path().join("project");
    let codes = || {
        let options = OpenOptions { folder: project.clone(), limits, ..OpenOptions::default() };
        let report = Graph::open(options).unwrap().check().unwrap();
        report.findings.into_iter().map(|f| (f.code.to_string(), f.message)).collect::<BTreeMap<_, _>>()
    };
    let found = codes();
    assert!(found["rule-failed"].contains("took longer than 0.5 s"), "{found:?}");
    assert!(found.contains_key("rule:seven"), "{found:?}");

    let shape = format!(
        "@prefix sh: <http://www.w3.org/ns/shacl#> .\n<http://e/shape> a sh:NodeShape ;\n  sh:targetNode <http://e/1> ;\n  \
         sh:sparql [ sh:select \"SELECT $this {{ $this ?y ?z . {ENDLESS} }}\" ] .\n"
    );
    fs::remove_file(project.join("queries/checks/endless.rq")).unwrap();
    fs::create_dir(project.join("ontology")).unwrap();
    fs::write(project.join("ontology/endless.ttl"), shape).unwrap();
    let found = codes();
    assert!(found["validation-failed"].contains("took longer than 0.5 s"), "{found:?}");
    assert!(found.contains_key("rule:seven"), "{found:?}");
}

#[test]
fn places_in_large_files_are_right_also_of_what_an_earlier_file_says() {
    let more = |name: &str| -> String {
        (0..6000).map(|n| format!("<http://e/{name}{n}> <http://e/p> <http://e/{name}{}> .\n", n + 1)).collect()
    };
    let ill =
        |n: usize| format!("<http://e/x{n}> <http://e/q> \"{n}x\"^^<http://www.w3.org/2001/XMLSchema#integer> .\n");
    let shape = "<http://e/shape> a <http://www.w3.org/ns/shacl#NodeShape> ;\n\
                 <http://www.w3.org/ns/shacl#targetNode> <http://e/x1> ;\n\
                 <http://www.w3.org/ns/shacl#sparql> [ <http://www.w3.org/ns/shacl#select> \"\"\"SELECT $this {\n\
                 $this <http://e/p> ?y .\n FILTER(?y > ) }\"\"\" ] .\n";
    let [first, second] = [ill(1) + &more("a") + &ill(2), more("b") + &ill(2) + &ill(3) + shape + &more("c") + &ill(1)];
    let files = [("kgq.toml", "name = \"x\""), ("data/a.ttl", &*first), ("data/b.ttl", &*second)];
    let report = checked(&project(&files));
    let mut found = Vec::new();
    for finding in &report.findings {
        let text = files.iter().find(|(name, _)| *name == finding.place.file).unwrap().1;
        let line = text.lines().nth(finding.place.line - 1).unwrap();
        found.push((&*finding.place.file, &*finding.code, &line[finding.place.column - 1..]));
    }
    found.retain(|(_, code, _)| ["ill-formed-literal", "ill-formed-shape"].contains(code));
    let literals = [1, 2, 3].map(|n| ill(n).split_once(' ').unwrap().1.trim_end().to_owned());
    let [one, two, three] = [&*literals[0], &*literals[1], &*literals[2]];
    let expected = [
        ("data/a.ttl", "ill-formed-literal", one),
        ("data/a.ttl", "ill-formed-literal", two),
        ("data/b.ttl", "ill-formed-literal", two),
        ("data/b.ttl", "ill-formed-literal", three),
        ("data/b.ttl", "ill-formed-shape", ") }\"\"\" ] ."),
        ("data/b.ttl", "ill-formed-literal", one),
    ];
    assert_eq!(found, expected);
}
