//! The history of a project: a private SQLite file in the user's state folder.

use kgq_graph::graph::Graph;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::text::{hexadecimal, typeable};
use reedline::{History, HistoryItem, HistoryItemId, HistorySessionId, SearchQuery, SqliteBackedHistory};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// Opens the history of the project, or of sessions without one. `None` if the user has no home folder.
pub fn open(graph: &Graph) -> Result<Option<Box<dyn History>>> {
    let Some(path) = file(graph) else { return Ok(None) };
    create_private(&path).map_err(|e| Error::io(path.display(), &e))?;
    match SqliteBackedHistory::with_file(path.clone(), None, None) {
        Ok(history) => Ok(Some(Box::new(Typeable(history)))),
        Err(error) => Err(Error::input(format!("the history {} cannot be read: {error}", path.display()))
            .hint("move the file away; the session goes on without it")),
    }
}

/// A history whose entries are safe to show, whoever wrote the file: reedline prints them to the terminal itself.
struct Typeable(SqliteBackedHistory);

fn typeable_item(mut item: HistoryItem) -> HistoryItem {
    item.command_line = typeable(&item.command_line).into_owned();
    item
}

impl History for Typeable {
    fn save(&mut self, item: HistoryItem) -> reedline::Result<HistoryItem> {
        self.0.save(typeable_item(item))
    }

    fn load(&self, id: HistoryItemId) -> reedline::Result<HistoryItem> {
        self.0.load(id).map(typeable_item)
    }

    fn count(&self, query: SearchQuery) -> reedline::Result<i64> {
        self.0.count(query)
    }

    fn search(&self, query: SearchQuery) -> reedline::Result<Vec<HistoryItem>> {
        Ok(self.0.search(query)?.into_iter().map(typeable_item).collect())
    }

    fn update(&mut self, id: HistoryItemId, updater: &dyn Fn(HistoryItem) -> HistoryItem) -> reedline::Result<()> {
        self.0.update(id, updater)
    }

    fn clear(&mut self) -> reedline::Result<()> {
        self.0.clear()
    }

    fn delete(&mut self, id: HistoryItemId) -> reedline::Result<()> {
        self.0.delete(id)
    }

    fn sync(&mut self) -> std::io::Result<()> {
        self.0.sync()
    }

    fn session(&self) -> Option<HistorySessionId> {
        self.0.session()
    }
}

/// The file of the history. `KGQ_HISTORY` names it; if that is set but empty, there is none.
fn file(graph: &Graph) -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("KGQ_HISTORY") {
        return Some(PathBuf::from(path)).filter(|p| !p.as_os_str().is_empty());
    }
    let state = match std::env::var_os("XDG_STATE_HOME").filter(|p| !p.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(std::env::var_os("HOME").filter(|p| !p.is_empty())?).join(".local/state"),
    };
    let name = match graph.project() {
        Some(project) => {
            let digest = Sha256::digest(project.root.to_string_lossy().as_bytes());
            let short = hexadecimal(&digest[..6]);
            let name: String = project.manifest.name.chars().filter(|c| c.is_alphanumeric() || *c == '-').collect();
            format!("{name}-{short}")
        }
        None => "files".into(),
    };
    Some(state.join("kgq/history").join(format!("{name}.sqlite3")))
}

/// Makes the file and its folder readable for their owner only. SQLite gives its side files the mode of the database.
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

#[cfg(test)]
mod tests {
    use super::*;
    use reedline::SearchDirection;

    #[test]
    fn an_entry_with_controls_is_found_in_characters_that_can_be_seen() {
        let mut kept = SqliteBackedHistory::in_memory().unwrap();
        let saved = kept.save(HistoryItem::from_command_line("ASK { 'x\u{9b}31m' }")).unwrap();
        let history = Typeable(kept);
        let all = history.search(SearchQuery::everything(SearchDirection::Forward, None)).unwrap();
        assert_eq!(all[0].command_line, "ASK { 'x\\u009B31m' }");
        assert_eq!(history.load(saved.id.unwrap()).unwrap().command_line, all[0].command_line);
    }
}
