//! SERVICE: the solutions of a SPARQL endpoint, requested when the first one is needed. `Services` decides how it is asked.

use super::{Context, Opening, Operator, Pace};
use crate::Row;
use crate::batch::Batch;
use crate::plan::physical::{Labels, Operation, PhysicalPlan};
use crate::plan::{ServiceCall, Var};
use kgq_snapshot::TermId;
use kgq_syntax::error::{Error, Kind, Result};
use std::sync::Arc;

#[derive(Debug)]
pub struct Plan(pub Arc<ServiceCall>);

impl Operation for Plan {
    fn inputs(&self) -> Vec<&PhysicalPlan> {
        Vec::new()
    }

    fn describe(&self, _: &Labels<'_>) -> String {
        format!("ask {}", self.0.endpoint)
    }

    fn open<'s>(&self, _: &Opening<'_, 's>) -> Result<Box<dyn Operator<'s> + 's>> {
        Ok(Box::new(Service::new(Arc::clone(&self.0))))
    }
}

struct Service {
    call: Arc<ServiceCall>,
    /// The variables of the call that are passed on.
    columns: Vec<Var>,
    /// The solutions, by `columns`, once they have been requested.
    rows: Option<Vec<Vec<TermId>>>,
    at: usize,
    pace: Pace,
}

impl Service {
    fn new(call: Arc<ServiceCall>) -> Self {
        let columns = call.vars.iter().map(|(_, var)| *var).collect();
        Self { call, columns, rows: None, at: 0, pace: Pace::default() }
    }

    /// Asks the endpoint for its solutions. With SILENT, a failure becomes one solution that binds nothing (SPARQL 1.1
    /// Federated Query §2.3). A refusal by policy is not a failure of the endpoint, and SILENT does not hide it.
    fn ask(&self, cx: &Context<'_>) -> Result<Vec<Vec<TermId>>> {
        let Some(services) = &cx.services else {
            return Err(Error::bug("a SERVICE without anyone to ask is refused when it is planned"));
        };
        let (variables, rows) = match services.select(&self.call.endpoint, &self.call.query) {
            Ok(answer) => answer,
            Err(error) if self.call.silent && error.kind() != Kind::Policy => (Vec::new(), vec![Row::new()]),
            Err(error) => return Err(error),
        };
        let positions: Vec<Option<usize>> = self
            .call
            .vars
            .iter()
            .map(|(variable, _)| variables.iter().position(|answered| answered == variable))
            .collect();
        let mut encoded = Vec::with_capacity(rows.len());
        for row in rows {
            cx.budget().check()?;
            let value = |position: &Option<usize>| match position.and_then(|at| row.get(at)?.clone()) {
                Some(term) => cx.terms().id(term),
                None => Ok(TermId::UNBOUND),
            };
            encoded.push(positions.iter().map(value).collect::<Result<_>>()?);
        }
        Ok(encoded)
    }
}

impl<'s> Operator<'s> for Service {
    fn next(&mut self, cx: &Context<'s>) -> Result<Option<Batch>> {
        let rows = match self.rows.take() {
            Some(rows) => rows,
            None => self.ask(cx)?,
        };
        let part = &rows[self.at..rows.len().min(self.at + self.pace.step())];
        self.at += part.len();
        let columns = (0..self.columns.len()).map(|column| part.iter().map(|row| row[column]).collect()).collect();
        let batch = (!part.is_empty()).then(|| Batch::new(columns, part.len()));
        self.rows = Some(rows);
        Ok(batch)
    }
}
