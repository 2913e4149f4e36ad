//! The files that a project's globs find, with one walk through each folder, and a report of what they do not find.

use super::globs::{Glob, Globs, is_below, place};
use super::{MANIFEST, Project};
use kgq_snapshot::store::{Content, Contexts, Input, is_pipe, read_context};
use kgq_syntax::error::{Error, Kind, Place, Result, Source};
use kgq_syntax::rdf::{NamedNode, RdfFormat};
use kgq_syntax::text::{count, did_you_mean, nearest};
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};
use walkdir::{DirEntry, WalkDir};

/// The list of kgq.toml that a file was found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Ontology,
    Data,
}

/// An RDF file of the project.
#[derive(Clone, Debug)]
pub struct ProjectFile {
    /// As the user would name it: relative to the project's root, with `/`.
    pub name: String,
    pub path: PathBuf,
    pub role: Role,
    /// The named graph that its default graph is loaded into.
    pub graph: Option<NamedNode>,
    /// Its content after an edit that is being judged; else it is read from its path.
    pub edited: Option<Vec<u8>>,
}

impl ProjectFile {
    /// Returns the input to read it from.
    ///
    /// # Errors
    /// A name that does not determine the format.
    pub fn input(&self) -> Result<Input> {
        let mut input = Input::file(&self.name, &self.path, None)?;
        if let Some(bytes) = &self.edited {
            input.content = Content::Bytes(bytes.clone());
        }
        Ok(input)
    }
}

/// What the globs of `ontology` and `data` find.
#[derive(Clone, Debug, Default)]
pub struct FoundFiles {
    /// Each file once, the ontology's first, in the order of their names.
    pub files: Vec<ProjectFile>,
    /// Files that kgq.toml names but that do not exist.
    pub missing: Vec<Error>,
    /// Globs that find nothing.
    pub remarks: Vec<Error>,
    /// A remark on RDF files of the folder that no list takes, where it is asked for.
    pub unloaded: Option<Error>,
}

/// What the globs of `queries` find.
#[derive(Clone, Debug, Default)]
pub struct FoundQueries {
    /// The name of each query (the path below its folder, without `.rq` or `.sparql`), and its path.
    pub files: Vec<(String, PathBuf)>,
    /// The first file that kgq.toml names but that does not exist.
    pub missing: Option<Error>,
    /// Globs that find nothing.
    pub remarks: Vec<Error>,
}

impl FoundQueries {
    /// The files, if none is missing.
    ///
    /// # Errors
    /// The first file that is missing.
    pub fn all(&self) -> Result<&[(String, PathBuf)]> {
        self.missing.clone().map_or(Ok(&self.files), Err)
    }
}

/// The most entries of a folder that are examined for a hint.
const ENOUGH: usize = 2000;

/// Derives the name of a query from the name of its file.
pub(crate) fn without_query_ending(name: &str) -> &str {
    name.strip_suffix(".rq").or_else(|| name.strip_suffix(".sparql")).unwrap_or(name)
}

impl Project {
    /// Returns the files of the ontology and the data, each once, ontology first, ordered by name. A glob without a
    /// wildcard that names no file is an error; so is a folder that cannot be read.
    pub fn files(&self) -> Result<Vec<ProjectFile>> {
        let found = self.find_files()?;
        Error::all(found.missing).map_or(Ok(found.files), Err)
    }

    /// Returns the same files, and separately what was not found.
    pub(crate) fn find_files(&self) -> Result<FoundFiles> {
        let globs = &self.globs;
        let mut names = self.walk(&[&globs.ontology, &globs.data])?;
        names.extend(self.edited.keys().cloned());
        names.sort();
        names.dedup();
        let mut found = FoundFiles::default();
        let mut seen = FxHashSet::default();
        for (role, list) in [(Role::Ontology, &globs.ontology), (Role::Data, &globs.data)] {
            for name in names.iter().filter(|name| loads(list, name)) {
                if seen.insert(name) {
                    let graph = self.graph_of(name);
                    let (path, edited) = (self.root.join(name), self.edited.get(name).cloned());
                    found.files.push(ProjectFile { path, name: name.clone(), role, graph, edited });
                }
            }
            for glob in list.take.iter().filter(|glob| !glob.is_default && !self.is_of_another_time) {
                let may = |name: &str| glob.pattern == name || RdfFormat::from_path(name).is_some();
                if names.iter().any(|name| glob.takes(name) && may(name)) {
                    continue;
                }
                let error = self.finds_nothing(glob, &names);
                if glob.is_literal() { found.missing.push(error) } else { found.remarks.push(error) }
            }
        }
        if !self.is_of_another_time {
            self.remark_on_graphs(&mut found);
        }
        if !self.is_of_another_time || found.files.is_empty() {
            self.remark_on_defaults(&mut found);
        }
        Ok(found)
    }

    /// Returns the files of the canned queries, and separately what was not found. If an entry is a folder, or a glob without
    /// an ending, only files that may hold queries are taken.
    pub(crate) fn find_queries(&self) -> Result<FoundQueries> {
        let list = &self.globs.queries;
        let names = self.walk(&[list])?;
        let mut found = FoundQueries::default();
        let may_be_empty = |glob: &Glob| glob.is_default || self.is_of_another_time;
        for glob in &list.take {
            let folder = glob.start();
            let mut some = false;
            for name in names.iter().filter(|name| glob.takes(name)) {
                if !(glob.names_ending() || glob.pattern == **name || holds_queries(name)) {
                    continue;
                }
                some = true;
                if list.leaves_out(name) {
                    continue;
                }
                let below = name.strip_prefix(&folder).filter(|below| !below.is_empty()).unwrap_or(name);
                let below = below.trim_start_matches('/');
                let key = without_query_ending(below).to_owned();
                found.files.push((key, self.root.join(name)));
            }
            if may_be_empty(glob) {
                continue;
            }
            if !some && glob.is_literal() && found.missing.is_none() {
                found.missing = Some(self.finds_nothing(glob, &names));
            }
            if !glob.is_literal() && !names.iter().any(|name| glob.matches(name)) {
                found.remarks.push(self.finds_nothing(glob, &names));
            }
        }
        found.files.sort();
        found.files.dedup();
        Ok(found)
    }

    /// Returns the path for a new canned query with this name: the one at which the first glob of `queries` finds it
    /// under this name.
    pub(crate) fn query_path(&self, name: &str) -> Result<PathBuf> {
        let list = &self.globs.queries;
        for glob in list.take.iter().filter(|glob| !glob.is_literal()) {
            let file = match glob.start().as_str() {
                "" => format!("{name}.rq"),
                folder => format!("{folder}/{name}.rq"),
            };
            if glob.matches(&file) && !list.leaves_out(&file) {
                return Ok(self.root.join(file));
            }
        }
        let globs: Vec<String> = list.take.iter().map(|glob| format!("`{}`", glob.written)).collect();
        Err(Error::input(format!("no glob of `queries` in {MANIFEST} would find a query `{name}`"))
            .hint(format!("the globs are {}", if globs.is_empty() { "none".into() } else { globs.join(", ") })))
    }

    /// Whether a file with this name, relative to the root, would be loaded.
    pub fn loads(&self, name: &str) -> Result<bool> {
        Ok(loads(&self.globs.ontology, name) || loads(&self.globs.data, name))
    }

    /// Returns the named graph that a file with this name is loaded into.
    pub fn graph_of(&self, name: &str) -> Option<NamedNode> {
        self.graphs.iter().find(|(glob, _)| glob.matches(name)).map(|(_, graph)| graph.clone())
    }

    /// Returns a path of this project as the user would write it.
    pub fn display_path(&self, path: &Path) -> String {
        slashes(path.strip_prefix(&self.root).unwrap_or(path))
    }

    /// Returns the content of a file of the project, or its content after an edit that is being judged.
    ///
    /// # Errors
    /// Those of reading it.
    pub fn bytes(&self, path: &Path) -> std::io::Result<Vec<u8>> {
        match self.edited.get(&self.display_path(path)) {
            Some(bytes) => Ok(bytes.clone()),
            None => fs::read(path),
        }
    }

    /// Whether a file that kgq.toml names may be shown: after following links it lies in the project, or the project is
    /// trusted.
    pub(crate) fn may_show(&self, path: &Path) -> bool {
        self.is_trusted || real(path).starts_with(real(&self.root))
    }

    /// The documents that `[contexts]` names.
    ///
    /// # Errors
    /// A document that cannot be read, or lies outside of an untrusted project.
    pub fn contexts(&self) -> Result<Contexts> {
        let is_there = |name: &str| !self.is_of_another_time || self.root.join(name).exists();
        let documents = self.manifest.contexts.iter().filter(|(_, name)| is_there(name)).map(|(address, name)| {
            let path = self.root.join(name);
            let place = place(self.manifest_source(), name);
            if !self.may_show(&path) {
                return Err(self.outside(name).at(place));
            }
            let document = read_context(name, &path).map_err(|error| error.at(place))?;
            Ok((address.clone(), document))
        });
        Ok(Contexts::new(documents.collect::<Result<Vec<_>>>()?))
    }

    /// Compiles a glob of the project's files; an error has its place in kgq.toml.
    pub fn glob(&self, written: &str) -> Result<Glob> {
        Glob::new(written, &self.root, self.manifest_source())
    }

    /// Returns where `kgq.toml` has this text; its first line if it does not have it.
    pub fn place_in_manifest(&self, text: &str) -> Place {
        place(self.manifest_source(), text)
    }

    /// Returns where kgq.toml has these words, if it has them.
    pub fn named_in_manifest(&self, text: &str) -> Option<Place> {
        let at = self.text.find(text)?;
        Some(self.manifest_source().place(at..at + text.len()))
    }

    fn manifest_source(&self) -> Source<'_> {
        Source::new(MANIFEST, &self.text)
    }

    /// Every file in the folders that the globs start in, ordered by name. Each folder is walked once.
    fn walk(&self, lists: &[&Globs]) -> Result<Vec<String>> {
        let globs = || lists.iter().flat_map(|list| &list.take);
        if let Some(glob) = globs().find(|glob| glob.leaves_project() && !self.is_trusted) {
            return Err(self.outside(&glob.written).at(place(self.manifest_source(), &glob.written)));
        }
        let mut starts: Vec<String> = globs().map(Glob::start).collect();
        starts.sort();
        starts.dedup();
        let all = starts.clone();
        starts.retain(|start| !all.iter().any(|other| other != start && is_below(start, other)));
        let mut names = Vec::new();
        let root = real(&self.root);
        for start in starts {
            let folder = self.root.join(&start);
            if !folder.exists() {
                continue;
            }
            let walk = WalkDir::new(&folder).follow_links(true);
            let unwanted = |name: &str| is_hidden(name) || lists.iter().all(|list| list.leaves_out(name));
            let visit = |entry: &DirEntry| entry.depth() == 0 || !unwanted(&self.display_path(entry.path()));
            for entry in walk.into_iter().filter_entry(visit) {
                match entry {
                    Ok(entry) if entry.file_type().is_file() => {
                        let name = self.display_path(entry.path());
                        let taken = !self.is_trusted && globs().any(|glob| glob.takes(&name));
                        if taken && !real(entry.path()).starts_with(&root) {
                            return Err(self.outside(&name));
                        }
                        names.push(name);
                    }
                    Ok(_) => {}
                    // A broken link, or a link to a folder that contains it, adds no file.
                    Err(e) if e.loop_ancestor().is_some() || e.path().is_some_and(Path::is_symlink) => {}
                    Err(e) => return Err(Error::new(Kind::Io, e.to_string())),
                }
            }
        }
        names.retain(|name| !is_hidden(name));
        names.sort();
        Ok(names)
    }

    fn outside(&self, name: &str) -> Error {
        Error::policy(format!("`{name}` lies outside of the project's folder, {}", self.root.display()))
            .hint("if you trust whoever wrote the project to name your files, run once with `--trust`")
    }

    /// Says that a glob finds nothing, with a similar name that exists, or with what is there.
    fn finds_nothing(&self, glob: &Glob, names: &[String]) -> Error {
        let message = match (glob.is_literal(), glob.written.as_str()) {
            (true, written) if is_pipe(&self.root.join(&glob.pattern)) => {
                format!("`{written}` is no file, and a project's files are read more than once")
            }
            (true, written) => format!("there is no file `{written}`"),
            (false, written) => format!("the glob `{written}` finds no file"),
        };
        let kind = if glob.is_literal() { Kind::Io } else { Kind::Input };
        let error = Error::new(kind, message).at(place(self.manifest_source(), &glob.written));
        error.hint_if(self.near(glob).or_else(|| endings(&glob.start(), names)))
    }

    /// A similar name for the first part of a glob that does not exist.
    fn near(&self, glob: &Glob) -> Option<String> {
        let mut folder = String::new();
        for part in glob.start().split('/') {
            let path = joined(&folder, part);
            if self.root.join(&path).exists() {
                folder = path;
                continue;
            }
            let entries = self.root.join(&folder).read_dir().ok()?.take(ENOUGH).flatten();
            let there: Vec<String> = entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
            let near = nearest(part, there.iter().map(String::as_str), 2);
            let near: Vec<String> = near.iter().map(|name| format!("`{}`", joined(&folder, name))).collect();
            return (!near.is_empty()).then(|| format!("did you mean {}?", near.join(" or ")));
        }
        None
    }

    fn remark_on_graphs(&self, found: &mut FoundFiles) {
        for (glob, _) in &self.graphs {
            if found.files.iter().any(|file| glob.matches(&file.name)) {
                continue;
            }
            let names = found.files.iter().map(|file| file.name.as_str());
            let near = self.near(glob).or_else(|| did_you_mean(&glob.pattern, names));
            let message = format!("`{}` in [graphs] matches no file that is loaded", glob.written);
            let place = place(self.manifest_source(), &glob.written);
            found.remarks.push(Error::input(message).at(place).hint_if(near));
        }
    }

    /// Says that nothing is loaded, and which default folder is not read because only the other key is set.
    fn remark_on_defaults(&self, found: &mut FoundFiles) {
        let manifest = &self.manifest;
        for (key, own, other, other_key) in [
            ("data", &manifest.data, &manifest.ontology, "ontology"),
            ("ontology", &manifest.ontology, &manifest.data, "data"),
        ] {
            let names_some = other.as_ref().is_some_and(|globs| !globs.is_empty());
            if own.is_none() && names_some && self.has_rdf(key, found) {
                let message =
                    format!("`{key}` is not set, so that the folder {key}/ is not loaded: only `{other_key}` is");
                found.remarks.push(
                    Error::input(message)
                        .at(self.manifest_source().place(0..0))
                        .hint(format!("add `{key} = [\"{key}/**/*\"]`, or `{key} = []` if that is meant")),
                );
            }
        }
        if manifest.data.is_none() && manifest.ontology.is_none() && found.files.is_empty() {
            let message = "no file is loaded: there is no RDF in ontology/ or data/, and nothing else is named";
            found.remarks.push(
                Error::input(message)
                    .at(self.manifest_source().place(0..0))
                    .hint("name the files, for example `data = [\"**/*.ttl\"]`"),
            );
        }
    }

    /// Whether a folder has, among its first entries, a file that would be loaded by default but is not.
    fn has_rdf(&self, folder: &str, found: &FoundFiles) -> bool {
        let walk = WalkDir::new(self.root.join(folder)).into_iter().take(ENOUGH).flatten();
        let names = walk.filter(|entry| entry.file_type().is_file()).map(|entry| self.display_path(entry.path()));
        let mut unread = names.filter(|name| {
            !is_hidden(name)
                && RdfFormat::from_path(name).is_some()
                && !found.files.iter().any(|file| file.name == *name)
        });
        unread.next().is_some()
    }
}

fn joined(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// Whether the ending of a name says that the file may hold queries.
fn holds_queries(name: &str) -> bool {
    [".rq", ".sparql", ".ttl"].iter().any(|ending| name.ends_with(ending))
}

/// Whether a list takes a name: a wildcard takes only names that say a format, an exact name takes any.
fn loads(list: &Globs, name: &str) -> bool {
    let has_format = RdfFormat::from_path(name).is_some();
    list.take.iter().any(|glob| glob.pattern == name || (has_format && glob.takes(name))) && !list.leaves_out(name)
}

pub(super) fn is_hidden(name: &str) -> bool {
    name.split('/').any(|part| (part.starts_with('.') && part != "..") || part.ends_with('~'))
}

/// Lists the endings of the files below a folder: `data/ holds 3 files that end in .ttl`.
fn endings(folder: &str, names: &[String]) -> Option<String> {
    let mut endings: BTreeMap<&str, u64> = BTreeMap::new();
    for name in names.iter().filter(|name| is_below(name, folder)) {
        let last = name.rsplit('/').next().unwrap_or(name);
        if let Some((_, ending)) = last.rsplit_once('.') {
            *endings.entry(ending).or_default() += 1;
        }
    }
    let mut endings: Vec<(&str, u64)> = endings.into_iter().collect();
    endings.sort_by_key(|(ending, n)| (std::cmp::Reverse(*n), *ending));
    let (ending, n) = endings.first()?;
    let folder = if folder.is_empty() { "the project's folder".to_owned() } else { format!("{folder}/") };
    Some(format!("{folder} holds {} whose name ends in .{ending}", count(*n, "file", "files")))
}

/// A path with its links resolved; the path itself if it does not exist.
fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

pub(super) fn slashes(path: &Path) -> String {
    let parts: Vec<_> = path
        .components()
        .filter(|c| !matches!(c, Component::CurDir))
        .map(|c| c.as_os_str().to_string_lossy().into_owned())
        .collect();
    parts.join("/").replace("//", "/")
}
