//! Queries in which some variables have their values before evaluation begins (SHACL 1.0 §5.3.1, "pre-binding"): what
//! such a query must not do, `$PATH`, and blank nodes as values. `bind.rs` puts the values themselves into the algebra.
//!
//! Nothing is evaluated here: a bound query is an ordinary one, for any evaluator that knows how it writes a blank node.

use super::bind::{Binding, BoundTo, bind, pattern_mut};
use super::functions::{self, Declared};
use super::inspect::calls;
use super::joins::order_within_exists;
use super::operands::operands_mut;
use super::parse::{Form, ParseContext, Query, parse_query};
use super::parts::{Child, for_each_part};
use super::products::as_loops;
use kgq_syntax::bounds::Bounds;
use kgq_syntax::error::{Error, Place, Result, Source};
use kgq_syntax::rdf::path::Path;
use kgq_syntax::rdf::{BlankNode, Literal, NamedNode, NamedOrBlankNode, Prefixes, Term, Triple, Variable};
use kgq_syntax::{Token, significant, sparql};
use spargebra::algebra::{Expression, Function, GraphPattern, PropertyPathExpression};
use spargebra::term::NamedNodePattern;
use std::collections::{BTreeMap, BTreeSet};

/// A query cannot name a blank node of the data as a constant, because a blank node in a pattern acts as a variable. So
/// in patterns it is written as an IRI with this prefix, which the dataset resolves, and in expressions as a call of
/// this function. If nothing resolves it, it matches nothing.
const BLANK_NODE: &str = "urn:x-kgq:blank-node:";

/// Returns the function that returns the blank node with the identifier in its argument. The evaluator must know it.
pub fn blank_node_function() -> NamedNode {
    NamedNode::new_unchecked(BLANK_NODE)
}

pub fn call_blank_node_function(arguments: &[Term]) -> Option<Term> {
    match arguments {
        [Term::Literal(id)] => BlankNode::new(id.value()).ok().map(Term::from),
        _ => None,
    }
}

/// Returns the blank node that an IRI in a bound query stands for.
pub fn blank_node_of(iri: &NamedNode) -> Option<BlankNode> {
    iri.as_str().strip_prefix(BLANK_NODE).and_then(|id| BlankNode::new(id).ok())
}

/// Returns the term with such IRIs replaced by their blank nodes.
pub(crate) fn resolved(term: Term) -> Term {
    match term {
        Term::NamedNode(node) => blank_node_of(&node).map_or_else(|| node.into(), Term::from),
        Term::Triple(triple) => {
            let subject = match triple.subject {
                NamedOrBlankNode::NamedNode(node) => match blank_node_of(&node) {
                    Some(blank) => blank.into(),
                    None => node.into(),
                },
                blank => blank,
            };
            Triple { subject, predicate: triple.predicate, object: resolved(triple.object) }.into()
        }
        term => term,
    }
}

/// Returns the IRI that stands for a blank node in a pattern.
pub(crate) fn blank_node_iri(node: &BlankNode) -> NamedNode {
    NamedNode::new_unchecked(format!("{BLANK_NODE}{}", node.as_str()))
}

/// Returns the call that returns a blank node in an expression.
pub(super) fn blank_node_call(node: &BlankNode) -> Expression {
    let id = Literal::new_simple_literal(node.as_str());
    Expression::FunctionCall(Function::Custom(blank_node_function()), vec![id.into()])
}

/// A SELECT, ASK or CONSTRUCT query whose pre-bound variables are not yet bound.
#[derive(Clone, Debug)]
pub struct Prebound {
    query: Query,
    /// The functions that it calls by an IRI.
    calls: BTreeSet<NamedNode>,
}

/// The variable that stands for the path of a property shape; allowed only as a predicate.
const PATH: &str = "PATH";

/// What is needed to parse the queries of a shapes graph, besides their texts.
#[derive(Clone, Copy)]
pub struct PrebindContext<'a> {
    /// The prefixes that are declared for the query; the text can declare more.
    pub prefixes: &'a Prefixes,
    /// The functions that the shapes graph declares.
    pub functions: &'a Declared,
    pub bounds: Bounds,
}

impl Prebound {
    fn new(query: Query) -> Self {
        let calls = calls(&query.algebra).into_iter().filter(|call| call.arguments.is_some());
        Self { calls: calls.map(|call| call.name).collect(), query }
    }

    /// Parses a query of this form, SELECT or ASK. The variables of `required` will be bound in it, and those of
    /// `optional` may be.
    ///
    /// # Errors
    /// A syntax error, another form, and what §5.2.1 rules out: MINUS, VALUES, SERVICE, a new value for a pre-bound
    /// variable, a subquery that hides one.
    pub fn parse(
        source: Source<'_>,
        known: PrebindContext<'_>,
        form: Form,
        required: &[&str],
        optional: &[&str],
    ) -> Result<Self> {
        let mut query = parse(source, known, form)?;
        Rules { required, optional }.keep(source, &mut query)?;
        Ok(Self::new(query))
    }

    /// Parses the CONSTRUCT query of a rule, in which `$this` will be bound.
    ///
    /// # Errors
    /// Those of [`Prebound::parse`].
    pub fn parse_construct(source: Source<'_>, known: PrebindContext<'_>, optional: &[&str]) -> Result<Self> {
        Self::parse(source, known, Form::Construct, &["this"], optional)
    }

    /// Parses the SELECT query of a target, in which only the target's own parameters will be bound. Without
    /// parameters, it is an ordinary query.
    ///
    /// # Errors
    /// Those of [`Prebound::parse`], and a query that does not select `?this`.
    pub fn parse_target(source: Source<'_>, known: PrebindContext<'_>, parameters: &[&str]) -> Result<Self> {
        let mut query = parse(source, known, Form::Select)?;
        if !parameters.is_empty() {
            Rules { required: &[], optional: parameters }.keep(source, &mut query)?;
        }
        let mut visible = false;
        pattern_mut(&mut query.algebra).on_in_scope_variable(|variable| visible |= variable.as_str() == "this");
        if !visible {
            return Err(Error::input("the query of a target does not select ?this").at(form_of(source).1));
        }
        Ok(Self::new(query))
    }

    /// Parses the body of a function, in which its parameters will be bound.
    ///
    /// # Errors
    /// Those of [`Prebound::parse`], and a SELECT query with more than one column.
    pub fn parse_function(
        source: Source<'_>,
        known: PrebindContext<'_>,
        form: Form,
        required: &[&str],
        optional: &[&str],
    ) -> Result<Self> {
        let prebound = Self::parse(source, known, form, required, optional)?;
        let columns = prebound.columns().map_or(1, <[Variable]>::len);
        if columns != 1 {
            let message = format!("the query of a function selects {columns} columns, and can select only one");
            return Err(Error::input(message).at(form_of(source).1));
        }
        Ok(prebound)
    }

    /// Returns the call of a function as a query whose only column is the result. The arguments will be bound to `?a0`, `?a1`, ….
    ///
    /// # Errors
    /// The function is unknown, or the number of arguments is wrong.
    pub fn parse_call(name: &NamedNode, arguments: usize, known: PrebindContext<'_>) -> Result<Self> {
        let variables = (0..arguments).map(|n| Variable::new_unchecked(argument(n)).into()).collect();
        let pattern = GraphPattern::Extend {
            inner: Box::default(),
            variable: Variable::new_unchecked("result"),
            expression: Expression::FunctionCall(Function::Custom(name.clone()), variables),
        };
        let columns = vec![Variable::new_unchecked("result")];
        let pattern = GraphPattern::Project { inner: Box::new(pattern), variables: columns };
        let mut algebra = spargebra::Query::Select { dataset: None, pattern, base_iri: None };
        functions::lower(&mut algebra);
        functions::refuse_undeclared(Source::new("", ""), &algebra, known.prefixes, known.functions)?;
        Ok(Self::new(Query { algebra }))
    }

    /// Returns the columns of a SELECT.
    pub fn columns(&self) -> Option<&[Variable]> {
        let spargebra::Query::Select { pattern, .. } = &self.query.algebra else { return None };
        let mut pattern = pattern;
        loop {
            match pattern {
                GraphPattern::Distinct { inner }
                | GraphPattern::Reduced { inner }
                | GraphPattern::Slice { inner, .. } => pattern = inner,
                GraphPattern::Project { variables, .. } => return Some(variables),
                _ => return None,
            }
        }
    }

    /// Returns the functions that it calls by an IRI.
    pub fn calls(&self) -> &BTreeSet<NamedNode> {
        &self.calls
    }

    pub fn is_ask(&self) -> bool {
        matches!(self.query.algebra, spargebra::Query::Ask { .. })
    }

    /// Returns the query with the given variables replaced by their values, and `$PATH` by the path.
    pub fn bind(&self, values: &BTreeMap<&str, Term>, path: Option<&Path<NamedNode>>) -> spargebra::Query {
        let mut query = self.query.clone();
        if let Some(path) = path
            && let spargebra::Query::Select { pattern, .. } | spargebra::Query::Ask { pattern, .. } = &mut query.algebra
        {
            replace_path(pattern, &property_path(path));
        }
        let binding = |(name, value): (&&str, &Term)| Binding {
            variable: Variable::new_unchecked(*name),
            value: BoundTo::One(value.clone()),
        };
        bind(&mut query, &values.iter().map(binding).collect::<Vec<_>>());
        let (spargebra::Query::Select { pattern, .. }
        | spargebra::Query::Ask { pattern, .. }
        | spargebra::Query::Construct { pattern, .. }
        | spargebra::Query::Describe { pattern, .. }) = &mut query.algebra;
        as_loops(pattern);
        order_within_exists(pattern);
        query.algebra
    }
}

/// Returns the variable that stands for an argument of a call.
pub fn argument(number: usize) -> String {
    format!("a{number}")
}

fn parse(source: Source<'_>, known: PrebindContext<'_>, form: Form) -> Result<Query> {
    let context = ParseContext { prefixes: known.prefixes, base: None, bounds: known.bounds };
    let query = parse_query(source, context)?;
    if query.form() != form {
        let (found, place) = form_of(source);
        let message = format!("{found} query stands where {} query belongs", form.with_article());
        return Err(Error::input(message).at(place));
    }
    functions::refuse_undeclared(source, &query.algebra, known.prefixes, known.functions)?;
    Ok(query)
}

/// Returns the form of a query that parses, with its article, and the place of its keyword.
fn form_of(source: Source<'_>) -> (&'static str, Place) {
    let forms = [Form::Select, Form::Ask, Form::Construct, Form::Describe];
    let tokens = significant(&sparql::tokenize(source.text));
    let named = tokens.iter().find_map(|token| {
        let form = forms.into_iter().find(|form| token.is_keyword(source.text, form.keyword()))?;
        Some((form.with_article(), source.place(token.span())))
    });
    named.unwrap_or_else(|| ("another", source.place(0..0)))
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

/// Replaces each predicate `$PATH` by the path.
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
        Child::Pattern(inner) => replace_path(inner, path),
        Child::Expression(expression) => replace_path_in_expression(expression, path),
    });
}

fn replace_path_in_expression(expression: &mut Expression, path: &PropertyPathExpression) {
    match expression {
        Expression::Exists(pattern) => replace_path(pattern, path),
        other => operands_mut(other).for_each(|operand| replace_path_in_expression(operand, path)),
    }
}

/// The rules for a query with pre-bound variables.
struct Rules<'a> {
    required: &'a [&'a str],
    optional: &'a [&'a str],
}

/// A broken rule, and the word of the query that breaks it.
struct Broken {
    message: String,
    word: String,
}

fn broken(word: &str, message: impl Into<String>) -> Result<(), Broken> {
    Err(Broken { message: message.into(), word: word.to_owned() })
}

impl Rules<'_> {
    fn keep(&self, source: Source<'_>, query: &mut Query) -> Result<()> {
        self.check(pattern_mut(&mut query.algebra), true).map_err(|Broken { message, word }| {
            let tokens = significant(&sparql::tokenize(source.text));
            let shows = |token: &&Token| {
                token.is_keyword(source.text, &word) || token.variable(source.text) == Some(word.as_str())
            };
            // The last occurrence, because the first may be in the SELECT clause.
            let place = tokens.iter().rev().find(shows).map_or_else(|| form_of(source).1, |t| source.place(t.span()));
            Error::input(message).at(place)
        })
    }

    fn is_prebound(&self, variable: &Variable) -> bool {
        self.required.contains(&variable.as_str()) || self.optional.contains(&variable.as_str())
    }

    fn check(&self, pattern: &mut GraphPattern, outermost: bool) -> Result<(), Broken> {
        // The query's own projection may omit any variable. Solution modifiers around it still belong to the query itself.
        let mut still_outermost = false;
        match pattern {
            GraphPattern::Minus { .. } => {
                broken("MINUS", "MINUS is not allowed where variables are pre-bound; use FILTER NOT EXISTS")?;
            }
            GraphPattern::Values { .. } => {
                broken("VALUES", "VALUES is not allowed where variables are pre-bound; use FILTER with IN")?;
            }
            GraphPattern::Service { .. } => broken("SERVICE", "SERVICE is not allowed in a constraint")?,
            GraphPattern::Extend { variable, .. } if self.is_prebound(variable) => {
                let name = variable.as_str();
                broken(name, format!("`AS ?{name}` gives a new value to a variable that is pre-bound"))?;
            }
            GraphPattern::Project { variables, .. } if !outermost => {
                if let Some(hidden) = self.required.iter().find(|name| !variables.iter().any(|v| v.as_str() == **name))
                {
                    let message = format!("the subquery does not select ${hidden}, so its value is unknown inside");
                    broken("SELECT", message)?;
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
                    Child::Pattern(inner) => self.check(inner, still_outermost),
                    Child::Expression(expression) => self.check_expression(expression),
                };
            }
        });
        result
    }

    fn check_expression(&self, expression: &mut Expression) -> Result<(), Broken> {
        if let Expression::Exists(pattern) = expression {
            return self.check(pattern, false);
        }
        operands_mut(expression).try_for_each(|operand| self.check_expression(operand))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Prebound> {
        let (prefixes, functions) = (Prefixes::default(), Declared::new());
        let known = PrebindContext { prefixes: &prefixes, functions: &functions, bounds: Bounds::default() };
        Prebound::parse(Source::new("q", text), known, Form::Select, &["this"], &[])
    }

    #[test]
    fn a_query_that_does_not_parse_is_refused_in_words_at_its_place() {
        let why = parse("SELECT $this {\n $this brick:x ?y }").err().unwrap().to_string();
        assert!(why.starts_with("q:2:8: ") && why.contains("`brick`"), "{why}");
    }

    #[test]
    fn another_form_is_named() {
        let why = parse("PREFIX e: <urn:e>\nASK { $this e:x ?y }").err().unwrap().to_string();
        assert!(why.starts_with("q:2:1: an ASK query stands where a SELECT query belongs"), "{why}");
    }

    #[test]
    fn a_call_is_a_query_with_one_column() {
        let (prefixes, mut functions) = (Prefixes::default(), Declared::new());
        functions.insert("http://e/f".into(), 1..=2);
        let known = PrebindContext { prefixes: &prefixes, functions: &functions, bounds: Bounds::default() };
        let name = NamedNode::new_unchecked("http://e/f");
        let call = Prebound::parse_call(&name, 2, known).unwrap();
        assert_eq!(call.columns().unwrap().len(), 1);
        assert_eq!(call.calls(), &BTreeSet::from([name.clone()]));
        let why = Prebound::parse_call(&name, 3, known).err().unwrap();
        assert!(why.message().ends_with("takes 1 to 2 arguments, not 3"), "{why}");
        assert!(Prebound::parse_call(&NamedNode::new_unchecked("http://e/g"), 1, known).is_err());
    }

    fn bound(text: &str, values: &[(&str, Term)], path: Option<&Path<NamedNode>>) -> String {
        let values = values.iter().cloned().collect();
        parse(text).unwrap().bind(&values, path).to_sse()
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
            let error = parse(text).unwrap_err();
            assert!(error.message().contains(words), "{text}: {error}");
        }
    }
}
