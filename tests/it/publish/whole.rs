//! A site is complete, old or new, whenever the program that publishes it is killed; and the next run is never refused.

use crate::kills::kills;
use crate::program;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// Data with this many things, each with this word in its name.
fn data(things: usize, word: &str) -> String {
    let lines = (0..things).map(|i| {
        format!("<http://e.example/t{i}> <http://www.w3.org/2000/01/rdf-schema#label> \"{word} {}\" .\n", i % 7)
    });
    lines.collect()
}

/// The files of a site, without those of the killed run and those that others put there.
fn site(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = super::files(root);
    files.retain(|path, _| !path.starts_with(".kgq-site.building/") && path != "CNAME");
    files
}

/// Kills publishing at moments all over its run, started from a folder of the project, and checks that the old site or the new
/// one is left. With `finish`, it checks after the next start has finished what was begun.
fn killed(from: &str, output: &str, finish: bool) {
    let folder = program::folder_in_memory();
    let root = folder.path().join("site");
    let from = folder.path().join(from);
    let manifest = "name = \"many\"\nbase = \"http://e.example/\"\ndata = [\"d.ttl\"]\n";
    fs::write(folder.path().join("kgq.toml"), manifest).unwrap();
    fs::create_dir(&root).unwrap();
    let state = |text: String| fs::write(folder.path().join("d.ttl"), text).unwrap();
    let arguments = ["publish", "--strict", "--output", output];
    let publish = || {
        let ran = program::run(&from, &arguments);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    };
    let (before, after) = (data(60, "old"), data(80, "new"));
    state(before.clone());
    publish();
    fs::write(root.join("CNAME"), "mine").unwrap();
    let old = site(&root);
    state(after.clone());
    let started = Instant::now();
    publish();
    let usual = started.elapsed();
    let new = site(&root);
    assert_ne!(old, new);

    let mut random = fastrand::Rng::with_seed(3);
    let mut ended = [0; 3];
    let rounds = (kills() / 6).max(4);
    // On a machine whose speed changes all may come too late: then there are more.
    for round in 0..rounds * 12 {
        if round >= rounds && ended[1] + ended[2] > 0 {
            break;
        }
        state(before.clone());
        publish();
        assert!(site(&root) == old, "round {round}: the next run does not give its site");
        state(after.clone());
        let wait = usual.mul_f64(random.f64() * 1.1).max(Duration::from_millis(1));
        let signal = if round % 3 == 2 { libc::SIGTERM } else { libc::SIGKILL };
        let mut child = program::command(&from).args(arguments).spawn().unwrap();
        std::thread::sleep(wait);
        program::send(signal, &child);
        let whole = child.wait().unwrap().success();
        if finish {
            state("<http://e.example/t0> .".to_owned());
            assert_eq!(program::run(&from, &arguments).code, 3);
        }
        let found = site(&root);
        assert!(found == old || found == new, "killed by {signal} after {wait:?}: a site that is neither");
        ended[usize::from(!whole) + usize::from(!whole && found == new)] += 1;
    }
    assert!(ended[1] + ended[2] > 0, "no kill came in time: {ended:?}");
    state(after);
    publish();
    assert_eq!(fs::read(root.join("CNAME")).unwrap(), b"mine");
    assert!(!root.join(".kgq-site.building").exists());
    let mut names: Vec<String> =
        folder.path().read_dir().unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| name != ".cache");
    names.sort();
    assert_eq!(names, ["d.ttl", "kgq.toml", "site"]);
}

#[test]
fn a_killed_publish_leaves_the_old_site_or_the_new_and_the_next_one_runs() {
    killed(".", "site", false);
}

/// The current folder cannot be exchanged: its files are moved one by one, and the next start completes that.
#[test]
fn a_publish_killed_where_it_moves_files_is_finished_by_the_next_start() {
    killed("site", ".", true);
}

/// The manifest that an earlier version left when it was killed.
#[test]
fn a_manifest_that_cannot_be_read_is_told_with_the_way_out() {
    let project = super::project(&[("data/d.ttl", super::SMALL)]);
    let root = project.path().join("out");
    super::publish(project.path(), &root, &[]);
    fs::write(root.join(".kgq-site.json"), "").unwrap();
    let ran = super::kgq(project.path(), &["publish", "--output", root.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(!ran.status.success() && said.contains("remove the folder if nothing in it is yours"), "{said}");
}
