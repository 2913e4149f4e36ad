//! An opened pattern. Each UNION branch and each OPTIONAL has a mark, a variable that is bound if it matched, so that
//! one solution tells which parts of the pattern made it.

use crate::query::operands::operands;
use kgq_syntax::rdf::{Literal, Variable};
use spargebra::algebra::{AggregateExpression, Expression, GraphPattern, PropertyPathExpression};
use spargebra::term::{NamedNodePattern, TermPattern, TriplePattern};

/// The parts of a pattern, with their marks. `certain` are the variables that the preceding part binds in every
/// solution; the value of any other variable may come from elsewhere.
pub enum Opened {
    Triples(Vec<TriplePattern>),
    Path(TermPattern, PropertyPathExpression, TermPattern),
    Join(Box<Opened>, Box<Opened>),
    Optional {
        left: Box<Opened>,
        right: Box<Opened>,
        mark: Variable,
        condition: Option<Expression>,
        /// The original right side with its condition.
        pattern: GraphPattern,
        certain: Vec<Variable>,
    },
    Union(Vec<(Variable, Opened)>),
    Minus {
        left: Box<Opened>,
        right: GraphPattern,
        certain: Vec<Variable>,
    },
    /// A condition, or an expression that is computed.
    Filter {
        inner: Box<Opened>,
        expression: Expression,
        certain: Vec<Variable>,
    },
    Graph(NamedNodePattern, Box<Opened>),
    /// A sub-SELECT, and the variables that it projects.
    Project(GraphPattern, Vec<Variable>),
    Group {
        inner: GraphPattern,
        keys: Vec<Variable>,
        aggregates: Vec<(Variable, AggregateExpression)>,
    },
    Values,
    /// A part that is not taken apart: all that it reads counts.
    Whole(GraphPattern),
}

/// Opens patterns, with fresh variables for marks and blank nodes.
#[derive(Default)]
pub struct Opener {
    fresh: usize,
}

impl Opener {
    /// Returns a variable that no query text can contain.
    pub fn fresh(&mut self, kind: &str) -> Variable {
        self.fresh += 1;
        // A variable in a query cannot start with a hyphen.
        Variable::new_unchecked(format!("-{kind}{}", self.fresh))
    }

    /// Returns the parts, and the pattern with marks, from which solutions are requested. Duplicates and order are left out.
    pub fn open(&mut self, pattern: &GraphPattern) -> (Opened, GraphPattern) {
        match pattern {
            GraphPattern::Bgp { patterns } => (Opened::Triples(patterns.clone()), pattern.clone()),
            GraphPattern::Path { subject, path, object } => {
                (Opened::Path(subject.clone(), path.clone(), object.clone()), pattern.clone())
            }
            GraphPattern::Join { left, right } => {
                let ((left, l), (right, r)) = (self.open(left), self.open(right));
                let opened = Opened::Join(Box::new(left), Box::new(right));
                (opened, GraphPattern::Join { left: Box::new(l), right: Box::new(r) })
            }
            GraphPattern::LeftJoin { left, right, expression } => {
                let certain = certain(left);
                let (left, l) = self.open(left);
                let (inside, marked, mark) = self.marked(right);
                let asked = GraphPattern::LeftJoin {
                    left: Box::new(l),
                    right: Box::new(marked),
                    expression: expression.clone(),
                };
                let pattern = match expression {
                    Some(expr) => GraphPattern::Filter { expr: expr.clone(), inner: right.clone() },
                    None => (**right).clone(),
                };
                let (left, right, condition) = (Box::new(left), Box::new(inside), expression.clone());
                (Opened::Optional { left, right, mark, condition, pattern, certain }, asked)
            }
            GraphPattern::Union { left, right } => {
                let ((left, l, left_mark), (right, r, right_mark)) = (self.marked(left), self.marked(right));
                let opened = Opened::Union(vec![(left_mark, left), (right_mark, right)]);
                (opened, GraphPattern::Union { left: Box::new(l), right: Box::new(r) })
            }
            GraphPattern::Minus { left, right } => {
                let certain = certain(left);
                let (left, l) = self.open(left);
                let asked = GraphPattern::Minus { left: Box::new(l), right: right.clone() };
                (Opened::Minus { left: Box::new(left), right: (**right).clone(), certain }, asked)
            }
            GraphPattern::Filter { expr, inner } => {
                let certain = certain(inner);
                let (inner, asked) = self.open(inner);
                let asked = GraphPattern::Filter { expr: expr.clone(), inner: Box::new(asked) };
                (Opened::Filter { inner: Box::new(inner), expression: expr.clone(), certain }, asked)
            }
            GraphPattern::Extend { inner, variable, expression } => {
                let certain = certain(inner);
                let (inner, asked) = self.open(inner);
                let (variable, expression) = (variable.clone(), expression.clone());
                let opened = Opened::Filter { inner: Box::new(inner), expression: expression.clone(), certain };
                (opened, GraphPattern::Extend { inner: Box::new(asked), variable, expression })
            }
            GraphPattern::Graph { name, inner } => {
                let (inner, asked) = self.open(inner);
                let opened = Opened::Graph(name.clone(), Box::new(inner));
                (opened, GraphPattern::Graph { name: name.clone(), inner: Box::new(asked) })
            }
            GraphPattern::Distinct { inner }
            | GraphPattern::Reduced { inner }
            | GraphPattern::OrderBy { inner, .. } => self.open(inner),
            GraphPattern::Project { inner, variables } => {
                (Opened::Project((**inner).clone(), variables.clone()), pattern.clone())
            }
            GraphPattern::Group { inner, variables, aggregates } => {
                let (inner, keys, aggregates) = ((**inner).clone(), variables.clone(), aggregates.clone());
                (Opened::Group { inner, keys, aggregates }, pattern.clone())
            }
            GraphPattern::Values { .. } => (Opened::Values, pattern.clone()),
            GraphPattern::Slice { .. } | GraphPattern::Lateral { .. } | GraphPattern::Service { .. } => {
                (Opened::Whole(pattern.clone()), pattern.clone())
            }
        }
    }

    fn marked(&mut self, pattern: &GraphPattern) -> (Opened, GraphPattern, Variable) {
        let mark = self.fresh("mark");
        let (opened, inner) = self.open(pattern);
        let (inner, variable, expression) = (Box::new(inner), mark.clone(), Literal::from(true).into());
        (opened, GraphPattern::Extend { inner, variable, expression }, mark)
    }

    /// Replaces a pattern's blank nodes by variables. They act as variables in any case (SPARQL 1.1 §4.1.4), and this
    /// way solutions tell what they matched.
    pub fn name_blank_nodes(&mut self, pattern: &mut GraphPattern) {
        let mut named = rustc_hash::FxHashMap::default();
        let mut name = |term: &mut TermPattern| {
            if let TermPattern::BlankNode(node) = term {
                let variable = named.entry(node.as_str().to_owned()).or_insert_with(|| self.fresh("blank"));
                *term = variable.clone().into();
            }
        };
        for_each_term(pattern, &mut name);
    }
}

/// Calls `f` with each subject and object of a pattern, including those of patterns in expressions.
fn for_each_term(pattern: &mut GraphPattern, f: &mut dyn FnMut(&mut TermPattern)) {
    use crate::query::parts::{Child, for_each_part};
    fn of_triple(triple: &mut TriplePattern, f: &mut dyn FnMut(&mut TermPattern)) {
        for term in [&mut triple.subject, &mut triple.object] {
            match term {
                TermPattern::Triple(inner) => of_triple(inner, f),
                term => f(term),
            }
        }
    }
    fn of_expression(expression: &mut Expression, f: &mut dyn FnMut(&mut TermPattern)) {
        match expression {
            Expression::Exists(pattern) => for_each_term(pattern, f),
            other => crate::query::operands::operands_mut(other).for_each(|operand| of_expression(operand, f)),
        }
    }
    match pattern {
        GraphPattern::Bgp { patterns } => patterns.iter_mut().for_each(|triple| of_triple(triple, f)),
        GraphPattern::Path { subject, object, .. } => {
            for term in [subject, object] {
                match term {
                    TermPattern::Triple(inner) => of_triple(inner, f),
                    term => f(term),
                }
            }
        }
        other => for_each_part(other, &mut |part| match part {
            Child::Pattern(inner) => for_each_term(inner, f),
            Child::Expression(expression) => of_expression(expression, f),
        }),
    }
}

/// Returns the conditions that must all hold.
pub fn conjuncts(expression: &Expression) -> Vec<&Expression> {
    match expression {
        Expression::And(left, right) => {
            let mut all = conjuncts(left);
            all.extend(conjuncts(right));
            all
        }
        other => vec![other],
    }
}

/// Returns the patterns of EXISTS in an expression.
pub fn asked_for(expression: &Expression) -> Vec<&GraphPattern> {
    match expression {
        Expression::Exists(pattern) => vec![pattern],
        other => operands(other).flat_map(asked_for).collect(),
    }
}

/// Whether every solution over a part of the data is also one over all data (a monotone pattern).
pub fn is_monotone(pattern: &GraphPattern) -> bool {
    match pattern {
        GraphPattern::Bgp { .. } | GraphPattern::Path { .. } | GraphPattern::Values { .. } => true,
        GraphPattern::Join { left, right } | GraphPattern::Union { left, right } => {
            is_monotone(left) && is_monotone(right)
        }
        GraphPattern::Filter { expr, inner } => {
            let holds = |condition: &Expression| match condition {
                Expression::Exists(pattern) => is_monotone(pattern),
                other => asked_for(other).is_empty(),
            };
            conjuncts(expr).into_iter().all(holds) && is_monotone(inner)
        }
        GraphPattern::Extend { inner, expression, .. } => asked_for(expression).is_empty() && is_monotone(inner),
        GraphPattern::Graph { inner, .. }
        | GraphPattern::Distinct { inner }
        | GraphPattern::Reduced { inner }
        | GraphPattern::OrderBy { inner, .. }
        | GraphPattern::Project { inner, .. } => is_monotone(inner),
        GraphPattern::LeftJoin { .. }
        | GraphPattern::Minus { .. }
        | GraphPattern::Group { .. }
        | GraphPattern::Slice { .. }
        | GraphPattern::Lateral { .. }
        | GraphPattern::Service { .. } => false,
    }
}

/// Returns the variables that every solution of a pattern binds.
pub fn certain(pattern: &GraphPattern) -> Vec<Variable> {
    fn both(mut left: Vec<Variable>, right: Vec<Variable>) -> Vec<Variable> {
        left.extend(right);
        left
    }
    match pattern {
        GraphPattern::Bgp { .. } | GraphPattern::Path { .. } => {
            let mut found = Vec::new();
            pattern.on_in_scope_variable(|variable| found.push(variable.clone()));
            found
        }
        GraphPattern::Values { variables, bindings } => {
            let is_bound = |column: usize| bindings.iter().all(|row| row.get(column).is_some_and(Option::is_some));
            (0..).zip(variables).filter(|(column, _)| is_bound(*column)).map(|(_, v)| v.clone()).collect()
        }
        GraphPattern::Join { left, right } | GraphPattern::Lateral { left, right } => {
            both(certain(left), certain(right))
        }
        GraphPattern::LeftJoin { left, .. } | GraphPattern::Minus { left, .. } => certain(left),
        GraphPattern::Union { left, right } => {
            let right = certain(right);
            certain(left).into_iter().filter(|variable| right.contains(variable)).collect()
        }
        GraphPattern::Graph { name: NamedNodePattern::Variable(name), inner } => {
            both(vec![name.clone()], certain(inner))
        }
        GraphPattern::Filter { inner, .. }
        | GraphPattern::Extend { inner, .. }
        | GraphPattern::Graph { inner, .. }
        | GraphPattern::OrderBy { inner, .. }
        | GraphPattern::Distinct { inner }
        | GraphPattern::Reduced { inner }
        | GraphPattern::Slice { inner, .. } => certain(inner),
        GraphPattern::Project { inner, variables } | GraphPattern::Group { inner, variables, .. } => {
            certain(inner).into_iter().filter(|variable| variables.contains(variable)).collect()
        }
        GraphPattern::Service { .. } => Vec::new(),
    }
}
