//! Conditions that look only at a term's kind, datatype or language, such as `LANG(?x) = "en"`. They are decided once for
//! each range of ids whose terms are alike, and in a range with several datatypes once for each datatype. No text is read.

use super::call::Function;
use super::column::{Column, Datum, Selection};
use super::evaluate::Evaluation;
use super::node::{ExpressionNode, Test};
use super::stretches::Stretches;
use super::{Context, ROWS_BEFORE_SEARCH};
use crate::batch::Batch;
use crate::terms::Truth;
use kgq_snapshot::{Family, TermClass, TermId, TypeKey};
use kgq_syntax::error::Result;
use rustc_hash::FxHashMap;
use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A condition over column 0 of its own batch.
#[derive(Debug)]
pub struct ByClass {
    inner: Box<ExpressionNode>,
    /// Whether it reads the datatype, which differs among numbers.
    reads_datatype: bool,
    /// Whether it tests for numbers; literals of one datatype may differ in that.
    reads_numeric: bool,
    /// Rows tested so far.
    rows: AtomicUsize,
    /// Computed after a number of rows, or when the planner asks.
    stretches: OnceLock<Stretches>,
}

/// With more classes than this, no ranges are computed.
const MOST_CLASSES: usize = 4096;

impl ByClass {
    /// `inner` must read its single variable only by such functions.
    pub fn new(inner: ExpressionNode) -> Self {
        let reads_datatype = inner.any(&|node| matches!(node, ExpressionNode::Call(Function::Datatype, _)));
        let reads_numeric = inner.any(&|node| matches!(node, ExpressionNode::Test(Test::IsNumeric, _)));
        Self {
            inner: Box::new(inner),
            reads_datatype,
            reads_numeric,
            rows: AtomicUsize::new(0),
            stretches: OnceLock::new(),
        }
    }

    /// Returns the result for every stored id, as ranges.
    pub fn stretches(&self, evaluation: &Evaluation<'_>) -> Result<&Stretches> {
        if let Some(stretches) = self.stretches.get() {
            return Ok(stretches);
        }
        let classes = evaluation.context.terms.snapshot().classes();
        let mut stretches = Stretches::default();
        if classes.len() > MOST_CLASSES {
            return Ok(self.stretches.get_or_init(|| stretches));
        }
        let first: Vec<TermId> = classes.iter().map(|class| TermId::new(class.ids.start)).collect();
        let truths = self.inner_truths(evaluation, first)?;
        for (class, truth) in classes.iter().zip(truths) {
            stretches.push(class.ids.end, self.is_alike(class).then_some(truth));
        }
        Ok(self.stretches.get_or_init(|| stretches))
    }

    /// Whether the condition has the same result for all terms of the class.
    fn is_alike(&self, class: &TermClass) -> bool {
        match class.family {
            Family::BlankNode | Family::Iri | Family::Triple | Family::String | Family::Language(_) => true,
            Family::Other => !self.reads_numeric,
            _ => !self.reads_datatype,
        }
    }

    fn inner_truths(&self, evaluation: &Evaluation<'_>, ids: Vec<TermId>) -> Result<Vec<Truth>> {
        let rows = ids.len();
        evaluation.truths(&self.inner, &Selection::all(&Batch::new(vec![ids], rows), 0))
    }

    pub fn truths(&self, ids: &[TermId], evaluation: &Evaluation<'_>) -> Result<Vec<Truth>> {
        let seen = self.rows.fetch_add(ids.len(), Ordering::Relaxed);
        let stretches = if seen + ids.len() > ROWS_BEFORE_SEARCH {
            Some(self.stretches(evaluation)?)
        } else {
            self.stretches.get()
        };
        let mut truths = vec![Truth::Error; ids.len()];
        let mut open = Vec::new();
        for (row, id) in ids.iter().enumerate() {
            match stretches.and_then(|stretches| stretches.truth(*id)) {
                Some(truth) => truths[row] = truth,
                None => open.push(row),
            }
        }
        if open.is_empty() {
            return Ok(truths);
        }
        // Among terms of one type, the first stands for all.
        let mut places: FxHashMap<TypeKey, usize> = FxHashMap::default();
        let (mut asked, mut place) = (Vec::new(), Vec::with_capacity(open.len()));
        for row in &open {
            let id = ids[*row];
            let at = match self.key(id, evaluation.context) {
                Some(key) => *places.entry(key).or_insert(asked.len()),
                None => asked.len(),
            };
            if at == asked.len() {
                asked.push(id);
            }
            place.push(at);
        }
        let answers = self.inner_truths(evaluation, asked)?;
        for (row, at) in open.into_iter().zip(place) {
            truths[row] = answers[at];
        }
        Ok(truths)
    }

    /// Returns all that the condition depends on; `None` if it must be evaluated for this very term.
    fn key(&self, id: TermId, context: &Context<'_>) -> Option<TypeKey> {
        let snapshot = context.terms.snapshot();
        if id == TermId::UNBOUND || !context.terms.is_stored(id) {
            return None;
        }
        if self.reads_numeric && snapshot.value_rank(id).0 == Family::Other {
            return None;
        }
        Some(snapshot.type_key(id))
    }
}

/// Computes LANG, LANGDIR or DATATYPE of a column of ids: once for each range of ids whose terms are alike, or for each
/// type among them.
pub fn type_function<'b>(function: &Function, ids: &[TermId], evaluation: &Evaluation<'_>) -> Result<Column<'b>> {
    let context = evaluation.context;
    let snapshot = context.terms.snapshot();
    let ask = |id: TermId| match evaluation.call_one(function, id)? {
        None => Ok(TermId::UNBOUND),
        Some(Datum::Term(id)) => Ok(id),
        Some(Datum::Value(value)) => context.terms.id_of_value(value),
    };
    let mut classes = snapshot.classes();
    if classes.len() > MOST_CLASSES {
        classes.clear();
    }
    let is_alike = |class: &TermClass| class.uniform || !matches!(function, Function::Datatype);
    let mut of_class: Vec<Option<TermId>> = vec![None; classes.len()];
    let mut of_type: FxHashMap<TypeKey, TermId> = FxHashMap::default();
    let mut last = 0..0;
    let mut answer = TermId::UNBOUND;
    let mut out = Vec::with_capacity(ids.len());
    for id in ids {
        if last.contains(&id.get()) {
            out.push(answer);
            continue;
        }
        // The answer for these ids is replaced below: they must be looked up again.
        last = 0..0;
        let class = classes.partition_point(|class| class.ids.end <= id.get());
        answer = match classes.get(class) {
            Some(found) if is_alike(found) => {
                last = found.ids.clone();
                match of_class[class] {
                    Some(known) => known,
                    None => *of_class[class].insert(ask(*id)?),
                }
            }
            _ if *id == TermId::UNBOUND || !context.terms.is_stored(*id) => ask(*id)?,
            _ => match of_type.entry(snapshot.type_key(*id)) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(free) => *free.insert(ask(*id)?),
            },
        };
        out.push(answer);
    }
    Ok(Column::Ids(Cow::Owned(out)))
}
