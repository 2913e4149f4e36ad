//! Property paths (SHACL 1.0 §2.3.1, SPARQL 1.1 §9) over any representation of predicates: an IRI, or an id in a dictionary.
//!
//! This holds only the structure of a path; the evaluator walks it.

use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Path<P> {
    Predicate(P),
    Inverse(Box<Self>),
    Sequence(Vec<Self>),
    Alternative(Vec<Self>),
    ZeroOrMore(Box<Self>),
    OneOrMore(Box<Self>),
    ZeroOrOne(Box<Self>),
}

impl<P> Path<P> {
    /// The same path over another representation of predicates.
    pub fn map<Q>(&self, predicate: &mut impl FnMut(&P) -> Q) -> Path<Q> {
        match self {
            Self::Predicate(p) => Path::Predicate(predicate(p)),
            Self::Inverse(inner) => Path::Inverse(Box::new(inner.map(predicate))),
            Self::Sequence(steps) => Path::Sequence(steps.iter().map(|s| s.map(predicate)).collect()),
            Self::Alternative(branches) => Path::Alternative(branches.iter().map(|b| b.map(predicate)).collect()),
            Self::ZeroOrMore(inner) => Path::ZeroOrMore(Box::new(inner.map(predicate))),
            Self::OneOrMore(inner) => Path::OneOrMore(Box::new(inner.map(predicate))),
            Self::ZeroOrOne(inner) => Path::ZeroOrOne(Box::new(inner.map(predicate))),
        }
    }
}

/// Writes the path in SPARQL's syntax.
impl<P: fmt::Display> fmt::Display for Path<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Predicate(p) => p.fmt(f),
            Self::Inverse(inner) => write!(f, "^{}", Step(inner)),
            Self::Sequence(steps) => join(f, steps, "/"),
            Self::Alternative(branches) => join(f, branches, "|"),
            Self::ZeroOrMore(inner) => write!(f, "{}*", Step(inner)),
            Self::OneOrMore(inner) => write!(f, "{}+", Step(inner)),
            Self::ZeroOrOne(inner) => write!(f, "{}?", Step(inner)),
        }
    }
}

/// A path as an operand: in parentheses unless it is a single predicate.
struct Step<'a, P>(&'a Path<P>);

impl<P: fmt::Display> fmt::Display for Step<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Path::Predicate(p) => p.fmt(f),
            path => write!(f, "({path})"),
        }
    }
}

fn join<P: fmt::Display>(f: &mut fmt::Formatter<'_>, parts: &[Path<P>], between: &str) -> fmt::Result {
    for (i, part) in parts.iter().enumerate() {
        if i > 0 {
            f.write_str(between)?;
        }
        write!(f, "{}", Step(part))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Path::{Alternative, Inverse, Predicate, Sequence, ZeroOrMore};

    #[test]
    fn a_path_is_written_as_in_sparql() {
        let path = Sequence(vec![
            Predicate("a:b"),
            ZeroOrMore(Box::new(Inverse(Box::new(Predicate("a:c"))))),
            Alternative(vec![Predicate("a:d"), Predicate("a:e")]),
        ]);
        assert_eq!(path.to_string(), "a:b/((^a:c)*)/(a:d|a:e)");
    }
}
