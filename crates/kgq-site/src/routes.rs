//! The paths of a site, and what is made for each. A folder is written by making every path; a server makes the requested one.

use super::dumps::Dump;
use super::folder::Paths;
use super::html::MISSING;
use super::links::unescape;
use super::model::Model;
use super::reads::node_of;
use super::{dumps, hosting, index, metadata, ontology, query, scripts, thing};
use kgq_graph::export::turtle;
use kgq_graph::render::{GraphOptions, write_quads};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{GraphName, NamedNode, Quad, RdfFormat};

/// The formats of the files beside a thing's page.
pub const BESIDE: [RdfFormat; 3] = [RdfFormat::Turtle, RdfFormat::JsonLd, RdfFormat::NTriples];

/// The files that occur once in every site, besides pages.
const SINGLE: [&str; 11] = [
    "assets/search-data.js",
    "assets/site.css",
    "assets/site.js",
    "assets/icon.svg",
    "void.ttl",
    "catalog.ttl",
    "service.ttl",
    "queries.ttl",
    "llms.txt",
    "dump/SHA256SUMS",
    "assets/queries.js",
];

/// The pages that occur once in every site.
const PAGES: [&str; 5] = ["index.html", "queries.html", "data.html", "places.html", MISSING];

impl<'a> Model<'a> {
    /// The paths of all pages, those of things last.
    pub fn page_paths(&self) -> Vec<String> {
        let mut paths: Vec<String> = PAGES.map(str::to_owned).to_vec();
        paths.push(self.ontology_page());
        for (class, members) in &self.members {
            paths.extend((0..index::parts(members.len())).filter_map(|part| self.browse_part(class, part)));
        }
        paths.extend(self.asks().then(|| "ask.html".to_owned()));
        paths.extend(self.source.queries.iter().map(|query| self.query_page(query)));
        let ontology = self.ontology();
        paths
            .extend(self.pages().filter(|thing| ontology != Some(thing)).filter_map(|thing| self.page(thing.as_str())));
        paths
    }

    /// The paths of all files of a folder, pages first.
    pub fn paths(&self) -> Vec<String> {
        let asks = self.asks();
        let mut paths = self.page_paths();
        let sitemaps = metadata::sitemap_names(paths.len() - 1, metadata::SITEMAP);
        paths.extend(SINGLE.iter().filter(|path| asks || **path != "assets/queries.js").map(|path| (*path).to_owned()));
        paths.extend(hosting::FILES.map(str::to_owned));
        for query in &self.source.queries {
            let endings = query::endings(query).iter().filter(|ending| **ending != "html");
            paths.extend(endings.map(|ending| format!("{}.{ending}", query.stem())));
        }
        paths.extend(self.source.assets.iter().map(|(path, _)| format!("assets/{path}")));
        paths.extend(self.dumps().iter().map(|dump| dump.path.clone()));
        paths.extend(sitemaps);
        for thing in self.pages() {
            let Some(stem) = self.names.get(thing.as_str()) else { continue };
            paths.extend(BESIDE.iter().map(|format| format!("{stem}.{}", format.endings()[0])));
        }
        paths
    }

    /// Returns the file at a path; `None` if there is none.
    pub fn file(&self, path: &str) -> Result<Option<Vec<u8>>> {
        if let Some(page) = self.single_page(path)? {
            return Ok(Some(page.into_bytes()));
        }
        if let Some(file) = self.single_file(path)? {
            return Ok(Some(file));
        }
        if let Some(name) = path.strip_prefix("query/")
            && let Some((query, ending)) = self.query_at(name)
        {
            return match ending {
                "html" => Ok(Some(query::query_page(self, query, path).into_bytes())),
                ending => query::file(self, query, ending),
            };
        }
        let Some((stem, ending)) = path.rsplit_once('.') else { return Ok(None) };
        let Some(thing) = self.named_so(stem) else { return Ok(None) };
        match BESIDE.iter().find(|format| format.endings()[0] == ending) {
            Some(format) => self.description(&thing, *format).map(Some),
            None if ending == "html" => Ok(Some(thing::thing_page(self, &thing, path).into_bytes())),
            None => Ok(None),
        }
    }

    fn single_page(&self, path: &str) -> Result<Option<String>> {
        Ok(Some(match path {
            "index.html" => index::index_page(self, &metadata::dataset_json(self, self.dumps())),
            "queries.html" => index::queries_page(self),
            "data.html" => index::data_page(self, self.dumps()),
            "places.html" => index::places_page(self),
            MISSING => index::missing_page(self, path, index::Missing::Unknown, &[]),
            "ask.html" if self.asks() && !self.source.served => index::ask_page(self),
            path if path == self.ontology_page() => ontology::ontology_page(self, path),
            path if path.starts_with("browse/") => return index::browse_page(self, path),
            _ => return Ok(None),
        }))
    }

    fn single_file(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let text = match path {
            "assets/search-data.js" => index::search_data(self),
            "assets/site.css" => super::STYLE.into(),
            "assets/site.js" => super::SCRIPT.into(),
            "assets/served.js" if self.source.served => super::SERVED_SCRIPT.into(),
            "assets/icon.svg" => super::ICON.into(),
            "void.ttl" => metadata::void(self, self.dumps())?,
            "catalog.ttl" => metadata::dcat(self, self.dumps())?,
            "service.ttl" => metadata::service(self)?,
            "queries.ttl" => metadata::executables(self)?,
            "llms.txt" => metadata::llms(self, self.dumps()),
            "dump/SHA256SUMS" => dumps::checksums(self.dumps()),
            "assets/queries.js" if self.asks() && !self.source.served => scripts::asked_queries(self),
            path if path.starts_with("dump/") => return dumps::file(self, path),
            path if path.starts_with("hosting/") || path == ".nojekyll" => match hosting::file(self, path) {
                Some(text) => text,
                None => return Ok(None),
            },
            path if path.starts_with("sitemap") => {
                let map = metadata::sitemap(&self.base_url(), self.dated_pages()?, metadata::SITEMAP, path);
                return Ok(map.map(String::into_bytes));
            }
            path => {
                let asset = path.strip_prefix("assets/");
                let found = self.source.assets.iter().find(|(name, _)| Some(name.as_str()) == asset);
                return Ok(found.map(|(_, bytes)| bytes.clone()));
            }
        };
        Ok(Some(text.into_bytes()))
    }

    /// Whether the site has a query page.
    pub fn asks(&self) -> bool {
        self.source.served || !self.source.assets.is_empty()
    }

    /// The dumps: of a folder those that were made.
    pub fn dumps(&self) -> &'a [Dump] {
        self.index.dumps.get_or_init(|| dumps::served(self))
    }

    /// The canned query whose page or file has this name below `query/`, and the extension.
    fn query_at<'n>(&self, name: &'n str) -> Option<(&'a query::PublishedQuery<'a>, &'n str)> {
        let queries = &self.index.source.queries;
        queries.iter().find_map(|query| {
            let page = self.query_page(query);
            let stem = page.strip_prefix("query/")?.strip_suffix("html")?;
            let ending = name.strip_prefix(stem)?;
            (!ending.contains(['.', '/'])).then_some((query, ending))
        })
    }

    /// The thing whose files have this path without their ending.
    fn named_so(&self, stem: &str) -> Option<NamedNode> {
        if let Some(thing) = self.index.renamed.get(stem) {
            return node_of(self.source.snapshot, *thing);
        }
        let iri = format!("{}{stem}", self.source.base);
        (self.names.get(&iri) == Some(stem)).then(|| self.thing(&iri)).flatten()
    }

    /// The thing with this IRI, if it has a page of its own.
    pub fn thing(&self, iri: &str) -> Option<NamedNode> {
        let id = self.id(iri)?;
        let has_page = [&self.things, &self.stubs].into_iter().any(|sorted| sorted.binary_search(&id).is_ok());
        has_page.then(|| NamedNode::new_unchecked(iri))
    }

    /// The thing whose IRI a server has at this path below its root.
    pub fn thing_at(&self, path: &str) -> Option<NamedNode> {
        let base = self.source.base;
        if base.is_empty() {
            return None;
        }
        // An IRI may contain characters that a browser percent-encodes.
        self.thing(&format!("{base}{path}")).or_else(|| self.thing(&format!("{base}{}", unescape(path))))
    }

    /// The description of a thing, in a format.
    pub fn description(&self, thing: &NamedNode, format: RdfFormat) -> Result<Vec<u8>> {
        let in_one_graph = |quad: &Quad| Quad { graph_name: GraphName::DefaultGraph, ..quad.clone() };
        let mut quads: Vec<Quad> = thing::description(self, thing).into_iter().map(in_one_graph).collect();
        quads.sort_by_cached_key(Quad::to_string);
        quads.dedup();
        if format == RdfFormat::Turtle {
            return Ok(turtle::write(&quads, self.source.prefixes, self.budget)?.into_bytes());
        }
        let mut bytes = Vec::new();
        write_quads(&quads, format, self.source.prefixes, GraphOptions::default(), self.budget, &mut bytes)?;
        Ok(bytes)
    }

    /// The pages for search engines, with the days of their last changes; gathered once.
    fn dated_pages(&self) -> Result<&'a Paths> {
        if let Some(pages) = self.index.dated.get() {
            return Ok(pages);
        }
        let ontology = self.ontology_page();
        let changed: rustc_hash::FxHashMap<String, &String> = self
            .pages()
            .filter_map(|thing| Some((self.page(thing.as_str())?, self.source.changed.get(thing.as_str())?)))
            .collect();
        let paths = self.page_paths().into_iter().filter(|path| path != MISSING);
        let pages = metadata::dated(paths.map(|path| {
            let day = changed.get(&path).filter(|_| path != ontology).map(|day| (*day).clone());
            (self.shown(&path).to_owned(), day)
        }))?;
        Ok(self.index.dated.get_or_init(|| pages))
    }
}

/// The media type of a file of the site, by its extension.
pub fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "txt" | "md" => "text/plain; charset=utf-8",
        "xml" => "application/xml",
        "json" => "application/sparql-results+json",
        "csv" => "text/csv; charset=utf-8",
        "rq" => "application/sparql-query; charset=utf-8",
        "gz" => "application/gzip",
        "wasm" => "application/wasm",
        _ => match RdfFormat::from_path(path) {
            Some(format) => format.media_type(),
            None => "text/plain; charset=utf-8",
        },
    }
}
