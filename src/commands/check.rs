//! `kgq check`.

use super::editing::lock;
use super::output::Output;
use super::terminal::Content;
use kgq_graph::check::{Baseline, ReportFormat, explain};
use kgq_graph::graph::Graph;
use kgq_graph::request::replace::{Replaced, replace};
use kgq_snapshot::store::together;
use kgq_syntax::error::{Error, Result, Source};
use kgq_syntax::text::{count, visible};
use std::path::{Path, PathBuf};

/// Look for what is wrong with the project: syntax, undefined terms, broken links, labels, shapes, queries, citations, its own rules
///
/// Each finding is a line `file:line:column severity code message`; then come the counts by code, and the last line counts
/// statements: each once, as `kgq info` does, or those that need a citation, where the project asks for that. Ends with exit code 1 if a finding is an error.
#[derive(Debug, clap::Args)]
#[command(after_help = SETTINGS)]
pub struct Args {
    /// How findings are written
    #[arg(long, value_enum, default_value_t = FormatName::Text, value_name = "FORMAT")]
    format: FormatName,
    /// Say what a code finds, why that is bad, and how to mend it
    #[arg(long, value_name = "CODE")]
    explain: Option<String>,
    /// Leave out the findings that this file holds, so that only new ones fail
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Write all findings to the baseline
    #[arg(long)]
    pub update_baseline: bool,
}

const SETTINGS: &str = r#"In kgq.toml:
  data = ["data/**/*.ttl", "!data/old/**"]       files are left out where they are named, with `!`

  [imports]                                      copies of what owl:imports names; a catalog-v001.xml is read too
  "http://www.w3.org/2004/02/skos/core" = "vendor/skos.ttl"

  [check]
  languages = ["en", "zh"]                       everything named needs a label in each
  baseline = "known.json"                        known findings are not told: `--update-baseline` writes them there

  [check.severity]                               of a code: "error", "warning", "note" or "off"; `*` at its end is any rest
  broken-link = "warning"
  "citation-*" = "note"

  [[check.ignore]]                               findings for which all of this holds are left out; each key may be absent
  code = "undefined-term"
  file = "data/drafts/**"
  term = "voc:Person"
  why = "until the next release"

Examples:
  kgq check --explain broken-link                what a code means, and how to mend it
  kgq check --baseline known.json --update-baseline
  kgq check -d ontology.owl                      files without a project"#;

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum FormatName {
    /// A finding a line, hints below
    Text,
    Json,
    /// Commands that GitHub Actions shows at the lines of a change
    Github,
    /// SARIF 2.1.0, for code hosts and editors
    Sarif,
}

pub fn run(args: &Args, graph: &Graph, output: &mut Output) -> Result<u8> {
    if let Some(code) = &args.explain {
        let text = explain(code)?.text();
        return output.line(text.trim_end()).map(|()| 0);
    }
    let file = args.baseline.clone().or_else(|| {
        let project = graph.project()?;
        let file = project.root.join(project.manifest.check.baseline.as_ref()?);
        // A kgq.toml of an older revision may name a baseline file that did not exist yet.
        (graph.options().revision.is_none() || file.exists()).then_some(file)
    });
    if args.update_baseline {
        let file = file.ok_or_else(|| {
            Error::usage("there is no baseline to update")
                .hint("name it with `--baseline FILE`, or as `baseline` below [check] of kgq.toml")
        })?;
        return update(file, graph, output);
    }
    let mut report = graph.check()?;
    if let Some(file) = file {
        read(&file)?.apply(&mut report);
    }
    let format = match args.format {
        FormatName::Text => ReportFormat::Text { colour: output.colour },
        FormatName::Json => ReportFormat::Json,
        FormatName::Github => ReportFormat::Github,
        FormatName::Sarif => ReportFormat::Sarif,
    };
    let content = if matches!(args.format, FormatName::Text) { Content::LaidOut } else { Content::Json };
    output.out.write_as(content, |mut out| report.write(format, &mut out)).map_err(|e| Error::io("the output", &e))?;
    Ok(u8::from(report.errors() > 0))
}

fn read(file: &Path) -> Result<Baseline> {
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file).map_err(|e| {
        let hint = (e.kind() == std::io::ErrorKind::NotFound).then_some("`--update-baseline` makes it");
        Error::io(&name, &e).hint_if(hint)
    })?;
    Baseline::parse(Source::new(&name, &text))
}

fn update(file: PathBuf, graph: &Graph, output: &mut Output) -> Result<u8> {
    let name = file.display().to_string();
    let shown = visible(&name).into_owned();
    let before = together::content(&file, &name)?;
    let baseline = Baseline::of(&graph.check()?);
    let replaced = Replaced { name, path: file, before, after: baseline.text()?.into_bytes() };
    let lock = graph.project().map(|project| lock(&project.root, output)).transpose()?;
    replace(lock.as_ref(), vec![replaced], &graph.options().unfinished)?;
    drop(lock);
    let findings = count(baseline.len() as u64, "finding", "findings");
    output.line(&format!("{shown} holds {findings}"))?;
    Ok(0)
}
