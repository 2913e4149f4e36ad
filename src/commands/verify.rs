//! `kgq verify`.

use super::bundle::{Style, print_citation};
use super::cite::SourceArgs;
use super::output::Output;
use super::signature;
use super::watchdog::Watchdog;
use kgq_engine::query::with_curies;
use kgq_graph::graph::Graph;
use kgq_graph::request::bundle::{Bundle, Claim, ClaimTruth, Standing, compare, unpack, verify};
use kgq_snapshot::store::open_file;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{Prefixes, Quad};
use kgq_syntax::text::visible;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Check a bundle of `kgq bundle`: that nothing was changed, that its statements give its rows, and whether the graph still does
///
/// By itself the bundle shows that every file is what its checksum says, that each row follows from the statements of its witness, and
/// that quoted words have their hashes. In a project, or with `--data`, its question is asked again, what changed is shown, and sentences
/// are looked up in the texts at hand. The exit code is 1 where something does not hold.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  kgq verify ministries.zip
  kgq verify ministries.zip --alone
  kgq verify ministries.zip --allowed-signers signers.txt")]
pub struct Args {
    /// The bundle
    #[arg(value_name = "FILE.zip")]
    pub bundle: PathBuf,
    /// Ask no graph, even where there is one
    #[arg(long)]
    pub alone: bool,
    /// The keys of whom to trust, a line each, as ssh-keygen reads them; a bundle that none of them signed does not hold
    #[arg(long, value_name = "FILE")]
    pub allowed_signers: Option<PathBuf>,
    /// Print how to cite the answer instead
    #[arg(long, value_enum, value_name = "STYLE")]
    pub citation: Option<Style>,
    #[command(flatten)]
    pub sources: SourceArgs,
}

/// The largest bundle that is read, in bytes.
const LARGEST: u64 = 1 << 30;

pub fn run(args: &Args, graph: &Graph, output: &mut Output) -> Result<u8> {
    let _watchdog = Watchdog::start(&graph.options().limits);
    let bundle = match unpack(&read(&args.bundle)?) {
        Ok(bundle) => bundle,
        Err(claims) => {
            show(&claims, output)?;
            return Ok(1);
        }
    };
    let mut claims = verify(&bundle, graph.options().bounds, &graph.evaluation_options())?;
    claims.extend(signed(&bundle, args.allowed_signers.as_deref())?);
    if let Some(style) = args.citation {
        if let Some(fails) = claims.iter().find(|claim| claim.truth == ClaimTruth::Fails) {
            return Err(Error::input(format!("{}: {}", args.bundle.display(), fails.text)));
        }
        return print_citation(&style.of(&bundle)?, output).map(|()| 0);
    }
    let mut changes = String::new();
    if !args.alone && has_graph(graph) {
        let Standing { claims: of_graph, lost, gained } = compare(&bundle, graph, &args.sources.source)?;
        claims.extend(of_graph);
        let prefixes = graph.prefixes()?;
        for (row, gone) in &lost {
            change('-', row, "no longer there:", gone, prefixes, &mut changes);
        }
        for (row, new) in &gained {
            change('+', row, "now there:", new, prefixes, &mut changes);
        }
    }
    show(&claims, output)?;
    if !changes.is_empty() {
        output.page(&changes)?;
    }
    Ok(u8::from(claims.iter().any(|claim| claim.truth == ClaimTruth::Fails)))
}

fn has_graph(graph: &Graph) -> bool {
    graph.project().is_some() || !graph.options().files.is_empty() || graph.options().snapshot.is_some()
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let name = path.display().to_string();
    let mut bytes = Vec::new();
    let read = open_file(&name, path)?.take(LARGEST + 1).read_to_end(&mut bytes);
    read.map_err(|error| Error::io(&name, &error))?;
    match bytes.len() as u64 > LARGEST {
        true => Err(Error::limit(format!("{name} is larger than 1 GiB, and no bundle that kgq reads"))),
        false => Ok(bytes),
    }
}

fn signed(bundle: &Bundle, allowed: Option<&Path>) -> Result<Vec<Claim>> {
    match (bundle.signature(), allowed) {
        (Some(signature), allowed) => signature::check(signature, &bundle.checksums()?, allowed),
        (None, Some(_)) => Ok(vec![Claim::fails("nobody signed it")]),
        (None, None) => Ok(vec![Claim::unknown("nobody signed it: it shows what was not changed, not who made it")]),
    }
}

fn show(claims: &[Claim], output: &mut Output) -> Result<()> {
    for claim in claims {
        let (mark, colour) = match claim.truth {
            ClaimTruth::Holds => ("holds", "\x1b[32m"),
            ClaimTruth::Fails => ("FAILS", "\x1b[31m"),
            ClaimTruth::Unknown => ("open ", "\x1b[33m"),
        };
        let (colour, reset) = if output.colour { (colour, "\x1b[0m") } else { ("", "") };
        output.line(&format!("{colour}{mark}{reset}  {}", visible(&claim.text)))?;
    }
    Ok(())
}

/// Writes a row that was added or removed, with the statements that changed with it.
fn change(sign: char, row: &str, what: &str, statements: &[Quad], prefixes: &Prefixes, out: &mut String) {
    let cells: Vec<String> = row
        .split('\t')
        .map(|cell| if cell.is_empty() { "–".to_owned() } else { with_curies(cell, prefixes) })
        .collect();
    out.push_str(&format!("{sign} {}\n", visible(&cells.join("  "))));
    for quad in statements {
        out.push_str(&format!("    {what} {}\n", visible(&with_curies(&quad.to_string(), prefixes))));
    }
}
