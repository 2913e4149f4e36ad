use super::*;
use kgq_syntax::error::Kind;

const BOUNDS: Bounds = Bounds {
    max_depth: 16,
    max_token: 1_000,
    max_entities: 200,
    max_query_size: 0,
    max_operators: 0,
    max_decompressed: 0,
    max_ratio: 0,
};

fn read_with(text: &str, lenient: bool) -> Result<Vec<(String, StatementPositions)>> {
    let settings = Settings { name: "d.rdf", base: Some("http://b/d/e.rdf"), lenient, bounds: BOUNDS };
    let mut out = Vec::new();
    read_rdf_xml(text.as_bytes(), settings, &mut |triple, places| {
        out.push((triple.to_string(), places));
        Ok(())
    })?;
    Ok(out)
}

fn document(types: &str, content: &str) -> String {
    format!(
        "<?xml version='1.0'?>\n{types}<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns:e='http://e/'>\
         {content}</rdf:RDF>"
    )
}

fn objects(types: &str, content: &str) -> Result<Vec<String>> {
    let text = document(types, &format!("<rdf:Description rdf:about='s'>{content}</rdf:Description>"));
    let triples = read_with(&text, false)?;
    Ok(triples.iter().map(|(triple, _)| triple.splitn(3, ' ').nth(2).unwrap().to_owned()).collect())
}

fn failure(types: &str, content: &str) -> String {
    let error = objects(types, content).unwrap_err();
    assert_eq!(error.kind(), Kind::Input);
    assert!(error.place().is_some_and(|place| place.file == "d.rdf"), "{error}");
    error.to_string()
}

#[test]
fn entities_are_read_in_every_valid_form() {
    let types = "<!DOCTYPE rdf:RDF PUBLIC '-//x' \"y>z\" [\n<!-- it's > \"-->\n<!ENTITY a '1\"'><!ENTITY b \"x>&a;&#65;\" >\n\
                 <!ENTITY % p \"<!ENTITY c 'from p'>\"> %p;\n<?p >?><!ELEMENT x (y|z)*><!ENTITY m '<e:Q/>'>\
                 <!ATTLIST rdf:Description e:d CDATA 'default'>]\n>\n";
    let found = objects(types, "<e:p>&b;&lt;&c;</e:p><e:q e:r='&a; &#10;\n'/><e:p>&m;</e:p>").unwrap();
    let blank = found.iter().position(|object| object.starts_with("_:")).unwrap();
    assert_eq!(found[0], "\"default\"");
    assert_eq!(found[1], r#""x>1\"A<from p""#);
    assert!(found.contains(&r#""1\" \n ""#.to_owned()), "{found:?}");
    assert!(blank > 1 && found.contains(&"<http://e/Q>".to_owned()), "{found:?}");
}

#[test]
fn what_entities_expand_to_is_bounded_however_they_are_declared() {
    let laughs = |kind: &str, mark: char| {
        let levels: String =
            (1..6).map(|n| format!("<!ENTITY {kind} a{n} \"{}\">", format!("{mark}a{};", n - 1).repeat(9))).collect();
        format!("<!DOCTYPE r [<!ENTITY\n{kind} a0 'lol'>{levels}]>")
    };
    for content in ["<e:p>&a5;</e:p>", "<e:p e:q='&a5;'/>", "<e:p rdf:parseType='Literal'>&a5;</e:p>"] {
        assert!(failure(&laughs("", '&'), content).contains("--max-entities"), "{content}");
    }
    let nested = "<!DOCTYPE r [<!ENTITY % a '<!ENTITY b \"0123456789\">'> %a;%a;%a;%a;%a;%a;%a;%a;%a;]>";
    assert!(failure(nested, "").contains("--max-entities"));
    assert!(failure(&laughs("%", '&'), "<e:p>&a5;</e:p>").contains("entit"));
    for text in ["&x;", "<e:P/>&x;"] {
        let types = format!("<!DOCTYPE r [<!ENTITY x '{text}'>]>");
        assert!(failure(&types, "<e:p>&x;</e:p>").contains("holds itself"), "{text}");
    }
    assert!(failure("<!DOCTYPE r [<!ENTITY x '&x;'>]>", "<e:p e:q='&x;'/>").contains("hold themselves"));
    let external = "<!DOCTYPE r [<!ENTITY x SYSTEM '/etc/passwd'>]>";
    assert!(failure(external, "<e:p>&x;</e:p>").contains("no other file is read"));
}

#[test]
fn languages_and_bases_hold_within_and_can_be_taken_back() {
    let found = objects(
        "",
        "<e:p xml:lang='EN-gb'>x</e:p><e:p xml:lang=''>y</e:p><e:p xml:base='../f/./g?q#h' rdf:resource='i'/>\
                             <e:p xml:base='' rdf:resource=''/>",
    );
    assert_eq!(found.unwrap(), ["\"x\"@en-gb", "\"y\"", "<http://b/f/i>", "<http://b/d/e.rdf>"]);
}

#[test]
fn an_xml_literal_declares_what_it_uses_and_may_be_empty() {
    let found = objects(
        "",
        "<e:p rdf:parseType='Literal'><e:a f='&lt;' b='\t' xmlns:u='http://u/'><x xmlns=''/><u:y/><u:y/>\
                             </e:a><!-- c --><?p  d?>&amp;<![CDATA[<]]></e:p><e:p rdf:parseType='Literal'/>",
    );
    let literal = |text: &str| format!("{text:?}^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#XMLLiteral>");
    let first = "<e:a xmlns:e=\"http://e/\" b=\" \" f=\"&lt;\"><x></x><u:y xmlns:u=\"http://u/\"></u:y>\
                 <u:y xmlns:u=\"http://u/\"></u:y></e:a><!-- c --><?p d?>&amp;&lt;";
    assert_eq!(found.unwrap(), [literal(first), literal("")]);
}

#[test]
fn each_statement_has_the_places_of_its_subject_and_predicate() {
    let text = document("", "\n <e:C rdf:about='s'\n   e:q='1'>\n  <e:é>x</e:é><e:p rdf:resource='o'/>\n </e:C>\n");
    let found = read_with(&text, false).unwrap();
    let places: Vec<_> = found
        .iter()
        .map(|(_, p)| ((p.subject.line, p.subject.column), (p.predicate.line, p.predicate.column)))
        .collect();
    assert_eq!(places, [((3, 7), (3, 7)), ((3, 7), (4, 4)), ((3, 7), (5, 3)), ((3, 7), (5, 15))]);
}

#[test]
fn what_is_no_xml_is_refused_at_its_place() {
    let at = |text: &str| {
        let error = read_with(text, false).unwrap_err();
        let place = error.place().unwrap_or_else(|| panic!("{text}: {error}"));
        (place.line, place.column)
    };
    let open = "<r:RDF xmlns:r='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>";
    for (tail, place) in [
        ("\n <r:Description></r:RDF>", (2, 17)),
        ("\n <x:y/></r:RDF>", (2, 2)),
        ("\nx</r:RDF>", (2, 1)),
        ("\n&é</r:RDF>", (2, 1)),
        ("\n <r:Description", (2, 2)),
        ("\n <r:Description r:about='a' r:about='b'/></r:RDF>", (2, 2)),
        ("\n <r:Description r:about='a'r:ID='b'/></r:RDF>", (2, 2)),
        ("\n <r:Description\n  é='a'/></r:RDF>", (3, 3)),
        ("\n <!-- a--b --></r:RDF>", (2, 2)),
        ("</r:RDF>\n<a/>", (2, 1)),
        ("</r:RDF>\n é", (2, 2)),
        ("\n <r:Description r:about='\u{1}'/></r:RDF>", (2, 17)),
        ("", (1, 62)),
    ] {
        assert_eq!(at(&format!("{open}{tail}")), place, "{tail}");
    }
    assert_eq!(at(""), (1, 1));
}

#[test]
fn limits_hold_at_their_value_and_fail_one_beyond() {
    let nested = |n: usize| {
        let (open, close) = ("<e:p rdf:parseType='Resource'>", "</e:p>");
        objects("", &format!("{}{}", open.repeat(n), close.repeat(n)))
    };
    assert!(nested(14).is_ok());
    assert!(nested(15).unwrap_err().to_string().contains("--max-depth"));
    let long = format!("<e:p>{}</e:p>", "x".repeat(70_000));
    assert!(failure("", &long).contains("--max-token"));
}

#[test]
fn namespaces_cost_what_they_declare_and_not_what_is_in_force() {
    // A hundred thousand declarations, and as many elements below them: a list searched at each element would take minutes.
    let many: String =
        (0..100_000).map(|n| format!("<e:p><rdf:Description xmlns:n{n}='http://n/{n}'/></e:p>")).collect();
    assert_eq!(objects("", &many).unwrap().len(), 100_000);
    let mut names = names::Namespaces::default();
    let all: Vec<String> = (0..100_000).map(|n| format!("n{n}")).collect();
    names.open(all.iter().map(|n| (n.as_str(), std::rc::Rc::from("http://n/"))).collect()).unwrap();
    for _ in 0..100_000 {
        names.open(Vec::new()).unwrap();
        assert!(names.get("n99999").is_some());
        names.close();
    }
}
