//! Makes a bundle: asks the graph the question, explains each row, and collects the sources of the explaining
//! statements.

use super::Bundle;
use super::canonical::CanonicalGraph;
use super::facts::{DefaultGraphFact, Facts, GraphState, Named, Parameter, QuestionFacts, Revision, RowFacts, VERSION};
use super::sources::{citations, properties, quotes};
use super::stored::{Stored, row_line};
use crate::audit::{Audit, sha256_of};
use crate::catalog::{CannedQuery, Values};
use crate::graph::Graph;
use kgq_engine::query::{
    Binding, BoundTo, ParseContext, Query, bind, functions, is_ordered, parse_query, refuse_network, set_slice,
};
use kgq_engine::why::{Ground, Item, why};
use kgq_engine::{self as engine, Answer, EvaluationOptions};
use kgq_snapshot::Snapshot;
use kgq_syntax::bounds::Bounds;
use kgq_syntax::budget::{Budget, Work};
use kgq_syntax::error::{Error, Result, Source};
use kgq_syntax::rdf::{BlankNode, NamedNodeRef, NamedOrBlankNode, Prefixes, Quad, Term, Triple, Variable};
use kgq_syntax::{significant, sparql};
use rustc_hash::{FxHashMap, FxHashSet};
use std::io::BufReader;
use std::path::PathBuf;

/// The largest number of rows that are explained.
const MOST_ROWS: usize = 10_000;
/// Names the method behind the graph's hash. It says more than RDFC-1.0, because that standard knows no triple
/// terms.
const CANONICAL_FORM: &str =
    "RDFC-1.0 (SHA-256); triple terms are described by the reification vocabulary of RDF 1.1 before";
const LICENSE: &str = "http://purl.org/dc/terms/license";

/// The question that a bundle answers.
#[derive(Clone, Debug)]
pub struct Question {
    name: Option<String>,
    title: Option<String>,
    text: String,
    bindings: Vec<Binding>,
    limit: Option<usize>,
    offset: Option<usize>,
}

impl Question {
    /// A canned query with values for its parameters.
    ///
    /// # Errors
    /// Values that it does not take.
    pub fn canned(canned: &CannedQuery, values: &Values, graph: &Graph) -> Result<Self> {
        let bindings = canned.bindings(values, &graph.known()?)?;
        let (limit, offset) = canned.slice(values)?;
        let title = Some(canned.title("en").split_whitespace().collect::<Vec<_>>().join(" "));
        Ok(Self { name: Some(canned.name.clone()), title, text: canned.text.clone(), bindings, limit, offset })
    }

    /// A query given as text.
    pub fn written(text: String) -> Self {
        Self { name: None, title: None, text, bindings: Vec::new(), limit: None, offset: None }
    }

    fn asked(&self, graph: &Graph) -> Result<QuestionFacts> {
        let context = graph.parse_context()?;
        let used = sparql::undeclared_prefixes(&self.text, &significant(&sparql::tokenize(&self.text)));
        let known =
            used.into_iter().filter_map(|prefix| Some((prefix.to_owned(), context.prefixes.get(prefix)?.to_owned())));
        let parameter = |Binding { variable, value }: &Binding| {
            let (value, any_of) = match value {
                BoundTo::One(term) => (Some(term.to_string()), None),
                BoundTo::AnyOf(terms) => (None, Some(terms.iter().map(Term::to_string).collect())),
            };
            Parameter { variable: variable.as_str().to_owned(), value, any_of }
        };
        Ok(QuestionFacts {
            name: self.name.clone(),
            title: self.title.clone(),
            prefixes: known.collect(),
            base: graph.base().map(str::to_owned),
            default_graph: match graph.evaluation_options().default_graph {
                engine::DefaultGraph::Stored => DefaultGraphFact::Stored,
                engine::DefaultGraph::Union => DefaultGraphFact::Union,
            },
            parameters: self.bindings.iter().map(parameter).collect(),
            limit: self.limit,
            offset: self.offset,
        })
    }
}

impl QuestionFacts {
    /// Parses the query and binds its parameters, from a bundle's text and facts.
    ///
    /// # Errors
    /// A text that is not a query or asks for something not allowed; values that are not terms.
    pub fn query(&self, text: &str, bounds: Bounds) -> Result<Query> {
        let mut prefixes = Prefixes::default();
        for (prefix, namespace) in &self.prefixes {
            prefixes.insert(prefix, namespace);
        }
        let source = Source::new("query.rq", text);
        let context = ParseContext { prefixes: &prefixes, base: self.base.as_deref(), bounds };
        let mut query = parse_query(source, context)?;
        refuse_network(source, &query.algebra)?;
        functions::refuse_unknown(source, &query.algebra, &prefixes)?;
        let wrong = || Error::input("bundle.json: the value of a parameter is no term");
        let term = |text: &String| super::stored::term(text).ok_or_else(wrong);
        let mut bindings = Vec::new();
        for Parameter { variable, value, any_of } in &self.parameters {
            let variable = Variable::new(variable).map_err(|_| wrong())?;
            let value = match (value, any_of) {
                (Some(text), None) => BoundTo::One(term(text)?),
                (None, Some(texts)) => BoundTo::AnyOf(texts.iter().map(term).collect::<Result<_>>()?),
                _ => return Err(wrong()),
            };
            bindings.push(Binding { variable, value });
        }
        bind(&mut query, &bindings);
        if (self.limit.is_some() || self.offset.is_some()) && !set_slice(&mut query, self.limit, self.offset) {
            return Err(Error::input("bundle.json: the query has no LIMIT or OFFSET that could have another number"));
        }
        Ok(query)
    }

    /// Returns the options to evaluate the query with, within the limits of these.
    pub fn options(&self, of: &EvaluationOptions) -> EvaluationOptions {
        let default_graph = match self.default_graph {
            DefaultGraphFact::Stored => engine::DefaultGraph::Stored,
            DefaultGraphFact::Union => engine::DefaultGraph::Union,
        };
        EvaluationOptions { default_graph, ..of.clone() }
    }
}

/// Asks the question and makes a bundle of the answer. `time` is the time of asking, `revision` the state of the
/// repository, and `files` are texts of sources besides those of the project.
///
/// # Errors
/// Those of evaluation; an answer with too many rows to explain; blank nodes that cannot be told apart.
pub fn make(
    graph: &Graph,
    question: &Question,
    time: String,
    revision: Option<Revision>,
    files: &[PathBuf],
) -> Result<Bundle> {
    let (options, budget) = (graph.evaluation_options(), graph.budget_of(Work::Export));
    make_within(graph, question, Occasion { time, revision }, files, &options, &budget)
}

/// When a bundle is made, and the state of the repository at that time.
pub struct Occasion {
    pub time: String,
    pub revision: Option<Revision>,
}

/// Like [`make`], but evaluated with these options; work on the whole graph stays within this budget.
///
/// # Errors
/// As [`make`].
pub fn make_within(
    graph: &Graph,
    question: &Question,
    Occasion { time, revision }: Occasion,
    files: &[PathBuf],
    options: &EvaluationOptions,
    budget: &Budget,
) -> Result<Bundle> {
    // Blank nodes have the same names in the answer, the witnesses and the canonical graph.
    let CanonicalGraph { snapshot, lines, sha256, held: _held } = CanonicalGraph::of(graph, budget)?;
    let asked = question.asked(graph)?;
    let query = asked.query(&question.text, graph.options().bounds)?;
    let options = asked.options(options);
    let answer = answer(&snapshot, &query, &options)?;
    if answer.parts() > MOST_ROWS {
        return Err(Error::limit(format!(
            "the answer has {} rows, and a bundle explains at most {MOST_ROWS}",
            answer.parts()
        ))
        .hint("a LIMIT in the query makes it smaller"));
    }
    let (witnesses, rows) = explained(&snapshot, &query, &answer, &options)?;
    let settings = graph.project().map(|project| project.manifest.citations.clone()).unwrap_or_default();
    let audit = Audit::new(&snapshot, &settings, graph.prefixes()?);
    let texts = graph.source_texts(&audit, files)?;
    let triples: FxHashSet<Triple> = witnesses.iter().flatten().map(|quad| Triple::from(quad.clone())).collect();
    let provenance = audit.provenance(&triples);
    let facts = Facts {
        bundle: VERSION,
        kgq: env!("CARGO_PKG_VERSION").to_owned(),
        time,
        query: asked,
        graph: GraphState {
            statements: lines,
            sha256,
            canonical_form: CANONICAL_FORM.to_owned(),
            license: license(&snapshot),
        },
        project: graph.project().map(|project| Named {
            name: project.manifest.name.clone(),
            title: project.manifest.title.clone(),
            base: project.manifest.base.clone(),
        }),
        revision,
        files: hashes(graph)?,
        citations: properties(&audit),
        rows,
    };
    let quotes = quotes(&audit, &citations(&audit, witnesses.iter().flatten()), &texts);
    Ok(Bundle { facts, query: question.text.clone(), answer, witnesses, provenance, quotes, signature: None }.sorted())
}

impl Bundle {
    /// With its statements in the order in which they are read back.
    fn sorted(mut self) -> Self {
        let sort = |quads: &mut Vec<Quad>| {
            quads.sort_by_cached_key(|quad| format!("{quad} .\n"));
            quads.dedup();
        };
        self.witnesses.iter_mut().for_each(sort);
        sort(&mut self.provenance);
        self
    }
}

/// Evaluates the whole answer. Triples, and rows of a query without ORDER BY, are sorted by their text. Blank nodes
/// that the query makes are numbered as they come.
pub(super) fn answer(snapshot: &Snapshot, query: &Query, options: &EvaluationOptions) -> Result<Stored> {
    let mut made = FxHashMap::default();
    let mut name = |term: Term| match term {
        Term::BlankNode(node) if snapshot.id(node.as_ref().into()).is_none() => {
            let number = made.len();
            Term::from(made.entry(node).or_insert_with(|| BlankNode::new_unchecked(format!("made{number}"))).clone())
        }
        term => term,
    };
    Ok(match engine::evaluate(snapshot, query, options)? {
        Answer::Boolean(value) => Stored::Boolean(value),
        Answer::Graph(triples) => {
            let mut found: Vec<Triple> = Vec::new();
            for triple in triples.0 {
                let Triple { subject, predicate, object } = triple?;
                let subject = match name(subject.into()) {
                    Term::NamedNode(node) => NamedOrBlankNode::from(node),
                    Term::BlankNode(node) => node.into(),
                    Term::Literal(_) | Term::Triple(_) => return Err(Error::bug("a subject is no node")),
                };
                found.push(Triple { subject, predicate, object: name(object) });
            }
            found.sort_by_cached_key(Triple::to_string);
            found.dedup();
            Stored::Graph(found)
        }
        Answer::Solutions(solutions) => {
            let (columns, mut rows) = (solutions.variables, Vec::new());
            for row in solutions.rows {
                rows.push(row?.into_iter().map(|term| term.map(&mut name)).collect::<engine::Row>());
            }
            if !is_ordered(query) {
                rows.sort_by_cached_key(|row| row_line(row));
            }
            Stored::Table { columns, rows }
        }
    })
}

/// The parts of an answer that have a witness.
pub(super) fn items(answer: &Stored) -> Vec<Item<'_>> {
    match answer {
        Stored::Table { columns, rows } => rows.iter().map(|row| Item::Row(columns, row)).collect(),
        Stored::Boolean(value) => {
            if *value {
                vec![Item::True]
            } else {
                Vec::new()
            }
        }
        Stored::Graph(triples) => triples.iter().map(Item::Triple).collect(),
    }
}

type Explained = (Vec<Vec<Quad>>, Vec<RowFacts>);

fn explained(snapshot: &Snapshot, query: &Query, answer: &Stored, options: &EvaluationOptions) -> Result<Explained> {
    let mut explained = Explained::default();
    for item in items(answer) {
        let found = why(snapshot, query, item, options)?.ok_or_else(|| {
            Error::input("what the query computes there is new each time it is asked, so no bundle can show it")
        })?;
        let mut facts = RowFacts { irredundant: found.is_irredundant, absent: Vec::new() };
        absent(&found.grounds, &mut facts.absent);
        explained.0.push(found.statements);
        explained.1.push(facts);
    }
    Ok(explained)
}

fn absent(grounds: &[Ground], found: &mut Vec<String>) {
    for ground in grounds {
        match ground {
            Ground::Absent { pattern } => found.push(pattern.split_whitespace().collect::<Vec<_>>().join(" ")),
            Ground::Members(members) => members.iter().for_each(|member| absent(member, found)),
            Ground::Statement(_) | Ground::Path { .. } | Ground::Whole { .. } => {}
        }
    }
    found.sort_unstable();
    found.dedup();
}

/// The licence that the graph names for itself, if there is one.
fn license(snapshot: &Snapshot) -> Option<String> {
    let property = snapshot.id(NamedNodeRef::new_unchecked(LICENSE).into())?;
    let stated = snapshot.find_in_order([None, Some(property), None]).into_iter();
    stated.map(|[_, _, license, _]| snapshot.term(license)).find_map(|license| match license {
        Term::NamedNode(node) => Some(node.into_string()),
        Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => None,
    })
}

/// SHA-256 of each file that the graph is read from.
fn hashes(graph: &Graph) -> Result<std::collections::BTreeMap<String, String>> {
    if graph.options().snapshot.is_some() {
        return Ok(Default::default());
    }
    let inputs = graph.inputs()?;
    let hash = |input: &kgq_snapshot::store::Input| {
        let text = BufReader::with_capacity(1 << 16, input.open(graph.options().bounds)?);
        let hash = sha256_of(text).map_err(|error| Error::io(&input.name, &error))?;
        Ok((input.name.clone(), hash))
    };
    inputs.iter().map(hash).collect()
}
