//! Tests what filled forms change, in whole projects.

use super::{Row, change, fields, rows};
use crate::files::Files;
use crate::{Settings, edit};
use kgq_graph::graph::{Graph, OpenOptions};
use kgq_syntax::error::Kind;
use kgq_syntax::rdf::NamedNode;

const HEAD: &str = "@prefix e: <http://e/> .\n@prefix prov: <http://www.w3.org/ns/prov#> .\n\n";

fn open(text: &str) -> (tempfile::TempDir, Graph) {
    let folder = tempfile::tempdir().unwrap();
    let manifest = "name = \"people\"\ndata = [\"*.trig\"]\n[prefixes]\ne = \"http://e/\"\n";
    std::fs::write(folder.path().join("kgq.toml"), manifest).unwrap();
    std::fs::write(folder.path().join("people.trig"), format!("{HEAD}{text}")).unwrap();
    std::fs::write(folder.path().join("sources.trig"), "<http://e/letter> a <http://e/Letter> .\n").unwrap();
    let graph = Graph::open(OpenOptions { folder: folder.path().into(), ..Default::default() }).unwrap();
    (folder, graph)
}

/// Fills the form of `e:ada` and returns the file without its prefixes, or what is wrong with a row.
fn filled(text: &str, fill: impl FnOnce(&mut Vec<Row>)) -> Result<String, String> {
    let (_folder, graph) = open(text);
    let thing = NamedNode::new("http://e/ada").unwrap();
    let (files, fields) = (Files::read(&graph).unwrap(), fields(&graph, &thing).unwrap());
    let mut rows = rows(&fields, &[], graph.prefixes().unwrap());
    fill(&mut rows);
    let change = change(&graph, &files, &thing, None, &fields, &rows).unwrap();
    let change = change.map_err(|wrong| wrong[0].message.clone())?;
    let edit = edit(&graph, &files, &change, &Settings::default()).unwrap();
    let after = edit.changes.first().map(|change| String::from_utf8(change.after.clone()).unwrap());
    let without_prefixes = |after: String| match after.split_once("> .\n\n") {
        Some((prefixes, rest)) if prefixes.starts_with("@prefix") => rest.to_owned(),
        _ => after,
    };
    Ok(after.map_or_else(|| text.to_owned(), without_prefixes))
}

fn row<'r>(rows: &'r mut [Row], value: &str) -> &'r mut Row {
    rows.iter_mut().find(|row| row.value == value).unwrap()
}

const SHARED: &str =
    "e:ada\n    e:age 36 ~ e:st ;\n    e:born 1815 ~ e:st ;\n.\n\ne:st\n    prov:wasDerivedFrom e:book ;\n.\n";

#[test]
fn a_value_that_goes_leaves_the_citation_of_another_by_the_same_reifier() {
    let after = filled(SHARED, |rows| row(rows, "36").value.clear()).unwrap();
    assert_eq!(after, SHARED.replace("    e:age 36 ~ e:st ;\n", ""));
    let both = filled(SHARED, |rows| rows.iter_mut().for_each(|row| row.value.clear())).unwrap();
    assert!(!both.contains("e:st") && !both.contains("e:book"), "{both}");
}

#[test]
fn another_source_of_one_value_is_not_one_of_the_other() {
    let after = filled(SHARED, |rows| row(rows, "36").sources = "e:letter".into()).unwrap();
    assert!(after.contains("e:age 36 {| prov:wasDerivedFrom e:letter |} ;"), "{after}");
    assert!(after.contains("e:born 1815 ~ e:st ;") && after.contains("prov:wasDerivedFrom e:book"), "{after}");
    let more = filled(SHARED, |rows| row(rows, "36").sources = "e:book e:letter".into()).unwrap();
    assert!(more.contains("e:born 1815 ~ e:st ;") && more.matches("e:letter").count() == 1, "{more}");
    assert!(!more.contains("e:st\n    prov:wasDerivedFrom e:book , e:letter"), "{more}");
    let moved = filled(SHARED, |rows| row(rows, "36").value = "37".into()).unwrap();
    assert!(moved.contains("e:born 1815 ~ e:st ;") && moved.contains("e:age 37"), "{moved}");
    assert!(moved.contains("rdf:reifies <<( e:ada e:age 37 )>>") && !moved.contains("36"), "{moved}");
}

#[test]
fn where_more_is_said_of_what_two_values_share_the_row_is_refused() {
    let said = SHARED.replace("e:st\n", "e:st\n    e:sure 0.5 ;\n");
    let refused = filled(&said, |rows| row(rows, "36").sources = "e:letter".into()).unwrap_err();
    assert!(refused.contains("said of another too"), "{refused}");
    let removed = filled(&said, |rows| row(rows, "36").value.clear()).unwrap();
    assert!(removed.contains("e:sure 0.5") && removed.contains("e:born 1815 ~ e:st"), "{removed}");
}

#[test]
fn a_triple_that_another_graph_states_too_stays_cited_there() {
    let text = format!("{SHARED}\ne:g {{\n    e:ada\n        e:age 36 ;\n    .\n}}\n")
        .replace("    e:born 1815 ~ e:st ;\n", "");
    let after = filled(&text, |rows| row(rows, "36").value.clear()).unwrap();
    assert!(after.contains("e:age 36") && after.contains("prov:wasDerivedFrom e:book"), "{after}");
    let other = filled(&text, |rows| {
        row(rows, "36").sources = "e:letter".into();
        row(rows, "36").value = "37".into();
    });
    let other = other.unwrap();
    assert!(other.contains("e:age 37 {| prov:wasDerivedFrom e:letter |}"), "{other}");
    assert!(other.contains("e:age 36") && other.contains("prov:wasDerivedFrom e:book"), "{other}");
    assert!(other.contains("rdf:reifies") || other.contains("~ e:st"), "{other}");
}

#[test]
fn a_reifier_of_one_value_goes_with_it_and_follows_it() {
    let one = SHARED.replace("    e:born 1815 ~ e:st ;\n", "    e:born 1815 ;\n");
    let removed = filled(&one, |rows| row(rows, "36").value.clear()).unwrap();
    assert_eq!(removed, "e:ada\n    e:born 1815 ;\n.\n");
    let other = filled(&one, |rows| {
        row(rows, "36").sources = "e:letter".into();
        row(rows, "36").value = "37".into();
    });
    let other = other.unwrap();
    assert!(other.contains("rdf:reifies <<( e:ada e:age 37 )>>") && !other.contains("36"), "{other}");
    assert!(other.contains("prov:wasDerivedFrom e:letter") && !other.contains("e:book"), "{other}");
}

#[test]
fn a_form_of_many_rows_ends_where_its_time_does() {
    let (_folder, graph) = open(SHARED);
    let thing = NamedNode::new("http://e/ada").unwrap();
    let (files, fields) = (Files::read(&graph).unwrap(), fields(&graph, &thing).unwrap());
    let rows = rows(&fields, &[], graph.prefixes().unwrap());
    graph.options().budget.cancel();
    let error = change(&graph, &files, &thing, None, &fields, &rows).unwrap_err();
    assert_eq!(error.kind(), Kind::Interrupted);
}

const AS_TYPED: &str = r#"@prefix e: <http://e/> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
e:Shape a sh:NodeShape ; sh:targetClass e:Thing ;
    sh:property [ sh:path e:size ; sh:datatype xsd:integer ] , [ sh:path e:born ; sh:datatype xsd:date ] .
e:a a e:Thing ;
    e:name "A "@en , "b"@ar--rtl , "C"@zh-Hant ;
    e:size "5"^^xsd:int ;
    e:born "1990-05-01Z"^^xsd:date ;
    e:empty "" ~ e:st {| e:from e:b |} , "  " ;
    e:lines "one\r\ntwo\rthree\n" ;
    e:knows e:b .
e:b e:name "b" .
"#;

#[test]
fn a_form_that_comes_back_as_it_was_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("kgq.toml"), "name = \"t\"\ndata = [\"*.ttl\"]\n").unwrap();
    std::fs::write(folder.path().join("a.ttl"), AS_TYPED).unwrap();
    let graph = Graph::open(OpenOptions { folder: folder.path().into(), ..OpenOptions::default() }).unwrap();
    let files = Files::read(&graph).unwrap();
    let thing = NamedNode::new_unchecked("http://e/a");
    let fields = fields(&graph, &thing).unwrap();
    let mut rows = rows(&fields, &["en".into()], graph.prefixes().unwrap());
    assert!(rows.len() > 9, "{rows:?}");
    // Browsers send these line ends, and the form shows language tags in this case.
    for row in &mut rows {
        row.value = row.value.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n");
        row.language = row.language.to_ascii_uppercase();
    }
    let change = change(&graph, &files, &thing, None, &fields, &rows).unwrap().unwrap();
    assert!(change.added.is_empty() && change.removed.is_empty(), "{change:?}");
}

const NESTED: &str = "e:ada\n    e:address [\n        e:city \"London\" ;\n        e:rooms ( 1 2 ) ;\n        e:street \"Ockham Park\" ;\n    ] ;\n    e:name \"Ada\" ;\n.\n";

#[test]
fn what_is_in_a_value_without_a_name_is_corrected_where_it_stands() {
    let untouched = filled(NESTED, |_| ()).unwrap();
    assert_eq!(untouched, NESTED);
    let after = filled(NESTED, |rows| row(rows, "Ockham Park").value = "Marylebone".into()).unwrap();
    assert_eq!(after, NESTED.replace("Ockham Park", "Marylebone"));
    let less = filled(NESTED, |rows| row(rows, "London").value.clear()).unwrap();
    assert_eq!(less, NESTED.replace("        e:city \"London\" ;\n", ""));
    let without_list = filled(NESTED, |rows| {
        let list = rows.iter_mut().find(|row| row.property == "http://e/rooms").unwrap();
        list.value.clear();
    });
    assert_eq!(without_list.unwrap(), NESTED.replace("        e:rooms ( 1 2 ) ;\n", ""));
    let gone = filled(NESTED, |rows| row(rows, "[]").value.clear()).unwrap();
    assert_eq!(gone, "e:ada\n    e:name \"Ada\" ;\n.\n");
    let other = filled(NESTED, |rows| row(rows, "London").within.push('x')).unwrap_err();
    assert!(other.contains("not there any more"), "{other}");
}

#[test]
fn of_two_values_without_a_name_that_say_the_same_one_is_changed() {
    let text = "e:ada\n    e:address [ e:city \"London\" ] ;\n    e:address [ e:city \"London\" ] ;\n.\n";
    let after = filled(text, |rows| row(rows, "London").value = "Paris".into()).unwrap();
    assert_eq!(after.matches("London").count(), 1, "{after}");
    assert_eq!(after.matches("Paris").count(), 1, "{after}");
    let both = filled(text, |rows| rows.iter_mut().for_each(|row| row.value.clear())).unwrap();
    assert!(!both.contains("London"), "{both}");
}

const SHAPED: &str = "e:Person\n    a sh:NodeShape ;\n    sh:property [\n        sh:node e:Address ;\n        sh:path e:address ;\n    ] ;\n    sh:targetClass e:Person ;\n.\n\n\
    e:Address\n    a sh:NodeShape ;\n    sh:property [ sh:path e:city ] ;\n    sh:property [ sh:path e:street ] ;\n.\n\n\
    e:ada\n    a e:Person ;\n.\n";

#[test]
fn a_shape_of_values_without_a_name_gives_the_rows_of_a_new_one() {
    let text = format!("@prefix sh: <http://www.w3.org/ns/shacl#> .\n\n{SHAPED}");
    assert_eq!(filled(&text, |_| ()).unwrap(), text);
    let fill = |rows: &mut Vec<Row>| {
        let city = rows.iter_mut().find(|row| row.property == "http://e/city").unwrap();
        city.value = "London".into();
        city.sources = "e:letter".into();
    };
    let after = filled(&text, fill).unwrap();
    assert!(after.contains("e:address [ e:city \"London\" {| prov:wasDerivedFrom e:letter |} ] ;"), "{after}");
    let whole = |rows: &mut Vec<Row>| {
        fill(rows);
        rows.iter_mut().find(|row| row.property == "http://e/address").unwrap().sources = "e:letter".into();
    };
    let after = filled(&text, whole).unwrap();
    assert!(after.contains("|} ] {| prov:wasDerivedFrom e:letter |} ;"), "{after}");
}

#[test]
fn a_citation_is_made_as_the_others_are() {
    let text = "@prefix oa: <http://www.w3.org/ns/oa#> .\n\ne:ada\n    e:age 36 ;\n.\n\ne:cite-book\n    a e:Citation ;\n    oa:hasSelector [ oa:exact \"a book\" ] ;\n    oa:hasSource e:book ;\n.\n";
    let fill = |document: &str, words: &str| {
        let (document, words) = (document.to_owned(), words.to_owned());
        move |rows: &mut Vec<Row>| {
            let age = row(rows, "36");
            (age.document, age.words) = (document, words);
        }
    };
    let after = filled(text, fill("e:letter", "at the age\nof 36")).unwrap();
    assert!(after.contains("e:age 36 {| prov:wasDerivedFrom e:at-the-age-of-36 |} ;"), "{after}");
    assert!(after.contains("e:at-the-age-of-36\n    a e:Citation ;\n    oa:hasSelector ["), "{after}");
    assert!(after.contains("    oa:hasSource e:letter ;"), "{after}");
    // A citation that exists already is reused, not made again.
    let known = filled(text, fill("e:book", "a book")).unwrap();
    assert!(known.contains("e:age 36 {| prov:wasDerivedFrom e:cite-book |} ;"), "{known}");
    assert_eq!(known.matches("oa:hasSource").count(), 1, "{known}");
    let unsaid = filled(text, fill("", "a book")).unwrap_err();
    assert!(unsaid.contains("name the document"), "{unsaid}");
    let unknown = filled(text, fill("http://nowhere.example/", "a book")).unwrap_err();
    assert!(unknown.contains("says nothing of"), "{unknown}");
}

#[test]
fn a_new_thing_is_called_as_its_like_are() {
    let text = "e:Person\n    e:note \"a class\" ;\n.\n\ne:Ada_Lovelace\n    a e:Person ;\n    rdfs:label \"Ada Lovelace\"@en ;\n    e:age 36 ;\n.\n\n\
        e:Mary_Somerville\n    a e:Person ;\n    rdfs:label \"Mary Somerville\"@en ;\n.\n";
    let text = format!("@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n\n{text}");
    let (_folder, graph) = open(&text);
    let class = NamedNode::new("http://e/Person").unwrap();
    let fields = super::fields_of_new(&graph, &class).unwrap();
    let properties: Vec<&str> = fields.iter().map(|field| field.property.as_str()).collect();
    assert_eq!(properties, ["http://www.w3.org/2000/01/rdf-schema#label", "http://e/age"]);
    let mut rows = rows(&fields, &["en".to_owned()], graph.prefixes().unwrap());
    assert_eq!(super::proposed(&graph, &class, &rows).unwrap(), None);
    rows[0].value = "Charles Babbage".into();
    let name = super::proposed(&graph, &class, &rows).unwrap().unwrap();
    assert_eq!(name.as_str(), "http://e/Charles_Babbage");
    let files = Files::read(&graph).unwrap();
    let change = change(&graph, &files, &name, Some(&class), &fields, &rows).unwrap().unwrap();
    let edit = edit(&graph, &files, &change, &Settings::default()).unwrap();
    let after = String::from_utf8(edit.changes[0].after.clone()).unwrap();
    let block = "e:Charles_Babbage\n    a e:Person ;\n    rdfs:label \"Charles Babbage\"@en ;\n.\n";
    assert!(after.contains(&format!("e:age 36 ;\n.\n\n{block}\ne:Mary")), "{after}");
}

#[test]
fn values_that_share_others_or_are_long_lists_are_told_apart_in_few_steps() {
    // Written out in full, the tree below the first of these would have two to the fortieth nodes.
    let pairs: String = (0..40).map(|n| format!("_:b{n} e:left _:b{0} ; e:right _:b{0} .\n\n", n + 1)).collect();
    let items: String = (0..3_000).map(|n| format!(" [ e:n {n} ]")).collect();
    let text = format!("e:ada e:list ({items} ) ; e:pair _:b0 .\n\n{pairs}");
    assert_eq!(filled(&text, |_| {}), Ok(text));
}
