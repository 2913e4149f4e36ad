//! MIN and MAX. Stored terms of one family whose ids ascend with their values are compared by id.

use crate::order::TermOrder;
use crate::terms::Terms;
use kgq_snapshot::{Family, TermId};
use kgq_syntax::error::Result;
use std::cmp::Ordering;
use std::ops::Range;

/// The best value of a group: unbound before the first one, `None` after an error.
pub(super) type Best = Option<TermId>;

/// Adds a value. Among equal values, the first stays.
pub(super) fn add(
    best: &mut Best,
    id: TermId,
    wanted: Ordering,
    order: &mut TermOrder<'_, '_>,
    terms: &Terms<'_>,
) -> Result<()> {
    *best = match (*best, id) {
        (None, _) | (_, TermId::UNBOUND) => None,
        (Some(TermId::UNBOUND), id) => Some(id),
        (Some(known), id) if known == id => Some(known),
        (Some(known), id) => Some(if compare(order, terms, id, known)? == wanted { id } else { known }),
    };
    Ok(())
}

/// Adds a column of values if all are of one such family; returns whether they are.
pub(super) fn add_column(
    best: &mut [Best],
    groups: &[u32],
    ids: &[TermId],
    wanted: Ordering,
    terms: &Terms<'_>,
) -> Result<bool> {
    if ids.len() < 2 {
        return Ok(false);
    }
    let (mut least, mut greatest) = (ids[0], ids[0]);
    for id in ids {
        (least, greatest) = (least.min(*id), greatest.max(*id));
    }
    let Some(family) = family_of(least, greatest, terms) else { return Ok(false) };
    let rank = |id: TermId| terms.snapshot().value_rank(id).1;
    let mut order = TermOrder::new(terms);
    if let [best] = best {
        let found = if wanted == Ordering::Less { least } else { greatest };
        if best.is_some_and(|known| known != TermId::UNBOUND && family.contains(&known.get()))
            && best.is_some_and(|known| is_no_better(found, known, wanted))
        {
            return Ok(true);
        }
        let of_value = rank(found);
        if let Some(first) = ids.iter().find(|id| rank(**id) == of_value) {
            add(best, *first, wanted, &mut order, terms)?;
        }
        return Ok(true);
    }
    for (group, id) in groups.iter().zip(ids) {
        let best = &mut best[*group as usize];
        match *best {
            Some(known) if family.contains(&known.get()) => {
                if !is_no_better(*id, known, wanted) && rank(*id) != rank(known) {
                    *best = Some(*id);
                }
            }
            _ => add(best, *id, wanted, &mut order, terms)?,
        }
    }
    Ok(true)
}

/// Whether the order of the ids shows that `id` is no better than `known`, which is of the same family.
fn is_no_better(id: TermId, known: TermId, wanted: Ordering) -> bool {
    if wanted == Ordering::Less { id >= known } else { id <= known }
}

/// Returns the ids of the single family that contains all ids between the two, if they are stored and ascend with their values.
fn family_of(least: TermId, greatest: TermId, terms: &Terms<'_>) -> Option<Range<u32>> {
    if !terms.is_stored(greatest) {
        return None;
    }
    let snapshot = terms.snapshot();
    let (family, other) = (snapshot.value_rank(least).0, snapshot.value_rank(greatest).0);
    let ascends = family == other && !matches!(family, Family::Other | Family::Triple);
    ascends.then(|| snapshot.family_range(family))
}

/// Compares two ids. Most groups have ids of one family, which need less work than the general order.
fn compare(order: &mut TermOrder<'_, '_>, terms: &Terms<'_>, a: TermId, b: TermId) -> Result<Ordering> {
    if terms.is_stored(a) && terms.is_stored(b) {
        let ((a_family, a_rank), (b_family, b_rank)) = (terms.snapshot().value_rank(a), terms.snapshot().value_rank(b));
        if a_family == b_family && !matches!(a_family, Family::Other | Family::Triple) {
            return Ok(a_rank.cmp(&b_rank));
        }
    }
    order.compare(a, b)
}
