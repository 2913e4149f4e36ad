//! `kgq check`.

use super::output::Output;
use kgq_graph::check::{Format, explain};
use kgq_graph::session::Session;
use kgq_syntax::error::{Error, Result};

/// Look for what is wrong with the project: syntax, undefined terms, broken links, labels, shapes, queries, citations, its own rules
///
/// Each finding is a line `file:line:column severity code message`, and the last line counts statements and citations. Ends with
/// exit code 1 if a finding is an error.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How findings are written
    #[arg(long, value_enum, default_value_t = FormatName::Text, value_name = "FORMAT")]
    format: FormatName,
    /// Say what a code finds, why that is bad, and how to mend it
    #[arg(long, value_name = "CODE")]
    explain: Option<String>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum FormatName {
    /// A finding a line, hints below
    Text,
    Json,
    /// Commands that GitHub Actions shows at the lines of a change
    Github,
}

pub fn run(args: &Args, session: &mut Session, output: &mut Output) -> Result<u8> {
    if let Some(code) = &args.explain {
        let text = explain(code)?.text();
        return output.line(text.trim_end()).map(|()| 0);
    }
    let report = session.check()?;
    let format = match args.format {
        FormatName::Text => Format::Text { colour: output.colour },
        FormatName::Json => Format::Json,
        FormatName::Github => Format::Github,
    };
    report.write(format, &mut output.out).map_err(|e| Error::io("the output", &e))?;
    Ok(u8::from(report.errors() > 0))
}
