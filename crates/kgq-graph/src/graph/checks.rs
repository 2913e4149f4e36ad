//! Checks, validation and inference, with the settings of the project.

use super::Graph;
use crate::check;
use crate::infer::{self, Inferred};
use crate::project::{Entailment, InferSettings, Project};
use kgq_snapshot::store::Input;
use kgq_syntax::budget::{Budget, Limits, Work};
use kgq_syntax::error::Result;

impl Graph {
    /// Runs every check on the project, or on the files named by hand.
    pub fn check(&self) -> Result<check::Report> {
        if self.options.files.is_empty() {
            let project = self.require_project()?;
            let found = (self.files(project)?.clone(), self.queries(project)?);
            return check::check(project, found, self.check_options());
        }
        let project = Project::without_manifest(&self.options.folder, self.options.base.clone());
        check::check_files(&project, self.inputs()?, self.check_options())
    }

    /// Returns remarks on the keys of these documents that no context defines: why JSON-LD may have given no statement.
    pub fn undefined_keys(&self, inputs: &[Input]) -> Vec<check::Finding> {
        inputs.iter().flat_map(|input| check::undefined_keys(input, self.options.bounds)).collect()
    }

    fn check_options(&self) -> check::Options {
        check::Options {
            lenient: self.options.lenient,
            bounds: self.options.bounds,
            budget: self.loading_budget(),
            validation: self.budget_of(Work::Validation),
            evaluation: self.evaluation_options(),
        }
    }

    /// Validates these files, or else what this graph was read from, against the shapes in `shapes`; if there are none,
    /// against the shapes among the data; if there are none there, against those of the project.
    pub fn validate(&self, data: &[String], shapes: &[String]) -> Result<check::Validation> {
        let named = |names: &[String]| names.iter().map(|name| self.named_input(name)).collect::<Result<Vec<Input>>>();
        let inputs = if data.is_empty() { self.inputs()? } else { named(data)? };
        let shapes = named(shapes)?;
        let separate = !shapes.is_empty();
        let project = match &self.project {
            Some(project) => project.as_ref().clone(),
            None => Project::without_manifest(&self.options.folder, self.options.base.clone()),
        };
        // Validation is the whole request here, so it may take as long as a query.
        let limits = Limits { rows: None, ..self.options.limits };
        let validation = self.options.budget.child(Work::Validation, limits);
        let validate = |shapes| {
            let options = check::Options { validation: validation.clone(), ..self.check_options() };
            check::validate_files(&project, inputs.clone(), shapes, options)
        };
        let found = validate(shapes)?;
        if found.validated.shapes > 0 || separate || data.is_empty() || self.project.is_none() {
            return Ok(found);
        }
        let own = self.project_files(&project)?;
        validate(own.iter().map(|file| self.project_input(&project, file)).collect::<Result<_>>()?)
    }

    /// Returns the entailment rules that the project asks for.
    pub fn entailment(&self) -> Entailment {
        self.project.as_ref().map(|p| p.manifest.infer.rules).unwrap_or_default()
    }

    /// Returns the statements that follow from the dataset by these rules and are not stated in it.
    pub fn infer(&self, rules: Entailment, budget: &Budget) -> Result<Inferred> {
        let settings = self.project.as_ref().map(|p| p.manifest.infer).unwrap_or_default();
        infer::infer(self.snapshot()?, &InferSettings { rules, ..settings }, budget)
    }
}
