//! What a dataset says about the sources of some statements: enough for an audit of only these to find the same.

use super::sources::{Audit, PUBLISHERS};
use kgq_syntax::rdf::vocabulary::{oa, prov, rdf, rdfs};
use kgq_syntax::rdf::{NamedNodeRef, Quad, Term, Triple};
use rustc_hash::FxHashSet;

impl Audit<'_> {
    /// Returns the quads that say what these triples rest on: their reifiers, the grounds of these, the citations with
    /// their selectors, and the documents with the names of their publishers.
    pub(crate) fn provenance<'t>(&self, triples: impl IntoIterator<Item = &'t Triple>) -> Vec<Quad> {
        let mut walk = Walk { audit: self, open: Vec::new(), seen: FxHashSet::default(), found: Vec::new() };
        for triple in triples {
            walk.triple(triple);
        }
        while let Some(node) = walk.open.pop() {
            walk.node(&node);
        }
        walk.found
    }
}

struct Walk<'w> {
    audit: &'w Audit<'w>,
    open: Vec<Term>,
    seen: FxHashSet<Term>,
    found: Vec<Quad>,
}

impl Walk<'_> {
    fn triple(&mut self, triple: &Triple) {
        if triple.predicate.as_ref() == rdf::REIFIES {
            self.reach(triple.subject.clone().into());
        }
        for reifier in self.audit.reifiers(triple) {
            self.reach(reifier.into());
        }
    }

    fn reach(&mut self, node: Term) {
        if matches!(node, Term::NamedNode(_) | Term::BlankNode(_)) && self.seen.insert(node.clone()) {
            self.open.push(node);
        }
    }

    fn node(&mut self, node: &Term) {
        const LEADING: [NamedNodeRef<'static>; 3] = [prov::WAS_DERIVED_FROM, oa::HAS_SOURCE, oa::HAS_SELECTOR];
        for quad in self.audit.outgoing(node) {
            let predicate = quad.predicate.as_ref();
            if LEADING.contains(&predicate) {
                self.reach(quad.object.clone());
            }
            if PUBLISHERS.contains(&predicate) {
                let names = self.audit.outgoing(&quad.object).into_iter();
                self.found.extend(names.filter(|quad| quad.predicate.as_ref() == rdfs::LABEL));
                // The audit of a document also says whether this is stated or inferred.
                self.triple(&Triple::from(quad.clone()));
            }
            self.found.push(quad);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::audit::Audit;
    use crate::project::CitationSettings;
    use kgq_snapshot::Snapshot;
    use kgq_snapshot::store::{Dataset, Input, ReadOptions};
    use kgq_syntax::budget::Budget;
    use kgq_syntax::rdf::{NamedOrBlankNode, Prefixes, RdfFormat, Triple};

    fn audit(snapshot: &Snapshot) -> Audit<'_> {
        Audit::new(snapshot, &CitationSettings::default(), &Prefixes::default())
    }

    #[test]
    fn an_audit_of_the_provenance_alone_tells_the_same() {
        let text = "@prefix : <http://e/> . @prefix prov: <http://www.w3.org/ns/prov#> . @prefix oa: <http://www.w3.org/ns/oa#> .
            @prefix dc: <http://purl.org/dc/terms/> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
            :a :p :b ~ :given {| prov:wasDerivedFrom :citation |} . :a :q :c ~ :follows {| prov:wasDerivedFrom :given |} .
            :citation oa:hasSource :doc ; oa:hasSelector [ oa:start 1 ; oa:end 3 ] ; oa:exact \"few\" .
            :doc dc:title \"Title\" ; dc:publisher :paper . :paper rdfs:label \"Paper\" ; :since 1990 . :other :p :b .";
        let file = Input::bytes("a.ttl", text.into(), RdfFormat::Turtle);
        let data = Dataset::read(&[file], ReadOptions::default()).unwrap();
        let snapshot = |quads| Snapshot::from_quads_in_order(quads, &Budget::default()).unwrap();
        let all = snapshot(data.quads());
        let whole = audit(&all);
        let inferred = data.quads().iter().find(|quad| quad.predicate.as_str() == "http://e/q").unwrap();
        let triple = Triple::from(inferred.clone());
        let kept = whole.provenance([&triple]);
        assert!(kept.len() < data.quads().len());
        assert!(!kept.iter().any(|quad| quad.predicate.as_str() == "http://e/since"));
        let kept = snapshot(&kept);
        let (alone, name) = (audit(&kept), |audit: &Audit<'_>| {
            audit
                .statement(&NamedOrBlankNode::NamedNode(kgq_syntax::rdf::NamedNode::new("http://e/follows").unwrap()))
                .unwrap()
        });
        let cited = |audit: &Audit<'_>| audit.all_citations(&name(audit));
        assert_eq!(cited(&alone), cited(&whole));
        let citation = whole.citation(&cited(&whole)[0]);
        assert_eq!(alone.citation(&citation.iri), citation);
        let document = citation.document.unwrap();
        assert_eq!(alone.document(&document), whole.document(&document));
        assert_eq!(alone.document(&document).publisher.unwrap(), "Paper");
    }
}
