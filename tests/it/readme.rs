//! The examples in README.md, docs/asking.md and the module's README show what the program really prints.

use super::program;
#[cfg(feature = "mcp")]
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};

/// The examples: each command line with the lines below it, up to the next one or the end of its block.
fn examples(readme: &str) -> Vec<(String, Vec<String>)> {
    let (mut found, mut open) = (Vec::<(String, Vec<String>)>::new(), false);
    for line in readme.lines() {
        if let Some(command) = line.strip_prefix("$ kgq ") {
            found.push((command.to_owned(), Vec::new()));
            open = true;
        } else if line.starts_with("```") {
            open = false;
        } else if let (true, Some((_, shown))) = (open, found.last_mut()) {
            shown.push(line.to_owned());
        }
    }
    found
}

/// The blocks of a page in this language.
#[cfg(any(feature = "mcp", feature = "tables"))]
fn blocks<'p>(page: &'p str, language: &str) -> Vec<&'p str> {
    let begin = format!("```{language}\n");
    page.split(begin.as_str()).skip(1).filter_map(|behind| behind.split("```").next()).collect()
}

fn page(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// A copy of the project that ships with kgq.
fn project(folder: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for part in ["ontology", "data", "queries"] {
        program::copy_folder(&root.join(part), &folder.join(part));
    }
    std::fs::copy(root.join("kgq.toml"), folder.join("kgq.toml")).unwrap();
}

/// Runs a command line in a shell with `kgq` on its path; returns whether it succeeded, and its output.
fn printed(line: &str, folder: &Path, home: &Path) -> (bool, String) {
    let programs = Path::new(env!("CARGO_BIN_EXE_kgq")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default());
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("{{ {line}\n}} 2>&1")).current_dir(folder).env_clear();
    shell.envs([("PATH", path.as_str()), ("LC_ALL", "C.UTF-8")]).env("HOME", home).stdin(Stdio::null());
    let ended = shell.output().unwrap();
    (ended.status.success(), String::from_utf8(ended.stdout).unwrap())
}

/// The first part of the example that does not occur in the output after the parts before it; `[…]` stands for anything.
fn missing<'s>(shown: &'s [String], printed: &str) -> Option<&'s str> {
    let mut rest = printed;
    let parts = shown.iter().flat_map(|line| line.split("[…]")).filter(|part| !part.trim().is_empty());
    for part in parts {
        match rest.split_once(part) {
            Some((_, behind)) => rest = behind,
            None => return Some(part),
        }
    }
    None
}

#[test]
fn every_example_of_the_readme_prints_what_it_shows() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("project");
    project(&folder);
    let printed = |command: &str| printed(&format!("kgq {command}"), &folder, home.path()).1;
    printed("bundle regions-by-cohort --output regions.zip");
    let examples = examples(&page("README.md"));
    assert!(examples.len() >= 6, "{} examples", examples.len());
    for (command, shown) in examples {
        // Rows are shown as on a terminal.
        let rows = command.starts_with("run ") || command.starts_with("query ");
        let told = printed(&if rows { format!("{command} --format table") } else { command.clone() });
        assert_eq!(missing(&shown, &told), None, "of `kgq {command}`, which prints\n{told}");
    }
}

#[cfg(feature = "tables")]
#[test]
fn every_command_of_the_page_on_asking_does_its_work() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("project");
    project(&folder);
    let page = page("docs/asking.md");
    let lines: Vec<&str> = blocks(&page, "sh").into_iter().flat_map(str::lines).collect();
    assert!(lines.len() >= 2 && lines.iter().all(|line| line.starts_with("kgq ")), "{lines:?}");
    for line in lines {
        let (is_well, told) = printed(line, &folder, home.path());
        assert!(is_well, "`{line}` prints\n{told}");
    }
    assert!(folder.join("tasks.parquet").is_file() && folder.join("columns/triples.parquet").is_file());
}

/// Whether a document equals the one shown; in texts, `[…]` stands for anything.
#[cfg(feature = "mcp")]
fn is_as_shown(shown: &Value, told: &Value) -> bool {
    match (shown, told) {
        (Value::String(shown), Value::String(told)) => {
            let parts: Vec<&str> = shown.split("[…]").collect();
            told.starts_with(parts[0])
                && told.ends_with(parts[parts.len() - 1])
                && missing(std::slice::from_ref(shown), told).is_none()
        }
        (Value::Array(shown), Value::Array(told)) => {
            shown.len() == told.len() && shown.iter().zip(told).all(|(shown, told)| is_as_shown(shown, told))
        }
        (Value::Object(shown), Value::Object(told)) => {
            shown.len() == told.len()
                && shown.iter().all(|(key, shown)| told.get(key).is_some_and(|told| is_as_shown(shown, told)))
        }
        (shown, told) => shown == told,
    }
}

#[cfg(feature = "mcp")]
#[test]
fn the_exchange_with_a_model_is_as_the_page_on_asking_shows_it() {
    let page = page("docs/asking.md");
    let shown: Vec<Value> = blocks(&page, "json").into_iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    let [question, reasons, answer] = shown.as_slice() else { panic!("{} documents", shown.len()) };
    let mut client = super::mcp::shipped();
    let told = client.call("query", question.clone());
    assert!(is_as_shown(reasons, &told), "{told:#}");
    let told = client.call("query", serde_json::json!({ "query": reasons["mended"] }));
    assert!(is_as_shown(answer, &told), "{told:#}");
    assert!(!is_as_shown(answer, reasons));
}

#[test]
fn the_commands_in_the_readme_of_the_module_are_there() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(
        home.path().join("people.ttl"),
        "<http://e/ada> <http://www.w3.org/2000/01/rdf-schema#label> 'Ada' .",
    )
    .unwrap();
    let page = page("python/README.md");
    let commands: Vec<&str> = page.split('`').filter(|text| text.starts_with("kgq ")).collect();
    assert!(commands.len() >= 3, "{commands:?}");
    for command in commands {
        let line = if command.starts_with("kgq serve") { "kgq serve --help" } else { command };
        let (is_well, told) = printed(line, home.path(), home.path());
        assert!(is_well, "`{command}` prints\n{told}");
    }
}
