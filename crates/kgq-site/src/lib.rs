//! The pages of a knowledge graph: one for every thing, with the files, drawings, descriptions and recipes that go with it.
//!
//! - `model`, `label`: which things have a page, and their names. `routes`: the path of everything, and what is made for a path.
//! - `pages`: makes pages one at a time, for a server. `answers`: canned queries, answered when a page first needs it.
//! - `thing`, `ontology`, `index`, `query`: the pages. `html`: what they share. `says`, `chinese`: the site's texts in two languages.
//! - `edit`: the pages of a server on which holders of a token edit a thing.
//! - `draw`, `facts`, `shapes`, `mentions`, `notes`: the parts of a page.
//! - `dumps`, `metadata`, `hosting`: files beside the pages, for programs and web servers.
//! - `links`: checks that links lead somewhere. `folder`: writes everything, completely or not at all.
//! - `request`: gathers the site of a graph for a front end. `rebased`: changes the base of IRIs.
//!
//! The same graph gives the same bytes, and a second run writes only what changed. [`publish`] writes all pages of a graph,
//! [`Pages`] makes them one by one. The content comes in a [`Source`], from which [`write()`] makes a site, too:
//!
//! ```
//! use kgq_graph::audit::Audit;
//! use kgq_graph::catalog::Labels;
//! use kgq_graph::project::{CitationSettings, Entailment};
//! use kgq_site::{Source, Writing, write};
//! use kgq_snapshot::Snapshot;
//! use kgq_snapshot::store::{Dataset, Input, ReadOptions, Unfinished};
//! use kgq_syntax::budget::{Budget, Limits};
//! use kgq_syntax::rdf::{Prefixes, RdfFormat};
//!
//! let text = "PREFIX : <http://e/> :ada <http://www.w3.org/2000/01/rdf-schema#label> \"Ada\" ; :knows :bob .";
//! let data = Dataset::read(&[Input::bytes("people.ttl", text.into(), RdfFormat::Turtle)], ReadOptions::default())?;
//! let snapshot = Snapshot::from_dataset(&data, &Budget::default())?;
//! let prefixes = Prefixes::default();
//! let source = Source {
//!     name: "people",
//!     title: "People",
//!     base: "http://e/",
//!     snapshot: &snapshot,
//!     inferred: None,
//!     entailment: Entailment::None,
//!     prefixes: &prefixes,
//!     labels: &Labels::of(data.quads(), &Budget::default())?,
//!     audit: Audit::new(&snapshot, &CitationSettings::default(), &prefixes).into(),
//!     queries: Vec::new(),
//!     changed: Default::default(),
//!     base_url: None,
//!     endpoint: None,
//!     assets: Vec::new(),
//!     served: false,
//! };
//! let folder = tempfile::tempdir().unwrap();
//! let output = folder.path().join("site");
//! let writing = Writing {
//!     output: &output,
//!     language: "en",
//!     strict: false,
//!     unfinished: &Unfinished::default(),
//!     budget: &Budget::new(Limits::default()),
//!     progress: &|_, _| (),
//! };
//! let report = write(source, &writing)?;
//! let page = std::fs::read_to_string(folder.path().join("site/ada.html")).unwrap();
//! assert!(page.contains("Ada</bdi></h1>"));
//! // Nothing is said of Bob, nor of what knowing is: their pages say so.
//! assert_eq!(report.undescribed.len(), 2);
//! # Ok::<(), kgq_syntax::error::Error>(())
//! ```

mod address;
mod answer;
mod answers;
mod ask;
mod chinese;
mod docs;
mod draw;
mod dumps;
mod edit;
mod edit_rows;
mod facts;
pub(crate) mod folder;
mod form;
mod hosting;
mod html;
mod index;
mod indexing;
mod label;
mod links;
mod mentions;
mod metadata;
mod model;
mod notes;
mod ontology;
mod pages;
mod point;
mod query;
mod reads;
mod rebased;
mod request;
mod routes;
mod says;
mod scripts;
mod shapes;
mod standalone;
mod thing;
mod vocabulary;
mod why;

pub use address::{OF_ANSWERS, parameter_in_address, parameter_of_address};
pub use answers::Later;
pub use edit::{About as Edited, Correction, Login, Step};
pub use folder::{Changes, Folder, Maker};
pub use index::Missing;
pub use model::Source;
pub use pages::{Audience, Page, Pages, Question};
pub use query::{NoAnswer, PublishedAnswer, PublishedParam, PublishedQuery};
pub use request::{LeftOut, Published, Request, Stage, publish};
pub use why::About;

use folder::Paths;
use kgq_snapshot::store::Unfinished;
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::NamedNode;
use model::{Index, Model};
use reads::Decoded;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const STYLE: &str = include_str!("../assets/site.css");
const SCRIPT: &str = concat!(include_str!("../assets/search.js"), include_str!("../assets/site.js"));
/// The script that only pages of a server have.
const SERVED_SCRIPT: &str = include_str!("../assets/served.js");
const ICON: &str = include_str!("../assets/icon.svg");

/// What was published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub things: u64,
    /// Things below the base that are named but not described, other than names of graphs.
    pub undescribed: Vec<NamedNode>,
    pub queries: u64,
    pub pages: u64,
    pub changes: Changes,
}

/// How a site is written.
pub struct Writing<'a> {
    /// A folder that is empty, new, or made by an earlier run.
    pub output: &'a Path,
    /// The language of titles and of the texts of the site itself.
    pub language: &'a str,
    /// Whether to refuse statements that name a thing below the base about which the graph says nothing.
    pub strict: bool,
    /// The list of files to remove if the process ends before they are complete.
    pub unfinished: &'a Unfinished,
    /// Checked before each file.
    pub budget: &'a Budget,
    /// Called with the number of files written, and the number of all.
    pub progress: &'a (dyn Fn(u64, u64) + Sync),
}

/// Writes a site, completely or not at all.
///
/// # Errors
/// kgq did not make the folder, a limit is exceeded, or `strict` refuses a statement.
pub fn write(source: Source<'_>, writing: &Writing<'_>) -> Result<Report> {
    let index = Index::new(source, writing.budget)?;
    index.answer_all(&|| true);
    let decoded = Decoded::default();
    let model = model_of(&index, writing, &decoded);
    if writing.strict {
        links::check_graph(&model)?;
    }
    let folder = Folder::open(writing.output, Maker::Publish, writing.unfinished)?;
    // Their sizes stand on pages, and only trying tells which formats can hold the graph.
    let dumps = dumps::make(&model, &folder)?;
    index.dumps.get_or_init(|| dumps);
    let planned = Arc::new(Paths::of(model.paths())?);
    folder::check(&planned)?;
    folder.plan(&planned)?;
    write_files(&index, &planned, &folder, writing)?;
    index.source.snapshot.intact()?;
    let pages = planned.iter().filter(|path| path.ends_with(".html")).count() as u64;
    let changes = folder.finish()?;
    let undescribed = model.nodes(&model.stubs).filter(|node| !model.graphs.contains_key(node.as_str()));
    Ok(Report {
        things: model.things.len() as u64,
        undescribed: undescribed.collect(),
        queries: model.source.queries.len() as u64,
        pages,
        changes,
    })
}

/// The index as the page of a folder sees it.
fn model_of<'m>(index: &'m Index<'m>, writing: &Writing<'m>, decoded: &'m Decoded) -> Model<'m> {
    let Writing { language, budget, .. } = *writing;
    Model { index, decoded, language, chosen: false, broken: None, editable: false, budget }
}

/// Makes the files and writes them, on all processors.
fn write_files(index: &Index<'_>, planned: &Paths, folder: &Folder, writing: &Writing<'_>) -> Result<()> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(8);
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let links = links::Links::new(planned, index.root_path());
    let work = || -> Result<()> {
        loop {
            let Some(path) = planned.get(next.fetch_add(1, Ordering::Relaxed)) else { return Ok(()) };
            let written = writing.budget.check().and_then(|()| {
                // What a page shows is decoded for it alone.
                let decoded = Decoded::default();
                write_file(&model_of(index, writing, &decoded), &path, folder, &links)
            });
            if written.is_err() {
                // Stop the other threads at their next file.
                next.store(planned.len(), Ordering::Relaxed);
            }
            written?;
            (writing.progress)(done.fetch_add(1, Ordering::Relaxed) as u64 + 1, planned.len() as u64);
        }
    };
    std::thread::scope(|scope| {
        let handles: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let results =
            handles.into_iter().map(|h| h.join().unwrap_or_else(|_| Err(Error::bug("a page could not be made"))));
        results.collect::<Vec<_>>().into_iter().collect()
    })
}

fn write_file(model: &Model<'_>, path: &str, folder: &Folder, links: &links::Links<'_>) -> Result<()> {
    if model.dumps().iter().any(|dump| dump.path == path) {
        return Ok(());
    }
    let Some(bytes) = model.file(path)? else { return Err(Error::bug(format!("{path} was planned and not made"))) };
    if path.ends_with(".html") {
        links.check(path, &String::from_utf8_lossy(&bytes))?;
    }
    folder.write(path, &bytes)
}
