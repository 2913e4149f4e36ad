//! Sites made anew, broken off, and beside what others put there.

use super::*;

fn publish(root: &Path, files: &[(&str, &str)]) -> Result<Changes> {
    let folder = Folder::open(root, Maker::Publish, &Unfinished::default())?;
    folder.plan(&Arc::new(Paths::of(files.iter().map(|(path, _)| (*path).to_owned()).collect())?))?;
    for (path, text) in files {
        folder.write(path, text.as_bytes())?;
    }
    folder.finish()
}

#[test]
fn a_second_run_writes_what_changed_and_removes_what_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("site");
    publish(&root, &[("a.html", "1"), ("deep/b.html", "2"), ("c.html", "3")]).unwrap();
    let changes = publish(&root, &[("a.html", "1"), ("c.html", "4")]).unwrap();
    assert_eq!((changes.written, changes.unchanged, changes.removed), (1, 1, 1));
    assert!(!root.join("deep").exists());
}

#[test]
fn what_kgq_did_not_make_is_never_touched() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("precious"), "x").unwrap();
    assert_eq!(publish(dir.path(), &[("a", "1")]).unwrap_err().kind(), Kind::Policy);
    let root = dir.path().join("site");
    publish(&root, &[("a", "1")]).unwrap();
    fs::write(root.join("b"), "mine").unwrap();
    assert_eq!(publish(&root, &[("a", "1"), ("b", "2")]).unwrap_err().kind(), Kind::Policy);
    assert_eq!(fs::read(root.join("b")).unwrap(), b"mine");
}

/// Publishes by moving files one by one, interrupted by `stop` when everything is ready.
fn moved(root: &Path, files: &[(&str, &str)], stop: impl Fn(&Path, &Path) -> Result<()>) -> Result<Changes> {
    let folder = Folder::open(root, Maker::Publish, &Unfinished::default())?;
    for (path, text) in files {
        folder.write(path, text.as_bytes())?;
    }
    folder.finish_by(|root, staged, _| {
        stop(root, staged.path())?;
        replace::move_files(root, staged.path())
    })
}

/// All files below a folder with their text, except the manifest.
fn texts(root: &Path) -> BTreeMap<String, String> {
    fn walk(root: &Path, folder: &Path, texts: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                walk(root, &path, texts);
            } else if name != MANIFEST {
                texts.insert(name, fs::read_to_string(path).unwrap());
            }
        }
    }
    let mut all = BTreeMap::new();
    walk(root, root, &mut all);
    all
}

fn as_texts(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

const OLD: &[(&str, &str)] = &[("a", "1"), ("deep/b", "2"), ("same", "s"), ("x", "x")];
const NEW: &[(&str, &str)] = &[("a", "11"), ("new/c", "3"), ("same", "s"), ("x/y", "y")];

#[test]
fn a_run_that_fails_leaves_the_old_site_and_nothing_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("site");
    let folder = Folder::open(&root, Maker::Publish, &Unfinished::default()).unwrap();
    folder.write("a", b"1").unwrap();
    drop(folder);
    assert!(!root.exists());
    publish(&root, OLD).unwrap();
    let folder = Folder::open(&root, Maker::Publish, &Unfinished::default()).unwrap();
    folder.write("a", b"11").unwrap();
    drop(folder);
    assert_eq!(texts(&root), as_texts(OLD));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn an_exchanged_and_a_moved_site_are_the_same_and_keep_what_others_put_there() {
    let dir = tempfile::tempdir().unwrap();
    for way in ["exchanged", "moved"] {
        let root = dir.path().join(way);
        publish(&root, OLD).unwrap();
        fs::write(root.join("CNAME"), "mine").unwrap();
        fs::write(root.join("deep/mine"), "mine").unwrap();
        let mut expected = as_texts(NEW);
        expected.extend(as_texts(&[("CNAME", "mine"), ("deep/mine", "mine")]));
        match way {
            "moved" => moved(&root, NEW, |_, _| Ok(())),
            _ => publish(&root, NEW),
        }
        .unwrap();
        assert_eq!(texts(&root), expected, "{way}");
        assert_eq!(publish(&root, NEW).unwrap().written, 0, "{way}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
}

#[test]
fn a_broken_off_move_is_finished_by_the_next_run() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("site");
    let kept = dir.path().join("kept");
    publish(&root, OLD).unwrap();
    let killed = moved(&root, NEW, |root, staged| {
        fs::rename(staged.join("a"), root.join("a")).unwrap();
        fs::remove_file(root.join("x")).unwrap();
        fs::write(staged.join(".kgq-site.moving"), "").unwrap();
        // A killed process cleans nothing up.
        fs::rename(staged, &kept).unwrap();
        Err(Error::bug("killed"))
    });
    killed.unwrap_err();
    fs::rename(&kept, root.join(STAGED)).unwrap();
    resume(&root, Maker::Publish).unwrap();
    assert_eq!(texts(&root), as_texts(NEW));
    assert_eq!(publish(&root, OLD).unwrap().removed, 2);
}

#[test]
fn what_a_killed_run_left_is_removed_and_what_is_not_ours_in_it_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let (root, old) = (dir.path().join("site"), dir.path().join(".site.building"));
    publish(&old, OLD).unwrap();
    fs::write(old.join("CNAME"), "mine").unwrap();
    publish(&root, NEW).unwrap();
    fs::create_dir_all(root.join(STAGED).join("half")).unwrap();
    fs::write(root.join(STAGED).join("half/a"), "torn").unwrap();
    resume(&root, Maker::Publish).unwrap();
    let mut expected = as_texts(NEW);
    expected.extend(as_texts(&[("CNAME", "mine")]));
    assert_eq!(texts(&root), expected);
    assert!(!old.exists());
    // A folder of that name that is not an old site is kept, and the site is written all the same.
    fs::create_dir(&old).unwrap();
    fs::write(old.join("precious"), "x").unwrap();
    publish(&root, OLD).unwrap();
    assert_eq!(texts(&old), as_texts(&[("precious", "x")]));
    assert_eq!(texts(&root).len(), OLD.len() + 1);
}

#[test]
fn a_command_leaves_the_folder_of_another_alone_and_replaces_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("site");
    publish(&root, OLD).unwrap();
    let open = |root: &Path| Folder::open(root, Maker::Export, &Unfinished::default());
    assert_eq!(open(&root).err().map(|error| error.kind()), Some(Kind::Policy));
    let root = dir.path().join("tables");
    for text in ["1", "2"] {
        let folder = open(&root).unwrap();
        folder.stream("a", |out| out.write_all(text.as_bytes()).map_err(|e| Error::io("a", &e))).unwrap();
        assert_eq!(folder.finish().unwrap().bytes, 1);
        assert_eq!(texts(&root), as_texts(&[("a", text)]));
    }
    assert!(fs::read_to_string(root.join(MANIFEST)).unwrap().contains(&hex(b"2")));
}

#[cfg(unix)]
#[test]
fn two_runs_do_not_write_to_one_folder() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("site");
    let first = Folder::open(&root, Maker::Publish, &Unfinished::default()).unwrap();
    assert_eq!(publish(&root, OLD).unwrap_err().kind(), Kind::Policy);
    drop(first);
    publish(&root, OLD).unwrap();
}

#[test]
fn paths_that_cannot_stand_beside_each_other_are_refused_before_anything_is_written() {
    let check = |paths: &[&str]| {
        let paths = Paths::of(paths.iter().map(|p| (*p).to_owned()).collect());
        paths.and_then(|paths| check(&paths)).is_ok()
    };
    assert!(check(&["a", "b/a", "b/c"]));
    assert!(!check(&["data.html", "Data.html"]));
    assert!(!check(&["a", "A/b/c"]));
    assert!(!check(&["../a"]));
}

#[test]
fn a_manifest_cannot_lead_out_of_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("site");
    fs::create_dir(&root).unwrap();
    fs::write(dir.path().join("victim"), "x").unwrap();
    fs::write(root.join(MANIFEST), r#"{"made-by": "kgq publish", "files": {"../victim": ""}}"#).unwrap();
    assert_eq!(publish(&root, &[("a", "1")]).unwrap_err().kind(), Kind::Policy);
    assert!(dir.path().join("victim").exists());
}

#[cfg(unix)]
#[test]
fn a_link_inside_the_folder_is_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let (root, other) = (dir.path().join("site"), dir.path().join("other"));
    fs::create_dir(&other).unwrap();
    publish(&root, &[("a", "1")]).unwrap();
    std::os::unix::fs::symlink(&other, root.join("deep")).unwrap();
    assert_eq!(publish(&root, &[("a", "1"), ("deep/b", "2")]).unwrap_err().kind(), Kind::Policy);
    assert!(fs::read_dir(&other).unwrap().next().is_none());
}
