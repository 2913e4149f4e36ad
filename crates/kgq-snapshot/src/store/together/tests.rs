use super::*;
use std::cell::Cell;

const FILES: [&str; 3] = ["a.ttl", "sub/b.ttl", "made/here/new.ttl"];

/// A folder with two files, and an edit that changes one, removes the other, and creates a third.
fn folder() -> (tempfile::TempDir, Vec<Replacement>) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    fs::write(folder.path().join("a.ttl"), "old a").unwrap();
    fs::write(folder.path().join("sub/b.ttl"), "old b").unwrap();
    let file = |name: &str, before: Option<&str>, after: Option<&str>| Replacement {
        name: name.into(),
        before: before.map(|text| text.as_bytes().to_vec()),
        after: after.map(|text| text.as_bytes().to_vec()),
    };
    let edit = vec![
        file("a.ttl", Some("old a"), Some("new a\n\0")),
        file("sub/b.ttl", Some("old b"), None),
        file("made/here/new.ttl", None, Some("")),
    ];
    (folder, edit)
}

fn state(root: &Path) -> Vec<Option<Vec<u8>>> {
    FILES.iter().map(|name| fs::read(root.join(name)).ok()).collect()
}

fn leftovers(root: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for folder in [root.to_owned(), root.join("sub"), root.join("made/here"), root.join(FOLDER)] {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(".building") || name == JOURNAL || name == "writer" {
                names.push(name);
            }
        }
    }
    names
}

#[test]
fn an_edit_is_whole_or_not_at_all_whichever_step_fails() {
    let (first, edit) = folder();
    let old = state(first.path());
    let count = Cell::new(0);
    let counting = |_: Step, _: &Path| {
        count.set(count.get() + 1);
        Ok(())
    };
    let (writing, _) = write(first.path(), &|_| ()).unwrap();
    writing.replace_by(&edit, &Unfinished::default(), &counting).unwrap();
    drop(writing);
    let new = state(first.path());
    let steps = count.get();
    assert!(steps > 15, "{steps} steps");
    let (mut stayed, mut held) = (0, 0);
    // Either one step fails, as if a disk were full for a moment; or every step from then on does, as if the power were cut.
    for (failing, once) in (1..=steps).flat_map(|failing| [(failing, true), (failing, false)]) {
        let (folder, edit) = folder();
        let root = folder.path();
        let at = Cell::new(0);
        let fails = |step: Step, path: &Path| {
            at.set(at.get() + 1);
            if at.get() == failing || (at.get() > failing && !once) {
                Err(io::Error::other(format!("{step:?} of {}", path.display())))
            } else {
                Ok(())
            }
        };
        let (writing, _) = write(root, &|_| ()).unwrap();
        let error = writing.replace_by(&edit, &Unfinished::default(), &fails).unwrap_err();
        let told = error.hints().iter().any(|hint| hint.contains("is decided") || hint.contains("are changed"));
        drop(writing);
        let (reading, finished) = read(root).unwrap();
        drop(reading);
        let now = state(root);
        assert!(now == old || now == new, "step {failing}: {now:?}");
        assert_eq!(leftovers(root), Vec::<String>::new(), "step {failing}");
        if now == old {
            stayed += 1;
            assert!(finished.is_empty());
        } else {
            held += 1;
            assert!(told, "step {failing}: {error}");
        }
    }
    assert!(stayed > 5 && held > 5, "{stayed} stayed as they were, {held} are done");
}

#[test]
fn the_next_start_finishes_what_is_decided_and_says_what() {
    let (folder, edit) = folder();
    let root = folder.path();
    decide(root, &edit, &Unfinished::default(), &|_, _| Ok(())).unwrap();
    // One file may already be in its place.
    fs::create_dir_all(root.join("made/here")).unwrap();
    fs::write(root.join("made/here/new.ttl"), "").unwrap();
    let (reading, finished) = read(root).unwrap();
    assert!(reading.is_held());
    assert_eq!(finished, ["a.ttl", "sub/b.ttl"]);
    assert_eq!(state(root), [Some(b"new a\n\0".to_vec()), None, Some(Vec::new())]);
    assert_eq!(fs::read_to_string(root.join(".kgq/.gitignore")).unwrap(), "*\n");
}

#[test]
fn a_file_that_somebody_else_changed_is_not_overwritten() {
    let (folder, edit) = folder();
    let root = folder.path();
    fs::write(root.join("sub/b.ttl"), "by hand").unwrap();
    let (writing, _) = write(root, &|_| ()).unwrap();
    let error = writing.replace(&edit, &Unfinished::default()).unwrap_err();
    assert!(error.message().contains("sub/b.ttl was changed while it was edited"), "{error}");
    drop(writing);
    assert_eq!(state(root), [Some(b"old a".to_vec()), Some(b"by hand".to_vec()), None]);
    // Nor is it overwritten after the edit was decided.
    let decided: Vec<_> = edit.iter().filter(|file| file.before.is_some()).cloned().collect();
    decide(root, &decided, &Unfinished::default(), &|_, _| Ok(())).unwrap();
    let error = read(root).unwrap_err();
    assert!(error.message().contains("sub/b.ttl was changed after"), "{error}");
}

#[test]
fn a_journal_that_came_with_a_folder_writes_nothing_outside_and_nothing_hidden() {
    for name in ["../x.ttl", "/tmp/x.ttl", ".git/hooks/post-commit", "sub/../../x", "out/x.ttl"] {
        let (folder, _) = folder();
        #[cfg(unix)]
        std::os::unix::fs::symlink("/tmp", folder.path().join("out")).unwrap();
        let edit = Replacement { name: name.into(), before: None, after: Some(b"x".to_vec()) };
        decide(folder.path(), &[edit], &Unfinished::default(), &|_, _| Ok(())).unwrap();
        assert_eq!(read(folder.path()).unwrap_err().kind(), Kind::Policy, "{name}");
    }
}

#[test]
fn a_journal_is_read_as_it_was_written_or_not_at_all() {
    let (_folder, edit) = folder();
    let bytes = Journal::of(&edit).bytes();
    assert_eq!(Journal::read(&bytes).unwrap().entries.len(), 3);
    for cut in 0..bytes.len() {
        assert!(Journal::read(&bytes[..cut]).is_none());
        let mut other = bytes.clone();
        other[cut] ^= 1;
        assert!(Journal::read(&other).is_none());
    }
}

#[test]
fn one_writes_while_nobody_reads() {
    let (folder, _) = folder();
    let root = folder.path().to_owned();
    let readers = [read(&root).unwrap().0, read(&root).unwrap().0];
    let told = std::sync::mpsc::channel();
    let writer = std::thread::spawn(move || {
        let waits = |who: &str| told.0.send(who.to_owned()).unwrap();
        let (writing, _) = write(&root, &waits).unwrap();
        drop(writing);
    });
    assert_eq!(told.1.recv().unwrap(), "another process");
    drop(readers);
    writer.join().unwrap();
}
