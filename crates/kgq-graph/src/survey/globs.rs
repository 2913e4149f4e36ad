//! Finds the fewest globs that take these files and none that belong to another key; files that must not be loaded are
//! excluded by name.

use rustc_hash::FxHashSet;
use std::collections::BTreeSet;

/// Returns globs for `wanted`. They must not match `others`; they may match `left_out`, which are then excluded with
/// `!`.
pub fn globs(wanted: &[&str], others: &[&str], left_out: &[&str], folders_left_out: &[&str]) -> Vec<String> {
    let mut globs = Vec::new();
    let endings: BTreeSet<&str> = wanted.iter().map(|name| ending(name)).collect();
    for ending in endings {
        let with = |names: &[&'_ str]| names.iter().filter(|n| ends(n, ending)).map(|n| (*n).to_owned()).collect();
        let files = Files { ending, wanted: with(wanted), others: with(others), left_out: with(left_out) };
        files.cover("", &mut globs);
    }
    let taken = |name: &str| globs.iter().any(|glob: &String| takes(glob, name));
    let left: Vec<String> =
        left_out.iter().filter(|name| taken(name)).map(|name| format!("!{}", escape(name))).collect();
    let below = |folder: &str| {
        globs.iter().any(|glob| glob.split_once("**").is_some_and(|(start, _)| folder.starts_with(start)))
    };
    let folders: Vec<String> = folders_left_out
        .iter()
        .filter(|folder| below(folder))
        .map(|folder| format!("!{}/**", escape(folder)))
        .collect();
    globs.into_iter().chain(left).chain(folders).collect()
}

/// The files with one ending.
struct Files<'a> {
    ending: &'a str,
    wanted: Vec<String>,
    others: Vec<String>,
    left_out: Vec<String>,
}

impl Files<'_> {
    fn cover(&self, folder: &str, globs: &mut Vec<String>) {
        let below = |names: &[String]| names.iter().filter(|name| name.starts_with(folder)).count();
        let (wanted, others, left_out) = (below(&self.wanted), below(&self.others), below(&self.left_out));
        if wanted == 0 {
            return;
        }
        if others == 0 && wanted > 1 && left_out <= wanted {
            globs.push(format!("{}**/*.{}", escape(folder), self.ending));
            return;
        }
        let here = |names: &[String]| -> Vec<String> {
            let in_folder = |name: &&String| name.strip_prefix(folder).is_some_and(|rest| !rest.contains('/'));
            names.iter().filter(in_folder).cloned().collect()
        };
        let own = here(&self.wanted);
        if own.len() > 3 && here(&self.others).is_empty() && here(&self.left_out).len() <= own.len() {
            globs.push(format!("{}*.{}", escape(folder), self.ending));
        } else {
            globs.extend(own.iter().map(|name| escape(name)));
        }
        let deeper: FxHashSet<String> = self
            .wanted
            .iter()
            .filter_map(|name| name.strip_prefix(folder)?.split_once('/').map(|(next, _)| format!("{folder}{next}/")))
            .collect();
        let mut deeper: Vec<String> = deeper.into_iter().collect();
        deeper.sort();
        deeper.iter().for_each(|folder| self.cover(folder, globs));
    }
}

/// The end of a name that determines its format, including the ending of its compression.
fn ending(name: &str) -> &str {
    let file = name.rsplit('/').next().unwrap_or(name);
    let bare = file.strip_suffix(".gz").or_else(|| file.strip_suffix(".zst")).unwrap_or(file);
    bare.rfind('.').map_or("", |at| &file[at + 1..])
}

fn ends(name: &str, wanted: &str) -> bool {
    ending(name) == wanted
}

/// Whether one of our own globs matches a name.
fn takes(glob: &str, name: &str) -> bool {
    match glob.rsplit_once('*') {
        None => glob == escape(name),
        Some((start, end)) => {
            let name = escape(name);
            let folder = start.strip_suffix("**/");
            let rest = name.strip_prefix(folder.unwrap_or(start));
            rest.is_some_and(|rest| rest.ends_with(end) && (folder.is_some() || !rest.contains('/')))
        }
    }
}

/// Escapes the characters of a name that a glob would read as wildcards.
fn escape(name: &str) -> String {
    name.chars().fold(String::new(), |mut out, c| {
        match c {
            '*' | '?' | '[' | ']' | '{' | '}' => out.extend(['[', c, ']']),
            c => out.push(c),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_one_kind_is_one_glob_and_mixed_ones_are_told_apart() {
        assert_eq!(globs(&["a.ttl", "b/c.ttl"], &[], &[], &[]), ["**/*.ttl"]);
        assert_eq!(globs(&["o/a.ttl", "o/b/c.ttl"], &["d/x.ttl"], &[], &[]), ["o/**/*.ttl"]);
        assert_eq!(globs(&["a.ttl"], &["b.ttl"], &[], &[]), ["a.ttl"]);
        assert_eq!(globs(&["a.ttl", "x.nt.gz", "y.nt.gz"], &[], &[], &[]), ["**/*.nt.gz", "a.ttl"]);
    }

    #[test]
    fn what_must_not_be_loaded_is_left_out_where_a_glob_would_take_it() {
        assert_eq!(globs(&["a.ttl", "b.ttl"], &[], &["c.ttl", "d.rdf"], &[]), ["**/*.ttl", "!c.ttl"]);
        assert_eq!(
            globs(&["a/x.ttl", "a/y.ttl"], &["b.ttl"], &[], &["a/tests", "tests"]),
            ["a/**/*.ttl", "!a/tests/**"]
        );
        assert_eq!(globs(&["a[1].ttl"], &[], &[], &[]), ["a[[]1[]].ttl"]);
    }
}
