//! Rules that the compiler does not enforce: the order of the crates, the dependencies that only the program may have, and the
//! layers of kgq-graph's modules, each of which uses only modules of lower layers or those listed for it.

use std::fs;
use std::path::{Path, PathBuf};

/// A module of kgq-graph, its layer, and the modules of the same layer that it may use.
const ROOMS: &[(&str, u8, &[&str])] = &[
    ("project", 0, &[]),
    ("catalog", 1, &[]),
    ("audit", 1, &["catalog"]),
    ("render", 1, &["audit"]),
    ("advice", 2, &[]),
    ("check", 2, &[]),
    ("answers", 2, &[]),
    ("format", 2, &[]),
    ("infer", 2, &[]),
    ("export", 2, &[]),
    ("survey", 3, &[]),
    ("graph", 3, &[]),
    ("request", 4, &[]),
];

/// The crates of the workspace, from the lowest up: each uses only those before it.
const CRATES: &[&str] =
    &["kgq-syntax", "kgq-snapshot", "kgq-engine", "kgq-tables", "kgq-graph", "kgq-edit", "kgq-site"];

/// Dependencies that only the program may have: terminal, command line, sockets.
const PROGRAM_ONLY: &[&str] = &[
    "clap",
    "clap_complete",
    "reedline",
    "nu-ansi-term",
    "terminal_size",
    "signal-hook",
    "axum",
    "hyper",
    "rmcp",
    "ureq",
    "tokio",
    "tower-http",
    "tokio-rustls",
];

fn layer(room: &str) -> (u8, &'static [&'static str]) {
    let found = ROOMS.iter().find(|(name, _, _)| *name == room);
    let (_, layer, beside) =
        found.unwrap_or_else(|| panic!("crates/kgq-graph/src/{room} has no layer: add it to tests/it/layers.rs"));
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

/// The modules that a file names by `crate::…`, with the line.
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
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/kgq-graph/src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let mut wrong = Vec::new();
    for file in files {
        let name = file.strip_prefix(&src).unwrap();
        let room = name.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
        if room == "lib" {
            continue;
        }
        let (own, beside) = layer(room);
        for (line, used) in rooms_used(&fs::read_to_string(&file).unwrap()) {
            if used == room || beside.contains(&used.as_str()) {
                continue;
            }
            if layer(&used).0 >= own {
                wrong.push(format!("{}:{line} uses {used}", name.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "rooms that reach upward or sideways:\n{}", wrong.join("\n"));
}

#[test]
fn a_crate_uses_only_crates_below_it_and_none_knows_the_terminal() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (i, name) in CRATES.iter().enumerate() {
        let text = fs::read_to_string(root.join("crates").join(name).join("Cargo.toml")).unwrap();
        let manifest: toml::Table = text.parse().unwrap();
        let dependencies = manifest["dependencies"].as_table().unwrap();
        let wrong: Vec<&String> = dependencies
            .keys()
            .filter(|key| PROGRAM_ONLY.contains(&key.as_str()) || CRATES[i..].contains(&key.as_str()))
            .collect();
        assert!(wrong.is_empty(), "{name} depends on {wrong:?}");
    }
    let folders = fs::read_dir(root.join("crates")).unwrap().count();
    assert_eq!(folders, CRATES.len(), "name every crate here, in its place");
}

/// The files that may name the process's streams: the writer to the terminal; the check whether a stream can be read from; and a
/// fixed text for the moment when there is no memory to build another.
const STREAMS: &[(&str, &[&str])] =
    &[("commands/terminal.rs", &["io::stdout()", "io::stderr()"]), ("commands/watchdog.rs", &["io::stderr()"])];

#[test]
fn everything_that_is_shown_passes_the_one_door() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let mut named = Vec::new();
    for file in files {
        let name = file.strip_prefix(&src).unwrap().display().to_string();
        let text = fs::read_to_string(&file).unwrap();
        for way in ["io::stdout()", "io::stderr()", "println!", "eprint", "print!(", "error.print()", "/dev/tty"] {
            let here = STREAMS.iter().find(|(file, _)| *file == name).is_some_and(|(_, ways)| ways.contains(&way));
            if text.contains(way) && !here {
                named.push(format!("{name} has {way}"));
            }
        }
    }
    assert!(named.is_empty(), "write to `Output` or `Stream` instead:\n{}", named.join("\n"));
}
