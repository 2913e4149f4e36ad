//! Reads RDF from the body of a request: one document, or several as the parts of a form.

use super::problem::Problem;
use super::sparql::content_type;
use axum::http::header::{CONTENT_RANGE, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use kgq_edit::graphs::of_one_graph;
use kgq_graph::graph::Graph;
use kgq_snapshot::store::{Input, SNIFFED, Seems, read, sniff};
use kgq_syntax::error::Result as Outcome;
use kgq_syntax::rdf::{Compression, Prefixes, Quad, RdfFormat};

/// An RDF document that a client sent.
pub struct SentRdf {
    format: RdfFormat,
    bytes: Vec<u8>,
}

impl SentRdf {
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Reads the documents of a body.
pub async fn texts(headers: &HeaderMap, body: Vec<u8>) -> Result<Vec<SentRdf>, Problem> {
    if headers.contains_key(CONTENT_RANGE) {
        return Err(Problem::bad_request("a part of a graph cannot be replaced by its place").hint("use PATCH"));
    }
    if !headers.contains_key(CONTENT_TYPE) {
        return Ok(vec![SentRdf { format: shown(&body)?, bytes: body }]);
    }
    let media_type = content_type(headers)?;
    if media_type == "multipart/form-data" {
        return parts(headers, body).await;
    }
    Ok(vec![SentRdf { format: format(&media_type)?, bytes: body }])
}

fn format(media_type: &str) -> Result<RdfFormat, Problem> {
    let format = RdfFormat::from_name(media_type).filter(|_| media_type.contains('/'));
    format.ok_or_else(|| {
        unsupported("the body is of no type of RDF").hint("say its type as `Content-Type`, such as `text/turtle`")
    })
}

/// Guesses the format of a body without a type from its content. For an empty body it does not matter.
fn shown(body: &[u8]) -> Result<RdfFormat, Problem> {
    if body.trim_ascii().is_empty() {
        return Ok(RdfFormat::Turtle);
    }
    let start = &body[..body.len().min(usize::try_from(SNIFFED).unwrap_or(usize::MAX))];
    match sniff(start) {
        Some(Seems::Rdf(format)) => Ok(format),
        _ => Err(unsupported("the body does not say its type, and does not show it")
            .hint("say it as `Content-Type`, such as `text/turtle`")),
    }
}

fn unsupported(detail: &str) -> Problem {
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
}

/// Reads the files of a form. A file without a known type gets one by its extension.
async fn parts(headers: &HeaderMap, body: Vec<u8>) -> Result<Vec<SentRdf>, Problem> {
    let wrong = |error: multer::Error| Problem::bad_request(format!("the form cannot be read: {error}"));
    let header = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let boundary = multer::parse_boundary(header).map_err(wrong)?;
    let mut form = multer::Multipart::with_reader(body.as_slice(), boundary);
    let mut texts = Vec::new();
    while let Some(field) = form.next_field().await.map_err(wrong)? {
        let of_type = field.content_type().map(|media_type| media_type.essence_str().to_owned());
        let format = match (of_type, field.file_name().and_then(RdfFormat::from_path)) {
            (Some(media_type), by_name) => format(&media_type).or_else(|problem| by_name.ok_or(problem))?,
            (None, Some(format)) => format,
            (None, None) => return Err(unsupported("a part of the form does not say its type")),
        };
        texts.push(SentRdf { format, bytes: field.bytes().await.map_err(wrong)?.to_vec() });
    }
    Ok(texts)
}

/// Parses the documents into the statements of one graph, and collects the prefixes that they declare.
///
/// # Errors
/// A document does not parse (with the place), names graphs, or exceeds the limits of reading.
pub fn statements(graph: &Graph, texts: Vec<SentRdf>, base: Option<&str>) -> Outcome<(Vec<Quad>, Prefixes)> {
    let (mut quads, mut prefixes) = (Vec::new(), Prefixes::new());
    let budget = graph.loading_budget();
    for (number, text) in texts.into_iter().enumerate() {
        let mut input = Input::bytes("body", text.bytes, text.format).with_base(base.map(str::to_owned));
        // The declared type says what the bytes are, so compressed bytes are refused.
        input.compression = Compression::None;
        let parsed = read(&input, number, graph.read_options(&budget, None))?;
        quads.extend(parsed.quads);
        for (prefix, namespace) in parsed.prefixes.iter() {
            prefixes.insert_if_absent(prefix, namespace);
        }
    }
    Ok((of_one_graph(quads)?, prefixes))
}
