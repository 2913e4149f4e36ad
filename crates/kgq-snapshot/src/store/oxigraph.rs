//! Oxigraph's store, filled from a dataset. It normalises literals, so nothing but counting goes through it.

use super::dataset::Dataset;
use kgq_syntax::error::{Error, Kind, Result};
use oxigraph::store::Store;

/// Opens a store in memory and loads the dataset into it.
pub fn load_into_store(dataset: &Dataset) -> Result<Store> {
    let failed = |error: &dyn std::error::Error| Error::new(Kind::Io, format!("the store: {error}"));
    let store = Store::new().map_err(|e| failed(&e))?;
    let mut loader = store.bulk_loader();
    loader.load_quads(dataset.quads().iter().cloned()).map_err(|e| failed(&e))?;
    loader.commit().map_err(|e| failed(&e))?;
    Ok(store)
}
