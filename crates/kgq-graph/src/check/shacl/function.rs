//! Functions that a shapes graph declares (SHACL Advanced Features §4): their parameters and their queries.

use super::dataset::NodeId;
use super::reader::Reader;
use super::sparql::{OPTIONAL, parameter};
use super::vocab as sh;
use kgq_engine::query::Form;
use kgq_engine::query::functions::Declared;
use kgq_engine::query::prebind::{PrebindContext, Prebound};
use kgq_syntax::error::Source;
use kgq_syntax::rdf::{NamedNode, Term};
use std::collections::{BTreeMap, BTreeSet};

/// The SPARQL functions, by name.
#[derive(Default)]
pub(crate) struct Functions {
    functions: BTreeMap<NamedNode, Function>,
}

struct Function {
    /// The names of the parameters, in call order.
    parameters: Vec<String>,
    query: Prebound,
}

impl Functions {
    pub fn has(&self, name: &NamedNode) -> bool {
        self.functions.contains_key(name)
    }

    /// Returns the query of a function, and the values to bind its variables to.
    pub fn bound<'f>(
        &'f self,
        name: &NamedNode,
        arguments: &[Term],
    ) -> Option<(&'f Prebound, BTreeMap<&'f str, Term>)> {
        let function = self.functions.get(name)?;
        let names = function.parameters.iter().map(String::as_str);
        Some((&function.query, names.zip(arguments.iter().cloned()).collect()))
    }
}

/// The declarations of functions, which must be known before reading any query that could call them.
#[derive(Default)]
pub(super) struct Signatures {
    pub declared: Declared,
    /// Functions that are written only in JavaScript.
    pub javascript: BTreeSet<NamedNode>,
    parameters: BTreeMap<NamedNode, Parameters>,
}

struct Parameters {
    names: Vec<String>,
    /// The number of parameters that a call must give.
    least: usize,
}

pub(super) fn read_signatures(reader: &mut Reader<'_>) -> Signatures {
    let mut signatures = Signatures::default();
    for function in reader.instances(sh::SPARQL_FUNCTION) {
        let Some(name) = reader.dataset.as_iri(function) else {
            reader.fault(function, "a function needs an IRI, by which it is called");
            continue;
        };
        let Some(parameters) = parameters(reader, function) else { continue };
        signatures.declared.insert(name.as_str().to_owned(), parameters.least..=parameters.names.len());
        signatures.parameters.insert(name, parameters);
    }
    for function in reader.instances(sh::JS_FUNCTION) {
        let Some(name) = reader.dataset.as_iri(function) else { continue };
        if !signatures.parameters.contains_key(&name) {
            signatures.declared.insert(name.as_str().to_owned(), 0..=usize::MAX);
            signatures.javascript.insert(name);
            reader.not_run(function, "a function in JavaScript is not run, nor is what calls it");
        }
    }
    signatures
}

/// The parameters in call order: by `sh:order` if any has one, else by name (§4.2).
fn parameters(reader: &mut Reader<'_>, function: NodeId) -> Option<Parameters> {
    let mut found = Vec::new();
    for node in reader.objects(function, sh::PARAMETER) {
        let order = reader.order(node);
        found.push((order, parameter(reader, function, node)?));
    }
    found.sort_by(|(a, p), (b, q)| a.total_cmp(b).then_with(|| p.name.cmp(&q.name)));
    let least = found.iter().rposition(|(_, parameter)| !parameter.optional).map_or(0, |last| last + 1);
    let names: Vec<String> = found.into_iter().map(|(_, parameter)| parameter.name).collect();
    let distinct: BTreeSet<&String> = names.iter().collect();
    if distinct.len() < names.len() {
        reader.fault(function, "a function needs parameters of different names");
        return None;
    }
    Some(Parameters { names, least })
}

/// Reads the functions that have a query, and remarks on what is wrong with the others.
pub(super) fn read_functions(reader: &mut Reader<'_>) -> Functions {
    let signatures = std::mem::take(&mut reader.functions.parameters);
    let mut functions = BTreeMap::new();
    for (name, Parameters { names, least }) in signatures {
        let Some(node) = reader.dataset.iri(name.as_ref()) else { continue };
        let (property, form) = match [sh::SELECT, sh::ASK].map(|property| !reader.objects(node, property).is_empty()) {
            [true, false] => (sh::SELECT, Form::Select),
            [false, true] => (sh::ASK, Form::Ask),
            _ => {
                reader.fault(node, "a function needs either sh:select or sh:ask");
                continue;
            }
        };
        let (required, optional) = names.split_at(least);
        let required: Vec<&str> = required.iter().map(String::as_str).collect();
        let optional: Vec<&str> = optional.iter().map(String::as_str).chain(OPTIONAL).collect();
        let parse = |source: Source<'_>, known: PrebindContext<'_>| {
            Prebound::parse_function(source, known, form, &required, &optional)
        };
        if let Some(query) = reader.query(node, node, property, &parse) {
            functions.insert(name, Function { parameters: names, query });
        }
    }
    Functions { functions }
}
