//! Merges the sorted terms of several runs into one dictionary.

use super::run::{Run, RunLiteral, RunTerms, TripleTerm, take_string};
use super::spool::{Spooled, take, take_array, take_number};
use super::threads;
use crate::dictionary::{Dictionary, Literals, RECORD};
use crate::front_coding::{StringTable, StringTableBuilder};
use crate::interner::too_many_terms;
use crate::storage::Words;
use crate::value::{LITERAL_FAMILIES, LiteralType, WITH_VALUES};
use kgq_syntax::budget::Budget;
use kgq_syntax::error::Result;
use kgq_syntax::sort::{Piece, sort_by};
use rustc_hash::FxHashMap;
use std::cmp::Ordering;

/// How blank nodes are labelled in the result.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Labels {
    /// With their own labels.
    Keep,
    /// With labels made from their file and their order of appearance in it.
    Number,
}

/// Merges the runs' terms. The second part of the result gives the id of each term of each run.
pub(super) fn merge(runs: &mut [Run], labels: Labels, budget: &Budget) -> Result<(Dictionary, Vec<Vec<u32>>)> {
    let mut sources: Vec<RunTerms> = runs.iter_mut().map(|run| run.read_terms()).collect::<Result<_>>()?;
    let counts: Vec<[u32; 4]> = runs.iter().map(|run| run.counts).collect();
    let (types, type_maps) = merge_types(runs);
    let (mut blank_sources, mut iri_sources, mut literal_sources) = (Vec::new(), Vec::new(), Vec::new());
    for source in sources.drain(..) {
        blank_sources.push(source.blanks);
        iri_sources.push(source.iris);
        literal_sources.push(source.literals);
    }
    let terms = counts.iter().flatten().map(|count| *count as usize).sum();
    let (literals, (blanks, iris)) = threads::both(
        terms,
        "merging literals",
        || merge_literals(literal_sources, &counts, &type_maps, budget),
        || (merge_blanks(blank_sources, &counts, labels, budget), merge_iris(iri_sources, &counts, budget)),
    );
    let ((blanks, blank_order, blank_maps), (iris, iri_maps)) = (blanks?, iris?);
    let (mut literals, literal_maps) = literals?;
    literals.types = types;

    let first_iri = u64::from(blanks.len());
    let first_literal = first_iri + u64::from(iris.len());
    let first_triple = first_literal + u64::from(literals.forms.len());
    // The largest number is not an id.
    let first_triple = u32::try_from(first_triple).ok().filter(|n| *n < u32::MAX).ok_or_else(too_many_terms)?;
    let mut maps = blank_maps;
    for (run, map) in maps.iter_mut().enumerate() {
        map.extend(iri_maps[run].iter().map(|n| n + first_iri as u32));
        map.extend(literal_maps[run].iter().map(|n| n + first_literal as u32));
    }
    let terms: Vec<&[TripleTerm]> = runs.iter().map(|run| run.triple_terms.as_slice()).collect();
    let (triples, depths) = merge_triples(&terms, &mut maps, first_triple, budget)?;
    Ok((Dictionary::new(blanks, blank_order, iris, literals, triples, depths), maps))
}

/// All types, sorted; and for each run, the positions of its types among them.
fn merge_types(runs: &[Run]) -> (Vec<LiteralType>, Vec<Vec<u32>>) {
    let mut all: Vec<&LiteralType> = runs.iter().flat_map(|run| &run.types).collect();
    all.sort_unstable_by(|a, b| a.text().cmp(b.text()));
    all.dedup();
    let types: Vec<LiteralType> = all.into_iter().cloned().collect();
    let position = |text: &str| {
        let found = types.binary_search_by(|t| t.text().cmp(text));
        found.expect("every run's types are among all") as u32
    };
    let maps = runs.iter().map(|run| run.types.iter().map(|t| position(t.text())).collect()).collect();
    (types, maps)
}

/// The next string of a run.
struct Head {
    run: usize,
    left: u32,
    string: Vec<u8>,
}

/// Merges sorted lists, each without duplicates: calls `f` for each distinct string, with the runs that contain it.
fn merge_strings(
    mut sources: Vec<Spooled>,
    counts: impl Iterator<Item = u32>,
    mut next: impl FnMut(&mut Spooled, &mut Head) -> Result<()>,
    mut f: impl FnMut(&[u8], &[usize]) -> Result<()>,
) -> Result<()> {
    let mut heads = Vec::new();
    for (run, left) in counts.enumerate() {
        let mut head = Head { run, left, string: Vec::new() };
        if left > 0 {
            next(&mut sources[run], &mut head)?;
            heads.push(head);
        }
    }
    let mut equal: Vec<usize> = Vec::new();
    let mut have: Vec<usize> = Vec::new();
    while !heads.is_empty() {
        // There are as many runs as threads, or a few more where memory is short: too few for a heap to pay off.
        equal.clear();
        for at in 0..heads.len() {
            let order = match equal.first() {
                Some(least) => heads[at].string.cmp(&heads[*least].string),
                None => Ordering::Equal,
            };
            if order == Ordering::Less {
                equal.clear();
            }
            if order != Ordering::Greater {
                equal.push(at);
            }
        }
        have.clear();
        have.extend(equal.iter().map(|at| heads[*at].run));
        f(&heads[equal[0]].string, &have)?;
        for at in equal.iter().rev() {
            let head = &mut heads[*at];
            head.left -= 1;
            if head.left == 0 {
                heads.swap_remove(*at);
            } else {
                next(&mut sources[head.run], head)?;
            }
        }
    }
    Ok(())
}

fn empty_maps(counts: &[[u32; 4]], kind: usize) -> Vec<Vec<u32>> {
    counts
        .iter()
        .map(|c| Vec::with_capacity(if kind == 0 { c.iter().sum::<u32>() } else { c[kind] } as usize))
        .collect()
}

type Maps = Vec<Vec<u32>>;

/// Terms merged between two checks of the budget.
const STEP: u32 = 1 << 16;

fn merge_iris(sources: Vec<Spooled>, counts: &[[u32; 4]], budget: &Budget) -> Result<(StringTable, Maps)> {
    let mut table = StringTableBuilder::default();
    let mut maps = empty_maps(counts, 1);
    let next = |from: &mut Spooled, head: &mut Head| take_string(from, &mut head.string);
    merge_strings(sources, counts.iter().map(|c| c[1]), next, |iri, runs| {
        if table.len().is_multiple_of(STEP) {
            budget.check()?;
        }
        runs.iter().for_each(|run| maps[*run].push(table.len()));
        table.push(iri)
    })?;
    Ok((table.finish(), maps))
}

fn merge_blanks(
    sources: Vec<Spooled>,
    counts: &[[u32; 4]],
    labels: Labels,
    budget: &Budget,
) -> Result<(StringTable, Words, Maps)> {
    struct Blank {
        position: u64,
        file: u32,
        label: std::ops::Range<usize>,
    }
    let (mut blanks, mut text) = (Vec::<Blank>::new(), Vec::new());
    let mut maps = empty_maps(counts, 0);
    let mut positions = vec![0; counts.len()];
    // Positions are stored separately, because they must not take part in the comparison of strings.
    let latest = std::cell::RefCell::new(&mut positions);
    let next = |from: &mut Spooled, head: &mut Head| {
        latest.borrow_mut()[head.run] = u64::from_le_bytes(take_array(from)?);
        let length = take_number(from)? as usize;
        head.string.resize(length, 0);
        take(from, &mut head.string)
    };
    merge_strings(sources, counts.iter().map(|c| c[0]), next, |key, runs| {
        let number = u32::try_from(blanks.len()).map_err(|_| too_many_terms())?;
        if number.is_multiple_of(STEP) {
            budget.check()?;
        }
        runs.iter().for_each(|run| maps[*run].push(number));
        let position = runs.iter().map(|run| latest.borrow()[*run]).min().unwrap_or_default();
        let (file, label) = key.split_at(4);
        let file = u32::from_be_bytes(file.try_into().expect("a blank node's key starts with four bytes"));
        let start = text.len();
        text.extend_from_slice(label);
        blanks.push(Blank { position, file, label: start..text.len() });
        Ok(())
    })?;
    let mut order: Vec<u32> = (0..blanks.len() as u32).collect();
    let position = |number: &u32| blanks[*number as usize].position;
    sort_by(&mut order, Piece::Large, |a, b| position(a).cmp(&position(b)), budget)?;
    let mut ids = vec![0; order.len()];
    order.iter().enumerate().for_each(|(id, number)| ids[*number as usize] = id as u32);
    maps.iter_mut().flatten().for_each(|number| *number = ids[*number as usize]);

    let label = |number: u32| &text[blanks[number as usize].label.clone()];
    let names = match labels {
        Labels::Keep => order.iter().map(|number| label(*number).to_vec()).collect(),
        Labels::Number => names(order.iter().map(|number| blanks[*number as usize].file)),
    };
    let mut by_name: Vec<u32> = (0..names.len() as u32).collect();
    super::strings::sort(&mut by_name, |id| &names[id as usize], budget)?;
    let mut table = StringTableBuilder::default();
    names.iter().try_for_each(|name| table.push(name))?;
    Ok((table.finish(), Words::new(by_name), maps))
}

/// Labels made from the file and the order of appearance in it, like those of `store`.
fn names(files: impl Iterator<Item = u32>) -> Vec<Vec<u8>> {
    let mut given: FxHashMap<u32, u64> = FxHashMap::default();
    files
        .map(|file| {
            let number = given.entry(file).or_default();
            let name = if file == 0 { format!("b{number}") } else { format!("f{file}b{number}") };
            *number += 1;
            name.into_bytes()
        })
        .collect()
}

fn merge_literals(
    mut sources: Vec<Spooled>,
    counts: &[[u32; 4]],
    type_maps: &[Vec<u32>],
    budget: &Budget,
) -> Result<(Literals, Maps)> {
    let mut maps = empty_maps(counts, 2);
    let mut heads: Vec<(usize, u32, RunLiteral)> = Vec::new();
    let next = |from: &mut Spooled, run: usize, literal: &mut RunLiteral| -> Result<()> {
        literal.take(from)?;
        literal.literal_type = type_maps[run][literal.literal_type as usize];
        Ok(())
    };
    for (run, count) in counts.iter().enumerate() {
        if count[2] > 0 {
            let mut literal = RunLiteral::default();
            next(&mut sources[run], run, &mut literal)?;
            heads.push((run, count[2], literal));
        }
    }
    let mut table = StringTableBuilder::default();
    let mut families = [0; LITERAL_FAMILIES + 1];
    let (mut values, mut ranks, mut type_runs) = (Vec::<u32>::new(), Vec::<u32>::new(), Vec::<u32>::new());
    let mut last = RunLiteral::default();
    let mut equal: Vec<usize> = Vec::new();
    while !heads.is_empty() {
        equal.clear();
        for at in 0..heads.len() {
            let order = equal.first().map_or(Ordering::Equal, |least| heads[at].2.compare(&heads[*least].2));
            if order == Ordering::Less {
                equal.clear();
            }
            if order != Ordering::Greater {
                equal.push(at);
            }
        }
        let at = table.len();
        if at.is_multiple_of(STEP) {
            budget.check()?;
        }
        equal.iter().for_each(|head| maps[heads[*head].0].push(at));
        let literal = &heads[equal[0]].2;
        table.push(&literal.lexical)?;
        families[literal.family + 1] += 1;
        let alike = at > 0 && last.family == literal.family;
        if literal.family < WITH_VALUES {
            let same = alike && last.compare_value(literal) == Ordering::Equal;
            ranks.push(if same { ranks[at as usize - 1] } else { at });
            let payload = literal.stored.payload as u128;
            let record: [u32; RECORD] = [
                payload as u32,
                (payload >> 32) as u32,
                (payload >> 64) as u32,
                (payload >> 96) as u32,
                literal.literal_type,
                literal.stored.zone.into(),
            ];
            values.extend(record);
        } else if !alike || last.literal_type != literal.literal_type {
            type_runs.extend([at, literal.literal_type]);
        }
        (last.family, last.literal_type, last.stored) = (literal.family, literal.literal_type, literal.stored);
        last.lexical.clear();
        last.lexical.extend_from_slice(&literal.lexical);
        for at in equal.iter().rev() {
            let (run, left, literal) = &mut heads[*at];
            *left -= 1;
            if *left == 0 {
                heads.swap_remove(*at);
            } else {
                next(&mut sources[*run], *run, literal)?;
            }
        }
    }
    for family in 0..LITERAL_FAMILIES {
        families[family + 1] += families[family];
    }
    let literals = Literals {
        forms: table.finish().coded(budget)?,
        families,
        values: Words::new(values),
        ranks: Words::new(ranks),
        types: Vec::new(),
        type_runs: Words::new(type_runs),
    };
    Ok((literals, maps))
}

/// Sorts the triple terms by depth, so that each stands after its components, then by components; adds their ids to the
/// maps.
fn merge_triples(
    runs: &[&[TripleTerm]],
    maps: &mut [Vec<u32>],
    first: u32,
    budget: &Budget,
) -> Result<(Words, Vec<u32>)> {
    let deepest = runs.iter().filter_map(|terms| terms.last()).map(|term| term.depth).max().unwrap_or(0);
    let (mut words, mut depths) = (Vec::new(), Vec::new());
    for depth in 1..=deepest {
        let mut level: Vec<[u32; 3]> = Vec::new();
        let of_depth = |terms: &[TripleTerm]| {
            let start = terms.partition_point(|t| t.depth < depth);
            start..terms.partition_point(|t| t.depth <= depth)
        };
        for (terms, map) in runs.iter().zip(maps.iter()) {
            level.extend(terms[of_depth(terms)].iter().map(|t| t.components.map(|c| map[c as usize])));
        }
        sort_by(&mut level, Piece::Large, Ord::cmp, budget)?;
        level.dedup();
        let offset = first as usize + words.len() / 3;
        if offset + level.len() >= u32::MAX as usize {
            return Err(too_many_terms());
        }
        for (terms, map) in runs.iter().zip(maps.iter_mut()) {
            for (number, term) in terms[of_depth(terms)].iter().enumerate() {
                if number % STEP as usize == 0 {
                    budget.check()?;
                }
                let components = term.components.map(|c| map[c as usize]);
                let at = level.binary_search(&components).expect("every run's triple terms are among all");
                map.push((offset + at) as u32);
            }
        }
        words.extend(level.into_iter().flatten());
        depths.push((words.len() / 3) as u32);
    }
    Ok((Words::new(words), depths))
}
