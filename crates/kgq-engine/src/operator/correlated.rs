//! EXISTS in full generality: for each different binding of the variables that the pattern shares with the row, the
//! pattern with these values put in is planned and run (SPARQL 1.1 §18.6, substitute). The other operators for EXISTS are faster;
//! this one takes what they cannot.

use super::{Context, Node, Operator};
use crate::batch::Batch;
use crate::plan::build::Builder;
use crate::plan::{Pattern, Var, scope, substitute};
use kgq_snapshot::TermId;
use kgq_syntax::budget::Reservation;
use kgq_syntax::error::Result;
use rustc_hash::FxHashMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Semi,
    Anti,
    /// Each row, with one more column that says whether there are solutions.
    Mark {
        yes: TermId,
        no: TermId,
    },
}

pub struct Correlated<'s> {
    input: Node<'s>,
    pattern: Pattern,
    kind: Kind,
    /// The columns whose values are put into the pattern.
    shared: Vec<(Var, usize)>,
    columns: Vec<Option<usize>>,
    known: FxHashMap<Vec<TermId>, bool>,
    /// What is known holds this.
    held: Reservation,
}

impl<'s> Correlated<'s> {
    pub fn new(input: Node<'s>, pattern: Pattern, kind: Kind, vars: Vec<Var>) -> Self {
        let shared = scope::mentioned(&pattern).iter().filter_map(|var| Some((var, input.column(var)?))).collect();
        let columns = vars.iter().map(|var| input.column(*var)).collect();
        Self { input, pattern, kind, shared, columns, known: FxHashMap::default(), held: Reservation::default() }
    }

    fn has_solution(&mut self, key: Vec<TermId>, cx: &Context<'s>) -> Result<bool> {
        if let Some(known) = self.known.get(&key) {
            return Ok(*known);
        }
        let bindings: Vec<(Var, TermId)> =
            self.shared.iter().zip(&key).filter(|(_, id)| !id.is_unbound()).map(|((var, _), id)| (*var, *id)).collect();
        let pattern = substitute::substitute(&self.pattern, &bindings);
        let mut plan = Builder::new(cx).plan_existence(&pattern)?;
        let found = plan.next(cx)?.is_some();
        self.held.grow(cx.budget(), (key.len() * 4 + 48) as u64)?;
        self.known.insert(key, found);
        Ok(found)
    }
}

impl<'s> Operator<'s> for Correlated<'s> {
    fn next(&mut self, cx: &Context<'s>) -> Result<Option<Batch>> {
        let Some(mut batch) = self.input.next(cx)? else { return Ok(None) };
        let mut found = Vec::with_capacity(batch.rows());
        for row in 0..batch.rows() {
            let key = self.shared.iter().map(|(_, column)| batch.get(*column, row)).collect();
            found.push(self.has_solution(key, cx)?);
        }
        let last = batch.width();
        match self.kind {
            Kind::Mark { yes, no } => batch.push(found.iter().map(|found| if *found { yes } else { no }).collect()),
            Kind::Semi | Kind::Anti => {
                let wanted = self.kind == Kind::Semi;
                let positions: Vec<u32> =
                    (0..batch.rows() as u32).filter(|row| found[*row as usize] == wanted).collect();
                batch = batch.select(&positions);
            }
        }
        let columns: Vec<usize> = self.columns.iter().map(|column| column.unwrap_or(last)).collect();
        Ok(Some(batch.project(&columns)))
    }

    fn describe(&self, cx: &Context<'s>) -> String {
        let shared: Vec<Var> = self.shared.iter().map(|(var, _)| *var).collect();
        let kind = match self.kind {
            Kind::Semi => "exists",
            Kind::Anti => "not exists",
            Kind::Mark { .. } => "exists, as a value",
        };
        format!("{kind}, for each different {}", super::names(&shared, cx))
    }

    fn inputs(&self) -> Vec<&Node<'s>> {
        vec![&self.input]
    }
}
