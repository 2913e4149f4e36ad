//! The order of terms in ORDER BY, MIN and MAX (SPARQL 1.1 §15.1): unbound, blank nodes, IRIs, literals, triple terms.
//!
//! It is total, and agrees with `<` wherever that is defined, up to rounding between decimals and floats. Where the
//! standard leaves the order open, booleans come first, then numbers, dates and times, strings (by text, whatever their
//! language), and all other literals. Terms of equal value are equal here, so that the next sort key decides between them.

mod plain;
mod texts;

use super::expression::Datum;
use super::expression::numbers::{ONE, units};
use super::expression::value::{Moment, Number, Span, Text, Value};
use super::expression::{compare, wide};
use super::terms::Terms;
use bigdecimal::{BigDecimal, RoundingMode, ToPrimitive};
use kgq_snapshot::{Family, TermId};
use kgq_syntax::budget::{Budget, Reservation};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{BaseDirection, Term, Triple};
use kgq_syntax::sort::{Piece, sort_by};
use oxsdatatypes::{Decimal, Double};
pub use plain::Plain;
use plain::nearest;
use rustc_hash::{FxBuildHasher, FxHashMap};
use std::cmp::Ordering;
use std::hash::BuildHasher;
use std::sync::Arc;

/// Compares the terms of one query.
pub struct TermOrder<'c, 's> {
    terms: &'c Terms<'s>,
    /// The keys of terms whose ids do not show how they compare.
    keys: FxHashMap<TermId, Arc<Key>>,
    /// The memory held for the keys.
    held: Reservation,
}

/// The sort key of a term.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    Unbound,
    Blank(TermId),
    Iri(String),
    Boolean(bool),
    NotANumber,
    /// The nearest double, as an integer with the same order, and how far the number is from the decimal that the
    /// double is written as: in units of 10⁻¹⁸, rounded down, and exactly if these units do not suffice.
    Number(i64, i128, Option<Box<BigDecimal>>),
    /// Positions on a time line; a time without a zone counts as UTC.
    DateTime(i128),
    Date(i128),
    Time(i128),
    Year(i128),
    YearMonth(i128),
    Month(i128),
    MonthDay(i128),
    Day(i128),
    /// Seconds · 10¹⁸; a month has the mean length over four hundred years.
    Span(i128),
    /// A string, its language and base direction.
    Text(String, Option<(String, u8)>),
    /// Lexical form and datatype.
    Opaque(String, String),
    Triple(Box<[Key; 3]>),
}

/// Seconds of the mean month. Its length is between those of the months by which durations are compared.
const SECONDS_OF_A_MONTH: i128 = 2_629_746;

/// Returns the sort key of a term outside a query. All blank nodes are equal.
pub fn key(term: Option<&Term>) -> impl Ord + use<> {
    term.map_or(Key::Unbound, |term| Key::of_value(Value::of(term.clone()), TermId::UNBOUND))
}

/// Returns a hash that equal times, parts of dates and durations share: these can be equal in many lexical forms and
/// have no ranks. `None` for all other values.
pub fn hash_of_unranked(value: Value) -> Option<u32> {
    let is_unranked = matches!(value, Value::Span(_))
        || matches!(&value, Value::Moment(moment) if !matches!(moment, Moment::DateTime(_) | Moment::Date(_)));
    is_unranked.then(|| FxBuildHasher.hash_one(Key::of_value(value, TermId::UNBOUND)) as u32)
}

impl Key {
    /// Returns the key of an id, which may be unbound.
    pub fn of(id: TermId, terms: &Terms<'_>) -> Self {
        if id == TermId::UNBOUND { Self::Unbound } else { Self::of_value(terms.value(id), id) }
    }

    /// Returns the key of an expression's value. A value without an id is never a blank node, because new blank nodes
    /// are volatile.
    pub fn of_datum(datum: Option<Datum>, terms: &Terms<'_>) -> Self {
        match datum {
            None => Self::Unbound,
            Some(Datum::Term(id)) => Self::of(id, terms),
            Some(Datum::Value(value)) => Self::of_value(value, TermId::UNBOUND),
        }
    }

    /// `id` distinguishes blank nodes.
    fn of_value(value: Value, id: TermId) -> Self {
        match value {
            Value::Blank(_) => Self::Blank(id),
            Value::Iri(iri) => Self::Iri(iri.into_string()),
            Value::Boolean(value) => Self::Boolean(value),
            Value::Number(number) if number.is_nan() => Self::NotANumber,
            Value::Number(number) => Self::of_number(&number),
            Value::Moment(moment) => Self::of_moment(moment),
            Value::Span(span) => {
                let bytes = span_bytes(span);
                let months = i128::from(i64::from_be_bytes(first(&bytes)));
                let seconds = i128::from_be_bytes(first(&bytes[8..]));
                Self::Span(months.saturating_mul(SECONDS_OF_A_MONTH * ONE).saturating_add(seconds))
            }
            Value::Text(Text { value, language }) => Self::Text(
                value,
                language.map(|language| {
                    let direction = match language.direction {
                        None => 0,
                        Some(BaseDirection::Ltr) => 1,
                        Some(BaseDirection::Rtl) => 2,
                    };
                    (language.tag, direction)
                }),
            ),
            Value::Opaque(literal) => Self::Opaque(literal.value().to_owned(), literal.datatype().as_str().to_owned()),
            Value::Triple(triple) => {
                let Triple { subject, predicate, object } = *triple;
                let key = |term| match Value::of(term) {
                    // Within triple terms, labels distinguish blank nodes.
                    Value::Blank(node) => Self::Iri(format!(" {}", node.as_str())),
                    value => Self::of_value(value, id),
                };
                Self::Triple(Box::new([key(subject.into()), key(predicate.into()), key(object)]))
            }
        }
    }

    fn of_number(number: &Number) -> Self {
        let double = f64::from(compare::double(number));
        let nearest = nearest(number);
        let narrow = match number {
            Number::Integer(n) => Some(Decimal::from(*n)),
            Number::Decimal(n) => Some(*n),
            Number::Float(_) | Number::Double(_) => return Self::Number(nearest, 0, None),
            Number::Wide(_) => None,
        };
        let written = Double::from(double).to_string().parse::<Decimal>();
        if let (Some(narrow), Ok(written)) = (narrow, written)
            && let Some(rest) = units(narrow).checked_sub(units(written))
        {
            return Self::Number(nearest, rest, None);
        }
        let (rest, exactly) = rest_of_wide(number, double);
        Self::Number(nearest, rest, exactly.map(Box::new))
    }

    fn of_moment(moment: Moment) -> Self {
        match moment {
            Moment::DateTime(m) => Self::DateTime(position(m.to_be_bytes())),
            Moment::Date(m) => Self::Date(position(m.to_be_bytes())),
            Moment::Time(m) => Self::Time(position(m.to_be_bytes())),
            Moment::Year(m) => Self::Year(position(m.to_be_bytes())),
            Moment::YearMonth(m) => Self::YearMonth(position(m.to_be_bytes())),
            Moment::Month(m) => Self::Month(position(m.to_be_bytes())),
            Moment::MonthDay(m) => Self::MonthDay(position(m.to_be_bytes())),
            Moment::Day(m) => Self::Day(position(m.to_be_bytes())),
        }
    }

    /// Returns the approximate bytes of the key.
    pub fn bytes(&self) -> u64 {
        let text = match self {
            Self::Iri(text) | Self::Text(text, _) => text.len(),
            Self::Opaque(lexical, datatype) => lexical.len() + datatype.len(),
            Self::Number(_, _, Some(exactly)) => exactly.digits() as usize / 2 + size_of::<BigDecimal>(),
            Self::Triple(parts) => return parts.iter().map(Self::bytes).sum(),
            _ => 0,
        };
        (text + size_of::<Self>() + 32) as u64
    }
}

/// Returns how far a number is from the decimal that its nearest double is written as: in units of 10⁻¹⁸, rounded down,
/// and exactly if these units do not suffice.
fn rest_of_wide(number: &Number, double: f64) -> (i128, Option<BigDecimal>) {
    let Some((exact, _)) = wide::exact(number) else { return (0, None) };
    // A number too large for a double comes next to infinity, on the side of all other numbers.
    if double.is_infinite() {
        return (if double > 0.0 { i128::MIN } else { i128::MAX }, Some(exact));
    }
    let written = wide::parse(&double.to_string(), false).and_then(|written| wide::exact(&written));
    let rest = written.map_or(exact.clone(), |(written, _)| exact - written);
    let (units, _) = rest.with_scale_round(18, RoundingMode::Floor).into_bigint_and_exponent();
    match units.to_i128() {
        Some(units) if rest.normalized().fractional_digit_count() <= 18 => (units, None),
        Some(units) => (units, Some(rest)),
        None => (if rest < 0 { i128::MIN } else { i128::MAX }, Some(rest)),
    }
}

fn first<const N: usize>(bytes: &[u8]) -> [u8; N] {
    std::array::from_fn(|at| bytes[at])
}

/// Returns the position on the time line, which `oxsdatatypes` writes before the zone.
fn position(bytes: [u8; 18]) -> i128 {
    i128::from_be_bytes(first(&bytes))
}

fn span_bytes(span: Span) -> [u8; 24] {
    span.into_duration().to_be_bytes()
}

/// Returns the class of a family. Families whose values mix in the order share a class; `None` if the family does not decide.
fn class(family: Family) -> Option<u8> {
    Some(match family {
        Family::BlankNode => 0,
        Family::Iri => 1,
        Family::Boolean => 2,
        Family::Number | Family::Float | Family::Double => 3,
        Family::ZonedDateTime | Family::LocalDateTime => 4,
        Family::ZonedDate | Family::LocalDate => 5,
        Family::String | Family::Language(_) => 6,
        Family::Other => return None,
        Family::Triple => 8,
    })
}

/// Bytes that ranking takes for each distinct id.
const RANKING_BYTES: usize = 16 + 2 * 4 + 12;
/// Approximate bytes of a key.
const KEY_BYTES: usize = 128;
/// Stored ids that are ranked between two checks of the clock.
const IDS_BETWEEN_CHECKS: usize = 1 << 18;

impl<'c, 's> TermOrder<'c, 's> {
    pub fn new(terms: &'c Terms<'s>) -> Self {
        Self { terms, keys: FxHashMap::default(), held: Reservation::default() }
    }

    /// Compares two ids, either of which may be unbound. Decoded keys are remembered.
    ///
    /// # Errors
    /// A limit, if the memory is used up.
    pub fn compare(&mut self, a: TermId, b: TermId) -> Result<Ordering> {
        if a == b {
            return Ok(Ordering::Equal);
        }
        if a == TermId::UNBOUND || b == TermId::UNBOUND {
            return Ok(if a == TermId::UNBOUND { Ordering::Less } else { Ordering::Greater });
        }
        if self.terms.is_stored(a) && self.terms.is_stored(b) {
            let snapshot = self.terms.snapshot();
            let ((a_family, a_rank), (b_family, b_rank)) = (snapshot.value_rank(a), snapshot.value_rank(b));
            match (class(a_family), class(b_family)) {
                (Some(a_class), Some(b_class)) if a_class != b_class => return Ok(a_class.cmp(&b_class)),
                (Some(_), Some(_)) if a_family == b_family && a_family != Family::Triple => {
                    return Ok(a_rank.cmp(&b_rank));
                }
                _ => {}
            }
        }
        if let (Some(a), Some(b)) = (self.plain(a), self.plain(b))
            && Plain::are_alike([a, b].iter())
        {
            return Ok(a.cmp(&b));
        }
        let (a, b) = (self.key(a)?, self.key(b)?);
        Ok(a.cmp(&b))
    }

    fn key(&mut self, id: TermId) -> Result<Arc<Key>> {
        if let Some(key) = self.keys.get(&id) {
            return Ok(Arc::clone(key));
        }
        let key = Key::of(id, self.terms);
        self.held.grow(self.terms.budget(), key.bytes())?;
        let key = Arc::new(key);
        self.keys.insert(id, Arc::clone(&key));
        Ok(key)
    }

    /// Returns a number for each id; the numbers have the same order as the ids' terms, and are equal where those are. If
    /// `families` are not mixed afterwards, the numbers can also be compared with those of other ids of the same families.
    ///
    /// # Errors
    /// A limit of the query.
    pub fn ranks(&mut self, ids: &[TermId], families: &mut Families) -> Result<Vec<u32>> {
        if let Some(ranks) = self.stored_ranks(ids, families)? {
            return Ok(ranks);
        }
        families.mixed = true;
        if let Some(ranks) = self.ranks_of_plain(ids)? {
            return Ok(ranks);
        }
        if let Some(ranks) = self.ranks_of_texts(ids)? {
            return Ok(ranks);
        }
        let budget = self.terms.budget();
        let mut distinct = ids.to_vec();
        sort_by(&mut distinct, Piece::Large, TermId::cmp, budget)?;
        distinct.dedup();
        // For so many small texts, the allocator takes more than is counted, so twice as much must be available.
        drop(budget.reserve((distinct.len() * 2 * (RANKING_BYTES + KEY_BYTES)) as u64)?);
        // For the keys with their ids, their order, and the rank of each id.
        let _held = budget.reserve((distinct.len() * RANKING_BYTES) as u64)?;
        let mut keys = Vec::with_capacity(distinct.len());
        for id in distinct {
            if keys.len() % 1024 == 0 {
                self.terms.budget().check()?;
            }
            keys.push((self.key(id)?, id));
        }
        let key = |at: u32| &keys[at as usize].0;
        let mut order: Vec<u32> = (0..keys.len() as u32).collect();
        sort_by(&mut order, Piece::Small, |a, b| key(*a).cmp(key(*b)), self.terms.budget())?;
        let mut ranks: FxHashMap<TermId, u32> = FxHashMap::default();
        let (mut rank, mut before) = (0, None);
        for (at, (key, id)) in order.iter().map(|at| &keys[*at as usize]).enumerate() {
            if at.is_multiple_of(1024) {
                self.terms.budget().check()?;
            }
            if before.replace(key).is_some_and(|before| before != key) {
                rank += 1;
            }
            ranks.insert(*id, rank);
        }
        Ok(ids.iter().map(|id| ranks[id]).collect())
    }

    /// Returns the snapshot's ranks if they decide the order: all terms are stored, and only one family of each class occurs.
    ///
    /// # Errors
    /// A limit of the query.
    pub fn stored_ranks(&self, ids: &[TermId], families: &mut Families) -> Result<Option<Vec<u32>>> {
        if families.mixed {
            return Ok(None);
        }
        let snapshot = self.terms.snapshot();
        let mut last = None;
        let mut ranks = Vec::with_capacity(ids.len());
        for id in ids {
            if ranks.len() % IDS_BETWEEN_CHECKS == 0 {
                self.terms.budget().check()?;
            }
            if *id == TermId::UNBOUND {
                ranks.push(0);
                continue;
            }
            if !self.terms.is_stored(*id) {
                return Ok(None);
            }
            let (family, rank) = snapshot.value_rank(*id);
            if last != Some(family) {
                let known = class(family).and_then(|class| families.met.get_mut(usize::from(class)));
                if known.is_none_or(|known| *known.get_or_insert(family) != family) {
                    return Ok(None);
                }
                last = Some(family);
            }
            // No rank is the highest number, so 0 remains for unbound.
            ranks.push(rank + 1);
        }
        Ok(Some(ranks))
    }
}

/// The families of the ids ranked so far, by class.
#[derive(Clone, Debug, Default)]
pub struct Families {
    met: [Option<Family>; 8],
    /// Whether the snapshot's ranks do not decide the order.
    mixed: bool,
}

impl Families {
    /// Whether the snapshot's ranks do not decide the order of the ids met so far.
    pub fn are_mixed(&self) -> bool {
        self.mixed
    }
}

/// Returns a number for each key; the numbers have the same order as the keys.
///
/// # Errors
/// A limit of the query.
pub fn ranks_of_keys(keys: &[Key], budget: &Budget) -> Result<Vec<u32>> {
    let _held = budget.reserve((keys.len() * 8) as u64)?;
    let mut order: Vec<u32> = (0..keys.len() as u32).collect();
    let key = |at: u32| &keys[at as usize];
    sort_by(&mut order, Piece::Small, |a, b| key(*a).cmp(key(*b)), budget)?;
    let mut ranks = vec![0; keys.len()];
    let (mut rank, mut before) = (0, None);
    for at in order {
        if before.replace(key(at)).is_some_and(|before| before != key(at)) {
            rank += 1;
        }
        ranks[at as usize] = rank;
    }
    Ok(ranks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kgq_snapshot::Snapshot;
    use kgq_syntax::rdf::{BlankNode, GraphName, Literal, NamedNode, Quad, Term};

    fn literal(lexical: &str, datatype: &str) -> Term {
        let datatype = NamedNode::new_unchecked(format!("http://www.w3.org/2001/XMLSchema#{datatype}"));
        Literal::new_typed_literal(lexical, datatype).into()
    }

    fn iri(name: &str) -> NamedNode {
        NamedNode::new_unchecked(format!("http://example.com/{name}"))
    }

    /// Terms in groups of equals, ascending.
    fn ascending() -> Vec<Vec<Term>> {
        vec![
            vec![BlankNode::new_unchecked("b").into()],
            vec![iri("a").into()],
            vec![iri("b").into()],
            vec![literal("false", "boolean")],
            vec![literal("true", "boolean"), literal("1", "boolean")],
            vec![literal("NaN", "double"), literal("NaN", "float")],
            vec![literal("-INF", "double")],
            vec![literal("-1", "integer"), literal("-1.0", "decimal"), literal("-1e0", "double")],
            vec![literal("-0", "double"), literal("0", "integer"), literal("0", "float")],
            vec![literal("0.1", "decimal"), literal("0.1", "double")],
            vec![literal("9007199254740992", "integer"), literal("9007199254740992", "double")],
            vec![literal("9007199254740993", "integer")],
            vec![literal("INF", "float"), literal("INF", "double")],
            vec![literal("2020-01-01T00:00:00+01:00", "dateTime"), literal("2019-12-31T23:00:00Z", "dateTime")],
            vec![literal("2020-01-01T00:00:00", "dateTime")],
            vec![literal("2020-01-01", "date")],
            vec![literal("2020-01-02", "date")],
            vec![literal("10:00:00", "time")],
            vec![literal("P30D", "duration")],
            vec![literal("P1M", "duration"), literal("P1M", "yearMonthDuration")],
            vec![literal("P31D", "dayTimeDuration")],
            vec![Literal::new_simple_literal("a").into()],
            vec![Literal::new_language_tagged_literal_unchecked("a", "en").into()],
            vec![Literal::new_language_tagged_literal_unchecked("a", "fr").into()],
            vec![Literal::new_simple_literal("b").into()],
            vec![Literal::new_language_tagged_literal_unchecked("b", "en").into()],
            vec![literal("x", "integer")],
            vec![Triple { subject: iri("a").into(), predicate: iri("p"), object: literal("1", "integer") }.into()],
            vec![Triple { subject: iri("a").into(), predicate: iri("p"), object: literal("10", "integer") }.into()],
        ]
    }

    fn snapshot_of(terms: &[&Term]) -> Snapshot {
        Snapshot::from_quads(
            terms.iter().map(|term| Quad::new(iri("s"), iri("p"), (*term).clone(), GraphName::DefaultGraph)),
        )
        .unwrap()
    }

    #[test]
    fn terms_are_ordered_whether_stored_or_computed() {
        let groups = ascending();
        let all: Vec<(usize, &Term)> =
            groups.iter().enumerate().flat_map(|(at, group)| group.iter().map(move |term| (at, term))).collect();
        for stored in [0, 1, 2] {
            let snapshot = snapshot_of(
                &all.iter()
                    .enumerate()
                    .filter(|(at, _)| at % 2 < stored)
                    .map(|(_, (_, term))| *term)
                    .collect::<Vec<_>>(),
            );
            let terms = Terms::new(&snapshot, Budget::default());
            let mut order = TermOrder::new(&terms);
            let ids: Vec<TermId> = all.iter().map(|(_, term)| terms.id((*term).clone()).unwrap()).collect();
            let ranks = order.ranks(&ids, &mut Families::default()).unwrap();
            for (a, (a_group, a_term)) in all.iter().enumerate() {
                assert_eq!(order.compare(TermId::UNBOUND, ids[a]).unwrap(), Ordering::Less);
                for (b, (b_group, b_term)) in all.iter().enumerate() {
                    let expected = a_group.cmp(b_group);
                    assert_eq!(order.compare(ids[a], ids[b]).unwrap(), expected, "{a_term} and {b_term}");
                    assert_eq!(ranks[a].cmp(&ranks[b]), expected, "ranks of {a_term} and {b_term}");
                }
            }
        }
    }

    #[test]
    fn ranks_of_one_family_are_read_from_the_snapshot() {
        let (a, b, c) = (literal("1", "integer"), literal("1.0", "decimal"), literal("2", "integer"));
        let snapshot = snapshot_of(&[&a, &b, &c]);
        let terms = Terms::new(&snapshot, Budget::default());
        let [a, b, c] = [a, b, c].map(|term| terms.id(term).unwrap());
        let mut order = TermOrder::new(&terms);
        let ranks = order.ranks(&[c, a, TermId::UNBOUND, b], &mut Families::default()).unwrap();
        assert!(order.keys.is_empty());
        assert!(ranks[2] < ranks[1] && ranks[1] == ranks[3] && ranks[3] < ranks[0]);
    }
}
