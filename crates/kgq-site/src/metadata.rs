//! Descriptions of the dataset for other tools: VoID, DCAT 3, a service description, the queries as SHACL executables, a sitemap,
//! llms.txt, and a schema.org dataset.

use super::dumps::{Dump, follows};
use super::folder::Paths;
use super::model::Model;
use super::query::PublishedQuery;
use super::reads::node_of;
use super::vocabulary::*;
use kgq_engine::query::Form;
use kgq_graph::export::turtle;
use kgq_snapshot::{Permutation, QuadPermutation, TermId};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{BlankNode, GraphName, Literal, NamedNode, NamedOrBlankNode, Prefixes, Quad, Term};
use kgq_syntax::text::count;
use maud::html;
use oxrdf::vocab::xsd;
use rustc_hash::FxHashMap;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

const VOID: &str = "http://rdfs.org/ns/void#";
const DCAT: &str = "http://www.w3.org/ns/dcat#";
const DCT: &str = "http://purl.org/dc/terms/";
const FOAF: &str = "http://xmlns.com/foaf/0.1/";
const SD: &str = "http://www.w3.org/ns/sparql-service-description#";
const SPDX: &str = "http://spdx.org/rdf/terms#";
const IANA: &str = "https://www.iana.org/assignments/media-types/";
const SCHEMA: &str = "https://schema.org/";
/// The SIB vocabulary of example queries: it has a property for DESCRIBE, which SHACL lacks.
const SPEX: &str = "https://purl.expasy.org/sparql-examples/ontology#";
const PROV: &str = "http://www.w3.org/ns/prov#";
const FORMATS: &str = "http://www.w3.org/ns/formats/";

/// The maximum number of addresses in one sitemap (sitemaps.org).
pub const SITEMAP: usize = 50_000;

/// A collector of statements.
struct Statements {
    quads: Vec<Quad>,
    blank: usize,
}

impl Statements {
    fn new() -> Self {
        Self { quads: Vec::new(), blank: 0 }
    }

    fn add(&mut self, subject: &NamedOrBlankNode, predicate: String, object: impl Into<Term>) {
        let predicate = NamedNode::new_unchecked(predicate);
        self.quads.push(Quad::new(subject.clone(), predicate, object, GraphName::DefaultGraph));
    }

    fn kind(&mut self, subject: &NamedOrBlankNode, class: String) {
        self.add(subject, rdf::TYPE.as_str().to_owned(), node(class));
    }

    /// Adds a new blank node as the object of a statement, and returns it.
    fn below(&mut self, subject: &NamedOrBlankNode, predicate: String) -> NamedOrBlankNode {
        self.blank += 1;
        let blank = BlankNode::new_unchecked(format!("n{:06}", self.blank));
        self.add(subject, predicate, blank.clone());
        blank.into()
    }

    fn write(self, model: &Model<'_>) -> Result<String> {
        let mut prefixes = Prefixes::default();
        for (prefix, namespace) in [
            ("dcat", DCAT),
            ("dcterms", DCT),
            ("foaf", FOAF),
            ("formats", FORMATS),
            ("prov", PROV),
            ("sd", SD),
            ("sh", SH),
            ("schema", SCHEMA),
            ("spdx", SPDX),
            ("spex", SPEX),
            ("void", VOID),
            ("xsd", XSD),
        ] {
            prefixes.insert_if_absent(prefix, namespace);
        }
        for (prefix, namespace) in model.source.prefixes.iter() {
            prefixes.insert_if_absent(prefix, namespace);
        }
        turtle::write(&self.quads, &prefixes, model.budget)
    }
}

fn node(iri: impl Into<String>) -> NamedNode {
    NamedNode::new_unchecked(iri)
}

fn number(value: u64) -> Literal {
    Literal::new_typed_literal(value.to_string(), xsd::INTEGER)
}

fn dataset(model: &Model<'_>) -> NamedOrBlankNode {
    node(format!("{}#dataset", model.base_url())).into()
}

/// The inferred graph. It is a dataset of its own, so that its distributions are not taken for those of the stated one.
fn inferred(model: &Model<'_>) -> NamedOrBlankNode {
    node(format!("{}#inferred", model.base_url())).into()
}

fn about_inferred(model: &Model<'_>, statements: &mut Statements, inferred: &NamedOrBlankNode) {
    let title = format!("{}: inferred", model.source.title);
    statements.add(inferred, format!("{DCT}title"), Literal::new_simple_literal(title));
    let description = Literal::new_simple_literal(follows(model.source.entailment));
    statements.add(inferred, format!("{DCT}description"), description);
    statements.add(inferred, format!("{PROV}wasDerivedFrom"), Term::from(dataset(model)));
}

/// A sentence that summarizes the dataset by its counts.
fn summary(model: &Model<'_>) -> String {
    let statements = count(model.source.snapshot.len() as u64, "statement", "statements");
    let things = count(model.things.len() as u64, "thing", "things");
    format!("{}: {statements} about {things}.", model.source.title)
}

fn about(model: &Model<'_>, statements: &mut Statements, dataset: &NamedOrBlankNode) {
    statements.add(dataset, format!("{DCT}title"), Literal::new_simple_literal(model.source.title));
    statements.add(dataset, format!("{DCT}description"), Literal::new_simple_literal(summary(model)));
    if let Some(ontology) = model.ontology() {
        for quad in model.facts(ontology.into()).iter().filter(|q| q.predicate.as_str() == DCT_LICENSE) {
            statements.add(dataset, format!("{DCT}license"), quad.object.clone());
        }
    }
    if let Some(day) = model.source.changed.values().max() {
        statements.add(dataset, format!("{DCT}modified"), Literal::new_typed_literal(day.as_str(), xsd::DATE));
    }
}

/// How many terms come first in these orders.
fn distinct(model: &Model<'_>, triples: Permutation, quads: QuadPermutation) -> u64 {
    let snapshot = model.source.snapshot;
    let (triples, quads) = (snapshot.triples(triples), snapshot.quads(quads));
    let only_in_quads = quads.keys().filter(|(id, _)| triples.run(*id).is_empty());
    (triples.keys().count() + only_in_quads.count()) as u64
}

/// How many nodes are of each class.
fn class_sizes(model: &Model<'_>) -> BTreeMap<String, u64> {
    let snapshot = model.source.snapshot;
    let Some(kind) = model.known.kind else { return BTreeMap::new() };
    let mut nodes: FxHashMap<TermId, Vec<TermId>> = FxHashMap::default();
    for [of, _, class, _] in snapshot.find_ids([None, Some(kind), None]) {
        nodes.entry(class).or_default().push(of);
    }
    let sizes = nodes.into_iter().filter_map(|(class, mut nodes)| {
        nodes.sort_unstable();
        nodes.dedup();
        Some((node_of(snapshot, class)?.into_string(), nodes.len() as u64))
    });
    sizes.collect()
}

/// VoID, with a partition for each class and each property.
pub fn void(model: &Model<'_>, dumps: &[Dump]) -> Result<String> {
    let mut out = Statements::new();
    let dataset = dataset(model);
    let snapshot = model.source.snapshot;
    out.kind(&dataset, format!("{VOID}Dataset"));
    about(model, &mut out, &dataset);
    out.add(&dataset, format!("{FOAF}homepage"), node(model.url("index.html")));
    out.add(&dataset, format!("{VOID}uriSpace"), Literal::new_simple_literal(model.source.base));
    let classes = class_sizes(model);
    let properties: BTreeMap<&str, u64> = model.uses.iter().map(|(p, n)| (p.as_str(), *n)).collect();
    for (name, value) in [
        ("triples", snapshot.len() as u64),
        ("entities", model.things.len() as u64),
        ("distinctSubjects", distinct(model, Permutation::Spo, QuadPermutation::Spog)),
        ("distinctObjects", distinct(model, Permutation::Osp, QuadPermutation::Ospg)),
        ("classes", classes.len() as u64),
        ("properties", properties.len() as u64),
    ] {
        out.add(&dataset, format!("{VOID}{name}"), number(value));
    }
    for dump in dumps.iter().filter(|d| !d.inferred) {
        out.add(&dataset, format!("{VOID}dataDump"), node(model.url(&dump.path)));
    }
    if let Some(endpoint) = model.source.endpoint {
        out.add(&dataset, format!("{VOID}sparqlEndpoint"), node(endpoint));
    }
    let members = model.members.values().filter(|m| model.nodes(m).any(|t| !model.source.labels.all(&t).is_empty()));
    if let Some(example) = members.max_by_key(|m| m.len()).and_then(|m| model.nodes(m).next()) {
        out.add(&dataset, format!("{VOID}exampleResource"), example);
    }
    let mut vocabularies: Vec<&str> = properties
        .keys()
        .copied()
        .chain(classes.keys().map(String::as_str))
        .filter_map(|iri| iri.rfind(['#', '/']).map(|at| &iri[..=at]))
        .filter(|namespace| !namespace.starts_with(model.source.base))
        .collect();
    vocabularies.sort_unstable();
    vocabularies.dedup();
    for vocabulary in vocabularies {
        out.add(&dataset, format!("{VOID}vocabulary"), node(vocabulary));
    }
    for (class, members) in &classes {
        let part = out.below(&dataset, format!("{VOID}classPartition"));
        out.add(&part, format!("{VOID}class"), node(class));
        out.add(&part, format!("{VOID}entities"), number(*members));
    }
    for (property, uses) in properties {
        let part = out.below(&dataset, format!("{VOID}propertyPartition"));
        out.add(&part, format!("{VOID}property"), node(property));
        out.add(&part, format!("{VOID}triples"), number(uses));
    }
    if let Some(conclusions) = model.source.inferred.filter(|conclusions| !conclusions.is_empty()) {
        let inferred = inferred(model);
        out.kind(&inferred, format!("{VOID}Dataset"));
        about_inferred(model, &mut out, &inferred);
        out.add(&inferred, format!("{VOID}triples"), number(conclusions.len() as u64));
        for dump in dumps.iter().filter(|d| d.inferred) {
            out.add(&inferred, format!("{VOID}dataDump"), node(model.url(&dump.path)));
        }
    }
    out.write(model)
}

/// A DCAT 3 catalogue of the dataset and of what follows from it, with a distribution for each dump.
pub fn dcat(model: &Model<'_>, dumps: &[Dump]) -> Result<String> {
    let mut out = Statements::new();
    let catalog: NamedOrBlankNode = node(format!("{}#catalog", model.base_url())).into();
    let dataset = dataset(model);
    out.kind(&catalog, format!("{DCAT}Catalog"));
    out.add(&catalog, format!("{DCT}title"), Literal::new_simple_literal(model.source.title));
    out.add(&catalog, format!("{FOAF}homepage"), node(model.url("index.html")));
    out.add(&catalog, format!("{DCAT}dataset"), Term::from(dataset.clone()));
    out.kind(&dataset, format!("{DCAT}Dataset"));
    about(model, &mut out, &dataset);
    out.add(&dataset, format!("{DCAT}landingPage"), node(model.url("index.html")));
    let inferred = inferred(model);
    if model.source.inferred.is_some_and(|conclusions| !conclusions.is_empty()) {
        out.add(&catalog, format!("{DCAT}dataset"), Term::from(inferred.clone()));
        out.kind(&inferred, format!("{DCAT}Dataset"));
        about_inferred(model, &mut out, &inferred);
    }
    for dump in dumps {
        let dataset = if dump.inferred { &inferred } else { &dataset };
        let iri = node(format!("{}#{}", model.base_url(), dump.path.trim_start_matches("dump/")));
        out.add(dataset, format!("{DCAT}distribution"), iri.clone());
        let distribution: NamedOrBlankNode = iri.into();
        out.kind(&distribution, format!("{DCAT}Distribution"));
        out.add(
            &distribution,
            format!("{DCT}title"),
            Literal::new_simple_literal(dump.path.trim_start_matches("dump/")),
        );
        out.add(&distribution, format!("{DCT}description"), Literal::new_simple_literal(dump.holds));
        out.add(&distribution, format!("{DCAT}downloadURL"), node(model.url(&dump.path)));
        out.add(&distribution, format!("{DCAT}accessURL"), node(model.url("data.html")));
        out.add(&distribution, format!("{DCAT}mediaType"), node(format!("{IANA}{}", dump.format.media_type())));
        if dump.compressed {
            out.add(&distribution, format!("{DCAT}compressFormat"), node(format!("{IANA}application/gzip")));
        }
        let Some(made) = &dump.made else { continue };
        let size = Literal::new_typed_literal(made.bytes.to_string(), xsd::NON_NEGATIVE_INTEGER);
        out.add(&distribution, format!("{DCAT}byteSize"), size);
        let checksum = out.below(&distribution, format!("{SPDX}checksum"));
        out.kind(&checksum, format!("{SPDX}Checksum"));
        out.add(&checksum, format!("{SPDX}algorithm"), node(format!("{SPDX}checksumAlgorithm_sha256")));
        let value = Literal::new_typed_literal(made.hash.as_str(), xsd::HEX_BINARY);
        out.add(&checksum, format!("{SPDX}checksumValue"), value);
    }
    out.write(model)
}

/// A SPARQL service description of the endpoint if there is one, else of what an endpoint over this data would serve.
pub fn service(model: &Model<'_>) -> Result<String> {
    let mut out = Statements::new();
    let service: NamedOrBlankNode = node(format!("{}#service", model.base_url())).into();
    out.kind(&service, format!("{SD}Service"));
    if let Some(endpoint) = model.source.endpoint {
        out.add(&service, format!("{SD}endpoint"), node(endpoint));
    }
    out.add(&service, format!("{SD}supportedLanguage"), node(format!("{SD}SPARQL11Query")));
    for format in
        ["SPARQL_Results_JSON", "SPARQL_Results_XML", "SPARQL_Results_CSV", "SPARQL_Results_TSV", "Turtle", "N-Triples"]
    {
        out.add(&service, format!("{SD}resultFormat"), node(format!("{FORMATS}{format}")));
    }
    let whole = out.below(&service, format!("{SD}defaultDataset"));
    out.kind(&whole, format!("{SD}Dataset"));
    let snapshot = model.source.snapshot;
    let in_default = (snapshot.triple_count() > 0).then(|| (None, snapshot.triple_count() as u64));
    let size = |graph: TermId| snapshot.quads(QuadPermutation::Gspo).run(graph).len() as u64;
    let named = model.graphs.iter().map(|(name, graph)| (Some(name.as_str()), size(*graph)));
    let graphs: BTreeMap<Option<&str>, u64> = in_default.into_iter().chain(named).collect();
    for (name, size) in graphs {
        let graph = match name {
            None => out.below(&whole, format!("{SD}defaultGraph")),
            Some(name) => {
                let named = out.below(&whole, format!("{SD}namedGraph"));
                out.kind(&named, format!("{SD}NamedGraph"));
                out.add(&named, format!("{SD}name"), node(name));
                out.below(&named, format!("{SD}graph"))
            }
        };
        out.kind(&graph, format!("{SD}Graph"));
        out.add(&graph, format!("{VOID}triples"), number(size));
    }
    out.write(model)
}

/// The canned queries as SHACL SPARQL executables, with the prefixes that they use.
pub fn executables(model: &Model<'_>) -> Result<String> {
    let mut out = Statements::new();
    let prefixes: NamedOrBlankNode = node(format!("{}queries.ttl#prefixes", model.base_url())).into();
    for (prefix, namespace) in model.source.prefixes.iter() {
        let declaration = out.below(&prefixes, sh("declare"));
        out.add(&declaration, sh("prefix"), Literal::new_simple_literal(prefix));
        out.add(&declaration, sh("namespace"), Literal::new_typed_literal(namespace, xsd::ANY_URI));
    }
    for query in &model.source.queries {
        executable(model, &mut out, query, &prefixes);
    }
    out.write(model)
}

fn executable(model: &Model<'_>, out: &mut Statements, query: &PublishedQuery<'_>, prefixes: &NamedOrBlankNode) {
    let iri: NamedOrBlankNode = node(query.iri(model)).into();
    let text = Literal::new_simple_literal(query.text.as_str());
    out.kind(&iri, sh("SPARQLExecutable"));
    match query.form {
        Form::Select => {
            out.kind(&iri, sh("SPARQLSelectExecutable"));
            out.add(&iri, sh("select"), text);
        }
        Form::Ask => {
            out.kind(&iri, sh("SPARQLAskExecutable"));
            out.add(&iri, sh("ask"), text);
        }
        Form::Construct => {
            out.kind(&iri, sh("SPARQLConstructExecutable"));
            out.add(&iri, sh("construct"), text);
        }
        Form::Describe => out.add(&iri, format!("{SPEX}describe"), text),
    }
    if let NamedOrBlankNode::NamedNode(node) = prefixes {
        out.add(&iri, sh("prefixes"), node.clone());
    }
    let header = &query.canned.header;
    for (texts, property) in
        [(&header.title, RDFS_LABEL), (&header.question, RDFS_COMMENT), (&header.description, DCT_DESCRIPTION)]
    {
        for (language, words) in texts.as_ref().map(|t| t.all()).unwrap_or_default() {
            let plain = Literal::new_simple_literal(words.trim());
            let literal = match language {
                Some(tag) => Literal::new_language_tagged_literal(words.trim(), tag).unwrap_or(plain),
                None => plain,
            };
            out.add(&iri, property.to_owned(), literal);
        }
    }
    for tag in &header.tags {
        out.add(&iri, format!("{SCHEMA}keywords"), Literal::new_simple_literal(tag.as_str()));
    }
    if let Some(endpoint) = model.source.endpoint {
        out.add(&iri, format!("{SCHEMA}target"), node(endpoint));
    }
}

/// The dataset as schema.org describes one.
pub fn dataset_json(model: &Model<'_>, dumps: &[Dump]) -> Value {
    let distributions: Vec<Value> = dumps
        .iter()
        .filter(|d| !d.inferred)
        .map(|d| {
            let media = if d.compressed { "application/gzip" } else { d.format.media_type() };
            let mut out = json!({"@type": "DataDownload", "contentUrl": model.url(&d.path), "encodingFormat": media});
            if let (Some(object), Some(made)) = (out.as_object_mut(), &d.made) {
                object.insert("contentSize".into(), json!(made.bytes.to_string()));
                object.insert("sha256".into(), json!(made.hash));
            }
            out
        })
        .collect();
    let mut out = json!({
        "@context": "https://schema.org",
        "@type": "Dataset",
        "@id": format!("{}#dataset", model.base_url()),
        "name": model.source.title,
        "description": summary(model),
        "url": model.url("index.html"),
        "distribution": distributions,
    });
    if let (Some(object), Some(day)) = (out.as_object_mut(), model.source.changed.values().max()) {
        object.insert("dateModified".into(), json!(day));
    }
    out
}

/// What stands between the address of a page and the day of its last change.
const DATED: char = '\t';

/// The pages of a sitemap, with the days of their last changes where they are known.
pub fn dated(pages: impl Iterator<Item = (String, Option<String>)>) -> Result<Paths> {
    let mut pages: Vec<String> = pages.map(|(page, day)| format!("{page}{DATED}{}", day.unwrap_or_default())).collect();
    pages.sort_unstable();
    pages.dedup();
    Paths::of(pages)
}

/// One of the sitemaps of a site, which for more than `most` pages are several and their index.
pub fn sitemap(site: &str, pages: &Paths, most: usize, name: &str) -> Option<String> {
    let names = sitemap_names(pages.len(), most);
    let part = names.iter().position(|other| other == name)?;
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    if part + 1 == names.len() && part > 0 {
        out.push_str("<sitemapindex xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n");
        for path in &names[..part] {
            let _ = writeln!(out, "{}", html! { sitemap { loc { (site) (path) } } }.into_string());
        }
        out.push_str("</sitemapindex>\n");
        return Some(out);
    }
    out.push_str("<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n");
    for page in pages.iter().skip(part * most).take(most) {
        let (path, day) = page.split_once(DATED).unwrap_or((&page, ""));
        let entry = html! { url { loc { (site) (path) } @if !day.is_empty() { lastmod { (day) } } } };
        let _ = writeln!(out, "{}", entry.into_string());
    }
    out.push_str("</urlset>\n");
    Some(out)
}

/// The file names of the sitemaps for this many pages.
pub fn sitemap_names(pages: usize, most: usize) -> Vec<String> {
    let parts = if pages <= most { 0 } else { pages.div_ceil(most) };
    (1..=parts).map(|part| format!("sitemap-{part}.xml")).chain(["sitemap.xml".to_owned()]).collect()
}

/// An overview in Markdown for language models (llmstxt.org).
pub fn llms(model: &Model<'_>, dumps: &[Dump]) -> String {
    let mut out = format!("# {}\n\n", line(model.source.title));
    let _ = writeln!(
        out,
        "{} statements about {} things. Each thing's page has the same as Turtle (`.ttl`), JSON-LD (`.jsonld`) and N-Triples (`.nt`) beside it; statements name their sources as RDF 1.2 reifiers.\n",
        model.source.snapshot.len(),
        model.things.len()
    );
    out.push_str("## Data\n\n");
    for dump in dumps.iter().filter(|d| !d.compressed) {
        let _ =
            writeln!(out, "- [{}]({}): {}", dump.path.trim_start_matches("dump/"), model.url(&dump.path), dump.holds);
    }
    let _ = writeln!(out, "- [VoID]({}): classes and properties with counts", model.url("void.ttl"));
    let _ = writeln!(out, "- [queries]({}): the questions below as SPARQL", model.url("queries.ttl"));
    let _ = writeln!(out, "\n## Vocabulary\n\n- [Ontology]({})", model.url(&model.ontology_page()));
    for (class, members) in &model.members {
        let node = NamedNode::new_unchecked(class);
        let _ =
            writeln!(out, "- `{}` {}: {} members", line(&model.curie(class)), line(&model.label(&node)), members.len());
    }
    out.push_str("\n## Questions\n\n");
    for query in model.source.queries.iter().filter(|q| !q.canned.is_check()) {
        let question = query.canned.header.question.as_ref().map_or("", |q| q.in_language(model.language));
        let _ = writeln!(
            out,
            "- [{}]({}): {}",
            line(query.title(model)),
            model.url(&model.query_page(query)),
            line(question)
        );
    }
    out
}

/// Puts a text on one line, without characters that Markdown reads as a link or as HTML.
fn line(text: &str) -> String {
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    joined.replace('[', "(").replace(']', ")").replace('<', "‹").replace('>', "›")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_pages_than_a_sitemap_holds_are_split_and_an_index_names_the_parts() {
        let pages = dated((0..5).map(|i| (format!("{i}&.html"), (i == 4).then(|| "2026-01-02".to_owned())))).unwrap();
        let maps = |most: usize| -> Vec<String> {
            let names = sitemap_names(5, most);
            names.iter().map(|name| sitemap("https://e.example/", &pages, most, name).unwrap()).collect()
        };
        let one = maps(5);
        assert_eq!((one.len(), sitemap_names(5, 5)), (1, vec!["sitemap.xml".to_owned()]));
        assert_eq!(one[0].matches("<url>").count(), 5);
        assert!(one[0].contains("<loc>https://e.example/4&amp;.html</loc><lastmod>2026-01-02</lastmod>"), "{}", one[0]);
        assert!(one[0].contains("<url><loc>https://e.example/0&amp;.html</loc></url>"), "{}", one[0]);
        assert_eq!(sitemap_names(5, 2), ["sitemap-1.xml", "sitemap-2.xml", "sitemap-3.xml", "sitemap.xml"]);
        assert_eq!(sitemap("https://e.example/", &pages, 2, "sitemap-4.xml"), None);
        let several = maps(2);
        let urls: Vec<usize> = several.iter().map(|text| text.matches("<url>").count()).collect();
        assert_eq!(urls, [2, 2, 1, 0]);
        let index = &several[3];
        assert!(index.contains("<sitemap><loc>https://e.example/sitemap-3.xml</loc></sitemap>"), "{index}");
        assert_eq!(index.matches("<sitemap>").count(), 3);
    }
}
