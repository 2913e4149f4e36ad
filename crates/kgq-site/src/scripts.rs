//! The initial data of the query page in a folder.

use super::dumps;
use super::model::Model;
use serde_json::json;

/// The canned queries, the prefixes, the names, and the dump to load.
pub fn asked_queries(model: &Model<'_>) -> String {
    let queries: Vec<_> = model
        .source
        .queries
        .iter()
        .filter(|q| !q.canned.is_check())
        .map(|q| json!({"name": q.canned.name, "title": q.title(model), "text": q.bound}))
        .collect();
    let prefixes: serde_json::Map<String, serde_json::Value> =
        model.source.prefixes.iter().map(|(prefix, namespace)| (prefix.to_owned(), json!(namespace))).collect();
    let pages: serde_json::Map<String, serde_json::Value> = model
        .pages()
        .filter_map(|thing| {
            let page = model.page(thing.as_str())?;
            let others: Vec<&str> = model.titles(&thing).others.iter().map(|title| title.value()).collect();
            Some((thing.as_str().to_owned(), json!([page, model.label(&thing), others])))
        })
        .collect();
    let all = json!({"queries": queries, "prefixes": prefixes, "base": model.source.base, "dump": dumps::main_dump(model), "things": pages});
    let text = all.to_string().replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
    format!("window.kgqData = {text};\n")
}
