//! The canned queries of a project.

use super::header::{self, Header};
use crate::project::Project;
use kgq_engine::query::{ParseContext, Query, parse_query};
use kgq_syntax::error::{Error, Result, Source};
use kgq_syntax::text::did_you_mean;

/// A query kept in a file of the project.
#[derive(Clone, Debug)]
pub struct CannedQuery {
    /// The path below the queries' folder, without `.rq`.
    pub name: String,
    /// The file, relative to the project's root.
    pub file: String,
    pub text: String,
    pub header: Header,
}

impl CannedQuery {
    pub fn source(&self) -> Source<'_> {
        Source::new(&self.file, &self.text)
    }

    pub fn parse(&self, context: ParseContext<'_>) -> Result<Query> {
        parse_query(self.source(), context)
    }

    /// The title in a language, or the name.
    pub fn title(&self, language: &str) -> &str {
        self.header.title.as_ref().or(self.header.question.as_ref()).map_or(&self.name, |t| t.in_language(language))
    }

    /// Whether its name, its tags, or one of its texts in any language contain this, which is in lower case.
    pub fn holds(&self, wanted: &str) -> bool {
        let Header { title, question, description, tags, .. } = &self.header;
        let texts = [title, question, description].into_iter().flatten().flat_map(|text| text.all());
        let texts = texts.map(|(_, text)| text).chain(tags.iter().map(String::as_str));
        texts.chain([self.name.as_str()]).any(|text| text.to_lowercase().contains(wanted))
    }

    /// The endpoint that it was written for, if that is elsewhere.
    pub fn endpoint(&self) -> Option<String> {
        self.header.endpoint.as_ref().and_then(|endpoint| endpoint.texts().into_iter().next())
    }

    /// Whether it is one of the project's rules, where every row is a finding.
    pub fn is_check(&self) -> bool {
        self.name.starts_with("checks/")
    }
}

/// All canned queries of a project, by name, and those that could not be read.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    pub queries: Vec<CannedQuery>,
    pub broken: Vec<(String, Error)>,
}

impl Catalog {
    pub fn read(project: &Project) -> Result<Self> {
        let mut catalog = Self::default();
        for (name, path) in project.query_files()? {
            let file = project.display_path(&path);
            match read_query(&name, &file, &path) {
                Ok(query) => catalog.queries.push(query),
                Err(error) => catalog.broken.push((name, error)),
            }
        }
        Ok(catalog)
    }

    /// The query of that name. An unknown name is an error that names the near ones.
    pub fn get(&self, name: &str) -> Result<&CannedQuery> {
        let name = name.strip_suffix(".rq").unwrap_or(name);
        if let Some(query) = self.queries.iter().find(|q| q.name == name) {
            return Ok(query);
        }
        if let Some((_, error)) = self.broken.iter().find(|(broken, _)| broken == name) {
            return Err(error.clone());
        }
        let known = self.queries.iter().map(|q| q.name.as_str());
        Err(Error::input(format!("there is no canned query `{name}`"))
            .hint(did_you_mean(name, known).unwrap_or_else(|| "`kgq queries` lists those there are".into())))
    }
}

fn read_query(name: &str, file: &str, path: &std::path::Path) -> Result<CannedQuery> {
    let bytes = std::fs::read(path).map_err(|e| Error::io(file, &e))?;
    let text = String::from_utf8(bytes)
        .map_err(|e| Error::input(format!("{file} is not UTF-8 (byte {})", e.utf8_error().valid_up_to())))?;
    let header = header::read(Source::new(file, &text))?;
    Ok(CannedQuery { name: name.to_owned(), file: file.to_owned(), text, header })
}
