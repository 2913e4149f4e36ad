//! A project: the folder with a `kgq.toml`, what that file says, and the files that belong to it.

mod files;
mod globs;
mod mcp;
mod named;
mod net;
mod unloaded;
mod untold;
mod wrong;

pub(crate) use files::without_query_ending;
pub use files::{FoundFiles, FoundQueries, ProjectFile, Role};
pub use globs::Glob;
pub use mcp::{McpSettings, McpText};
pub use named::{NamedFiles, named_files};
pub use net::NetSettings;
pub(crate) use unloaded::stem;
pub use untold::{FolderFiles, folder_files};
pub(crate) use untold::{Walked, says_rdf, walk};

use globs::Globs;
use kgq_syntax::bounds::DEEPEST;
use kgq_syntax::error::{Error, Result, Source};
use kgq_syntax::rdf::{NamedNode, Prefixes};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The name of the file whose folder is a project.
pub const MANIFEST: &str = "kgq.toml";

/// What `kgq.toml` says. Unknown keys are errors.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Manifest {
    /// A short name: the REPL's prompt, and the name of published files.
    pub name: String,
    #[serde(default)]
    pub title: Option<String>,
    /// The base for relative IRIs in files and queries; the project's things have IRIs that begin with it.
    #[serde(default)]
    pub base: Option<String>,
    /// Globs of files; one that starts with `!` excludes. If neither `ontology` nor `data` is given, both have a
    /// default.
    #[serde(default)]
    pub ontology: Option<Vec<String>>,
    #[serde(default)]
    pub data: Option<Vec<String>>,
    #[serde(default)]
    pub queries: Option<Vec<String>>,
    /// What a query's default graph is.
    #[serde(default)]
    pub default_graph: DefaultGraphSetting,
    #[serde(default)]
    pub prefixes: BTreeMap<String, String>,
    /// The named graph for the files that a glob matches; if several match, the longest wins.
    #[serde(default)]
    pub graphs: BTreeMap<String, String>,
    #[serde(default)]
    pub limits: LimitSettings,
    /// Where the texts of source documents are: the IRI of a document and its path relative to the project.
    #[serde(default)]
    pub sources: BTreeMap<String, String>,
    /// Where imported ontologies are: the IRI that `owl:imports` names and a path relative to the project.
    #[serde(default)]
    pub imports: BTreeMap<String, String>,
    #[serde(default)]
    pub citations: CitationSettings,
    #[serde(default)]
    pub silences: SilenceSettings,
    #[serde(default)]
    pub check: CheckSettings,
    #[serde(default)]
    pub infer: InferSettings,
    #[serde(default)]
    pub load: LoadSettings,
    #[serde(default)]
    pub edit: EditSettings,
    /// What language models can read.
    #[serde(default)]
    pub mcp: McpSettings,
    /// The other machines that may be asked.
    #[serde(default)]
    pub net: NetSettings,
    /// Files that stand for remote JSON-LD contexts, by the address of the context.
    #[serde(default)]
    pub contexts: BTreeMap<String, String>,
}

/// How the project's files are read.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LoadSettings {
    /// Accept IRIs and language tags that are not well-formed.
    #[serde(default)]
    pub lenient: bool,
}

/// Where an edit puts things that have no place yet.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EditSettings {
    /// The file for things whose class has no members yet, relative to the project.
    pub file: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum DefaultGraphSetting {
    /// Only the default graph.
    #[default]
    Default,
    /// The duplicate-free union of all graphs.
    Union,
}

/// Limits as written in `kgq.toml`; `none` removes one.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LimitSettings {
    pub timeout: Option<String>,
    pub max_memory: Option<String>,
    pub max_rows: Option<u64>,
    pub max_depth: Option<usize>,
    pub max_token: Option<String>,
    pub max_query_size: Option<String>,
    pub max_operators: Option<usize>,
    pub max_decompressed: Option<String>,
    pub max_ratio: Option<u64>,
    pub max_entities: Option<String>,
}

/// The properties that the project uses for citations where no standard has one, as CURIEs or IRIs; and what needs no
/// citation.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CitationSettings {
    /// Whether the statements of the data need citations. If not given: yes, if anything else is given here.
    pub required: Option<bool>,
    /// On a citation: a few words that occur exactly once in the cited span.
    pub anchor: Option<String>,
    /// On a selector or a document: the SHA-256 of its text in hexadecimal digits.
    pub hash: Option<String>,
    /// On a selector: the number of a sentence in it.
    pub sentence: Option<String>,
    /// On a document: the length of its text in code points.
    pub length: Option<String>,
    /// On a document: `false` if its text is not available.
    pub text_at_hand: Option<String>,
    /// On a selector: why no statement rests on its sentence.
    pub states_nothing: Option<String>,
    /// On a reifier: whose words the text is that is the object of its statement.
    pub wording: Option<String>,
    /// The value of `wording` for words that appear literally in the source.
    pub quoted: Option<String>,
    /// Properties whose statements need no citation, besides `rdf:type` and labels.
    #[serde(default)]
    pub exempt_properties: Vec<String>,
    /// Classes whose members' statements need no citation.
    #[serde(default)]
    pub exempt_classes: Vec<String>,
}

impl CitationSettings {
    pub(crate) fn are_required(&self) -> bool {
        self.required.unwrap_or(*self != Self::default())
    }
}

/// The properties with which the project says what a source does not state, as CURIEs or IRIs.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SilenceSettings {
    /// On a silence: the thing, or the class of things, that something is not stated about.
    pub of: Option<String>,
    /// On a silence: the property that was looked for.
    pub property: Option<String>,
    /// On a silence: the source that does not state it.
    pub source: Option<String>,
}

/// What `kgq check` checks in this project.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CheckSettings {
    /// Languages in which everything named needs a label.
    #[serde(default)]
    pub languages: Vec<String>,
    /// The property that names a language in which a thing has no name, so that it needs no label in it.
    pub no_label: Option<String>,
    /// The severity of findings by code; a final `*` stands for any rest.
    #[serde(default)]
    pub severity: BTreeMap<String, FindingLevel>,
    /// Findings to leave out.
    #[serde(default)]
    pub ignore: Vec<IgnoreSettings>,
    /// The file with the known findings, relative to the project.
    pub baseline: Option<String>,
}

/// The severity of a finding, as written in kgq.toml.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum FindingLevel {
    Error,
    Warning,
    Note,
    /// Left out.
    Off,
}

/// Findings to leave out: those that meet every given condition.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IgnoreSettings {
    /// A code; a final `*` stands for any rest.
    pub code: Option<String>,
    /// A glob of files.
    pub file: Option<String>,
    /// A CURIE or IRI of what the finding is about; a final `*` stands for any rest.
    pub term: Option<String>,
    /// The reason, for human readers.
    #[serde(rename = "why")]
    _why: Option<String>,
}

/// The rules of entailment for `kgq export --inferred` and the site's dumps.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct InferSettings {
    pub rules: Entailment,
    /// The most statements that may be inferred.
    pub max_statements: u64,
}

impl Default for InferSettings {
    fn default() -> Self {
        Self { rules: Entailment::default(), max_statements: 5_000_000 }
    }
}

/// A set of entailment rules.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Entailment {
    None,
    /// Domains, ranges, subclasses and subproperties.
    #[default]
    Rdfs,
    /// The same, and inverse, symmetric and transitive properties, equivalent classes and properties.
    RdfsPlus,
}

impl Entailment {
    pub const ALL: [Self; 3] = [Self::None, Self::Rdfs, Self::RdfsPlus];

    /// Returns its name in kgq.toml and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Rdfs => "rdfs",
            Self::RdfsPlus => "rdfs-plus",
        }
    }
}

/// A project, read from its folder.
#[derive(Clone, Debug, Default)]
pub struct Project {
    pub root: PathBuf,
    pub manifest: Manifest,
    /// Whether the user allows it to name files outside of its folder.
    pub is_trusted: bool,
    /// Whether its kgq.toml was written for another state of the folder in time, so that what it names need not exist.
    is_of_another_time: bool,
    /// The content of files after an edit that is being judged, by name.
    edited: BTreeMap<String, Vec<u8>>,
    /// The text of `kgq.toml`, to locate messages.
    text: String,
    globs: ProjectGlobs,
    graphs: Vec<(Glob, NamedNode)>,
}

/// The globs of `kgq.toml`, compiled.
#[derive(Clone, Debug, Default)]
struct ProjectGlobs {
    ontology: Globs,
    data: Globs,
    queries: Globs,
}

impl ProjectGlobs {
    fn new(manifest: &Manifest, root: &Path, source: Source<'_>) -> Result<Self> {
        let list = |written: &Option<Vec<String>>, holds_default: bool, default: &str| match written {
            Some(written) => Globs::new(written, default, root, source),
            None if holds_default => Globs::by_default(default, root, source),
            None => Ok(Globs::default()),
        };
        // If kgq.toml gives either list, the other has no default.
        let unsaid = manifest.ontology.is_none() && manifest.data.is_none();
        Ok(Self {
            ontology: list(&manifest.ontology, unsaid, "ontology/**/*")?,
            data: list(&manifest.data, unsaid, "data/**/*")?,
            queries: list(&manifest.queries, true, "queries/**/*.{rq,sparql,ttl}")?,
        })
    }
}

impl Project {
    /// Finds the project in `start` or in the nearest folder above it that has a `kgq.toml`; `None` if there is none.
    pub fn find(start: &Path) -> Result<Option<Self>> {
        Self::find_root(start)?.map(|root| Self::open(&root)).transpose()
    }

    /// Finds the project folder that a folder lies in, whatever its kgq.toml says.
    pub fn find_root(start: &Path) -> Result<Option<PathBuf>> {
        let start = fs::canonicalize(start).map_err(|e| Error::io(start.display(), &e))?;
        Ok(start.ancestors().find(|folder| folder.join(MANIFEST).is_file()).map(Path::to_owned))
    }

    /// Reads the project in this folder.
    pub fn open(root: &Path) -> Result<Self> {
        let bytes = fs::read(root.join(MANIFEST)).map_err(|e| Error::io(MANIFEST, &e))?;
        Self::of(root, bytes)
    }

    /// Returns the project as it would be if these files had this content.
    pub(crate) fn edited(&self, files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<Self> {
        let mut edited = self.edited.clone();
        edited.extend(files);
        let project = match edited.get(MANIFEST) {
            Some(bytes) => Self::of(&self.root, bytes.clone())?,
            None => self.clone(),
        };
        Ok(Self { edited, ..project })
    }

    /// Makes the project of this folder with these bytes as its kgq.toml.
    fn of(root: &Path, bytes: Vec<u8>) -> Result<Self> {
        let text = String::from_utf8(bytes)
            .map_err(|e| Error::input(format!("{MANIFEST} is not UTF-8 (byte {})", e.utf8_error().valid_up_to())))?;
        let source = Source::new(MANIFEST, &text);
        let manifest: Manifest = toml::from_str(&text).map_err(|e| wrong::in_words(source, &e))?;
        let globs = ProjectGlobs::new(&manifest, root, source)?;
        let graphs = compile_graphs(source, root, &manifest)?;
        let project = Self { root: root.to_owned(), manifest, globs, graphs, ..Self::default() };
        project.validate(source)?;
        Ok(Self { text, ..project })
    }

    /// Applies this kgq.toml to another folder, which has none: to its own folder at another time.
    ///
    /// # Errors
    /// What it says about that folder that is wrong.
    pub fn over(&self, root: &Path) -> Result<Self> {
        Ok(Self { is_of_another_time: true, ..Self::of(root, self.text.clone().into_bytes())? })
    }

    /// Files that are read without a `kgq.toml`: a project without settings and without files.
    pub(crate) fn without_manifest(root: &Path, base: Option<String>) -> Self {
        let manifest = Manifest { base, ..Manifest::default() };
        Self { root: root.to_owned(), manifest, ..Self::default() }
    }

    fn validate(&self, source: Source<'_>) -> Result<()> {
        let wrong = |needle: &str, message: String| {
            let error = Error::input(message);
            match source.text.find(needle) {
                Some(at) => error.at(source.place(at..at + needle.len())),
                None => error,
            }
        };
        if let Some(base) = &self.manifest.base
            && let Err(e) = NamedNode::new(base)
        {
            return Err(wrong(base, format!("`base` is not an absolute IRI: {e}")));
        }
        for (prefix, namespace) in &self.manifest.prefixes {
            if let Err(e) = NamedNode::new(namespace) {
                return Err(wrong(namespace, format!("prefix `{prefix}` does not stand for an absolute IRI: {e}")));
            }
        }
        for document in self.manifest.sources.keys() {
            if let Err(e) = NamedNode::new(document) {
                return Err(wrong(document, format!("a key of `[sources]` is not an IRI: {e}")));
            }
        }
        if let Some(timeout) = &self.manifest.limits.timeout {
            parse_duration(timeout).map_err(|m| wrong(timeout, format!("`timeout`: {m}")))?;
        }
        let limits = &self.manifest.limits;
        for (key, size) in [
            ("max-memory", &limits.max_memory),
            ("max-token", &limits.max_token),
            ("max-query-size", &limits.max_query_size),
            ("max-decompressed", &limits.max_decompressed),
            ("max-entities", &limits.max_entities),
        ] {
            if let Some(size) = size {
                parse_size(size).map_err(|m| wrong(size, format!("`{key}`: {m}")))?;
            }
        }
        if let Some(depth) = limits.max_depth.filter(|depth| *depth > DEEPEST) {
            return Err(wrong(&depth.to_string(), too_deep(depth)));
        }
        for host in &self.manifest.net.hosts {
            net::check_host(host).map_err(|m| Error::input(m).at(globs::place(source, host)))?;
        }
        Ok(())
    }

    /// The prefixes of `kgq.toml`.
    pub fn prefixes(&self) -> Prefixes {
        self.manifest.prefixes.iter().map(|(p, n)| (p.as_str(), n.as_str())).collect()
    }
}

fn compile_graphs(source: Source<'_>, root: &Path, manifest: &Manifest) -> Result<Vec<(Glob, NamedNode)>> {
    let mut graphs = Vec::new();
    for (glob, iri) in &manifest.graphs {
        let at = |error: Error| error.at(globs::place(source, glob));
        if glob.starts_with('!') {
            return Err(at(Error::input("a key of [graphs] is the glob of a graph's files; it leaves nothing out")));
        }
        let graph = NamedNode::new(iri)
            .map_err(|e| at(Error::input(format!("the graph of `{glob}` is not an absolute IRI: {e}"))))?;
        graphs.push((Glob::new(glob, root, source)?, graph));
    }
    graphs.sort_by_key(|(glob, _)| std::cmp::Reverse(glob.pattern.len()));
    Ok(graphs)
}

/// The message for a depth limit beyond what can be allowed.
pub fn too_deep(depth: usize) -> String {
    format!("`max-depth` can be {DEEPEST} at most, not {depth}")
}

/// Parses a duration such as `30s`, `500ms`, `2m`, `1h`; `none` is no limit.
pub fn parse_duration(text: &str) -> Result<Option<Duration>, String> {
    let text = text.trim();
    if text == "none" {
        return Ok(None);
    }
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let seconds = match unit.trim() {
        "ms" => 0.001,
        "s" | "" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(format!("`{text}` is no duration: write it like `30s`, `500ms`, `2m` or `none`")),
    };
    let number: f64 =
        number.parse().map_err(|_| format!("`{text}` is no duration: write it like `30s`, `500ms`, `2m` or `none`"))?;
    Duration::try_from_secs_f64(number * seconds).map(Some).map_err(|_| format!("`{text}` is too long a duration"))
}

/// Parses a number of bytes such as `512MiB`, `4GB`, `1000`; `none` is no limit.
pub fn parse_size(text: &str) -> Result<Option<u64>, String> {
    let text = text.trim();
    if text == "none" {
        return Ok(None);
    }
    let wrong = || format!("`{text}` is no size: write it like `512MiB`, `4GiB` or `none`");
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let unit: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "kb" => 1_000,
        "m" | "mib" => 1 << 20,
        "mb" => 1_000_000,
        "g" | "gib" => 1 << 30,
        "gb" => 1_000_000_000,
        "t" | "tib" => 1 << 40,
        "tb" => 1_000_000_000_000,
        _ => return Err(wrong()),
    };
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(unit).map(Some).ok_or_else(wrong);
    }
    let number: f64 = number.parse().map_err(|_| wrong())?;
    Ok(Some((number * unit as f64) as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        dir
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_the_near_one() {
        let dir = project(&[("kgq.toml", "name = \"x\"\nprefixs = 1\n")]);
        let error = Project::open(dir.path()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "kgq.toml:2:1: unknown key `prefixs`\n  2 | prefixs = 1\n    | ^^^^^^^\n  hint: did you mean `prefixes`?"
        );
    }

    #[test]
    fn files_are_found_by_globs_once_in_order_with_their_graph() {
        let dir = project(&[
            (
                "kgq.toml",
                "name = \"x\"\ndata = [\"data/*.ttl\", \"data/a.ttl\"]\n[graphs]\n\"data/b*\" = \"http://g/\"\n",
            ),
            ("data/b.ttl", ""),
            ("data/a.ttl", ""),
            ("data/.hidden.ttl", ""),
            ("data/deep/c.ttl", ""),
        ]);
        let found = Project::find(&dir.path().join("data/deep")).unwrap().unwrap().files().unwrap();
        let names: Vec<_> = found.iter().map(|f| (f.name.as_str(), f.graph.is_some())).collect();
        assert_eq!(names, [("data/a.ttl", false), ("data/b.ttl", true)]);
    }

    #[test]
    fn a_querys_name_is_its_path_below_the_folder() {
        let dir = project(&[("kgq.toml", "name = \"x\""), ("queries/a/b.rq", "ASK {}"), ("queries/c.rq", "ASK {}")]);
        let names: Vec<_> = Project::open(dir.path())
            .unwrap()
            .find_queries()
            .unwrap()
            .files
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(names, ["a/b", "c"]);
    }

    #[test]
    fn a_new_query_belongs_where_a_glob_finds_it() {
        let dir = project(&[("kgq.toml", "name = \"x\"\nqueries = [\"one.rq\", \"ask/q-*.rq\", \"more/**/*.rq\"]\n")]);
        let project = Project::open(dir.path()).unwrap();
        let path = |name: &str| project.query_path(name).map(|path| project.display_path(&path));
        assert_eq!(path("q-one").unwrap(), "ask/q-one.rq");
        assert_eq!(path("deep/other").unwrap(), "more/deep/other.rq");
        assert!(project.loads("data/x.ttl").unwrap() && !project.loads("more/x.rq").unwrap());
        let dir = self::project(&[("kgq.toml", "name = \"x\"\nqueries = [\"ask/*.rq\"]\n")]);
        let error = Project::open(dir.path()).unwrap().query_path("deep/one").unwrap_err();
        assert!(error.to_string().contains("the globs are `ask/*.rq`"), "{error}");
    }

    #[test]
    fn durations_and_sizes_are_read_with_their_units() {
        assert_eq!(parse_duration("500ms"), Ok(Some(Duration::from_millis(500))));
        assert_eq!(parse_duration("none"), Ok(None));
        assert!(parse_duration("soon").is_err());
        assert_eq!(parse_size("512MiB"), Ok(Some(512 << 20)));
        assert!(parse_size("1.5 lots").is_err());
    }
}
