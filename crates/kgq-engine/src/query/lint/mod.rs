//! Finds what usually is a mistake in a query, from its algebra alone. Nothing here knows the data.

mod language;
mod optionals;
#[cfg(test)]
mod tests;
mod unused;

use super::atoms::in_scope;
use super::inspect::{all_variables, expressions_patterns, variables_outside_exists};
use super::parse::Query;
use kgq_syntax::budget::Budget;
use kgq_syntax::rdf::{NamedNode, Variable};
use spargebra::algebra::{AggregateExpression, Expression, GraphPattern, OrderExpression, PropertyPathExpression};
use spargebra::term::{NamedNodePattern, TermPattern, TriplePattern};

/// Something that usually is a mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lint {
    pub code: &'static str,
    pub message: String,
    pub hint: Option<String>,
    /// The variable that it is about. Its last occurrence is the place to look at.
    pub variable: Option<Variable>,
    /// The property on which the mistake depends: it is one only if a subject can have several values of it.
    pub if_several: Option<NamedNode>,
}

impl Lint {
    fn new(code: &'static str, variable: Option<&Variable>, message: String, hint: Option<&str>) -> Self {
        Self { code, message, hint: hint.map(str::to_owned), variable: variable.cloned(), if_several: None }
    }
}

/// The codes of all lints, with their meanings.
pub const CODES: &[(&str, &str)] = &[
    ("cross-product", "patterns that share no variable: every solution of one is paired with every one of the other"),
    ("never-bound", "a variable is selected, or rows are ordered or grouped by it, and no pattern binds it"),
    ("out-of-scope", "a FILTER or BIND uses a variable that its group does not bind"),
    ("having-alias", "HAVING uses a variable that only SELECT names, after HAVING is done"),
    ("optional-first", "a pattern after an OPTIONAL uses a variable that only the OPTIONAL binds"),
    (
        "optional-shadows",
        "two OPTIONALs bind the same variable: the second is looked at only where the first found nothing",
    ),
    ("not-equal", "`!=` on one of several values does not mean that none is equal"),
    ("used-once", "a variable occurs once and is spelt almost as another one, or BIND makes it and nothing uses it"),
    ("language-case", "LANG() gives tags in lower case, so that one with a capital letter never equals it"),
    ("unbounded-path", "a path of any length between two variables that nothing else binds"),
];

/// Finds the lints of a query, in the order of the query; none if the budget is used up before all parts were looked at.
pub fn lint(query: &Query, budget: &Budget) -> Vec<Lint> {
    let pattern = match &query.algebra {
        spargebra::Query::Select { pattern, .. }
        | spargebra::Query::Ask { pattern, .. }
        | spargebra::Query::Construct { pattern, .. }
        | spargebra::Query::Describe { pattern, .. } => pattern,
    };
    let mut walk = Walk { found: Vec::new(), budget };
    if let spargebra::Query::Construct { template, .. } = &query.algebra {
        walk.template(template, pattern);
    }
    walk.group(pattern, &[]);
    if walk.is_over() {
        return Vec::new();
    }
    let mut found: Vec<Lint> = Vec::new();
    // If a variable is unbound, an unused one is the other half of the same mistake.
    if !walk.found.iter().any(|lint| matches!(lint.code, "never-bound" | "out-of-scope" | "having-alias")) {
        walk.found.extend(unused::unused(&query.algebra));
    }
    for lint in walk.found {
        if !found.contains(&lint) {
            found.push(lint);
        }
    }
    found
}

/// Returns "did you mean `?name`?" if a variable has a similar name.
fn near(variable: &Variable, bound: &[Variable]) -> Option<String> {
    let near = kgq_syntax::text::nearest(variable.as_str(), bound.iter().map(Variable::as_str), 2);
    let near: Vec<String> = near.iter().map(|name| format!("`?{name}`")).collect();
    (!near.is_empty()).then(|| format!("did you mean {}?", near.join(" or ")))
}

/// Returns the variables that neither the pattern nor the surrounding patterns bind.
fn unbound(mut variables: Vec<Variable>, bound: &[Variable], outer: &[Variable]) -> Vec<Variable> {
    variables.retain(|variable| !bound.contains(variable) && !outer.contains(variable));
    variables
}

struct Walk<'b> {
    found: Vec<Lint>,
    budget: &'b Budget,
}

/// The parts that are joined in one group.
#[derive(Default)]
struct Group {
    /// The variables of each pattern; blank nodes join like variables. Patterns with a named subject are not included:
    /// it is no mistake to combine statements about several named things.
    items: Vec<Vec<String>>,
    /// The variables of patterns with a named subject.
    about_named: Vec<Vec<String>>,
    /// The variables that a FILTER, BIND or OPTIONAL connects.
    links: Vec<Vec<String>>,
}

impl Walk<'_> {
    fn is_over(&self) -> bool {
        self.budget.check().is_err()
    }

    /// Checks a group and those inside it. `outer` are the variables that a correlated group (EXISTS) sees.
    fn group(&mut self, pattern: &GraphPattern, outer: &[Variable]) {
        let mut group = Group::default();
        self.items(pattern, &mut group, outer);
        self.cross_product(&group);
        self.optionals(pattern);
        self.paths(pattern, outer);
    }

    fn template(&mut self, template: &[TriplePattern], pattern: &GraphPattern) {
        let bound = in_scope(pattern);
        let names: std::collections::BTreeSet<String> = template.iter().flat_map(triple_names).collect();
        for variable in names.iter().filter_map(|name| Variable::new(name).ok()).filter(|v| !bound.contains(v)) {
            self.never_bound(&variable, "stands in the template", &bound);
        }
    }

    fn items(&mut self, pattern: &GraphPattern, group: &mut Group, outer: &[Variable]) {
        if self.is_over() {
            return;
        }
        match pattern {
            GraphPattern::Bgp { patterns } => {
                for triple in patterns {
                    let named = matches!(triple.subject, TermPattern::NamedNode(_));
                    let to = if named { &mut group.about_named } else { &mut group.items };
                    to.push(triple_names(triple));
                }
            }
            GraphPattern::Path { subject, object, .. } => {
                group.items.push([subject, object].into_iter().filter_map(term_name).collect());
            }
            GraphPattern::Join { left, right } => {
                self.items(left, group, outer);
                self.items(right, group, outer);
            }
            GraphPattern::LeftJoin { left, right, expression } => {
                self.items(left, group, outer);
                let mut link = names(&in_scope(right));
                if let Some(expression) = expression {
                    link.extend(names(&all_variables(expression)));
                    let mut bound = in_scope(left);
                    bound.extend(in_scope(right));
                    self.expression(expression, &bound, outer);
                }
                group.links.push(link);
                self.group(right, outer);
            }
            GraphPattern::Filter { expr, inner } => {
                self.items(inner, group, outer);
                group.links.push(names(&all_variables(expr)));
                if is_grouped(inner) {
                    self.having(expr, &in_scope(inner));
                } else {
                    self.expression(expr, &in_scope(inner), outer);
                    self.not_equal(expr, inner);
                }
            }
            GraphPattern::Extend { inner, variable, expression } => {
                self.items(inner, group, outer);
                let mut link = names(&all_variables(expression));
                link.push(variable.as_str().to_owned());
                group.links.push(link);
                if !is_grouped(inner) {
                    self.expression(expression, &in_scope(inner), outer);
                }
            }
            GraphPattern::Graph { name, inner } => {
                let start = group.items.len();
                self.items(inner, group, outer);
                if let NamedNodePattern::Variable(variable) = name {
                    group.items[start..].iter_mut().for_each(|item| item.push(variable.as_str().to_owned()));
                }
            }
            GraphPattern::Minus { left, right } => {
                self.items(left, group, outer);
                self.group(right, outer);
            }
            GraphPattern::Values { variables, bindings } => {
                if bindings.len() > 1 {
                    group.items.push(names(variables));
                } else {
                    group.links.push(names(variables));
                }
            }
            GraphPattern::Union { left, right } => {
                group.items.push(names(&in_scope(pattern)));
                for branch in [left, right] {
                    // A chain of unions is not a group of its own.
                    match &**branch {
                        GraphPattern::Union { .. } => self.items(branch, &mut Group::default(), outer),
                        branch => self.group(branch, outer),
                    }
                }
            }
            GraphPattern::Project { inner, variables } => {
                let bound = in_scope(inner);
                for variable in variables.iter().filter(|v| !bound.contains(v) && !outer.contains(v)) {
                    self.never_bound(variable, "is selected", &bound);
                }
                group.items.push(names(variables));
                self.group(inner, outer);
            }
            GraphPattern::Group { inner, variables, aggregates } => {
                self.grouping(inner, variables, aggregates, outer);
                group.items.push(names(&in_scope(pattern)));
                self.group(inner, outer);
            }
            GraphPattern::OrderBy { inner, expression } => {
                let bound = in_scope(inner);
                for OrderExpression::Asc(key) | OrderExpression::Desc(key) in expression {
                    for variable in unbound(variables_outside_exists(key), &bound, outer) {
                        self.never_bound(&variable, "orders the rows", &bound);
                    }
                }
                self.items(inner, group, outer);
            }
            GraphPattern::Distinct { inner } | GraphPattern::Reduced { inner } | GraphPattern::Slice { inner, .. } => {
                self.items(inner, group, outer)
            }
            GraphPattern::Service { .. } | GraphPattern::Lateral { .. } => group.items.push(names(&in_scope(pattern))),
        }
    }

    fn cross_product(&mut self, group: &Group) {
        let mut parts: Vec<Vec<String>> = Vec::new();
        let all = group.items.iter().map(|item| (item, true)).chain(group.links.iter().map(|link| (link, false)));
        for (item, is_pattern) in all.filter(|(item, _)| !item.is_empty()) {
            let (touching, rest): (Vec<_>, Vec<_>) =
                parts.into_iter().partition(|part| part.iter().any(|name| item.contains(name)));
            parts = rest;
            if touching.is_empty() && !is_pattern {
                continue;
            }
            let mut whole: Vec<String> = touching.into_iter().flatten().collect();
            whole.extend(item.iter().cloned());
            parts.push(whole);
        }
        // A second round joins parts by links that came before their patterns.
        for link in &group.links {
            let (touching, mut rest): (Vec<_>, Vec<_>) =
                parts.into_iter().partition(|part| part.iter().any(|name| link.contains(name)));
            if !touching.is_empty() {
                rest.push(touching.into_iter().flatten().collect());
            }
            parts = rest;
        }
        // A part connected to a named thing has few solutions.
        parts.retain(|part| !group.about_named.iter().flatten().any(|name| part.contains(name)));
        if parts.len() > 1 {
            let mut shown: Vec<String> = parts
                .iter()
                .map(|part| {
                    let mut names: Vec<&str> =
                        part.iter().filter(|n| !n.starts_with('_')).map(String::as_str).collect();
                    names.sort_unstable();
                    names.dedup();
                    names.iter().take(4).map(|n| format!("?{n}")).collect::<Vec<_>>().join(" ")
                })
                .filter(|names| !names.is_empty())
                .collect();
            shown.sort();
            let Some(last) = shown.last().filter(|_| shown.len() > 1) else { return };
            let variable = last.split(' ').next().and_then(|name| Variable::new(&name[1..]).ok());
            let message = format!(
                "the patterns of {} share no variable: every solution of one is paired with every solution of the other",
                shown.join(" and of ")
            );
            self.found.push(Lint::new(
                "cross-product",
                variable.as_ref(),
                message,
                Some("is a variable misspelt? otherwise join them by a pattern that uses a variable of each"),
            ));
        }
    }

    fn grouping(
        &mut self,
        inner: &GraphPattern,
        keys: &[Variable],
        aggregates: &[(Variable, AggregateExpression)],
        outer: &[Variable],
    ) {
        let bound = in_scope(inner);
        for variable in unbound(keys.to_vec(), &bound, outer) {
            self.never_bound(&variable, "groups the rows", &bound);
        }
        for (_, aggregate) in aggregates {
            if let AggregateExpression::FunctionCall { expr, .. } = aggregate {
                for variable in unbound(variables_outside_exists(expr), &bound, outer) {
                    self.never_bound(&variable, "is aggregated", &bound);
                }
            }
        }
    }

    fn never_bound(&mut self, variable: &Variable, what: &str, bound: &[Variable]) {
        let near = near(variable, bound);
        let message = format!("?{} {what}, but nothing binds it", variable.as_str());
        self.found.push(Lint::new("never-bound", Some(variable), message, near.as_deref()));
    }

    /// `HAVING (?n > 1)` is evaluated before SELECT assigns names (SPARQL 1.1 §18.2.4.2): `?n` is unbound there.
    fn having(&mut self, expression: &Expression, bound: &[Variable]) {
        for variable in variables_outside_exists(expression).into_iter().filter(|v| !bound.contains(v)) {
            let message = format!("HAVING does not see ?{}: it has no value yet there", variable.as_str());
            let near = near(&variable, bound);
            self.found.push(Lint::new("having-alias", Some(&variable), message, near.as_deref()));
        }
    }

    fn expression(&mut self, expression: &Expression, bound: &[Variable], outer: &[Variable]) {
        self.found.extend(language::lints(expression));
        let inside: Vec<&GraphPattern> = expressions_patterns(expression);
        let mut seen: Vec<Variable> = bound.to_vec();
        seen.extend(outer.iter().cloned());
        for pattern in inside {
            self.group(pattern, &seen);
        }
        for variable in variables_outside_exists(expression) {
            if !seen.contains(&variable) {
                let near = near(&variable, bound);
                let message = format!("?{} is not bound in the group that this stands in", variable.as_str());
                let hint = near
                    .unwrap_or_else(|| "an expression sees what its own `{ … }` binds, not what stands outside".into());
                self.found.push(Lint::new("out-of-scope", Some(&variable), message, Some(&hint)));
            }
        }
    }

    /// Finds `FILTER(?x != const)` where ?x is one of possibly several values and is used for nothing else.
    fn not_equal(&mut self, expression: &Expression, inner: &GraphPattern) {
        if let Expression::And(a, b) = expression {
            self.not_equal(a, inner);
            self.not_equal(b, inner);
            return;
        }
        let Expression::Not(equal) = expression else { return };
        let Expression::Equal(a, b) = &**equal else { return };
        let variable = match (&**a, &**b) {
            (Expression::Variable(v), Expression::NamedNode(_) | Expression::Literal(_))
            | (Expression::NamedNode(_) | Expression::Literal(_), Expression::Variable(v)) => v,
            _ => return,
        };
        let triples = triples_of(inner);
        let using: Vec<_> = triples.iter().filter(|t| triple_names(t).iter().any(|n| n == variable.as_str())).collect();
        if let [triple] = using.as_slice()
            && let (NamedNodePattern::NamedNode(property), TermPattern::Variable(object)) =
                (&triple.predicate, &triple.object)
            && object == variable
        {
            let message =
                format!("this keeps whatever has another ?{}, even if it has an equal one too", variable.as_str());
            let mut lint = Lint::new("not-equal", Some(variable), message, None);
            lint.hint = Some(format!("to leave out what has it: FILTER NOT EXISTS {{ … <{}> … }}", property.as_str()));
            lint.if_several = Some(property.clone());
            self.found.push(lint);
        }
    }

    fn paths(&mut self, pattern: &GraphPattern, outer: &[Variable]) {
        let mut all = Vec::new();
        conjuncts(pattern, &mut all);
        for (at, path) in all.iter().enumerate().take_while(|_| self.budget.check().is_ok()) {
            let GraphPattern::Path {
                subject: TermPattern::Variable(s),
                path: expression,
                object: TermPattern::Variable(o),
            } = path
            else {
                continue;
            };
            if !matches!(expression, PropertyPathExpression::ZeroOrMore(_) | PropertyPathExpression::OneOrMore(_)) {
                continue;
            }
            let elsewhere = |v: &Variable| {
                outer.contains(v) || all.iter().enumerate().any(|(i, p)| i != at && in_scope(p).contains(v))
            };
            // A path from a thing to itself searches for cycles, which begin anywhere.
            if s != o && !elsewhere(s) && !elsewhere(o) {
                let message = format!(
                    "a path of any length between ?{} and ?{}, which nothing else binds",
                    s.as_str(),
                    o.as_str()
                );
                self.found.push(Lint::new(
                    "unbounded-path",
                    Some(o),
                    message,
                    Some("bind one end first, by a pattern or a name"),
                ));
            }
        }
    }
}

/// Collects the parts of a group that are joined.
fn conjuncts<'a>(pattern: &'a GraphPattern, into: &mut Vec<&'a GraphPattern>) {
    match pattern {
        GraphPattern::Join { left, right } => {
            conjuncts(left, into);
            conjuncts(right, into);
        }
        GraphPattern::LeftJoin { left: inner, .. }
        | GraphPattern::Minus { left: inner, .. }
        | GraphPattern::Filter { inner, .. }
        | GraphPattern::Extend { inner, .. }
        | GraphPattern::OrderBy { inner, .. }
        | GraphPattern::Graph { inner, .. } => conjuncts(inner, into),
        other => into.push(other),
    }
}

fn triples_of(pattern: &GraphPattern) -> Vec<&TriplePattern> {
    let mut all = Vec::new();
    conjuncts(pattern, &mut all);
    all.into_iter()
        .flat_map(|p| match p {
            GraphPattern::Bgp { patterns } => patterns.iter().collect(),
            _ => Vec::new(),
        })
        .collect()
}

fn is_grouped(pattern: &GraphPattern) -> bool {
    match pattern {
        GraphPattern::Group { .. } => true,
        GraphPattern::Extend { inner, .. } | GraphPattern::Filter { inner, .. } => is_grouped(inner),
        _ => false,
    }
}

fn names(variables: &[Variable]) -> Vec<String> {
    variables.iter().map(|v| v.as_str().to_owned()).collect()
}

fn term_name(term: &TermPattern) -> Option<String> {
    match term {
        TermPattern::Variable(variable) => Some(variable.as_str().to_owned()),
        // No variable's name starts like this.
        TermPattern::BlankNode(node) => Some(format!("_:{}", node.as_str())),
        TermPattern::NamedNode(_) | TermPattern::Literal(_) | TermPattern::Triple(_) => None,
    }
}

fn triple_names(triple: &TriplePattern) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for term in [&triple.subject, &triple.object] {
        match term {
            TermPattern::Triple(inner) => found.extend(triple_names(inner)),
            term => found.extend(term_name(term)),
        }
    }
    if let NamedNodePattern::Variable(variable) = &triple.predicate {
        found.push(variable.as_str().to_owned());
    }
    found
}
