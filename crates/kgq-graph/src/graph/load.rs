//! The snapshot and what is derived from it: each is made when first asked for, and kept.

use super::{Graph, Kept, News, OpenOptions, kept};
use crate::catalog::{Catalog, Labels, TermIndex, naming};
use kgq_engine::{Budget, Limits};
use kgq_snapshot::store::{Dataset, Input, ReadOptions, ReadProgress};
use kgq_snapshot::{BuildOptions, Cache, Progress, Snapshot};
use kgq_syntax::budget::Work;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{Contested, NamedNode, Prefixes, vocabulary};
use kgq_syntax::text::{count, visible};
use std::sync::Arc;

impl Graph {
    /// Whether there is so much to read that the statements are never held parsed, and that a snapshot is worth a cache.
    fn is_large(&self) -> bool {
        /// Below, in bytes, reading is as fast as opening a snapshot.
        const SMALL: u64 = 4 << 20;
        *self.large.get_or_init(|| {
            self.inputs().is_ok_and(|inputs| {
                inputs.iter().map(Input::stored_size).sum::<u64>() >= SMALL
                    || inputs.iter().any(|input| input.has_text_of(SMALL))
            })
        })
    }

    /// Returns the options for building snapshots of this graph's inputs.
    pub(crate) fn build_options(&self) -> BuildOptions<'static> {
        BuildOptions {
            lenient: self.options.lenient,
            unreify: self.options.unreify,
            bounds: self.options.bounds,
            memory: self.options.limits.memory,
            budget: self.loading_budget(),
            unfinished: self.options.unfinished.clone(),
            ..BuildOptions::default()
        }
    }

    /// Returns a budget, starting now, for reading files and building from them: the time limit named on the command
    /// line, as large files may take longer than a query should, and the memory limit of a query.
    pub fn loading_budget(&self) -> Budget {
        self.budget_of(Work::Loading)
    }

    /// Returns a budget, starting now, for work on the whole graph: as much as for loading it.
    pub fn budget_of(&self, work: Work) -> Budget {
        let time = self.options.asked_limits.time;
        let limits = Limits { time, memory: self.options.limits.memory, rows: None };
        self.options.budget.child(work, limits)
    }

    /// Returns the options for reading documents.
    pub fn read_options<'a>(&self, budget: &'a Budget, progress: Option<&'a ReadProgress<'a>>) -> ReadOptions<'a> {
        let OpenOptions { lenient, bounds, .. } = self.options;
        ReadOptions { lenient, bounds, budget: Some(budget), progress }
    }

    /// Returns the dataset in the form that the engine reads.
    pub fn snapshot(&self) -> Result<&Snapshot> {
        self.read(None)
    }

    /// Returns the same; reports progress if small files still have to be read.
    pub(super) fn read(&self, progress: Option<&ReadProgress<'_>>) -> Result<&Snapshot> {
        kept(&self.snapshot, || match &self.options.snapshot {
            Some(path) => Snapshot::open(path),
            None if self.is_large() => self.snapshot_of_files(),
            None => self.snapshot_of_parsed(progress),
        })
    }

    /// A snapshot of files that are so small that they are parsed as a whole before.
    fn snapshot_of_parsed(&self, progress: Option<&ReadProgress<'_>>) -> Result<Snapshot> {
        let budget = self.loading_budget();
        let mut dataset = Dataset::read(&self.inputs()?, self.read_options(&budget, progress))?;
        if self.options.unreify {
            dataset = dataset.map_quads(kgq_syntax::rdf::rdf11::upgrade);
        }
        Snapshot::from_dataset(&dataset, &self.loading_budget())
    }

    /// Checks that what was read from the snapshot, if there is one, is sound. Call it before reporting anything
    /// concluded from the snapshot.
    pub fn intact(&self) -> Result<()> {
        self.snapshot.get().map_or(Ok(()), |snapshot| snapshot.intact())
    }

    /// A snapshot built directly from the files, or taken from the cache if there is one.
    fn snapshot_of_files(&self) -> Result<Snapshot> {
        let inputs = self.inputs()?;
        let watcher = self.options.watcher.clone().unwrap_or_default();
        let progress = |progress: Progress| (watcher.0)(News::Progress(progress));
        let options = BuildOptions { progress: Some(&progress), origins: true, ..self.build_options() };
        let snapshot = match self.options.cache.as_ref().map(Cache::new) {
            Some(cache) => {
                if let Some(reason) = cache.distrust() {
                    (watcher.0)(News::CacheDistrusted(cache.folder(), reason));
                }
                cache.snapshot_with_news(&inputs, &options)
            }
            None => Snapshot::load(&inputs, &options).map(|(snapshot, _)| (snapshot, false)),
        };
        (watcher.0)(News::Over);
        let (snapshot, kept) = snapshot?;
        if kept {
            (watcher.0)(News::Kept);
        }
        Ok(snapshot)
    }

    /// Returns the number of loaded statements.
    pub fn statement_count(&self) -> Result<usize> {
        Ok(self.snapshot()?.len())
    }

    /// Where the statements come from, in words: `9 files`, or the path of a snapshot.
    pub fn origin(&self) -> Result<String> {
        Ok(match &self.options.snapshot {
            Some(path) => visible(&path.display().to_string()).into_owned(),
            None => count(self.inputs()?.len() as u64, "file", "files"),
        })
    }

    /// Returns the prefixes, by precedence: those declared by hand, those of the project, those of its files, the
    /// well-known ones.
    pub fn prefixes(&self) -> Result<&Prefixes> {
        kept(&self.prefixes, || {
            let mut prefixes = self.project.as_ref().map(|project| project.prefixes()).unwrap_or_default();
            for (prefix, namespace) in self.options.prefixes.iter() {
                prefixes.insert(prefix, namespace);
            }
            for (prefix, namespace) in self.snapshot()?.prefixes().iter() {
                prefixes.insert_if_absent(prefix, namespace);
            }
            well_known(&mut prefixes);
            Ok(prefixes)
        })
    }

    /// Returns the prefixes that files declare with different namespaces, unless the project's kgq.toml decides.
    pub fn contested_prefixes(&self) -> Result<Vec<&Contested>> {
        let contested = self.snapshot()?.contested_prefixes();
        let decided = self.project.as_ref().map(|project| project.prefixes()).unwrap_or_default();
        Ok(contested.iter().filter(|contested| decided.get(&contested.prefix).is_none()).collect())
    }

    /// Returns a budget for what is kept beside the snapshot: all of it together, in all clones of the graph, within the memory
    /// limit of a query. It has no time limit, because what is not finished is begun again by who asks next.
    pub fn keeping_budget(&self) -> Budget {
        self.keeping.child_stopped_by(Work::Keeping, &self.options.budget)
    }

    /// Returns what the cell keeps beside the snapshot, made by `make` if there is nothing; who waits for another thread to make
    /// it looks at `waits`.
    ///
    /// # Errors
    /// Those of `make`. That there is no memory for it is found out once, and again only when others have let some go.
    pub fn keep<'k, T>(
        &self,
        cell: &'k Kept<T>,
        waits: &Budget,
        make: impl FnOnce(&Budget) -> Result<T>,
    ) -> Result<&'k T> {
        cell.get(&self.keeping, waits, || make(&self.keeping_budget()))
    }

    /// Returns the labels of all things, which are kept.
    ///
    /// # Errors
    /// Those of loading; as [`Graph::keep`].
    pub fn labels(&self) -> Result<&Labels> {
        let snapshot = self.snapshot()?;
        let labels = self.keep(&self.labels, &self.options.budget, |budget| all_labels(snapshot, budget))?;
        snapshot.intact()?;
        Ok(labels)
    }

    /// Returns the search index of all names, classes and properties, which is kept.
    ///
    /// # Errors
    /// Those of loading; as [`Graph::keep`].
    pub fn index(&self) -> Result<&TermIndex> {
        self.index_within(&self.options.budget)
    }

    /// Returns the same for work with this budget, which bounds only how long it waits for another thread to make the index.
    ///
    /// # Errors
    /// As [`Graph::index`]; those of the budget.
    pub fn index_within(&self, budget: &Budget) -> Result<&TermIndex> {
        let snapshot = self.snapshot()?;
        let index = self.keep(&self.index, budget, |budget| TermIndex::build(snapshot, budget))?;
        snapshot.intact()?;
        Ok(index)
    }

    /// Returns the labels of these things, as [`Labels::of_things`].
    ///
    /// # Errors
    /// Those of loading, and its limits.
    pub fn labels_of<'a>(&self, things: impl IntoIterator<Item = &'a NamedNode>) -> Result<Labels> {
        let snapshot = self.snapshot()?;
        let labels = Labels::of_things(things, snapshot, &self.loading_budget())?;
        snapshot.intact()?;
        Ok(labels)
    }

    /// The project's canned queries.
    pub fn catalog(&self) -> Result<&Catalog> {
        kept(&self.catalog, || {
            let project = self.require_project()?;
            Catalog::read(project, self.queries(project)?).map(Arc::new)
        })
        .map(AsRef::as_ref)
    }

    /// Returns the canned queries, or `None` without a project.
    pub fn catalog_if_any(&self) -> Result<Option<&Catalog>> {
        self.project.as_ref().map(|_| self.catalog()).transpose()
    }
}

/// Adds the well-known prefixes.
pub(super) fn well_known(prefixes: &mut Prefixes) {
    for prefix in ["rdf", "rdfs", "xsd", "owl"] {
        if let Some(namespace) = vocabulary::well_known(prefix) {
            prefixes.insert_if_absent(prefix, namespace);
        }
    }
}

fn all_labels(snapshot: &Snapshot, budget: &Budget) -> Result<Labels> {
    Labels::of(naming().flat_map(|property| snapshot.find(None, Some(property.into()), None)), budget)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kgq_syntax::budget::Clock;
    use kgq_syntax::rdf::RdfFormat;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    /// A clock that moves on at each look, by seconds once it is told to.
    #[derive(Debug, Default)]
    struct Looks {
        taken: AtomicU64,
        seconds: AtomicU64,
    }

    impl Clock for Looks {
        fn now(&self) -> Duration {
            Duration::from_secs(self.taken.fetch_add(1, Ordering::Relaxed) * self.seconds.load(Ordering::Relaxed))
        }
    }

    /// A loaded graph with a time limit of ten seconds and this memory limit.
    fn loaded(text: String, clock: &Arc<Looks>, memory: Option<u64>) -> Graph {
        let clock: Arc<dyn Clock> = Arc::<Looks>::clone(clock);
        let graph = Graph::open(OpenOptions {
            files: vec!["-".into()],
            stdin: Some(text.into_bytes()),
            input_format: Some(RdfFormat::NTriples),
            asked_limits: Limits { time: Some(Duration::from_secs(10)), ..Limits::default() },
            limits: Limits { memory, ..Limits::default() },
            budget: Budget::of(Work::Query, Limits::default(), clock),
            ..OpenOptions::default()
        });
        let graph = graph.unwrap();
        graph.load().unwrap();
        graph
    }

    fn label(n: usize) -> String {
        format!("<http://e/{n}> <http://www.w3.org/2000/01/rdf-schema#label> \"number {n}\" .\n")
    }

    #[test]
    fn what_is_kept_is_made_whatever_the_time_limit_of_a_query() {
        let clock = Arc::<Looks>::default();
        let graph = loaded((0..5_000).map(label).collect(), &clock, None);
        clock.seconds.store(100, Ordering::Relaxed);
        assert!(graph.loading_budget().time_left() < Some(Duration::from_secs(10)));
        assert_eq!(graph.labels().unwrap().iter().count(), 5_000);
        assert_eq!(graph.index().unwrap().search("number 4999", 9, |_| true).terms.len(), 1);
    }

    #[test]
    fn what_is_kept_is_within_the_memory_limit_together_and_counts_once_for_all_clones() {
        let most = 16 << 20;
        let graph = loaded((0..5_000).map(label).collect(), &Arc::default(), Some(most));
        graph.labels().unwrap();
        let labels = graph.keeping.held();
        graph.clone().index().unwrap();
        graph.with_budget(Budget::default()).labels().unwrap();
        let all = graph.keeping.held();
        assert!(0 < labels && labels < all && all < most, "{labels} {all}");
        let _other = graph.keeping_budget().reserve(most - all).unwrap();
        assert!(
            graph
                .keep(&Kept::<Labels>::default(), &Budget::default(), |budget| {
                    all_labels(graph.snapshot().unwrap(), budget)
                })
                .is_err()
        );
    }

    #[test]
    fn for_the_labels_of_a_thing_its_other_statements_are_not_read() {
        let clock = Arc::<Looks>::default();
        let other = |n: usize| format!("<http://e/1> <http://e/p> \"{n}\" .\n");
        let graph = loaded((0..20_000).map(other).chain([label(1), label(2)]).collect(), &clock, None);
        let before = clock.taken.load(Ordering::Relaxed);
        let thing = NamedNode::new_unchecked("http://e/1");
        let labels = graph.labels_of([&thing]).unwrap();
        assert_eq!((labels.get(&thing, "en"), labels.iter().count()), (Some("number 1"), 1));
        // The budget is looked at once in a thousand statements, and when it starts.
        assert_eq!(clock.taken.load(Ordering::Relaxed) - before, 1);
    }
}
