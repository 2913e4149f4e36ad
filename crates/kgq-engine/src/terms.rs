//! The terms of one query: those of the snapshot, and, with higher ids, those that the query computes.
//!
//! All questions that operators ask about an id are answered here, without decoding where families and ranks decide.
//! All operators and threads of a query share one vocabulary.

mod encoding;
mod vocabulary;

use super::expression::compare::{self, TypeError};
use super::expression::numbers::{self, Numbers};
use super::expression::value::{Number, Text, Value};
use super::plan::Constants;
use super::threads::{cores, side_by_side};
use kgq_snapshot::{self as snapshot, Family, Snapshot, TermId, TermKind};
use kgq_syntax::budget::Budget;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{LiteralRef, Term, TermRef, Triple};
use std::cmp::Ordering;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};
use vocabulary::{Encoded, NumberKey, Vocabulary, as_computed, number_key};

/// Fewer terms are looked up faster than a thread starts.
const WORTH_DIVIDING: usize = 4096;

/// The result of a condition (SPARQL 1.1 §17.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    False,
    True,
    Error,
}

impl Truth {
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::False, _) | (_, Self::False) => Self::False,
            (Self::True, Self::True) => Self::True,
            (Self::Error, _) | (_, Self::Error) => Self::Error,
        }
    }

    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::True, _) | (_, Self::True) => Self::True,
            (Self::False, Self::False) => Self::False,
            (Self::Error, _) | (_, Self::Error) => Self::Error,
        }
    }

    #[must_use]
    pub(crate) fn negate(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::True => Self::False,
            Self::Error => Self::Error,
        }
    }
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

impl From<Option<bool>> for Truth {
    fn from(value: Option<bool>) -> Self {
        value.map_or(Self::Error, Self::from)
    }
}

/// The terms that one query can meet.
#[derive(Debug)]
pub struct Terms<'s> {
    snapshot: &'s Snapshot,
    stored: u32,
    budget: Budget,
    computed: RwLock<Vocabulary>,
}

/// Slots that remember the ids of numbers, which may recur in a column.
const REMEMBERED: usize = 1024;
/// A column with no more rows than this does not use the slots.
const WORTH_REMEMBERING: usize = 64;
/// Rows between two checks of the clock.
const ROWS_BETWEEN_CHECKS: usize = 256;

impl Constants<Term, TermId> for Terms<'_> {
    fn map(&self, term: &Term) -> Result<TermId> {
        self.id_of(term)
    }

    fn map_all(&self, terms: &[&Term]) -> Result<Vec<TermId>> {
        self.ids_of(terms)
    }
}

impl<'s> Terms<'s> {
    pub fn new(snapshot: &'s Snapshot, budget: Budget) -> Self {
        let stored = snapshot.term_count();
        Self { snapshot, stored, budget, computed: RwLock::new(Vocabulary::new(stored)) }
    }

    pub fn snapshot(&self) -> &'s Snapshot {
        self.snapshot
    }

    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Whether the snapshot has the term.
    #[inline]
    pub fn is_stored(&self, id: TermId) -> bool {
        id.get() < self.stored
    }

    fn vocabulary(&self) -> RwLockReadGuard<'_, Vocabulary> {
        // Entries are added whole, so the vocabulary can be read even after a thread panicked.
        self.computed.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the terms that the snapshot lacks, in the order of their ids.
    pub(crate) fn computed_terms(&self) -> Vec<Term> {
        self.vocabulary().terms().collect()
    }

    /// Returns the term of a bound id.
    pub fn term(&self, id: TermId) -> Term {
        if self.is_stored(id) { self.snapshot.term(id) } else { self.vocabulary().term(id) }
    }

    /// Returns the id of a term that is stored in the snapshot or was computed before.
    pub fn find(&self, term: TermRef<'_>) -> Option<TermId> {
        if let Some(id) = self.snapshot.id(term) {
            return Some(id);
        }
        if self.vocabulary().is_empty() {
            return None;
        }
        match as_computed(&term.into_owned()) {
            Some((key, _)) => self.vocabulary().id_of_number(key),
            None => self.vocabulary().id(&Encoded::of(term)),
        }
    }

    /// Returns the id of a term; a new id if it has none.
    ///
    /// # Errors
    /// A limit, if there are more terms than ids or the memory is used up.
    pub fn id(&self, term: Term) -> Result<TermId> {
        match self.snapshot.id(term.as_ref()) {
            Some(id) => Ok(id),
            None => self.add(&term, None),
        }
    }

    /// Returns the id of a term, which is copied only if it has none yet.
    ///
    /// # Errors
    /// As [`Terms::id`].
    pub fn id_of(&self, term: &Term) -> Result<TermId> {
        match self.snapshot.id(term.as_ref()) {
            Some(id) => Ok(id),
            None => self.add(term, None),
        }
    }

    /// Returns the ids of many terms. They are looked up in parallel; what the snapshot does not have gets ids in order.
    ///
    /// # Errors
    /// As [`Terms::id`].
    fn ids_of(&self, terms: &[&Term]) -> Result<Vec<TermId>> {
        let threads = if terms.len() < WORTH_DIVIDING { 1 } else { cores() };
        let stored = |part: &[&Term]| {
            let mut ids = Vec::with_capacity(part.len());
            for some in part.chunks(ROWS_BETWEEN_CHECKS) {
                self.budget.check()?;
                ids.extend(some.iter().map(|term| self.snapshot.id(term.as_ref())));
            }
            Ok(ids)
        };
        let parts: Vec<Vec<Option<TermId>>> = side_by_side(terms.chunks(terms.len().div_ceil(threads).max(1)), stored)
            .into_iter()
            .collect::<Result<_>>()?;
        let found = terms.iter().zip(parts.into_iter().flatten());
        found.map(|(term, id)| id.map_or_else(|| self.add(term, None), Ok)).collect()
    }

    /// Returns the id of a value's term.
    ///
    /// # Errors
    /// As [`Terms::id`].
    pub(crate) fn id_of_value(&self, value: Value) -> Result<TermId> {
        if let Value::Number(number) = &value
            && let Some(key) = number_key(number)
        {
            return self.id_of_number(key, number);
        }
        let kept = matches!(value, Value::Number(_) | Value::Moment(_) | Value::Span(_)).then(|| value.clone());
        let term = value.into_term();
        match self.snapshot.id(term.as_ref()) {
            Some(id) => Ok(id),
            None => self.add(&term, kept.as_ref()),
        }
    }

    /// Returns the id of a narrow number in its computed form. The term is made only if the snapshot may contain it.
    fn id_of_number(&self, key: NumberKey, number: &Number) -> Result<TermId> {
        if let Some(id) = self.vocabulary().id_of_number(key) {
            return Ok(id);
        }
        let may_be_stored = numbers::inline(number).is_none_or(|number| self.snapshot.has_number(number));
        let stored = match may_be_stored {
            true => self.snapshot.id(Value::Number(number.clone()).into_term().as_ref()),
            false => None,
        };
        let mut vocabulary = self.computed.write().unwrap_or_else(PoisonError::into_inner);
        match vocabulary.id_of_number(key) {
            Some(id) => Ok(id),
            None => vocabulary.add_number(key, stored, &self.budget),
        }
    }

    /// Returns the ids of a column of numbers.
    ///
    /// # Errors
    /// As [`Terms::id`].
    pub(crate) fn ids_of_numbers(&self, numbers: &Numbers) -> Result<Vec<TermId>> {
        let rows = numbers.rows();
        let mut remembered: Vec<Option<(NumberKey, TermId)>> = Vec::new();
        if rows > WORTH_REMEMBERING {
            remembered.resize(REMEMBERED, None);
        }
        let mut ids = Vec::with_capacity(rows);
        for row in 0..rows {
            if row % ROWS_BETWEEN_CHECKS == ROWS_BETWEEN_CHECKS - 1 {
                self.budget.check()?;
            }
            let number = numbers::number(numbers, row);
            let Some(key) = number_key(&number) else {
                ids.push(self.id_of_value(number.into())?);
                continue;
            };
            let place = (key.2.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 54) as usize;
            let id = match remembered.get(place) {
                Some(Some((known, id))) if *known == key => *id,
                _ => self.id_of_number(key, &number)?,
            };
            if let Some(place) = remembered.get_mut(place) {
                *place = Some((key, id));
            }
            ids.push(id);
        }
        Ok(ids)
    }

    /// Returns the id of a string without a language.
    ///
    /// # Errors
    /// As [`Terms::id`].
    pub(crate) fn id_of_text(&self, text: &str) -> Result<TermId> {
        let literal = LiteralRef::new_simple_literal(text);
        match self.snapshot.id(literal.into()) {
            Some(id) => Ok(id),
            None => self.add_encoded(&Encoded::of(literal.into()), None),
        }
    }

    fn add(&self, term: &Term, value: Option<&Value>) -> Result<TermId> {
        match as_computed(term) {
            Some((key, number)) => self.id_of_number(key, &number),
            None => self.add_encoded(&Encoded::of(term.as_ref()), value),
        }
    }

    fn add_encoded(&self, term: &Encoded, value: Option<&Value>) -> Result<TermId> {
        if let Some(id) = self.vocabulary().id(term) {
            return Ok(id);
        }
        let mut vocabulary = self.computed.write().unwrap_or_else(PoisonError::into_inner);
        match vocabulary.id(term) {
            Some(id) => Ok(id),
            None => vocabulary.add(term, value, &self.budget),
        }
    }

    /// Returns the kind of a bound id's term.
    pub fn kind(&self, id: TermId) -> TermKind {
        if self.is_stored(id) { self.snapshot.kind(id) } else { self.vocabulary().kind(id) }
    }

    /// Returns the value of a bound id.
    pub fn value(&self, id: TermId) -> Value {
        if !self.is_stored(id) {
            return self.vocabulary().value(id);
        }
        match self.snapshot.value(id) {
            snapshot::InlineValue::Boolean(value) => Value::Boolean(value),
            snapshot::InlineValue::Integer(n) => Number::Integer(n).into(),
            snapshot::InlineValue::Decimal(n) => Number::Decimal(n).into(),
            snapshot::InlineValue::Float(n) => Number::Float(n).into(),
            snapshot::InlineValue::Double(n) => Number::Double(n).into(),
            snapshot::InlineValue::DateTime(m) => super::expression::value::Moment::DateTime(m).into(),
            snapshot::InlineValue::Date(m) => super::expression::value::Moment::Date(m).into(),
            snapshot::InlineValue::BlankNode
            | snapshot::InlineValue::Iri
            | snapshot::InlineValue::Wide
            | snapshot::InlineValue::String
            | snapshot::InlineValue::LanguageString
            | snapshot::InlineValue::Other
            | snapshot::InlineValue::Triple => Value::of(self.snapshot.term(id)),
        }
    }

    /// Returns the numbers that the ids stand for, if all are of one narrow type, and all are stored or all are computed.
    pub fn numbers(&self, ids: &[TermId]) -> Option<Numbers> {
        if self.is_stored(*ids.first()?) {
            return self.snapshot.numbers(ids);
        }
        let vocabulary = self.vocabulary();
        numbers::of_one_type(ids.iter().map(|id| vocabulary.number(*id)))
    }

    /// Returns the number that a computed id was assigned to, if it was one.
    pub(crate) fn computed_number(&self, id: TermId) -> Option<Number> {
        self.vocabulary().number(id)
    }

    /// Returns the number that a bound id stands for, if it is one.
    pub fn number(&self, id: TermId) -> Option<Number> {
        if self.is_stored(id) {
            return match self.snapshot.value(id) {
                snapshot::InlineValue::Integer(n) => Some(Number::Integer(n)),
                snapshot::InlineValue::Decimal(n) => Some(Number::Decimal(n)),
                snapshot::InlineValue::Float(n) => Some(Number::Float(n)),
                snapshot::InlineValue::Double(n) => Some(Number::Double(n)),
                snapshot::InlineValue::Wide => self.decoded_number(id),
                _ => None,
            };
        }
        self.decoded_number(id)
    }

    fn decoded_number(&self, id: TermId) -> Option<Number> {
        match self.value(id) {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    /// Returns the string that a bound id stands for, with its language, if it is one.
    pub fn text(&self, id: TermId) -> Option<Text> {
        if self.is_stored(id) && !matches!(self.snapshot.value_rank(id).0, Family::String | Family::Language(_)) {
            return None;
        }
        match self.value(id) {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns subject, predicate and object of a triple term; `None` for other terms.
    ///
    /// # Errors
    /// As [`Terms::id`].
    pub fn triple_components(&self, id: TermId) -> Result<Option<[TermId; 3]>> {
        if self.is_stored(id) {
            return Ok(self.snapshot.triple_components(id));
        }
        let Term::Triple(triple) = self.term(id) else { return Ok(None) };
        let Triple { subject, predicate, object } = *triple;
        Ok(Some([self.id(subject.into())?, self.id(predicate.into())?, self.id(object)?]))
    }

    /// Returns the effective boolean value (SPARQL 1.1 §17.2.2) of an id; unbound is an error.
    pub fn truth(&self, id: TermId) -> Truth {
        if id == TermId::UNBOUND {
            return Truth::Error;
        }
        if self.is_stored(id) {
            match self.snapshot.value(id) {
                snapshot::InlineValue::Boolean(value) => return value.into(),
                snapshot::InlineValue::BlankNode
                | snapshot::InlineValue::Iri
                | snapshot::InlineValue::LanguageString
                | snapshot::InlineValue::DateTime(_)
                | snapshot::InlineValue::Date(_)
                | snapshot::InlineValue::Triple => return Truth::Error,
                snapshot::InlineValue::Integer(_)
                | snapshot::InlineValue::Decimal(_)
                | snapshot::InlineValue::Wide
                | snapshot::InlineValue::Float(_)
                | snapshot::InlineValue::Double(_)
                | snapshot::InlineValue::String
                | snapshot::InlineValue::Other => {}
            }
        }
        self.value(id).truth().into()
    }

    /// `a = b` of two ids; an unbound one is an error.
    pub fn equals(&self, a: TermId, b: TermId) -> Truth {
        if a == TermId::UNBOUND || b == TermId::UNBOUND {
            return Truth::Error;
        }
        if self.is_stored(a) && self.is_stored(b) {
            let ((a_family, a_rank), (b_family, b_rank)) = (self.snapshot.value_rank(a), self.snapshot.value_rank(b));
            match Comparison::of(a_family, b_family) {
                Comparison::Ranks => return (a_rank == b_rank).into(),
                Comparison::Apart => return Truth::False,
                Comparison::Values => {}
            }
        }
        compare::equals(&self.value(a), &self.value(b)).into()
    }

    /// The same for each row of two columns.
    pub(crate) fn equal_columns(&self, a: &[TermId], b: &[TermId]) -> Vec<Truth> {
        // Blank nodes and IRIs equal only themselves. Other terms equal at least themselves, except those of the
        // families without ranks, which come last.
        let resources = self.snapshot.family_range(Family::Iri).end;
        let ranked = self.snapshot.family_range(Family::Other).start;
        let equal = |(a, b): (&TermId, &TermId)| {
            let (a, b) = (*a, *b);
            if a.get().max(b.get()) < resources || (a == b && a.get() < ranked) {
                return (a == b).into();
            }
            self.equals(a, b)
        };
        a.iter().zip(b).map(equal).collect()
    }

    /// Compares two ids for `<` and the like: an error, or their order; no order if one is NaN.
    pub fn order(&self, a: TermId, b: TermId) -> Result<Option<Ordering>, TypeError> {
        if a == TermId::UNBOUND || b == TermId::UNBOUND {
            return Err(TypeError);
        }
        if self.is_stored(a) && self.is_stored(b) {
            let ((a_family, a_rank), (b_family, b_rank)) = (self.snapshot.value_rank(a), self.snapshot.value_rank(b));
            match Comparison::of(a_family, b_family) {
                Comparison::Ranks if !matches!(a_family, Family::Iri | Family::BlankNode) => {
                    return Ok(Some(a_rank.cmp(&b_rank)));
                }
                Comparison::Apart => return Err(TypeError),
                Comparison::Ranks | Comparison::Values => {}
            }
        }
        compare::order(&self.value(a), &self.value(b))
    }
}

/// How two families compare.
enum Comparison {
    /// By rank.
    Ranks,
    /// Values of the two families are never equal, less or greater.
    Apart,
    /// By the values themselves.
    Values,
}

impl Comparison {
    fn of(a: Family, b: Family) -> Self {
        use Family::{
            BlankNode, Boolean, Double, Float, Iri, Language, LocalDate, LocalDateTime, Number, Other, String, Triple,
            ZonedDate, ZonedDateTime,
        };
        match (a, b) {
            (Other | Triple, _) if a == b => Self::Values,
            _ if a == b => Self::Ranks,
            (Number | Float | Double, Number | Float | Double)
            | (ZonedDateTime | LocalDateTime, ZonedDateTime | LocalDateTime)
            | (ZonedDate | LocalDate, ZonedDate | LocalDate) => Self::Values,
            // A literal outside the families may have the other family's datatype, and even be equal to it (durations,
            // for instance, are not).
            (Other, Iri | BlankNode | Triple | Language(_)) | (Iri | BlankNode | Triple | Language(_), Other) => {
                Self::Apart
            }
            (Other, _) | (_, Other) => Self::Values,
            (
                BlankNode | Iri | Boolean | Number | Float | Double | ZonedDateTime | LocalDateTime | ZonedDate
                | LocalDate | String | Language(_) | Triple,
                _,
            ) => Self::Apart,
        }
    }
}
