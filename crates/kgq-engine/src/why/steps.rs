//! The statements along a property path: a shortest way from one node to another.

use super::data::Data;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{NamedNode, Quad, Term};
use rustc_hash::FxHashMap;
use spargebra::algebra::PropertyPathExpression;
use std::collections::VecDeque;

/// How many nodes a search visits before it gives up.
const MOST_NODES: usize = 200_000;

/// A way to a node: its statements.
type Way = Vec<Quad>;

/// The statements of a shortest way along the path; `None` if there is none, or it was not found within bounds.
pub fn way(data: &Data<'_>, from: &Term, path: &PropertyPathExpression, to: &Term) -> Result<Option<Way>> {
    let mut search = Search { data, visits: MOST_NODES };
    Ok(search.reach(from, path, false)?.and_then(|mut found| found.remove(to)))
}

struct Search<'a> {
    data: &'a Data<'a>,
    visits: usize,
}

impl Search<'_> {
    /// Every node that the path reaches, with a shortest way; backward where it is walked from its end. `None` when the bound is
    /// passed.
    fn reach(
        &mut self,
        from: &Term,
        path: &PropertyPathExpression,
        backward: bool,
    ) -> Result<Option<FxHashMap<Term, Way>>> {
        let mut found: FxHashMap<Term, Way> = FxHashMap::default();
        match path {
            PropertyPathExpression::NamedNode(node) => self.steps(from, |p| p == node, backward, &mut found)?,
            PropertyPathExpression::NegatedPropertySet(nodes) => {
                self.steps(from, |p| !nodes.contains(p), backward, &mut found)?;
            }
            PropertyPathExpression::Reverse(inner) => return self.reach(from, inner, !backward),
            PropertyPathExpression::Sequence(first, second) => {
                let (first, second) = if backward { (second, first) } else { (first, second) };
                let Some(middles) = self.reach(from, first, backward)? else { return Ok(None) };
                for (middle, way) in in_order(middles) {
                    let Some(ends) = self.reach(&middle, second, backward)? else { return Ok(None) };
                    for (end, rest) in ends {
                        keep_shorter(&mut found, end, [way.as_slice(), rest.as_slice()].concat());
                    }
                }
            }
            PropertyPathExpression::Alternative(first, second) => {
                for branch in [first, second] {
                    let Some(ends) = self.reach(from, branch, backward)? else { return Ok(None) };
                    ends.into_iter().for_each(|(end, way)| keep_shorter(&mut found, end, way));
                }
            }
            PropertyPathExpression::ZeroOrOne(inner) => {
                let Some(ends) = self.reach(from, inner, backward)? else { return Ok(None) };
                found = ends;
                found.insert(from.clone(), Vec::new());
            }
            PropertyPathExpression::ZeroOrMore(inner) => {
                found.insert(from.clone(), Vec::new());
                return self.closure(from, inner, backward, found);
            }
            PropertyPathExpression::OneOrMore(inner) => return self.closure(from, inner, backward, found),
        }
        Ok(Some(found))
    }

    fn steps(
        &mut self,
        from: &Term,
        wanted: impl Fn(&NamedNode) -> bool,
        backward: bool,
        found: &mut FxHashMap<Term, Way>,
    ) -> Result<()> {
        let (subject, object) = if backward { (None, Some(from)) } else { (Some(from), None) };
        for quad in self.data.matching(subject, None, object)? {
            if wanted(&quad.predicate) {
                let end = if backward { quad.subject.clone().into() } else { quad.object.clone() };
                keep_shorter(found, end, vec![quad]);
            }
        }
        Ok(())
    }

    /// Breadth first, so that the first way to a node has the fewest steps.
    fn closure(
        &mut self,
        from: &Term,
        step: &PropertyPathExpression,
        backward: bool,
        mut found: FxHashMap<Term, Way>,
    ) -> Result<Option<FxHashMap<Term, Way>>> {
        let mut open = VecDeque::from([(from.clone(), Vec::new())]);
        while let Some((node, way)) = open.pop_front() {
            let Some(left) = self.visits.checked_sub(1) else { return Ok(None) };
            self.visits = left;
            let Some(next) = self.reach(&node, step, backward)? else { return Ok(None) };
            for (end, last) in in_order(next) {
                if !found.contains_key(&end) {
                    let longer = [way.as_slice(), last.as_slice()].concat();
                    found.insert(end.clone(), longer.clone());
                    open.push_back((end, longer));
                }
            }
        }
        Ok(Some(found))
    }
}

fn keep_shorter(found: &mut FxHashMap<Term, Way>, end: Term, way: Way) {
    if found.get(&end).is_none_or(|known| way.len() < known.len()) {
        found.insert(end, way);
    }
}

/// Of equally short ways the same one in every run.
fn in_order(ends: FxHashMap<Term, Way>) -> Vec<(Term, Way)> {
    let mut ends: Vec<_> = ends.into_iter().collect();
    ends.sort_by_cached_key(|(end, _)| end.to_string());
    ends
}
