//! `kgq cache`.

use super::output::Output;
use kgq_graph::graph::Graph;
use kgq_snapshot::{Cache, CacheEntry};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::text::{count, thousands, visible};

/// The snapshots that kgq keeps of large projects and files, so that they open at once: list, check or remove them
///
/// They are in the folder `kgq` of $XDG_CACHE_HOME, or of ~/.cache. Removing one costs a new build, nothing else. Of files that
/// are gone none is kept, and beyond 16 GiB that which was not used for longest goes. Names hold the version of the format: what
/// another version of kgq made is left to it, until nobody used it for a month. The files of revisions that `--at` and `kgq diff` asked
/// for are kept there too, the last 16; `clear` removes them.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Say what is kept, and of which files
    List,
    /// Remove all
    Clear,
    /// Read every byte, and say which is damaged
    Verify,
}

pub fn run(args: &Args, graph: &Graph, output: &mut Output) -> Result<u8> {
    let folder = graph.options().cache.clone().ok_or_else(|| {
        Error::usage("there is no folder for the cache").hint("set XDG_CACHE_HOME or HOME to a folder")
    })?;
    let cache = Cache::new(folder);
    match args.action {
        Action::List => {
            for entry in cache.entries()? {
                list(&entry, output)?;
            }
            Ok(0)
        }
        Action::Clear => {
            let removed = cache.clear()?;
            super::revision::forget(cache.folder())?;
            let bytes: u64 = removed.iter().map(|entry| entry.size).sum();
            let what = count(removed.len() as u64, "snapshot", "snapshots");
            output.line(&format!("removed {what}, {} bytes", thousands(bytes)))?;
            Ok(0)
        }
        Action::Verify => {
            let entries = cache.entries()?;
            let readable = entries.iter().filter(|entry| entry.is_readable);
            let broken: Vec<Error> = readable.filter_map(|entry| entry.verify().err()).collect();
            match Error::all(broken) {
                Some(error) => Err(error),
                None => Ok(0),
            }
        }
    }
}

fn list(entry: &CacheEntry, output: &mut Output) -> Result<()> {
    let other = if entry.is_readable { "" } else { " (made by another version of kgq)" };
    let path = entry.snapshot.display().to_string();
    output.line(&format!("{:>14}  {}{other}", thousands(entry.size), visible(&path)))?;
    for source in &entry.sources {
        output.line(&format!("{:>14}  {}", "of", visible(&source.display().to_string())))?;
    }
    Ok(())
}
