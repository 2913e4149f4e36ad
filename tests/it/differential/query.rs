//! Queries as trees that can be written as SPARQL and shrunk.

use std::fmt::{self, Display, Formatter, Write as _};

#[derive(Clone, Debug)]
pub enum Node {
    Var(String),
    /// A term in SPARQL syntax.
    Term(String),
    Triple(Box<[Node; 3]>),
}

#[derive(Clone, Debug)]
pub enum Path {
    Iri(String),
    Inverse(Box<Path>),
    Sequence(Box<Path>, Box<Path>),
    Alternative(Box<Path>, Box<Path>),
    Repeat(Box<Path>, char),
    /// IRIs, some with `^` before them.
    Negated(Vec<String>),
}

#[derive(Clone, Debug)]
pub enum Expr {
    Var(String),
    Term(String),
    Binary(&'static str, Box<Expr>, Box<Expr>),
    /// A function, or `!` and `-`.
    Call(String, Vec<Expr>),
    In {
        operand: Box<Expr>,
        list: Vec<Expr>,
        negated: bool,
    },
    Exists {
        group: Group,
        negated: bool,
    },
}

#[derive(Clone, Debug)]
pub enum Element {
    Triple([Node; 3]),
    Path(Node, Path, Node),
    Optional(Group),
    Union(Vec<Group>),
    Minus(Group),
    Filter(Expr),
    Bind(Expr, String),
    Values(Vec<String>, Vec<Vec<Option<String>>>),
    Graph(Node, Group),
    Group(Group),
    Select(Box<Select>),
}

#[derive(Clone, Debug, Default)]
pub struct Group(pub Vec<Element>);

#[derive(Clone, Debug)]
pub enum Projected {
    Var(String),
    /// An expression or the text of an aggregate with its argument, and a name.
    As(Expr, String),
}

#[derive(Clone, Debug, Default)]
pub struct Select {
    /// Empty, `DISTINCT` or `REDUCED`.
    pub modifier: &'static str,
    /// All variables if empty.
    pub projection: Vec<Projected>,
    pub from: Vec<String>,
    pub from_named: Vec<String>,
    pub group: Group,
    pub group_by: Vec<String>,
    pub having: Option<Expr>,
    /// The variable of SAMPLE, and the name of its value.
    pub sample: Option<(String, String)>,
    /// The sort keys: variables, and whether descending.
    pub order: Vec<(String, bool)>,
    pub limit: Option<usize>,
    pub offset: Option<usize>,
}

impl Display for Node {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Var(name) => write!(f, "?{name}"),
            Self::Term(text) => f.write_str(text),
            Self::Triple(parts) => write!(f, "<<( {} {} {} )>>", parts[0], parts[1], parts[2]),
        }
    }
}

impl Display for Path {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Iri(iri) => f.write_str(iri),
            Self::Inverse(path) => write!(f, "^({path})"),
            Self::Sequence(a, b) => write!(f, "({a}/{b})"),
            Self::Alternative(a, b) => write!(f, "({a}|{b})"),
            Self::Repeat(path, sign) => write!(f, "({path}){sign}"),
            Self::Negated(iris) => write!(f, "!({})", iris.join("|")),
        }
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Var(name) => write!(f, "?{name}"),
            Self::Term(text) => f.write_str(text),
            Self::Binary(operator, a, b) => write!(f, "({a} {operator} {b})"),
            Self::Call(name, arguments) => {
                write!(f, "{name}(")?;
                separated(f, arguments)?;
                f.write_str(")")
            }
            Self::In { operand, list, negated } => {
                write!(f, "({operand} {}IN (", if *negated { "NOT " } else { "" })?;
                separated(f, list)?;
                f.write_str("))")
            }
            Self::Exists { group, negated } => write!(f, "{}EXISTS {group}", if *negated { "NOT " } else { "" }),
        }
    }
}

fn separated(f: &mut Formatter<'_>, items: &[Expr]) -> fmt::Result {
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{item}")?;
    }
    Ok(())
}

impl Display for Element {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Triple([s, p, o]) => write!(f, "{s} {p} {o} ."),
            Self::Path(s, path, o) => write!(f, "{s} {path} {o} ."),
            Self::Optional(group) => write!(f, "OPTIONAL {group}"),
            Self::Union(groups) => {
                for (at, group) in groups.iter().enumerate() {
                    write!(f, "{}{group}", if at > 0 { " UNION " } else { "" })?;
                }
                Ok(())
            }
            Self::Minus(group) => write!(f, "MINUS {group}"),
            Self::Filter(expression) => write!(f, "FILTER ({expression})"),
            Self::Bind(expression, variable) => write!(f, "BIND ({expression} AS ?{variable})"),
            Self::Values(variables, rows) => {
                f.write_str("VALUES (")?;
                for variable in variables {
                    write!(f, " ?{variable}")?;
                }
                f.write_str(" ) {")?;
                for row in rows {
                    f.write_str(" (")?;
                    for term in row {
                        write!(f, " {}", term.as_deref().unwrap_or("UNDEF"))?;
                    }
                    f.write_str(" )")?;
                }
                f.write_str(" }")
            }
            Self::Graph(name, group) => write!(f, "GRAPH {name} {group}"),
            Self::Group(group) => write!(f, "{group}"),
            Self::Select(select) => write!(f, "{{ {select} }}"),
        }
    }
}

impl Display for Group {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char('{')?;
        for element in &self.0 {
            write!(f, " {element}")?;
        }
        f.write_str(" }")
    }
}

impl Display for Select {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "SELECT {}", self.modifier)?;
        if self.projection.is_empty() {
            f.write_str(" *")?;
        }
        for item in &self.projection {
            match item {
                Projected::Var(name) => write!(f, " ?{name}")?,
                Projected::As(expression, name) => write!(f, " ({expression} AS ?{name})")?,
            }
        }
        if let Some((variable, name)) = &self.sample {
            write!(f, " (SAMPLE(?{variable}) AS ?{name})")?;
        }
        write!(f, "{} WHERE {}", self.dataset(), self.group)?;
        if !self.group_by.is_empty() {
            write!(f, " GROUP BY ?{}", self.group_by.join(" ?"))?;
        }
        if let Some(having) = &self.having {
            write!(f, " HAVING ({having})")?;
        }
        for (at, (variable, descending)) in self.order.iter().enumerate() {
            write!(
                f,
                "{} {}(?{variable})",
                if at == 0 { " ORDER BY" } else { "" },
                if *descending { "DESC" } else { "ASC" }
            )?;
        }
        if let Some(limit) = self.limit {
            write!(f, " LIMIT {limit}")?;
        }
        if let Some(offset) = self.offset {
            write!(f, " OFFSET {offset}")?;
        }
        Ok(())
    }
}

impl Select {
    fn dataset(&self) -> String {
        let from = self.from.iter().map(|graph| format!(" FROM {graph}"));
        from.chain(self.from_named.iter().map(|graph| format!(" FROM NAMED {graph}"))).collect()
    }

    /// An ASK query for the pattern.
    pub fn ask(&self) -> String {
        format!("ASK{} WHERE {}", self.dataset(), self.group)
    }

    /// A CONSTRUCT query with the pattern.
    pub fn construct(&self, template: &[[Node; 3]]) -> String {
        let triples: String = template.iter().map(|[s, p, o]| format!(" {s} {p} {o} .")).collect();
        format!("CONSTRUCT {{{triples} }}{} WHERE {}", self.dataset(), self.group)
    }

    /// The query for all solutions of the pattern, with all variables in scope.
    pub fn whole_pattern(&self) -> Self {
        Self {
            group: self.group.clone(),
            from: self.from.clone(),
            from_named: self.from_named.clone(),
            ..Self::default()
        }
    }
}

/// All lists with one item left out.
fn without_one<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
    (0..items.len()).map(|at| items[..at].iter().chain(&items[at + 1..]).cloned().collect()).collect()
}

/// All lists with one item replaced by a smaller one.
fn with_one<T: Clone>(items: &[T], smaller: impl Fn(&T) -> Vec<T>) -> Vec<Vec<T>> {
    let mut out = Vec::new();
    for (at, item) in items.iter().enumerate() {
        for replacement in smaller(item) {
            let mut items = items.to_vec();
            items[at] = replacement;
            out.push(items);
        }
    }
    out
}

impl Select {
    /// Queries that are one step smaller; not all of them are valid.
    pub fn smaller(&self) -> Vec<Self> {
        let mut out = Vec::new();
        let mut with = |change: &dyn Fn(&mut Self)| {
            let mut copy = self.clone();
            change(&mut copy);
            out.push(copy);
        };
        for group in self.group.smaller() {
            with(&|select| select.group = group.clone());
        }
        if !self.modifier.is_empty() {
            with(&|select| select.modifier = "");
        }
        if self.having.is_some() {
            with(&|select| select.having = None);
        }
        if self.limit.is_some() {
            with(&|select| select.limit = None);
        }
        if self.offset.is_some() {
            with(&|select| select.offset = None);
        }
        for order in without_one(&self.order) {
            with(&|select| select.order = order.clone());
        }
        for projection in without_one(&self.projection) {
            with(&|select| select.projection = projection.clone());
        }
        let smaller_item = |item: &Projected| match item {
            Projected::Var(_) => Vec::new(),
            Projected::As(expression, name) => {
                expression.smaller().into_iter().map(|e| Projected::As(e, name.clone())).collect()
            }
        };
        for projection in with_one(&self.projection, smaller_item) {
            with(&|select| select.projection = projection.clone());
        }
        for keys in without_one(&self.group_by) {
            with(&|select| select.group_by = keys.clone());
        }
        for graphs in without_one(&self.from) {
            with(&|select| select.from = graphs.clone());
        }
        for graphs in without_one(&self.from_named) {
            with(&|select| select.from_named = graphs.clone());
        }
        for having in self.having.iter().flat_map(Expr::smaller) {
            with(&|select| select.having = Some(having.clone()));
        }
        out
    }
}

impl Group {
    fn smaller(&self) -> Vec<Self> {
        let mut out: Vec<Self> = without_one(&self.0).into_iter().map(Self).collect();
        // The content of a nested group may replace the group.
        for (at, element) in self.0.iter().enumerate() {
            for inner in element.groups() {
                let mut elements = self.0[..at].to_vec();
                elements.extend(inner.0.iter().cloned());
                elements.extend_from_slice(&self.0[at + 1..]);
                out.push(Self(elements));
            }
        }
        out.extend(with_one(&self.0, Element::smaller).into_iter().map(Self));
        out
    }
}

impl Group {
    /// Whether a path in it, however deep, can have no step.
    pub fn has_zero_length_path(&self) -> bool {
        self.0.iter().any(|element| match element {
            Element::Path(_, path, _) => path.has_zero_length(),
            element => element.groups().into_iter().any(Self::has_zero_length_path),
        })
    }
}

impl Element {
    fn groups(&self) -> Vec<&Group> {
        match self {
            Self::Optional(group) | Self::Minus(group) | Self::Graph(_, group) | Self::Group(group) => vec![group],
            Self::Union(groups) => groups.iter().collect(),
            Self::Select(select) => vec![&select.group],
            Self::Filter(Expr::Exists { group, .. }) => vec![group],
            Self::Triple(_) | Self::Path(..) | Self::Filter(_) | Self::Bind(..) | Self::Values(..) => Vec::new(),
        }
    }

    fn smaller(&self) -> Vec<Self> {
        match self {
            Self::Triple(_) => Vec::new(),
            Self::Path(s, path, o) => {
                path.smaller().into_iter().map(|path| Self::Path(s.clone(), path, o.clone())).collect()
            }
            Self::Optional(group) => group.smaller().into_iter().map(Self::Optional).collect(),
            Self::Minus(group) => group.smaller().into_iter().map(Self::Minus).collect(),
            Self::Group(group) => group.smaller().into_iter().map(Self::Group).collect(),
            Self::Graph(name, group) => {
                // The triple pattern stays, as without one Oxigraph's evaluator forgets the graph.
                let groups = group.smaller().into_iter();
                let kept = groups.filter(|group| matches!(group.0.first(), Some(Self::Triple(_))));
                kept.map(|group| Self::Graph(name.clone(), group)).collect()
            }
            Self::Union(groups) => {
                let mut out: Vec<Self> =
                    without_one(groups).into_iter().filter(|groups| !groups.is_empty()).map(Self::Union).collect();
                out.extend(with_one(groups, Group::smaller).into_iter().map(Self::Union));
                out
            }
            Self::Filter(expression) => expression.smaller().into_iter().map(Self::Filter).collect(),
            Self::Bind(expression, variable) => {
                expression.smaller().into_iter().map(|e| Self::Bind(e, variable.clone())).collect()
            }
            Self::Values(variables, rows) => {
                without_one(rows).into_iter().map(|rows| Self::Values(variables.clone(), rows)).collect()
            }
            Self::Select(select) => {
                let mut out = vec![Self::Group(select.group.clone())];
                out.extend(select.smaller().into_iter().map(|select| Self::Select(Box::new(select))));
                out
            }
        }
    }
}

impl Path {
    fn smaller(&self) -> Vec<Self> {
        match self {
            Self::Iri(_) => Vec::new(),
            Self::Inverse(path) => {
                let mut out = vec![(**path).clone()];
                out.extend(path.smaller().into_iter().map(|path| Self::Inverse(Box::new(path))));
                out
            }
            Self::Repeat(path, sign) => {
                let mut out = vec![(**path).clone()];
                out.extend(path.smaller().into_iter().map(|path| Self::Repeat(Box::new(path), *sign)));
                out
            }
            Self::Sequence(a, b) | Self::Alternative(a, b) => {
                let again = |a: Path, b: Path| match self {
                    Self::Sequence(..) => Self::Sequence(Box::new(a), Box::new(b)),
                    _ => Self::Alternative(Box::new(a), Box::new(b)),
                };
                let mut out = vec![(**a).clone(), (**b).clone()];
                out.extend(a.smaller().into_iter().map(|a| again(a, (**b).clone())));
                out.extend(b.smaller().into_iter().map(|b| again((**a).clone(), b)));
                out
            }
            Self::Negated(iris) => {
                without_one(iris).into_iter().filter(|iris| !iris.is_empty()).map(Self::Negated).collect()
            }
        }
    }
}

impl Expr {
    fn smaller(&self) -> Vec<Self> {
        match self {
            Self::Var(_) | Self::Term(_) => Vec::new(),
            Self::Binary(operator, a, b) => {
                let mut out = vec![(**a).clone(), (**b).clone()];
                out.extend(a.smaller().into_iter().map(|a| Self::Binary(operator, Box::new(a), b.clone())));
                out.extend(b.smaller().into_iter().map(|b| Self::Binary(operator, a.clone(), Box::new(b))));
                out
            }
            Self::Call(name, arguments) => {
                let mut out = arguments.clone();
                let smaller = with_one(arguments, Self::smaller);
                out.extend(smaller.into_iter().map(|arguments| Self::Call(name.clone(), arguments)));
                out
            }
            Self::In { operand, list, negated } => {
                let lists = without_one(list).into_iter().filter(|list| !list.is_empty());
                lists.map(|list| Self::In { operand: operand.clone(), list, negated: *negated }).collect()
            }
            Self::Exists { group, negated } => {
                group.smaller().into_iter().map(|group| Self::Exists { group, negated: *negated }).collect()
            }
        }
    }
}

/// Creates variables that the query does not use.
#[derive(Default)]
struct Fresh(usize);

impl Fresh {
    fn variable(&mut self) -> String {
        self.0 += 1;
        format!("path{}", self.0)
    }
}

impl Select {
    /// The same query with its property paths rewritten as SPARQL 1.1 §18.2.2.4 defines them: alternatives as unions, sequences
    /// as joins. `variables` are those of its answer.
    pub fn spelled_out(&self, variables: &[String]) -> Self {
        let mut select = self.with_paths_spelled_out(&mut Fresh::default());
        if select.projection.is_empty() {
            select.projection = variables.iter().cloned().map(Projected::Var).collect();
        }
        select
    }

    fn with_paths_spelled_out(&self, fresh: &mut Fresh) -> Self {
        Self { group: self.group.spelled_out(fresh), ..self.clone() }
    }
}

impl Group {
    fn spelled_out(&self, fresh: &mut Fresh) -> Self {
        Self(self.0.iter().flat_map(|element| element.spelled_out(fresh)).collect())
    }
}

impl Expr {
    fn spelled_out(&self, fresh: &mut Fresh) -> Self {
        match self {
            Self::Var(_) | Self::Term(_) => self.clone(),
            Self::Binary(operator, a, b) => {
                Self::Binary(operator, Box::new(a.spelled_out(fresh)), Box::new(b.spelled_out(fresh)))
            }
            Self::Call(name, arguments) => {
                Self::Call(name.clone(), arguments.iter().map(|argument| argument.spelled_out(fresh)).collect())
            }
            Self::In { operand, list, negated } => Self::In {
                operand: Box::new(operand.spelled_out(fresh)),
                list: list.iter().map(|item| item.spelled_out(fresh)).collect(),
                negated: *negated,
            },
            Self::Exists { group, negated } => Self::Exists { group: group.spelled_out(fresh), negated: *negated },
        }
    }
}

impl Element {
    fn spelled_out(&self, fresh: &mut Fresh) -> Vec<Self> {
        vec![match self {
            Self::Path(subject, path, object) => return path.spelled_out(subject.clone(), object.clone(), fresh),
            Self::Triple(_) | Self::Values(..) => self.clone(),
            Self::Optional(group) => Self::Optional(group.spelled_out(fresh)),
            Self::Union(groups) => Self::Union(groups.iter().map(|group| group.spelled_out(fresh)).collect()),
            Self::Minus(group) => Self::Minus(group.spelled_out(fresh)),
            Self::Filter(expression) => Self::Filter(expression.spelled_out(fresh)),
            Self::Bind(expression, variable) => Self::Bind(expression.spelled_out(fresh), variable.clone()),
            Self::Graph(name, group) => Self::Graph(name.clone(), group.spelled_out(fresh)),
            Self::Group(group) => Self::Group(group.spelled_out(fresh)),
            Self::Select(select) => Self::Select(Box::new(select.with_paths_spelled_out(fresh))),
        }]
    }
}

impl Path {
    /// Whether the path can connect a term to itself without a statement.
    pub fn has_zero_length(&self) -> bool {
        match self {
            Self::Iri(_) | Self::Negated(_) => false,
            Self::Inverse(path) => path.has_zero_length(),
            Self::Sequence(a, b) | Self::Alternative(a, b) => a.has_zero_length() || b.has_zero_length(),
            Self::Repeat(path, sign) => *sign != '+' || path.has_zero_length(),
        }
    }

    fn spelled_out(&self, subject: Node, object: Node, fresh: &mut Fresh) -> Vec<Element> {
        // No triple pattern can have a literal as its subject.
        if let Node::Term(text) = &subject
            && !text.starts_with(':')
        {
            let variable = fresh.variable();
            let values = Element::Values(vec![variable.clone()], vec![vec![Some(text.clone())]]);
            let mut elements = self.spelled_out(Node::Var(variable), object, fresh);
            elements.push(values);
            return elements;
        }
        match self {
            Self::Iri(iri) => vec![Element::Triple([subject, Node::Term(iri.clone()), object])],
            Self::Inverse(path) => path.spelled_out(object, subject, fresh),
            Self::Sequence(a, b) => {
                let middle = Node::Var(fresh.variable());
                let mut elements = a.spelled_out(subject, middle.clone(), fresh);
                elements.extend(b.spelled_out(middle, object, fresh));
                elements
            }
            Self::Alternative(a, b) => {
                let first = Group(a.spelled_out(subject.clone(), object.clone(), fresh));
                vec![Element::Union(vec![first, Group(b.spelled_out(subject, object, fresh))])]
            }
            Self::Negated(iris) => {
                let (inverse, forward): (Vec<_>, Vec<_>) = iris.iter().cloned().partition(|iri| iri.starts_with('^'));
                if inverse.is_empty() || forward.is_empty() {
                    return vec![Element::Path(subject, self.clone(), object)];
                }
                let alternative = Self::Alternative(Box::new(Self::Negated(forward)), Box::new(Self::Negated(inverse)));
                alternative.spelled_out(subject, object, fresh)
            }
            Self::Repeat(..) => vec![Element::Path(subject, self.clone(), object)],
        }
    }
}
