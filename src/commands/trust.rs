//! The projects that the user trusts to name files outside their folder: a list of folders, one per line, in the user's own
//! configuration. A key of kgq.toml could not grant this, as it has the same author as the project.

use super::output::{Output, write_file};
use kgq_graph::project::Project;
use kgq_snapshot::store::together;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::text::visible;
use std::fs;
use std::path::{Path, PathBuf};

/// Which projects may name files outside of their folders: list them, add one, take trust back
///
/// A project may name files in its own folder only, links followed, as whoever wrote it could otherwise have yours read and shown.
/// The list is in the folder `kgq` of $XDG_CONFIG_HOME, or of ~/.config. `--trust` with any command adds the project too.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  kgq trust list
  kgq trust remove
  kgq trust remove ~/old/project")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Print the folders of the projects that are trusted, one a line
    List,
    /// Trust the project in a folder, or in this one
    Add {
        /// Its folder, or one in it
        project: Option<PathBuf>,
    },
    /// Take trust back from the project in a folder, or in this one; the folder need not be there any more
    Remove {
        /// Its folder, or one in it
        project: Option<PathBuf>,
    },
}

/// Runs in a folder, with the user's configuration. No kgq.toml is read: trust in a project with a broken one can be withdrawn
/// too.
pub fn run(args: &Args, here: &Path, config: Option<&Path>, output: &mut Output) -> Result<u8> {
    match &args.action {
        Action::List => {
            for folder in folders(config) {
                output.line(&visible(&folder.display().to_string()))?;
                if !folder.is_dir() {
                    output.note(&format!("{} is not there any more", folder.display()));
                }
            }
        }
        Action::Add { project } => {
            let folder = project.as_ref().map_or_else(|| here.to_owned(), |project| here.join(project));
            let root = Project::find_root(&folder)?
                .ok_or_else(|| Error::usage(format!("{} lies in no project: there is no kgq.toml", shown(&folder))))?;
            remember(config, &root)?;
            output.line(&format!("trusted: {}", visible(&root.display().to_string())))?;
        }
        Action::Remove { project } => {
            let folder = project.as_ref().map_or_else(|| here.to_owned(), |project| here.join(project));
            let root = forget(config, &folder)?;
            output.line(&format!("not trusted any more: {}", visible(&root.display().to_string())))?;
        }
    }
    Ok(0)
}

/// The file name of the list.
const LIST: &str = "trusted-projects";

/// The trusted folders; empty if there is no list.
pub fn folders(config: Option<&Path>) -> Vec<PathBuf> {
    let list = config.and_then(|folder| fs::read_to_string(folder.join(LIST)).ok()).unwrap_or_default();
    list.lines().filter(|line| line.starts_with('/')).map(PathBuf::from).collect()
}

/// Adds a project's folder to the list.
pub fn remember(config: Option<&Path>, root: &Path) -> Result<()> {
    if folders(config).iter().any(|known| known == root) {
        return Ok(());
    }
    let (Some(config), Some(line)) = (config, root.to_str().filter(|path| !path.contains(['\n', '\r']))) else {
        return Err(Error::input("this project cannot be remembered as trusted")
            .hint("its path must be a line of UTF-8, and HOME or XDG_CONFIG_HOME an absolute path"));
    };
    change(config, |text| {
        let is_there = text.lines().any(|known| known == line);
        let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        if is_there { text.to_owned() } else { format!("{text}{end}{line}\n") }
    })
}

/// Changes the list as a whole. Whoever else changes it meanwhile waits.
fn change(config: &Path, change: impl Fn(&str) -> String) -> Result<()> {
    let list = config.join(LIST);
    let failed = |e: std::io::Error| Error::io(list.display(), &e);
    fs::create_dir_all(config).map_err(failed)?;
    let (_lock, _) = together::write(config, &|_| ())?;
    let text = match fs::read_to_string(&list) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        read => read.map_err(failed)?,
    };
    let changed = change(&text);
    if changed == text {
        return Ok(());
    }
    write_file(&list, |out| out.write_all(changed.as_bytes()).map_err(failed))
}

fn shown(folder: &Path) -> String {
    std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned()).display().to_string()
}

/// Removes from the list the project that a folder is or lies in.
fn forget(config: Option<&Path>, folder: &Path) -> Result<PathBuf> {
    let absolute = std::path::absolute(folder).map_err(|e| Error::io(folder.display(), &e))?;
    let real = fs::canonicalize(&absolute).unwrap_or_else(|_| absolute.clone());
    let known = folders(config);
    let mut around = real.ancestors().chain(absolute.ancestors());
    let (Some(root), Some(config)) = (around.find(|folder| known.iter().any(|known| known == folder)), config) else {
        return Err(Error::usage(format!("{} is not trusted, and lies in no project that is", absolute.display()))
            .hint("`kgq trust list` prints those that are"));
    };
    change(config, |text| {
        text.lines().filter(|line| Path::new(line) != root).map(|line| format!("{line}\n")).collect()
    })?;
    Ok(root.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_remembered_once_and_one_that_is_no_line_is_refused() {
        let config = tempfile::tempdir().unwrap();
        let list = config.path().join("kgq");
        assert!(folders(Some(&list)).is_empty());
        for _ in 0..2 {
            remember(Some(&list), Path::new("/a/部")).unwrap();
        }
        assert_eq!(folders(Some(&list)), [PathBuf::from("/a/部")]);
        assert!(remember(Some(&list), Path::new("/a\n/b")).is_err());
        assert!(remember(None, Path::new("/a")).is_err());
    }

    #[test]
    fn projects_that_are_trusted_at_once_are_all_remembered() {
        let config = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for number in 0..20 {
                let root = PathBuf::from(format!("/none/{number}"));
                let config = config.path();
                scope.spawn(move || remember(Some(config), &root).unwrap());
            }
        });
        assert_eq!(folders(Some(config.path())).len(), 20);
    }

    #[test]
    fn trust_is_taken_back_from_the_project_that_a_folder_lies_in() {
        let config = tempfile::tempdir().unwrap();
        for root in ["/none/a", "/none/a/b", "/none/c"] {
            remember(Some(config.path()), Path::new(root)).unwrap();
        }
        assert_eq!(forget(Some(config.path()), Path::new("/none/a/b/data")).unwrap(), PathBuf::from("/none/a/b"));
        assert_eq!(folders(Some(config.path())), [PathBuf::from("/none/a"), PathBuf::from("/none/c")]);
        assert!(forget(Some(config.path()), Path::new("/none")).is_err());
        assert!(forget(None, Path::new("/none/a")).is_err());
    }
}
