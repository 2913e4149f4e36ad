//! The canned queries of a project: files with one query each, and Turtle files with SHACL executables.

use super::executable::{self, Declarations, TurtleFile};
use super::header::{self, Header};
use crate::project::{FoundQueries, Project, without_query_ending};
use kgq_engine::query::{ParseContext, Query, parse_query};
use kgq_syntax::embedded::Embedded;
use kgq_syntax::error::{Error, Result, Source};
use kgq_syntax::rdf::NamedNode;
use kgq_syntax::text::did_you_mean;
use std::path::Path;

/// A query kept in a file of the project.
#[derive(Clone, Debug)]
pub struct CannedQuery {
    /// The path below the queries' folder, without `.rq` or `.sparql`; for one of several queries in a file, the folder
    /// and the last part of its IRI.
    pub name: String,
    /// The file, relative to the project's root.
    pub file: String,
    /// The query, preceded by those prefixes that the file declares for it outside of its text.
    pub text: String,
    pub header: Header,
    /// For an executable: its IRI in the graph.
    pub iri: Option<NamedNode>,
    /// For an executable: where its text is in the file.
    pub(super) embedded: Option<Embedded>,
}

impl CannedQuery {
    pub fn source(&self) -> Source<'_> {
        Source::within(&self.file, &self.text, self.embedded.as_ref())
    }

    pub fn parse(&self, context: ParseContext<'_>) -> Result<Query> {
        parse_query(self.source(), context)
    }

    /// The title in a language, or the name.
    pub fn title(&self, language: &str) -> &str {
        self.header.title.as_ref().or(self.header.question.as_ref()).map_or(&self.name, |t| t.in_language(language))
    }

    /// Whether its name, its tags, or one of its texts in any language contains `wanted`, which must be in lower case.
    pub fn holds(&self, wanted: &str) -> bool {
        let Header { title, question, description, tags, .. } = &self.header;
        let texts = [title, question, description].into_iter().flatten().flat_map(|text| text.all());
        let texts = texts.map(|(_, text)| text).chain(tags.iter().map(String::as_str));
        texts.chain([self.name.as_str()]).any(|text| text.to_lowercase().contains(wanted))
    }

    /// Returns the endpoint that it was written for, if it names one.
    pub fn endpoint(&self) -> Option<String> {
        self.header.endpoint.as_ref().and_then(|endpoint| endpoint.texts().into_iter().next())
    }

    /// Whether it is a SHACL executable in a Turtle file.
    pub(crate) fn is_executable(&self) -> bool {
        self.embedded.is_some()
    }

    /// Whether it is one of the project's rules: each row of its answer is a finding.
    pub fn is_check(&self) -> bool {
        self.name.starts_with("checks/")
    }
}

/// All canned queries of a project, by name, and those that could not be read.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    pub queries: Vec<CannedQuery>,
    pub broken: Vec<(String, Error)>,
    /// Entries among them that are not queries, such as updates.
    pub passed_over: Vec<(String, Error)>,
}

impl Catalog {
    /// Reads the queries in these files of a project.
    ///
    /// # Errors
    /// A file that is missing. A query that is broken is an entry of its own.
    pub fn read(project: &Project, found: &FoundQueries) -> Result<Self> {
        let mut catalog = Self::default();
        let mut files = Vec::new();
        for (name, path) in found.all()? {
            let file = project.display_path(path);
            if let Some(name) = name.strip_suffix(".ttl") {
                match TurtleFile::read(&file, name, path, project) {
                    Ok(file) => files.push(file),
                    Err(error) => catalog.broken.push((name.to_owned(), error)),
                }
                continue;
            }
            match read_query(name, &file, path, project) {
                Ok(query) => catalog.queries.push(query),
                Err(error) => catalog.broken.push((name.clone(), error)),
            }
        }
        catalog.passed_over = files.iter().flat_map(executable::updates).collect();
        let declared = Declarations::of(&files);
        for (name, query) in files.iter().flat_map(|file| executable::read(file, &declared)) {
            match query {
                Ok(query) => catalog.queries.push(query),
                Err(error) => catalog.broken.push((name, error)),
            }
        }
        catalog.queries.sort_by(|one, other| one.name.cmp(&other.name));
        catalog.refuse_same_names();
        Ok(catalog)
    }

    /// If several queries have the same name, only the first can be run.
    fn refuse_same_names(&mut self) {
        let mut kept: Vec<CannedQuery> = Vec::with_capacity(self.queries.len());
        for query in std::mem::take(&mut self.queries) {
            match kept.last().filter(|first| first.name == query.name) {
                Some(first) => {
                    let (place, other) = (query.source().place(0..0), first.source().place(0..0));
                    let message = format!("two canned queries are called `{}`: the other is {other}", query.name);
                    self.broken.push((query.name, Error::input(message).at(place)));
                }
                None => kept.push(query),
            }
        }
        self.queries = kept;
    }

    /// Returns the query with this name or IRI. The error for an unknown name suggests similar ones.
    pub fn get(&self, name: &str) -> Result<&CannedQuery> {
        let name = without_query_ending(name);
        if let Some(query) = self.queries.iter().find(|q| q.name == name) {
            return Ok(query);
        }
        let iri = name.trim_start_matches('<').trim_end_matches('>');
        if let Some(query) = self.queries.iter().find(|q| q.iri.as_ref().is_some_and(|own| own.as_str() == iri)) {
            return Ok(query);
        }
        if let Some((_, error)) = self.broken.iter().chain(&self.passed_over).find(|(other, _)| other == name) {
            return Err(error.clone());
        }
        let known = self.queries.iter().map(|q| q.name.as_str());
        let mut called_so = known.clone().filter(|known| known.rsplit('/').next() == Some(name));
        let in_folder = called_so.next().map(|first| {
            let others = called_so.take(MOST_SHOWN).map(|other| format!(" or `{other}`"));
            format!("did you mean `{first}`{}?", others.collect::<String>())
        });
        let all = match self.queries.len() {
            0 => "the project has none: `kgq queries --help` says where they are looked for",
            _ => "`kgq queries` lists those there are",
        };
        Err(Error::input(format!("there is no canned query `{name}`"))
            .hint(in_folder.or_else(|| did_you_mean(name, known)).unwrap_or_else(|| all.into())))
    }
}

/// The most further names shown of queries in folders.
const MOST_SHOWN: usize = 2;

fn read_query(name: &str, file: &str, path: &Path, project: &Project) -> Result<CannedQuery> {
    let bytes = project.bytes(path).map_err(|e| Error::io(file, &e))?;
    let text = String::from_utf8(bytes)
        .map_err(|e| Error::input(format!("{file} is not UTF-8 (byte {})", e.utf8_error().valid_up_to())))?;
    let header = header::read(Source::new(file, &text))?;
    Ok(CannedQuery { name: name.to_owned(), file: file.to_owned(), text, header, iri: None, embedded: None })
}
