//! The pages of a knowledge graph: one for every thing, with the files, drawings, descriptions and recipes that go with it.
//!
//! - `model`, `label`: what has a page, where it stands, what it is called.
//! - `thing`, `ontology`, `index`, `query`: the pages. `html`: what they share. `says`, `chinese`: their words in two languages.
//! - `draw`, `facts`, `shapes`, `mentions`, `notes`: the parts of a page.
//! - `dumps`, `metadata`, `hosting`: what goes with the pages, for programs and servers.
//! - `links`: that no link leads nowhere. `folder`: how all is written, whole or not at all.
//!
//! The same graph gives the same bytes, and a second run writes only what changed. It reads no project and runs no query: what is published
//! comes in a [`Source`].
//!
//! ```
//! use kgq_graph::catalog::Labels;
//! use kgq_graph::project::{CitationSettings, Entailment};
//! use kgq_site::{Source, publish};
//! use kgq_snapshot::store::{Dataset, Input, ReadOptions};
//! use kgq_syntax::rdf::{Prefixes, RdfFormat};
//!
//! let text = "PREFIX : <http://e/> :ada <http://www.w3.org/2000/01/rdf-schema#label> \"Ada\" ; :knows :bob .";
//! let data = Dataset::read(&[Input::bytes("people.ttl", text.into(), RdfFormat::Turtle)], ReadOptions::default())?;
//! let source = Source {
//!     name: "people",
//!     title: "People",
//!     base: "http://e/",
//!     quads: data.quads(),
//!     inferred: &[],
//!     entailment: Entailment::None,
//!     prefixes: &Prefixes::default(),
//!     labels: &Labels::of(data.quads()),
//!     citations: &CitationSettings::default(),
//!     queries: Vec::new(),
//!     language: "en",
//!     changed: Default::default(),
//!     base_url: None,
//!     endpoint: None,
//!     assets: Vec::new(),
//! };
//! let folder = tempfile::tempdir().unwrap();
//! let report = publish(&source, false, &folder.path().join("site"), &|_, _| ())?;
//! let page = std::fs::read_to_string(folder.path().join("site/ada.html")).unwrap();
//! assert!(page.contains("Ada</bdi></h1>"));
//! // Nothing is said of Bob, nor of what knowing is: their pages say so.
//! assert_eq!(report.undescribed.len(), 2);
//! # Ok::<(), kgq_syntax::error::Error>(())
//! ```

mod chinese;
mod draw;
mod dumps;
mod facts;
pub(crate) mod folder;
mod hosting;
mod html;
mod index;
mod label;
mod links;
mod mentions;
mod metadata;
mod model;
mod notes;
mod ontology;
mod query;
mod says;
mod shapes;
pub mod standalone;
mod thing;
mod vocabulary;

pub use folder::{Changes, resume};
pub use model::Source;
pub use query::{NoAnswer, PublishedAnswer, PublishedParam, PublishedQuery};

use dumps::Dump;
use folder::Folder;
use kgq_graph::export::turtle;
use kgq_graph::render::{GraphOptions, write_quads};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{NamedNode, Quad, RdfFormat};
use model::Model;
use serde_json::json;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

const STYLE: &str = include_str!("../assets/site.css");
const SCRIPT: &str = concat!(include_str!("../assets/search.js"), include_str!("../assets/site.js"));
const ICON: &str = include_str!("../assets/icon.svg");

/// What was published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub things: u64,
    /// What is named in the site's own namespace and not described; names of graphs are not among it.
    pub undescribed: Vec<NamedNode>,
    pub queries: u64,
    pub pages: u64,
    pub changes: Changes,
}

/// Told how many things have their pages, of how many.
pub type Progress<'p> = dyn Fn(u64, u64) + Sync + 'p;

/// Writes the site to a folder that is empty, new, or of an earlier run.
///
/// # Errors
/// A folder that kgq did not make; if `strict`, a statement that names something in the site's own namespace of which the graph says
/// nothing.
pub fn publish(source: &Source<'_>, strict: bool, output: &Path, progress: &Progress<'_>) -> Result<Report> {
    let model = Model::new(source);
    if strict {
        links::check_graph(&model)?;
    }
    let files = around(&model)?;
    let mut planned: Vec<String> = files.iter().map(|(path, _)| path.clone()).collect();
    let ontology = model.ontology().map(NamedNode::as_str);
    for thing in model.pages() {
        let Some(stem) = model.names.get(thing.as_str()) else { continue };
        let endings = ["html", "ttl", "jsonld", "nt"].iter().skip(usize::from(ontology == Some(thing.as_str())));
        planned.extend(endings.map(|ending| format!("{stem}.{ending}")));
    }
    let links = links::Links::new(&planned, model.root_path());
    folder::check(&planned)?;
    let folder = Folder::open(output)?;
    folder.announce(&planned)?;
    for (path, bytes) in &files {
        if path.ends_with(".html") {
            links.check(path, &String::from_utf8_lossy(bytes))?;
        }
        folder.write(path, bytes)?;
    }
    drop(files);
    write_things(&model, &folder, &links, progress)?;
    let pages = planned.iter().filter(|path| path.ends_with(".html")).count() as u64;
    let changes = folder.finish()?;
    let undescribed = model.stubs.iter().filter(|node| !model.graphs.contains_key(node.as_str()));
    Ok(Report {
        things: model.things.len() as u64,
        undescribed: undescribed.map(|node| (*node).clone()).collect(),
        queries: source.queries.len() as u64,
        pages,
        changes,
    })
}

/// The pages of all things and the files beside them, on all processors.
fn write_things(model: &Model<'_>, folder: &Folder, links: &links::Links, progress: &Progress<'_>) -> Result<()> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(8);
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let things: Vec<&NamedNode> = model.pages().collect();
    let work = || -> Result<()> {
        loop {
            let Some(thing) = things.get(next.fetch_add(1, Ordering::Relaxed)) else { return Ok(()) };
            let written = write_thing(model, folder, links, thing);
            if written.is_err() {
                // The others stop at their next thing.
                next.store(things.len(), Ordering::Relaxed);
            }
            written?;
            progress(done.fetch_add(1, Ordering::Relaxed) as u64 + 1, things.len() as u64);
        }
    };
    std::thread::scope(|scope| {
        let handles: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let results =
            handles.into_iter().map(|h| h.join().unwrap_or_else(|_| Err(Error::bug("a page could not be made"))));
        results.collect::<Vec<_>>().into_iter().collect()
    })
}

fn write_thing(model: &Model<'_>, folder: &Folder, links: &links::Links, thing: &NamedNode) -> Result<()> {
    let Some(stem) = model.names.get(thing.as_str()) else { return Ok(()) };
    if model.ontology() != Some(thing) {
        let path = format!("{stem}.html");
        let html = thing::thing_page(model, thing);
        links.check(&path, &html)?;
        folder.write(&path, html.as_bytes())?;
    }
    let mut quads: Vec<Quad> = thing::description(model, thing)
        .into_iter()
        .map(|q| Quad { graph_name: oxrdf::GraphName::DefaultGraph, ..q.clone() })
        .collect();
    quads.sort_by_cached_key(Quad::to_string);
    quads.dedup();
    folder.write(&format!("{stem}.ttl"), turtle::write(&quads, model.source.prefixes).as_bytes())?;
    for format in [RdfFormat::JsonLd, RdfFormat::NTriples] {
        let mut bytes = Vec::new();
        write_quads(&quads, format, model.source.prefixes, GraphOptions::default(), &mut bytes)?;
        folder.write(&format!("{stem}.{}", format.endings()[0]), &bytes)?;
    }
    Ok(())
}

/// Every file of the site but those of things.
fn around(model: &Model<'_>) -> Result<Vec<(String, Vec<u8>)>> {
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    let (dumps, bytes): (Vec<Dump>, Vec<Vec<u8>>) = dumps::dumps(model)?.into_iter().unzip();
    let all: Vec<&Dump> = dumps.iter().collect();
    let mut texts: Vec<(String, String)> = vec![
        ("index.html".into(), index::index_page(model, &metadata::dataset_json(model, &all))),
        (model.ontology_page(), ontology::ontology_page(model)),
        ("queries.html".into(), index::queries_page(model)),
        ("data.html".into(), index::data_page(model, &dumps)),
        ("places.html".into(), index::places_page(model)),
        (html::MISSING.into(), index::missing_page(model)),
        ("assets/search-data.js".into(), index::search_data(model)),
        ("assets/site.css".into(), STYLE.into()),
        ("assets/site.js".into(), SCRIPT.into()),
        ("assets/icon.svg".into(), ICON.into()),
        ("void.ttl".into(), metadata::void(model, &all)),
        ("catalog.ttl".into(), metadata::dcat(model, &all)),
        ("service.ttl".into(), metadata::service(model)),
        ("queries.ttl".into(), metadata::executables(model)),
        ("llms.txt".into(), metadata::llms(model, &all)),
        ("dump/SHA256SUMS".into(), dumps::checksums(dumps.iter())),
    ];
    texts.extend(index::browse_pages(model));
    texts.extend(hosting::files(model));
    for query in &model.source.queries {
        files.extend(query::files(model, query)?);
    }
    if !model.source.assets.is_empty() {
        texts.push(("ask.html".into(), index::ask_page(model)));
        texts.push(("assets/queries.js".into(), asked_queries(model)));
        files.extend(model.source.assets.iter().map(|(path, bytes)| (format!("assets/{path}"), bytes.clone())));
    }
    files.extend(texts.into_iter().map(|(path, text)| (path, text.into_bytes())));
    let mut pages: Vec<metadata::DatedPage> = files
        .iter()
        .filter(|(path, _)| path.ends_with(".html") && path != html::MISSING)
        .map(|(path, _)| (path.clone(), None))
        .collect();
    for thing in model.pages().filter(|t| Some(*t) != model.ontology()) {
        pages.extend(model.page(thing.as_str()).map(|p| (p, model.source.changed.get(thing.as_str()).cloned())));
    }
    pages.sort();
    let sitemaps = metadata::sitemaps(&model.base_url(), &pages, metadata::SITEMAP);
    files.extend(sitemaps.into_iter().map(|(path, text)| (path, text.into_bytes())));
    files.extend(dumps.into_iter().map(|d| d.path).zip(bytes));
    Ok(files)
}

/// What the query page starts with: the canned queries, the prefixes, the dump to load.
fn asked_queries(model: &Model<'_>) -> String {
    let queries: Vec<_> = model
        .source
        .queries
        .iter()
        .filter(|q| !q.canned.is_check())
        .map(|q| json!({"name": q.canned.name, "title": q.title(model), "text": q.bound}))
        .collect();
    let prefixes: serde_json::Map<String, serde_json::Value> =
        model.source.prefixes.iter().map(|(prefix, namespace)| (prefix.to_owned(), json!(namespace))).collect();
    let pages: serde_json::Map<String, serde_json::Value> = model
        .pages()
        .filter_map(|thing| {
            let page = model.page(thing.as_str())?;
            let others: Vec<&str> = model.titles(thing).others.iter().map(|title| title.value()).collect();
            Some((thing.as_str().to_owned(), json!([page, model.label(thing), others])))
        })
        .collect();
    let all = json!({"queries": queries, "prefixes": prefixes, "base": model.source.base, "dump": dumps::main_dump(model), "things": pages});
    let text = all.to_string().replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
    format!("window.kgqData = {text};\n")
}
