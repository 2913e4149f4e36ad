//! SPARQL Update, on Oxigraph's store; what it changes, as quads with their lexical forms kept.

use super::blank::{Relabel, nodes_of};
use super::dataset::Dataset;
use crate::error::{Error, Result};
use crate::rdf::{BlankNode, Quad};
use oxigraph::sparql::SparqlEvaluator;
use oxigraph::store::Store;
use rustc_hash::FxHashSet;

/// What an update changes.
#[derive(Clone, Debug, Default)]
pub struct Change {
    pub added: Vec<Quad>,
    pub removed: Vec<Quad>,
}

/// Opens a store in memory and loads the dataset into it.
pub fn load_into_store(dataset: &Dataset) -> Result<Store> {
    let store = Store::new().map_err(|e| store_error(&e))?;
    let mut loader = store.bulk_loader();
    loader.load_quads(dataset.quads().iter().cloned()).map_err(|e| store_error(&e))?;
    loader.commit().map_err(|e| store_error(&e))?;
    Ok(store)
}

/// Runs an update on the dataset; returns the changed dataset and the change. Either all of the update's operations
/// hold, or none.
pub fn update(dataset: &Dataset, update: spargebra::Update) -> Result<(Dataset, Change)> {
    let before = load_into_store(dataset)?;
    let after = load_into_store(dataset)?;
    let mut transaction = after.start_transaction().map_err(|e| store_error(&e))?;
    SparqlEvaluator::new()
        .for_update(update)
        .on_transaction(&mut transaction)
        .execute()
        .map_err(|e| Error::input(format!("the update failed: {e}")))?;
    transaction.commit().map_err(|e| store_error(&e))?;

    // The store normalises literals, `contains` does so too: what is still in it is kept as it was written.
    let mut kept = Vec::with_capacity(dataset.len());
    let mut change = Change::default();
    for quad in dataset.quads() {
        if after.contains(quad).map_err(|e| store_error(&e))? {
            kept.push(quad.clone());
        } else {
            change.removed.push(quad.clone());
        }
    }
    for quad in &after {
        let quad = quad.map_err(|e| store_error(&e))?;
        if !before.contains(&quad).map_err(|e| store_error(&e))? {
            change.added.push(quad);
        }
    }
    name_new_nodes(dataset, &mut change.added);
    kept.extend(change.added.iter().cloned());
    let mut changed = Dataset::from_quads(kept);
    changed.prefixes = dataset.prefixes.clone();
    Ok((changed, change))
}

/// Sorts new quads and names their new blank nodes by that order, so that the same update gives the same file.
fn name_new_nodes(dataset: &Dataset, added: &mut [Quad]) {
    let known: FxHashSet<BlankNode> = dataset.quads().iter().flat_map(nodes_of).collect();
    let key = |quad: &Quad| {
        let mut key = quad.to_string();
        for node in nodes_of(quad) {
            if !known.contains(&node) {
                key = key.replace(&node.to_string(), "_:");
            }
        }
        key
    };
    added.sort_by_cached_key(key);
    let mut relabel = Relabel::of_update(known);
    for quad in added {
        relabel.quad(quad);
    }
}

fn store_error(error: &dyn std::error::Error) -> Error {
    Error::new(crate::error::Kind::Io, format!("the store: {error}"))
}
