//! Builds a snapshot of files as a file of its own.

use crate::graph::{Graph, same_file};
use kgq_snapshot::store::{Content, Input};
use kgq_snapshot::{BuildOptions, BuildSummary, Progress, Snapshot};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::Compression;
use std::path::Path;

/// A snapshot that was built.
pub struct Built {
    pub summary: BuildSummary,
    /// The size of the file in bytes.
    pub size: u64,
}

/// Builds a snapshot of these inputs at a path, reading them as this graph's files are read. A file already there is
/// replaced only when the new one is complete.
///
/// # Errors
/// Those of reading; a path whose name says that it is compressed, or that is one of the inputs.
pub fn build(graph: &Graph, inputs: &[Input], path: &Path, progress: &(dyn Fn(Progress) + Sync)) -> Result<Built> {
    let options = BuildOptions { progress: Some(progress), ..graph.build_options() };
    let summary = Snapshot::build(inputs, &options, path)?;
    Ok(Built { summary, size: std::fs::metadata(path).map_or(0, |m| m.len()) })
}

/// Refuses a path that a snapshot cannot have: it is memory-mapped, so it cannot be compressed, and it may not replace
/// one of its inputs.
///
/// # Errors
/// Why the path is refused.
pub fn refuse_path(graph: &Graph, inputs: &[Input], path: &Path) -> Result<()> {
    let name = path.to_string_lossy();
    if Compression::strip(&name).1 != Compression::None || Compression::unknown(&name).is_some() {
        return Err(Error::usage(format!("{name}: a snapshot is not compressed, as it is read in place"))
            .hint("name it without the last ending, for example `graph.kgq`"));
    }
    graph.refuse_own_file(path)?;
    let own = inputs.iter().any(|input| matches!(&input.content, Content::File(file) if same_file(file, path)));
    if own {
        return Err(Error::policy(format!("{name} is read by this command: kgq does not overwrite it"))
            .hint("give `--output` another name"));
    }
    Ok(())
}
