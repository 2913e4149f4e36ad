//! Chooses the file of a new statement: where its subject stands, else where members of its class stand, else the file that
//! kgq.toml names. Statements that share a blank node stay together.

use crate::fates::fitness;
use crate::files::{File, Files};
use crate::text::{Addition, before};
use crate::tree::{Fact, Site};
use kgq_graph::project::{MANIFEST, Project};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::blank::nodes_of;
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{BlankNode, GraphName, NamedOrBlankNode, Quad, Term};
use rustc_hash::{FxHashMap, FxHashSet};

type Key = (NamedOrBlankNode, GraphName);

/// The number of a file, and the statement after which a new subject is written there (`None`: at the end).
type Place = (usize, Option<usize>);

/// Indexes over the files by which statements are placed.
pub struct Places<'a> {
    files: &'a Files,
    project: &'a Project,
    removed: &'a FxHashSet<Quad>,
    added: &'a [Quad],
    /// Where facts about a subject stand: file number, statement number, site.
    sites: FxHashMap<Key, Vec<(usize, usize, &'a Site)>>,
    /// The same for files that are not edited line by line: the file number alone.
    elsewhere: FxHashMap<Key, usize>,
    types: FxHashMap<&'a NamedOrBlankNode, Vec<&'a Term>>,
    members: FxHashMap<(&'a Term, &'a GraphName), Vec<(usize, usize)>>,
    decided: FxHashMap<Key, Place>,
    /// The number of the file that kgq.toml names, set when it is first needed.
    default: Option<usize>,
    beside: &'a [(NamedOrBlankNode, NamedOrBlankNode)],
}

impl<'a> Places<'a> {
    pub fn of(files: &'a Files, project: &'a Project, removed: &'a FxHashSet<Quad>, added: &'a [Quad]) -> Self {
        let mut places = Self {
            files,
            project,
            removed,
            added,
            sites: FxHashMap::default(),
            elsewhere: FxHashMap::default(),
            types: FxHashMap::default(),
            members: FxHashMap::default(),
            decided: FxHashMap::default(),
            default: None,
            beside: &[],
        };
        for (number, file) in files.all.iter().enumerate() {
            match &file.kept {
                Some(kept) => {
                    for (at, statement) in kept.tree.statements.iter().enumerate() {
                        places.site(number, at, &statement.site);
                    }
                }
                None => {
                    for quad in file.quads() {
                        places.elsewhere.entry((quad.subject.clone(), quad.graph_name.clone())).or_insert(number);
                    }
                }
            }
        }
        for quad in files.all.iter().flat_map(File::quads).chain(added) {
            if quad.predicate.as_ref() == rdf::TYPE {
                places.types.entry(&quad.subject).or_default().push(&quad.object);
            }
        }
        places
    }

    /// Sets which subjects are written beside which others, if they have no place of their own.
    #[must_use]
    pub fn beside(mut self, beside: &'a [(NamedOrBlankNode, NamedOrBlankNode)]) -> Self {
        self.beside = beside;
        self
    }

    fn site(&mut self, file: usize, statement: usize, site: &'a Site) {
        self.sites.entry((site.subject.clone(), site.graph.clone())).or_default().push((file, statement, site));
        for fact in site.facts() {
            if fact.quad.predicate.as_ref() == rdf::TYPE && site.form == crate::tree::SiteForm::Statement {
                self.members.entry((&fact.quad.object, &fact.quad.graph_name)).or_default().push((file, statement));
            }
            self.within(file, statement, fact);
        }
    }

    fn within(&mut self, file: usize, statement: usize, fact: &'a Fact) {
        for site in &fact.sites {
            self.site(file, statement, site);
        }
    }

    /// Assigns every added quad to a file; the result keeps the order of the quads.
    ///
    /// # Errors
    /// No file can take one of the statements.
    pub fn assign(mut self) -> Result<Vec<(usize, Addition)>> {
        let groups = self.groups();
        let mut by_group: FxHashMap<usize, Place> = FxHashMap::default();
        let mut assigned = Vec::with_capacity(self.added.len());
        // Reified statements are placed first, then their reifiers, then the facts about the reifiers: each stands beside the one before.
        let reifiers: FxHashSet<&NamedOrBlankNode> = self
            .added
            .iter()
            .filter(|quad| quad.predicate.as_ref() == rdf::REIFIES)
            .map(|quad| &quad.subject)
            .collect();
        let mut order: Vec<usize> = (0..self.added.len()).collect();
        order.sort_by_key(|at| {
            let quad = &self.added[*at];
            (reifiers.contains(&quad.subject), quad.predicate.as_ref() != rdf::REIFIES)
        });
        for at in order {
            let quad = &self.added[at];
            let place = match groups.get(&at) {
                Some(group) => match by_group.get(group) {
                    Some(place) => *place,
                    None => {
                        let place = self.place_of_group(*group, &groups)?;
                        by_group.insert(*group, place);
                        place
                    }
                },
                None => self.place(quad)?,
            };
            self.decided.entry((quad.subject.clone(), quad.graph_name.clone())).or_insert(place);
            assigned.push((at, place));
        }
        assigned.sort_by_key(|(at, _)| *at);
        let addition = |(at, (file, after)): (usize, Place)| (file, Addition { quad: self.added[at].clone(), after });
        Ok(assigned.into_iter().map(addition).collect())
    }

    fn owner(&self, node: &BlankNode) -> Option<usize> {
        self.files.all.iter().position(|file| file.owns(node))
    }

    /// Groups the statements that share a blank node. The key is the position of a statement, the value that of the first
    /// statement in its group.
    fn groups(&self) -> FxHashMap<usize, usize> {
        let mut leader: FxHashMap<BlankNode, usize> = FxHashMap::default();
        let mut above: Vec<usize> = (0..self.added.len()).collect();
        fn top(above: &[usize], mut at: usize) -> usize {
            while above[at] != at {
                at = above[at];
            }
            at
        }
        let mut grouped = Vec::new();
        for (at, quad) in self.added.iter().enumerate() {
            for node in nodes_of(quad) {
                grouped.push(at);
                let first = *leader.entry(node).or_insert(at);
                let (a, b) = (top(&above, first), top(&above, at));
                above[a.max(b)] = a.min(b);
            }
        }
        grouped.into_iter().map(|at| (at, top(&above, at))).collect()
    }

    fn place_of_group(&mut self, group: usize, groups: &FxHashMap<usize, usize>) -> Result<Place> {
        let added = self.added;
        let mut members: Vec<&Quad> =
            added.iter().enumerate().filter(|(at, _)| groups.get(at) == Some(&group)).map(|(_, quad)| quad).collect();
        let owners: FxHashSet<usize> =
            members.iter().flat_map(|quad| nodes_of(quad)).filter_map(|node| self.owner(&node)).collect();
        if owners.len() > 1 {
            let mut names: Vec<&str> = owners.iter().map(|owner| self.files.all[*owner].name.as_str()).collect();
            names.sort_unstable();
            return Err(Error::input(format!("a new statement would join blank nodes of {}", names.join(" and ")))
                .hint("a blank node cannot be named outside of its file: give it an IRI first"));
        }
        members.sort_by_key(|quad| (quad.subject.is_blank_node(), quad.predicate.as_ref() == rdf::REIFIES));
        let holds_all = |file: &File| members.iter().all(|quad| file.can_hold(&quad.graph_name));
        if let Some(owner) = owners.into_iter().next() {
            let file = &self.files.all[owner];
            if !holds_all(file) {
                return Err(parted(file, &members));
            }
            let near = members.iter().find_map(|quad| {
                let sites = self.sites.get(&(quad.subject.clone(), quad.graph_name.clone()))?;
                sites.iter().find(|(file, ..)| *file == owner).map(|(_, statement, _)| *statement)
            });
            return Ok((owner, near));
        }
        // A blank reifier stands at its statement, together with all facts about it.
        if let Some(place) = members.iter().find_map(|quad| self.at_its_statement(quad)) {
            return Ok(place);
        }
        let Some(root) = members.first() else { return Err(Error::bug("a group without statements")) };
        let place = self.place(root)?;
        let file = &self.files.all[place.0];
        if holds_all(file) {
            return Ok(place);
        }
        // Of the files that can hold all these graphs, take the one that has most of them already.
        let has = |file: &File| members.iter().filter(|quad| file.has_graph(&quad.graph_name)).count();
        let others = self.files.all.iter().filter(|file| file.is_kept_by_line() && holds_all(file));
        let other = others.max_by_key(|file| (has(file), std::cmp::Reverse(file.number)));
        other.map(|file| (file.number, None)).ok_or_else(|| parted(file, &members))
    }

    fn place(&mut self, quad: &Quad) -> Result<Place> {
        let key = (quad.subject.clone(), quad.graph_name.clone());
        if let Some(sites) = self.sites.get(&key) {
            let best = sites.iter().rev().max_by_key(|(_, _, site)| fitness(site, quad));
            if let Some((file, statement, _)) = best {
                return Ok((*file, Some(*statement)));
            }
        }
        if let Some(place) = self.decided.get(&key) {
            return Ok(*place);
        }
        if let Some(file) = self.elsewhere.get(&key) {
            return Ok((*file, None));
        }
        if let Some(place) = self.at_its_statement(quad) {
            return Ok(place);
        }
        let beside = self.beside.iter().filter(|(own, _)| *own == key.0);
        let mut sites = beside.filter_map(|(_, other)| self.sites.get(&(other.clone(), key.1.clone()))?.first());
        if let Some((file, statement, _)) = sites.next() {
            return Ok((*file, Some(*statement)));
        }
        if let Some(place) = self.among_its_class(&key) {
            return Ok(place);
        }
        self.default(quad)
    }

    /// For the `rdf:reifies` statement of a reifier: where the reified statement stands.
    fn at_its_statement(&self, quad: &Quad) -> Option<Place> {
        let Term::Triple(triple) = &quad.object else { return None };
        if quad.predicate.as_ref() != rdf::REIFIES {
            return None;
        }
        let host =
            Quad::new(triple.subject.clone(), triple.predicate.clone(), triple.object.clone(), quad.graph_name.clone());
        let key = (host.subject.clone(), host.graph_name.clone());
        if self.added.contains(&host) {
            return self.decided.get(&key).copied();
        }
        if self.removed.contains(&host) {
            return None;
        }
        let sites = self.sites.get(&key)?;
        let site = sites.iter().find(|(_, _, site)| site.facts().any(|fact| fact.quad == host))?;
        Some((site.0, Some(site.1)))
    }

    /// The file with most members of the subject's class, after the member that precedes the subject by name.
    fn among_its_class(&self, (subject, graph): &Key) -> Option<Place> {
        let types = self.types.get(subject)?;
        types.iter().find_map(|class| {
            let members = self.members.get(&(*class, graph))?;
            let mut by_file: FxHashMap<usize, Vec<usize>> = FxHashMap::default();
            for (file, statement) in members {
                by_file.entry(*file).or_default().push(*statement);
            }
            let (file, statements) =
                by_file.into_iter().max_by_key(|(file, statements)| (statements.len(), std::cmp::Reverse(*file)))?;
            let kept = self.files.all[file].kept.as_ref()?;
            let name = |at: &usize| &kept.tree.statements[*at].site.subject;
            let lesser = statements
                .iter()
                .filter(|at| before(name(at), subject).is_lt())
                .max_by(|a, b| before(name(a), name(b)));
            let least = statements.iter().min_by(|a, b| before(name(a), name(b)));
            Some((file, lesser.or(least).copied()))
        })
    }

    /// The file that kgq.toml names; for a named graph that it cannot hold, another file that can.
    fn default(&mut self, quad: &Quad) -> Result<Place> {
        let graph = &quad.graph_name;
        let named = self.project.manifest.edit.file.as_deref();
        let own = named.and_then(|name| self.files.all.iter().position(|file| file.name == name));
        self.default = self.default.or(own);
        let fits = |number: &usize| self.files.all[*number].can_hold(graph);
        if let Some(number) = self.default.filter(fits) {
            return Ok((number, None));
        }
        let candidates = self.files.all.iter().filter(|file| file.kept.is_some() && file.can_hold(graph));
        if *graph != GraphName::DefaultGraph {
            let most = candidates.max_by_key(|file| (file.has_graph(graph), std::cmp::Reverse(file.number)));
            return most.map(|file| (file.number, None)).ok_or_else(|| no_room(graph));
        }
        let error =
            Error::input(format!("no file is named for {}, which is new and has no class with members", quad.subject))
                .hint(format!("name it in {MANIFEST}: `[edit]` and, below it, `file = \"data/new.ttl\"`"));
        // Without an `[edit]` table in kgq.toml there is no place to point at.
        Err(match self.project.named_in_manifest("[edit]") {
            Some(place) => error.at(place),
            None => error,
        })
    }
}

/// The error for statements that share a blank node where the file cannot hold all their graphs.
fn parted(file: &File, members: &[&Quad]) -> Error {
    let graph = members.iter().map(|quad| &quad.graph_name).find(|graph| !file.can_hold(graph));
    let graph = graph.unwrap_or(&GraphName::DefaultGraph);
    Error::input(format!(
        "a blank node of {} would stand in the graph {graph} too, which that file cannot hold",
        file.name
    ))
    .hint(
        "a blank node cannot be named outside of its file: give it an IRI first, or keep both graphs in one TriG file",
    )
}

fn no_room(graph: &GraphName) -> Error {
    Error::input(format!("no file can hold the named graph {graph}")).hint(format!(
        "name a TriG file in {MANIFEST}: `[edit]` and, below it, `file = \"data/new.trig\"`; or a file for this graph below `[graphs]`"
    ))
}
