//! What commands that answer say of a query beside its answer, on the standard error.

use super::output::Output;
use kgq_engine::query::Query;
use kgq_graph::advice::{Asked, Finding};
use kgq_graph::render::Written;
use kgq_graph::session::Session;
use kgq_syntax::error::{Error, Result, Source};

/// What becomes of warnings.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct AdviceArgs {
    /// Say nothing of what usually is a mistake, nor why an answer is empty
    #[arg(long, conflicts_with = "level")]
    pub no_warnings: bool,
    /// `-W error` makes warnings errors, and an empty answer that can be explained one too
    #[arg(short = 'W', value_name = "error", value_parser = ["error"])]
    pub level: Option<String>,
}

/// Who warns of a query.
pub struct Adviser<'a> {
    args: &'a AdviceArgs,
    source: Source<'a>,
    query: &'a Query,
}

impl<'a> Adviser<'a> {
    pub fn new(args: &'a AdviceArgs, source: Source<'a>, query: &'a Query) -> Self {
        Self { args, source, query }
    }

    fn speaks(&self, output: &Output) -> bool {
        !self.args.no_warnings && (self.args.level.is_some() || !output.quiet)
    }

    fn tell(&self, findings: Vec<Finding>, before: &str, output: &mut Output) -> Result<()> {
        let errors = findings.into_iter().map(|finding| finding.error.prefixed(before));
        if self.args.level.is_some() {
            return Error::all(errors).map_or(Ok(()), Err);
        }
        errors.for_each(|error| output.warn(&error));
        Ok(())
    }

    /// What usually is a mistake, before the query runs.
    pub fn before(&self, session: &Session, output: &mut Output) -> Result<()> {
        if !self.speaks(output) {
            return Ok(());
        }
        let options = session.evaluation_options();
        self.tell(self.asked(session, &options)?.mistakes(), "warning: ", output)
    }

    /// Why there was nothing, or which terms are unknown though there was something.
    pub fn after(&self, written: Written, session: &Session, output: &mut Output) -> Result<()> {
        if !self.speaks(output) || written.truth == Some(true) {
            return Ok(());
        }
        let options = session.evaluation_options();
        let asked = self.asked(session, &options)?;
        let nothing = written.rows == 0 || written.truth.is_some();
        if let (true, Some(project)) = (nothing, session.project()) {
            let silences = asked.not_stated(&project.manifest.silences);
            if !silences.is_empty() {
                let before = if written.truth.is_some() { "no: " } else { "no rows: " };
                return self.tell(silences, before, output);
            }
        }
        match (written.rows, written.truth) {
            (0, None) => self.tell(asked.why_empty(), "no rows: ", output),
            _ => self.tell(asked.unknown_terms(), "warning: ", output),
        }
    }

    /// What the query's prefixes may stand for beside what they are taken for.
    pub fn on_prefixes(&self, session: &Session, output: &mut Output) -> Result<()> {
        if !self.speaks(output) {
            return Ok(());
        }
        let remarks = session.remarks_on_prefixes(self.source)?.into_iter().map(|remark| remark.prefixed("warning: "));
        if self.args.level.is_some() {
            return Error::all(remarks).map_or(Ok(()), Err);
        }
        remarks.for_each(|remark| output.warn(&remark));
        Ok(())
    }

    fn asked<'b>(&self, session: &'b Session, options: &'b kgq_engine::EvaluationOptions) -> Result<Asked<'b>>
    where
        'a: 'b,
    {
        Ok(Asked {
            source: self.source,
            query: self.query,
            snapshot: session.snapshot()?,
            prefixes: session.prefixes()?,
            options,
        })
    }
}
