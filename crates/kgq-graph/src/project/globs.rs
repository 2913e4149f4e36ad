//! The lists of globs in kgq.toml: which names they take, and which they leave out (`!`).
//!
//! A glob is normalised (`./data//a.ttl` becomes `data/a.ttl`) and compiled once. Nothing here looks at the disk.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use kgq_syntax::error::{Error, Kind, Place, Result, Source};
use std::path::Path;

/// The longest glob in bytes, and the deepest nesting of braces: the pattern compiler that comes next has no bounds of
/// its own.
const LONGEST: usize = 4096;
const DEEPEST_BRACES: usize = 8;

/// One glob of kgq.toml, without its `!`.
#[derive(Clone, Debug)]
pub struct Glob {
    /// As written in kgq.toml.
    pub written: String,
    /// The normalised glob, relative to the project if possible.
    pub pattern: String,
    /// Whether it is a default that kgq.toml does not contain.
    pub is_default: bool,
    matcher: GlobSet,
}

impl Glob {
    /// Compiles a glob of the project in this folder; an error has its place in kgq.toml.
    pub fn new(written: &str, root: &Path, manifest: Source<'_>) -> Result<Self> {
        let pattern = one_form(written.strip_prefix('!').unwrap_or(written), root);
        let matcher = compile(&pattern).map_err(|reason| {
            let shown: String = written.chars().take(60).collect();
            Error::input(format!("the glob `{shown}` cannot be read: {reason}")).at(place(manifest, written))
        })?;
        Ok(Self { written: written.to_owned(), pattern, is_default: false, matcher })
    }

    /// Compiles a glob of the command line, which may just as well be meant as the name of a file that does not exist.
    pub(crate) fn by_hand(written: &str) -> Result<Self> {
        let pattern = without_detours(written);
        let matcher = compile(&pattern).map_err(|reason| {
            Error::new(Kind::Io, format!("there is no file `{written}`, and it is no glob: {reason}"))
        })?;
        Ok(Self { written: written.to_owned(), pattern, is_default: false, matcher })
    }

    pub fn matches(&self, name: &str) -> bool {
        self.matcher.is_match(name)
    }

    /// Whether it matches a name, or names a folder that contains the name.
    pub fn takes(&self, name: &str) -> bool {
        self.matches(name) || (self.is_literal() && is_below(name, &self.pattern))
    }

    /// Whether it has no wildcard, so that it names a single file or folder.
    pub fn is_literal(&self) -> bool {
        is_literal(&self.pattern)
    }

    /// Whether it has a wildcard and determines how names end.
    pub(crate) fn names_ending(&self) -> bool {
        !self.is_literal() && self.pattern.rsplit('/').next().is_some_and(|last| last.contains('.'))
    }

    /// Returns the folder (or file) that it starts in: the part before its first wildcard.
    pub fn start(&self) -> String {
        if self.is_literal() {
            return self.pattern.clone();
        }
        self.pattern.split('/').take_while(|part| is_literal(part)).collect::<Vec<_>>().join("/")
    }

    /// Whether it points outside of the project's folder.
    pub(crate) fn leaves_project(&self) -> bool {
        self.pattern == ".." || self.pattern.starts_with("../") || Path::new(&self.pattern).is_absolute()
    }
}

/// A list of globs: that of `ontology`, `data` or `queries`.
#[derive(Clone, Debug, Default)]
pub struct Globs {
    pub take: Vec<Glob>,
    leave: Vec<Glob>,
}

impl Globs {
    /// Compiles a list. A list of exclusions only is applied to the default glob.
    pub fn new(written: &[String], default: &str, root: &Path, manifest: Source<'_>) -> Result<Self> {
        let mut globs = Self::default();
        for glob in written {
            let compiled = Glob::new(glob, root, manifest)?;
            if glob.starts_with('!') { globs.leave.push(compiled) } else { globs.take.push(compiled) }
        }
        if globs.take.is_empty() && !globs.leave.is_empty() {
            globs.take = Self::by_default(default, root, manifest)?.take;
        }
        Ok(globs)
    }

    /// The list for a key that kgq.toml does not have.
    pub fn by_default(glob: &str, root: &Path, manifest: Source<'_>) -> Result<Self> {
        let glob = Glob { is_default: true, ..Glob::new(glob, root, manifest)? };
        Ok(Self { take: vec![glob], leave: Vec::new() })
    }

    /// Whether a name is left out, itself or with a folder that contains it. A glob without `/` matches a name at any
    /// depth.
    pub fn leaves_out(&self, name: &str) -> bool {
        let folders = name.match_indices('/').map(|(at, _)| &name[..at]);
        let mut paths = folders.chain([name]);
        !self.leave.is_empty()
            && paths.any(|path| {
                let last = path.rsplit('/').next().unwrap_or(path);
                self.leave.iter().any(|glob| glob.matches(path) || (!glob.pattern.contains('/') && glob.matches(last)))
            })
    }
}

/// Finds where kgq.toml has this text: as a whole string if possible, else anywhere, else its start.
pub fn place(manifest: Source<'_>, text: &str) -> Place {
    let quoted = ['"', '\''].iter().find_map(|quote| Some(manifest.text.find(&format!("{quote}{text}{quote}"))? + 1));
    match quoted.or_else(|| manifest.text.find(text)) {
        Some(at) => manifest.place(at..at + text.len()),
        None => manifest.place(0..0),
    }
}

/// Whether a name lies in a folder; the folder with the empty name is the project's.
pub fn is_below(name: &str, folder: &str) -> bool {
    folder.is_empty() && !name.starts_with("..") && !name.starts_with('/')
        || name.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn is_literal(glob: &str) -> bool {
    !glob.contains(['*', '?', '[', '{'])
}

/// Normalises a glob: no detours, and relative to the project if it points into it.
fn one_form(glob: &str, root: &Path) -> String {
    let inside = root.to_str().and_then(|root| glob.strip_prefix(root)?.strip_prefix('/'));
    without_detours(inside.unwrap_or(glob))
}

/// Removes `.`, doubled slashes and `a/..` from a glob.
fn without_detours(glob: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in glob.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != ".." && is_literal(last)) => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let start = if glob.starts_with('/') { "/" } else { "" };
    format!("{start}{}", parts.join("/"))
}

fn compile(glob: &str) -> Result<GlobSet, String> {
    if glob.is_empty() {
        return Err("it names nothing".into());
    }
    if glob.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} bytes"));
    }
    let mut depth = 0_usize;
    for c in glob.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST_BRACES {
            return Err(format!("its braces are nested more than {DEEPEST_BRACES} deep"));
        }
    }
    let reason = |e: globset::Error| e.kind().to_string();
    let glob = GlobBuilder::new(glob).literal_separator(true).build().map_err(reason)?;
    // Built as a set, because a single matcher panics if its pattern is too large to compile.
    GlobSetBuilder::new().add(glob).build().map_err(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn globs(list: &[&str]) -> Globs {
        let list: Vec<String> = list.iter().map(|glob| (*glob).to_owned()).collect();
        Globs::new(&list, "data/**/*", Path::new("/p"), Source::new("kgq.toml", "")).unwrap()
    }

    #[test]
    fn a_glob_is_brought_into_one_form() {
        for (written, pattern) in [
            ("./data/a.ttl", "data/a.ttl"),
            ("data//a.ttl", "data/a.ttl"),
            ("x/../data/./*.ttl", "data/*.ttl"),
            ("../x.ttl", "../x.ttl"),
            ("/p/data/*.ttl", "data/*.ttl"),
            ("/q//data/", "/q/data"),
            ("**/../a", "**/../a"),
        ] {
            assert_eq!(one_form(written, Path::new("/p")), pattern, "{written}");
        }
    }

    #[test]
    fn what_is_left_out_is_a_file_or_all_of_a_folder() {
        let left = globs(&["data/**/*.ttl", "!data/tests/**", "!data/old", "!*.bak.ttl"]);
        for name in ["data/tests/a.ttl", "data/old/deep/b.ttl", "data/x/c.bak.ttl"] {
            assert!(left.leaves_out(name), "{name}");
        }
        assert!(!left.leaves_out("data/older.ttl"));
        assert_eq!(globs(&["!data/old"]).take[0].pattern, "data/**/*");
    }

    #[test]
    fn a_glob_that_cannot_be_compiled_is_an_error_at_its_place() {
        let nested = format!("{}a{}", "{a,".repeat(3000), "}".repeat(3000));
        for glob in [nested.as_str(), "{a,{a,{a,{a,{a,{a,{a,{a,{a,b}}}}}}}}}", "a[", "{a", ""] {
            let text = format!("name = \"x\"\ndata = [\"{glob}\"]\n");
            let error = Glob::new(glob, Path::new("/p"), Source::new("kgq.toml", &text)).unwrap_err();
            assert_eq!(error.place().unwrap().line, 2, "{error}");
        }
    }
}
