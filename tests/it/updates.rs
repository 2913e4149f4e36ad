//! Random sequences of update operations, compared with a model over sets of statements: patterns are matched term by term, and
//! every operation follows SPARQL 1.1 Update. If all literals are canonical, Oxigraph's store must agree as well.
//!
//! A failure names its seed. `KGQ_UPDATES=100000` runs that many instead of the few of every test run, from `KGQ_UPDATES_SEED`.

use crate::dice::Dice;
use crate::isomorphic::isomorphic;
use kgq_engine::EvaluationOptions;
use kgq_engine::query::{ParseContext, parse_update};
use kgq_engine::update::update;
use kgq_snapshot::Snapshot;
use kgq_syntax::bounds::Bounds;
use kgq_syntax::error::Source;
use kgq_syntax::rdf::{BlankNode, GraphName, NamedNode, NamedOrBlankNode, Prefixes, Quad, Term};
use oxigraph::sparql::SparqlEvaluator;
use oxigraph::store::Store;
use oxttl::TriGParser;
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

const PREFIXES: &str = "PREFIX : <http://e/>\n";

const NODES: [&str; 3] = [":a", ":b", ":g"];
const PREDICATES: [&str; 2] = [":p", ":q"];
const CANONICAL: [&str; 5] = ["1", "2", "\"a\"", "\"a\"@en", "<<( :a :p 1 )>>"];
const ODD: [&str; 8] = ["1", "01", "1.0", "1.00", "\"1\"^^:t", "\"a\"@en", "<<( :a :p 01 )>>", "<<( :a :p 1 )>>"];
const GRAPHS: [&str; 3] = ["", ":g", ":h"];
const VARIABLES: [&str; 3] = ["?x", "?y", "?z"];

/// A statement, or a pattern or template of one: subject, predicate, object, and the graph (none for the default one).
type Places = [String; 4];

/// An operation that can be written as SPARQL and run on the model.
enum Operation {
    InsertData(Vec<Places>),
    DeleteData(Vec<Places>),
    /// WITH, USING, USING NAMED; the templates and the pattern.
    Modify {
        with: String,
        using: Vec<String>,
        named: Vec<String>,
        delete: Vec<Places>,
        insert: Vec<Places>,
        pattern: Vec<Places>,
    },
    DeleteWhere(Vec<Places>),
    /// CLEAR or DROP.
    Clear(String, bool),
    /// COPY, MOVE or ADD.
    Transfer(&'static str, String, String),
    Create(String),
}

struct Random {
    dice: Dice,
    canonical: bool,
}

impl Random {
    fn graph(&mut self) -> String {
        self.dice.pick(&GRAPHS).to_owned()
    }

    fn statement(&mut self, blank: bool) -> Places {
        let object = match self.dice.below(3) {
            0 => self.dice.pick(&NODES),
            _ if self.canonical => self.dice.pick(&CANONICAL),
            _ => self.dice.pick(&ODD),
        };
        let subject = if blank && self.dice.once_in(4) { "_:n" } else { self.dice.pick(&NODES) };
        [subject.to_owned(), self.dice.pick(&PREDICATES).to_owned(), object.to_owned(), self.graph()]
    }

    /// A statement with variables for some of its terms, possibly also for the graph.
    fn pattern(&mut self, blank: bool) -> Places {
        let mut places = self.statement(blank);
        for (place, once_in) in [(0, 2), (1, 3), (2, 2), (3, 4)] {
            if self.dice.once_in(once_in) && places[place] != "_:n" {
                places[place] = self.dice.pick(&VARIABLES).to_owned();
            }
        }
        places
    }

    fn several(&mut self, most: usize, mut make: impl FnMut(&mut Self) -> Places) -> Vec<Places> {
        let count = 1 + self.dice.below(most);
        (0..count).map(|_| make(self)).collect()
    }

    fn operation(&mut self) -> Operation {
        match self.dice.below(10) {
            0 => Operation::InsertData(self.several(4, |random| random.statement(true))),
            1 | 2 => Operation::DeleteData(self.several(4, |random| random.statement(false))),
            3 => Operation::DeleteWhere(self.several(2, |random| random.pattern(false))),
            4 => Operation::Clear(
                self.dice.pick(&["DEFAULT", "NAMED", "ALL", "GRAPH :g", "GRAPH :h"]).to_owned(),
                self.dice.once_in(2),
            ),
            5 => {
                let kind = ["COPY", "MOVE", "ADD"][self.dice.below(3)];
                Operation::Transfer(kind, self.graph(), self.graph())
            }
            6 => Operation::Create(self.dice.pick(&[":g", ":h", ":new"]).to_owned()),
            _ => {
                let with = if self.dice.once_in(3) { self.graph() } else { String::new() };
                let (mut using, mut named) = (Vec::new(), Vec::new());
                if self.dice.once_in(4) {
                    using = [":g", ":h"][..=self.dice.below(2)].iter().map(|name| (*name).to_owned()).collect();
                }
                if self.dice.once_in(5) {
                    named.push(self.dice.pick(&[":g", ":h"]).to_owned());
                }
                let delete =
                    if self.dice.once_in(3) { Vec::new() } else { self.several(2, |random| random.pattern(false)) };
                let insert = if delete.is_empty() || self.dice.once_in(2) {
                    self.several(2, |random| random.pattern(true))
                } else {
                    Vec::new()
                };
                Operation::Modify {
                    with,
                    using,
                    named,
                    delete,
                    insert,
                    pattern: self.several(2, |random| random.pattern(false)),
                }
            }
        }
    }
}

fn written(places: &[Places]) -> String {
    let mut text = String::new();
    for [subject, predicate, object, graph] in places {
        let triple = format!("{subject} {predicate} {object}");
        // Writing to a `String` cannot fail.
        let _ =
            if graph.is_empty() { write!(text, "{triple} . ") } else { write!(text, "GRAPH {graph} {{ {triple} }} ") };
    }
    text
}

fn graph_or_default(graph: &str) -> String {
    if graph.is_empty() { "DEFAULT".to_owned() } else { format!("GRAPH {graph}") }
}

impl Operation {
    fn text(&self) -> String {
        match self {
            Self::InsertData(data) => format!("INSERT DATA {{ {}}}", written(data)),
            Self::DeleteData(data) => format!("DELETE DATA {{ {}}}", written(data)),
            Self::DeleteWhere(pattern) => format!("DELETE WHERE {{ {}}}", written(pattern)),
            Self::Clear(target, drop) => format!("{} SILENT {target}", if *drop { "DROP" } else { "CLEAR" }),
            Self::Transfer(kind, from, to) => {
                format!("{kind} SILENT {} TO {}", graph_or_default(from), graph_or_default(to))
            }
            Self::Create(graph) => format!("CREATE SILENT GRAPH {graph}"),
            Self::Modify { with, using, named, delete, insert, pattern } => {
                let mut text = String::new();
                if !with.is_empty() {
                    let _ = write!(text, "WITH {with} ");
                }
                if !delete.is_empty() {
                    let _ = write!(text, "DELETE {{ {}}} ", written(delete));
                }
                if !insert.is_empty() {
                    let _ = write!(text, "INSERT {{ {}}} ", written(insert));
                }
                using.iter().for_each(|graph| text.push_str(&format!("USING {graph} ")));
                named.iter().for_each(|graph| text.push_str(&format!("USING NAMED {graph} ")));
                let _ = write!(text, "WHERE {{ {}}}", written(pattern));
                text
            }
        }
    }
}

/// The model: a set of statements, the existing graphs, and a count of the blank nodes made.
#[derive(Default)]
struct Model {
    quads: HashSet<Quad>,
    graphs: HashSet<String>,
    made: usize,
}

type Solution = BTreeMap<String, Term>;

fn parsed(text: &str) -> Term {
    let text = format!("{PREFIXES} :s :o {text} .");
    TriGParser::new().for_slice(&text).next().unwrap().unwrap().object
}

fn named(text: &str) -> GraphName {
    match text {
        "" => GraphName::DefaultGraph,
        text => NamedNode::new_unchecked(text.replacen(':', "http://e/", 1)).into(),
    }
}

fn name_term(graph: &GraphName) -> Option<Term> {
    match graph {
        GraphName::NamedNode(node) => Some(node.clone().into()),
        GraphName::BlankNode(node) => Some(node.clone().into()),
        GraphName::DefaultGraph => None,
    }
}

/// Matches a place of a pattern with a term, binding its variable; returns false if the values differ.
fn unify(place: &str, term: &Term, solution: &mut Solution) -> bool {
    if !place.starts_with('?') {
        return parsed(place) == *term;
    }
    solution.entry(place.to_owned()).or_insert_with(|| term.clone()) == term
}

impl Model {
    fn solutions(&self, pattern: &[Places], default: &[GraphName], allowed: Option<&[GraphName]>) -> Vec<Solution> {
        let mut solutions = vec![Solution::new()];
        for [subject, predicate, object, graph] in pattern {
            let mut found = Vec::new();
            for solution in &solutions {
                // A merge of several graphs contains each triple once.
                let mut seen = HashSet::new();
                for quad in &self.quads {
                    let mut solution = solution.clone();
                    let in_graph = match name_term(&quad.graph_name) {
                        _ if graph.is_empty() => default.contains(&quad.graph_name),
                        Some(name) => {
                            allowed.is_none_or(|names| names.contains(&quad.graph_name))
                                && unify(graph, &name, &mut solution)
                        }
                        None => false,
                    };
                    let fits = in_graph
                        && unify(subject, &quad.subject.clone().into(), &mut solution)
                        && unify(predicate, &quad.predicate.clone().into(), &mut solution)
                        && unify(object, &quad.object, &mut solution);
                    let once =
                        graph.is_empty().then(|| (quad.subject.clone(), quad.predicate.clone(), quad.object.clone()));
                    if fits && once.is_none_or(|triple| seen.insert(triple)) {
                        found.push(solution);
                    }
                }
            }
            solutions = found;
        }
        solutions
    }

    fn instance(&mut self, template: &Places, with: &str, solution: &Solution, blank: &BlankNode) -> Option<Quad> {
        let value = |place: &str| match place {
            "_:n" => Some(blank.clone().into()),
            place if place.starts_with('?') => solution.get(place).cloned(),
            place => Some(parsed(place)),
        };
        let node = |term: Term| match term {
            Term::NamedNode(node) => Some(NamedOrBlankNode::from(node)),
            Term::BlankNode(node) => Some(node.into()),
            Term::Literal(_) | Term::Triple(_) => None,
        };
        let [subject, predicate, object, graph] = template;
        let graph_name = match graph.as_str() {
            "" => named(with),
            graph => node(value(graph)?)?.into(),
        };
        let Term::NamedNode(predicate) = value(predicate)? else { return None };
        Some(Quad { subject: node(value(subject)?)?, predicate, object: value(object)?, graph_name })
    }

    fn insert(&mut self, quad: Quad) {
        self.graphs.insert(quad.graph_name.to_string());
        self.quads.insert(quad);
    }

    fn blank(&mut self) -> BlankNode {
        self.made += 1;
        BlankNode::new_unchecked(format!("made{}", self.made))
    }

    fn run(&mut self, operation: &Operation) {
        match operation {
            Operation::InsertData(data) => {
                let blank = self.blank();
                for places in data {
                    let quad = self.instance(places, "", &Solution::new(), &blank).unwrap();
                    self.insert(quad);
                }
            }
            Operation::DeleteData(data) => {
                for places in data {
                    let quad = self.instance(places, "", &Solution::new(), &BlankNode::default()).unwrap();
                    self.quads.remove(&quad);
                }
            }
            Operation::DeleteWhere(pattern) => self.modify("", &[named("")], None, pattern, &[], pattern),
            Operation::Modify { with, using, named: from_named, delete, insert, pattern } => {
                let stated = !using.is_empty() || !from_named.is_empty();
                let names = |names: &[String]| names.iter().map(|name| named(name)).collect::<Vec<_>>();
                let default = if stated { names(using) } else { vec![named(with)] };
                let allowed = names(from_named);
                self.modify(with, &default, stated.then_some(allowed.as_slice()), delete, insert, pattern);
            }
            Operation::Clear(target, drop) => {
                let hit = |graph: &GraphName| match target.as_str() {
                    "DEFAULT" => *graph == GraphName::DefaultGraph,
                    "NAMED" => *graph != GraphName::DefaultGraph,
                    "ALL" => true,
                    one => *graph == named(one.trim_start_matches("GRAPH ")),
                };
                self.quads.retain(|quad| !hit(&quad.graph_name));
                if *drop {
                    self.graphs.retain(|name| !hit(&named(&name.replace("http://e/", ":").replace(['<', '>'], ""))));
                }
            }
            Operation::Transfer(kind, from, to) => {
                let (from, to) = (named(from), named(to));
                if from == to || (from != GraphName::DefaultGraph && !self.graphs.contains(&from.to_string())) {
                    return;
                }
                let of_graph = self.quads.iter().filter(|quad| quad.graph_name == from);
                let moved: Vec<Quad> = of_graph.map(|quad| Quad { graph_name: to.clone(), ..quad.clone() }).collect();
                if *kind != "ADD" {
                    self.quads.retain(|quad| quad.graph_name != to);
                }
                self.graphs.insert(to.to_string());
                moved.into_iter().for_each(|quad| self.insert(quad));
                if *kind == "MOVE" {
                    self.quads.retain(|quad| quad.graph_name != from);
                    self.graphs.remove(&from.to_string());
                }
            }
            Operation::Create(graph) => {
                self.graphs.insert(named(graph).to_string());
            }
        }
    }

    fn modify(
        &mut self,
        with: &str,
        default: &[GraphName],
        allowed: Option<&[GraphName]>,
        delete: &[Places],
        insert: &[Places],
        pattern: &[Places],
    ) {
        let solutions = self.solutions(pattern, default, allowed);
        let (mut deleted, mut inserted) = (Vec::new(), Vec::new());
        for solution in &solutions {
            let blank = self.blank();
            deleted.extend(delete.iter().filter_map(|template| self.instance(template, with, solution, &blank)));
            inserted.extend(insert.iter().filter_map(|template| self.instance(template, with, solution, &blank)));
        }
        self.quads.retain(|quad| !deleted.contains(quad));
        inserted.into_iter().for_each(|quad| self.insert(quad));
    }
}

fn ours(data: &[Quad], text: &str) -> Vec<Quad> {
    let (source, prefixes) = (Source::new("<update>", text), Prefixes::new());
    let context = ParseContext { prefixes: &prefixes, base: None, bounds: Bounds::default() };
    let parsed = parse_update(source, context).unwrap_or_else(|e| panic!("{e} in {text}"));
    let image = Snapshot::from_quads(data.iter().cloned()).unwrap();
    let change = update(&image, source, &parsed, &EvaluationOptions::default());
    let change = change.unwrap_or_else(|e| panic!("{e} in {text}"));
    let old: HashSet<&Quad> = data.iter().collect();
    assert!(change.removed.iter().all(|quad| old.contains(quad)), "removes what was not there: {text}");
    assert!(!change.added.iter().any(|quad| old.contains(quad)), "adds what was there: {text}");
    let kept = data.iter().filter(|quad| !change.removed.contains(quad));
    kept.chain(&change.added).cloned().collect()
}

pub fn oxigraphs(data: &[Quad], text: &str) -> Vec<Quad> {
    let store = Store::new().unwrap();
    store.extend(data.iter().cloned()).unwrap();
    SparqlEvaluator::new().parse_update(text).unwrap().on_store(&store).execute().unwrap();
    store.iter().map(|quad| quad.unwrap()).collect()
}

/// A random case: a dataset, an update, and the model's result.
pub struct Case {
    pub quads: Vec<Quad>,
    pub text: String,
    pub expected: Vec<Quad>,
    /// Whether Oxigraph's store must give the same result.
    pub is_told_by_oxigraph: bool,
    /// A description of the whole case, for messages.
    pub told: String,
}

impl Case {
    pub fn of(seed: u64) -> Self {
        let mut random = Random { dice: Dice::new(seed), canonical: seed.is_multiple_of(2) };
        let mut model = Model::default();
        let data = Operation::InsertData((0..random.dice.below(14)).map(|_| random.statement(true)).collect());
        model.run(&data);
        let quads: Vec<Quad> = model.quads.iter().cloned().collect();
        let operations: Vec<Operation> = (0..=random.dice.below(4)).map(|_| random.operation()).collect();
        // Two INSERT DATA may not share the label of a blank node.
        let text = operations.iter().enumerate().map(|(number, op)| op.text().replace("_:n", &format!("_:n{number}")));
        let text: Vec<String> = text.collect();
        let text = format!("{PREFIXES}{}", text.join(" ;\n"));
        operations.iter().for_each(|operation| model.run(operation));
        let expected: Vec<Quad> = model.quads.iter().cloned().collect();
        let given: Vec<String> = quads.iter().map(Quad::to_string).collect();
        let told = format!("seed {seed}\n{}\n{text}", given.join("\n"));
        // Transfers are not compared. In Oxigraph's store, as here, a graph persists after its last statement is removed; but
        // copying from a missing graph does nothing there.
        let transfers = operations.iter().any(|operation| matches!(operation, Operation::Transfer(..)));
        Self { quads, text, expected, is_told_by_oxigraph: random.canonical && !transfers, told }
    }
}

/// Runs one random case; returns how many statements it changes.
fn run(seed: u64) -> usize {
    let Case { quads, text, expected, is_told_by_oxigraph, told } = Case::of(seed);
    isomorphic(&ours(&quads, &text), &expected).unwrap_or_else(|why| panic!("{why}\n{told}"));
    if is_told_by_oxigraph {
        isomorphic(&oxigraphs(&quads, &text), &expected).unwrap_or_else(|why| panic!("Oxigraph: {why}\n{told}"));
    }
    let old: HashSet<&Quad> = quads.iter().collect();
    expected.iter().filter(|quad| !old.contains(quad)).count() + old.len().abs_diff(expected.len())
}

pub fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |value| value.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

#[test]
fn random_updates_change_what_the_standard_says() {
    let (count, first) = (number("KGQ_UPDATES", 400), number("KGQ_UPDATES_SEED", 1));
    let changing = (first..first + count).filter(|seed| run(*seed) > 0).count() as u64;
    assert!(changing * 3 > count, "only {changing} of {count} updates change something");
}
