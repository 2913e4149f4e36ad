//! Random datasets and queries.

use super::query::{Element, Expr, Group, Node, Path, Projected, Select};
use crate::dice::Dice;

/// The terms of a dataset, which determine what a query over it can ask with a definite answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terms {
    /// IRIs and integers: all are ordered.
    Ordered,
    /// Literals of all kinds in canonical form, blank nodes, triple terms.
    Canonical,
    /// Also other lexical forms and ill-typed literals: operations that depend on lexical forms are left out.
    Odd,
}

const PREDICATES: [&str; 2] = [":p", ":q"];
const IRIS: [&str; 4] = [":a", ":b", ":c", ":p"];
const GRAPHS: [&str; 3] = [":g", ":h", ":a"];
pub const BLANKS: [&str; 2] = ["_:x", "_:y"];
const INTEGERS: [&str; 4] = ["1", "2", "3", "10"];
const CANONICAL: [&str; 12] = [
    "1",
    "2",
    "1.5",
    "\"2\"^^xsd:double",
    "\"a\"",
    "\"b\"",
    "\"a\"@en",
    "\"a\"@fr",
    "\"2020-01-01\"^^xsd:date",
    "\"2020-01-01T00:00:00Z\"^^xsd:dateTime",
    "\"v\"^^:t",
    "\"w\"^^:t",
];
const ODD: [&str; 10] = [
    "1",
    "\"01\"^^xsd:integer",
    "1.0",
    "\"1\"^^xsd:double",
    "\"1\"^^xsd:byte",
    "\"x\"^^xsd:integer",
    "\"a\"",
    "\"a\"@en",
    "\"a\"@en--ltr",
    "\"2020-01-01T01:00:00+01:00\"^^xsd:dateTime",
];
const VARIABLES: [&str; 4] = ["s", "t", "u", "v"];
/// The variable of `GRAPH ?g { … }`. Narrow queries do not use it inside: Oxigraph's evaluator binds it too early, so that an
/// OPTIONAL inside does not match what finally does not join with the graph's name (SPARQL 1.1 §18.6, Graph).
const GRAPH_VARIABLE: &str = "g";

impl Terms {
    pub fn any(dice: &mut Dice) -> Self {
        [Self::Ordered, Self::Canonical, Self::Odd][dice.below(3)]
    }

    fn literal(self, dice: &mut Dice) -> &'static str {
        match self {
            Self::Ordered => dice.pick(&INTEGERS),
            Self::Canonical => dice.pick(&CANONICAL),
            Self::Odd => dice.pick(&ODD),
        }
    }

    fn constant(self, dice: &mut Dice) -> String {
        if dice.once_in(2) { dice.pick(&IRIS).to_owned() } else { self.literal(dice).to_owned() }
    }
}

/// Statements as TriG, one per item, so that some can be left out.
pub fn dataset(dice: &mut Dice, terms: Terms) -> Vec<String> {
    let count = 3 + dice.below(22);
    let named = dice.below(3);
    (0..count)
        .map(|_| {
            let subject = match terms {
                Terms::Canonical | Terms::Odd if dice.once_in(5) => dice.pick(&BLANKS),
                _ => dice.pick(&IRIS),
            };
            let predicate = dice.pick(&PREDICATES);
            let object = object(dice, terms);
            let statement = format!("{subject} {predicate} {object} .");
            if dice.below(3) < named { format!("GRAPH {} {{ {statement} }}", dice.pick(&GRAPHS)) } else { statement }
        })
        .collect()
}

fn object(dice: &mut Dice, terms: Terms) -> String {
    match (terms, dice.below(10)) {
        (Terms::Canonical, 0) => {
            format!("<<( {} {} {} )>>", dice.pick(&IRIS), dice.pick(&PREDICATES), terms.literal(dice))
        }
        (Terms::Canonical | Terms::Odd, 1) => dice.pick(&BLANKS).to_owned(),
        (_, 2..=4) => terms.literal(dice).to_owned(),
        _ => dice.pick(&IRIS).to_owned(),
    }
}

/// The range of queries that are generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// Queries that Oxigraph's evaluator answers as the standard says.
    Narrow,
    /// All.
    Wide,
}

/// A generator of queries over one kind of dataset.
pub struct Queries<'d> {
    pub dice: &'d mut Dice,
    pub terms: Terms,
    range: Range,
    fresh: usize,
    /// Whether the pattern is inside a GRAPH with a variable. Oxigraph's evaluator passes its value inwards before it is known
    /// (SPARQL 1.1 §18.6), into MINUS too; but into a group without a triple pattern not at all.
    in_graph: bool,
    /// Whether the pattern is inside an EXISTS. There Oxigraph's evaluator takes an error for a solution, and passes the outer
    /// solution to both sides of MINUS; the standard does not define what happens to the ends of a path, or to a variable that
    /// BIND sets.
    in_exists: bool,
    /// Whether the group is nested in another, and not a SELECT's own: there Oxigraph's evaluator passes the outer bindings to
    /// EXISTS and MINUS.
    nested: bool,
}

impl<'d> Queries<'d> {
    pub fn new(dice: &'d mut Dice, terms: Terms, range: Range) -> Self {
        Self { dice, terms, range, fresh: 0, in_graph: false, in_exists: false, nested: false }
    }

    fn wide(&self) -> bool {
        self.range == Range::Wide
    }

    /// The template of a CONSTRUCT.
    pub fn template(&mut self) -> Vec<[Node; 3]> {
        (0..1 + self.dice.below(3))
            .map(|_| {
                let mut triple = self.triple();
                let place = self.dice.below(12);
                if place == 0 || place == 2 {
                    triple[place] = Node::Term("_:n".to_owned());
                }
                triple
            })
            .collect()
    }

    fn fresh(&mut self) -> String {
        self.fresh += 1;
        format!("n{}", self.fresh)
    }

    pub fn query(&mut self) -> Select {
        let depth = 1 + self.dice.below(3);
        let mut select = self.select(depth, true);
        if self.dice.once_in(6) {
            select.from = self.graphs();
            select.from_named = self.graphs();
        }
        select
    }

    fn graphs(&mut self) -> Vec<String> {
        let mut graphs: Vec<String> = (0..self.dice.below(3)).map(|_| self.dice.pick(&GRAPHS).to_owned()).collect();
        graphs.sort();
        graphs.dedup();
        graphs
    }

    fn select(&mut self, depth: usize, outermost: bool) -> Select {
        let outside = std::mem::replace(&mut self.nested, false);
        let group = self.group(depth);
        self.nested = outside;
        let mut select = Select { group, ..Select::default() };
        let mut variables: Vec<String> =
            VARIABLES[..1 + self.dice.below(VARIABLES.len())].iter().map(|v| (*v).to_owned()).collect();
        if (!self.in_graph || self.wide()) && self.dice.once_in(2) {
            variables.push(GRAPH_VARIABLE.to_owned());
        }
        match self.dice.below(5) {
            0 => {
                self.aggregate(&mut select, &variables);
                if outermost && self.dice.once_in(3) {
                    select.sample = Some((self.dice.pick(&VARIABLES).to_owned(), self.fresh()));
                }
            }
            1 if outermost => {
                select.modifier = self.dice.pick(&["", "DISTINCT"]);
                variables.clear();
            }
            _ => {
                // How often REDUCED repeats a solution only shows if the solutions are not processed further.
                let reduced = if outermost { "REDUCED" } else { "DISTINCT" };
                select.modifier = self.dice.pick(&["", "", "DISTINCT", reduced]);
                select.projection = variables.iter().cloned().map(Projected::Var).collect();
                if self.dice.once_in(4) {
                    let (expression, name) = (self.expression(2), self.fresh());
                    select.projection.push(Projected::As(expression, name));
                }
            }
        }
        self.slice(&mut select, outermost);
        select
    }

    fn aggregate(&mut self, select: &mut Select, variables: &[String]) {
        select.group_by = variables[..self.dice.below(variables.len().min(2) + 1)].to_vec();
        select.projection = select.group_by.iter().cloned().map(Projected::Var).collect();
        for _ in 0..1 + self.dice.below(2) {
            let (aggregate, name) = (self.aggregate_call(), self.fresh());
            select.projection.push(Projected::As(aggregate, name));
        }
        if self.dice.once_in(4) {
            let operator = self.dice.pick(&["=", ">", "<"]);
            let count = Expr::Term(format!("COUNT(?{})", self.dice.pick(&VARIABLES)));
            select.having = Some(Expr::Binary(operator, Box::new(count), Box::new(Expr::Term("1".to_owned()))));
        }
    }

    fn aggregate_call(&mut self) -> Expr {
        let variable = self.dice.pick(&VARIABLES);
        let distinct = self.dice.pick(&["", "DISTINCT "]);
        let text = match (self.terms, self.dice.below(8)) {
            (_, 0) => format!("COUNT({distinct}*)"),
            (_, 1 | 2) => format!("COUNT({distinct}?{variable})"),
            (Terms::Ordered, 3) => format!("SUM({distinct}?{variable})"),
            (Terms::Ordered, 4) => format!("AVG({distinct}?{variable})"),
            (Terms::Ordered, 5) => format!("MIN({distinct}?{variable})"),
            (Terms::Ordered, 6) => format!("MAX({distinct}?{variable})"),
            // Oxigraph's evaluator gives an error for values that are not strings.
            (Terms::Ordered, _) if self.wide() => {
                format!("STRLEN(GROUP_CONCAT({distinct}?{variable}; separator=\", \"))")
            }
            (Terms::Ordered, _) => format!("STRLEN(GROUP_CONCAT({distinct}STR(?{variable}); separator=\", \"))"),
            (Terms::Canonical | Terms::Odd, 3) => format!("SUM(IF(isNUMERIC(?{variable}), 1, 2))"),
            (Terms::Canonical | Terms::Odd, 4) => format!("AVG(IF(BOUND(?{variable}), 1, 2))"),
            (Terms::Canonical | Terms::Odd, _) => format!("COUNT({distinct}?{variable})"),
        };
        Expr::Term(text)
    }

    fn slice(&mut self, select: &mut Select, outermost: bool) {
        // The solutions within a limit are determined only if all columns are sort keys.
        let projected: Vec<String> = select
            .projection
            .iter()
            .map(|item| match item {
                Projected::Var(name) | Projected::As(_, name) => name.clone(),
            })
            .collect();
        if select.sample.is_some() {
            return;
        }
        if outermost {
            if self.dice.once_in(4) {
                for variable in projected.iter().filter(|v| !v.starts_with('n')) {
                    select.order.push((variable.clone(), self.dice.once_in(3)));
                }
            }
            // A slice tests most where the order leaves no choice.
            let often = if select.order.is_empty() { 6 } else { 2 };
            if self.dice.once_in(often) {
                select.limit = Some(self.dice.below(5));
            }
            if self.dice.once_in(8) {
                select.offset = Some(self.dice.below(4));
            }
        } else if self.terms == Terms::Ordered
            && !projected.is_empty()
            && projected.iter().all(|v| !v.starts_with('n'))
            && select.modifier != "REDUCED"
            && self.dice.once_in(4)
        {
            select.order = projected.into_iter().map(|v| (v, self.dice.once_in(3))).collect();
            select.limit = Some(1 + self.dice.below(4));
            if self.dice.once_in(3) {
                select.offset = Some(self.dice.below(3));
            }
        }
    }

    fn group(&mut self, depth: usize) -> Group {
        let count = self.dice.below(if depth > 1 { 4 } else { 3 });
        let mut elements = Vec::new();
        // Filters and optional parts test more after a triple pattern.
        if !self.dice.once_in(5) {
            elements.push(Element::Triple(self.triple()));
        }
        for _ in 0..count {
            let outside = self.nested;
            elements.push(self.element(depth));
            self.nested = outside;
        }
        Group(elements)
    }

    /// A nested group.
    fn part(&mut self, depth: usize) -> Group {
        self.nested = true;
        self.group(depth)
    }

    fn element(&mut self, depth: usize) -> Element {
        let kind = if depth == 0 { self.dice.below(12) } else { self.dice.below(32) };
        match kind {
            0..=7 => Element::Triple(self.triple()),
            8 => {
                let deeper = self.wide() && self.dice.once_in(4);
                let path = self.path(2 + usize::from(deeper));
                // A path of length zero also connects a term to itself that occurs in the query but in no statement (SPARQL 1.1
                // §18.4, ZeroOrOnePath); not so in Oxigraph's evaluator.
                if path.has_zero_length() && (self.in_exists || !self.wide()) {
                    if self.in_exists {
                        return Element::Triple(self.triple());
                    }
                    let [s, o] = [self.dice.pick(&VARIABLES), self.dice.pick(&VARIABLES)];
                    return Element::Path(Node::Var(s.to_owned()), path, Node::Var(o.to_owned()));
                }
                let object = match self.object() {
                    Node::Triple(_) => self.subject(),
                    object => object,
                };
                Element::Path(self.subject(), path, object)
            }
            9 => Element::Filter(self.condition(2, depth)),
            10 => {
                // BIND to a variable in use makes the query invalid; then another query is generated.
                let name = match self.dice.below(3) {
                    0 if !self.in_exists => self.dice.pick(&VARIABLES).to_owned(),
                    _ => self.fresh(),
                };
                Element::Bind(self.expression(2), name)
            }
            11 => self.values(),
            12..=14 => Element::Optional(self.part(depth - 1)),
            15 | 16 => {
                let first = self.part(depth - 1);
                let second = self.part(depth - 1);
                Element::Union(vec![first, second])
            }
            17 | 18 if self.wide() || !(self.in_graph || self.in_exists || self.nested) => {
                Element::Minus(self.part(depth - 1))
            }
            19 | 20 => self.graph(depth),
            21 | 22 => Element::Group(self.part(depth - 1)),
            23 if self.wide() || !self.in_graph => Element::Select(Box::new(self.select(depth - 1, false))),
            24 | 25 if self.wide() || !self.nested => Element::Filter(self.exists(depth)),
            26..=28 => Element::Filter(self.condition(2, depth)),
            _ => Element::Triple(self.triple()),
        }
    }

    fn graph(&mut self, depth: usize) -> Element {
        if self.in_graph && !self.wide() || self.dice.once_in(2) {
            let group = self.inside_graph(depth);
            return Element::Graph(Node::Term(self.dice.pick(&GRAPHS).to_owned()), group);
        }
        let outside = std::mem::replace(&mut self.in_graph, true);
        let group = self.inside_graph(depth);
        self.in_graph = outside;
        let variable = if self.wide() && self.dice.once_in(3) { self.dice.pick(&VARIABLES) } else { GRAPH_VARIABLE };
        Element::Graph(Node::Var(variable.to_owned()), group)
    }

    fn inside_graph(&mut self, depth: usize) -> Group {
        // A group with only another GRAPH, alone or as a branch: the outer graph is joined with it (SPARQL 1.1 §18.6, Graph);
        // Oxigraph's evaluator leaves the outer variable unbound.
        if self.wide() && depth > 1 && self.dice.once_in(4) {
            let only = Group(vec![self.graph(depth - 1)]);
            let branches = vec![only.clone(), self.part(depth - 1)];
            return if self.dice.once_in(2) { only } else { Group(vec![Element::Union(branches)]) };
        }
        // A graph that does not exist has no solutions; without a triple pattern Oxigraph's evaluator finds some.
        let bare = self.wide() && self.dice.once_in(4);
        let mut group = self.part(depth - 1);
        if !bare {
            group.0.insert(0, Element::Triple(self.triple()));
        }
        group
    }

    fn exists(&mut self, depth: usize) -> Expr {
        let outside = std::mem::replace(&mut self.in_exists, true);
        let group = self.part(depth - 1);
        self.in_exists = outside;
        Expr::Exists { group, negated: self.dice.once_in(2) }
    }

    fn subject(&mut self) -> Node {
        if self.dice.once_in(7) {
            Node::Term(self.dice.pick(&IRIS).to_owned())
        } else {
            Node::Var(self.dice.pick(&VARIABLES).to_owned())
        }
    }

    fn object(&mut self) -> Node {
        match self.dice.below(18) {
            0 => Node::Term(self.terms.literal(self.dice).to_owned()),
            1 | 2 => Node::Term(self.dice.pick(&IRIS).to_owned()),
            3 if self.terms == Terms::Canonical && (self.wide() || !self.in_exists) => {
                let (s, o) = (self.subject(), self.object());
                Node::Triple(Box::new([s, self.predicate(), o]))
            }
            4 if self.wide() || !self.in_graph => Node::Var(GRAPH_VARIABLE.to_owned()),
            _ => Node::Var(self.dice.pick(&VARIABLES).to_owned()),
        }
    }

    fn predicate(&mut self) -> Node {
        if self.dice.once_in(5) {
            Node::Var(self.dice.pick(&VARIABLES).to_owned())
        } else {
            Node::Term(self.dice.pick(&PREDICATES).to_owned())
        }
    }

    fn triple(&mut self) -> [Node; 3] {
        [self.subject(), self.predicate(), self.object()]
    }

    fn path(&mut self, depth: usize) -> Path {
        let iri = |dice: &mut Dice| dice.pick(&PREDICATES).to_owned();
        if depth == 0 {
            return Path::Iri(iri(self.dice));
        }
        let mut inner = || Box::new(self.path(depth - 1));
        let (a, b) = (inner(), inner());
        match self.dice.below(8) {
            0 => Path::Inverse(a),
            1 | 2 => Path::Sequence(a, b),
            3 => Path::Alternative(a, b),
            4 => Path::Repeat(a, '*'),
            5 => Path::Repeat(a, '+'),
            6 => Path::Repeat(a, '?'),
            _ => Path::Negated(
                (0..1 + self.dice.below(2))
                    .map(|_| format!("{}{}", self.dice.pick(&["", "", "^"]), iri(self.dice)))
                    .collect(),
            ),
        }
    }

    fn values(&mut self) -> Element {
        let mut variables = vec![self.dice.pick(&VARIABLES).to_owned()];
        if self.dice.once_in(2) {
            let other = self.dice.pick(&VARIABLES).to_owned();
            if other != variables[0] {
                variables.push(other);
            }
        }
        let rows = (0..1 + self.dice.below(3))
            .map(|_| {
                variables.iter().map(|_| (!self.dice.once_in(5)).then(|| self.terms.constant(self.dice))).collect()
            })
            .collect();
        Element::Values(variables, rows)
    }

    fn variable(&mut self) -> Expr {
        Expr::Var(self.dice.pick(&VARIABLES).to_owned())
    }

    /// An expression that is true, false or an error.
    fn condition(&mut self, depth: usize, groups: usize) -> Expr {
        let kind = if depth == 0 { 4 + self.dice.below(8) } else { self.dice.below(14) };
        let value = |query: &mut Self| Box::new(query.expression(depth.saturating_sub(1)));
        match kind {
            0 | 1 => {
                let (a, b) = (self.condition(depth - 1, groups), self.condition(depth - 1, groups));
                Expr::Binary(self.dice.pick(&["&&", "||"]), Box::new(a), Box::new(b))
            }
            2 => Expr::Call("!".to_owned(), vec![self.condition(depth - 1, groups)]),
            3 if groups > 0 && (self.wide() || !self.nested) => self.exists(groups),
            4..=6 => Expr::Binary(self.dice.pick(&["=", "!="]), value(self), value(self)),
            // Oxigraph's evaluator takes a term without an order, such as an IRI, for equal in order to itself, and so for `<=` and not
            // `<` itself, which are errors (§17.3): in a narrow query one side has an order.
            7 => {
                let operator = self.dice.pick(&["<", "<=", ">", ">="]);
                let number = |query: &mut Self| Box::new(Expr::Term(query.dice.pick(&INTEGERS).to_owned()));
                let right = if self.wide() { value(self) } else { number(self) };
                Expr::Binary(operator, value(self), right)
            }
            8 => Expr::Call("BOUND".to_owned(), vec![self.variable()]),
            9 => Expr::Call(
                self.dice.pick(&["isIRI", "isBLANK", "isLITERAL", "isNUMERIC", "isTRIPLE"]).to_owned(),
                vec![self.variable()],
            ),
            // Oxigraph's evaluator takes literals of different unknown datatypes for different, which is an error (§17.4.1.7).
            10 if self.wide() || self.terms != Terms::Canonical => {
                Expr::In { operand: value(self), list: vec![*value(self), *value(self)], negated: self.dice.once_in(2) }
            }
            11 => Expr::Call("sameTerm".to_owned(), vec![self.variable(), self.variable()]),
            _ => Expr::Binary("=", value(self), value(self)),
        }
    }

    /// An expression whose value is a term.
    fn expression(&mut self, depth: usize) -> Expr {
        if depth == 0 || self.dice.once_in(3) {
            return if self.dice.once_in(3) { Expr::Term(self.terms.constant(self.dice)) } else { self.variable() };
        }
        let inner = |query: &mut Self| query.expression(depth - 1);
        match (self.terms, self.dice.below(8)) {
            (_, 0 | 1) => {
                let operator = self.dice.pick(&["+", "-"]);
                let (a, b) = (inner(self), inner(self));
                Expr::Binary(operator, Box::new(a), Box::new(b))
            }
            (Terms::Ordered | Terms::Canonical, 2) => Expr::Call("COALESCE".to_owned(), vec![inner(self), inner(self)]),
            (Terms::Ordered | Terms::Canonical, 3) => {
                let condition = self.condition(1, 0);
                Expr::Call("IF".to_owned(), vec![condition, inner(self), inner(self)])
            }
            (Terms::Ordered | Terms::Canonical, 4) => {
                let name = self.dice.pick(&["STR", "DATATYPE", "LANG", "xsd:integer", "xsd:string"]);
                Expr::Call(name.to_owned(), vec![inner(self)])
            }
            (Terms::Ordered | Terms::Canonical, 5) => {
                let text = |query: &mut Self| Expr::Call("STR".to_owned(), vec![query.variable()]);
                let name = self.dice.pick(&["CONCAT", "STRAFTER", "STRBEFORE"]);
                Expr::Call(name.to_owned(), vec![text(self), text(self)])
            }
            (Terms::Canonical, 6) if self.dice.once_in(3) => {
                let predicate = Expr::Term(self.dice.pick(&PREDICATES).to_owned());
                Expr::Call("TRIPLE".to_owned(), vec![self.variable(), predicate, inner(self)])
            }
            (Terms::Canonical, 6) => {
                let name = self.dice.pick(&["SUBJECT", "PREDICATE", "OBJECT"]);
                Expr::Call(name.to_owned(), vec![self.variable()])
            }
            _ => self.variable(),
        }
    }
}
