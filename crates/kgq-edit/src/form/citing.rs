//! Creates a citation of a document by the words that are cited. It follows the project's other citations: the same class and
//! namespace, the words on the same property, and a span if the document's text is available.

use super::naming::{self, MOST_LIKE};
use super::statements::Statements;
use kgq_graph::audit::{Audit, Span, Texts, sha256, span_of};
use kgq_graph::graph::Graph;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::vocabulary::{oa, rdf};
use kgq_syntax::rdf::{BlankNode, GraphName, Literal, NamedNode, NamedOrBlankNode, Quad, Term};
use oxrdf::vocab::xsd;
use rustc_hash::FxHashMap;

/// The number of cited words that go into the name of a citation.
const WORDS: usize = 5;

/// The project's data that new citations are made from.
pub struct Citing<'g> {
    graph: &'g Graph,
    audit: Audit<'g>,
    texts: Texts,
    citations: Vec<NamedNode>,
    /// Those that a new one is made like.
    like: Vec<NamedNode>,
}

/// A citation with the statements that create it; no statements if the graph has it already.
pub struct Made {
    pub name: NamedNode,
    pub statements: Vec<Quad>,
}

impl<'g> Citing<'g> {
    /// # Errors
    /// Those of the graph's files, and of the sources' texts.
    pub fn of(graph: &'g Graph) -> Result<Self> {
        let audit = graph.audit()?;
        let texts = graph.source_texts(&audit, &[])?;
        let citations = audit.citations();
        let like = spread(&citations, MOST_LIKE);
        Ok(Self { graph, audit, texts, citations, like })
    }

    /// Creates a citation of these words of a document. `node` is the label for a blank node.
    ///
    /// # Errors
    /// The reason why there can be none, as a text.
    pub fn citation(
        &self,
        statements: &Statements<'_>,
        document: &NamedNode,
        words: &str,
        node: BlankNode,
        taken: &[&NamedNode],
    ) -> std::result::Result<Made, String> {
        let words = words.trim();
        let cited: Vec<_> = self.citations.iter().flat_map(|name| self.audit.places(name)).collect();
        let is_known = cited.iter().any(|other| other.document.as_ref() == Some(document));
        if !is_known && statements.about(&document.clone().into()).is_empty() {
            return Err(format!("the graph says nothing of {document}: it is no source"));
        }
        let same = |anchor: Option<&str>| anchor.unwrap_or_default() == words;
        let known = cited.iter().find(|other| {
            other.document.as_ref() == Some(document)
                && same(other.anchor.as_deref())
                && (!words.is_empty() || other.span.is_none())
        });
        if let Some(known) = known {
            return Ok(Made { name: known.iri.clone(), statements: Vec::new() });
        }
        let span = self.span(document, words)?;
        let name = naming::free(statements, self.name(document, words)?, taken);
        let graph = self.graph_of_citations(statements);
        let subject = NamedOrBlankNode::from(name.clone());
        let say = |subject: &NamedOrBlankNode, property: NamedNode, object: Term| {
            Quad::new(subject.clone(), property, object, graph.clone())
        };
        let mut made = Vec::new();
        made.extend(self.class(statements).map(|class| say(&subject, rdf::TYPE.into_owned(), class.into())));
        made.push(say(&subject, oa::HAS_SOURCE.into_owned(), document.clone().into()));
        let anchor = self.audit.anchor_property().cloned().unwrap_or_else(|| oa::EXACT.into_owned());
        // `oa:exact` belongs to a selector; any other property of the project belongs to the citation itself.
        let of_selector = anchor.as_ref() == oa::EXACT;
        let words_of = |subject: &NamedOrBlankNode| say(subject, anchor.clone(), Literal::from(words).into());
        let around = span.filter(|_| !of_selector).and_then(|span| self.selector(&cited, document, span, words));
        if !words.is_empty() && !of_selector {
            made.push(words_of(&subject));
        }
        if let Some(selector) = around {
            made.push(say(&subject, oa::HAS_SELECTOR.into_owned(), selector.into()));
        } else if span.is_some() || (of_selector && !words.is_empty()) {
            let selector = NamedOrBlankNode::from(node.clone());
            made.push(say(&subject, oa::HAS_SELECTOR.into_owned(), node.into()));
            if let Some(span) = span {
                let number = |number: usize| Literal::new_typed_literal(number.to_string(), xsd::INTEGER).into();
                made.push(say(&selector, oa::START.into_owned(), number(span.start)));
                made.push(say(&selector, oa::END.into_owned(), number(span.end)));
                made.extend(
                    self.audit.hash_property().map(|property| {
                        say(&selector, property.clone(), Literal::from(sha256(words.as_bytes())).into())
                    }),
                );
            }
            if of_selector && !words.is_empty() {
                made.push(words_of(&selector));
            }
        }
        Ok(Made { name, statements: made })
    }

    /// The span of the words in the document, if its text is available.
    fn span(&self, document: &NamedNode, words: &str) -> std::result::Result<Option<Span>, String> {
        let Some(text) = self.texts.get(document) else { return Ok(None) };
        if words.is_empty() {
            return Err("the text of this document is at hand: say the words that are cited".into());
        }
        let mut places = text.match_indices(words).map(|(at, _)| at);
        match (places.next(), places.count()) {
            (None, _) => {
                Err("these words do not stand in the text of the document: copy them as they stand there".into())
            }
            (Some(at), 0) => {
                let start = text[..at].chars().count();
                Ok(Some(Span { start, end: start + words.chars().count() }))
            }
            (Some(_), more) => {
                Err(format!("these words stand {} times in the text of the document: take more of them", more + 1))
            }
        }
    }

    /// The narrowest named selector around a span in which the words occur once.
    fn selector(
        &self,
        cited: &[kgq_graph::audit::Citation],
        document: &NamedNode,
        span: Span,
        words: &str,
    ) -> Option<NamedNode> {
        let text = self.texts.get(document)?;
        let around = cited.iter().filter_map(|other| {
            let own = other.span.filter(|own| own.start <= span.start && span.end <= own.end)?;
            let NamedOrBlankNode::NamedNode(selector) = other.selector.as_ref()? else { return None };
            let holds_once = text[span_of(text, own)?].matches(words).count() == 1;
            (other.document.as_ref() == Some(document) && holds_once).then_some((own.end - own.start, selector))
        });
        around.min_by(|(a, x), (b, y)| a.cmp(b).then_with(|| x.as_str().cmp(y.as_str()))).map(|(_, node)| node.clone())
    }

    /// The most frequent class of citations, as far as they are looked at.
    fn class(&self, statements: &Statements<'_>) -> Option<NamedNode> {
        let mut times: FxHashMap<&NamedNode, usize> = FxHashMap::default();
        let all = self.like.iter().flat_map(|name| statements.about(&name.clone().into()));
        for quad in all.filter(|quad| quad.predicate.as_ref() == rdf::TYPE) {
            if let Term::NamedNode(class) = &quad.object {
                *times.entry(class).or_default() += 1;
            }
        }
        let most = times.into_iter().max_by(|(a, x), (b, y)| x.cmp(y).then_with(|| b.as_str().cmp(a.as_str())));
        most.map(|(class, _)| class.clone())
    }

    /// The graph in which citations stand.
    fn graph_of_citations(&self, statements: &Statements<'_>) -> GraphName {
        let first = self.citations.first().map(|name| statements.about(&name.clone().into()));
        first.and_then(|about| about.first()).map_or(GraphName::DefaultGraph, |quad| quad.graph_name.clone())
    }

    /// The name of a new citation, from the cited words or the document.
    fn name(&self, document: &NamedNode, words: &str) -> std::result::Result<NamedNode, String> {
        let of_document = || kgq_graph::catalog::local_name(document.as_str()).to_owned();
        let label = match words.split_whitespace().take(WORDS).collect::<Vec<_>>().join(" ") {
            label if label.chars().any(char::is_alphanumeric) => label,
            _ => of_document(),
        };
        let name = naming::proposed(self.graph, &self.like, &label).map_err(|error| error.message().to_owned())?;
        name.ok_or_else(|| "no name can be made for a citation: name one that the graph has".to_owned())
    }
}

/// At most this many of these things, taken at even distances: neighbours in the order of IRIs are often of one kind.
fn spread(things: &[NamedNode], most: usize) -> Vec<NamedNode> {
    things.iter().step_by(things.len().div_ceil(most).max(1)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_citations_some_of_each_kind_are_looked_at() {
        let named = |kind: &str, n: usize| NamedNode::new_unchecked(format!("http://e/{kind}/{n}"));
        let few = (0..MOST_LIKE).map(|n| named("a", n));
        let all: Vec<NamedNode> = few.chain((0..9 * MOST_LIKE).map(|n| named("b", n))).collect();
        let some = spread(&all, MOST_LIKE);
        let of_few = some.iter().filter(|thing| thing.as_str().starts_with("http://e/a/")).count();
        assert_eq!((some.len(), of_few), (MOST_LIKE, MOST_LIKE / 10));
        assert_eq!(spread(&all[..MOST_LIKE], MOST_LIKE), all[..MOST_LIKE]);
        assert!(spread(&[], MOST_LIKE).is_empty());
    }
}
