//! The snapshot and what is derived from it: each is made when first asked for, and kept.

use super::{Graph, News, OpenOptions, kept};
use crate::catalog::{Catalog, Labels, TermIndex, label_that_is_a_thing, naming};
use kgq_engine::{Budget, Limits};
use kgq_snapshot::store::{Dataset, Input, ReadOptions, ReadProgress};
use kgq_snapshot::{BuildOptions, Cache, Progress, Snapshot};
use kgq_syntax::budget::Work;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{Contested, NamedNode, Prefixes, Quad, TermRef, vocabulary};
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

    /// Returns the labels of all things. What they hold counts as loaded.
    ///
    /// # Errors
    /// Those of loading, and its limits.
    pub fn labels(&self) -> Result<&Labels> {
        let snapshot = self.snapshot()?;
        let labels = self.labels.get(|| all_labels(snapshot, &self.loading_budget()))?;
        snapshot.intact()?;
        Ok(labels)
    }

    /// Returns the search index of all names, classes and properties. What it holds counts as loaded.
    ///
    /// # Errors
    /// Those of loading, and its limits.
    pub fn index(&self) -> Result<&TermIndex> {
        let snapshot = self.snapshot()?;
        let index = self.index.get(|| TermIndex::build(snapshot, &self.loading_budget()))?;
        snapshot.intact()?;
        Ok(index)
    }

    /// Returns the labels of these things, without looking at any others.
    pub fn labels_of<'a>(&self, things: impl IntoIterator<Item = &'a NamedNode>) -> Result<Labels> {
        let snapshot = self.snapshot()?;
        let of = |thing: TermRef<'_>| snapshot.find(Some(thing), None, None);
        let mut quads: Vec<Quad> = things.into_iter().flat_map(|thing| of(thing.as_ref().into())).collect();
        let labels: Vec<_> = quads.iter().filter_map(label_that_is_a_thing).collect();
        quads.extend(labels.iter().flat_map(|label| of(label.as_ref().into())));
        let labels = Labels::of(quads, &self.loading_budget())?;
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
