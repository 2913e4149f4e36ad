//! Removes statements from one file's text and adds others. All else stays as it is.

mod declare;
mod facts;

use crate::fates::{Fates, fitness};
use crate::files::{File, Kept, Style};
use crate::pending::{Pending, SubjectKey};
use crate::splice::{Lines, Splices};
use crate::tree::{Fact, Site, SiteForm, Statement};
use crate::words::Words;
pub use declare::{declaration, may_declare, new_words};
use kgq_graph::format::natural;
use kgq_syntax::TokenKind;
use kgq_syntax::error::Error;
use kgq_syntax::rdf::blank::{nodes_of, renamed};
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{BlankNode, GraphName, NamedOrBlankNode, Prefixes, Quad, Term};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::{BTreeMap, BTreeSet};

/// A statement to add to the file, and the statement after which a new subject is written.
#[derive(Clone, Debug)]
pub struct Addition {
    pub quad: Quad,
    pub after: Option<usize>,
}

/// The new text, with warnings for the user.
pub struct Edited {
    pub text: String,
    pub warnings: Vec<Error>,
}

/// Edits a text. `more` are further prefixes that it may adopt.
pub fn edit(file: &File, kept: &Kept, removed: &FxHashSet<Quad>, additions: &[Addition], more: &Prefixes) -> Edited {
    let added: Vec<&Quad> = additions.iter().map(|addition| &addition.quad).collect();
    let fates = Fates::of(file, kept, removed, &added);
    let mut anchors: FxHashMap<SubjectKey, usize> = FxHashMap::default();
    let mut quads: Vec<Quad> = Vec::new();
    let mut seen = FxHashSet::default();
    let owed = fates.owed.iter().map(|(quad, from)| (quad, Some(*from)));
    for (quad, after) in additions.iter().map(|addition| (&addition.quad, addition.after)).chain(owed) {
        if let Some(after) = after {
            anchors.entry((quad.subject.clone(), quad.graph_name.clone())).or_insert(after);
        }
        if seen.insert(quad) {
            quads.push(quad.clone());
        }
    }
    let may_declare = |prefix: &str, namespace: &str| self::may_declare(kept, prefix, namespace);
    let words = new_words(kept, more, &may_declare);
    let lines = Lines { text: &kept.text, tokens: &kept.document.tokens };
    let mut editor = Editor {
        file,
        kept,
        fates,
        lines,
        words,
        splices: Splices::default(),
        after: BTreeMap::new(),
        anchors,
        filled: BTreeSet::new(),
    };
    let warnings = editor.left_reifiers();
    match kept.style {
        Style::Blocks => editor.blocks(&quads),
        Style::Lines => editor.lines(&quads),
    }
    Edited { text: editor.finish(), warnings }
}

struct Editor<'a, 'w> {
    file: &'a File,
    kept: &'a Kept,
    fates: Fates<'a>,
    lines: Lines<'a>,
    words: Words<'w>,
    splices: Splices,
    /// New blocks by the statement that they follow; `None` for the end of the text.
    after: BTreeMap<Option<usize>, String>,
    anchors: FxHashMap<SubjectKey, usize>,
    /// Numbers of the graph blocks that something was added to.
    filled: BTreeSet<usize>,
}

impl Editor<'_, '_> {
    /// Warns of reifiers that stay although their statement goes.
    fn left_reifiers(&self) -> Vec<Error> {
        let source = kgq_syntax::error::Source::new(&self.file.name, &self.kept.text);
        let mut warnings = Vec::new();
        for (quad, from) in &self.fates.owed {
            let Term::Triple(triple) = &quad.object else { continue };
            if quad.predicate.as_ref() != rdf::REIFIES {
                continue;
            }
            let fact = self.kept.tree.statements[*from].quads().find(|other| {
                other.subject == triple.subject && other.predicate == triple.predicate && other.object == triple.object
            });
            let Some(fact) = fact.filter(|_| !self.fates.owed.iter().any(|(other, _)| is_about(other, triple))) else {
                continue;
            };
            let statement = &self.kept.tree.statements[*from];
            let place = statement
                .site
                .facts()
                .find(|own| own.quads().any(|q| q == fact))
                .map_or(statement.subject.clone(), |own| own.span.clone());
            warnings.push(
                Error::input(format!("{} stays, and is now about a statement that is not made", quad.subject))
                    .at(source.place(place))
                    .hint("remove it too if it is no longer meant")
                    .as_warning(),
            );
        }
        warnings
    }

    fn blocks(&mut self, quads: &[Quad]) {
        let sites = self.fates.sites();
        let mut pending = Pending::of(quads);
        let standing = self.standing();
        pending.host(&|quad| standing.contains_key(quad), &|key| sites.contains_key(key));
        self.name_nodes(quads, &pending, &sites);
        let mut additions: FxHashMap<usize, Vec<String>> = FxHashMap::default();
        for key in &pending.subjects {
            if let Some(own) = sites.get(key) {
                self.facts_at_sites(key, own, &pending, &mut additions);
            } else if !pending.is_elsewhere(key, &self.words) {
                self.new_block(key, &pending);
            }
        }
        let mut hosts: Vec<(usize, bool, &Quad)> = pending
            .hosts()
            .filter_map(|quad| standing.get(quad).map(|(at, takes_block)| (*at, *takes_block, quad)))
            .collect();
        hosts.sort_by_key(|(at, ..)| *at);
        for (at, takes_block, quad) in hosts {
            let text = pending.annotations(quad, &mut self.words, self.lines.depth(at), takes_block);
            self.splices.insert(at, text);
        }
        let kept = self.kept;
        for (number, statement) in kept.tree.statements.iter().enumerate() {
            self.statement(number, statement, &mut additions);
        }
        self.graph_blocks();
        self.declare();
    }

    /// The facts that stay: where each ends, and whether a block added there would belong to a reifier written before it.
    fn standing(&self) -> FxHashMap<Quad, (usize, bool)> {
        let place = |fact: &Fact| (fact.span.end, fact.sites.last().is_some_and(|site| self.takes_block(site)));
        let mut standing = FxHashMap::default();
        for (number, statement) in self.kept.tree.statements.iter().enumerate() {
            if self.fates.statements[number].is_gone() {
                continue;
            }
            for (p, predicate) in statement.site.predicates.iter().enumerate() {
                for (o, fact) in predicate.facts.iter().enumerate() {
                    if self.fates.facts[number][p][o].is_gone() {
                        continue;
                    }
                    standing.insert(fact.quad.clone(), place(fact));
                    for inner in self.fates.sites_within(fact).iter().flat_map(|site| site.facts()) {
                        if !self.fates.fact(inner).is_gone() {
                            standing.insert(inner.quad.clone(), place(inner));
                        }
                    }
                }
            }
        }
        standing
    }

    fn takes_block(&self, site: &Site) -> bool {
        match site.form {
            SiteForm::Statement | SiteForm::Brackets(_) => false,
            SiteForm::Annotation(..) => site.facts().all(|fact| self.fates.fact(fact).is_gone()),
            SiteForm::Reifier(_) => true,
        }
    }

    fn name_nodes(&mut self, quads: &[Quad], pending: &Pending, sites: &FxHashMap<SubjectKey, Vec<(usize, &Site)>>) {
        let tokens = &self.kept.document.tokens;
        let taken: BTreeSet<&str> =
            tokens.iter().filter(|t| t.kind == TokenKind::BlankNode).map(|t| &t.text(&self.kept.text)[2..]).collect();
        let file = self.file;
        for quad in quads {
            for node in nodes_of(quad) {
                if let (true, Some(label)) = (file.owns(&node), file.written_label(&node)) {
                    self.words.labels.insert(node.clone(), label.to_owned());
                }
            }
        }
        let placed: FxHashSet<&NamedOrBlankNode> = sites.keys().map(|(subject, _)| subject).collect();
        let labels = &self.words.labels;
        let named =
            |node: &BlankNode| labels.contains_key(node) || placed.contains(&NamedOrBlankNode::from(node.clone()));
        let names = pending.nodes_to_name(&named);
        let mut number = 0;
        let mut made = Vec::new();
        for node in names {
            let label = loop {
                number += 1;
                let label = format!("b{number}");
                if !taken.contains(label.as_str()) {
                    break label;
                }
            };
            made.push((node, label));
        }
        self.words.labels.extend(made);
    }

    /// Adds each fact at the site of its subject that fits it best.
    fn facts_at_sites(
        &mut self,
        key: &SubjectKey,
        sites: &[(usize, &Site)],
        pending: &Pending,
        additions: &mut FxHashMap<usize, Vec<String>>,
    ) {
        let depth = sites.first().map_or(1, |(_, site)| self.depth(site));
        for (quad, text) in pending.facts(key, &mut self.words, depth) {
            let best = sites.iter().rev().max_by_key(|(_, site)| fitness(site, &quad));
            if let Some((statement, site)) = best {
                additions.entry(self.site_key(*statement, site)).or_default().push(text);
            }
        }
    }

    /// The indentation of the facts of a site, in steps of four.
    fn depth(&self, site: &Site) -> usize {
        let start = match &site.form {
            SiteForm::Statement => site.predicates.first().map_or(0, |p| p.verb.start),
            SiteForm::Brackets(span) | SiteForm::Annotation(span, _) | SiteForm::Reifier(span) => span.start,
        };
        let depth = self.lines.depth(start);
        if site.form == SiteForm::Statement { depth.max(1) } else { depth + 1 }
    }

    fn site_key(&self, statement: usize, site: &Site) -> usize {
        match &site.form {
            SiteForm::Statement => self.kept.tree.statements[statement].subject.end,
            SiteForm::Brackets(span) | SiteForm::Annotation(span, _) | SiteForm::Reifier(span) => span.start + 1,
        }
    }

    fn new_block(&mut self, key: &SubjectKey, pending: &Pending) {
        let after = self.anchors.get(key).copied();
        let named = self.is_named_graph(&key.1);
        let own_block = after.filter(|after| {
            let statement = &self.kept.tree.statements[*after];
            statement.site.graph == key.1 && statement.block.is_some() == named
        });
        let anchor = own_block.or_else(|| self.last_of_graph(&key.1));
        let depth = usize::from(named);
        let indent = "    ".repeat(depth);
        let facts = pending.facts(key, &mut self.words, depth + 1);
        let mut text = format!("{indent}{}\n", self.words.subject(&key.0));
        for (_, fact) in facts {
            text.push_str(&format!("{indent}    {fact} ;\n"));
        }
        text.push_str(&format!("{indent}."));
        let block = if named && anchor.is_none() { format!("{} {{\n{text}\n}}", self.graph(&key.1)) } else { text };
        let place = self.after.entry(anchor).or_default();
        place.push_str("\n\n");
        place.push_str(&block);
    }

    fn is_named_graph(&self, graph: &GraphName) -> bool {
        *graph != self.file.default_graph()
    }

    fn graph(&mut self, graph: &GraphName) -> String {
        match graph {
            GraphName::DefaultGraph => String::new(),
            GraphName::NamedNode(node) => self.words.iri(node.as_str()),
            GraphName::BlankNode(node) => self.words.label(node),
        }
    }

    /// The last statement of a graph, after which a new one is written.
    fn last_of_graph(&self, graph: &GraphName) -> Option<usize> {
        let named = self.is_named_graph(graph);
        let of_graph = |statement: &Statement| statement.site.graph == *graph && statement.block.is_some() == named;
        self.kept.tree.statements.iter().rposition(of_graph)
    }

    /// Removes graph blocks that would be empty.
    fn graph_blocks(&mut self) {
        for (number, block) in self.kept.tree.blocks.iter().enumerate() {
            let mut statements =
                self.kept.tree.statements.iter().enumerate().filter(|(_, s)| s.block == Some(number)).peekable();
            let was_empty = statements.peek().is_none();
            let left = statements.any(|(at, _)| !self.fates.statements[at].is_gone());
            if was_empty || left || self.filled.contains(&number) {
                continue;
            }
            let (span, kept) = self.lines.without_block(&block.span);
            self.splices.swallow(&span);
            self.splices.replace(span, kept);
        }
    }

    /// Edits N-Triples or N-Quads: one statement per line.
    fn lines(&mut self, quads: &[Quad]) {
        let kept = self.kept;
        let mut taken: FxHashMap<BlankNode, String> = FxHashMap::default();
        let written: BTreeSet<&str> = kept
            .document
            .tokens
            .iter()
            .filter(|t| t.kind == TokenKind::BlankNode)
            .map(|t| &t.text(&kept.text)[2..])
            .collect();
        let mut ordered: Vec<&Quad> = quads.iter().collect();
        ordered.sort_by_cached_key(|quad| quad.to_string());
        let mut number = 0;
        for quad in &ordered {
            for node in nodes_of(quad) {
                let own = self.file.owns(&node).then(|| self.file.written_label(&node)).flatten().map(str::to_owned);
                taken.entry(node).or_insert_with(|| {
                    own.unwrap_or_else(|| {
                        loop {
                            number += 1;
                            let label = format!("b{number}");
                            if !written.contains(label.as_str()) {
                                break label;
                            }
                        }
                    })
                });
            }
        }
        for quad in ordered {
            let mut quad =
                renamed(quad, &|node| BlankNode::new_unchecked(taken.get(node).cloned().unwrap_or_default()));
            let subject = |other: &Statement| other.site.subject == quad.subject && other.site.graph == quad.graph_name;
            let key = (quad.subject.clone(), quad.graph_name.clone());
            let anchor = kept.tree.statements.iter().rposition(subject).or_else(|| self.anchors.get(&key).copied());
            if !self.is_named_graph(&quad.graph_name) {
                quad.graph_name = GraphName::DefaultGraph;
            }
            let line = format!("\n{}", line(&quad));
            self.after.entry(anchor).or_default().push_str(&line);
        }
        for (number, statement) in kept.tree.statements.iter().enumerate() {
            self.statement(number, statement, &mut FxHashMap::default());
        }
        self.declare();
    }

    fn finish(self) -> String {
        self.splices.apply(&self.kept.text)
    }
}

/// A line of N-Triples or N-Quads.
fn line(quad: &Quad) -> String {
    let graph = match &quad.graph_name {
        GraphName::DefaultGraph => String::new(),
        graph => format!(" {graph}"),
    };
    format!("{} {} {}{graph} .", quad.subject, quad.predicate, quad.object)
}

fn is_about(quad: &Quad, triple: &kgq_syntax::rdf::Triple) -> bool {
    quad.subject == triple.subject && quad.predicate == triple.predicate && quad.object == triple.object
}

/// Compares two subjects in the order in which files list them.
pub fn before(one: &NamedOrBlankNode, other: &NamedOrBlankNode) -> std::cmp::Ordering {
    natural(&one.to_string(), &other.to_string())
}
