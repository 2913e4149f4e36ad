//! From files to a snapshot: read on all cores, sort runs of terms, merge them, sort the statements; within a memory budget.
//!
//! Threads read pieces of the files and number the terms that they meet (`lines`, or `store` for formats that are not
//! line-based). Each thread sorts its terms into a run (`run`); where memory is short, it does so more often, and into
//! files. The terms of the runs are merged into the dictionary (`merge`); the statements are renumbered and sorted in every
//! order (`sort`). Nothing here prints, and nothing is left behind on failure.

mod digest;
mod gather;
mod lines;
mod memory;
mod merge;
mod pieces;
mod places;
mod run;
mod sort;
mod spool;
mod strings;
#[cfg(test)]
mod tests;
mod threads;

use super::file::Writer;
use super::interner::Interner;
use super::origins::Origins;
use super::storage::Words;
use super::{
    Component, ContentKey, Image, Permutation, QuadPermutation, Snapshot, Sorted, Statistics, StoredStatistics,
};
use crate::store::{Input, Unfinished, WholeFile};
use kgq_syntax::bounds::Bounds;
use kgq_syntax::budget::{Budget, Reservation};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{Declared, Prefixes, RdfFormat};
use merge::Labels;
use pieces::{Piece, Pieces};
use places::Places;
use run::{Run, RunStatements};
use sort::Plan;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};

pub(super) use digest::content_key as content_key_of;
pub(crate) use digest::digest_of_file;
pub use gather::{Gathered, Gathering};

/// How to build a snapshot from files.
#[derive(Clone, Default)]
pub struct BuildOptions<'a> {
    /// Accept IRIs and language tags that are not well-formed: large dumps contain such ones.
    pub lenient: bool,
    /// Read `rdf:Statement` descriptions as reifiers. This holds all statements in memory, whatever the budget.
    pub unreify: bool,
    /// Record where each statement stands in the files.
    pub origins: bool,
    pub bounds: Bounds,
    /// Roughly the bytes of memory that the build may hold; beyond that, it uses temporary files. `None` means no limit.
    pub memory: Option<u64>,
    /// The folder for temporary files, which have no names. `None` means the snapshot's folder, or the system's temporary
    /// folder if the snapshot is in memory.
    pub temporary: Option<PathBuf>,
    /// Keeps track of half-written files.
    pub unfinished: Unfinished,
    /// Called from time to time, by any thread, with the progress of the build.
    pub progress: Option<&'a (dyn Fn(Progress) + Sync)>,
    /// The build's limits, and the way to stop it.
    pub budget: Budget,
}

/// The progress of a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub phase: Phase,
    /// Bytes of the files as stored; counted while they are read.
    pub bytes_read: u64,
    pub bytes_total: u64,
    /// Statements read so far, including repetitions.
    pub statements: u64,
}

/// The phases of a build, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    Reading,
    MergingTerms,
    SortingStatements,
    Writing,
}

/// The result of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildSummary {
    /// Statements in the files, including repetitions.
    pub statements: u64,
    /// Distinct triples of the default graph, and distinct quads of the named graphs.
    pub triples: u64,
    pub quads: u64,
    pub terms: u64,
    pub key: ContentKey,
    /// The SHA-256 digest of each input's bytes as stored, in the order of the inputs.
    pub digests: Vec<[u8; 32]>,
}

impl Snapshot {
    /// Builds a snapshot of these documents and saves it.
    ///
    /// # Errors
    /// The first error in a document; a failure to read or write; the interruption. Then no new file is left, and an earlier
    /// one stays.
    pub fn build(inputs: &[Input], options: &BuildOptions<'_>, path: &Path) -> Result<BuildSummary> {
        // The file comes first: that a folder is not writable should be known before an hour of work.
        Self::build_to(inputs, options, WholeFile::create(path, &options.unfinished)?)
    }

    /// Like [`Snapshot::build`], into a file that was already started.
    ///
    /// # Errors
    /// As for [`Snapshot::build`].
    pub(crate) fn build_to(inputs: &[Input], options: &BuildOptions<'_>, whole: WholeFile) -> Result<BuildSummary> {
        let path = whole.path().to_owned();
        let writer = Writer::new(whole)?;
        let folder = match &options.temporary {
            Some(folder) => folder.clone(),
            None => path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned(),
        };
        let build = Build::new(inputs, options, folder);
        let (snapshot, summary) = build.run(Some(writer))?;
        drop(snapshot);
        Ok(summary)
    }

    /// Builds a snapshot of these documents in memory.
    ///
    /// # Errors
    /// The first error in a document; a failure to read; the interruption.
    pub fn load(inputs: &[Input], options: &BuildOptions<'_>) -> Result<(Self, BuildSummary)> {
        let folder = options.temporary.clone().unwrap_or_else(std::env::temp_dir);
        Build::new(inputs, options, folder).run(None)
    }

    fn assemble(
        dictionary: super::dictionary::Dictionary,
        triples: Sorted<4>,
        quads: Sorted<6>,
        (declared, key): (Declared, ContentKey),
        origins: Option<Origins>,
        budget: &Budget,
    ) -> Result<Self> {
        let named_graphs = quads.quads_index(QuadPermutation::Gspo).keys().map(|(graph, _)| graph.get()).collect();
        let statistics = Statistics::count(
            triples.triples_index(Permutation::Spo),
            triples.triples_index(Permutation::Pso),
            triples.triples_index(Permutation::Pos),
            triples.triples_index(Permutation::Osp),
            budget,
        )?;
        let quad_statistics = Statistics::count(
            quads.quads_index(QuadPermutation::Spog),
            quads.quads_index(QuadPermutation::Psog),
            quads.quads_index(QuadPermutation::Posg),
            quads.quads_index(QuadPermutation::Ospg),
            budget,
        )?;
        Ok(Self::new(Image {
            dictionary,
            triples,
            quads,
            named_graphs: Words::new(named_graphs),
            statistics: StoredStatistics::new(Words::new(statistics.to_words())),
            quad_statistics: StoredStatistics::new(Words::new(quad_statistics.to_words())),
            prefixes: declared.prefixes,
            contested: declared.contested,
            origins,
            file: None,
            key,
            merges: Default::default(),
        }))
    }
}

const TRIPLES: Plan<3, 4> = Plan {
    orders: [Permutation::Spo.order(), Permutation::Pso.order(), Permutation::Pos.order(), Permutation::Osp.order()],
    stages: &[
        &[
            (Permutation::Osp as usize, Permutation::Spo as usize),
            (Permutation::Pso as usize, Permutation::Spo as usize),
        ],
        &[(Permutation::Pos as usize, Permutation::Osp as usize)],
    ],
};

const QUADS: Plan<4, 6> = {
    const SPOG: usize = QuadPermutation::Spog as usize;
    const OSPG: usize = QuadPermutation::Ospg as usize;
    const PSOG: usize = QuadPermutation::Psog as usize;
    const POSG: usize = QuadPermutation::Posg as usize;
    let mut orders = [[Component::Subject; 4]; 6];
    let mut at = 0;
    while at < 6 {
        orders[at] = QuadPermutation::ALL[at].order();
        at += 1;
    }
    Plan {
        orders,
        stages: &[
            &[(QuadPermutation::Gspo as usize, SPOG), (OSPG, SPOG), (PSOG, SPOG)],
            &[(POSG, OSPG)],
            &[(QuadPermutation::Gpos as usize, POSG)],
        ],
    }
};

/// Replaces the runs' numbers of terms by ids.
fn renumber<const WIDTH: usize>(
    runs: Vec<RunStatements<WIDTH>>,
    maps: &[Vec<u32>],
    budget: &Budget,
) -> Result<Vec<[u32; WIDTH]>> {
    let total: usize = runs.iter().map(RunStatements::len).sum();
    if u32::try_from(total).is_err() {
        return Err(too_many_statements());
    }
    let mut all = Vec::with_capacity(total);
    for (rows, map) in runs.into_iter().zip(maps) {
        rows.each(|row| {
            if all.len() % ROWS_BETWEEN_CHECKS == 0 {
                budget.check()?;
            }
            all.push(row.map(|term| map[term as usize]));
            Ok(())
        })?;
    }
    Ok(all)
}

/// Replaces the runs' numbers of terms by ids, and sorts the statements.
fn sort_in_memory<const WIDTH: usize, const ORDERS: usize>(
    rows: Vec<RunStatements<WIDTH>>,
    places: Option<Vec<Places>>,
    maps: &[Vec<u32>],
    plan: &Plan<WIDTH, ORDERS>,
    budget: &Budget,
) -> Result<(Sorted<ORDERS>, Option<Words>)> {
    let lengths: Vec<usize> = rows.iter().map(RunStatements::len).collect();
    let places = places.map(|places| -> Result<Vec<u32>> {
        let mut all = Vec::with_capacity(lengths.iter().sum());
        for (mut places, length) in places.into_iter().zip(&lengths) {
            for _ in 0..*length {
                all.push(places.next()?);
            }
        }
        Ok(all)
    });
    sort::in_memory(renumber(rows, maps, budget)?, places.transpose()?, plan, budget)
}

pub(super) fn too_many_statements() -> Error {
    Error::limit("the dataset has more than 4,294,967,295 statements, which a snapshot cannot number")
}

/// Statements of a text read between two checks of the budget.
const STATEMENTS_BETWEEN_CHECKS: usize = 1 << 12;
/// Numbered statements processed between two checks of the budget.
const ROWS_BETWEEN_CHECKS: usize = 1 << 19;

/// No piece failed.
const NONE: u64 = u64::MAX;
/// Stands behind all pieces, for failures that belong to none.
const LAST: u64 = NONE - 1;

/// Bytes held to sort a triple, or a quad: the row itself, its key as one number, and its columns in every order.
pub(super) const TO_SORT_A_TRIPLE: u64 = 12 + 8 + 32;
const TO_SORT_A_QUAD: u64 = 16 + 16 + 72;
/// Bytes held to sort its place as well, which makes the key wider.
const TO_SORT_A_PLACE: u64 = 4 + 4 + 8;

/// A build in progress.
struct Build<'a> {
    inputs: &'a [Input],
    options: &'a BuildOptions<'a>,
    folder: PathBuf,
    threads: usize,
    bytes_read: AtomicU64,
    bytes_total: u64,
    statements: AtomicU64,
    /// The number of the earliest piece that failed, or [`NONE`]: pieces behind it are not read, those before it are.
    failed: AtomicU64,
}

impl<'a> Build<'a> {
    fn new(inputs: &'a [Input], options: &'a BuildOptions<'a>, folder: PathBuf) -> Self {
        Self {
            inputs,
            options,
            folder,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            bytes_read: AtomicU64::new(0),
            bytes_total: inputs.iter().map(Input::stored_size).sum(),
            statements: AtomicU64::new(0),
            failed: AtomicU64::new(NONE),
        }
    }

    fn budget(&self) -> &'a Budget {
        &self.options.budget
    }

    fn report(&self, phase: Phase) {
        if let Some(progress) = self.options.progress {
            progress(Progress {
                phase,
                bytes_read: self.bytes_read.load(Ordering::Relaxed),
                bytes_total: self.bytes_total,
                statements: self.statements.load(Ordering::Relaxed),
            });
        }
    }

    /// The folder for temporary files if memory is limited.
    fn spill(&self) -> Option<&Path> {
        self.options.memory.map(|_| self.folder.as_path())
    }

    fn run(self, writer: Option<Writer>) -> Result<(Snapshot, BuildSummary)> {
        let budget = self.budget();
        self.report(Phase::Reading);
        let Read { mut runs, digests, declared } = self.read()?;
        let statements = self.statements.load(Ordering::Relaxed);
        self.report(Phase::MergingTerms);
        let (dictionary, maps) = merge::merge(&mut runs, Labels::Number, budget)?;
        self.report(Phase::SortingStatements);
        let (starts, places) = places::take(&mut runs, self.inputs.len())?.unzip();
        let (triple_places, quad_places) = places.unzip();
        let (triples, quads): (Vec<_>, Vec<_>) = runs.into_iter().map(|run| (run.triples, run.quads)).unzip();
        let (triples, triple_places) =
            self.sort::<3, 4, 4>(triples, triple_places, &maps, &TRIPLES, TO_SORT_A_TRIPLE)?;
        let (quads, quad_places) = self.sort::<4, 5, 6>(quads, quad_places, &maps, &QUADS, TO_SORT_A_QUAD)?;
        drop(maps);
        let origins = starts.zip(triple_places).zip(quad_places);
        let origins = origins.map(|((starts, triples), quads)| {
            let are_lines = self.inputs.iter().map(|input| u32::from(is_of_lines(input)));
            Origins { starts, are_lines: Words::new(are_lines.collect()), triples, quads }
        });
        let key = self.key(&digests);
        let snapshot = if self.options.unreify {
            // Read the `rdf:Statement` descriptions as reifiers.
            let stated = Snapshot::assemble(dictionary, triples, quads, (Declared::default(), key), origins, budget)?;
            let files = stated.0.origins.as_ref().map(Origins::files);
            let quads = kgq_syntax::rdf::rdf11::upgrade(stated.iter().collect());
            let quads = quads.into_iter().map(|quad| (stated.place_of(&quad), quad));
            Snapshot::of(quads, declared, key, files, budget)?
        } else {
            Snapshot::assemble(dictionary, triples, quads, (declared, key), origins, budget)?
        };
        let summary = BuildSummary {
            statements,
            triples: snapshot.triple_count() as u64,
            quads: snapshot.quad_count() as u64,
            terms: snapshot.term_count().into(),
            key,
            digests,
        };
        if let Some(mut writer) = writer {
            self.report(Phase::Writing);
            snapshot.write(&mut writer)?;
            budget.check()?;
            writer.finish(key)?;
        }
        Ok((snapshot, summary))
    }

    fn sort<const WIDTH: usize, const WIDER: usize, const ORDERS: usize>(
        &self,
        rows: Vec<RunStatements<WIDTH>>,
        places: Option<Vec<Places>>,
        maps: &[Vec<u32>],
        plan: &Plan<WIDTH, ORDERS>,
        bytes_each: u64,
    ) -> Result<(Sorted<ORDERS>, Option<Words>)> {
        let bytes_each = bytes_each + if places.is_some() { TO_SORT_A_PLACE } else { 0 };
        let total: u64 = rows.iter().map(|rows| rows.len() as u64).sum();
        let budget = self.budget();
        match self.options.memory {
            Some(memory) if total * bytes_each > memory / 2 => {
                let piece = (memory / 4 / (WIDTH as u64 * 4)).clamp(1 << 12, 1 << 28) as usize;
                sort::on_disk::<WIDTH, WIDER, ORDERS>(rows, places, maps, plan, (piece, &self.folder), budget)
            }
            _ => {
                let _held = budget.reserve(total * bytes_each)?;
                sort_in_memory(rows, places, maps, plan, budget)
            }
        }
    }

    /// Identifies the content of the snapshot: the documents' bytes, and everything that decides how they are read.
    fn key(&self, digests: &[[u8; 32]]) -> ContentKey {
        digest::content_key(self.inputs, digests, self.options)
    }

    /// Reads all documents into sorted runs.
    fn read(&self) -> Result<Read> {
        let (sender, receiver) = mpsc::sync_channel::<Piece<'_>>(self.threads * 2);
        let receiver = Mutex::new(receiver);
        // The error of the earliest piece, whichever thread found it first.
        let error: Mutex<Option<(u64, Error)>> = Mutex::new(None);
        let fail = |number: u64, new: Error| {
            self.failed.fetch_min(number, Ordering::Relaxed);
            let mut error = error.lock().unwrap_or_else(PoisonError::into_inner);
            if error.as_ref().is_none_or(|(earlier, _)| number < *earlier) {
                *error = Some((number, new));
            }
        };
        let mut digests = vec![[0; 32]; self.inputs.len()];
        let whole_files = Mutex::new(Vec::new());
        let mut runs = Vec::new();
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..self.threads)
                .map(|_| {
                    scope.spawn(|| {
                        self.work(&receiver, &fail, &whole_files).unwrap_or_else(|error| {
                            fail(LAST, error);
                            Vec::new()
                        })
                    })
                })
                .collect();
            let mut pieces = Pieces::new(self.inputs, self.options.bounds, &self.bytes_read);
            while self.failed.load(Ordering::Relaxed) == NONE {
                if let Err(error) = self.budget().check() {
                    fail(0, error);
                    break;
                }
                match pieces.next() {
                    Ok(Some(piece)) => {
                        if sender.send(piece).is_err() {
                            break;
                        }
                    }
                    Ok(None) => break,
                    Err(error) => {
                        // The pieces that were cut before are still read: an error in one of them comes first.
                        fail(pieces.number() + 1, error);
                        break;
                    }
                }
                self.report(Phase::Reading);
            }
            drop(sender);
            for (input, digest) in pieces.digests() {
                digests[input] = digest;
            }
            for worker in workers {
                match worker.join() {
                    Ok(more) => runs.extend(more),
                    Err(_) => fail(LAST, Error::bug("reading a document failed")),
                }
            }
        });
        if let Some((_, error)) = error.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error);
        }
        let mut whole_files = whole_files.into_inner().unwrap_or_else(PoisonError::into_inner);
        whole_files.sort_by_key(|(input, _, _)| *input);
        let mut declared = Declared::default();
        for (input, digest, prefixes) in whole_files {
            digests[input] = digest;
            declared.add(&self.inputs[input].name, &prefixes);
        }
        Ok(Read { runs, digests, declared })
    }

    /// The work of each thread: reads pieces, and sorts the terms that it has met.
    fn work(
        &self,
        receiver: &Mutex<mpsc::Receiver<Piece<'_>>>,
        fail: &dyn Fn(u64, Error),
        whole_files: &Mutex<Vec<ReadFile>>,
    ) -> Result<Vec<Run>> {
        // Sorting needs a second copy of a thread's terms.
        let most = self.options.memory.map(|memory| (memory / (self.threads as u64 * 4)) as usize);
        let mut runs = Vec::new();
        let (mut interner, mut held) = (Interner::default(), Reservation::default());
        loop {
            let piece = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
            // After a failure the queue is drained, so that the reading thread never waits for room.
            let Ok(piece) = piece else { break };
            let number = piece.number;
            if number > self.failed.load(Ordering::Relaxed) {
                continue;
            }
            let mut spill = |interner: &mut Interner| -> Result<()> {
                if most.is_some_and(|most| interner.size() > most) {
                    runs.push(Run::sort(std::mem::take(interner), self.spill(), self.budget())?);
                }
                held.resize(self.budget(), interner.size() as u64)
            };
            let before = interner.statements();
            let read = piece.read(&mut interner, self, whole_files, &mut spill);
            self.statements.fetch_add((interner.statements() - before) as u64, Ordering::Relaxed);
            if let Err(error) = read.and_then(|()| spill(&mut interner)) {
                fail(number, error);
            }
        }
        if self.failed.load(Ordering::Relaxed) != NONE {
            return Ok(Vec::new());
        }
        runs.push(Run::sort(interner, self.spill().filter(|_| !runs.is_empty()), self.budget())?);
        Ok(runs)
    }
}

/// Whether each line of a document is a statement.
fn is_of_lines(input: &Input) -> bool {
    matches!(input.format, RdfFormat::NTriples | RdfFormat::NQuads)
}

/// An input's number, digest and prefixes.
type ReadFile = (usize, [u8; 32], Prefixes);

struct Read {
    runs: Vec<Run>,
    digests: Vec<[u8; 32]>,
    declared: Declared,
}
