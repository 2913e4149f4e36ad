//! Decides what happens to each fact of a file when statements are removed: it stays, goes, loses something nested, or is written
//! anew because the rest of it cannot stay in its place.

use crate::files::{File, Kept};
use crate::tree::{Fact, Site, SiteForm, Statement};
use kgq_syntax::rdf::blank::nodes_of;
use kgq_syntax::rdf::{BlankNode, GraphName, NamedOrBlankNode, Quad};
use rustc_hash::{FxHashMap, FxHashSet};

/// What happens to a fact, or to a whole statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Stays,
    /// Something within its brackets or annotations goes.
    Loses,
    Goes,
    /// It is removed, and its remaining quads are written anew elsewhere.
    Anew,
}

impl Fate {
    pub fn is_gone(self) -> bool {
        matches!(self, Self::Goes | Self::Anew)
    }
}

/// The number of a statement, and for a single fact of it also the numbers of predicate and object.
type Unit = (usize, Option<(usize, usize)>);

pub struct Fates<'a> {
    kept: &'a Kept,
    removed: &'a FxHashSet<Quad>,
    /// Fates of whole statements; `Stays` also if only some of its facts change.
    pub statements: Vec<Fate>,
    /// Fates of the facts, by statement, predicate and object.
    pub facts: Vec<Vec<Vec<Fate>>>,
    /// Quads to be written anew, each with the statement that held it.
    pub owed: Vec<(Quad, usize)>,
}

impl<'a> Fates<'a> {
    /// `added` are the quads that come into this file.
    pub fn of(file: &File, kept: &'a Kept, removed: &'a FxHashSet<Quad>, added: &[&Quad]) -> Self {
        let mut fates = Self { kept, removed, statements: Vec::new(), facts: Vec::new(), owed: Vec::new() };
        for statement in &kept.tree.statements {
            let (whole, facts) = fates.statement(statement);
            fates.statements.push(whole);
            fates.facts.push(facts);
        }
        for (number, statement) in kept.tree.statements.iter().enumerate() {
            if fates.statements[number] == Fate::Anew {
                fates.owe(number, statement.quads());
                continue;
            }
            for (p, predicate) in statement.site.predicates.iter().enumerate() {
                for (o, fact) in predicate.facts.iter().enumerate() {
                    if fates.facts[number][p][o] == Fate::Anew {
                        fates.owe(number, fact.quads());
                    }
                }
            }
        }
        fates.name_what_is_named(file, added);
        fates
    }

    fn gone(&self, quad: &Quad) -> bool {
        self.removed.contains(quad)
    }

    fn owe<'q>(&mut self, statement: usize, quads: impl Iterator<Item = &'q Quad>) {
        let left: Vec<_> =
            quads.filter(|quad| !self.removed.contains(quad)).map(|quad| (quad.clone(), statement)).collect();
        self.owed.extend(left);
    }

    fn statement(&self, statement: &Statement) -> (Fate, Vec<Vec<Fate>>) {
        let facts: Vec<Vec<Fate>> =
            statement.site.predicates.iter().map(|p| p.facts.iter().map(|fact| self.fact(fact)).collect()).collect();
        let gone = statement.inside.iter().filter(|quad| self.gone(quad)).count();
        let nothing_stays = facts.iter().flatten().all(|fate| fate.is_gone());
        let fate = match () {
            () if gone == statement.inside.len() && nothing_stays => Fate::Goes,
            () if gone == 0 && (statement.brackets.is_some() || statement.inside.is_empty()) => Fate::Stays,
            // Without facts of its own, a list as subject cannot stand alone.
            () if gone == 0 && !facts.iter().flatten().all(|fate| fate.is_gone()) => Fate::Stays,
            () if statement.brackets.as_ref().and_then(|site| self.gone_softly(site)) == Some(gone) => Fate::Loses,
            () => Fate::Anew,
        };
        (fate, facts)
    }

    pub fn fact(&self, fact: &Fact) -> Fate {
        let gone = fact.quads().filter(|quad| self.gone(quad)).count();
        match () {
            () if gone == 0 => Fate::Stays,
            () if gone == fact.quads().count() => Fate::Goes,
            () if self.is_soft(fact, gone) => Fate::Loses,
            () => Fate::Anew,
        }
    }

    /// Whether everything that goes can be cut out of the fact's brackets and annotations.
    fn is_soft(&self, fact: &Fact, gone: usize) -> bool {
        let softly = fact.sites.iter().map(|site| self.gone_softly(site)).sum::<Option<usize>>();
        !self.gone(&fact.quad) && softly == Some(gone)
    }

    /// How many quads are removed from a site; `None` if a part of it must be written anew.
    fn gone_softly(&self, site: &Site) -> Option<usize> {
        let of = |fact: &Fact| match self.fact(fact) {
            Fate::Stays => Some(0),
            Fate::Goes => Some(fact.quads().count()),
            Fate::Loses => Some(fact.quads().filter(|quad| self.gone(quad)).count()),
            Fate::Anew => None,
        };
        site.facts().map(of).sum()
    }

    /// Added quads may name a node that has no label. The fact that holds the node is then written anew, so that the node gets
    /// one.
    fn name_what_is_named(&mut self, file: &File, added: &[&Quad]) {
        let units = self.units(file);
        let mut asked: Vec<Quad> = added.iter().map(|quad| (*quad).clone()).collect();
        asked.extend(self.owed.iter().map(|(quad, _)| quad.clone()));
        while let Some(quad) = asked.pop() {
            for node in nodes_of(&quad) {
                let Some(unit) = units.get(&node).copied().filter(|unit| !self.is_gone(*unit)) else { continue };
                let only_subject = matches!(&quad.subject, NamedOrBlankNode::BlankNode(own) if *own == node)
                    && !crate::tree::is_about_node(&quad.object, &node)
                    && !matches!(&quad.graph_name, GraphName::BlankNode(own) if *own == node);
                if only_subject && self.has_site(unit, &quad.subject) {
                    continue;
                }
                let before = self.owed.len();
                self.say_anew(unit);
                asked.extend(self.owed[before..].iter().map(|(quad, _)| quad.clone()));
            }
        }
    }

    fn units(&self, file: &File) -> FxHashMap<BlankNode, Unit> {
        let mut units: FxHashMap<BlankNode, Unit> = FxHashMap::default();
        let unnamed = |node: &BlankNode| file.owns(node) && file.written_label(node).is_none();
        for (number, statement) in self.kept.tree.statements.iter().enumerate() {
            let mut of_subject: Vec<BlankNode> = statement.inside.iter().flat_map(nodes_of).collect();
            if let NamedOrBlankNode::BlankNode(node) = &statement.site.subject {
                of_subject.push(node.clone());
            }
            units.extend(of_subject.into_iter().filter(unnamed).map(|node| (node, (number, None))));
            for (p, predicate) in statement.site.predicates.iter().enumerate() {
                for (o, fact) in predicate.facts.iter().enumerate() {
                    let nodes = fact.quads().flat_map(nodes_of).filter(unnamed);
                    for node in nodes {
                        units.entry(node).or_insert((number, Some((p, o))));
                    }
                }
            }
        }
        units
    }

    fn is_gone(&self, (statement, fact): Unit) -> bool {
        self.statements[statement].is_gone() || fact.is_some_and(|(p, o)| self.facts[statement][p][o].is_gone())
    }

    /// Whether facts about the node can be added at its place in the text.
    fn has_site(&self, (statement, fact): Unit, node: &NamedOrBlankNode) -> bool {
        let statement = &self.kept.tree.statements[statement];
        match fact {
            None => statement.site.subject == *node,
            Some((p, o)) => {
                self.sites_within(&statement.site.predicates[p].facts[o]).iter().any(|site| site.subject == *node)
            }
        }
    }

    /// The sites within a fact that stay.
    pub fn sites_within<'f>(&self, fact: &'f Fact) -> Vec<&'f Site> {
        let mut found = Vec::new();
        for site in &fact.sites {
            found.push(site);
            let staying = site.facts().filter(|fact| !self.fact(fact).is_gone());
            found.extend(staying.flat_map(|fact| self.sites_within(fact)));
        }
        found
    }

    fn say_anew(&mut self, (number, fact): Unit) {
        let statement = &self.kept.tree.statements[number];
        match fact {
            Some((p, o)) => {
                self.facts[number][p][o] = Fate::Anew;
                self.owe(number, statement.site.predicates[p].facts[o].quads());
                if statement.is_plain && self.facts[number].iter().flatten().all(|fate| fate.is_gone()) {
                    self.statements[number] = Fate::Goes;
                }
            }
            None => {
                // Facts that were to be written anew are owed already.
                let owed: FxHashSet<Quad> = self.owed.iter().map(|(quad, _)| quad.clone()).collect();
                self.statements[number] = Fate::Anew;
                self.owe(number, statement.quads().filter(|quad| !owed.contains(quad)));
            }
        }
    }

    /// The sites where facts about a subject can be added, each with the number of its statement.
    pub fn sites(&self) -> FxHashMap<(NamedOrBlankNode, GraphName), Vec<(usize, &'a Site)>> {
        let mut sites: FxHashMap<_, Vec<(usize, &Site)>> = FxHashMap::default();
        let kept = self.kept;
        for (number, statement) in kept.tree.statements.iter().enumerate() {
            if self.statements[number] == Fate::Anew {
                continue;
            }
            let key = (statement.site.subject.clone(), statement.site.graph.clone());
            // A blank subject whose facts are all gone would be another node when written again.
            if statement.is_plain || !self.statements[number].is_gone() {
                sites.entry(key).or_default().push((number, &statement.site));
            }
            for (p, predicate) in statement.site.predicates.iter().enumerate() {
                for (o, fact) in predicate.facts.iter().enumerate() {
                    if !self.facts[number][p][o].is_gone() && self.statements[number] != Fate::Goes {
                        for site in self.sites_within(fact) {
                            let key = (site.subject.clone(), site.graph.clone());
                            sites.entry(key).or_default().push((number, site));
                        }
                    }
                }
            }
        }
        sites
    }
}

/// Ranks the sites of a subject for a new fact: first one with the same predicate, then a statement of its own, then the largest.
pub fn fitness(site: &Site, quad: &Quad) -> (bool, bool, usize) {
    let same = site.facts().any(|fact| fact.quad.predicate == quad.predicate);
    (same, site.form == SiteForm::Statement, site.facts().count())
}
