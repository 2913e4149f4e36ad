//! The rooms of `src/` and their layers: a room uses only rooms below its own layer, or those named for it.

use std::fs;
use std::path::{Path, PathBuf};

/// A room, its layer, and the rooms of its own layer that it may use.
const ROOMS: &[(&str, u8, &[&str])] = &[
    ("text", 0, &[]),
    ("error", 0, &["text"]),
    ("rdf", 0, &["error", "text"]),
    ("syntax", 0, &["error", "rdf", "text"]),
    ("project", 1, &[]),
    ("store", 1, &[]),
    ("query", 1, &[]),
    ("snapshot", 2, &[]),
    ("engine", 2, &["snapshot"]),
    ("catalog", 3, &[]),
    ("audit", 3, &["catalog"]),
    ("render", 3, &["audit"]),
    ("advice", 4, &[]),
    ("check", 4, &[]),
    ("answers", 4, &[]),
    ("format", 4, &[]),
    ("infer", 4, &[]),
    ("export", 4, &[]),
    ("session", 5, &[]),
    ("commands", 6, &["cli"]),
    ("repl", 7, &["cli"]),
    ("server", 7, &[]),
    ("mcp", 7, &[]),
    ("cli", 7, &["repl", "server", "mcp"]),
];

fn layer(room: &str) -> (u8, &'static [&'static str]) {
    let found = ROOMS.iter().find(|(name, _, _)| *name == room);
    let (_, layer, beside) = found.unwrap_or_else(|| panic!("src/{room} has no layer: add it to tests/it/layers.rs"));
    (*layer, beside)
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// The rooms that a file names by `crate::…`, with the line.
fn rooms_used(text: &str) -> Vec<(usize, String)> {
    let mut used = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        for part in code.split("crate::").skip(1) {
            if let Some(list) = part.strip_prefix('{') {
                let names = list.split([',', '}']).filter_map(|n| n.trim().split("::").next());
                used.extend(names.filter(|n| !n.is_empty()).map(|n| (number + 1, n.to_owned())));
            } else {
                let name: String = part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                used.push((number + 1, name));
            }
        }
    }
    used
}

#[test]
fn no_room_reaches_upward() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let mut wrong = Vec::new();
    for file in files {
        let name = file.strip_prefix(&src).unwrap();
        let room = name.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
        if ["lib", "main"].contains(&room) {
            continue;
        }
        let (own, beside) = layer(room);
        for (line, used) in rooms_used(&fs::read_to_string(&file).unwrap()) {
            if used == room || beside.contains(&used.as_str()) {
                continue;
            }
            if layer(&used).0 >= own {
                wrong.push(format!("src/{}:{line} uses {used}", name.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "rooms that reach upward or sideways:\n{}", wrong.join("\n"));
}

#[test]
fn only_three_rooms_name_oxigraph() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let named: Vec<String> = files
        .iter()
        .filter(|file| {
            let room = file.strip_prefix(&src).unwrap().iter().next().unwrap().to_str().unwrap();
            !["store", "query", "engine"].contains(&room)
        })
        .filter(|file| {
            let text = fs::read_to_string(file).unwrap();
            text.lines().any(|l| {
                let code = l.split("//").next().unwrap_or_default();
                code.contains("use oxigraph::") || code.trim_start().starts_with("oxigraph::")
            })
        })
        .map(|file| file.display().to_string())
        .collect();
    assert!(named.is_empty(), "{named:?}");
}
