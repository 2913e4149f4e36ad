//! Guesses the format of a text from its beginning: for input without a name, and for messages about files that are not what
//! their names say.

use kgq_syntax::error::Error;
use kgq_syntax::rdf::RdfFormat;
use oxrdfio::RdfParser;

/// How many bytes of a text are inspected.
pub const SNIFFED: u64 = 4096;

/// The format that a text seems to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seems {
    Rdf(RdfFormat),
    OwlFunctional,
    OwlXml,
    Manchester,
    Obo,
    Html,
    Xml,
    Table,
    Sparql,
}

/// Guesses the format from the start of a text; `None` where it could be several.
pub fn sniff(start: &[u8]) -> Option<Seems> {
    let text = String::from_utf8_lossy(start);
    let text = without_comments(text.trim_start_matches('\u{FEFF}'));
    let begins = |word: &str| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    if begins("<!doctype html") || begins("<html") {
        Some(Seems::Html)
    } else if begins("Prefix(") || begins("Ontology(") {
        Some(Seems::OwlFunctional)
    } else if text.starts_with("Prefix:") || text.starts_with("Ontology:") {
        Some(Seems::Manchester)
    } else if text.starts_with("format-version:") {
        Some(Seems::Obo)
    } else if text.starts_with('<') {
        angle(text)
    } else if opens_json(text) {
        Some(Seems::Rdf(RdfFormat::JsonLd))
    } else if ["@prefix", "@base", "prefix ", "base "].into_iter().any(begins) || text.starts_with("_:") {
        let first = text.split_whitespace().find(|word| is_query_form(word));
        Some(if first.is_some() { Seems::Sparql } else { graphs(text) })
    } else if is_query_form(text.split_whitespace().next()?) {
        Some(Seems::Sparql)
    } else {
        is_table(text).then_some(Seems::Table)
    }
}

/// Whether the text begins with `{"…`, `[{…` or the like: JSON, unless it is read as N3, which can begin so too.
fn opens_json(text: &str) -> bool {
    let inside = |mark: char| text.strip_prefix(mark).map(str::trim_start);
    inside('{').is_some_and(|rest| rest.starts_with('"'))
        || inside('[').is_some_and(|rest| rest.starts_with(['{', '"']))
}

/// Classifies a text that begins with `<`: an IRI, or a tag.
fn angle(text: &str) -> Option<Seems> {
    let (first, _) = text[1..].split_once('>')?;
    let scheme = first.split_once("://").map_or(first, |(scheme, _)| scheme);
    let has_scheme = scheme.len() < first.len() && scheme.bytes().all(|b| b.is_ascii_alphanumeric());
    let is_iri = first.is_empty() || first.starts_with(['#', '/']) || has_scheme || first.starts_with("urn:");
    if is_iri {
        return Some(if is_lines(text) { Seems::Rdf(RdfFormat::NQuads) } else { graphs(text) });
    }
    let holds = |part: &str| text.contains(part);
    if holds("<Ontology") && holds("http://www.w3.org/2002/07/owl#") {
        Some(Seems::OwlXml)
    } else if holds("http://www.w3.org/1999/02/22-rdf-syntax-ns#") {
        Some(Seems::Rdf(RdfFormat::RdfXml))
    } else if text.to_ascii_lowercase().contains("<html") {
        Some(Seems::Html)
    } else {
        // Any other tag could be a relative IRI.
        first.starts_with("?xml").then_some(Seems::Xml)
    }
}

/// TriG if a graph opens somewhere, else Turtle.
fn graphs(text: &str) -> Seems {
    let opens = text.lines().any(|line| {
        let line = line.trim_end();
        line.ends_with('{') && !line.ends_with("|{") && !line.contains('"')
    });
    Seems::Rdf(if opens { RdfFormat::TriG } else { RdfFormat::Turtle })
}

/// Whether every whole line is a statement of N-Triples or N-Quads with full IRIs.
fn is_lines(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')).peekable();
    let mut any = false;
    while let Some(line) = lines.next() {
        if lines.peek().is_none() && any {
            return true;
        }
        let parts: Vec<&str> = line.split_whitespace().collect();
        let node = |part: &&str| part.starts_with('<') || part.starts_with("_:");
        let object = parts.get(2).is_some_and(|part| node(part) || part.starts_with('"'));
        let names = parts.first().is_some_and(node) && parts.get(1).is_some_and(node);
        if !(names && object && line.trim_end().ends_with('.')) {
            return false;
        }
        any = true;
    }
    any
}

fn is_query_form(word: &str) -> bool {
    ["SELECT", "CONSTRUCT", "ASK", "DESCRIBE"].iter().any(|form| word.eq_ignore_ascii_case(form))
}

/// Whether the first two lines have equally many commas, semicolons or tabs.
fn is_table(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.is_empty());
    let (Some(first), Some(second)) = (lines.next(), lines.next()) else { return false };
    [',', ';', '\t'].iter().any(|mark| {
        let count = |line: &str| line.matches(*mark).count();
        count(first) > 0 && count(first) == count(second) && !first.trim_end().ends_with(['.', ';', '{'])
    })
}

/// The text from the first line that is neither blank nor a Turtle comment.
fn without_comments(mut text: &str) -> &str {
    loop {
        text = text.trim_start();
        match text.strip_prefix('#') {
            Some(comment) => text = comment.split_once('\n').map_or("", |(_, rest)| rest),
            None => return text,
        }
    }
}

impl Seems {
    /// Whether a document of this format can begin like this.
    fn can_be(self, format: RdfFormat) -> bool {
        use RdfFormat::{JsonLd, N3, NQuads, NTriples, RdfXml, TriG, TriGStar, Turtle, TurtleStar};
        let one_family = [Turtle, TriG, NTriples, NQuads, N3, TurtleStar, TriGStar];
        match self {
            Self::Rdf(RdfXml) | Self::Xml => format == RdfXml,
            Self::Rdf(JsonLd) => matches!(format, JsonLd | N3),
            Self::Rdf(_) => one_family.contains(&format),
            _ => false,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Rdf(RdfFormat::RdfXml) => "RDF/XML",
            Self::Rdf(RdfFormat::JsonLd) => "JSON",
            Self::Rdf(RdfFormat::TriG) => "TriG",
            Self::Rdf(RdfFormat::NTriples | RdfFormat::NQuads) => "N-Triples or N-Quads",
            Self::Rdf(_) => "Turtle",
            Self::OwlFunctional => "OWL in functional syntax",
            Self::OwlXml => "OWL/XML",
            Self::Manchester => "OWL in Manchester syntax",
            Self::Obo => "OBO",
            Self::Html => "a page of HTML",
            Self::Xml => "XML",
            Self::Table => "a table, such as CSV",
            Self::Sparql => "a SPARQL query",
        }
    }

    fn hint(self) -> String {
        match self {
            Self::Rdf(format) => {
                format!("say it with `--input-format {}`, or give the file an ending that says it", format.name())
            }
            Self::OwlFunctional | Self::OwlXml | Self::Manchester | Self::Obo => {
                "kgq reads RDF: save the ontology as Turtle or RDF/XML, for example with Protégé or `robot convert`"
                    .into()
            }
            Self::Html => {
                "a download may have been answered with a page: look at it, and download the data again".into()
            }
            Self::Xml => "of XML, kgq reads RDF/XML".into(),
            Self::Table => "kgq reads RDF: a table must be mapped to statements first".into(),
            Self::Sparql => "run it with `kgq query -f FILE`".into(),
        }
    }
}

/// Adds to the error of a refused document what it seems to be, if that differs from the format in which it was read.
pub fn mistaken(error: Error, start: &[u8], format: RdfFormat) -> Error {
    let seems =
        sniff(start).filter(|seems| !seems.can_be(format)).or_else(|| turtle_read_as_lines(&error, start, format));
    let Some(seems) = seems else { return error };
    let named = if format == RdfFormat::RdfXml { "RDF/XML" } else { format.name() };
    let told = Error::input(format!("this seems to be {}, and is read as {named}", seems.name())).hint(seems.hint());
    match error.place() {
        Some(place) => told.at(place.clone()),
        None => told,
    }
}

/// Turtle or TriG, if a text was refused as N-Triples or N-Quads and reads on behind that place as one of these.
fn turtle_read_as_lines(error: &Error, start: &[u8], format: RdfFormat) -> Option<Seems> {
    if !matches!(format, RdfFormat::NTriples | RdfFormat::NQuads) {
        return None;
    }
    let refused = error.place()?.line as u64;
    let whole = if (start.len() as u64) < SNIFFED { start.len() } else { memchr::memrchr(b'\n', start)? + 1 };
    let text = std::str::from_utf8(&start[..whole]).ok()?;
    if refused > text.lines().count() as u64 {
        return None;
    }
    // What these formats allow was refused for passing a limit.
    let lines = match format {
        RdfFormat::NTriples => oxrdfio::RdfFormat::NTriples,
        _ => oxrdfio::RdfFormat::NQuads,
    };
    let wrong = RdfParser::from_format(lines).for_slice(text).find_map(Result::err)?;
    if wrong.location().is_none_or(|place| place.start.line >= refused) {
        return None;
    }
    let parser = RdfParser::from_format(oxrdfio::RdfFormat::TriG).with_base_iri("file:///").ok()?;
    match parser.for_slice(text).find_map(Result::err) {
        Some(error) => (error.location()?.start.line >= refused).then(|| graphs(text)),
        None => Some(graphs(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turtle_read_as_lines_is_named() {
        use kgq_syntax::error::Place;
        let at = |line| Error::input("refused").at(Place::new("a.nt", line, 1));
        let told = |text: &str, line| turtle_read_as_lines(&at(line), text.as_bytes(), RdfFormat::NTriples);
        let (turtle, trig) = (Some(Seems::Rdf(RdfFormat::Turtle)), Some(Seems::Rdf(RdfFormat::TriG)));
        assert_eq!(told("@prefix : <http://e/> .\n:a :b :c .", 1), turtle);
        assert_eq!(told("<http://e/a> <http://e/b> 1 ; <http://e/c> 2 .", 1), turtle);
        assert_eq!(told("<http://e/g> {\n<http://e/a> a <http://e/b> }", 1), trig);
        // Wrong as both.
        assert_eq!(told("<http://e/a> <http://e/b> \"c .", 1), None);
        assert_eq!(told("<http://e/a> a <http://e/b> .\n<http://e/a> <http://e/b> c .", 2), None);
        // What is read as Turtle was not refused as such.
        assert_eq!(turtle_read_as_lines(&at(1), b":a :b :c .", RdfFormat::Turtle), None);
    }

    #[test]
    fn texts_are_known_by_how_they_begin() {
        let rdf = Seems::Rdf;
        for (text, seems) in [
            ("# c\n@prefix : <http://e/> .", rdf(RdfFormat::Turtle)),
            ("PREFIX e: <http://e/>\ne:a e:b e:c .", rdf(RdfFormat::Turtle)),
            ("@prefix e: <http://e/> .\ne:g {\n e:a a e:b }", rdf(RdfFormat::TriG)),
            ("<http://e/a> a <T> .", rdf(RdfFormat::Turtle)),
            ("<http://e/a> <http://e/b> \"c\" .\n<http://e/a> <http", rdf(RdfFormat::NQuads)),
            (
                "<?xml version='1.0'?><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>",
                rdf(RdfFormat::RdfXml),
            ),
            ("\u{FEFF}{ \"@id\": \"a\" }", rdf(RdfFormat::JsonLd)),
            ("[{\"@id\": \"a\"}]", rdf(RdfFormat::JsonLd)),
            ("<?xml version='1.0'?>\n<Ontology xmlns=\"http://www.w3.org/2002/07/owl#\">", Seems::OwlXml),
            ("Prefix(:=<http://e/>)\nOntology(", Seems::OwlFunctional),
            ("Prefix: e: <http://e/>", Seems::Manchester),
            ("format-version: 1.2", Seems::Obo),
            ("<!DOCTYPE html>\n<html>", Seems::Html),
            ("<?xml version='1.0'?><svg/>", Seems::Xml),
            ("id,name\n1,a", Seems::Table),
            ("PREFIX e: <http://e/>\nselect * {}", Seems::Sparql),
        ] {
            assert_eq!(sniff(text.as_bytes()), Some(seems), "{text}");
        }
        for text in ["", "hello", "<a> <b> (((", "e:a e:b e:c .", "[ a e:T ] .", "{ e:a e:b e:c }"] {
            assert_eq!(sniff(text.as_bytes()), None, "{text}");
        }
    }
}
