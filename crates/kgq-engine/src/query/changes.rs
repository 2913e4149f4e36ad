//! Variants of a query's conditions, for testing a suggestion before it is shown to the user.
//!
//! Each function returns the conditions with one thing changed, or nothing if there is nothing to change.

use super::atoms::{Atoms, GroupElement, PatternTerm, name};
use super::operands::operands_mut;
use kgq_syntax::rdf::{Literal, Term, Variable};
use spargebra::algebra::PropertyPathExpression;
use spargebra::algebra::{AggregateExpression, Expression, Function, GraphPattern, OrderExpression};
use spargebra::term::{GroundTerm, NamedNodePattern, TermPattern, TriplePattern};

impl Atoms {
    /// Replaces terms in one condition, or in all conditions and in FROM.
    #[must_use]
    pub fn with_terms(&self, pairs: &[(Term, Term)], only: Option<usize>) -> Self {
        let mut changed = self.clone();
        let replace = Replace { pairs };
        for (_, atom) in changed.atoms.iter_mut().enumerate().filter(|(at, _)| only.is_none_or(|only| only == *at)) {
            replace.piece(&mut atom.piece);
        }
        if let (Some(dataset), None) = (&mut changed.dataset, only) {
            for graph in dataset.default.iter_mut().chain(dataset.named.iter_mut().flatten()) {
                replace.iri(graph);
            }
        }
        changed
    }

    /// Whether a condition contains a term.
    pub fn names(&self, atom: usize, term: &Term) -> bool {
        let other = Term::from(kgq_syntax::rdf::NamedNode::new_unchecked("urn:x-kgq:other"));
        let changed = self.with_terms(&[(term.clone(), other)], Some(atom));
        changed.atoms.get(atom).map(|atom| &atom.piece) != self.atoms.get(atom).map(|atom| &atom.piece)
    }

    /// Exchanges subject and object of a triple pattern.
    #[must_use]
    pub fn reversed(&self, atom: usize) -> Option<Self> {
        let mut changed = self.clone();
        let GroupElement::Pattern(pattern) = &mut changed.atoms.get_mut(atom)?.piece else { return None };
        let mut inner = pattern;
        while let GraphPattern::Graph { inner: next, .. } = inner {
            inner = next;
        }
        let GraphPattern::Bgp { patterns } = inner else { return None };
        let [triple] = patterns.as_mut_slice() else { return None };
        if matches!(triple.object, TermPattern::Literal(_)) || triple.subject == triple.object {
            return None;
        }
        std::mem::swap(&mut triple.subject, &mut triple.object);
        Some(changed)
    }

    /// Removes `GRAPH` where it names this graph.
    #[must_use]
    pub fn outside_of_graph(&self, graph: &PatternTerm) -> Self {
        let mut changed = self.clone();
        for atom in &mut changed.atoms {
            if let GroupElement::Pattern(pattern) | GroupElement::Optional(pattern, _) | GroupElement::Minus(pattern) =
                &mut atom.piece
                && let GraphPattern::Graph { name: own, inner } = pattern
                && name(own) == *graph
            {
                *pattern = std::mem::take(&mut **inner);
            }
        }
        changed
    }

    /// Puts these conditions inside `GRAPH ?g`, each in a graph of its own.
    #[must_use]
    pub fn in_any_graph(&self, which: &[usize]) -> Self {
        let mut changed = self.clone();
        for at in which {
            if let Some(atom) = changed.atoms.get_mut(*at)
                && let GroupElement::Pattern(pattern) = &mut atom.piece
                && !matches!(pattern, GraphPattern::Graph { .. })
            {
                let name = NamedNodePattern::Variable(Variable::new_unchecked(format!("kgq-graph-{at}")));
                *pattern = GraphPattern::Graph { name, inner: Box::new(std::mem::take(pattern)) };
            }
        }
        changed
    }

    /// Puts `STR(…)` around a variable where a function of this filter needs a text; also returns the function's name.
    #[must_use]
    pub fn with_text_of(&self, atom: usize, variable: &Variable) -> Option<(Self, String)> {
        let mut wrapped = None;
        let changed = self.with_filter(atom, &mut |call| {
            let Expression::FunctionCall(function, arguments) = call else { return false };
            let Some(first) = arguments.first_mut().filter(|_| wants_text(function)) else { return false };
            if !matches!(first, Expression::Variable(v) if v == variable) {
                return false;
            }
            *first = Expression::FunctionCall(Function::Str, vec![Expression::Variable(variable.clone())]);
            wrapped = Some(function.to_string());
            true
        })?;
        Some((changed, wrapped?))
    }

    /// Makes the text search of this filter ignore case; also returns what to write for that.
    #[must_use]
    pub fn in_any_case(&self, atom: usize) -> Option<(Self, String)> {
        let mut advice: Option<String> = None;
        let changed = self.with_filter(atom, &mut |part| {
            let said = any_case(part);
            advice = advice.take().or(said.clone());
            said.is_some()
        })?;
        Some((changed, advice?))
    }

    /// Replaces a comparison of `LANG` in this filter by `LANGMATCHES`; also returns what to write for that.
    #[must_use]
    pub fn with_language_range(&self, atom: usize) -> Option<(Self, String)> {
        let mut advice = None;
        let changed = self.with_filter(atom, &mut |part| {
            let Expression::Equal(a, b) = part else { return false };
            let (lang, range) = match (&**a, &**b) {
                (lang @ Expression::FunctionCall(Function::Lang, _), Expression::Literal(range))
                | (Expression::Literal(range), lang @ Expression::FunctionCall(Function::Lang, _)) => (lang, range),
                _ => return false,
            };
            let call = Expression::FunctionCall(Function::LangMatches, vec![lang.clone(), range.clone().into()]);
            advice = Some(call.to_string());
            *part = call;
            true
        })?;
        Some((changed, advice?))
    }

    /// Passes each part of a filter to `change`, which returns whether it changed it; returns nothing if no part changed.
    fn with_filter(&self, atom: usize, change: &mut dyn FnMut(&mut Expression) -> bool) -> Option<Self> {
        let mut changed = self.clone();
        let GroupElement::Filter(expression) = &mut changed.atoms.get_mut(atom)?.piece else { return None };
        parts(expression, change).then_some(changed)
    }
}

/// Calls `change` with each part of an expression, outer parts first. It does not look into parts that were changed.
fn parts(expression: &mut Expression, change: &mut dyn FnMut(&mut Expression) -> bool) -> bool {
    if change(expression) {
        return true;
    }
    let mut any = false;
    for operand in operands_mut(expression) {
        any |= parts(operand, change);
    }
    any
}

/// Whether a function accepts only a text as its first argument.
fn wants_text(function: &Function) -> bool {
    matches!(
        function,
        Function::Contains
            | Function::StrStarts
            | Function::StrEnds
            | Function::StrBefore
            | Function::StrAfter
            | Function::Regex
            | Function::Replace
            | Function::StrLen
            | Function::SubStr
            | Function::LCase
            | Function::UCase
    )
}

/// Makes a search ignore case, if it does not yet, and returns what to write.
fn any_case(part: &mut Expression) -> Option<String> {
    if let Expression::Equal(a, b) = part {
        return match (&mut **a, &mut **b) {
            (Expression::FunctionCall(function, _), Expression::Literal(text))
            | (Expression::Literal(text), Expression::FunctionCall(function, _)) => in_case_of(function, text),
            _ => None,
        };
    }
    let Expression::FunctionCall(function, arguments) = part else { return None };
    match (function, arguments.as_mut_slice()) {
        (Function::Regex, [_, _]) => {
            arguments.push(Literal::from("i").into());
            Some("it is case-sensitive: give REGEX the flag \"i\"".to_owned())
        }
        (Function::Regex, [_, _, Expression::Literal(flags)]) if !flags.value().contains('i') => {
            *flags = Literal::from(format!("{}i", flags.value()));
            Some(format!("it is case-sensitive: give REGEX the flags {flags}"))
        }
        (Function::Contains | Function::StrStarts | Function::StrEnds, [text, sought]) => match (text, sought) {
            (Expression::FunctionCall(function, _), Expression::Literal(sought)) if is_case(function) => {
                in_case_of(function, sought)
            }
            (Expression::FunctionCall(function, _), _) | (_, Expression::FunctionCall(function, _))
                if is_case(function) =>
            {
                None
            }
            (text, sought) => {
                for side in [text, sought] {
                    *side = Expression::FunctionCall(Function::LCase, vec![side.clone()]);
                }
                Some("it is case-sensitive: compare with `LCASE(…)` on both sides".to_owned())
            }
        },
        _ => None,
    }
}

fn is_case(function: &Function) -> bool {
    matches!(function, Function::LCase | Function::UCase)
}

/// Converts a text to the case that the function compared with it returns.
fn in_case_of(function: &Function, text: &mut Literal) -> Option<String> {
    let value = match function {
        Function::LCase => text.value().to_lowercase(),
        Function::UCase => text.value().to_uppercase(),
        _ => return None,
    };
    if value == text.value() {
        return None;
    }
    *text = Literal::from(value);
    Some(format!("{function} gives no such letters: compare with {text}"))
}

/// Replaces terms by others.
struct Replace<'a> {
    pairs: &'a [(Term, Term)],
}

impl Replace<'_> {
    fn other(&self, term: &Term) -> Option<&Term> {
        self.pairs.iter().find(|(from, _)| from == term).map(|(_, to)| to)
    }

    fn iri(&self, iri: &mut kgq_syntax::rdf::NamedNode) {
        if let Some(Term::NamedNode(to)) = self.other(&Term::NamedNode(iri.clone())) {
            *iri = to.clone();
        }
    }

    fn piece(&self, piece: &mut GroupElement) {
        match piece {
            GroupElement::Pattern(pattern) | GroupElement::Minus(pattern) => self.pattern(pattern),
            GroupElement::Filter(expression) | GroupElement::Bind(_, expression) => self.expression(expression),
            GroupElement::Optional(pattern, expression) => {
                self.pattern(pattern);
                expression.iter_mut().for_each(|expression| self.expression(expression));
            }
        }
    }

    fn pattern(&self, pattern: &mut GraphPattern) {
        match pattern {
            GraphPattern::Bgp { patterns } => patterns.iter_mut().for_each(|triple| self.triple(triple)),
            GraphPattern::Path { subject, path, object } => {
                self.term(subject);
                self.path(path);
                self.term(object);
            }
            GraphPattern::Join { left, right }
            | GraphPattern::Lateral { left, right }
            | GraphPattern::Union { left, right }
            | GraphPattern::Minus { left, right } => {
                self.pattern(left);
                self.pattern(right);
            }
            GraphPattern::LeftJoin { left, right, expression } => {
                self.pattern(left);
                self.pattern(right);
                expression.iter_mut().for_each(|expression| self.expression(expression));
            }
            GraphPattern::Filter { expr, inner } => {
                self.expression(expr);
                self.pattern(inner);
            }
            GraphPattern::Graph { name, inner } => {
                self.name(name);
                self.pattern(inner);
            }
            GraphPattern::Extend { inner, expression, .. } => {
                self.expression(expression);
                self.pattern(inner);
            }
            GraphPattern::Values { bindings, .. } => {
                bindings.iter_mut().flatten().flatten().for_each(|value| self.ground(value));
            }
            GraphPattern::OrderBy { inner, expression } => {
                for OrderExpression::Asc(key) | OrderExpression::Desc(key) in expression {
                    self.expression(key);
                }
                self.pattern(inner);
            }
            GraphPattern::Group { inner, aggregates, .. } => {
                for (_, aggregate) in aggregates {
                    if let AggregateExpression::FunctionCall { expr, .. } = aggregate {
                        self.expression(expr);
                    }
                }
                self.pattern(inner);
            }
            GraphPattern::Project { inner, .. }
            | GraphPattern::Distinct { inner }
            | GraphPattern::Reduced { inner }
            | GraphPattern::Slice { inner, .. } => self.pattern(inner),
            // The data of another server are unknown here.
            GraphPattern::Service { .. } => {}
        }
    }

    fn triple(&self, triple: &mut TriplePattern) {
        self.term(&mut triple.subject);
        self.name(&mut triple.predicate);
        self.term(&mut triple.object);
    }

    fn name(&self, pattern: &mut NamedNodePattern) {
        if let NamedNodePattern::NamedNode(iri) = pattern {
            self.iri(iri);
        }
    }

    fn term(&self, pattern: &mut TermPattern) {
        let own: Term = match pattern {
            TermPattern::NamedNode(iri) => iri.clone().into(),
            TermPattern::Literal(literal) => literal.clone().into(),
            TermPattern::Triple(triple) => return self.triple(triple),
            TermPattern::Variable(_) | TermPattern::BlankNode(_) => return,
        };
        match self.other(&own) {
            Some(Term::NamedNode(iri)) => *pattern = iri.clone().into(),
            Some(Term::Literal(literal)) => *pattern = literal.clone().into(),
            Some(Term::BlankNode(_) | Term::Triple(_)) | None => {}
        }
    }

    fn ground(&self, value: &mut GroundTerm) {
        let own: Term = match value {
            GroundTerm::NamedNode(iri) => iri.clone().into(),
            GroundTerm::Literal(literal) => literal.clone().into(),
            GroundTerm::Triple(_) => return,
        };
        match self.other(&own) {
            Some(Term::NamedNode(iri)) => *value = iri.clone().into(),
            Some(Term::Literal(literal)) => *value = literal.clone().into(),
            Some(Term::BlankNode(_) | Term::Triple(_)) | None => {}
        }
    }

    fn path(&self, path: &mut PropertyPathExpression) {
        match path {
            PropertyPathExpression::NamedNode(iri) => self.iri(iri),
            PropertyPathExpression::Reverse(inner)
            | PropertyPathExpression::ZeroOrMore(inner)
            | PropertyPathExpression::OneOrMore(inner)
            | PropertyPathExpression::ZeroOrOne(inner) => self.path(inner),
            PropertyPathExpression::Sequence(a, b) | PropertyPathExpression::Alternative(a, b) => {
                self.path(a);
                self.path(b);
            }
            PropertyPathExpression::NegatedPropertySet(iris) => iris.iter_mut().for_each(|iri| self.iri(iri)),
        }
    }

    fn expression(&self, expression: &mut Expression) {
        let own: Option<Term> = match expression {
            Expression::NamedNode(iri) => Some(iri.clone().into()),
            Expression::Literal(literal) => Some(literal.clone().into()),
            Expression::Exists(pattern) => return self.pattern(pattern),
            _ => None,
        };
        match own.and_then(|own| self.other(&own)) {
            Some(Term::NamedNode(iri)) => *expression = iri.clone().into(),
            Some(Term::Literal(literal)) => *expression = literal.clone().into(),
            Some(Term::BlankNode(_) | Term::Triple(_)) | None => {
                operands_mut(expression).for_each(|operand| self.expression(operand));
            }
        }
    }
}
