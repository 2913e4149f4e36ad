//! What README.md shows is what the program prints.

use super::program;
use std::path::Path;
use std::process::{Command, Stdio};

/// The examples: each command line, with what stands below it up to the next one or the end of its block.
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

/// The first part of what is shown that does not stand in what was printed, behind the parts before it; `[…]` stands for anything.
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
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("project");
    for part in ["ontology", "data", "queries"] {
        program::copy_folder(&root.join(part), &folder.join(part));
    }
    std::fs::copy(root.join("kgq.toml"), folder.join("kgq.toml")).unwrap();
    let programs = Path::new(env!("CARGO_BIN_EXE_kgq")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default());
    let printed = |command: &str| {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("kgq {command} 2>&1")).current_dir(&folder).env_clear();
        shell.envs([("PATH", path.as_str()), ("LC_ALL", "C.UTF-8")]).env("HOME", home.path()).stdin(Stdio::null());
        String::from_utf8(shell.output().unwrap().stdout).unwrap()
    };
    printed("bundle regions-by-cohort --output regions.zip");
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let examples = examples(&readme);
    assert!(examples.len() >= 6, "{} examples", examples.len());
    for (command, shown) in examples {
        // Rows look as on a terminal.
        let rows = command.starts_with("run ") || command.starts_with("query ");
        let told = printed(&if rows { format!("{command} --format table") } else { command.clone() });
        assert_eq!(missing(&shown, &told), None, "of `kgq {command}`, which prints\n{told}");
    }
}
