//! A repository's own configuration runs no program when kgq asks git about its files.

use super::{needs, program};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn git(folder: &Path, arguments: &[&str]) -> std::io::Result<Output> {
    let own = ["-c", "user.name=t", "-c", "user.email=t@e.example", "-c", "commit.gpgsign=false"];
    Command::new("git").current_dir(folder).args(own).args(arguments).output()
}

#[test]
fn who_wrote_lines_is_asked_without_the_programs_that_a_repository_names() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let Ok(_) = git(folder, &["init", "-q"]) else { return needs::absent_tool("git") };
    let manifest = "name = \"t\"\nbase = \"http://e/\"\ndata = [\"*.ttl\"]\n[prefixes]\ne = \"http://e/\"\n";
    fs::write(folder.join("kgq.toml"), manifest).unwrap();
    fs::write(folder.join("a.ttl"), "@prefix e: <http://e/> .\n\ne:ada\n    e:age 36 ;\n.\n").unwrap();
    fs::write(folder.join(".gitattributes"), "*.ttl diff=marked\n").unwrap();
    let marker = folder.join("marker");
    for (key, value) in [
        ("diff.marked.textconv", format!("sh -c 'touch {}; cat \"$1\"' sh", marker.display())),
        ("diff.marked.command", format!("touch {}", marker.display())),
        ("core.fsmonitor", format!("touch {}", marker.display())),
    ] {
        assert!(git(folder, &["config", key, &value]).unwrap().status.success());
    }
    for arguments in [&["add", "."][..], &["commit", "-qm", "first"]] {
        assert!(git(folder, &[&["-c", "core.fsmonitor=false"], arguments].concat()).unwrap().status.success());
    }
    let _ = fs::remove_file(&marker);
    let why = program::run(folder, &["why", "SELECT ?age { e:ada e:age ?age }", "--blame"]);
    assert!(why.code == 0 && why.text().contains("first"), "{}{}", why.text(), why.stderr);
    let published = program::run(folder, &["publish", "--output", "site"]);
    assert_eq!(published.code, 0, "{}", published.stderr);
    assert!(!marker.exists(), "a program of the repository ran");
    // Plain git would run it.
    assert!(git(folder, &["-c", "core.fsmonitor=false", "blame", "a.ttl"]).unwrap().status.success());
    assert!(marker.exists(), "the repository names no program: nothing was tested");
}
