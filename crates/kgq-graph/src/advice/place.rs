//! Finds where in a query's text something is that the algebra only names.

use super::Allowance;
use kgq_engine::query::atoms::{Atom, AtomKind, PatternTerm};
use kgq_syntax::cursor::{Written, triples};
use kgq_syntax::error::Source;
use kgq_syntax::rdf::{NamedNode, Prefixes, Term, Variable};
use kgq_syntax::sparql::{prefixes_declared, tokenize};
use kgq_syntax::text::nearest;
use kgq_syntax::{Span, Token, TokenKind, significant};
use rustc_hash::FxHashMap;
use std::cell::OnceCell;

/// A query's text with its tokens.
pub struct QueryText<'a> {
    pub source: Source<'a>,
    tokens: Vec<Token>,
    prefixes: Prefixes,
    triples: Vec<Written>,
    pattern: Span,
    /// The places of each IRI, except in declarations.
    iris: OnceCell<FxHashMap<String, Vec<Span>>>,
}

impl<'a> QueryText<'a> {
    pub fn new(source: Source<'a>, known: &Prefixes) -> Self {
        let all = tokenize(source.text);
        let mut prefixes = known.clone();
        for declared in prefixes_declared(source.text, &all) {
            prefixes.insert(declared.prefix, declared.iri);
        }
        let (tokens, triples) = (significant(&all), triples(source.text));
        let opens = tokens.iter().find(|t| t.is(source.text, "{")).or(tokens.last());
        let pattern = opens.map_or(0..0, Token::span);
        Self { source, tokens, prefixes, triples, pattern, iris: OnceCell::new() }
    }

    /// Whether a variable is marked as a parameter, with a value from outside.
    pub fn is_parameter(&self, name: &str) -> bool {
        let text = self.source.text;
        self.tokens.iter().any(|t| t.variable(text) == Some(name) && t.text(text).starts_with('$'))
    }

    /// Returns where the pattern begins, for diagnostics without a place of their own.
    pub fn pattern(&self) -> Span {
        self.pattern.clone()
    }

    /// The last place of a variable.
    pub fn last_variable(&self, name: &str) -> Option<Span> {
        self.tokens.iter().rev().find(|t| t.variable(self.source.text) == Some(name)).map(Token::span)
    }

    /// Returns the place of a variable in a FILTER or BIND whose group does not mention it otherwise; else its last
    /// place.
    pub fn variable_out_of_scope(&self, name: &str) -> Option<Span> {
        let text = self.source.text;
        let is_it = |token: &&Token| token.variable(text) == Some(name);
        let clauses = self.clauses("FILTER").into_iter().chain(self.clauses("BIND"));
        let mut strange: Vec<Span> = clauses
            .filter_map(|(start, end)| {
                let inside = self.tokens[start..=end].iter().find(is_it)?;
                let (open, close) = self.group_around(start);
                let others = self.tokens[open..start].iter().chain(&self.tokens[end + 1..close]);
                others.into_iter().all(|token| !is_it(&token)).then(|| inside.span())
            })
            .collect();
        strange.sort_by_key(|span| span.start);
        strange.into_iter().next().or_else(|| self.last_variable(name))
    }

    /// The tokens between the innermost braces around a token.
    fn group_around(&self, at: usize) -> (usize, usize) {
        let open = self.unmatched((0..at).rev(), "}", "{").unwrap_or(0);
        let close = self.unmatched(at..self.tokens.len(), "{", "}").unwrap_or(self.tokens.len());
        (open, close)
    }

    /// The first closing bracket whose opening bracket is not among these tokens.
    fn unmatched(&self, mut tokens: impl Iterator<Item = usize>, opening: &str, closing: &str) -> Option<usize> {
        let text = self.source.text;
        let mut depth = 0usize;
        tokens.find(|i| {
            let token = &self.tokens[*i];
            let found = token.is(text, closing) && depth == 0;
            if token.is(text, opening) {
                depth += 1;
            } else if token.is(text, closing) {
                depth = depth.saturating_sub(1);
            }
            found
        })
    }

    /// The path that ends at a variable.
    pub fn path_to(&self, name: &str) -> Option<Span> {
        let is_it = |written: &String| written.strip_prefix(['?', '$']) == Some(name);
        let path = |t: &&Written| self.is_path(t) && (is_it(&t.parts[2]) || is_it(&t.parts[0]));
        self.triples.iter().find(path).map(|t| self.trimmed(t))
    }

    /// Returns the first place of a variable after a keyword.
    pub fn variable_behind(&self, keyword: &str, name: &str) -> Option<Span> {
        let behind = self.tokens.iter().skip_while(|t| !t.is_keyword(self.source.text, keyword));
        behind.into_iter().find(|t| t.variable(self.source.text) == Some(name)).map(Token::span)
    }

    /// The expression of `(expression AS ?name)`, as written.
    pub fn expression_named(&self, name: &str) -> Option<&'a str> {
        let text = self.source.text;
        let named = |pair: &[Token]| pair[0].is_keyword(text, "AS") && pair[1].variable(text) == Some(name);
        let end = self.tokens.windows(2).position(named)?;
        let mut depth = 0usize;
        let open = self.tokens[..end].iter().rposition(|token| {
            depth += usize::from(token.is(text, ")"));
            let opens = token.is(text, "(");
            let found = opens && depth == 0;
            depth -= usize::from(opens && depth > 0);
            found
        })?;
        let (first, last) = (self.tokens.get(open + 1)?, self.tokens.get(end.checked_sub(1)?)?);
        text.get(first.start..last.end)
    }

    /// The first place of an IRI in the pattern, or that of a graph in FROM.
    pub fn iri(&self, iri: &NamedNode, is_graph: bool) -> Option<Span> {
        let from = if is_graph { 0 } else { self.pattern().start };
        let places = self.iris.get_or_init(|| self.all_iris());
        let found = places.get(iri.as_str()).into_iter().flatten();
        let exact = found.clone().find(|span| span.start >= from).or_else(|| found.clone().next()).cloned();
        exact.or_else(|| {
            // An IRI that is written relative to a base.
            let relative = self.tokens.iter().filter(|t| t.kind == TokenKind::Iri && t.start >= from);
            relative.into_iter().find(|t| self.names(t.text(self.source.text), iri)).map(Token::span)
        })
    }

    fn all_iris(&self) -> FxHashMap<String, Vec<Span>> {
        let text = self.source.text;
        let mut places: FxHashMap<String, Vec<Span>> = FxHashMap::default();
        for (at, token) in self.tokens.iter().enumerate() {
            let is_before = |n: usize, keyword| at >= n && self.tokens[at - n].is_keyword(text, keyword);
            if is_before(1, "PREFIX") || is_before(2, "PREFIX") || is_before(1, "BASE") {
                continue;
            }
            let written = token.text(text);
            let iri = match token.kind {
                TokenKind::Iri => written.trim_start_matches('<').trim_end_matches('>').to_owned(),
                TokenKind::PrefixedName => match self.prefixes.expand(written) {
                    Some(iri) => iri.into_string(),
                    None => continue,
                },
                _ if written == "a" => kgq_syntax::rdf::vocabulary::rdf::TYPE.as_str().to_owned(),
                _ => continue,
            };
            places.entry(iri).or_default().push(token.span());
        }
        places
    }

    fn names(&self, written: &str, iri: &NamedNode) -> bool {
        if written == "a" {
            return iri.as_ref() == kgq_syntax::rdf::vocabulary::rdf::TYPE;
        }
        match written.strip_prefix('<').and_then(|w| w.strip_suffix('>')) {
            Some(inner) => {
                inner == iri.as_str() || !inner.contains(':') && !inner.is_empty() && iri.as_str().ends_with(inner)
            }
            None => written.contains(':') && self.prefixes.expand(written).as_ref() == Some(iri),
        }
    }

    /// The first place of a literal.
    pub fn literal(&self, lexical: &str) -> Option<Span> {
        let found = |t: &&Token| match t.kind {
            TokenKind::String(_) => t.text(self.source.text).trim_matches(['"', '\'']) == lexical,
            TokenKind::Integer | TokenKind::Decimal | TokenKind::Double => t.text(self.source.text) == lexical,
            _ => false,
        };
        self.tokens.iter().find(found).map(Token::span)
    }

    /// The place of a condition.
    pub fn atom(&self, atom: &Atom) -> Option<Span> {
        match &atom.condition {
            AtomKind::Triple { subject, predicate, object } => {
                let fits = |t: &&Written| {
                    let [s, p, o] = &t.parts;
                    self.is(s, subject) && self.is(p, predicate) && self.is(o, object)
                };
                let found = self.triples.iter().find(fits).map(|t| self.trimmed(t));
                found.or_else(|| self.path(subject, object)).or_else(|| self.step(subject, Some(predicate), object))
            }
            AtomKind::Path { subject, object } => {
                self.path(subject, object).or_else(|| self.step(subject, None, object))
            }
            AtomKind::Filter => self.clause_of("FILTER", atom),
            AtomKind::Optional => self.clause("OPTIONAL", &atom.variables),
            AtomKind::Minus => self.clause("MINUS", &atom.variables),
            AtomKind::Values => self.clause("VALUES", &atom.variables),
            AtomKind::Union => self.keyword("UNION"),
            AtomKind::SubSelect => self.clause("SELECT", &atom.variables),
            AtomKind::Bind => self.clause_of("BIND", atom),
        }
    }

    /// The place of a path between two nodes; with `^` in it, the algebra has them exchanged.
    fn path(&self, subject: &PatternTerm, object: &PatternTerm) -> Option<Span> {
        let fits = |t: &&Written| {
            let [s, _, o] = &t.parts;
            let (there, back) = (self.is(s, subject) && self.is(o, object), self.is(s, object) && self.is(o, subject));
            self.is_path(t) && (there || back)
        };
        self.triples.iter().find(fits).map(|t| self.trimmed(t))
    }

    /// The place of one step of a path of several, which the algebra joins by blank nodes: its predicate if that is written, else the path.
    fn step(&self, subject: &PatternTerm, predicate: Option<&PatternTerm>, object: &PatternTerm) -> Option<Span> {
        let is_end = |written: &str, node: &PatternTerm| *node == PatternTerm::Other || self.is(written, node);
        let joins = |one: &PatternTerm, other: &PatternTerm| *one == PatternTerm::Other || *other == PatternTerm::Other;
        let paths = self.triples.iter().filter(|t| self.is_path(t) && joins(subject, object)).filter(|t| {
            let [s, _, o] = &t.parts;
            is_end(s, subject) && is_end(o, object) || is_end(s, object) && is_end(o, subject)
        });
        paths.into_iter().find_map(|path| match predicate {
            None => Some(self.trimmed(path)),
            Some(predicate) => {
                let inside = self.tokens.iter().filter(|t| path.span.start <= t.start && t.end <= path.span.end);
                let mut named = inside.filter(|t| self.is(t.text(self.source.text), predicate)).map(Token::span);
                // A step that ends where the path ends is its last one.
                if *subject == PatternTerm::Other { named.next_back() } else { named.next() }
            }
        })
    }

    /// Whether a pattern has a path: one of several parts, or a repeated predicate.
    fn is_path(&self, written: &Written) -> bool {
        let name = written.parts[1].as_str();
        let own = &self.source.text[written.span.clone()];
        let behind = own.split_once(name).and_then(|(_, behind)| behind.chars().next());
        name.is_empty() || matches!(behind, Some('+' | '*' | '?'))
    }

    fn trimmed(&self, written: &Written) -> Span {
        let own = &self.source.text[written.span.clone()];
        let start = written.span.end - own.trim_start().len();
        start..written.span.end
    }

    fn is(&self, written: &str, node: &PatternTerm) -> bool {
        match node {
            PatternTerm::Variable(variable) => written.strip_prefix(['?', '$']) == Some(variable.as_str()),
            // A parameter that was given a value.
            PatternTerm::Term(_) if written.starts_with('$') => true,
            PatternTerm::Term(Term::NamedNode(iri)) => self.names(written, iri),
            PatternTerm::Term(Term::Literal(literal)) => {
                // Escapes are not decoded: two patterns will hardly differ only in them.
                let inner = written.trim_matches(['"', '\'']);
                inner == literal.value() || written.eq_ignore_ascii_case(literal.value()) || inner.contains('\\')
            }
            PatternTerm::Term(Term::BlankNode(_) | Term::Triple(_)) => false,
            PatternTerm::Other => written.starts_with(['[', '_', '(', '<']),
        }
    }

    pub fn keyword(&self, keyword: &str) -> Option<Span> {
        self.tokens.iter().find(|t| t.is_keyword(self.source.text, keyword)).map(Token::span)
    }

    /// The clause of an expression; if several have its variables, the one that has its terms too.
    fn clause_of(&self, keyword: &str, atom: &Atom) -> Option<Span> {
        let constants = atom.constants();
        let has = |tokens: &[Token]| {
            constants.iter().all(|term| match term {
                Term::NamedNode(iri) => tokens.iter().any(|t| self.names(t.text(self.source.text), iri)),
                Term::Literal(literal) => tokens.iter().any(|t| self.writes(t, literal.value())),
                Term::BlankNode(_) | Term::Triple(_) => true,
            })
        };
        self.clause_where(keyword, &atom.variables, has).or_else(|| self.clause(keyword, &atom.variables))
    }

    fn writes(&self, token: &Token, lexical: &str) -> bool {
        let written = token.text(self.source.text);
        match token.kind {
            // Escapes are not decoded: they do not tell two clauses apart.
            TokenKind::String(_) => written.contains('\\') || written.trim_matches(['"', '\'']) == lexical,
            TokenKind::Integer | TokenKind::Decimal | TokenKind::Double => written == lexical,
            _ => written.eq_ignore_ascii_case(lexical),
        }
    }

    /// The clause with this keyword that has all these variables, up to its closing bracket.
    fn clause(&self, keyword: &str, variables: &[Variable]) -> Option<Span> {
        self.clause_where(keyword, variables, |_| true)
    }

    fn clause_where(&self, keyword: &str, variables: &[Variable], fits: impl Fn(&[Token]) -> bool) -> Option<Span> {
        let text = self.source.text;
        let pattern = self.pattern().start;
        let clauses = self.clauses(keyword).into_iter().map(|(start, end)| &self.tokens[start..=end]);
        let found = clauses.filter(|tokens| tokens.first().is_some_and(|t| t.start >= pattern)).find(|tokens| {
            let has = |v: &Variable| tokens.iter().any(|t| t.variable(text) == Some(v.as_str()));
            variables.iter().all(has) && fits(tokens)
        })?;
        Some(found.first()?.start..found.last()?.end)
    }

    /// The first and last tokens of the clauses with this keyword.
    fn clauses(&self, keyword: &str) -> Vec<(usize, usize)> {
        let starts = self.tokens.iter().enumerate();
        let starts = starts.filter(|(_, t)| t.is_keyword(self.source.text, keyword)).map(|(i, _)| i);
        starts.map(|start| (start, self.end_of_clause(start))).collect()
    }

    fn end_of_clause(&self, start: usize) -> usize {
        let text = self.source.text;
        let mut depth = 0i32;
        for (i, token) in self.tokens.iter().enumerate().skip(start + 1) {
            match token.text(text) {
                "(" | "{" => depth += 1,
                ")" | "}" => {
                    depth -= 1;
                    if depth <= 0 {
                        return i;
                    }
                }
                _ => {}
            }
        }
        self.tokens.len() - 1
    }

    /// Returns variables that occur once and are spelt almost like another: their name, their place, the other.
    pub fn variables_used_once(&self, budget: &Allowance) -> Vec<(String, Span, String)> {
        let text = self.source.text;
        let all: Vec<(&str, Span)> = self.tokens.iter().filter_map(|t| Some((t.variable(text)?, t.span()))).collect();
        let mut counts: FxHashMap<&str, usize> = FxHashMap::default();
        all.iter().for_each(|(name, _)| *counts.entry(name).or_default() += 1);
        let times = |name: &str| counts.get(name).copied().unwrap_or_default();
        let mut often: Vec<&str> = all.iter().map(|(name, _)| *name).filter(|name| times(name) > 1).collect();
        often.sort_unstable();
        often.dedup();
        all.iter()
            // In names of one or two letters, and in names that differ by a number, every letter is intended.
            .filter(|(name, _)| times(name) == 1 && name.chars().count() > 3)
            .take_while(|_| budget.spend(often.len()))
            .filter_map(|(name, span)| {
                let alike = |other: &&&str| other.chars().count() > 3 && !differ_on_purpose(name, other);
                // One letter missing, added or changed, or two exchanged.
                let near = nearest(name, often.iter().filter(alike).copied(), 1).first().copied()?;
                let one = strsim::damerau_levenshtein(&name.to_lowercase(), &near.to_lowercase()) <= 1;
                let near = one.then_some(near)?;
                Some(((*name).to_owned(), span.clone(), near.to_owned()))
            })
            .collect()
    }
}

/// Whether two names differ by a number or a suffix, as the names of a series do.
fn differ_on_purpose(a: &str, b: &str) -> bool {
    let stem = |name: &str| name.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
    let has_digit = |name: &str| name.bytes().any(|b| b.is_ascii_digit());
    stem(a) == stem(b)
        || has_digit(a)
        || has_digit(b)
        || a.starts_with(b)
        || b.starts_with(a)
        || a.ends_with(b)
        || b.ends_with(a)
}
