//! Finds things that were deleted: things about which an earlier version of the files, as git knows it, said something.
//!
//! An index of the words in all removed lines leads to the commits that removed them; parsing the former file decides
//! whether it was about the thing. So a question costs a few files at most, and the history is read once per graph.

use crate::git;
use kgq_graph::project::Project;
use kgq_snapshot::store::{Input, ReadOptions, read};
use kgq_syntax::rdf::{NamedNode, NamedOrBlankNode, RdfFormat};
use rustc_hash::{FxHashMap, FxHasher};
use std::hash::{Hash, Hasher};
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The time limit for reading the history; older changes stay unknown.
const LONGEST: Duration = Duration::from_secs(10);
/// The maximum number of indexed words of removed lines.
const MOST_WORDS: usize = 1 << 20;
/// The rest of a line longer than this is skipped.
const LONGEST_LINE: u64 = 1 << 20;
/// The size limit of a former file that is parsed.
const LONGEST_FILE: u64 = 64 << 20;
/// How many former files are parsed for one thing.
const LOOKS: usize = 4;
/// How many answers are cached.
const ANSWERS: usize = 4_096;

/// A former file: a git revision, and the path below the project's folder.
type Former = (String, String);

pub struct Gone {
    root: PathBuf,
    files: Vec<Former>,
    /// Maps the hash of a word to the numbers of the files whose removed lines contain it, newest first.
    words: FxHashMap<u64, Vec<u32>>,
    answers: Mutex<FxHashMap<String, bool>>,
}

impl Gone {
    /// Indexes what was removed from the files of a project. The index is empty if there is no git.
    pub fn of(project: &Project) -> Self {
        let mut gone = Self {
            root: project.root.clone(),
            files: Vec::new(),
            words: FxHashMap::default(),
            answers: Mutex::default(),
        };
        let since = Instant::now();
        // Uncommitted changes are the newest.
        gone.read(&["diff", "HEAD"], since);
        gone.read(&["log", "--format=%x00%H", "HEAD"], since);
        gone
    }

    fn read(&mut self, what: &[&str], since: Instant) {
        const HOW: [&str; 9] = [
            "--relative",
            "--no-renames",
            "--no-ext-diff",
            "--no-textconv",
            "--no-color",
            "--diff-filter=MD",
            "--unified=0",
            "--patch",
            "--",
        ];
        let (first, others) = what.split_at(1);
        let mut command = git::command(&self.root);
        command
            .args(["-c", "core.quotePath=false"])
            .args(first)
            .args(others)
            .args(HOW)
            .arg(".")
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let Ok(mut child) = command.spawn() else { return };
        if let Some(output) = child.stdout.take() {
            self.lines(BufReader::new(output), since);
        }
        // The process may have ended already.
        let _ = child.kill();
        let _ = child.wait();
    }

    fn lines(&mut self, mut output: impl BufRead, since: Instant) {
        let (mut line, mut revision, mut is_head, mut file) = (Vec::new(), "HEAD".to_owned(), true, None);
        loop {
            line.clear();
            let read = output.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line);
            if !read.is_ok_and(|bytes| bytes > 0) || since.elapsed() > LONGEST || self.words.len() > MOST_WORDS {
                return;
            }
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end_matches(['\n', '\r']);
            if let Some(commit) = text.strip_prefix('\0') {
                revision = format!("{commit}^");
            } else if text.starts_with("diff --git ") {
                (is_head, file) = (true, None);
            } else if text.starts_with("@@ ") {
                is_head = false;
            } else if let (true, Some(path)) = (is_head, text.strip_prefix("--- a/")) {
                file = RdfFormat::from_path(path).map(|_| {
                    self.files.push((revision.clone(), path.to_owned()));
                    self.files.len() - 1
                });
            } else if let (false, Some(removed), Some(file)) = (is_head, text.strip_prefix('-'), file) {
                self.add(removed, file);
            }
        }
    }

    fn add(&mut self, removed: &str, file: usize) {
        let Ok(file) = u32::try_from(file) else { return };
        for word in words(removed) {
            let files = self.words.entry(hash(word)).or_default();
            if files.len() < LOOKS && files.last() != Some(&file) {
                files.push(file);
            }
        }
    }

    /// Whether the files once said something about this thing.
    pub fn knew(&self, thing: &NamedNode) -> bool {
        let known = self.answers.lock().unwrap_or_else(PoisonError::into_inner).get(thing.as_str()).copied();
        known.unwrap_or_else(|| {
            let knew = self.look(thing);
            let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
            if answers.len() >= ANSWERS {
                answers.clear();
            }
            answers.insert(thing.as_str().to_owned(), knew);
            knew
        })
    }

    fn look(&self, thing: &NamedNode) -> bool {
        let name = thing.as_str().rsplit(['#', '/']).next().unwrap_or_default();
        let Some(word) = words(name).max_by_key(|word| word.len()) else { return false };
        let files = self.words.get(&hash(word)).into_iter().flatten();
        files.filter_map(|number| self.files.get(*number as usize)).any(|file| self.said(file, thing).unwrap_or(false))
    }

    /// Whether a former file says something about a thing; `None` if it cannot be read.
    fn said(&self, (revision, path): &Former, thing: &NamedNode) -> Option<bool> {
        let format = RdfFormat::from_path(path)?;
        let mut command = git::command(&self.root);
        command
            .args(["show", "--no-textconv"])
            .arg(format!("{revision}:./{path}"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().ok()?;
        let mut bytes = Vec::new();
        let whole = child.stdout.take()?.take(LONGEST_FILE).read_to_end(&mut bytes);
        // The process may have ended already.
        let _ = child.kill();
        let _ = child.wait();
        whole.ok()?;
        let said = read(&Input::bytes(path, bytes, format), 0, ReadOptions::default()).ok()?;
        Some(said.quads.iter().any(|quad| matches!(&quad.subject, NamedOrBlankNode::NamedNode(own) if own == thing)))
    }
}

/// The parts of a line that can be parts of names.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_alphanumeric() && !"_-".contains(c)).filter(|word| !word.is_empty())
}

fn hash(word: &str) -> u64 {
    let mut hasher = FxHasher::default();
    word.hash(&mut hasher);
    hasher.finish()
}
