//! The right side of a hash join: its rows, and an index of them by key.

use super::keys::value_keys;
use super::members::Members;
use super::{By, Extreme, Layout};
use crate::operator::Context;
use crate::operator::table::{HashIndex, Table, hash};
use kgq_snapshot::{Family, TermId};
use kgq_syntax::budget::Reservation;
use kgq_syntax::error::Result;

/// With fewer rows than this, candidates are tested one by one, without a strict index.
const WORTH_A_STRICT_INDEX: usize = 16;

pub struct Built {
    pub table: Table,
    keys: Vec<Vec<TermId>>,
    pub index: HashIndex,
    /// An index by the keys and the first loose columns, with unbound as a value of its own. A left row that binds
    /// these columns then has few candidates.
    pub strict: Option<HashIndex>,
    /// Replaces the table, where only one column matters.
    pub members: Option<Members>,
    /// Reserved for the keys.
    _held: Reservation,
}

impl Built {
    /// Takes the table and indexes it. If memory has no room for the index, the table stays with the caller and can be divided.
    pub fn new(layout: &Layout, table: &mut Table, cx: &Context<'_>) -> Result<Self> {
        if let Some(extreme) = layout.extreme
            && let Some(rows) = deciding(layout, table, extreme, cx)?
        {
            let kept = table.select(&rows);
            *table = Table::new(table.columns.len());
            table.append(&kept, cx)?;
        }
        let (mut keys, mut held) = (Vec::new(), Reservation::default());
        for (pair, by) in &layout.keys {
            let column = &table.columns[pair.right];
            match by {
                // The table's own column is compared: a copy would cost memory.
                By::Term => keys.push(Vec::new()),
                By::Value => {
                    held.grow(cx.budget(), (column.len() * 4) as u64)?;
                    keys.push(value_keys(column, cx)?);
                }
            }
        }
        let columns: Vec<&[TermId]> = layout
            .keys
            .iter()
            .zip(&keys)
            .map(|((pair, by), key)| match by {
                By::Term => table.columns[pair.right].as_slice(),
                By::Value => key.as_slice(),
            })
            .collect();
        let index = HashIndex::build(&columns, table.rows, cx)?;
        let strict = if layout.loose.is_empty() || table.rows < WORTH_A_STRICT_INDEX {
            None
        } else {
            let loose = layout.strict().iter().map(|pair| table.columns[pair.right].as_slice());
            let columns: Vec<&[TermId]> = columns.iter().copied().chain(loose).collect();
            Some(HashIndex::build(&columns, table.rows, cx)?)
        };
        Ok(Self { table: std::mem::take(table), keys, index, strict, members: None, _held: held })
    }

    pub fn of_members(members: Members) -> Self {
        Self {
            table: Table::default(),
            keys: Vec::new(),
            index: HashIndex::empty(),
            strict: None,
            members: Some(members),
            _held: Reservation::default(),
        }
    }

    /// Whether the right side has no rows.
    pub fn is_empty(&self) -> bool {
        self.table.rows == 0 && self.members.is_none()
    }

    #[inline]
    pub fn agrees(&self, layout: &Layout, key: &[TermId], at: usize) -> bool {
        let exact = layout.keys.iter().zip(&self.keys).zip(key).all(|(((pair, by), own), id)| {
            *id == match by {
                By::Term => self.table.columns[pair.right][at],
                By::Value => own[at],
            }
        });
        // The values for the strict index follow the keys.
        let strict = &key[layout.keys.len()..];
        exact && layout.loose.iter().zip(strict).all(|(pair, id)| self.table.columns[pair.right][at] == *id)
    }
}

/// Returns for each key the row with the extreme value; `None` if the values do not have a single order.
fn deciding(layout: &Layout, table: &Table, extreme: Extreme, cx: &Context<'_>) -> Result<Option<Vec<u32>>> {
    let (column, least) = match extreme {
        Extreme::Least(column) => (column, true),
        Extreme::Greatest(column) => (column, false),
    };
    if layout.keys.iter().any(|(_, by)| *by == By::Value) {
        return Ok(None);
    }
    let _held = cx.budget().reserve((table.rows * 4) as u64)?;
    let Some(ranks) = ordered_ranks(&table.columns[column], cx)? else { return Ok(None) };
    let keys: Vec<&[TermId]> = layout.keys.iter().map(|(pair, _)| table.columns[pair.right].as_slice()).collect();
    let hash_of = |row: u32| hash(keys.iter().map(|key| key[row as usize]));
    let mut index = HashIndex::empty();
    let mut best: Vec<u32> = Vec::new();
    for row in 0..table.rows as u32 {
        if row.is_multiple_of(65_536) {
            cx.budget().check()?;
        }
        let own = hash_of(row);
        let same = |other: u32| keys.iter().all(|key| key[row as usize] == key[other as usize]);
        let rank = |row: u32| ranks[row as usize];
        match index.find(own, |entry| same(best[entry])) {
            Some(entry) if (rank(row) < rank(best[entry])) == least => best[entry] = row,
            Some(_) => (),
            None => {
                index.push(own, cx, |entry| hash_of(best[entry]))?;
                best.push(row);
            }
        }
    }
    Ok(Some(best))
}

/// Returns the ranks of the terms if all are of one family that `<` orders by rank, so that the extreme rank decides
/// every comparison.
fn ordered_ranks(column: &[TermId], cx: &Context<'_>) -> Result<Option<Vec<u32>>> {
    let mut family = None;
    let mut ranks = Vec::with_capacity(column.len());
    for id in column {
        if ranks.len() % 65_536 == 0 {
            cx.budget().check()?;
        }
        if id.is_unbound() || !cx.terms().is_stored(*id) {
            return Ok(None);
        }
        let (own, rank) = cx.snapshot().value_rank(*id);
        if *family.get_or_insert(own) != own {
            return Ok(None);
        }
        ranks.push(rank);
    }
    let Some(family) = family else { return Ok(None) };
    // The other families have terms without `<`, or are not sorted by it; strings of one language would be, but are left out too.
    let ordered = match family {
        Family::Number
        | Family::Float
        | Family::Double
        | Family::Boolean
        | Family::String
        | Family::ZonedDateTime
        | Family::LocalDateTime
        | Family::ZonedDate
        | Family::LocalDate => true,
        Family::BlankNode | Family::Iri | Family::Language(_) | Family::Other | Family::Triple => false,
    };
    Ok(ordered.then_some(ranks))
}
