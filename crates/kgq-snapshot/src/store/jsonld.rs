//! JSON-LD, read by oxjsonld: remote contexts come from files at hand, and what it does not take by the standard is put right before
//! (maps by `@type`) and after (large integers).

use super::input::{Input, open_file};
use super::json::NOT_AT_HAND;
use super::json_tree::Json;
use super::type_maps::Terms;
use kgq_syntax::error::{Error, Place, Result};
use kgq_syntax::rdf::{GraphName, Literal, Prefixes, Quad, Term};
use memchr::memmem;
use oxjsonld::{JsonLdParseError, JsonLdParser, JsonLdRemoteDocument};
use oxrdf::vocab::xsd;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// The documents that stand for remote contexts, by the contexts' addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contexts(Arc<BTreeMap<String, Vec<u8>>>);

impl Contexts {
    /// Addresses with their documents.
    pub fn new(documents: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        Self(Arc::new(documents.into_iter().collect()))
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(address, document)| (address.as_str(), document.as_slice()))
    }
}

/// The document of a context, from a file.
///
/// # Errors
/// That it cannot be read, or is too large for a context.
pub fn read_context(name: &str, path: &Path) -> Result<Vec<u8>> {
    let mut document = Vec::new();
    let read = open_file(name, path)?.take(LARGEST_CONTEXT + 1).read_to_end(&mut document);
    if read.map_err(|e| Error::io(name, &e))? as u64 > LARGEST_CONTEXT {
        return Err(Error::input(format!("{name} is longer than 16 MiB, too long for a context")));
    }
    Ok(document)
}

const LARGEST_CONTEXT: u64 = 16 << 20;

/// The most that terms with contexts of their own, times all terms, may be: oxjsonld copies all for each that it uses.
const MOST_SCOPED: usize = 1_000_000;

/// Reads a document, and returns its prefixes. `failed` says what went wrong.
pub fn read_json_ld(
    input: &Input,
    mut text: impl Read,
    lenient: bool,
    failed: &dyn Fn(JsonLdParseError) -> Error,
    keep: &mut dyn FnMut(Quad) -> Result<()>,
) -> Result<Prefixes> {
    let mut bytes = Vec::new();
    text.read_to_end(&mut bytes).map_err(|e| input.unreadable(&e))?;
    let (text, contexts) = prepared(input, bytes)?;
    let mut parser = JsonLdParser::new();
    if lenient {
        parser = parser.lenient();
    }
    if let Some(base) = &input.base {
        let based = parser.with_base_iri(base.as_str());
        parser = based.map_err(|e| Error::input(format!("{}: the base is no IRI: {e}", input.name)))?;
    }
    let documents = contexts.clone();
    let mut quads = parser.for_reader(text.as_slice()).with_load_document_callback(move |address, _| {
        let document = documents.0.get(address).ok_or(NOT_AT_HAND.trim_start_matches([':', ' ']))?.clone();
        Ok(JsonLdRemoteDocument { document, document_url: address.to_owned() })
    });
    let mut integers = LargeIntegers { text: &text, contexts: &contexts, can_be: None };
    for quad in quads.by_ref() {
        let mut quad = quad.map_err(failed)?;
        if let (GraphName::DefaultGraph, Some(graph)) = (&quad.graph_name, &input.graph) {
            quad.graph_name = graph.clone().into();
        }
        integers.put_right(&mut quad).map_err(|error| error.at(Place::new(&input.name, 1, 1)))?;
        keep(quad)?;
    }
    Ok(quads.prefixes().collect())
}

/// The document and the contexts as oxjsonld reads them rightly.
fn prepared(input: &Input, text: Vec<u8>) -> Result<(Vec<u8>, Contexts)> {
    let all = || std::iter::once(text.as_slice()).chain(input.contexts.iter().map(|(_, document)| document));
    let concerned = |text: &[u8]| {
        memmem::find(text, b"\"@container\"").is_some() || memmem::find_iter(text, b"\"@context\"").nth(1_000).is_some()
    };
    if !all().any(concerned) {
        return Ok((text, input.contexts.clone()));
    }
    // What is no JSON is said by the parser, with its place.
    let Ok(mut document) = Json::parse(&text) else { return Ok((text, input.contexts.clone())) };
    let mut terms = Terms::default();
    terms.read(&document);
    let mut contexts = Vec::new();
    for (address, context) in input.contexts.iter() {
        let Ok(context) = Json::parse(context) else { return Ok((text, input.contexts.clone())) };
        terms.read(&context);
        contexts.push((address.to_owned(), context));
    }
    let at_start = |error: Error| error.at(Place::new(&input.name, 1, 1));
    if terms.cost() > MOST_SCOPED {
        return Err(at_start(
            Error::limit("too many terms of the contexts have contexts of their own among too many terms")
                .hint("the number of the ones times that of the others may be 1,000,000"),
        ));
    }
    terms.refuse_scoped_in_maps(&document).map_err(at_start)?;
    if !terms.are_to_be_rewritten(&document) {
        return Ok((text, input.contexts.clone()));
    }
    terms.rewrite(&mut document).map_err(at_start)?;
    let written = |json: &Json| json.write().map_err(|e| Error::bug(format!("JSON was not written: {e}")));
    let text = written(&document)?;
    let contexts = contexts.into_iter().map(|(address, mut context)| {
        terms.rewrite(&mut context).map_err(at_start)?;
        Ok((address, written(&context)?))
    });
    Ok((text, Contexts::new(contexts.collect::<Result<Vec<_>>>()?)))
}

/// Numbers from 10²⁰ to below 10²¹ without a fraction are integers (JSON-LD 1.1 API §8.2.2), which oxjsonld makes doubles.
struct LargeIntegers<'a> {
    text: &'a [u8],
    contexts: &'a Contexts,
    /// Whether a double of this size is such a number; found out when the first is met.
    can_be: Option<Found>,
}

#[derive(Clone, Copy)]
enum Found {
    /// The document has no such number: who wrote the double meant it.
    None,
    Integers,
    /// There are such numbers, and xsd:double is named.
    Unclear,
}

impl LargeIntegers<'_> {
    fn put_right(&mut self, quad: &mut Quad) -> Result<()> {
        let Term::Literal(literal) = &quad.object else { return Ok(()) };
        if literal.datatype() != xsd::DOUBLE {
            return Ok(());
        }
        let Some(integer) = as_integer(literal.value()) else { return Ok(()) };
        match *self.can_be.get_or_insert_with(|| found(self.text, self.contexts)) {
            Found::None => {}
            Found::Integers => quad.object = Literal::new_typed_literal(integer, xsd::INTEGER).into(),
            Found::Unclear => {
                return Err(Error::input(format!(
                    "the document names xsd:double, and kgq cannot tell whether the number {integer} is one or an integer"
                ))
                .hint("write the number as a string, with its `@type`"));
            }
        }
        Ok(())
    }
}

fn found(text: &[u8], contexts: &Contexts) -> Found {
    let Ok(document) = Json::parse(text) else { return Found::None };
    let mut any = false;
    document.each(&mut |value| {
        if let Json::Number(number) = value {
            any |= number.parse::<f64>().is_ok_and(|number| (1e20..1e21).contains(&number.abs()));
        }
    });
    let names = |text: &[u8]| memmem::find(text, b"double").is_some();
    match any {
        false => Found::None,
        true if names(text) || contexts.iter().any(|(_, context)| names(context)) => Found::Unclear,
        true => Found::Integers,
    }
}

/// The integer that such a double is, as oxjsonld writes it (`-1.25E20`).
fn as_integer(double: &str) -> Option<String> {
    let (sign, number) = double.strip_prefix('-').map_or(("", double), |number| ("-", number));
    let (first, fraction) = number.strip_suffix("E20")?.split_once('.')?;
    let fraction = fraction.trim_end_matches('0');
    let digits = first.len() == 1 && first.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit());
    (digits && fraction.len() <= 20).then(|| format!("{sign}{first}{fraction:0<20}"))
}
