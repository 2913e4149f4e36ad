//! A graph opened as the options of the command line and its kgq.toml say.

use super::{Bound, Global, LimitArgs};
use crate::commands::{self, Stream, Watchdog, trust};
use clap::{Args, FromArgMatches};
use kgq_engine::Limits;
use kgq_graph::graph::{Graph, Network, OpenOptions};
use kgq_graph::project::{LimitSettings, named_files, parse_duration, parse_size};
use kgq_snapshot::store::{Contexts, read_context};
use kgq_syntax::bounds::Bounds;
use kgq_syntax::error::{Error, Result};
use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Opens the graph that these options name, as they stand on a command line behind the program's name: `-C DIR`, `-d FILE`,
/// `--timeout 5s`; a folder that is no project is opened with its files. As in a session, a query may take its time. Nothing is loaded yet.
///
/// # Errors
/// Options that there are not, and those of kgq.toml.
pub fn open(options: impl IntoIterator<Item = OsString>) -> Result<Graph> {
    let arguments = [OsString::from("kgq")].into_iter().chain(options);
    let matches = Global::augment_args(clap::Command::new("kgq")).try_get_matches_from(arguments);
    let global = matches.and_then(|matches| Global::from_arg_matches(&matches)).map_err(|error| {
        let text = error.render().to_string();
        Error::usage(text.lines().next().unwrap_or_default().trim_start_matches("error: "))
    })?;
    let named = named_files(&global.data)?;
    let whole_folder = global.data.is_empty();
    with_settings(&global, OpenOptions { whole_folder, ..options_of(&global, named.files)? }, true)
}

/// The graph with the settings that its kgq.toml adds to the options.
pub(super) fn with_settings(global: &Global, options: OpenOptions, interactive: bool) -> Result<Graph> {
    let found = Graph::open(options)?;
    let mut options = found.options().clone();
    if global.trust {
        let root = found.require_project()?.root.clone();
        trust::remember(config_folder().as_deref(), &root)?;
        options.trusted.push(root);
    }
    let settings = found.project().map(|p| p.manifest.limits.clone()).unwrap_or_default();
    options.limits = limits(&global.limits, &settings, interactive)?;
    options.bounds = bounds(&global.limits, &settings)?;
    options.lenient |= found.project().is_some_and(|project| project.manifest.load.lenient);
    read_standard_input(&mut options)?;
    Ok(Graph::new(found.project().cloned(), options))
}

/// Reads the data that come by standard input, within the limits.
fn read_standard_input(options: &mut OpenOptions) -> Result<()> {
    if options.files.iter().any(|name| name == "-") {
        let _watchdog = Watchdog::of_loading(options);
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map_err(|e| Error::io("standard input", &e))?;
        options.stdin = Some(bytes);
    }
    Ok(())
}

pub(super) fn options_of(global: &Global, files: Vec<String>) -> Result<OpenOptions> {
    Ok(OpenOptions {
        folder: global.folder.clone(),
        files,
        stdin: None,
        input_format: global.input_format,
        base: global.base.clone(),
        lenient: global.lenient,
        contexts: contexts(&global.context)?,
        unreify: global.unreify,
        executor: global.engine,
        trusted: trust::folders(config_folder().as_deref()),
        snapshot: global.snapshot.clone(),
        cache: cache_folder(),
        watcher: commands::progress(Stream::stderr().is_terminal(), global.quiet),
        limits: Limits::default(),
        asked_limits: Limits {
            time: global.limits.timeout.as_ref().and_then(|bound| bound.0),
            memory: global.limits.max_memory.as_ref().and_then(|bound| bound.0),
            ..Limits::default()
        },
        bounds: Bounds::default(),
        network: network(),
        unfinished: commands::unfinished().clone(),
        ..OpenOptions::default()
    })
}

/// Who asks other machines.
#[cfg(feature = "net")]
fn network() -> Option<Arc<dyn Network>> {
    Some(Arc::new(crate::net::Web))
}

#[cfg(not(feature = "net"))]
fn network() -> Option<Arc<dyn Network>> {
    None
}

/// The documents of the contexts that the command line names.
fn contexts(named: &[(String, String)]) -> Result<Contexts> {
    let documents = named.iter().map(|(address, file)| Ok((address.clone(), read_context(file, Path::new(file))?)));
    Ok(Contexts::new(documents.collect::<Result<Vec<_>>>()?))
}

/// The limits: of the command line, else of `kgq.toml`, else the defaults.
fn limits(args: &LimitArgs, settings: &LimitSettings, interactive: bool) -> Result<Limits> {
    let time = match (&args.timeout, &settings.timeout) {
        (Some(bound), _) => bound.0,
        (None, Some(text)) => parse_duration(text).map_err(Error::input)?,
        (None, None) => (!interactive).then_some(Duration::from_secs(30)),
    };
    let memory = match (&args.max_memory, &settings.max_memory) {
        (Some(bound), _) => bound.0,
        (None, Some(text)) => parse_size(text).map_err(Error::input)?,
        (None, None) => machine_memory().map(|bytes| bytes / 2),
    };
    Ok(Limits { time, memory, rows: args.max_rows.or(settings.max_rows) })
}

/// What inputs may be: in the same order.
fn bounds(args: &LimitArgs, settings: &LimitSettings) -> Result<Bounds> {
    fn size(arg: Option<Bound<u64>>, setting: Option<&String>, default: u64) -> Result<u64> {
        let bound = match (arg, setting) {
            (Some(bound), _) => bound.0,
            (None, Some(text)) => parse_size(text).map_err(Error::input)?,
            (None, None) => Some(default),
        };
        Ok(bound.unwrap_or(u64::MAX))
    }
    let bytes = |arg, setting, default: usize| -> Result<usize> {
        Ok(usize::try_from(size(arg, setting, default as u64)?).unwrap_or(usize::MAX))
    };
    let default = Bounds::default();
    Ok(Bounds {
        max_depth: args.max_depth.or(settings.max_depth).unwrap_or(default.max_depth),
        max_query_size: bytes(args.max_query_size, settings.max_query_size.as_ref(), default.max_query_size)?,
        max_token: bytes(args.max_token, settings.max_token.as_ref(), default.max_token)?,
        max_operators: args.max_operators.or(settings.max_operators).unwrap_or(default.max_operators),
        max_decompressed: size(args.max_decompressed, settings.max_decompressed.as_ref(), default.max_decompressed)?,
        max_ratio: args.max_ratio.or(settings.max_ratio).unwrap_or(default.max_ratio),
        max_entities: bytes(args.max_entities, settings.max_entities.as_ref(), default.max_entities)?,
    })
}

/// Where snapshots are kept.
fn cache_folder() -> Option<PathBuf> {
    user_folder("XDG_CACHE_HOME", ".cache")
}

/// Where it stands which projects are trusted.
pub(super) fn config_folder() -> Option<PathBuf> {
    user_folder("XDG_CONFIG_HOME", ".config")
}

/// A folder of the user's for kgq, by the XDG Base Directory Specification, which wants absolute paths.
fn user_folder(variable: &str, below_home: &str) -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = absolute(variable).or_else(|| Some(absolute("HOME")?.join(below_home)))?;
    Some(folder.join("kgq"))
}

/// The machine's memory in bytes, where the system tells.
fn machine_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}
