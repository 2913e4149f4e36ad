//! JSON-LD, read by oxjsonld. Remote contexts come from local files. Where oxjsonld deviates from the standard, this
//! corrects it before reading (maps by `@type`, contexts of types in maps by `@index`) and after (large integers).

use super::index_maps::{self, Refused};
use super::input::{Input, open_file};
use super::json_dropped::{self, Dropped};
use super::json_places::{JsonValue, Spanned};
use super::json_refusals::{self, NOT_AT_HAND};
use super::json_tree::Json;
use super::type_maps::TypeMaps;
use kgq_syntax::Span;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{GraphName, Literal, Prefixes, Quad, Term};
use memchr::memmem;
use oxjsonld::{JsonLdParser, JsonLdRemoteDocument, JsonLdSyntaxError, SliceJsonLdParser};
use oxrdf::vocab::xsd;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// The documents to use for remote contexts, by the contexts' addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contexts(Arc<BTreeMap<String, Vec<u8>>>);

impl Contexts {
    /// Pairs of an address and its document.
    pub fn new(documents: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        Self(Arc::new(documents.into_iter().collect()))
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(address, document)| (address.as_str(), document.as_slice()))
    }
}

/// Reads the document of a context from a file.
///
/// # Errors
/// When it cannot be read, or is too large for a context.
pub fn read_context(name: &str, path: &Path) -> Result<Vec<u8>> {
    let mut document = Vec::new();
    let read = open_file(name, path)?.take(LARGEST_CONTEXT + 1).read_to_end(&mut document);
    if read.map_err(|e| Error::io(name, &e))? as u64 > LARGEST_CONTEXT {
        return Err(Error::input(format!("{name} is longer than 16 MiB, too long for a context")));
    }
    Ok(document)
}

const LARGEST_CONTEXT: u64 = 16 << 20;

/// The most that the number of terms with contexts of their own, times all terms, may be: oxjsonld copies all terms for each
/// such context that it uses.
const MOST_SCOPED: usize = 1_000_000;

/// Reads a document, and returns its prefixes. `failed` turns a parser's error into ours.
pub fn read_json_ld(
    input: &Input,
    mut text: impl Read,
    lenient: bool,
    failed: &dyn Fn(JsonLdSyntaxError) -> Error,
    keep: &mut dyn FnMut(Quad) -> Result<()>,
) -> Result<Prefixes> {
    let mut bytes = Vec::new();
    text.read_to_end(&mut bytes).map_err(|e| input.unreadable(&e))?;
    let Prepared { text, contexts, original } = prepared(input, bytes)?;
    let original = original.as_deref().unwrap_or(&text);
    let refused = |error: JsonLdSyntaxError| {
        let known = json_refusals::of(&input.name, original, &error.to_string());
        known.unwrap_or_else(|| failed(error))
    };
    let mut quads = parser(input, &text, &contexts, lenient)?;
    let again = if lenient { None } else { Some(parser(input, &text, &contexts, true)?) };
    let mut dropped = Dropped { again, name: &input.name, text: original };
    let mut integers = LargeIntegers { name: &input.name, text: original, contexts: &contexts, can_be: None };
    for quad in quads.by_ref() {
        let mut quad = quad.map_err(refused)?;
        dropped.advance()?;
        if lenient && json_dropped::is_of_undefined_key(&quad) {
            continue;
        }
        if let (GraphName::DefaultGraph, Some(graph)) = (&quad.graph_name, &input.graph) {
            quad.graph_name = graph.clone().into();
        }
        integers.put_right(&mut quad)?;
        keep(quad)?;
    }
    while dropped.advance()? {}
    Ok(quads.prefixes().collect())
}

/// A parser of a prepared document.
fn parser<'t>(input: &Input, text: &'t [u8], contexts: &Contexts, lenient: bool) -> Result<SliceJsonLdParser<'t>> {
    let mut parser = JsonLdParser::new();
    if lenient {
        parser = parser.lenient();
    }
    if let Some(base) = &input.base {
        let based = parser.with_base_iri(base.as_str());
        parser = based.map_err(|e| Error::input(format!("{}: the base is no IRI: {e}", input.name)))?;
    }
    let documents = contexts.0.clone();
    Ok(parser.for_slice(text).with_load_document_callback(move |address, _| {
        let document = documents.get(address).ok_or(NOT_AT_HAND.trim_start_matches([':', ' ']))?.clone();
        Ok(JsonLdRemoteDocument { document, document_url: address.to_owned() })
    }))
}

/// A document and contexts, changed so that oxjsonld reads them correctly.
struct Prepared {
    text: Vec<u8>,
    contexts: Contexts,
    /// The original text, if it was changed.
    original: Option<Vec<u8>>,
}

fn prepared(input: &Input, text: Vec<u8>) -> Result<Prepared> {
    let all = || std::iter::once(text.as_slice()).chain(input.contexts.iter().map(|(_, document)| document));
    let concerned = |text: &[u8]| {
        memmem::find(text, b"\"@container\"").is_some() || memmem::find_iter(text, b"\"@context\"").nth(1_000).is_some()
    };
    let is_concerned = all().any(concerned);
    let unchanged = |text| Ok(Prepared { text, contexts: input.contexts.clone(), original: None });
    if !is_concerned {
        return unchanged(text);
    }
    // If it is not JSON, the parser reports that with its place.
    let Ok(tree) = Spanned::parse(&text) else { return unchanged(text) };
    let document = tree.json();
    let mut terms = TypeMaps::default();
    terms.read(&document);
    let mut contexts = Vec::new();
    for (address, context) in input.contexts.iter() {
        let Ok(context) = Json::parse(context) else { return unchanged(text) };
        terms.read_elsewhere(&context);
        contexts.push((address.to_owned(), context));
    }
    let at = |(error, span): Refused| error.at(json_refusals::place(&input.name, &text, span));
    if terms.cost() > MOST_SCOPED {
        let error = Error::limit("too many terms have contexts of their own, among too many other terms")
            .hint("the product of the two numbers may be 1,000,000 at most");
        return Err(at((error, json_refusals::first_scoped(&tree).unwrap_or(0..0))));
    }
    let mut changed = index_maps::with_contexts(&terms, &tree).map_err(at)?;
    let has_type_maps = terms.are_to_be_rewritten(&document);
    if has_type_maps {
        terms.refuse_two_meanings(&tree).map_err(at)?;
        terms.rewrite(&mut changed);
        contexts.iter_mut().for_each(|(_, context)| terms.rewrite(context));
    }
    if changed == document && !has_type_maps {
        return unchanged(text);
    }
    let written = |json: &Json| json.write().map_err(|e| Error::bug(format!("JSON was not written: {e}")));
    let contexts = contexts.iter().map(|(address, context)| Ok((address.clone(), written(context)?)));
    let contexts = Contexts::new(contexts.collect::<Result<Vec<_>>>()?);
    Ok(Prepared { text: written(&changed)?, contexts, original: Some(text) })
}

/// Integers from 10²⁰ up to, but not including, 10²¹ (JSON-LD 1.1 API §8.2.2), which oxjsonld turns into doubles.
struct LargeIntegers<'a> {
    name: &'a str,
    text: &'a [u8],
    contexts: &'a Contexts,
    /// Whether a double of this size is such an integer; determined when the first one is met.
    can_be: Option<Found>,
}

#[derive(Clone, Copy)]
enum Found {
    /// The document has no such number: such a double was written as one.
    None,
    Integers,
    /// There are such numbers, but the text also names xsd:double.
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
                .hint("write the number as a string, with its `@type`")
                .at(json_refusals::place(self.name, self.text, number_at(self.text, literal.value()))));
            }
        }
        Ok(())
    }
}

/// The place of the first number with this value.
fn number_at(text: &[u8], double: &str) -> Span {
    let wanted: Option<f64> = double.parse().ok();
    let mut at = None;
    if let Ok(tree) = Spanned::parse(text) {
        tree.each(&mut |value| {
            if let JsonValue::Scalar(Json::Number(number)) = &value.value
                && number.parse().ok() == wanted
            {
                at.get_or_insert(value.span.clone());
            }
        });
    }
    at.unwrap_or(0..0)
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

/// The integer with this value, given as oxjsonld writes it (`-1.25E20`).
fn as_integer(double: &str) -> Option<String> {
    let (sign, number) = double.strip_prefix('-').map_or(("", double), |number| ("-", number));
    let (first, fraction) = number.strip_suffix("E20")?.split_once('.')?;
    let fraction = fraction.trim_end_matches('0');
    let digits = first.len() == 1 && first.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit());
    (digits && fraction.len() <= 20).then(|| format!("{sign}{first}{fraction:0<20}"))
}
