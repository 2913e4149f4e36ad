//! What a filled form changes.

use super::citing::Citing;
use super::fields::Field;
use super::nodes::{self, inside};
use super::shown;
use super::statements::Statements;
use crate::Edit;
use crate::files::Files;
use kgq_engine::update::{Change, name_new_nodes};
use kgq_graph::graph::Graph;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::vocabulary::{prov, rdf};
use kgq_syntax::rdf::{BlankNode, GraphName, Literal, NamedNode, NamedOrBlankNode, Prefixes, Quad, Term, Triple};
use rustc_hash::{FxHashMap, FxHashSet};

/// A row of a filled form: one value of a property.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Its place: the path of a value without a name; empty for the thing itself.
    pub within: String,
    /// The property's IRI.
    pub property: String,
    /// The value that stood there, in N-Triples; empty for a new one.
    pub old: String,
    /// The value as it was typed; empty to remove it.
    pub value: String,
    pub language: String,
    /// Its sources: IRIs, CURIEs or names, separated by spaces.
    pub sources: String,
    /// The document of a new citation that it is derived from: IRI, CURIE or name.
    pub document: String,
    /// The cited words of the document.
    pub words: String,
}

/// A fault of a row, with the row's number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    pub row: usize,
    pub message: String,
}

/// Computes what the rows change in the statements about a thing. For a new thing, `class` is its class.
///
/// # Errors
/// Those of the graph's files. Faults of rows are returned, not errors.
pub fn change(
    graph: &Graph,
    files: &Files,
    thing: &NamedNode,
    class: Option<&NamedNode>,
    fields: &[Field],
    rows: &[Row],
) -> Result<std::result::Result<Change, Vec<Wrong>>> {
    let statements = Statements::of(files.snapshot(graph)?);
    let subject = NamedOrBlankNode::from(thing.clone());
    let usual = usual_graph(&statements, &subject, class);
    let cites = rows.iter().any(|row| !row.document.trim().is_empty());
    let citing = cites.then(|| Citing::of(graph)).transpose()?;
    let mut filling = Filling {
        graph,
        prefixes: graph.prefixes()?,
        statements: &statements,
        subject: subject.clone(),
        usual: usual.clone(),
        places: nodes::places(&statements, &subject),
        forms: FxHashMap::default(),
        groups: FxHashMap::default(),
        gone: Vec::new(),
        removed: FxHashSet::default(),
        added: Vec::new(),
        left: Vec::new(),
        citing: citing.as_ref(),
        cited: Vec::new(),
        nodes: 0,
    };
    filling.forms("", fields);
    filling.added.extend(class.map(|class| Quad::new(subject, rdf::TYPE, class.clone(), usual)));
    let mut wrong = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        graph.options().budget.check()?;
        if let Err(message) = filling.take(row) {
            wrong.push(Wrong { row: number, message });
        }
    }
    if !wrong.is_empty() {
        return Ok(Err(wrong));
    }
    filling.clear();
    let Filling { mut removed, added, .. } = filling;
    let is_known = |quad: &Quad| statements.snapshot.ids(quad.as_ref()).is_some();
    let mut change = Change::default();
    for quad in added {
        // A statement that is both removed and added stays where it is.
        if !removed.remove(&quad) && !is_known(&quad) && !change.added.contains(&quad) {
            change.added.push(quad);
        }
    }
    change.removed = statements.in_order(&removed);
    name_new_nodes(statements.snapshot, &mut change.added);
    Ok(Ok(change))
}

/// The graph for new values: the default graph, unless only named graphs have statements about the thing, or about others of its
/// class.
fn usual_graph(statements: &Statements<'_>, subject: &NamedOrBlankNode, class: Option<&NamedNode>) -> GraphName {
    let own = statements.about(subject);
    if !own.is_empty() {
        let elsewhere = own.iter().all(|quad| quad.graph_name != GraphName::DefaultGraph);
        return own.first().filter(|_| elsewhere).map_or(GraphName::DefaultGraph, |quad| quad.graph_name.clone());
    }
    let members = class.map(|class| statements.with_value(rdf::TYPE, class)).unwrap_or_default();
    let elsewhere = members.iter().all(|[.., graph]| graph.is_bound());
    let first = members.first().filter(|_| elsewhere).and_then(|ids| statements.snapshot.statement(*ids));
    first.map_or(GraphName::DefaultGraph, |quad| quad.graph_name)
}

struct Filling<'f> {
    graph: &'f Graph,
    prefixes: &'f Prefixes,
    statements: &'f Statements<'f>,
    subject: NamedOrBlankNode,
    usual: GraphName,
    /// Values without a name by the path of their rows, each with the statement whose object it is.
    places: FxHashMap<String, (NamedOrBlankNode, &'f Quad)>,
    /// The fields of these values, by the same paths.
    forms: FxHashMap<String, &'f [Field]>,
    /// New values without a name, created as soon as a row within is filled.
    groups: FxHashMap<String, Group>,
    /// Paths of values that are removed with all that is within them.
    gone: Vec<String>,
    removed: FxHashSet<Quad>,
    added: Vec<Quad>,
    /// Reifiers that no longer reify a statement.
    left: Vec<&'f NamedOrBlankNode>,
    citing: Option<&'f Citing<'f>>,
    /// New citations: document, words, name.
    cited: Vec<(NamedNode, String, NamedNode)>,
    nodes: usize,
}

/// A new value without a name.
#[derive(Clone)]
struct Group {
    row: Row,
    property: NamedNode,
    made: Option<BlankNode>,
}

fn not_there() -> String {
    "this value is not there any more".to_owned()
}

impl<'f> Filling<'f> {
    fn forms(&mut self, within: &str, fields: &'f [Field]) {
        for field in fields {
            let property = field.property.as_str();
            for node in field.facts.iter().filter_map(|fact| fact.node.as_ref()) {
                self.forms(&inside(within, property, &node.key), &node.fields);
            }
            if !field.nested.is_empty() {
                self.forms(&inside(within, property, ""), &field.nested);
            }
        }
        self.forms.insert(within.to_owned(), fields);
    }

    fn take(&mut self, row: &Row) -> std::result::Result<(), String> {
        if self.gone.iter().any(|gone| row.within.starts_with(gone)) {
            return Ok(());
        }
        let fields = self.forms.get(row.within.as_str()).copied().ok_or_else(not_there)?;
        let field = fields.iter().find(|field| field.property.as_str() == row.property).ok_or_else(not_there)?;
        if nodes::is_key(&row.old) {
            return self.unnamed(row);
        }
        if row.old.is_empty() {
            if !field.nested.is_empty() {
                let group = Group { row: row.clone(), property: field.property.clone(), made: None };
                self.groups.insert(inside(&row.within, &row.property, ""), group);
                return Ok(());
            }
            if row.value.trim().is_empty() {
                return Ok(());
            }
        }
        let (subject, usual) = self.subject(&row.within)?;
        let own = self.statements.about(&subject).iter();
        let old = own.into_iter().find(|q| q.predicate.as_str() == row.property && q.object.to_string() == row.old);
        if old.is_none() && !row.old.is_empty() {
            return Err(not_there());
        }
        let place = old.map_or(usual, |quad| quad.graph_name.clone());
        self.row(&subject, field, row, old, place)
    }

    /// The subject of the rows at a path, and the graph for new values there.
    fn subject(&mut self, within: &str) -> std::result::Result<(NamedOrBlankNode, GraphName), String> {
        if within.is_empty() {
            return Ok((self.subject.clone(), self.usual.clone()));
        }
        if let Some((node, quad)) = self.places.get(within) {
            return Ok((node.clone(), quad.graph_name.clone()));
        }
        let Group { row, property, made } = self.groups.get(within).cloned().ok_or_else(not_there)?;
        let (above, graph) = self.subject(&row.within)?;
        if let Some(node) = made {
            return Ok((node.into(), graph));
        }
        let node = self.fresh();
        if let Some(group) = self.groups.get_mut(within) {
            group.made = Some(node.clone());
        }
        let quad = Quad::new(above, property, node.clone(), graph.clone());
        let sources = self.sources(&row)?;
        self.cite(None, &quad, &sources)?;
        self.added.push(quad);
        Ok((node.into(), graph))
    }

    /// Keeps a value without a name, or removes it with all that is within it.
    fn unnamed(&mut self, row: &Row) -> std::result::Result<(), String> {
        let within = inside(&row.within, &row.property, &row.old);
        let (node, quad) = self.places.get(&within).cloned().ok_or_else(not_there)?;
        if row.value.trim().is_empty() {
            self.removed.insert(quad.clone());
            self.leave(quad);
            self.forget(node);
            self.gone.push(within);
            return Ok(());
        }
        let sources = self.sources(row)?;
        self.cite(Some(quad), quad, &sources)?;
        self.added.push(quad.clone());
        Ok(())
    }

    /// Removes the statements about a node that nothing names any more, and those about nodes that only it names.
    fn forget(&mut self, node: NamedOrBlankNode) {
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            let NamedOrBlankNode::BlankNode(own) = &node else { continue };
            if self.statements.mentioning(own).iter().any(|quad| !self.removed.contains(quad)) {
                continue;
            }
            for quad in self.statements.about(&node) {
                self.removed.insert(quad.clone());
                self.leave(quad);
                open.extend(NamedOrBlankNode::try_from(quad.object.clone()).ok());
            }
        }
    }

    fn fresh(&mut self) -> BlankNode {
        self.nodes += 1;
        BlankNode::new_unchecked(format!("form{}", self.nodes))
    }

    fn row(
        &mut self,
        subject: &NamedOrBlankNode,
        field: &Field,
        row: &Row,
        old: Option<&'f Quad>,
        place: GraphName,
    ) -> std::result::Result<(), String> {
        let untouched = old.filter(|old| self.is_untouched(row, &old.object));
        if untouched.is_none() && row.value.trim().is_empty() {
            if let Some(old) = old {
                self.removed.insert(old.clone());
                self.leave(old);
            }
            return Ok(());
        }
        let object = match untouched {
            Some(old) => old.object.clone(),
            None => self.object(field, row, old.map(|old| &old.object))?,
        };
        let sources = self.sources(row)?;
        let new = Quad::new(subject.clone(), field.property.clone(), object, place);
        self.cite(old, &new, &sources)?;
        if let Some(old) = old.filter(|old| **old != new) {
            self.removed.insert(old.clone());
            self.leave(old);
        }
        self.added.push(new);
        Ok(())
    }

    /// Removes the reifications of a statement, unless another graph has the same triple.
    fn leave(&mut self, statement: &Quad) {
        if self.is_elsewhere(statement) {
            return;
        }
        for reifying in self.statements.reifying(statement) {
            self.removed.insert(reifying.clone());
            self.left.push(&reifying.subject);
        }
    }

    /// Whether another graph has the same triple.
    fn is_elsewhere(&self, statement: &Quad) -> bool {
        let is_same = |quad: &Quad| quad.predicate == statement.predicate && quad.object == statement.object;
        self.statements
            .about(&statement.subject)
            .iter()
            .any(|quad| is_same(quad) && quad.graph_name != statement.graph_name)
    }

    /// Removes the statements about reifiers that no longer reify anything.
    fn clear(&mut self) {
        for node in std::mem::take(&mut self.left) {
            let about = self.statements.about(node);
            let is_of = |quad: &Quad| quad.subject == *node && quad.predicate.as_ref() == rdf::REIFIES;
            let stays = about.iter().any(|quad| is_of(quad) && !self.removed.contains(quad));
            if !stays && !self.added.iter().any(is_of) {
                self.removed.extend(about.iter().cloned());
            }
        }
    }

    /// Makes these sources the only ones of a statement. The reifiers of the replaced statement move to the new one; a reifier
    /// that other statements share does not change for them.
    fn cite(&mut self, old: Option<&'f Quad>, new: &Quad, sources: &[NamedNode]) -> std::result::Result<(), String> {
        let (mut cited, mut own): (Vec<&NamedNode>, Option<&NamedOrBlankNode>) = (Vec::new(), None);
        for reifying in old.map(|old| self.statements.reifying(old)).unwrap_or_default() {
            let node = &reifying.subject;
            let stays = old.is_some_and(|old| old != new && self.is_elsewhere(old));
            let is_shared = stays || self.is_shared(node, &reifying.object);
            let (kept, gone): (Vec<_>, Vec<_>) =
                self.statements.derivations(node).partition(|(_, source)| sources.contains(source));
            if is_shared && !gone.is_empty() {
                if self.says_more(node) {
                    return Err(
                        "what is said of this value is said of another too: its sources are changed in the files"
                            .into(),
                    );
                }
                if !stays {
                    self.removed.insert(reifying.clone());
                    self.left.push(node);
                }
                continue;
            }
            self.removed.extend(gone.into_iter().map(|(quad, _)| quad.clone()));
            cited.extend(kept.into_iter().map(|(_, source)| source));
            self.added.push(Quad { object: Triple::from(new.clone()).into(), ..reifying.clone() });
            own = own.or(Some(node).filter(|_| !is_shared));
        }
        let missing: Vec<&NamedNode> = sources.iter().filter(|source| !cited.contains(source)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let reifier = own.cloned().unwrap_or_else(|| {
            let node = NamedOrBlankNode::from(self.fresh());
            let triple = Triple::from(new.clone());
            self.added.push(Quad::new(node.clone(), rdf::REIFIES, triple, new.graph_name.clone()));
            node
        });
        for source in missing {
            self.added.push(Quad::new(reifier.clone(), prov::WAS_DERIVED_FROM, source.clone(), new.graph_name.clone()));
        }
        Ok(())
    }

    /// Whether a node reifies another triple besides this one.
    fn is_shared(&self, reifier: &NamedOrBlankNode, triple: &Term) -> bool {
        let mut about = self.statements.about(reifier).iter();
        about.any(|quad| quad.predicate.as_ref() == rdf::REIFIES && quad.object != *triple)
    }

    /// Whether a reifier has statements other than what it reifies and what it is derived from.
    fn says_more(&self, reifier: &NamedOrBlankNode) -> bool {
        let is_known = |quad: &Quad| {
            quad.predicate.as_ref() == rdf::REIFIES
                || quad.predicate.as_ref() == prov::WAS_DERIVED_FROM && matches!(quad.object, Term::NamedNode(_))
        };
        self.statements.about(reifier).iter().any(|quad| !is_known(quad))
    }

    /// The sources of a row's value.
    fn sources(&mut self, row: &Row) -> std::result::Result<Vec<NamedNode>, String> {
        let words = row.sources.split_whitespace();
        let mut sources = words.map(|word| self.thing(word)).collect::<std::result::Result<Vec<_>, _>>()?;
        sources.extend(self.new_citation(row)?);
        Ok(sources)
    }

    fn new_citation(&mut self, row: &Row) -> std::result::Result<Option<NamedNode>, String> {
        let (document, words) = (row.document.trim(), lines(row.words.trim()));
        if document.is_empty() {
            return match words.is_empty() {
                true => Ok(None),
                false => Err("name the document in which these words stand".into()),
            };
        }
        let document = self.thing(document)?;
        let known = self.cited.iter().find(|(other, cited, _)| *other == document && *cited == words);
        if let Some((_, _, name)) = known {
            return Ok(Some(name.clone()));
        }
        let node = self.fresh();
        let taken: Vec<&NamedNode> = self.cited.iter().map(|(_, _, name)| name).collect();
        let citing = self.citing.ok_or("no citation can be made here")?;
        let made = citing.citation(self.statements, &document, &words, node, &taken)?;
        self.added.extend(made.statements);
        self.cited.push((document, words, made.name.clone()));
        Ok(Some(made.name))
    }

    fn thing(&self, word: &str) -> std::result::Result<NamedNode, String> {
        self.graph.resolve(word.trim()).or_else(|error| match NamedNode::new(word.trim()) {
            Ok(node) if word.contains("://") => Ok(node),
            _ => Err([error.message(), error.hints().first().map_or("", String::as_str)].join(" ").trim().to_owned()),
        })
    }

    /// Whether a row is as the form showed it, apart from line ends, which browsers change, and the case of the language tag.
    fn is_untouched(&self, row: &Row, old: &Term) -> bool {
        shown(old, self.prefixes).is_some_and(|(value, language)| {
            lines(&value) == lines(&row.value) && language.eq_ignore_ascii_case(row.language.trim())
        })
    }

    /// The term for a value that was typed.
    fn object(&self, field: &Field, row: &Row, old: Option<&Term>) -> std::result::Result<Term, String> {
        let value = lines(&row.value);
        let is_thing = match old {
            Some(Term::NamedNode(_)) => true,
            Some(Term::Literal(_)) => false,
            Some(Term::BlankNode(_) | Term::Triple(_)) => return Err("this value has no form".into()),
            None => field.of_things,
        };
        if is_thing {
            return self.thing(&value).map(Term::NamedNode);
        }
        let language = row.language.trim();
        if !language.is_empty() {
            let literal = Literal::new_language_tagged_literal(value.trim(), language.to_ascii_lowercase());
            return literal.map(Term::Literal).map_err(|_| format!("`{language}` is not a language tag"));
        }
        let old_type = match old {
            Some(Term::Literal(literal)) if literal.language().is_none() => Some(literal.datatype().into_owned()),
            _ => None,
        };
        let usual = field.usual.clone().filter(|_| old.is_none());
        let datatype = field.datatype.clone().or(old_type).or(usual);
        match datatype.filter(|datatype| datatype.as_ref() != oxrdf::vocab::xsd::STRING) {
            Some(datatype) if datatype.as_ref() == oxrdf::vocab::rdf::LANG_STRING => {
                Err("a text of this kind has a language".into())
            }
            Some(datatype) => Ok(Literal::new_typed_literal(value.trim(), datatype).into()),
            None => Ok(Literal::new_simple_literal(value.trim_end()).into()),
        }
    }
}

/// A text with `\n` as the only line end: browsers send `\r\n`.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// The added statements for which the project asks for a citation and that have none.
///
/// # Errors
/// Those of the changed files.
pub fn uncited(graph: &Graph, edit: &Edit, added: &[Quad]) -> Result<Vec<Quad>> {
    if !graph.asks_for_citations() {
        return Ok(Vec::new());
    }
    let changed = graph.edited(edit.changes.iter().map(|change| (change.name.clone(), change.after.clone())))?;
    let audit = changed.audit()?;
    let needed = changed.triples_to_cite(&audit)?;
    let lacks = |quad: &&Quad| {
        let triple = Triple::from((*quad).clone());
        needed.contains(&triple) && !audit.is_cited(&triple)
    };
    Ok(added.iter().filter(lacks).cloned().collect())
}
