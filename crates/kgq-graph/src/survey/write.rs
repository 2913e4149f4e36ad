//! Writes the text of the kgq.toml, with a comment above each choice that gives the reason.

use super::Names;
use super::choose::{base, imports_elsewhere, languages, prefixes, repeated};
use super::copies::Near;
use super::globs::globs;
use super::look::{Holds, Looked};
use kgq_syntax::error::{Error, Place};
use kgq_syntax::text::{count, thousands, visible};
use std::fmt::Write;
use std::path::Path;

/// The most names that a comment lists.
const LISTED: usize = 12;
/// From this percentage of labelled things on, a language is assumed to be wanted for all of them.
const WANTED: u64 = 90;

pub fn manifest(folder: &Path, names: &Names, files: &[Looked]) -> String {
    let read: Vec<&Looked> = files.iter().filter(|file| matches!(file.holds, Holds::Ontology | Holds::Data)).collect();
    let mut out = Text::default();
    out.comment(&format!(
        "Made by `kgq init`, which looked at {}. Change what does not fit; `kgq check` says what is wrong with it.",
        count(files.len() as u64, "file that may hold RDF", "files that may hold RDF")
    ));
    out.blank();
    heading(folder, &read, &mut out);
    lists(names, files, &mut out);
    graphs(&read, &mut out);
    table_of_prefixes(&read, &mut out);
    table_of_languages(&read, &mut out);
    remarks(names, files, &read, &mut out);
    out.0
}

/// Lines of TOML.
#[derive(Default)]
struct Text(String);

impl Text {
    fn blank(&mut self) {
        self.0.push('\n');
    }

    fn comment(&mut self, text: &str) {
        // A comment ends with its line, so no text from a file may contain a line end.
        self.line(&format!("# {}", visible(text)));
    }

    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn key(&mut self, key: &str, value: &str) {
        self.line(&format!("{key} = {}", quoted(value)));
    }
}

/// Quotes a TOML string.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if kgq_syntax::text::is_unsafe(c) => {
                // Writing to a `String` cannot fail.
                let _ = write!(out, "\\U{:08X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out + "\""
}

fn heading(folder: &Path, read: &[&Looked], out: &mut Text) {
    let name =
        std::fs::canonicalize(folder).ok().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    let name = name.unwrap_or_else(|| "my-graph".into());
    let plain = |c: char| if c.is_alphanumeric() || c == '-' || c == '_' { c } else { '-' };
    out.comment("The folder's name.");
    out.key("name", &name.chars().map(plain).collect::<String>());
    if let Some((file, title)) = title(read) {
        out.comment(&format!("The title of the ontology in {file}."));
        out.key("title", title);
    }
    if let Some(base) = base(read) {
        out.comment(&format!(
            "Where the things of this graph live: {} of {} begin so.",
            thousands(base.subjects),
            count(base.of, "subject", "subjects")
        ));
        out.key("base", &base.iri);
    }
}

/// The title of the ontology nearest to the folder's root, and its file; `None` if several are equally near and their
/// titles differ.
fn title<'f>(read: &[&'f Looked]) -> Option<(&'f str, &'f str)> {
    let depth = |file: &Looked| file.name.matches('/').count();
    let titled = |file: &&'f Looked| Some((depth(file), file.name.as_str(), file.counts.title.as_deref()?.trim()));
    let mut titles: Vec<(usize, &str, &str)> = read.iter().filter_map(titled).collect();
    titles.sort_unstable();
    let (least, file, title) = *titles.first()?;
    let is_alone = titles.iter().take_while(|(depth, ..)| *depth == least).all(|(_, _, other)| *other == title);
    is_alone.then_some((file, title))
}

fn lists(names: &Names, files: &[Looked], out: &mut Text) {
    let of = |wanted: fn(&Holds) -> bool| -> Vec<&str> {
        files.iter().filter(|file| wanted(&file.holds)).map(|file| file.name.as_str()).collect()
    };
    let ontology = of(|holds| matches!(holds, Holds::Ontology));
    let data = of(|holds| matches!(holds, Holds::Data));
    let left_out = of(|holds| matches!(holds, Holds::Copy(_) | Holds::Nothing(_) | Holds::Broken(_)));
    let folders: Vec<&str> = names.passed_over.iter().map(String::as_str).collect();
    let queries: Vec<&str> = names.queries.iter().map(String::as_str).collect();
    let many = |names: &[&str]| count(names.len() as u64, "file", "files");
    for (key, wanted, others, why) in [
        ("ontology", &ontology, &data, "describe mostly classes, properties or shapes"),
        ("data", &data, &ontology, "describe mostly other things"),
        ("queries", &queries, &Vec::new(), "hold queries, which `kgq run` runs by name"),
    ] {
        if wanted.is_empty() {
            continue;
        }
        out.blank();
        let why = if wanted.len() == 1 {
            why.replacen("describe", "describes", 1).replacen("hold ", "holds ", 1)
        } else {
            why.into()
        };
        out.comment(&format!("{} {why}.", many(wanted)));
        let globs = globs(wanted, others, &left_out, &folders);
        let globs: Vec<String> = globs.iter().map(|glob| quoted(glob)).collect();
        match globs.as_slice() {
            [glob] => out.line(&format!("{key} = [{glob}]")),
            globs => {
                out.line(&format!("{key} = ["));
                globs.iter().for_each(|glob| out.line(&format!("    {glob},")));
                out.line("]");
            }
        }
    }
}

fn graphs(read: &[&Looked], out: &mut Text) {
    let all: u64 = read.iter().map(|file| file.counts.statements).sum();
    let named: u64 = read.iter().map(|file| file.counts.in_named_graphs).sum();
    if named == 0 {
        return;
    }
    out.blank();
    let most = named * 2 > all;
    let then =
        if most { "so queries see all graphs as one" } else { "`union` would let queries see all graphs as one" };
    out.comment(&format!(
        "{} of {} are in named graphs: {then}.",
        thousands(named),
        count(all, "statement", "statements")
    ));
    out.key(if most { "default-graph" } else { "# default-graph" }, "union");
}

fn table_of_prefixes(read: &[&Looked], out: &mut Text) {
    let prefixes = prefixes(read);
    if prefixes.is_empty() {
        return;
    }
    out.blank();
    out.comment("The prefixes that the files declare and use, and well-known ones that they use.");
    out.line("[prefixes]");
    for prefix in prefixes {
        if !prefix.others.is_empty() {
            let others: Vec<String> = prefix.others.iter().map(|iri| format!("<{iri}>")).collect();
            out.comment(&format!("`{}:` is in other files {}; this one is used most.", prefix.name, listed(&others)));
        }
        out.key(&quoted(&prefix.name), &prefix.namespace);
    }
}

fn table_of_languages(read: &[&Looked], out: &mut Text) {
    let (languages, labelled) = languages(read);
    if languages.is_empty() {
        return;
    }
    let wanted: Vec<String> =
        languages.iter().filter(|(_, n)| n * 100 >= labelled * WANTED).map(|(language, _)| quoted(language)).collect();
    let counts: Vec<String> = languages.iter().map(|(language, n)| format!("{language} {}", thousands(*n))).collect();
    out.blank();
    out.comment(&format!("Languages of the labels of {}: {}.", count(labelled, "thing", "things"), listed(&counts)));
    out.line("[check]");
    if wanted.is_empty() {
        out.comment("No language is had by nearly all, so none is required. To require labels in a language:");
        out.line(&format!("# languages = [{}]", quoted(&languages[0].0)));
    } else {
        out.comment("Nearly all have a label in these: `kgq check` says which things have none.");
        out.line(&format!("languages = [{}]", wanted.join(", ")));
    }
}

/// Reports what was noticed but not set.
fn remarks(names: &Names, files: &[Looked], read: &[&Looked], out: &mut Text) {
    let with = |told: fn(&Holds) -> Option<&str>| -> Vec<String> {
        files.iter().filter_map(|file| Some(format!("{}: {}", file.name, told(&file.holds)?))).collect()
    };
    let broken: Vec<String> = files.iter().filter_map(|file| file.holds.error().map(placed)).collect();
    let title =
        "Not loaded, as they cannot be read. `kgq check` and `kgq info` name them until the lists above take them:";
    list(title, &broken, out);
    list("Not loaded, as they are no RDF:", &with(Holds::reason), out);
    let title = "Not loaded, as another file says the same in another format, which is named behind:";
    list(title, &with(Holds::original), out);
    let near = |file: &&Looked| {
        let Near { of, own, all } = file.near.as_ref()?;
        let how = match own {
            0 => "in which nodes without a name are connected differently".to_owned(),
            own => format!("which lacks {} of {}", thousands(*own as u64), thousands(*all as u64)),
        };
        Some(format!("{}: {of}, {how}", file.name))
    };
    let near: Vec<String> = read.iter().filter_map(near).collect();
    let title =
        "Nearly the same as another file in another format, and loaded beside it; `!FILE` in a list leaves one out:";
    list(title, &near, out);
    let folders: Vec<String> = names.passed_over.iter().map(|folder| format!("{folder}/")).collect();
    list("Not looked into, as files of tests and of programs are often wrong on purpose or copies:", &folders, out);
    let cut: Vec<String> = read.iter().filter(|file| file.counts.cut).map(|file| file.name.clone()).collect();
    list("So large that only their start was looked at:", &cut, out);
    let repeated: Vec<String> =
        repeated(read).into_iter().map(|(iri, files)| format!("<{iri}>: {}", files.join(", "))).collect();
    list("One ontology in several files, perhaps versions of it; `!FILE` in a list leaves one out:", &repeated, out);
    let absent: Vec<String> = imports_elsewhere(read).into_iter().map(|iri| format!("<{iri}>")).collect();
    if let Some(catalogue) = names.catalogues.first() {
        let more = if names.catalogues.len() > 1 {
            format!(" and {} more", names.catalogues.len() - 1)
        } else {
            String::new()
        };
        out.blank();
        out.comment(&format!("`kgq check` finds imported ontologies by {catalogue}{more}."));
    }
    list("Imported, and no ontology of these files; `[imports]` can name a file for each:", &absent, out);
}

/// `FILE:LINE:COLUMN: MESSAGE`.
fn placed(error: &Error) -> String {
    match error.place() {
        Some(Place { file, line, column, .. }) => format!("{file}:{line}:{column}: {}", error.message()),
        None => error.message().to_owned(),
    }
}

fn list(title: &str, items: &[String], out: &mut Text) {
    if items.is_empty() {
        return;
    }
    out.blank();
    out.comment(title);
    items.iter().take(LISTED).for_each(|item| out.comment(&format!("  {}", cut(item))));
    if items.len() > LISTED {
        out.comment(&format!("  … and {} more", items.len() - LISTED));
    }
}

/// Lists a few of the items on one line.
fn listed(items: &[String]) -> String {
    let more = items.len().saturating_sub(LISTED);
    let shown = items.iter().take(LISTED).cloned().collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

/// Shortens a reason, which may quote a whole file.
fn cut(text: &str) -> String {
    const MOST: usize = 200;
    if text.chars().count() <= MOST { text.to_owned() } else { text.chars().take(MOST).collect::<String>() + "…" }
}
