//! Queries of which some variables have their values before evaluation begins (SHACL 1.0 §5.3.1, "pre-binding"): what such a
//! query must not do, `$PATH`, and blank nodes as values. The values themselves are put into the algebra by `bind.rs`.
//!
//! It does not evaluate: the bound query is an ordinary one, for any evaluator that knows how a blank node is written here.

use super::bind::{Binding, Value, bind};
use super::functions;
use super::operands::operands_mut;
use super::parse::{ParseContext, Query, parse_query};
use super::parts::{Part, for_each_part};
use kgq_syntax::bounds::Bounds;
use kgq_syntax::error::Source;
use kgq_syntax::rdf::path::Path;
use kgq_syntax::rdf::{BlankNode, Literal, NamedNode, Prefixes, Term, Variable};
use kgq_syntax::{significant, sparql, strict};
use spargebra::SparqlParser;
use spargebra::algebra::{Expression, Function, GraphPattern, PropertyPathExpression};
use spargebra::term::NamedNodePattern;
use std::collections::BTreeMap;

/// A constant query has no way to name a blank node of the data: a blank node in a pattern is a variable. So one is
/// written as an IRI of this prefix in patterns, for the dataset to resolve, and as a call of this function in expressions.
/// Where nobody resolves it, it matches nothing.
const BLANK_NODE: &str = "urn:x-kgq:blank-node:";

/// The function, to be known to the evaluator, that gives the blank node with the identifier in its argument.
pub fn blank_node_function() -> NamedNode {
    NamedNode::new_unchecked(BLANK_NODE)
}

pub fn call_blank_node_function(arguments: &[Term]) -> Option<Term> {
    match arguments {
        [Term::Literal(id)] => BlankNode::new(id.value()).ok().map(Term::from),
        _ => None,
    }
}

/// The blank node that an IRI in a bound query stands for.
pub fn blank_node_of(iri: &NamedNode) -> Option<BlankNode> {
    iri.as_str().strip_prefix(BLANK_NODE).and_then(|id| BlankNode::new(id).ok())
}

/// The IRI that stands for a blank node in a pattern.
pub(super) fn blank_node_iri(node: &BlankNode) -> NamedNode {
    NamedNode::new_unchecked(format!("{BLANK_NODE}{}", node.as_str()))
}

/// The call that gives a blank node in an expression.
pub(super) fn blank_node_call(node: &BlankNode) -> Expression {
    let id = Literal::new_simple_literal(node.as_str());
    Expression::FunctionCall(Function::Custom(blank_node_function()), vec![id.into()])
}

/// A SELECT, ASK or CONSTRUCT query whose pre-bound variables are not yet bound.
#[derive(Clone, Debug)]
pub struct Prebound {
    query: Query,
}

/// The variable that stands for the path of a property shape, in the place of a predicate only.
const PATH: &str = "PATH";

impl Prebound {
    /// Parses a query in which the variables of `required` will be bound, and those of `optional` may be.
    ///
    /// Fails with a message for the reader on a syntax error, on another query form than SELECT and ASK, and on what §5.2.1
    /// rules out: MINUS, VALUES, SERVICE, a new value for a pre-bound variable, a subquery that hides one.
    pub fn parse(
        text: &str,
        prefixes: &[(String, String)],
        required: &[&str],
        optional: &[&str],
    ) -> Result<Self, String> {
        let mut algebra = parse(text, prefixes)?;
        let (spargebra::Query::Select { pattern, .. } | spargebra::Query::Ask { pattern, .. }) = &mut algebra else {
            return Err("neither a SELECT nor an ASK query".into());
        };
        Rules { required, optional }.check(pattern, true)?;
        Ok(Self { query: Query { algebra } })
    }

    /// Parses the CONSTRUCT query of a rule, in which `$this` will be bound.
    pub fn parse_construct(text: &str, prefixes: &[(String, String)], optional: &[&str]) -> Result<Self, String> {
        let mut algebra = parse(text, prefixes)?;
        let spargebra::Query::Construct { pattern, .. } = &mut algebra else {
            return Err("no CONSTRUCT query".into());
        };
        Rules { required: &["this"], optional }.check(pattern, true)?;
        Ok(Self { query: Query { algebra } })
    }

    /// Parses the SELECT query of a target, in which only the target's own parameters will be bound. Without any, it is a
    /// query like all others.
    pub fn parse_target(text: &str, prefixes: &[(String, String)], parameters: &[&str]) -> Result<Self, String> {
        let mut algebra = parse(text, prefixes)?;
        let spargebra::Query::Select { pattern, .. } = &mut algebra else {
            return Err("no SELECT query".into());
        };
        if !parameters.is_empty() {
            Rules { required: &[], optional: parameters }.check(pattern, true)?;
        }
        let mut visible = false;
        pattern.on_in_scope_variable(|variable| visible |= variable.as_str() == "this");
        if !visible {
            return Err("it does not select ?this".into());
        }
        Ok(Self { query: Query { algebra } })
    }

    pub fn is_ask(&self) -> bool {
        matches!(self.query.algebra, spargebra::Query::Ask { .. })
    }

    /// The query with the given variables replaced by their values, and `$PATH` by the path.
    pub fn bind(&self, values: &BTreeMap<&str, Term>, path: Option<&Path<NamedNode>>) -> spargebra::Query {
        let mut query = self.query.clone();
        if let Some(path) = path
            && let spargebra::Query::Select { pattern, .. } | spargebra::Query::Ask { pattern, .. } = &mut query.algebra
        {
            replace_path(pattern, &property_path(path));
        }
        let binding = |(name, value): (&&str, &Term)| Binding {
            variable: Variable::new_unchecked(*name),
            value: Value::One(value.clone()),
        };
        bind(&mut query, &values.iter().map(binding).collect::<Vec<_>>());
        query.algebra
    }
}

fn parse(text: &str, prefixes: &[(String, String)]) -> Result<spargebra::Query, String> {
    let mut parser = SparqlParser::new();
    for (prefix, namespace) in prefixes {
        parser = parser.with_prefix(prefix, namespace).map_err(|e| format!("prefix `{prefix}`: {e}"))?;
    }
    let as_read = strict::as_read(text, &significant(&sparql::tokenize(text)));
    let refused = |refusal: String| in_words(text, prefixes).unwrap_or(refusal);
    let algebra = parser.parse_query(&as_read.text);
    let mut algebra = algebra.map_err(|refusal| refused(as_read.as_written(&refusal.to_string())))?;
    functions::lower(&mut algebra);
    let known: Prefixes = prefixes.iter().cloned().collect();
    functions::refuse_unknown(Source::new("", text), &algebra, &known).map_err(|e| e.message().to_owned())?;
    Ok(algebra)
}

/// What is wrong with a query, as it is said of queries anywhere.
fn in_words(text: &str, prefixes: &[(String, String)]) -> Option<String> {
    let known: Prefixes = prefixes.iter().cloned().collect();
    let context = ParseContext { prefixes: &known, base: None, bounds: Bounds::default() };
    let error = parse_query(Source::new("the query", text), context).err()?;
    let line = error.place().map_or_else(String::new, |place| format!("line {}: ", place.line));
    Some(format!("{line}{}", error.message()))
}

fn property_path(path: &Path<NamedNode>) -> PropertyPathExpression {
    use PropertyPathExpression as P;
    let chain = |parts: &[Path<NamedNode>], join: fn(Box<P>, Box<P>) -> P| {
        let parts = parts.iter().map(property_path);
        parts.reduce(|a, b| join(Box::new(a), Box::new(b))).expect("a sequence or an alternative has members")
    };
    match path {
        Path::Predicate(p) => P::NamedNode(p.clone()),
        Path::Inverse(inner) => P::Reverse(Box::new(property_path(inner))),
        Path::Sequence(steps) => chain(steps, P::Sequence),
        Path::Alternative(branches) => chain(branches, P::Alternative),
        Path::ZeroOrMore(inner) => P::ZeroOrMore(Box::new(property_path(inner))),
        Path::OneOrMore(inner) => P::OneOrMore(Box::new(property_path(inner))),
        Path::ZeroOrOne(inner) => P::ZeroOrOne(Box::new(property_path(inner))),
    }
}

/// Puts the path in the place of each predicate `$PATH`.
fn replace_path(pattern: &mut GraphPattern, path: &PropertyPathExpression) {
    if let GraphPattern::Bgp { patterns } = pattern {
        let is_path = |p: &NamedNodePattern| matches!(p, NamedNodePattern::Variable(v) if v.as_str() == PATH);
        let (with, without): (Vec<_>, Vec<_>) =
            std::mem::take(patterns).into_iter().partition(|triple| is_path(&triple.predicate));
        let rest = GraphPattern::Bgp { patterns: without };
        *pattern = with.into_iter().fold(rest, |left, triple| GraphPattern::Join {
            left: Box::new(left),
            right: Box::new(GraphPattern::Path { subject: triple.subject, path: path.clone(), object: triple.object }),
        });
        return;
    }
    for_each_part(pattern, &mut |part| match part {
        Part::Pattern(inner) => replace_path(inner, path),
        Part::Expression(expression) => replace_path_in_expression(expression, path),
    });
}

fn replace_path_in_expression(expression: &mut Expression, path: &PropertyPathExpression) {
    match expression {
        Expression::Exists(pattern) => replace_path(pattern, path),
        other => operands_mut(other).for_each(|operand| replace_path_in_expression(operand, path)),
    }
}

/// What a query with pre-bound variables must not do.
struct Rules<'a> {
    required: &'a [&'a str],
    optional: &'a [&'a str],
}

impl Rules<'_> {
    fn is_prebound(&self, variable: &Variable) -> bool {
        self.required.contains(&variable.as_str()) || self.optional.contains(&variable.as_str())
    }

    fn check(&self, pattern: &mut GraphPattern, outermost: bool) -> Result<(), String> {
        // The query's own projection may leave out what it likes; what solution modifiers wrap is still the query itself.
        let mut still_outermost = false;
        match pattern {
            GraphPattern::Minus { .. } => {
                return Err("MINUS is not allowed where variables are pre-bound; use FILTER NOT EXISTS".into());
            }
            GraphPattern::Values { .. } => {
                return Err("VALUES is not allowed where variables are pre-bound; use FILTER with IN".into());
            }
            GraphPattern::Service { .. } => return Err("SERVICE is not allowed in a constraint".into()),
            GraphPattern::Extend { variable, .. } if self.is_prebound(variable) => {
                return Err(format!("`AS ?{}` gives a new value to a variable that is pre-bound", variable.as_str()));
            }
            GraphPattern::Project { variables, .. } if !outermost => {
                if let Some(hidden) = self.required.iter().find(|name| !variables.iter().any(|v| v.as_str() == **name))
                {
                    return Err(format!("the subquery does not select ${hidden}, so its value is unknown inside"));
                }
            }
            GraphPattern::Distinct { .. } | GraphPattern::Reduced { .. } | GraphPattern::Slice { .. } => {
                still_outermost = outermost;
            }
            _ => {}
        }
        let mut result = Ok(());
        for_each_part(pattern, &mut |part| {
            if result.is_ok() {
                result = match part {
                    Part::Pattern(inner) => self.check(inner, still_outermost),
                    Part::Expression(expression) => self.check_expression(expression),
                };
            }
        });
        result
    }

    fn check_expression(&self, expression: &mut Expression) -> Result<(), String> {
        if let Expression::Exists(pattern) = expression {
            return self.check(pattern, false);
        }
        operands_mut(expression).try_for_each(|operand| self.check_expression(operand))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_that_does_not_parse_is_refused_in_words() {
        let why = Prebound::parse("SELECT $this {\n $this brick:x ?y }", &[], &["this"], &[]).err().unwrap();
        assert!(why.starts_with("line 2: ") && why.contains("`brick`"), "{why}");
    }

    fn bound(text: &str, values: &[(&str, Term)], path: Option<&Path<NamedNode>>) -> String {
        let values = values.iter().cloned().collect();
        Prebound::parse(text, &[], &["this"], &[]).unwrap().bind(&values, path).to_sse()
    }

    #[test]
    fn a_path_stands_in_the_place_of_its_variable_in_exists_too() {
        let path = Path::Inverse(Box::new(Path::Predicate(NamedNode::new_unchecked("urn:p"))));
        let text = "SELECT $this { $this ?q ?o . FILTER EXISTS { $this $PATH ?v } }";
        let sse = bound(text, &[("this", NamedNode::new_unchecked("urn:t").into())], Some(&path));
        assert!(sse.contains("(path <urn:t> (reverse <urn:p>) ?v)"), "{sse}");
        assert!(!sse.contains("PATH"), "{sse}");
    }

    #[test]
    fn a_blank_node_is_an_iri_in_patterns_and_a_call_in_expressions() {
        let this: Term = BlankNode::new_unchecked("b").into();
        let sse = bound("SELECT ?o { $this <urn:p> ?o FILTER (?o != $this) }", &[("this", this.clone())], None);
        assert!(sse.contains("(triple <urn:x-kgq:blank-node:b> <urn:p> ?o)"), "{sse}");
        assert!(sse.contains("<urn:x-kgq:blank-node:> \"b\""), "{sse}");
        assert_eq!(
            blank_node_of(&NamedNode::new_unchecked("urn:x-kgq:blank-node:b")).map(Term::from),
            Some(this.clone())
        );
        assert_eq!(call_blank_node_function(&[Literal::new_simple_literal("b").into()]), Some(this));
    }

    #[test]
    fn what_pre_binding_rules_out_is_said() {
        for (text, words) in [
            ("SELECT $this { $this ?p ?o MINUS { ?s ?p 1 } }", "MINUS"),
            ("SELECT $this { FILTER EXISTS { VALUES ?x { 1 } } }", "VALUES"),
            ("SELECT $this { BIND (1 AS ?this) }", "new value"),
            ("SELECT $this { { SELECT ?x { ?x ?p ?o } } }", "does not select $this"),
        ] {
            let error = Prebound::parse(text, &[], &["this"], &[]).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
