//! What a filled form changes.

use super::fields::Field;
use super::shown;
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
    let subject = NamedOrBlankNode::from(thing.clone());
    let own: Vec<&Quad> = all.iter().filter(|quad| quad.subject == subject).collect();
    // A new value goes to the default graph, unless only named ones speak of the thing.
    let elsewhere = own.iter().all(|quad| quad.graph_name != GraphName::DefaultGraph);
    let usual = own.first().filter(|_| elsewhere).map_or(GraphName::DefaultGraph, |quad| quad.graph_name.clone());
    let prefixes = graph.prefixes()?;
    let mut filling =
        Filling { graph, prefixes, all: &all, removed: FxHashSet::default(), added: Vec::new(), nodes: 0 };
    let mut wrong = Vec::new();
    for (number, row) in rows.iter().enumerate() {
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
    all: &'f [Quad],
    removed: FxHashSet<Quad>,
    added: Vec<Quad>,
    nodes: usize,
}

impl Filling<'_> {
    fn row(
        &mut self,
        subject: &NamedOrBlankNode,
        field: &Field,
        row: &Row,
        old: Option<&Quad>,
        place: GraphName,
    ) -> std::result::Result<(), String> {
        let reifiers: Vec<NamedOrBlankNode> = old.map(|old| self.reifiers(old)).unwrap_or_default();
        let untouched = old.filter(|old| self.is_untouched(row, &old.object));
        if untouched.is_none() && row.value.trim().is_empty() {
            if let Some(old) = old {
                self.removed.insert(old.clone());
                let of = self.all.iter().filter(|quad| reifiers.contains(&quad.subject));
                self.removed.extend(of.cloned());
            }
            return Ok(());
        }
        let object = match untouched {
            Some(old) => old.object.clone(),
            None => self.object(field, row, old.map(|old| &old.object))?,
        };
        let sources = self.sources(&row.sources)?;
        let new = Quad::new(subject.clone(), field.property.clone(), object, place);
        if let Some(old) = old.filter(|old| **old != new) {
            self.removed.insert(old.clone());
            for reifier in &reifiers {
                self.removed.insert(reifying(reifier, old));
                self.added.push(reifying(reifier, &new));
            }
        }
        self.cite(&new, &reifiers, &sources);
        self.added.push(new);
        Ok(())
    }

    fn reifiers(&self, quad: &Quad) -> Vec<NamedOrBlankNode> {
        let triple = Term::from(Triple::from(quad.clone()));
        let reify = self.all.iter().filter(|q| q.predicate.as_ref() == rdf::REIFIES && q.object == triple);
        reify.map(|quad| quad.subject.clone()).collect()
    }

    /// Lets a statement be derived from these sources, and from no others.
    fn cite(&mut self, statement: &Quad, reifiers: &[NamedOrBlankNode], sources: &[NamedNode]) {
        let derived =
            |quad: &&Quad| quad.predicate.as_ref() == prov::WAS_DERIVED_FROM && reifiers.contains(&quad.subject);
        let known: Vec<&Quad> =
            self.all.iter().filter(derived).filter(|q| matches!(q.object, Term::NamedNode(_))).collect();
        let is_kept = |quad: &&&Quad| sources.iter().any(|source| quad.object == Term::NamedNode(source.clone()));
        self.removed.extend(known.iter().filter(|quad| !is_kept(quad)).map(|quad| (*quad).clone()));
        let missing: Vec<&NamedNode> = sources
            .iter()
            .filter(|source| !known.iter().any(|q| q.object == Term::NamedNode((*source).clone())))
            .collect();
        if missing.is_empty() {
            return;
        }
        let reifier = reifiers.first().cloned().unwrap_or_else(|| {
            self.nodes += 1;
            let node = NamedOrBlankNode::from(BlankNode::new_unchecked(format!("form{}", self.nodes)));
            self.added.push(reifying(&node, statement));
            node
        });
        for source in missing {
            let graph = statement.graph_name.clone();
            self.added.push(Quad::new(reifier.clone(), prov::WAS_DERIVED_FROM, source.clone(), graph));
        }
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

fn reifying(reifier: &NamedOrBlankNode, quad: &Quad) -> Quad {
    Quad::new(reifier.clone(), rdf::REIFIES, Triple::from(quad.clone()), quad.graph_name.clone())
}

/// The statements that an edit adds and for which the project asks for a citation that they do not have.
///
/// # Errors
/// Those of the changed files.
pub fn uncited(graph: &Graph, edit: &Edit, added: &[Quad]) -> Result<Vec<Quad>> {
    if !graph.asks_for_citations() {
        return Ok(Vec::new());
    }
    let changed = graph.edited(edit.changes.iter().map(|change| (change.name.clone(), change.after.clone())));
    let audit = changed.audit()?;
    let needed = changed.triples_to_cite(&audit)?;
    let lacks = |quad: &&Quad| {
        let triple = Triple::from((*quad).clone());
        needed.contains(&triple) && !audit.is_cited(&triple)
    };
    Ok(added.iter().filter(lacks).cloned().collect())
}
