//! Other machines, for SERVICE and for data named by an address. They are asked only if kgq.toml names the host and the
//! user trusts the project. The program supplies what sends the requests, or nothing.

use super::Graph;
use crate::project::Project;
use kgq_engine::{Row, ServiceQuery, Services};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{NamedNode, Variable};
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

/// Sends requests to other machines: only to the given hosts, and within the given time.
pub trait Network: Debug + Send + Sync {
    /// Returns what answers SERVICE.
    fn services(&self, hosts: &[String], time: Option<Duration>) -> Arc<dyn Services>;

    /// Fetches the document at an address.
    ///
    /// # Errors
    /// The host is not one of these, or does not deliver the document.
    fn fetch(&self, address: &str, hosts: &[String], time: Option<Duration>) -> Result<Fetched>;
}

/// A document fetched from another machine.
#[derive(Clone, Debug)]
pub struct Fetched {
    pub bytes: Vec<u8>,
    pub media_type: Option<String>,
}

impl Graph {
    /// Whether this name refers to another machine; if the program cannot ask one, the name is taken for a file.
    pub(super) fn is_fetched(&self, name: &str) -> bool {
        let begins = |scheme: &str| name.get(..scheme.len()).is_some_and(|own| own.eq_ignore_ascii_case(scheme));
        self.options.network.is_some() && ["http://", "https://"].into_iter().any(begins)
    }

    /// Returns what answers SERVICE in this graph's queries; `None` if no host is named, or the program cannot ask one.
    pub(super) fn services(&self) -> Option<Arc<dyn Services>> {
        let (project, network) = (self.project()?, self.options.network.as_ref()?);
        let hosts = &project.manifest.net.hosts;
        match (hosts.is_empty(), project.is_trusted) {
            (true, _) => None,
            (false, true) => Some(network.services(hosts, self.options.limits.time)),
            (false, false) => Some(Arc::new(Distrusted)),
        }
    }

    /// Adds to the error of a refused SERVICE that kgq.toml names hosts, but this program cannot ask them.
    pub(super) fn told_of_network(&self, error: Error) -> Error {
        let names = self.project().is_some_and(|project| !project.manifest.net.hosts.is_empty());
        match names && self.options.network.is_none() {
            true => error.hint(
                "kgq.toml names hosts below `[net]`, but this kgq was built without the feature `net`, which asks them",
            ),
            false => error,
        }
    }

    /// Fetches the document at an address, if the project of this folder names its host.
    pub(super) fn fetch(&self, address: &str) -> Result<Fetched> {
        let refused = |why: &str| Error::policy(format!("{address} is not fetched: {why}"));
        let network = self.options.network.as_ref().ok_or_else(|| refused("this kgq makes no network request"))?;
        let mut project = Project::find(&self.options.folder)?.ok_or_else(|| {
            refused("no kgq.toml names its host").hint("name it in kgq.toml: `hosts = [\"…\"]` below `[net]`")
        })?;
        project.is_trusted = self.options.trusted.contains(&project.root);
        match project.is_trusted || project.manifest.net.hosts.is_empty() {
            true => network.fetch(address, &project.manifest.net.hosts, self.options.asked_limits.time),
            false => Err(distrusted(address)),
        }
    }
}

/// Refuses every request, because the user does not trust the project that names the hosts.
#[derive(Debug)]
struct Distrusted;

impl Services for Distrusted {
    fn select(&self, endpoint: &NamedNode, _: &ServiceQuery) -> Result<(Vec<Variable>, Vec<Row>)> {
        Err(distrusted(endpoint.as_str()))
    }
}

fn distrusted(address: &str) -> Error {
    Error::policy(format!("{address} is not asked: kgq.toml names hosts, but this project is not trusted"))
        .hint("if you trust whoever wrote the project to name other machines, run once with `--trust`")
}

#[cfg(test)]
mod tests {
    use crate::graph::{Graph, OpenOptions};
    use kgq_syntax::error::Source;

    #[test]
    fn a_service_that_is_named_and_that_nobody_can_ask_says_what_the_program_lacks() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |manifest: &str| {
            std::fs::write(folder.path().join("kgq.toml"), manifest).unwrap();
            let graph = Graph::open(OpenOptions { folder: folder.path().into(), ..Default::default() }).unwrap();
            let query = "SELECT * { SERVICE <https://data.example/sparql> { ?s ?p ?o } }";
            graph.parse(Source::new("query", query)).unwrap_err().to_string()
        };
        assert!(
            refused("name = \"t\"\n[net]\nhosts = [\"data.example\"]\n").contains("built without the feature `net`")
        );
        assert!(!refused("name = \"t\"\n").contains("hint"));
    }
}
