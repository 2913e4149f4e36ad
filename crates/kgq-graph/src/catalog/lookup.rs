//! The things that a user means by a word. Labels are read as they are stored and none is kept, because those of a large graph take more
//! memory than an answer.

use super::ParameterContext;
use super::index::{naming, naming_by_things, objects_backward, pairs, pairs_by_object, values};
use super::labels::{LITERAL_FORM, local_name};
use kgq_snapshot::{Snapshot, TermId, TermKind};
use kgq_syntax::budget::{Reservation, Steps};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{NamedNode, Prefixes, Term};
use kgq_syntax::text::{Least, Nearest};

/// The number of names suggested for a word that names nothing.
const NEAR: usize = 3;

/// What a word typed by the user refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    One(NamedNode),
    /// Several things have this label, in the order of their IRIs.
    Several(Vec<NamedNode>),
    /// Nothing has this label; these are similar or contain the word, as the user would type them.
    Unknown(Vec<String>),
}

/// Finds what the user means by an IRI in brackets, an absolute IRI, a CURIE, a label in any language, or the local name of
/// a thing with a label. `exists` says whether an IRI or a CURIE can be meant.
///
/// # Errors
/// The budget's; damage to the snapshot.
pub(super) fn resolve(word: &str, known: &dyn ParameterContext, exists: impl Fn(&NamedNode) -> bool) -> Result<Named> {
    if let Some(named) = named_by_iri(word.trim(), known.prefixes(), exists) {
        return Ok(named);
    }
    let named = Lookup::of(known).resolve(word.trim())?;
    known.snapshot().intact()?;
    Ok(named)
}

/// What an IRI in brackets, or an absolute IRI or a CURIE of the dataset, means: no label is needed to know it. `None` for any
/// other word.
fn named_by_iri(word: &str, prefixes: &Prefixes, exists: impl Fn(&NamedNode) -> bool) -> Option<Named> {
    if let Some(iri) = word.strip_prefix('<').and_then(|w| w.strip_suffix('>')) {
        return Some(NamedNode::new(iri).map_or(Named::Unknown(Vec::new()), Named::One));
    }
    let node = prefixes.expand(word).filter(&exists).or_else(|| NamedNode::new(word).ok().filter(&exists));
    node.map(Named::One)
}

/// A search over all labels of a snapshot.
struct Lookup<'a> {
    snapshot: &'a Snapshot,
    prefixes: &'a Prefixes,
    steps: Steps,
    /// The properties that name a thing by a label that is itself a thing, and that of the text of such a label.
    by_things: Vec<TermId>,
    form: Option<TermId>,
}

impl<'a> Lookup<'a> {
    fn of(known: &'a dyn ParameterContext) -> Self {
        let snapshot = known.snapshot();
        Self {
            snapshot,
            prefixes: known.prefixes(),
            steps: Steps::new(known.budget()),
            by_things: naming_by_things(snapshot).map(|(property, _)| property).collect(),
            form: snapshot.id(LITERAL_FORM.into()),
        }
    }

    fn resolve(&self, word: &str) -> Result<Named> {
        let folded = fold(word);
        let is_label = |label: &str| match label.is_ascii() && folded.is_ascii() {
            true => label.eq_ignore_ascii_case(&folded),
            false => fold(label) == folded,
        };
        if let Some(named) = named(self.things_with(self.labels(), is_label)?) {
            return Ok(named);
        }
        match named(self.things_with(self.things(), |iri| local_name(iri) == word)?) {
            Some(named) => Ok(named),
            None => self.near(word).map(Named::Unknown),
        }
    }

    /// The labels of IRIs, each with one of the things that have it.
    fn labels(&self) -> impl Iterator<Item = (TermId, TermId)> + '_ {
        let snapshot = self.snapshot;
        let direct = naming(snapshot).flat_map(|(property, _)| pairs_by_object(snapshot, property));
        let forms = self.form.into_iter().flat_map(|form| pairs_by_object(snapshot, form));
        let by_things = forms.flat_map(move |(form, label)| {
            let things = self.by_things.iter().flat_map(move |property| objects_backward(snapshot, *property, label));
            things.map(move |thing| (form, thing))
        });
        direct.chain(by_things).filter(|(label, thing)| self.is_named(*thing, *label))
    }

    /// The IRIs that have a label, each once or more, as pairs of itself with itself.
    fn things(&self) -> impl Iterator<Item = (TermId, TermId)> + '_ {
        let snapshot = self.snapshot;
        let direct = naming(snapshot).flat_map(|(property, _)| pairs(snapshot, property));
        let labelled = self.by_things.iter().flat_map(|property| pairs(snapshot, *property));
        let by_things = labelled.flat_map(move |(thing, label)| {
            let forms = self.form.map_or_else(Vec::new, |form| values(snapshot, label, form));
            forms.into_iter().map(move |form| (thing, form))
        });
        direct.chain(by_things).filter(|(thing, label)| self.is_named(*thing, *label)).map(|(thing, _)| (thing, thing))
    }

    fn is_named(&self, thing: TermId, label: TermId) -> bool {
        self.snapshot.kind(thing) == TermKind::Iri && self.snapshot.kind(label) == TermKind::Literal
    }

    /// Visits the text of each term with the things beside it. Equal terms next to each other are visited once.
    fn each(
        &self,
        terms: impl Iterator<Item = (TermId, TermId)>,
        mut visit: impl FnMut(&str, &[TermId]) -> Result<()>,
    ) -> Result<()> {
        let mut decoder = self.snapshot.decoder();
        let (mut things, mut held) = (Vec::new(), Reservation::default());
        let mut terms = terms.peekable();
        while let Some((term, thing)) = terms.next() {
            self.steps.take()?;
            things.clear();
            things.push(thing);
            while let Some((_, thing)) = terms.next_if(|(next, _)| *next == term) {
                self.steps.take()?;
                things.push(thing);
            }
            held.resize(self.steps.budget(), size_of_val(&things[..]) as u64)?;
            if let Some(text) = decoder.text(term) {
                visit(&String::from_utf8_lossy(text), &things)?;
            }
        }
        Ok(())
    }

    /// The things beside terms with a wanted text, in the order of their IRIs.
    fn things_with(
        &self,
        terms: impl Iterator<Item = (TermId, TermId)>,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<NamedNode>> {
        let (mut found, mut held) = (Vec::new(), Reservation::default());
        self.each(terms, |text, things| {
            if is_wanted(text) {
                found.extend_from_slice(things);
                held.resize(self.steps.budget(), size_of_val(&found[..]) as u64)?;
            }
            Ok(())
        })?;
        // IRIs are numbered in their order.
        found.sort_unstable();
        found.dedup();
        Ok(found.into_iter().filter_map(|thing| self.iri(thing)).collect())
    }

    fn iri(&self, thing: TermId) -> Option<NamedNode> {
        match self.snapshot.term(thing) {
            Term::NamedNode(node) => Some(node),
            Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => None,
        }
    }

    /// Names that may have been meant by a word that names nothing.
    fn near(&self, word: &str) -> Result<Vec<String>> {
        // Identifiers are written with other marks than their IRIs have: `RO:0002202` for `obo:RO_0002202`.
        let letters = letters(word);
        let is_it = |iri: &str| !letters.is_empty() && self::letters(local_name(iri)) == letters;
        let same = self.things_with(self.things(), is_it)?;
        if !same.is_empty() {
            let mut same: Vec<String> = same.iter().map(|thing| self.prefixes.display(thing.as_str())).collect();
            same.sort_unstable();
            same.truncate(NEAR);
            return Ok(same);
        }
        let mut names = NearNames::new(word);
        self.each(self.labels(), |label, _| {
            names.add(label);
            Ok(())
        })?;
        self.each(self.things(), |iri, _| {
            if let Some(curie) = self.prefixes.shorten(iri) {
                names.add(&curie);
            }
            Ok(())
        })?;
        Ok(names.into_names())
    }
}

/// The names that are similar to a word, and those that contain it.
struct NearNames<'w> {
    similar: Nearest<'w>,
    part: String,
    /// The shortest ones.
    containing: Least,
}

impl<'w> NearNames<'w> {
    fn new(word: &'w str) -> Self {
        Self { similar: Nearest::new(word, NEAR), part: fold(word), containing: Least::new(NEAR) }
    }

    fn add(&mut self, name: &str) {
        self.similar.add(name);
        if !self.part.is_empty() && fold(name).contains(&self.part) {
            self.containing.add(name.chars().count(), name);
        }
    }

    fn into_names(self) -> Vec<String> {
        let similar = self.similar.into_names();
        // A user who knows only a part of a name has misspelt nothing.
        if similar.is_empty() { self.containing.into_names() } else { similar }
    }
}

fn named(mut things: Vec<NamedNode>) -> Option<Named> {
    match things.len() {
        0 => None,
        1 => things.pop().map(Named::One),
        _ => Some(Named::Several(things)),
    }
}

fn fold(text: &str) -> String {
    text.to_lowercase()
}

/// A name without its marks and case.
fn letters(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::super::labels::NAMING;
    use super::*;
    use kgq_syntax::budget::{Budget, Limits};
    use kgq_syntax::rdf::vocabulary::rdfs;
    use kgq_syntax::rdf::{GraphName, Literal, Quad};

    struct Known {
        snapshot: Snapshot,
        prefixes: Prefixes,
        budget: Budget,
    }

    impl ParameterContext for Known {
        fn prefixes(&self) -> &Prefixes {
            &self.prefixes
        }

        fn snapshot(&self) -> &Snapshot {
            &self.snapshot
        }

        fn budget(&self) -> &Budget {
            &self.budget
        }

        fn contains(&self, term: &NamedNode) -> bool {
            self.snapshot.id(term.into()).is_some()
        }

        fn members(&self, _: &NamedNode) -> Vec<NamedNode> {
            Vec::new()
        }
    }

    impl Known {
        fn of(quads: Vec<Quad>, limits: Limits) -> Self {
            let mut prefixes = Prefixes::default();
            prefixes.insert("e", "http://e/");
            Self { snapshot: Snapshot::from_quads(quads).unwrap(), prefixes, budget: Budget::new(limits) }
        }

        /// What a word means: things by their local names, or names that may have been meant.
        fn meant(&self, word: &str) -> (&'static str, Vec<String>) {
            let local = |thing: &NamedNode| local_name(thing.as_str()).to_owned();
            match resolve(word, self, |node| self.contains(node)).unwrap() {
                Named::One(thing) => ("one", vec![local(&thing)]),
                Named::Several(things) => ("several", things.iter().map(local).collect()),
                Named::Unknown(names) => ("near", names),
            }
        }
    }

    fn node(name: &str) -> NamedNode {
        NamedNode::new_unchecked(format!("http://e/{name}"))
    }

    /// Things with labels of several properties and languages, in several graphs; some labels are those of two things.
    fn quads() -> Vec<Quad> {
        let xl = |name: &str| NamedNode::new_unchecked(format!("http://www.w3.org/2008/05/skos-xl#{name}"));
        let names = ["Ministry of Finance", "Finance", "ministry", "ÄRZTE", "Straße", "工信部", "MoF"];
        let graph = |n: usize| if n.is_multiple_of(2) { GraphName::DefaultGraph } else { node("graph").into() };
        let mut quads = Vec::new();
        for (n, name) in names.into_iter().enumerate() {
            let label = Literal::new_language_tagged_literal_unchecked(name, ["en", "de"][n % 2]);
            quads.push(Quad::new(node(&format!("RO_000{n}")), NAMING[n].0, label.clone(), graph(n)));
            if n.is_multiple_of(3) {
                quads.push(Quad::new(node(&format!("other{n}")), NAMING[0].0, label, graph(n + 1)));
            }
        }
        quads.push(Quad::new(node("Xl"), xl("prefLabel"), node("label"), GraphName::DefaultGraph));
        let text = Literal::from("Office of Trade");
        quads.push(Quad::new(node("label"), xl("literalForm"), text, GraphName::DefaultGraph));
        quads.push(Quad::new(node("unnamed"), node("p"), Literal::from("Treasury"), GraphName::DefaultGraph));
        quads
    }

    #[test]
    fn words_mean_things_by_label_or_local_name_and_others_get_similar_names() {
        let known = Known::of(quads(), Limits::default());
        let cases: &[(&str, &str, &[&str])] = &[
            ("finance", "one", &["RO_0001"]),
            (" MINISTRY OF FINANCE ", "several", &["RO_0000", "other0"]),
            ("ärzte", "several", &["RO_0003", "other3"]),
            ("straße", "one", &["RO_0004"]),
            ("strasse", "near", &["Straße"]),
            ("工信部", "one", &["RO_0005"]),
            ("工信", "near", &["工信部"]),
            ("office of trade", "one", &["Xl"]),
            ("label", "near", &[]),
            ("RO_0002", "one", &["RO_0002"]),
            ("other3", "one", &["other3"]),
            ("oTher3", "near", &["e:other3"]),
            ("ro:0001", "near", &["e:RO_0001"]),
            ("e:RO_0001", "one", &["RO_0001"]),
            ("http://e/unnamed", "one", &["unnamed"]),
            ("<http://e/none>", "one", &["none"]),
            ("unnamed", "near", &[]),
            ("treasury", "near", &[]),
            ("Financ", "near", &["Finance"]),
            ("nist", "near", &["ministry", "Ministry of Finance"]),
            ("", "near", &[]),
        ];
        for (word, how, names) in cases {
            assert_eq!(known.meant(word), (*how, names.iter().map(|name| (*name).to_owned()).collect()), "{word}");
        }
    }

    #[test]
    fn a_search_keeps_no_labels_and_stops_with_its_budget() {
        let named = |n: usize| {
            let label = Literal::from(format!("number {}", n.min(4_000)));
            Quad::new(node(&n.to_string()), rdfs::LABEL.into_owned(), label, GraphName::DefaultGraph)
        };
        let known =
            |memory| Known::of((0..5_000).map(named).collect(), Limits { memory: Some(memory), ..Limits::default() });
        let enough = known(10_000);
        assert_eq!(enough.meant("NUMBER 7"), ("one", vec!["7".to_owned()]));
        assert_eq!(enough.meant("numbre 3999").1[0], "number 3999");
        // A thousand things have one label; their ids are held while it is looked at.
        assert_eq!(enough.budget.peak(), 4 * 1_000);
        assert_eq!(enough.meant("number 4000").1.len(), 1_000);
        let small = known(3_000);
        let of_many = |known: &Known| resolve("number 4000", known, |_| false);
        assert!(of_many(&small).unwrap_err().limit_passed().is_some());
        enough.budget.cancel();
        assert!(of_many(&enough).is_err());
    }
}
