//! The content of pages: about a thing, the ontology, a query.

use super::*;

/// A project with an example of everything that a page shows.
const TOWNS: &str = r#"
PREFIX : <https://e.example/> PREFIX o: <https://e.example/ontology#> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX owl: <http://www.w3.org/2002/07/owl#> PREFIX sh: <http://www.w3.org/ns/shacl#> PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
PREFIX oa: <http://www.w3.org/ns/oa#> PREFIX prov: <http://www.w3.org/ns/prov#> PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX wgs84: <http://www.w3.org/2003/01/geo/wgs84_pos#>
<https://e.example/ontology> a owl:Ontology ; rdfs:label "Towns"@en .
o:Place a owl:Class ; rdfs:label "place"@en .
o:Town a owl:Class ; rdfs:subClassOf o:Place ; rdfs:label "town"@en, "市镇"@zh .
o:Burgh a owl:Class ; rdfs:label "burgh"@en ; owl:deprecated true .
o:twin a owl:ObjectProperty ; rdfs:label "twin of"@en ; rdfs:domain o:Town ; rdfs:range o:Town .
o:founded a owl:DatatypeProperty ; rdfs:label "founded"@en ; rdfs:domain o:Town .
:group a sh:PropertyGroup ; rdfs:label "In company"@en ; sh:order 1 .
[] a sh:NodeShape ; sh:targetClass o:Town ;
   sh:property [ sh:path o:twin ; sh:group :group ; sh:minCount 1 ; sh:maxCount 1 ; sh:class o:Town ] .
:a a o:Town ; rdfs:label "Alder"@en, "桤木"@zh ; o:twin :b {| prov:wasDerivedFrom :cite |} ;
   o:founded "1201"^^xsd:gYear ; wgs84:lat 50.5 ; wgs84:long 4.5 .
:b a o:Town ; rdfs:label "Birch"@en ; o:twin :a ; wgs84:lat 52.5 ; wgs84:long 5.5 .
:c a o:Town ; rdfs:label "Cedar"@en ; o:twin :a ; rdfs:seeAlso <https://elsewhere.example/deep/way/cedar> .
:cite a :Citation ; oa:hasSource :paper ; oa:hasSelector [ oa:start 10 ; oa:end 42 ] .
:Citation a owl:Class .
:paper a :Citation ; dcterms:title "A paper"@en ; dcterms:issued "2020-02-02"^^xsd:date .
"#;

const QUERY: &str = "#+ title: {en: Towns by twins, zh: 姊妹市镇}\n#+ question: Which town has how many twins?\n#+ tags: [towns]\n#+ view: bar\n\
    #+ params:\n#+   least: {type: integer, default: 1, description: How many at least}\n\
    PREFIX o: <https://e.example/ontology#>\nSELECT ?town (COUNT(?twin) AS ?twins) { ?twin o:twin ?town } GROUP BY ?town HAVING (COUNT(?twin) >= $least) ORDER BY ?town";

fn assert_has(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(page.contains(part), "no {part} in\n{page}");
    }
}

#[test]
fn pages_show_names_facts_footnotes_drawings_and_questions() {
    let project = project(&[("data/a.ttl", TOWNS), ("queries/twins.rq", QUERY)]);
    let site = project.path().join("site");
    publish(project.path(), &site, &[]);
    let page = |name: &str| fs::read_to_string(site.join(name)).unwrap();

    let alder = page("a.html");
    assert_has(
        &alder,
        &[
            r#"<h1><bdi lang="en" dir="auto">Alder</bdi></h1><ul class="inline others"><li><bdi class="text" lang="zh" dir="auto">桤木</bdi>"#,
            r#"<bdi class="text" lang="zh" dir="auto">桤木</bdi>"#,
            r#"<code class="copy">https://e.example/a</code>"#,
            r#"<link rel="alternate" type="text/turtle" href="a.ttl">"#,
            r#"<link rel="alternate" type="application/ld+json" href="a.jsonld">"#,
            r#"<link rel="alternate" type="application/n-triples" href="a.nt">"#,
            r#"<link rel="describedby" type="text/turtle" href="a.ttl">"#,
            r#"<link rel="canonical" href="https://e.example/a.html">"#,
            r#""@type":"Place""#,
            // A fact in its group, with the footnote on source, date and span.
            "<h2>In company</h2>",
            r##"<bdi>Birch</bdi></a><sup class="notes"><a href="#note-1""##,
            r#"<cite><a href="paper.html"><bdi>A paper</bdi></a></cite>, <time datetime="2020-02-02">2020-02-02</time>: characters 10–42"#,
            // The counted references to it; its neighbours; when and where.
            r#"<span class="count">2 things</span>"#,
            r#"<figure class="drawing neighbours">"#,
            r#"<time datetime="1201">1201</time>"#,
            r#"<figure class="drawing map">"#,
            "whose answer holds it",
            r#"<a href="query/twins.html">Towns by twins</a>"#,
        ],
    );
    assert_has(
        &page("c.html"),
        &[r#"title="https://elsewhere.example/deep/way/cedar"><bdi>elsewhere.example/…/cedar</bdi>"#],
    );
    let town = page("ontology/Town.html");
    assert_has(&town, &["<h2>3 of them</h2>", "twin of</bdi></a></span>: exactly one, each a "]);
    assert_has(&page("ontology/twin.html"), &["3 statements use it.", "that name it"]);
    assert_has(&page("ontology/Burgh.html"), &["Deprecated:"]);

    let ontology = page("ontology.html");
    assert_has(
        &ontology,
        &[
            r##"<li><a href="#Place">place</a><ul><li><a href="#Town">town</a> <span class="count">3</span>"##,
            r#"<div class="body" id="Town">"#,
            r#"<div class="body" id="founded">"#,
            r##"<a href="#Burgh" class="deprecated">burgh</a>"##,
            r#"<td class="number">3</td>"#,
            "exactly one, each a ",
            r#"<figure class="drawing arcs">"#,
        ],
    );

    let query = page("query/twins.html");
    assert_has(
        &query,
        &[
            "Which town has how many twins?",
            "towns</p>",
            r#"<span class="k">SELECT</span> <span class="v">?town</span>"#,
            r#"<dt><code>least</code></dt>"#,
            r#"<div class="bars">"#,
            r#"twins.csv" download>CSV</a>"#,
            r#"twins.json" download>JSON</a>"#,
            r#"twins.ttl" download>"#,
            r##"<td class="marks"><sup class="notes"><a href="#note-1""##,
        ],
    );
    assert_has(&page("query/twins.csv"), &["https://e.example/a,2\r\n"]);
}

#[test]
fn a_page_says_when_its_facts_last_changed_as_git_knows() {
    let project = project(&[("data/a.ttl", SMALL)]);
    let git = |arguments: &[&str], date: &str| {
        let identity = ["-c", "user.name=x", "-c", "user.email=x@e.example", "-c", "commit.gpgsign=false"];
        let mut command = Command::new("git");
        command.arg("-C").arg(project.path()).args(identity).args(arguments);
        command.env("GIT_COMMITTER_DATE", date).env("GIT_AUTHOR_DATE", date).env("GIT_CONFIG_GLOBAL", "/dev/null");
        command.output().is_ok_and(|run| run.status.success())
    };
    if !git(&["init", "--quiet"], "") {
        crate::needs::absent_tool("git");
        return;
    }
    assert!(git(&["add", "data"], "") && git(&["commit", "--quiet", "-m", "x"], "2020-02-03T12:00:00Z"));
    fs::write(project.path().join("data/a.ttl"), SMALL.replace("\"B, or", "\"Bee, or")).unwrap();
    assert!(git(&["commit", "--quiet", "-am", "y"], "2021-04-05T12:00:00Z"));
    // A file that is not committed yet has no date.
    fs::write(project.path().join("data/b.ttl"), "<https://e.example/c> a <https://e.example/Town> .").unwrap();
    let site = project.path().join("site");
    publish(project.path(), &site, &[]);
    let page = |name: &str| fs::read_to_string(site.join(name)).unwrap();
    assert!(page("a.html").contains("<time datetime=\"2020-02-03\">"));
    assert!(page("b.html").contains("<time datetime=\"2021-04-05\">"));
    assert!(!page("c.html").contains("Last changed"));
    assert!(page("sitemap.xml").contains("b.html</loc><lastmod>2021-04-05</lastmod>"));
    assert!(page("catalog.ttl").contains("\"2021-04-05\"^^xsd:date"));
}
