//! Writes a whole snapshot as two tables: its terms, and its statements as ids of these. Both are sorted, so that a reader can
//! pick the row groups that it needs by their statistics.

use super::arrow_error;
use super::gather::Building;
use super::parquet::{ParquetFile, properties};
use ::parquet::file::metadata::SortingColumn;
use arrow_array::builder::{Int64Builder, PrimitiveBuilder};
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch, StructArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use kgq_snapshot::{Permutation, QuadPermutation, Snapshot, TermId};
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Result};
use std::io::Write;
use std::sync::Arc;

/// The rows of a batch and of a row group: few enough that the statistics of a group locate a term or a subject.
const ROWS: usize = 1 << 14;
const GROUP_ROWS: usize = 1 << 17;

/// Writes all terms in the order of their ids: `id`, `kind` (`iri`, `bnode`, `literal`, `triple`), `value`, `datatype`,
/// `language`. Returns their number.
///
/// # Errors
/// The budget's, the writer's, damage to the snapshot.
pub fn write_terms(snapshot: &Snapshot, budget: &Budget, out: &mut dyn Write) -> Result<u64> {
    let text = |name, nullable| Field::new(name, DataType::Utf8, nullable);
    let schema: SchemaRef = Arc::new(Schema::new(vec![
        Field::new("id", DataType::Int64, false),
        text("kind", false),
        text("value", false),
        text("datatype", true),
        text("language", true),
    ]));
    let mut file = begin(&schema, 1, out)?;
    let mut decoder = snapshot.decoder();
    let count = snapshot.term_count();
    for first in (0..count).step_by(ROWS) {
        budget.check()?;
        let ids = first..count.min(first + ROWS as u32);
        let mut terms = Building::default();
        for id in ids.clone().map(TermId::new) {
            terms.add(Some(&decoder.term(id).unwrap_or_else(|| snapshot.term(id))))?;
        }
        snapshot.intact()?;
        let structs = terms.finish().structs()?;
        let Some(structs) = structs.as_any().downcast_ref::<StructArray>() else {
            return Err(Error::bug("terms are no structs"));
        };
        let mut columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from_iter_values(ids.map(i64::from)))];
        columns.extend([1, 0, 2, 3].map(|at| Arc::clone(structs.column(at))));
        file.write(&RecordBatch::try_new(Arc::clone(&schema), columns).map_err(arrow_error)?)?;
    }
    file.finish()?;
    Ok(u64::from(count))
}

/// Writes all statements as ids of their terms, sorted: `subject`, `predicate`, `object`, `graph`; `graph` is null in the default
/// graph. Returns their number.
///
/// # Errors
/// The budget's, the writer's, damage to the snapshot.
pub fn write_triples(snapshot: &Snapshot, budget: &Budget, out: &mut dyn Write) -> Result<u64> {
    let id = |name, nullable| Field::new(name, DataType::Int64, nullable);
    let schema: SchemaRef = Arc::new(Schema::new(vec![
        id("subject", false),
        id("predicate", false),
        id("object", false),
        id("graph", true),
    ]));
    let mut file = begin(&schema, 4, out)?;
    let mut batch = Statements::default();
    for statement in statements(snapshot) {
        batch.add(statement);
        if batch.rows == ROWS {
            budget.check()?;
            file.write(&batch.finish(&schema)?)?;
        }
    }
    snapshot.intact()?;
    file.write(&batch.finish(&schema)?)?;
    file.finish()?;
    Ok(snapshot.len() as u64)
}

/// Begins a file whose rows are sorted by its first `sorted` columns.
fn begin<'a>(schema: &SchemaRef, sorted: i32, out: &'a mut dyn Write) -> Result<ParquetFile<'a>> {
    let by = |column_idx| SortingColumn { column_idx, descending: false, nulls_first: true };
    let properties = properties()
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_sorting_columns(Some((0..sorted).map(by).collect()));
    ParquetFile::begin(Arc::clone(schema), properties, out)
}

type Statement = ([TermId; 3], Option<TermId>);

/// The statements of the default graph and of the named ones, merged in the order of their ids.
fn statements(snapshot: &Snapshot) -> impl Iterator<Item = Statement> + '_ {
    let triples = snapshot.triples(Permutation::Spo);
    let mut of_default = triples
        .keys()
        .flat_map(move |(subject, rows)| {
            let [predicates, objects] = [1, 2].map(|depth| triples.blocks(depth, rows.clone()));
            predicates.zip(objects).map(move |(predicate, object)| ([subject, predicate, object], None))
        })
        .peekable();
    let quads = snapshot.quads(QuadPermutation::Spog);
    let mut of_named = quads
        .keys()
        .flat_map(move |(subject, rows)| {
            let [predicates, objects, graphs] = [1, 2, 3].map(|depth| quads.blocks(depth, rows.clone()));
            let others = predicates.zip(objects).zip(graphs);
            others.map(move |((predicate, object), graph)| ([subject, predicate, object], Some(graph)))
        })
        .peekable();
    std::iter::from_fn(move || match (of_default.peek(), of_named.peek()) {
        (Some(one), Some(other)) if one > other => of_named.next(),
        (None, _) => of_named.next(),
        _ => of_default.next(),
    })
}

#[derive(Default)]
struct Statements {
    ids: [PrimitiveBuilder<Int64Type>; 3],
    graphs: Int64Builder,
    rows: usize,
}

impl Statements {
    fn add(&mut self, (ids, graph): Statement) {
        self.ids.iter_mut().zip(ids).for_each(|(column, id)| column.append_value(i64::from(id.get())));
        self.graphs.append_option(graph.map(|id| i64::from(id.get())));
        self.rows += 1;
    }

    fn finish(&mut self, schema: &SchemaRef) -> Result<RecordBatch> {
        self.rows = 0;
        let mut columns: Vec<ArrayRef> =
            self.ids.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef).collect();
        columns.push(Arc::new(self.graphs.finish()));
        RecordBatch::try_new(Arc::clone(schema), columns).map_err(arrow_error)
    }
}
