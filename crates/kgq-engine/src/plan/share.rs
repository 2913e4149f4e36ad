//! Equal parts of a plan are made once: a join or a group that stands in two branches of a UNION, in a sub-SELECT and outside, on both sides of
//! a MINUS. So are parts of a correlated EXISTS that do not depend on the row. Only parts that start from no rows of their surroundings are
//! shared, and only where making the rows costs more than keeping them.
//!
//! Two parts are equal if all of their data are, but for what variables and feeds are called: a sub-SELECT has variables of its own.

use super::physical::{Basis, PhysicalPlan};
use crate::operator::feed::Nothing;
use crate::operator::shared::{self, SharedId};
use kgq_snapshot::TermId;
use rustc_hash::{FxHashMap, FxHashSet};
use std::fmt::Write as _;
use std::sync::Arc;

/// A part that costs less is made again.
const LEAST_COST: f64 = 1000.0;
/// The same for a part of a plan that is opened for each binding.
const LEAST_COST_EACH_TIME: f64 = 20.0;
/// What it costs to keep a row and to read it again, about.
const KEPT_ROW: f64 = 0.5;
/// A plan of more operators is left as it is, so that comparing its parts takes no time that anyone notices.
const MOST_OPERATORS: usize = 150;
const BYTES_OF_AN_OPERATOR: usize = 64 << 10;
/// A part with more bytes of rows is made again: its rows are kept until the query ends.
const MOST_KEPT_BYTES: f64 = (256_u64 << 20) as f64;
/// So many parts of a plan are shared at most.
const MOST_SHARED: u32 = 8;

/// The plan with its equal parts made once. `finish` gets each part before it is shared.
pub fn share(mut plan: PhysicalPlan, finish: impl Fn(PhysicalPlan) -> PhysicalPlan) -> PhysicalPlan {
    if plan.cost < 2.0 * LEAST_COST || has_many_operators(&plan) {
        return plan;
    }
    let mut parts = 0;
    while parts < MOST_SHARED
        && let Some(found) = most_costly(&mut plan)
    {
        parts += 1;
        let mut places = SharedPlaces { paths: found.into(), id: SharedId(parts), part: None, finish: &finish };
        places.replace(&mut plan, &mut Vec::new());
    }
    Kept { parts, finish: &finish }.within(&mut plan);
    plan
}

/// Where in a plan a part stands: the number of the input at each operator on the way.
type Path = Vec<usize>;

/// The most costly part that stands in several places: these, in order.
fn most_costly(plan: &mut PhysicalPlan) -> Option<Vec<Path>> {
    let mut alike = FxHashMap::<_, Vec<Path>>::default();
    each(plan, &mut Vec::new(), &mut |part, path| {
        let pays = part.cost >= LEAST_COST && part.cost >= part.rows * KEPT_ROW;
        let pays = pays && bytes_of_rows(part) <= MOST_KEPT_BYTES;
        if pays && !part.operation.is_shared() {
            // Equal parts have equal estimates: that tells most apart.
            let estimate = (part.cost.to_bits(), part.rows.to_bits(), part.vars.len());
            alike.entry(estimate).or_default().push(path.to_vec());
        }
    });
    alike.retain(|_, paths| paths.len() > 1);
    let mut groups: Vec<_> = alike.into_iter().collect();
    groups.sort_by(|((a, ..), own), ((b, ..), other)| {
        f64::from_bits(*b).total_cmp(&f64::from_bits(*a)).then_with(|| own.cmp(other))
    });
    for (_, paths) in groups {
        let mut equal: Vec<(String, Vec<Path>)> = Vec::new();
        for path in paths {
            let Some(identity) = at(plan, &path).and_then(|part| is_closed(part).then(|| identity(part))) else {
                continue;
            };
            match equal.iter_mut().find(|(other, _)| *other == identity) {
                Some((_, places)) => places.push(path),
                None => equal.push((identity, vec![path])),
            }
        }
        if let Some((_, places)) = equal.into_iter().find(|(_, places)| places.len() > 1) {
            return Some(places);
        }
    }
    None
}

/// Whether comparing parts would take long. A plan is as deep as its query is long, so this does not recurse.
fn has_many_operators(plan: &PhysicalPlan) -> bool {
    let (mut open, mut operators) = (vec![plan], 0);
    while let Some(part) = open.pop() {
        // Long VALUES are as long to compare as many operators.
        operators += 1 + part.operation.bytes_of_rows() / BYTES_OF_AN_OPERATOR;
        if operators > MOST_OPERATORS {
            return true;
        }
        open.extend(part.operation.inputs());
    }
    false
}

/// Calls `see` with each part of the plan that is opened once, and its path.
fn each(plan: &mut PhysicalPlan, path: &mut Path, see: &mut impl FnMut(&PhysicalPlan, &[usize])) {
    see(plan, path);
    for (number, input) in plan.operation.inputs_mut().into_iter().enumerate() {
        path.push(number);
        each(input, path, see);
        path.pop();
    }
}

/// The part at a path.
fn at<'p>(plan: &'p mut PhysicalPlan, path: &[usize]) -> Option<&'p mut PhysicalPlan> {
    let mut part = plan;
    for number in path {
        part = part.operation.inputs_mut().into_iter().nth(*number)?;
    }
    Some(part)
}

/// Whether all rows that it starts from come from within.
fn is_closed(part: &mut PhysicalPlan) -> bool {
    let (mut fed, mut feeds) = (FxHashSet::default(), FxHashSet::default());
    let mut is_given = false;
    each(part, &mut Vec::new(), &mut |part, _| {
        fed.extend(part.operation.fed_by());
        feeds.extend(part.operation.feeds());
        is_given |= part.operation.is_given();
    });
    !is_given && fed.is_subset(&feeds)
}

/// Whether the part has the same rows whatever the plan is opened for, few enough to be kept.
pub(super) fn is_the_same_each_time(part: &mut PhysicalPlan) -> bool {
    bytes_of_rows(part) <= MOST_KEPT_BYTES && is_closed(part)
}

fn bytes_of_rows(part: &PhysicalPlan) -> f64 {
    part.rows * (part.vars.len() * size_of::<TermId>()) as f64
}

/// Makes once, in plans that operators open for each binding, what is the same for all bindings: rows of the largest such parts, and the
/// tables of hash joins.
struct Kept<'f, F> {
    /// How many parts have names.
    parts: u32,
    finish: &'f F,
}

impl<F: Fn(PhysicalPlan) -> PhysicalPlan> Kept<'_, F> {
    /// Goes through a plan that is opened once.
    fn within(&mut self, plan: &mut PhysicalPlan) {
        plan.operation.reopened_mut().into_iter().for_each(|inner| self.of_bindings(inner));
        plan.operation.inputs_mut().into_iter().for_each(|input| self.within(input));
    }

    /// Goes through a plan that is opened for each binding.
    fn of_bindings(&mut self, plan: &mut PhysicalPlan) {
        if is_closed(plan) {
            self.within(plan);
            let pays = plan.cost >= LEAST_COST_EACH_TIME && plan.cost >= plan.rows * KEPT_ROW;
            if pays && bytes_of_rows(plan) <= MOST_KEPT_BYTES && !plan.operation.is_shared() {
                let (id, finish) = (self.name(), self.finish);
                read(plan, |own| shared::Plan { id, part: Arc::new(finish(own)), is_first: true, places: None });
            }
            return;
        }
        let table = plan.operation.table_mut().map(|(input, _)| input);
        let mut keeps_table = false;
        for (number, input) in plan.operation.inputs_mut().into_iter().enumerate() {
            if table == Some(number) && is_the_same_each_time(input) {
                keeps_table = true;
                self.within(input);
            } else {
                self.of_bindings(input);
            }
        }
        if keeps_table {
            let id = self.name();
            if let Some((_, table)) = plan.operation.table_mut() {
                *table = Some(id);
            }
        }
        plan.operation.reopened_mut().into_iter().for_each(|inner| self.of_bindings(inner));
    }

    fn name(&mut self) -> SharedId {
        self.parts += 1;
        SharedId(self.parts)
    }
}

/// Puts what `make` makes of a part in its place.
fn read(place: &mut PhysicalPlan, make: impl FnOnce(PhysicalPlan) -> shared::Plan) {
    let own = std::mem::replace(place, PhysicalPlan::new(Nothing, Vec::new()));
    let (vars, certain, sorted) = (own.vars.clone(), own.certain.clone(), own.sorted.clone());
    let (weighted, rows) = (own.weighted, own.rows);
    *place = PhysicalPlan::new(make(own), vars).like(certain, sorted, weighted).expecting(rows, Basis::Input);
}

/// All data of a part as text, in which variables and feeds have the numbers of their first appearance.
fn identity(part: &PhysicalPlan) -> String {
    let text = format!("{:?}", (&part.operation, &part.vars, &part.sorted, part.weighted));
    let (mut out, mut rest) = (String::with_capacity(text.len()), text.as_str());
    let mut names: FxHashMap<&str, usize> = FxHashMap::default();
    while let Some(at) = rest.find(['"', '\'', 'V', 'F']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = match rest.as_bytes()[0] {
            quote @ (b'"' | b'\'') => quoted(rest, quote),
            _ => match name(rest) {
                Some(length) => {
                    let number = names.len();
                    let number = *names.entry(&rest[..length]).or_insert(number);
                    // Writing to a `String` cannot fail.
                    let _ = write!(out, "#{number}");
                    rest = &rest[length..];
                    continue;
                }
                None => 1,
            },
        };
        out.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    out.push_str(rest);
    out
}

/// The length of the quoted text that another begins with.
fn quoted(text: &str, quote: u8) -> usize {
    let mut escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let ends = byte == quote && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |end| end + 2)
}

/// The length of the name of a variable or a feed, if the text begins with one.
fn name(text: &str) -> Option<usize> {
    let behind = text.strip_prefix("Var(").or_else(|| text.strip_prefix("FeedId("))?;
    let digits = behind.bytes().take_while(u8::is_ascii_digit).count();
    (behind.as_bytes().get(digits) == Some(&b')')).then_some(text.len() - behind.len() + digits + 1)
}

/// Puts readers of one part into its places.
struct SharedPlaces<'f, F> {
    /// Those left, in order.
    paths: std::collections::VecDeque<Path>,
    id: SharedId,
    part: Option<(Arc<PhysicalPlan>, usize)>,
    finish: &'f F,
}

impl<F: Fn(PhysicalPlan) -> PhysicalPlan> SharedPlaces<'_, F> {
    /// Returns by how much less the plan costs now.
    fn replace(&mut self, plan: &mut PhysicalPlan, path: &mut Path) -> f64 {
        if self.paths.front() == Some(path) {
            self.paths.pop_front();
            return self.put_reader(plan);
        }
        let mut saved = 0.0;
        for (number, input) in plan.operation.inputs_mut().into_iter().enumerate() {
            path.push(number);
            if self.paths.front().is_some_and(|next| next.starts_with(path)) {
                saved += self.replace(input, path);
            }
            path.pop();
        }
        plan.cost -= saved;
        saved
    }

    fn put_reader(&mut self, place: &mut PhysicalPlan) -> f64 {
        let cost = place.cost;
        let is_first = self.part.is_none();
        read(place, |own| {
            let (part, places) = self.part.get_or_insert_with(|| (Arc::new((self.finish)(own)), self.paths.len() + 1));
            shared::Plan { id: self.id, part: Arc::clone(part), is_first, places: Some(*places) }
        });
        cost - place.cost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_outside_of_texts_are_numbered() {
        let length = |text: &str| name(text);
        assert_eq!(length("Var(12), x"), Some(7));
        assert_eq!(length("FeedId(3)]"), Some(9));
        assert_eq!([length("Var(x)"), length("Variable"), length("Var(1")], [None; 3]);
        assert_eq!(quoted(r#""a \" Var(1) \\" Var(2)"#, b'"'), 16);
        assert_eq!(quoted("\"open", b'"'), 5);
    }
}
