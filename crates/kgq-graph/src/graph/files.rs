//! The files that a graph is read from: those of a project, or those named by hand. Also which files must not be
//! overwritten.

use super::{Graph, kept};
use crate::project::{self, FoundFiles, FoundQueries, Project, ProjectFile};
use kgq_snapshot::store::{Contexts, Dataset, Input, ReadProgress, is_pipe, open_file};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::RdfFormat;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

impl Graph {
    /// Returns what is loaded: the files named by hand, or else the project's.
    pub fn inputs(&self) -> Result<Vec<Input>> {
        if !self.options.files.is_empty() {
            let whole = self.options.files.iter().filter(|name| !self.options.left_out.contains(*name));
            return whole.map(|name| self.named_input(name)).collect();
        }
        let project = self.require_project()?;
        let whole = self.whole_files(project)?;
        whole.map(|file| self.project_input(project, file)).collect()
    }

    /// Reads everything. If that fails, finds the files that cannot be read, and returns the graph without them and
    /// their errors. It is an error if no file can be read.
    pub fn leaving_out_broken(&self, progress: Option<&ReadProgress<'_>>) -> Result<(Self, Vec<Error>)> {
        if self.options.snapshot.is_some() || self.read(progress).is_ok() {
            return Ok((self.clone(), Vec::new()));
        }
        let files: Vec<(String, Result<Input>)> = match self.options.files.as_slice() {
            [] => {
                let project = self.require_project()?;
                let input = |file: &ProjectFile| (file.name.clone(), self.project_input(project, file));
                self.project_files(project)?.iter().map(input).collect()
            }
            names => names.iter().map(|name| (name.clone(), self.named_input(name))).collect(),
        };
        let budget = self.loading_budget();
        let options = self.read_options(&budget, None);
        let all = files.len();
        let (mut errors, mut whole) = (Vec::new(), self.clone());
        for (name, input) in files {
            match input.and_then(|input| Dataset::read(&[input], options).map(drop)) {
                Ok(()) => {}
                // A limit says nothing about the file.
                Err(error) if error.limit_passed().is_some() => return Err(error),
                Err(error) => {
                    whole.options.left_out.insert(name);
                    errors.push(error);
                }
            }
        }
        if errors.len() == all {
            return Err(Error::all(errors).unwrap_or_else(|| Error::input("there is no file to read")));
        }
        Ok((whole, errors))
    }

    /// The project's files; a file that is named but does not exist is an error.
    pub(crate) fn project_files(&self, project: &Project) -> Result<&[ProjectFile]> {
        let found = self.files(project)?;
        Error::all(found.missing.iter().cloned()).map_or(Ok(&found.files), Err)
    }

    /// The project's files without those left out.
    pub(super) fn whole_files(&self, project: &Project) -> Result<impl Iterator<Item = &ProjectFile>> {
        Ok(self.project_files(project)?.iter().filter(|file| !self.options.left_out.contains(&file.name)))
    }

    /// Returns the graph as it would be if these files of the project had this content: data, queries, expected
    /// answers, kgq.toml.
    ///
    /// # Errors
    /// Those of a changed kgq.toml.
    pub fn edited(&self, files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<Self> {
        let project = self.project.as_deref().map(|project| project.edited(files)).transpose()?;
        Ok(Self::new(project, self.options.clone()))
    }

    /// What the project's globs of ontology and data find. The folders are walked only once.
    pub(super) fn files(&self, project: &Project) -> Result<&FoundFiles> {
        kept(&self.files, || project.find_files().map(Arc::new)).map(AsRef::as_ref)
    }

    /// What the project's globs of queries find. The folders are walked only once.
    pub(super) fn queries(&self, project: &Project) -> Result<&FoundQueries> {
        kept(&self.queries, || project.find_queries().map(Arc::new)).map(AsRef::as_ref)
    }

    /// Returns the files of the canned queries.
    ///
    /// # Errors
    /// No project; a file that kgq.toml names but that does not exist.
    pub fn query_files(&self) -> Result<impl Iterator<Item = &Path>> {
        let found = self.queries(self.require_project()?)?;
        Ok(found.all()?.iter().map(|(_, path)| path.as_path()))
    }

    /// Returns oddities of kgq.toml that are not errors: globs that find nothing.
    pub fn remarks(&self) -> Result<Vec<Error>> {
        let Some(project) = &self.project else { return Ok(Vec::new()) };
        let mut remarks = self.files(project)?.remarks.clone();
        remarks.extend(self.queries(project)?.remarks.iter().cloned());
        Ok(remarks)
    }

    pub(super) fn named_input(&self, name: &str) -> Result<Input> {
        let input = if name == "-" {
            let bytes = self.options.stdin.clone().unwrap_or_default();
            match self.options.input_format {
                Some(format) => Input::bytes("<stdin>", bytes, format),
                None => Input::sniffed("<stdin>", bytes, self.options.bounds)?,
            }
        } else if self.is_fetched(name) || is_pipe(Path::new(name)) {
            self.piped_input(name)?
        } else {
            Input::file(name, Path::new(name), self.options.input_format)?
        };
        Ok(input.with_base(self.options.base.clone()).with_contexts(self.contexts()?))
    }

    /// Returns the documents that stand for remote JSON-LD contexts: the project's, and those named on the command line,
    /// which take precedence.
    pub fn contexts(&self) -> Result<Contexts> {
        let contexts = kept(&self.contexts, || {
            let own = self.project.as_ref().map(|project| project.contexts()).transpose()?.unwrap_or_default();
            let both = own.iter().chain(self.options.contexts.iter());
            Ok(Contexts::new(both.map(|(address, document)| (address.to_owned(), document.to_owned()))))
        })?;
        Ok(contexts.clone())
    }

    /// Input from a pipe or from another machine: it is read once and kept.
    fn piped_input(&self, name: &str) -> Result<Input> {
        let mut pipes = self.pipes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(input) = pipes.get(name) {
            return Ok(input.clone());
        }
        let (mut bytes, mut told) = (Vec::new(), None);
        if self.is_fetched(name) {
            let fetched = self.fetch(name)?;
            told = fetched.media_type.as_deref().and_then(RdfFormat::from_name);
            bytes = fetched.bytes;
        } else {
            let read = open_file(name, Path::new(name))?.read_to_end(&mut bytes);
            read.map_err(|e| Error::io(name, &e))?;
        }
        let input = match self.options.input_format.or(told).or_else(|| RdfFormat::from_path(name)) {
            Some(format) => Input::bytes(name, bytes, format),
            None => Input::sniffed(name, bytes, self.options.bounds)?,
        };
        pipes.insert(name.to_owned(), input.clone());
        Ok(input)
    }

    pub(super) fn project_input(&self, project: &Project, file: &ProjectFile) -> Result<Input> {
        let input = file.input()?;
        let base = self.options.base.clone().or_else(|| project.manifest.base.clone());
        Ok(input.with_base(base).with_graph(file.graph.clone()).with_contexts(self.contexts()?))
    }

    /// Refuses an output path that is, under whatever name, a file that is read: one of the project, or one named by
    /// hand.
    ///
    /// # Errors
    /// The path is such a file.
    pub fn refuse_own_file(&self, path: &Path) -> Result<()> {
        self.refuse_file_of(path, &[])
    }

    /// Like [`Self::refuse_own_file`], for a command that also reads these files.
    pub fn refuse_file_of(&self, path: &Path, read: &[String]) -> Result<()> {
        let same = |own: &PathBuf| same_file(own, path);
        let by_hand = self.options.files.iter().chain(read).map(PathBuf::from).chain(self.options.snapshot.clone());
        let whose = if by_hand.into_iter().any(|own| same(&own)) {
            "is read by this command"
        } else if self.files_of_project().iter().any(same) {
            "is a file of the project"
        } else {
            return Ok(());
        };
        Err(Error::policy(format!("{} {whose}: kgq does not overwrite it", path.display()))
            .hint("give `--output` another name"))
    }

    /// The files that belong to the project, without those that cannot be found.
    fn files_of_project(&self) -> Vec<PathBuf> {
        let Some(project) = &self.project else { return Vec::new() };
        let mut files = vec![project.root.join(project::MANIFEST)];
        files.extend(self.files(project).into_iter().flat_map(|found| &found.files).map(|file| file.path.clone()));
        files.extend(self.queries(project).into_iter().flat_map(|found| &found.files).map(|(_, path)| path.clone()));
        files.extend(project.manifest.sources.values().map(|path| project.root.join(path)));
        files
    }
}

/// Identifies an existing file: the same value for all its names, by symbolic links, hard links, or other paths to its
/// folder.
#[cfg(unix)]
fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> Option<PathBuf> {
    std::fs::canonicalize(path).ok().filter(|path| path.is_file())
}

/// Whether both paths name the same existing file.
pub(crate) fn same_file(one: &Path, other: &Path) -> bool {
    identity(one).is_some_and(|one| identity(other) == Some(one))
}

#[cfg(test)]
mod tests {
    use crate::graph::{Graph, OpenOptions};
    use std::fs;

    #[test]
    fn the_folders_are_walked_once_and_what_comes_later_belongs_to_the_next_graph() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        for name in ["data", "queries"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        write("kgq.toml", "name = \"t\"\ndata = [\"data/*.ttl\"]\nqueries = [\"queries/*.rq\"]\n");
        write("data/a.ttl", "<http://e/a> <http://e/p> 1 .");
        write("queries/a.rq", "ASK {}");
        let open = || Graph::open(OpenOptions { folder: folder.path().into(), ..Default::default() }).unwrap();
        let seen = |graph: &Graph| {
            let inputs = graph.inputs().unwrap().len();
            let owned = graph.refuse_own_file(&folder.path().join("data/b.ttl")).is_err();
            (inputs, graph.catalog().unwrap().queries.len(), graph.query_files().unwrap().count(), owned)
        };

        let graph = open();
        assert!(graph.remarks().unwrap().is_empty());
        write("data/b.ttl", "<http://e/b> <http://e/p> 1 .");
        write("queries/b.rq", "ASK {}");
        assert_eq!(seen(&graph), (1, 1, 1, false));
        // What came later is told as not loaded, and not checked.
        let told = graph.check().unwrap().findings.into_iter().filter(|found| found.message.contains("b.ttl"));
        assert!(told.into_iter().all(|found| found.code == "not-loaded"));
        assert_eq!(seen(&open()), (2, 2, 2, true));
    }
}
