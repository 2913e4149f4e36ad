//! The current graph: it is replaced as a whole when its files change; whoever holds the old one finishes with that.

use super::{Graph, OpenOptions};
use crate::project::{MANIFEST, folder_files};
use kgq_syntax::error::{Error, Result};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

/// The files of a graph with their modification times and sizes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stamp(Vec<(PathBuf, Option<(SystemTime, u64)>)>);

impl Stamp {
    /// Files that cannot be listed now count as gone: loading will report why.
    fn of(graph: &Graph) -> Self {
        let mut paths: Vec<PathBuf> = Vec::new();
        match graph.project() {
            Some(project) => {
                paths.push(project.root.join(MANIFEST));
                paths.extend(project.files().unwrap_or_default().into_iter().map(|file| file.path));
                paths.extend(project.find_queries().unwrap_or_default().files.into_iter().map(|(_, path)| path));
            }
            None => {
                let options = graph.options();
                let files = match options.whole_folder {
                    true => folder_files(&options.folder).unwrap_or_default().files,
                    false => options.files.clone(),
                };
                paths.extend(files.into_iter().filter(|file| file != "-").map(PathBuf::from));
                paths.extend(options.whole_folder.then(|| options.folder.join(MANIFEST)));
                paths.extend(options.snapshot.clone());
            }
        }
        paths.sort();
        let state = |path: &Path| {
            let meta = std::fs::metadata(path).ok()?;
            Some((meta.modified().ok()?, meta.len()))
        };
        Self(paths.into_iter().map(|path| (path.clone(), state(&path))).collect())
    }

    /// Returns the number of files that differ: new, changed or gone.
    fn differing(&self, other: &Self) -> usize {
        let changed = self.0.iter().filter(|file| !other.0.contains(file)).count();
        let gone = other.0.iter().filter(|(path, _)| !self.0.iter().any(|(own, _)| own == path)).count();
        changed + gone
    }
}

/// A graph that was replaced by a newer version of itself.
pub struct Reloaded {
    pub before: Arc<Graph>,
    pub after: Arc<Graph>,
    /// The number of files that were new, changed or gone.
    pub files: usize,
}

/// Holds the current graph.
pub struct Live {
    current: RwLock<Arc<Graph>>,
    /// The files as they were when last read, or tried. The holder of this lock is the one that reads; others wait.
    stamp: Mutex<Stamp>,
    /// Why the files in their present state cannot be read, if so: the graph then shows their earlier state.
    broken: RwLock<Option<Error>>,
}

impl Live {
    pub fn new(graph: Graph) -> Self {
        let stamp = Mutex::new(Stamp::of(&graph));
        Self { current: RwLock::new(Arc::new(graph)), stamp, broken: RwLock::default() }
    }

    /// Returns the current graph.
    pub fn graph(&self) -> Arc<Graph> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns why the files in their present state cannot be read, if so.
    pub fn broken(&self) -> Option<Error> {
        self.broken.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the current graph with another.
    pub fn replace(&self, graph: Graph) -> Arc<Graph> {
        let graph = Arc::new(graph);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&graph);
        graph
    }

    /// Returns the files as they are now. If two looks give the same, nobody is writing them.
    pub fn look(&self) -> Stamp {
        Stamp::of(&self.graph())
    }

    /// Reads the files again if they changed since they were last read, or tried.
    ///
    /// # Errors
    /// Why the files cannot be read. The graph then stays as it was, and the same state is not tried again.
    pub fn refresh(&self) -> Result<Option<Reloaded>> {
        let mut stamp = self.stamp.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Stamp::of(&self.graph());
        if *stamp == now { Ok(None) } else { self.read_again(&mut stamp, now).map(Some) }
    }

    /// Reads the files again, whether or not they changed.
    ///
    /// # Errors
    /// Why the files cannot be read; the graph then stays as it was.
    pub fn reload(&self) -> Result<Reloaded> {
        let mut stamp = self.stamp.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Stamp::of(&self.graph());
        self.read_again(&mut stamp, now)
    }

    fn read_again(&self, stamp: &mut Stamp, now: Stamp) -> Result<Reloaded> {
        let files = now.differing(stamp);
        *stamp = now;
        let before = self.graph();
        let read = opened(before.options().clone());
        *self.broken.write().unwrap_or_else(PoisonError::into_inner) = read.as_ref().err().cloned();
        let after = self.replace(read?);
        // A changed kgq.toml may name other files.
        *stamp = Stamp::of(&after);
        Ok(Reloaded { before, after, files })
    }
}

fn opened(options: OpenOptions) -> Result<Graph> {
    let graph = Graph::open(options)?;
    graph.load()?;
    Ok(graph)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kgq_engine::Answer;
    use kgq_syntax::error::Source;

    fn send_and_sync<T: Send + Sync>() {}

    #[test]
    fn a_graph_may_be_asked_by_any_thread() {
        send_and_sync::<Graph>();
        send_and_sync::<Live>();
    }

    #[test]
    fn a_folder_without_a_project_is_read_again_when_files_come_and_when_it_becomes_one() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("a.ttl", "<http://e/a> <http://e/p> 1 .");
        write("notes.txt", "no statement");
        let options = OpenOptions { folder: folder.path().into(), whole_folder: true, ..Default::default() };
        let live = Live::new(Graph::open(options).unwrap());
        assert_eq!(live.graph().statement_count().unwrap(), 1);
        write("b.nt", "<http://e/a> <http://e/p> <http://e/b> .\n");
        let reloaded = live.refresh().unwrap().unwrap();
        assert_eq!((reloaded.files, reloaded.after.statement_count().unwrap()), (1, 2));
        write("kgq.toml", "name = \"t\"\ndata = [\"*.ttl\"]\n");
        let after = live.refresh().unwrap().unwrap().after;
        assert!(after.project().is_some() && after.statement_count().unwrap() == 1);
    }

    #[test]
    fn a_broken_file_leaves_the_graph_what_it_was_and_is_tried_once() {
        let folder = tempfile::tempdir().unwrap();
        let (manifest, data) = (folder.path().join("kgq.toml"), folder.path().join("a.ttl"));
        std::fs::write(&manifest, "name = \"t\"\ndata = [\"*.ttl\"]\n").unwrap();
        std::fs::write(&data, "<http://e/a> <http://e/p> 1 .").unwrap();
        let live = Live::new(Graph::open(OpenOptions { folder: folder.path().into(), ..Default::default() }).unwrap());
        live.graph().load().unwrap();
        assert!(live.refresh().unwrap().is_none());

        std::fs::write(&data, "<http://e/a> <http://e/p> 1, 2 . broken").unwrap();
        assert!(live.refresh().is_err());
        assert_eq!(live.graph().statement_count().unwrap(), 1);
        assert!(live.broken().is_some() && live.refresh().unwrap().is_none());

        std::fs::write(&data, "<http://e/a> <http://e/p> 1, 2 .").unwrap();
        let reloaded = live.refresh().unwrap().unwrap();
        assert_eq!((reloaded.files, reloaded.after.statement_count().unwrap()), (1, 2));
        assert_eq!(reloaded.before.statement_count().unwrap(), 1);
        assert!(live.broken().is_none());
    }

    #[test]
    fn what_is_asked_again_of_one_graph_is_planned_once_and_anew_when_files_change() {
        let folder = tempfile::tempdir().unwrap();
        let (manifest, data) = (folder.path().join("kgq.toml"), folder.path().join("a.ttl"));
        std::fs::write(&manifest, "name = \"t\"\ndata = [\"*.ttl\"]\n").unwrap();
        std::fs::write(&data, "<http://e/a> <http://e/p> 1 .").unwrap();
        let live = Live::new(Graph::open(OpenOptions { folder: folder.path().into(), ..Default::default() }).unwrap());
        live.graph().load().unwrap();
        let ask = |graph: &Graph| {
            let query = graph.parse(Source::new("q.rq", "SELECT (COUNT(?o) AS ?n) { ?s <http://e/p> ?o }")).unwrap();
            let Answer::Solutions(mut solutions) = graph.evaluate(&query).unwrap() else { panic!("{query:?}") };
            let count = solutions.rows.next().unwrap().unwrap()[0].as_ref().map(ToString::to_string);
            (count.unwrap(), graph.evaluation_options().plans.unwrap().made())
        };
        let counted = |n: u32| format!("\"{n}\"^^<http://www.w3.org/2001/XMLSchema#integer>");
        for _ in 0..3 {
            assert_eq!(ask(&live.graph()), (counted(1), 1));
            assert_eq!(ask(&live.graph().with_prefix("e", "http://e/")), (counted(1), 1));
        }
        std::fs::write(&data, "<http://e/a> <http://e/p> 1, 2 .").unwrap();
        live.refresh().unwrap().unwrap();
        assert_eq!(ask(&live.graph()), (counted(2), 1));
    }
}
