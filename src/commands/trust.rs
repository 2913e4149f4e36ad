//! The projects that the user trusts to name files outside of their folder: a list of folders, a line each, in the user's own
//! configuration. A key of kgq.toml could not say this, as whoever wrote the project wrote that too.

use kgq_syntax::error::{Error, Result};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The name of the list.
const LIST: &str = "trusted-projects";

/// The folders that are trusted; none where there is no list.
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
    let list = config.join(LIST);
    let append = || -> std::io::Result<()> {
        fs::create_dir_all(config)?;
        OpenOptions::new().create(true).append(true).open(&list)?.write_all(format!("{line}\n").as_bytes())
    };
    append().map_err(|e| Error::io(list.display(), &e))
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
}
