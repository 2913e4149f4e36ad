//! The pages of a graph one by one, as a server shows them. Nothing is read before the first is asked for, and each is made when it is.

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
use kgq_graph::graph::Graph;
use kgq_graph::project::Entailment;
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{NamedNode, RdfFormat};
use kgq_syntax::text::thousands;
use rustc_hash::FxHashMap;
use self_cell::self_cell;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// The pages of one graph. Any thread may ask; what pages share is made once, by the first that needs it.
pub struct Pages {
    graph: Graph,
    address: Option<String>,
    held: OnceLock<Held>,
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
    /// What the graph is called where no project says it.
    name: String,
}

/// Of how many statements pages are made: the names of their things are held in memory.
const MOST_STATEMENTS: usize = 20_000_000;

/// Why a graph of so many statements has no pages, if it has none.
fn refused(statements: usize) -> Option<Error> {
    (statements > MOST_STATEMENTS).then(|| {
        let (has, most) = (thousands(statements as u64), thousands(MOST_STATEMENTS as u64));
        Error::limit(format!(
            "the graph has {has} statements, and pages are made of {most} at most; its data are served"
        ))
    })
}

/// The name of the file or the snapshot that a graph is read from, without its folder.
fn name_of(graph: &Graph) -> String {
    let options = graph.options();
    let first = match options.files.as_slice() {
        [file] if file != "-" => Some(Path::new(file)),
        _ => options.snapshot.as_deref(),
    };
    let name = first.and_then(|path| path.file_name()).map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_else(|| "graph".to_owned())
}

/// For whom a page is made.
#[derive(Clone, Copy, Debug)]
pub struct Audience<'v> {
    /// The language of titles and of what the site says.
    pub language: &'v str,
    /// Whether the reader chose it: then links carry it on, as `?lang=`.
    pub chosen: bool,
    /// Why the files as they are now cannot be read, if they cannot: every page says so.
    pub broken: Option<&'v str>,
    /// Whether pages of things say where they can be corrected.
    pub editable: bool,
    /// What making it may use, besides what its queries may.
    pub budget: &'v Budget,
}

/// What is asked of the query page.
#[derive(Clone, Copy, Debug, Default)]
pub struct Question<'q> {
    /// The text of a query; without one, the page has a form alone.
    pub query: Option<&'q str>,
    /// Whether what stands below the form is wanted alone.
    pub part: bool,
    /// What is asked of the answer, if anything is.
    pub about: Option<About<'q>>,
}

/// A page, or a file beside pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub media_type: &'static str,
    /// Of a page: its language.
    pub language: Option<String>,
    /// Of a page: what it may load and run, as `Content-Security-Policy` says it.
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
    /// The pages of a graph. `address` is where the server answers on the web, as in `https://data.example.org/`, if that is known:
    /// descriptions of the dataset name it.
    pub fn new(graph: Graph, address: Option<String>) -> Self {
        Self { graph, address, held: OnceLock::new() }
    }

    /// The languages in which things have names, and those that the site itself speaks.
    ///
    /// # Errors
    /// Those of the graph's files.
    pub fn languages(&self) -> Result<&[String]> {
        Ok(self.index()?.languages())
    }

    fn index(&self) -> Result<&Index<'_>> {
        if let Some(held) = self.held.get() {
            return Ok(held.borrow_dependent());
        }
        if let Some(error) = refused(self.graph.statement_count()?) {
            return Err(error);
        }
        let name = name_of(&self.graph);
        let owner = Owner { graph: self.graph.clone(), address: self.address.clone(), name };
        let made = Held::try_new(owner, |owner| Ok(Index::new(source(owner)?)))?;
        Ok(self.held.get_or_init(|| made).borrow_dependent())
    }

    fn model<'p>(&'p self, view: &Audience<'p>, decoded: &'p Decoded) -> Result<Model<'p>> {
        let Audience { language, chosen, broken, editable, budget } = *view;
        Ok(Model { index: self.index()?, decoded, language, chosen, broken, editable, budget })
    }

    /// What stands at a path below the root, as an address has it: without the slash before it and without a query string. `None` if
    /// nothing does.
    ///
    /// # Errors
    /// Those of the graph's files and of the queries.
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

    /// The page of any IRI that the graph names.
    ///
    /// # Errors
    /// Those of the graph's files.
    pub fn about(&self, iri: &str, view: &Audience<'_>) -> Result<Option<Page>> {
        let decoded = Decoded::default();
        let model = self.model(view, &decoded)?;
        let Ok(node) = NamedNode::new(iri) else { return Ok(None) };
        let page = model.names_it(iri).then(|| thing_or_ontology(&model, &node, "about"));
        self.graph.intact()?;
        Ok(page)
    }

    /// What is said of an IRI, in a format of the files beside pages.
    ///
    /// # Errors
    /// Those of the graph's files.
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

    /// The page of a canned query, asked with the values of its parameters; without any, with its examples; and what is asked of its
    /// answer. `None` if there is no such query.
    ///
    /// # Errors
    /// Those of the graph's files, and of limits. What is wrong with a value stands in the page.
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

    /// The page at which queries are asked, with the answer if there is a question.
    ///
    /// # Errors
    /// Those of the graph's files, and of limits. A mistake in the query stands in the page.
    pub fn ask(&self, question: &Question<'_>, options: &EvaluationOptions, view: &Audience<'_>) -> Result<Page> {
        let decoded = Decoded::default();
        let model = self.model(view, &decoded)?;
        let html = ask_page(&model, &self.graph, question, options)?;
        self.graph.intact()?;
        Ok(Page::html(&model, html))
    }

    /// The page that tells what a server answers, from its description by OpenAPI.
    ///
    /// # Errors
    /// Those of the graph's files.
    pub fn docs(&self, described: &serde_json::Value, view: &Audience<'_>) -> Result<Page> {
        let decoded = Decoded::default();
        let model = self.model(view, &decoded)?;
        Ok(Page::html(&model, docs_page(&model, described)))
    }

    /// The page at which who has a token signs in, and out.
    ///
    /// # Errors
    /// Those of the graph's files.
    pub fn login(&self, login: &Login<'_>, view: &Audience<'_>) -> Result<Page> {
        let decoded = Decoded::default();
        let model = self.model(view, &decoded)?;
        Ok(Page::html(&model, login_page(&model, login)))
    }

    /// The form of a thing, the difference that it makes, or that it is saved.
    ///
    /// # Errors
    /// Those of the graph's files.
    pub fn edit(&self, correction: &Correction<'_>, view: &Audience<'_>) -> Result<Page> {
        let decoded = Decoded::default();
        let model = self.model(view, &decoded)?;
        Ok(Page::html(&model, edit_page(&model, correction)))
    }

    /// The page of an address that leads nowhere, with IRIs that may have been meant.
    ///
    /// # Errors
    /// Those of the graph's files.
    pub fn missing(&self, path: &str, why: Missing, near: &[NamedNode], view: &Audience<'_>) -> Result<Page> {
        let decoded = Decoded::default();
        let model = self.model(view, &decoded)?;
        Ok(Page::html(&model, missing_page(&model, path, why, near)))
    }

    /// Why something that was asked for was not done.
    ///
    /// # Errors
    /// Those of the graph's files.
    pub fn refused(&self, reasons: &[String], view: &Audience<'_>) -> Result<Page> {
        let decoded = Decoded::default();
        let model = self.model(view, &decoded)?;
        Ok(Page::html(&model, refused_page(&model, reasons)))
    }

    /// Answers the canned queries, so that from then on the pages of things say which answers hold them. It may take long; between two
    /// queries it asks whether to go on.
    ///
    /// # Errors
    /// Those of the graph's files.
    pub fn answer_all(&self, go_on: &dyn Fn() -> bool) -> Result<()> {
        self.index()?.answer_all(go_on);
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
        // What cannot be read has no page; `kgq check` tells of it.
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

    #[test]
    fn pages_are_made_of_so_many_statements_and_no_more() {
        assert!(refused(MOST_STATEMENTS).is_none());
        assert!(refused(MOST_STATEMENTS + 1).unwrap().message().contains("20,000,001 statements"));
    }
}
