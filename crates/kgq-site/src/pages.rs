//! Makes the pages of a graph one by one, for a server. The graph is read with the first request, each page made on request.

use super::answers::published;
use super::ask::ask_page;
use super::docs::docs_page;
use super::edit::{Correction, Login, edit_page, login_page};
use super::form::{FormRequest, form_page};
use super::html::SERVED_POLICY;
use super::index::{Missing, missing_page, refused_page};
use super::links::unescape;
use super::model::{Index, Model, Source};
use super::reads::Decoded;
use super::routes::{BESIDE, media_type};
use super::why::About;
use super::{ontology, thing};
use kgq_engine::EvaluationOptions;
use kgq_graph::graph::{Graph, Kept};
use kgq_graph::project::Entailment;
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{NamedNode, RdfFormat};
use kgq_syntax::text::thousands;
use rustc_hash::FxHashMap;
use self_cell::self_cell;
use std::path::Path;
use std::sync::Arc;

/// The pages of one graph, for use by any thread. What pages share is computed once, by the first thread that needs it.
pub struct Pages {
    graph: Graph,
    address: Option<String>,
    held: Kept<Held>,
}

self_cell! {
    /// A graph with the index of its pages.
    struct Held {
        owner: Owner,
        #[covariant]
        dependent: Index,
    }
}

struct Owner {
    graph: Graph,
    address: Option<String>,
    /// The name of the graph if no project gives one.
    name: String,
}

/// Of how many statements pages are made: the names of their things are held in memory.
const MOST_STATEMENTS: usize = 20_000_000;

/// The error for a graph with too many statements for pages.
fn refused(statements: usize) -> Option<Error> {
    (statements > MOST_STATEMENTS).then(|| {
        let (has, most) = (thousands(statements as u64), thousands(MOST_STATEMENTS as u64));
        Error::limit(format!(
            "the graph has {has} statements, and pages are made of {most} at most; its data are served"
        ))
    })
}

/// The name of the file or snapshot from which a graph is read, without its folder.
fn name_of(graph: &Graph) -> String {
    let options = graph.options();
    let first = match options.files.as_slice() {
        [file] if file != "-" => Some(Path::new(file)),
        _ => options.snapshot.as_deref(),
    };
    let name = first.and_then(|path| path.file_name()).map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_else(|| "graph".to_owned())
}

/// The reader for whom a page is made.
#[derive(Clone, Copy, Debug)]
pub struct Audience<'v> {
    /// The language of titles and of the texts of the site itself.
    pub language: &'v str,
    /// Whether the reader chose the language; links then carry it on as `?lang=`.
    pub chosen: bool,
    /// Why the current files cannot be read, if they cannot; every page shows it.
    pub broken: Option<&'v str>,
    /// Whether pages of things link to their edit form.
    pub editable: bool,
    /// The budget for making the page, apart from that of its queries.
    pub budget: &'v Budget,
}

/// The request for the query page.
#[derive(Clone, Copy, Debug, Default)]
pub struct Question<'q> {
    /// The text of a query; without one, the page has only the form.
    pub query: Option<&'q str>,
    /// Whether only the part below the form is wanted.
    pub part: bool,
    /// An explanation of the answer, if one is requested.
    pub about: Option<About<'q>>,
}

/// A page, or a file beside the pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub media_type: &'static str,
    /// The language of a page; `None` for other files.
    pub language: Option<String>,
    /// What a page may load and run, as the value of `Content-Security-Policy`; `None` for other files.
    pub policy: Option<&'static str>,
    pub body: Vec<u8>,
}

impl Page {
    fn html(model: &Model<'_>, html: String) -> Self {
        Self {
            media_type: media_type(".html"),
            language: Some(model.language.to_owned()),
            policy: Some(SERVED_POLICY),
            body: html.into_bytes(),
        }
    }

    fn of(model: &Model<'_>, path: &str, body: Vec<u8>) -> Self {
        let html = path.ends_with(".html");
        Self {
            media_type: media_type(path),
            language: html.then(|| model.language.to_owned()),
            policy: html.then_some(SERVED_POLICY),
            body,
        }
    }
}

impl Pages {
    /// Creates the pages of a graph. `address` is the public address of the server, as in `https://data.example.org/`, if known;
    /// descriptions of the dataset contain it.
    pub fn new(graph: Graph, address: Option<String>) -> Self {
        Self { graph, address, held: Kept::default() }
    }

    /// The languages in which things have names, and those of the site's own texts.
    ///
    /// # Errors
    /// The files of the graph cannot be read; the budget is used up while another thread makes the index.
    pub fn languages(&self, budget: &Budget) -> Result<&[String]> {
        Ok(&self.index(budget)?.languages)
    }

    /// The index, made by the first thread that needs it; another waits for that no longer than its budget allows.
    fn index(&self, budget: &Budget) -> Result<&Index<'_>> {
        let held = self.graph.keep(&self.held, budget, |keeping| {
            if let Some(error) = refused(self.graph.statement_count()?) {
                return Err(error);
            }
            let (graph, address) = (self.graph.clone(), self.address.clone());
            let owner = Owner { name: name_of(&graph), graph, address };
            Held::try_new(owner, |owner| Index::new(source(owner)?, keeping))
        })?;
        Ok(held.borrow_dependent())
    }

    fn model<'p>(&'p self, view: &Audience<'p>, decoded: &'p Decoded) -> Result<Model<'p>> {
        let Audience { language, chosen, broken, editable, budget } = *view;
        Ok(Model { index: self.index(budget)?, decoded, language, chosen, broken, editable, budget })
    }

    /// Returns the page or file at a path below the root. The path is as in an address, without the leading slash and the
    /// query string. Returns `None` if there is none.
    ///
    /// # Errors
    /// The files of the graph cannot be read, or a query fails.
    pub fn page(&self, path: &str, view: &Audience<'_>) -> Result<Option<Page>> {
        let decoded = Decoded::default();
        let model = self.model(view, &decoded)?;
        let path = if path.is_empty() { "index" } else { path };
        let page = self.page_of(&model, path, view)?;
        self.graph.intact()?;
        Ok(page)
    }

    fn page_of(&self, model: &Model<'_>, path: &str, view: &Audience<'_>) -> Result<Option<Page>> {
        if path == "ask" {
            return self.ask(&Question::default(), &self.graph.evaluation_options(), view).map(Some);
        }
        if let Some(name) = path.strip_prefix("query/")
            && let Some(page) = self.query(&unescape(name), &[], None, &self.graph.evaluation_options(), view)?
        {
            return Ok(Some(page));
        }
        let with_ending = format!("{path}.html");
        for path in [path, &with_ending] {
            if let Some(body) = model.file(path)? {
                return Ok(Some(Page::of(model, path, body)));
            }
        }
        Ok(model.thing_at(path).map(|thing| thing_or_ontology(model, &thing, path)))
    }

    /// Returns the page of any IRI that occurs in the graph.
    ///
    /// # Errors
    /// The files of the graph cannot be read.
    pub fn about(&self, iri: &str, view: &Audience<'_>) -> Result<Option<Page>> {
        let decoded = Decoded::default();
        let model = self.model(view, &decoded)?;
        let Ok(node) = NamedNode::new(iri) else { return Ok(None) };
        let page = model.names_it(iri).then(|| thing_or_ontology(&model, &node, "about"));
        self.graph.intact()?;
        Ok(page)
    }

    /// Returns the description of an IRI in one of the formats of the files beside pages.
    ///
    /// # Errors
    /// The files of the graph cannot be read.
    pub fn description(&self, iri: &str, format: RdfFormat, view: &Audience<'_>) -> Result<Option<Page>> {
        let decoded = Decoded::default();
        let model = self.model(view, &decoded)?;
        let Ok(node) = NamedNode::new(iri) else { return Ok(None) };
        if !model.names_it(iri) || !BESIDE.contains(&format) {
            return Ok(None);
        }
        let body = model.description(&node, format)?;
        Ok(Some(Page { media_type: format.media_type(), language: None, policy: None, body }))
    }

    /// Returns the page of a canned query, run with these parameter values, or with its examples if there are none, and with
    /// an explanation of its answer if requested. Returns `None` if there is no such query.
    ///
    /// # Errors
    /// The files of the graph cannot be read, or a limit is exceeded. Errors in values are shown on the page.
    pub fn query(
        &self,
        name: &str,
        values: &[(String, String)],
        about: Option<About<'_>>,
        options: &EvaluationOptions,
        view: &Audience<'_>,
    ) -> Result<Option<Page>> {
        let decoded = Decoded::default();
        let model = self.model(view, &decoded)?;
        let Some(query) = model.index.source.queries.iter().find(|query| query.canned.name == name) else {
            return Ok(None);
        };
        let asked = FormRequest { graph: &self.graph, query, values, options, about };
        let html = form_page(&model, &asked, &format!("query/{name}"))?;
        self.graph.intact()?;
        Ok(Some(Page::html(&model, html)))
    }

    /// Returns the query page, with the answer if there is a query.
    ///
    /// # Errors
    /// The files of the graph cannot be read, or a limit is exceeded. Errors in the query are shown on the page.
    pub fn ask(&self, question: &Question<'_>, options: &EvaluationOptions, view: &Audience<'_>) -> Result<Page> {
        let decoded = Decoded::default();
        let model = self.model(view, &decoded)?;
        let html = ask_page(&model, &self.graph, question, options)?;
        self.graph.intact()?;
        Ok(Page::html(&model, html))
    }

    /// Returns the documentation page of a server, made from its OpenAPI description.
    ///
    /// # Errors
    /// The files of the graph cannot be read.
    pub fn docs(&self, described: &serde_json::Value, view: &Audience<'_>) -> Result<Page> {
        let decoded = Decoded::default();
        let model = self.model(view, &decoded)?;
        Ok(Page::html(&model, docs_page(&model, described)))
    }

    /// Returns the page on which holders of a token sign in and out.
    ///
    /// # Errors
    /// The files of the graph cannot be read.
    pub fn login(&self, login: &Login<'_>, view: &Audience<'_>) -> Result<Page> {
        let decoded = Decoded::default();
        let model = self.model(view, &decoded)?;
        Ok(Page::html(&model, login_page(&model, login)))
    }

    /// Returns the form of a thing, the preview of its changes, or the confirmation that they are saved.
    ///
    /// # Errors
    /// The files of the graph cannot be read.
    pub fn edit(&self, correction: &Correction<'_>, view: &Audience<'_>) -> Result<Page> {
        let decoded = Decoded::default();
        let model = self.model(view, &decoded)?;
        Ok(Page::html(&model, edit_page(&model, correction)))
    }

    /// Returns the page for a missing address, with IRIs that may have been meant.
    ///
    /// # Errors
    /// The files of the graph cannot be read.
    pub fn missing(&self, path: &str, why: Missing, near: &[NamedNode], view: &Audience<'_>) -> Result<Page> {
        let decoded = Decoded::default();
        let model = self.model(view, &decoded)?;
        Ok(Page::html(&model, missing_page(&model, path, why, near)))
    }

    /// Returns a page that says why a request was refused.
    ///
    /// # Errors
    /// The files of the graph cannot be read.
    pub fn refused(&self, reasons: &[String], view: &Audience<'_>) -> Result<Page> {
        let decoded = Decoded::default();
        let model = self.model(view, &decoded)?;
        Ok(Page::html(&model, refused_page(&model, reasons)))
    }

    /// Answers the canned queries, so that afterwards the pages of things list the answers that contain them. This can take
    /// long; before each query, `go_on` decides whether to continue.
    ///
    /// # Errors
    /// The files of the graph cannot be read.
    pub fn answer_all(&self, go_on: &dyn Fn() -> bool) -> Result<()> {
        self.index(&self.graph.options().budget)?.answer_all(go_on);
        Ok(())
    }
}

fn thing_or_ontology(model: &Model<'_>, node: &NamedNode, path: &str) -> Page {
    let html = match model.ontology() {
        Some(ontology) if ontology == node => ontology::ontology_page(model, path),
        _ => thing::thing_page(model, node, path),
    };
    Page::html(model, html)
}

fn source(owner: &Owner) -> Result<Source<'_>> {
    let graph = &owner.graph;
    let audit = Arc::new(graph.audit()?);
    let mut queries = Vec::new();
    if let Some(catalog) = graph.catalog_if_any()? {
        // A query that cannot be read gets no page; `kgq check` reports it.
        queries.extend(catalog.queries.iter().filter_map(|canned| published(graph, &audit, canned).ok()));
    }
    let manifest = graph.project().map(|project| &project.manifest);
    let name = manifest.map_or(owner.name.as_str(), |manifest| manifest.name.as_str());
    Ok(Source {
        name,
        title: manifest.and_then(|manifest| manifest.title.as_deref()).unwrap_or(name),
        base: graph.base().unwrap_or_default(),
        snapshot: graph.snapshot()?,
        inferred: None,
        entailment: Entailment::None,
        prefixes: graph.prefixes()?,
        labels: graph.labels()?,
        audit,
        queries,
        changed: FxHashMap::default(),
        base_url: owner.address.as_deref(),
        endpoint: None,
        assets: Vec::new(),
        served: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use kgq_graph::graph::OpenOptions;
    use kgq_syntax::budget::{Exceeded, Limits, Work};

    /// A graph of this many things with names, all of one class.
    fn owner(things: usize) -> Owner {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("kgq.toml"), "name = \"t\"\nbase = \"http://e/\"\ndata = [\"*.ttl\"]\n")
            .unwrap();
        let label = "<http://www.w3.org/2000/01/rdf-schema#label>";
        let data = (0..things).map(|n| format!("<http://e/{n}> a <http://e/Thing> ; {label} \"number {n}\" .\n"));
        std::fs::write(folder.path().join("a.ttl"), data.collect::<String>()).unwrap();
        let graph = Graph::open(OpenOptions { folder: folder.path().into(), ..Default::default() }).unwrap();
        graph.load().unwrap();
        Owner { graph, address: None, name: "t".to_owned() }
    }

    fn budget(memory: u64) -> Budget {
        Budget::new(Limits { memory: Some(memory), ..Limits::default() })
    }

    #[test]
    fn an_index_of_pages_counts_what_it_holds_and_is_not_made_beyond_a_limit() {
        let (owner, enough, small) = (owner(3_000), budget(64 << 20), budget(200_000));
        let index = Index::new(source(&owner).unwrap(), &enough).unwrap();
        // Of each thing at least its id, the IRI and the path of its page.
        assert!(enough.held() > 3_000 * (4 + 13 + 4), "{}", enough.held());
        drop(index);
        assert_eq!(enough.held(), 0);
        let error = Index::new(source(&owner).unwrap(), &small).err().unwrap();
        assert_eq!(error.limit_passed(), Some(Exceeded::Memory(Work::Query)));
        assert!(small.held() == 0 && small.peak() <= 200_000);
        enough.cancel();
        assert!(Index::new(source(&owner).unwrap(), &enough).is_err());
    }

    #[test]
    fn a_list_of_members_is_made_once_and_counted_and_given_up_for_another() {
        let (owner, of_index, of_page) = (owner(3_000), budget(64 << 20), budget(64 << 20));
        let index = Index::new(source(&owner).unwrap(), &of_index).unwrap();
        let listed = |language, budget| {
            let (index, decoded) = (&index, &Decoded::default());
            let model = Model { index, decoded, language, chosen: false, broken: None, editable: false, budget };
            model.listed("http://e/Thing")
        };
        let before = of_index.held();
        let small = budget(1_000);
        assert!(listed("en", &small).is_err());
        let lists: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| listed("en", &of_page).unwrap())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(lists.iter().all(|list| Arc::ptr_eq(list, &lists[0])), "it was made several times");
        assert_eq!((lists[0].len(), of_index.held() - before), (3_000, 3_000 * 4));

        // Where there is no more room, the other lists are given up for this one.
        let _rest = of_index.reserve(of_index.room().unwrap() - 1_000).unwrap();
        assert!(Arc::ptr_eq(&listed("en", &of_page).unwrap(), &lists[0]));
        let chinese = listed("zh", &of_page).unwrap();
        assert!(Arc::ptr_eq(&listed("zh", &of_page).unwrap(), &chinese));
        assert!(!Arc::ptr_eq(&listed("en", &of_page).unwrap(), &lists[0]));
    }

    #[test]
    fn pages_are_made_of_so_many_statements_and_no_more() {
        assert!(refused(MOST_STATEMENTS).is_none());
        assert!(refused(MOST_STATEMENTS + 1).unwrap().message().contains("20,000,001 statements"));
    }
}
