//! What a filled form changes.

use super::fields::Field;
use super::shown;
use super::statements::Statements;
use crate::Edit;
use crate::files::Files;
use kgq_engine::update::{Change, name_new_nodes};
use kgq_graph::graph::Graph;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::vocabulary::{prov, rdf};
use kgq_syntax::rdf::{BlankNode, GraphName, Literal, NamedNode, NamedOrBlankNode, Prefixes, Quad, Term, Triple};
use rustc_hash::FxHashSet;

/// A row of a filled form: one value of a property.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// The property's IRI.
    pub property: String,
    /// The value that stood there, as N-Triples write it; empty for a new one.
    pub old: String,
    /// The value as it was typed; empty to remove it.
    pub value: String,
    pub language: String,
    /// What it is derived from: IRIs, CURIEs or names, with spaces between them.
    pub sources: String,
}

/// What is wrong with a row, by its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    pub row: usize,
    pub message: String,
}

/// What the rows change of what the files say of a thing.
///
/// # Errors
/// Those of the graph's files. What is wrong with rows is no error, but told.
pub fn change(
    graph: &Graph,
    files: &Files,
    thing: &NamedNode,
    fields: &[Field],
    rows: &[Row],
) -> Result<std::result::Result<Change, Vec<Wrong>>> {
    let all = files.quads();
    let statements = Statements::of(&all);
    let subject = NamedOrBlankNode::from(thing.clone());
    let own = statements.about(&subject);
    // A new value goes to the default graph, unless only named ones speak of the thing.
    let elsewhere = own.iter().all(|quad| quad.graph_name != GraphName::DefaultGraph);
    let usual = own.first().filter(|_| elsewhere).map_or(GraphName::DefaultGraph, |quad| quad.graph_name.clone());
    let prefixes = graph.prefixes()?;
    let mut filling = Filling {
        graph,
        prefixes,
        statements: &statements,
        removed: FxHashSet::default(),
        added: Vec::new(),
        left: Vec::new(),
        nodes: 0,
    };
    let mut wrong = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        graph.options().budget.check()?;
        let old = own.iter().find(|q| q.predicate.as_str() == row.property && q.object.to_string() == row.old);
        let field = fields.iter().find(|field| field.property.as_str() == row.property);
        let told = match (field, old, row.old.is_empty()) {
            (None, ..) | (_, None, false) => Err("this value is not there any more".to_owned()),
            (Some(field), old, _) => {
                let place = old.map_or_else(|| usual.clone(), |quad| quad.graph_name.clone());
                filling.row(&subject, field, row, old.copied(), place)
            }
        };
        if let Err(message) = told {
            wrong.push(Wrong { row: number, message });
        }
    }
    if !wrong.is_empty() {
        return Ok(Err(wrong));
    }
    filling.clear();
    let Filling { mut removed, added, .. } = filling;
    let known: FxHashSet<&Quad> = all.iter().collect();
    let mut change = Change::default();
    for quad in added {
        // What is said again stays where it is.
        if !removed.remove(&quad) && !known.contains(&quad) && !change.added.contains(&quad) {
            change.added.push(quad);
        }
    }
    change.removed = all.iter().filter(|quad| removed.contains(*quad)).cloned().collect();
    name_new_nodes(&all, &mut change.added);
    Ok(Ok(change))
}

struct Filling<'f> {
    graph: &'f Graph,
    prefixes: &'f Prefixes,
    statements: &'f Statements<'f>,
    removed: FxHashSet<Quad>,
    added: Vec<Quad>,
    /// Reifiers that no longer reify a statement.
    left: Vec<&'f NamedOrBlankNode>,
    nodes: usize,
}

impl<'f> Filling<'f> {
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
        let sources = self.sources(&row.sources)?;
        let new = Quad::new(subject.clone(), field.property.clone(), object, place);
        self.cite(old, &new, &sources)?;
        if let Some(old) = old.filter(|old| **old != new) {
            self.removed.insert(old.clone());
            self.leave(old);
        }
        self.added.push(new);
        Ok(())
    }

    /// Lets nothing reify a statement any more, unless another graph states it too.
    fn leave(&mut self, statement: &Quad) {
        if self.is_elsewhere(statement) {
            return;
        }
        for reifying in self.statements.reifying(statement) {
            self.removed.insert((*reifying).clone());
            self.left.push(&reifying.subject);
        }
    }

    /// Whether another graph has the same triple.
    fn is_elsewhere(&self, statement: &Quad) -> bool {
        let is_same = |quad: &&Quad| quad.predicate == statement.predicate && quad.object == statement.object;
        self.statements
            .about(&statement.subject)
            .iter()
            .any(|quad| is_same(quad) && quad.graph_name != statement.graph_name)
    }

    /// Removes what is said of reifiers that no longer reify anything.
    fn clear(&mut self) {
        for node in std::mem::take(&mut self.left) {
            let about = self.statements.about(node);
            let is_of = |quad: &Quad| quad.subject == *node && quad.predicate.as_ref() == rdf::REIFIES;
            let stays = about.iter().any(|quad| is_of(quad) && !self.removed.contains(*quad));
            if !stays && !self.added.iter().any(is_of) {
                self.removed.extend(about.iter().map(|quad| (*quad).clone()));
            }
        }
    }

    /// Lets a statement be derived from these sources, and from no others. The reifiers of the one that it replaces are of it from then
    /// on; one that other statements share changes nothing for these.
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
                    self.removed.insert((*reifying).clone());
                    self.left.push(node);
                }
                continue;
            }
            self.removed.extend(gone.into_iter().map(|(quad, _)| quad.clone()));
            cited.extend(kept.into_iter().map(|(_, source)| source));
            self.added.push(Quad { object: Triple::from(new.clone()).into(), ..(*reifying).clone() });
            own = own.or(Some(node).filter(|_| !is_shared));
        }
        let missing: Vec<&NamedNode> = sources.iter().filter(|source| !cited.contains(source)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let reifier = own.cloned().unwrap_or_else(|| {
            self.nodes += 1;
            let node = NamedOrBlankNode::from(BlankNode::new_unchecked(format!("form{}", self.nodes)));
            let triple = Triple::from(new.clone());
            self.added.push(Quad::new(node.clone(), rdf::REIFIES, triple, new.graph_name.clone()));
            node
        });
        for source in missing {
            self.added.push(Quad::new(reifier.clone(), prov::WAS_DERIVED_FROM, source.clone(), new.graph_name.clone()));
        }
        Ok(())
    }

    /// Whether a node reifies another triple beside this one.
    fn is_shared(&self, reifier: &NamedOrBlankNode, triple: &Term) -> bool {
        let mut about = self.statements.about(reifier).iter();
        about.any(|quad| quad.predicate.as_ref() == rdf::REIFIES && quad.object != *triple)
    }

    /// Whether more is said of a reifier than what it reifies and which things it is derived from.
    fn says_more(&self, reifier: &NamedOrBlankNode) -> bool {
        let is_known = |quad: &Quad| {
            quad.predicate.as_ref() == rdf::REIFIES
                || quad.predicate.as_ref() == prov::WAS_DERIVED_FROM && matches!(quad.object, Term::NamedNode(_))
        };
        self.statements.about(reifier).iter().any(|quad| !is_known(quad))
    }

    fn sources(&self, text: &str) -> std::result::Result<Vec<NamedNode>, String> {
        text.split_whitespace().map(|word| self.thing(word)).collect()
    }

    fn thing(&self, word: &str) -> std::result::Result<NamedNode, String> {
        self.graph.resolve(word.trim()).or_else(|error| match NamedNode::new(word.trim()) {
            Ok(node) if word.contains("://") => Ok(node),
            _ => Err([error.message(), error.hints().first().map_or("", String::as_str)].join(" ").trim().to_owned()),
        })
    }

    /// Whether a row has what the form showed: a browser ends lines in its own way, and the form writes tags as people do.
    fn is_untouched(&self, row: &Row, old: &Term) -> bool {
        shown(old, self.prefixes).is_some_and(|(value, language)| {
            lines(&value) == lines(&row.value) && language.eq_ignore_ascii_case(row.language.trim())
        })
    }

    /// The term of a value that was typed.
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
            return literal.map(Term::Literal).map_err(|_| format!("`{language}` is no tag of a language"));
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

/// A text with the ends of lines as files have them: forms end lines as the web does.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// The statements that an edit adds and for which the project asks for a citation that they do not have.
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
