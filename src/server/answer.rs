//! Answers a query in the format that the client accepts: within the limits, with an entity tag, streamed.

use super::Shared;
use super::bundle;
use super::negotiate::{self, Chosen, Coding};
use super::problem::Problem;
use super::reply::{Ending, Reply, coded, unless_known};
use super::request::RequestKey;
use super::state::Held;
use super::why;
use super::work::{Job, work};
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, VARY};
use axum::response::Response;
use kgq_engine::query::{Form, Query, is_repeatable};
use kgq_engine::{self as engine, Answer, DefaultGraph};
use kgq_graph::catalog::Values;
use kgq_graph::render::{
    self, CellOptions, Cited, ColumnOptions, Format, GraphOptions, PAGE_POLICY, RenderOptions, TableOptions,
};
use kgq_graph::request::cited::{CitedAnswer, cited_answer};
use kgq_syntax::error::{Error, Source};
use kgq_syntax::rdf::NamedNode;
use kgq_syntax::text::hexadecimal;
use sha2::{Digest, Sha256};

/// What the client asks for.
pub enum Question {
    /// A query, and the default and named graphs that the request names as its dataset.
    Text { text: String, dataset: Option<(Vec<NamedNode>, Vec<NamedNode>)> },
    /// The triples of a named graph, or of the default graph.
    Graph(Option<NamedNode>),
    /// A canned query, with values for its parameters.
    Canned { name: String, values: Vec<(String, String)> },
}

impl Question {
    /// The text logged for the question: the query itself, or the name of the canned query.
    fn text(&self) -> &str {
        match self {
            Self::Text { text, .. } => text,
            Self::Graph(_) => ALL,
            Self::Canned { name, .. } => name,
        }
    }

    /// The file name for a saved answer, without extension.
    pub fn name(&self) -> &str {
        match self {
            Self::Canned { name, .. } => name.rsplit('/').next().unwrap_or("answer"),
            Self::Text { .. } | Self::Graph(_) => "answer",
        }
    }
}

/// The `Content-Disposition` value under which browsers save the answer as a file of this name.
pub fn attachment(name: &str, ending: &str) -> HeaderValue {
    let plain: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || ['-', '_', '.'].contains(c)).collect();
    let told = HeaderValue::from_str(&format!("attachment; filename=\"{plain}.{ending}\""));
    told.unwrap_or_else(|_| HeaderValue::from_static("attachment"))
}

/// Selects every triple of the graph that a request addresses.
const ALL: &str = "CONSTRUCT WHERE { ?s ?p ?o }";

/// Answers a question, or a request about its answer: why a row is there or missing, or a bundle of the answer.
pub async fn respond_to(server: &Shared, asked: RequestKey, question: Question) -> Result<Response, Problem> {
    // A malformed parameter is refused, whatever else the request asks for.
    cites(&asked)?;
    match why::about(&asked)? {
        Some(about) => why::tell(server, asked, question, about).await,
        None if bundle::wanted(&asked)? => bundle::bundle(server, asked, question).await,
        None => answer(server, asked, question).await,
    }
}

/// Answers a question.
pub async fn answer(server: &Shared, asked: RequestKey, question: Question) -> Result<Response, Problem> {
    work(server, asked, move |job, reply| Asking { job, question: &question }.run(reply)).await
}

/// Whether each row is to come with its sources.
pub fn cites(asked: &RequestKey) -> Result<bool, Problem> {
    match asked.one("cite")? {
        None | Some("0" | "false") => Ok(false),
        Some("1" | "true") => Ok(true),
        Some(_) => Err(Problem::bad_request("`cite` is 1 for the sources of each row, or 0")),
    }
}

/// One question being answered.
struct Asking<'a> {
    job: &'a Job<'a>,
    question: &'a Question,
}

impl Asking<'_> {
    fn run(&self, reply: &mut Reply) -> Result<(), Ending> {
        let Job { held, asked, options, .. } = self.job;
        // The query is recorded once per request.
        let _ = asked.tally.query.set(self.question.text().to_owned());
        let query = parse(self.job, self.question)?;
        let cites = cites(asked)?;
        // With sources, a graph becomes a table of its triples, and a boolean a table with one row.
        let form = if cites { Form::Select } else { query.form() };
        let chosen = negotiate::format(form, asked.one("format")?, asked.accept.as_deref())?;
        let coding = match chosen.format {
            // These formats compress their content themselves.
            Format::Parquet | Format::Excel => Coding::Identity,
            _ => negotiate::coding(asked.accept_encoding.as_deref()),
        };
        self.head(&query, &chosen, coding, cites, reply);
        unless_known(reply.headers(), asked.if_none_match.as_deref())?;
        let mut options = options.clone();
        if let Question::Graph(None) = self.question {
            options.default_graph = DefaultGraph::Stored;
        }
        let answer = engine::evaluate(held.graph.snapshot()?, &query, &options);
        let answer = answer.map_err(|error| self.failed(&error))?;
        let prefixes = held.graph.prefixes()?;
        let budget = self.job.options.budget_of_query();
        let stream = chosen.media_type == Format::ARROW_STREAM;
        let options = RenderOptions {
            format: chosen.format,
            prefixes,
            width: None,
            colour: false,
            graph: GraphOptions::default(),
            table: TableOptions::default(),
            cells: CellOptions::default(),
            columns: ColumnOptions { terms: false, stream, budget: Some(&budget) },
        };
        if cites {
            return self.cited(&query, answer, options, coding, reply);
        }
        let written = coded(reply, coding, |out| {
            render::write(answer, options, out).map_err(|error| self.failed(&error).into())
        })?;
        asked.tally.count_rows(written.rows);
        Ok(())
    }

    /// Writes the answer with the sources of each row.
    fn cited(
        &self,
        query: &Query,
        answer: Answer,
        options: RenderOptions<'_>,
        coding: Coding,
        reply: &mut Reply,
    ) -> Result<(), Ending> {
        let (graph, failed) = (&self.job.held.graph, |error: Error| self.failed(&error));
        let audit = graph.audit().map_err(failed)?;
        let texts = graph.source_texts(&audit, &[]).map_err(failed)?;
        let found = cited_answer(graph, query, answer, &audit, &texts, &self.job.options).map_err(failed)?;
        graph.intact().map_err(failed)?;
        let CitedAnswer { variables, rows, sources, has_rule, references, .. } = found;
        let cited = Cited { variables, rows, first: 1, sources, has_rule, references: &references };
        let rows = coded(reply, coding, |out| {
            render::write_cited(cited, options, out).map_err(|error| self.failed(&error).into())
        })?
        .rows;
        self.job.asked.tally.count_rows(rows);
        Ok(())
    }

    /// Sets the headers of the answer: its media type, its tag, how long it may be cached.
    fn head(&self, query: &Query, chosen: &Chosen, coding: Coding, cites: bool, reply: &mut Reply) {
        let tag = is_repeatable(&query.algebra).then(|| {
            let mut tag = Tag::of(self.job.held, &chosen.media_type, coding);
            if cites {
                tag.add("cite");
            }
            match self.question {
                Question::Text { text, dataset } => {
                    tag.add(text);
                    tag.add(&base(self.job));
                    for graphs in dataset.iter().flat_map(|(default, named)| [default, named]) {
                        tag.add("graphs");
                        graphs.iter().for_each(|graph| tag.add(graph.as_str()));
                    }
                }
                Question::Graph(name) => tag.add(name.as_ref().map_or("", |name| name.as_str())),
                Question::Canned { name, values } => {
                    let texts = values.iter().flat_map(|(name, value)| [name.as_str(), value]);
                    std::iter::once(name.as_str()).chain(texts).for_each(|text| tag.add(text));
                    tag.add(&query.to_sse());
                }
            }
            tag
        });
        head(self.job.server, chosen, tag, reply);
        if chosen.format.is_binary() {
            reply.headers().insert(CONTENT_DISPOSITION, attachment(self.question.name(), chosen.format.ending()));
        }
    }

    fn failed(&self, error: &Error) -> Problem {
        self.job.server.problem(error)
    }
}

/// Parses the query of a question.
pub fn parse(job: &Job<'_>, question: &Question) -> Result<Query, Ending> {
    let graph = &job.held.graph;
    let parsed = match question {
        Question::Text { text, dataset } => graph.parse_at(Source::new("query", text), &base(job)).map(|mut query| {
            if let Some((default, named)) = dataset {
                query.set_dataset(default.clone(), named.clone());
            }
            query
        }),
        Question::Graph(name) => graph.parse(Source::new("query", ALL)).map(|mut query| {
            if let Some(name) = name {
                query.set_dataset(vec![name.clone()], Vec::new());
            }
            query
        }),
        Question::Canned { name, values } => {
            let canned = graph.catalog()?.get(name)?;
            graph.parse_canned(canned, &Values::from_pairs(values.iter().cloned()))
        }
    };
    parsed.map_err(|error| job.server.problem(&error).into())
}

/// The base for relative IRIs of a query if the graph declares none: the requested address.
fn base(job: &Job<'_>) -> String {
    format!("{}{}", job.server.address_for(job.asked), job.asked.path)
}

/// Sets the headers of an answer: its media type, its tag, how long it may be cached.
pub fn head(server: &Shared, chosen: &Chosen, tag: Option<Tag>, reply: &mut Reply) {
    let caching = if tag.is_some() { server.settings.caching() } else { HeaderValue::from_static("no-store") };
    let headers = reply.headers();
    if let Ok(media_type) = HeaderValue::from_str(&chosen.media_type) {
        headers.insert(CONTENT_TYPE, media_type);
    }
    headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding, Accept-Language"));
    headers.insert(CACHE_CONTROL, caching);
    if chosen.format.is_binary() {
        headers.insert(CONTENT_DISPOSITION, attachment("answer", chosen.format.ending()));
    }
    if chosen.format == Format::Html {
        let policy = HeaderValue::from_str(&format!("{PAGE_POLICY}; frame-ancestors 'none'"));
        headers.extend(policy.ok().map(|policy| (CONTENT_SECURITY_POLICY, policy)));
    }
    if let Some(tag) = tag.and_then(|tag| HeaderValue::from_str(&tag.text()).ok()) {
        headers.insert(ETAG, tag);
    }
}

/// An entity tag over everything that an answer depends on. It starts with the version of the graph, so that a writing
/// client can say which version it has seen.
pub struct Tag {
    version: String,
    rest: Sha256,
}

impl Tag {
    pub fn of(held: &Held, media_type: &str, coding: Coding) -> Self {
        let mut tag = Self { version: held.version.clone(), rest: Sha256::new() };
        [held.tag.as_str(), media_type, coding.name()].into_iter().for_each(|text| tag.add(text));
        tag
    }

    pub fn add(&mut self, text: &str) {
        self.rest.update((text.len() as u64).to_le_bytes());
        self.rest.update(text);
    }

    fn text(self) -> String {
        let digest = self.rest.finalize();
        let short = hexadecimal(&digest[..16]);
        format!("\"{}-{short}\"", self.version)
    }
}
