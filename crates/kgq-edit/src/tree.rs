//! A file's statements as a tree of places: each fact with its terms, the spans that it covers, and the quads nested in it. Edits
//! follow this tree; it makes no decisions itself.

use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{GraphName, NamedNode, NamedOrBlankNode, Quad, Term};
use kgq_syntax::turtle::tree::{self, Annotation, Document, Item, Object, TermForm, TermNode};
use kgq_syntax::turtle::triples::triples;
use kgq_syntax::{Span, TokenKind};
use rustc_hash::FxHashMap;

const FIRST: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#first";

/// A subject with all its facts, up to the dot.
pub struct Statement {
    pub subject: Span,
    pub span: Span,
    /// The number of the named graph block that it stands in.
    pub block: Option<usize>,
    /// The number of the document's item that it stands in.
    pub item: usize,
    /// The quads inside the subject's own brackets, list or reified triple.
    pub inside: Vec<Quad>,
    /// The brackets of the subject, where they hold facts.
    pub brackets: Option<Site>,
    /// Whether the subject is a single term: an IRI or a label.
    pub is_plain: bool,
    pub site: Site,
}

/// The block of a graph in TriG.
pub struct Block {
    pub graph: GraphName,
    pub span: Span,
}

/// A place where facts about one subject stand.
pub struct Site {
    pub subject: NamedOrBlankNode,
    pub graph: GraphName,
    pub form: SiteForm,
    pub predicates: Vec<Predicate>,
}

/// The syntax around the facts of a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SiteForm {
    /// A subject before the facts, a dot after them.
    Statement,
    /// `[ … ]`
    Brackets(Span),
    /// `{| … |}`, and whether its reifier is named before it.
    Annotation(Span, bool),
    /// `~ name` without a block.
    Reifier(Span),
}

pub struct Predicate {
    pub verb: Span,
    pub facts: Vec<Fact>,
    /// The position after its last object and the semicolons that follow.
    pub end: usize,
    /// Whether a semicolon follows.
    pub is_closed: bool,
}

/// A predicate with one object: the smallest unit that can be removed.
pub struct Fact {
    pub quad: Quad,
    pub node: Span,
    /// The object with its annotations.
    pub span: Span,
    /// All other quads of its text: those of nested nodes, list members and reifiers.
    pub inside: Vec<Quad>,
    /// The brackets and annotations directly in it.
    pub sites: Vec<Site>,
}

impl Fact {
    pub fn quads(&self) -> impl Iterator<Item = &Quad> {
        std::iter::once(&self.quad).chain(&self.inside)
    }
}

impl Site {
    pub fn facts(&self) -> impl Iterator<Item = &Fact> {
        self.predicates.iter().flat_map(|predicate| &predicate.facts)
    }
}

impl Statement {
    pub fn quads(&self) -> impl Iterator<Item = &Quad> {
        self.inside.iter().chain(self.site.facts().flat_map(Fact::quads))
    }
}

/// The statements of a text, with their places.
pub struct Tree {
    pub statements: Vec<Statement>,
    pub blocks: Vec<Block>,
}

impl Tree {
    /// Builds the tree of a parsed text. `place` puts a quad into the file's graph and names its blank nodes.
    pub fn of(text: &str, document: &Document, base: Option<&str>, place: &dyn Fn(Quad) -> Quad) -> Self {
        let mut quads = FxHashMap::default();
        for located in triples(text, document, base) {
            let key = (
                located.predicate.start,
                located.object.start,
                class(&located.quad, &located.predicate, &located.object),
            );
            quads.insert(key, place(located.quad));
        }
        let mut reader = Reader { text, document, quads, graph: place(dummy()).graph_name };
        let default = reader.graph.clone();
        let mut tree = Self { statements: Vec::new(), blocks: Vec::new() };
        for (number, item) in document.items.iter().enumerate() {
            match item {
                Item::Directive(_) => {}
                Item::Statement(statement) => tree.statements.extend(reader.statement(statement, None, number)),
                Item::Graph(block) => {
                    let own = tree.blocks.len();
                    let first = tree.statements.len();
                    for statement in &block.statements {
                        tree.statements.extend(reader.statement(statement, Some(own), number));
                    }
                    let graph = tree.statements.get(first).map_or_else(|| default.clone(), |s| s.site.graph.clone());
                    tree.blocks.push(Block { graph, span: block.span.clone() });
                }
            }
        }
        tree
    }

    pub fn quads(&self) -> impl Iterator<Item = &Quad> {
        self.statements.iter().flat_map(Statement::quads)
    }
}

fn dummy() -> Quad {
    let node = NamedNode::new_unchecked("urn:x");
    Quad::new(node.clone(), node.clone(), node, GraphName::DefaultGraph)
}

/// Distinguishes quads with the same positions: a fact, the two quads of a list member, the quad of a reifier.
fn class(quad: &Quad, predicate: &Span, object: &Span) -> u8 {
    match () {
        () if predicate.start != object.start => 0,
        () if quad.predicate.as_ref() == rdf::REIFIES => 3,
        () if quad.predicate.as_str() == FIRST => 1,
        () => 2,
    }
}

struct Reader<'a> {
    text: &'a str,
    document: &'a Document,
    quads: FxHashMap<(usize, usize, u8), Quad>,
    graph: GraphName,
}

impl Reader<'_> {
    fn statement(&mut self, statement: &tree::Statement, block: Option<usize>, item: usize) -> Option<Statement> {
        let mut inside = Vec::new();
        let mut sites = Vec::new();
        self.node(&statement.subject, &mut inside, &mut sites);
        let predicates = self.predicates(&statement.predicates);
        let site = self.site(predicates, SiteForm::Statement, inside.first())?;
        let brackets = match statement.subject.form {
            TermForm::Anonymous(_) => sites.pop(),
            _ => None,
        };
        Some(Statement {
            subject: statement.subject.span.clone(),
            span: statement.span.clone(),
            block,
            item,
            inside,
            brackets,
            is_plain: matches!(statement.subject.form, TermForm::Plain),
            site,
        })
    }

    /// Builds a site. Its subject is that of its facts; without facts, that of `other`.
    fn site(&self, predicates: Vec<Predicate>, form: SiteForm, other: Option<&Quad>) -> Option<Site> {
        let first = predicates.iter().flat_map(|p| &p.facts).next().map(|fact| &fact.quad);
        let quad = first.or(other)?;
        Some(Site { subject: quad.subject.clone(), graph: quad.graph_name.clone(), form, predicates })
    }

    fn predicates(&mut self, predicates: &[tree::Predicate]) -> Vec<Predicate> {
        let mut read = Vec::with_capacity(predicates.len());
        for predicate in predicates {
            let facts: Vec<Fact> =
                predicate.objects.iter().filter_map(|object| self.fact(&predicate.verb, object)).collect();
            let last = predicate.objects.last().map_or(predicate.verb.span.end, |object| object.span.end);
            let end = self.behind_semicolons(last);
            read.push(Predicate { verb: predicate.verb.span.clone(), facts, end, is_closed: end > last });
        }
        read
    }

    fn fact(&mut self, verb: &TermNode, object: &Object) -> Option<Fact> {
        let quad = self.quads.get(&(verb.span.start, object.node.span.start, 0))?.clone();
        let (mut inside, mut sites) = (Vec::new(), Vec::new());
        self.node(&object.node, &mut inside, &mut sites);
        self.annotations(&object.annotations, &mut inside, &mut sites);
        Some(Fact { quad, node: object.node.span.clone(), span: object.span.clone(), inside, sites })
    }

    fn annotations(&mut self, annotations: &[Annotation], inside: &mut Vec<Quad>, sites: &mut Vec<Site>) {
        let mut current: Option<Quad> = None;
        for annotation in annotations {
            match annotation {
                Annotation::Reifier { span, .. } => {
                    let Some(quad) = self.quads.get(&(span.start, span.start, 3)).cloned() else { continue };
                    inside.push(quad.clone());
                    sites.extend(self.site(Vec::new(), SiteForm::Reifier(span.clone()), Some(&quad)));
                    current = Some(quad);
                }
                Annotation::Block { predicates, span } => {
                    let is_named = current.is_some();
                    if is_named {
                        // Facts about the reifier go into the block, so the bare reifier is no site.
                        sites.pop();
                    }
                    let Some(quad) = current.take().or_else(|| self.quads.get(&(span.start, span.start, 3)).cloned())
                    else {
                        continue;
                    };
                    if !is_named {
                        inside.push(quad.clone());
                    }
                    let predicates = self.predicates(predicates);
                    inside.extend(predicates.iter().flat_map(|p| &p.facts).flat_map(Fact::quads).cloned());
                    sites.extend(self.site(predicates, SiteForm::Annotation(span.clone(), is_named), Some(&quad)));
                }
            }
        }
    }

    /// Collects the quads and sites inside a node.
    fn node(&mut self, node: &TermNode, inside: &mut Vec<Quad>, sites: &mut Vec<Site>) {
        match &node.form {
            TermForm::Plain | TermForm::Literal { .. } | TermForm::TripleTerm(_) => {}
            TermForm::Anonymous(predicates) => {
                let predicates = self.predicates(predicates);
                inside.extend(predicates.iter().flat_map(|p| &p.facts).flat_map(Fact::quads).cloned());
                sites.extend(self.site(predicates, SiteForm::Brackets(node.span.clone()), None));
            }
            TermForm::Collection(members) => {
                for member in members {
                    for class in [1, 2] {
                        inside.extend(self.quads.get(&(member.span.start, member.span.start, class)).cloned());
                    }
                    self.node(&member.node, inside, &mut Vec::new());
                }
            }
            TermForm::Reified { triple, .. } => {
                inside.extend(self.quads.get(&(node.span.start, node.span.start, 3)).cloned());
                for part in triple.iter() {
                    self.node(part, inside, &mut Vec::new());
                }
            }
        }
    }

    fn behind_semicolons(&self, from: usize) -> usize {
        let tokens = &self.document.tokens;
        let first = tokens.partition_point(|token| token.start < from);
        let mut end = from;
        for token in &tokens[first..] {
            match token.kind {
                TokenKind::Whitespace | TokenKind::Comment => {}
                TokenKind::Punctuation if token.text(self.text) == ";" => end = token.end,
                _ => break,
            }
        }
        end
    }
}

/// Whether a term is this blank node, or a triple term that contains it.
pub fn is_about_node(term: &Term, node: &kgq_syntax::rdf::BlankNode) -> bool {
    match term {
        Term::BlankNode(own) => own == node,
        Term::Triple(triple) => {
            matches!(&triple.subject, NamedOrBlankNode::BlankNode(own) if own == node)
                || is_about_node(&triple.object, node)
        }
        Term::NamedNode(_) | Term::Literal(_) => false,
    }
}
