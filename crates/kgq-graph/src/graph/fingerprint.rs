//! Identifies the state of a graph: two graphs with the same fingerprint answer every query alike.

use super::{Graph, kept};
use kgq_snapshot::ContentKey;
use kgq_syntax::error::Result;

impl Graph {
    /// Returns a key for the statements and for what queries are read with: prefixes, base, the default graph.
    ///
    /// # Errors
    /// Those of the files.
    pub fn fingerprint(&self) -> Result<ContentKey> {
        kept(&self.fingerprint, || {
            let mut parts: Vec<Vec<u8>> = Vec::new();
            let snapshot = self.snapshot()?;
            match snapshot.content_key() {
                // A snapshot made in memory from parsed statements has no key.
                key if key == ContentKey::default() => {
                    let statements = snapshot.iter().map(|quad| quad.to_string().into_bytes());
                    parts.push(
                        ContentKey::of(statements.collect::<Vec<_>>().iter().map(Vec::as_slice)).bytes().to_vec(),
                    );
                }
                key => parts.push(key.bytes().to_vec()),
            }
            for (prefix, namespace) in self.prefixes()?.iter() {
                parts.push(format!("{prefix}: {namespace}").into_bytes());
            }
            parts.push(self.base().unwrap_or_default().into());
            parts.push(format!("{:?} {:?}", self.evaluation_options().default_graph, self.options.executor).into());
            snapshot.intact()?;
            Ok(ContentKey::of(parts.iter().map(Vec::as_slice)))
        })
        .copied()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Graph, OpenOptions};

    #[test]
    fn the_fingerprint_differs_with_the_statements_and_with_the_prefixes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.nt");
        let of = |text: &str| {
            std::fs::write(&file, text).unwrap();
            let files = vec![file.display().to_string()];
            Graph::open(OpenOptions { files, ..Default::default() }).unwrap()
        };
        let first = of("<http://e/a> <http://e/p> \"1\" .");
        let key = first.fingerprint().unwrap();
        assert_eq!(of("<http://e/a> <http://e/p> \"1\" .\n").fingerprint().unwrap(), key);
        assert_ne!(first.with_prefix("e", "http://e/").fingerprint().unwrap(), key);
        assert_ne!(of("<http://e/a> <http://e/p> \"2\" .").fingerprint().unwrap(), key);
    }
}
