//! Where a project's history is kept: a private SQLite file in the user's state folder.

use kgq_graph::session::Session;
use kgq_syntax::error::{Error, Result};
use reedline::{History, SqliteBackedHistory};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// The history of this session's project, or of the session without one. `None` where the user has no home to keep it.
pub fn open(session: &Session) -> Result<Option<Box<dyn History>>> {
    let Some(path) = file(session) else { return Ok(None) };
    create_private(&path).map_err(|e| Error::io(path.display(), &e))?;
    match SqliteBackedHistory::with_file(path.clone(), None, None) {
        Ok(history) => Ok(Some(Box::new(history))),
        Err(error) => Err(Error::input(format!("the history {} cannot be read: {error}", path.display()))
            .hint("move the file away; the session goes on without it")),
    }
}

/// `KGQ_HISTORY` names a file, or, empty, asks for none.
fn file(session: &Session) -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("KGQ_HISTORY") {
        return Some(PathBuf::from(path)).filter(|p| !p.as_os_str().is_empty());
    }
    let state = match std::env::var_os("XDG_STATE_HOME").filter(|p| !p.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(std::env::var_os("HOME").filter(|p| !p.is_empty())?).join(".local/state"),
    };
    let name = match session.project() {
        Some(project) => {
            let digest = Sha256::digest(project.root.to_string_lossy().as_bytes());
            let short: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
            let name: String = project.manifest.name.chars().filter(|c| c.is_alphanumeric() || *c == '-').collect();
            format!("{name}-{short}")
        }
        None => "files".into(),
    };
    Some(state.join("kgq/history").join(format!("{name}.sqlite3")))
}

/// Makes the file and its folder readable for their owner alone. SQLite gives its side files the mode of the database.
fn create_private(path: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
        if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty() && !f.exists()) {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    }
    #[cfg(not(unix))]
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    Ok(())
}
