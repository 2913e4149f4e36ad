//! `/openapi.json`: describes every address of this server, and every canned query with its parameters, as OpenAPI 3.1.

use super::canned::catalog;
use super::reply::Ending;
use super::request::RequestKey;
use super::service::write_json;
use super::sparql::respond;
use super::why::LAST;
use super::work::{Job, work};
use super::{Shared, bundle, negotiate};
use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use axum::response::Response;
use kgq_engine::query::Form;
use kgq_graph::catalog::{CannedQuery, Param, ParamKind, ParameterContext};
use kgq_graph::render::Format;
use kgq_site::{OF_ANSWERS, parameter_in_address};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::RdfFormat;
use serde_json::{Map, Value, json};

pub async fn describe(State(server): State<Shared>, request: Request<Body>) -> Response {
    let (parts, _) = request.into_parts();
    let described = async {
        let asked = RequestKey::of(&parts)?;
        work(&server, asked, |job, reply| {
            let description = description(job)?;
            write_json(job, &description, reply)
        })
        .await
    };
    respond(described.await)
}

/// The complete description.
pub fn description(job: &Job<'_>) -> Result<Value, Ending> {
    let graph = &job.held.graph;
    let language = job.asked.language().unwrap_or_else(|| graph.language());
    let mut paths = fixed();
    if job.server.settings.writing.is_some() {
        add_writing(&mut paths);
    }
    let known = graph.known()?;
    let queries = catalog(graph)?.into_iter().flat_map(|catalog| &catalog.queries).filter(|query| !query.is_check());
    for query in queries {
        let get = canned(query, &known, &language)?;
        paths.insert(format!("/query/{}", query.name), json!({ "post": posted(&get, false), "get": get }));
    }
    let title =
        graph.project().map_or("kgq", |project| project.manifest.title.as_deref().unwrap_or(&project.manifest.name));
    Ok(json!({
        "openapi": "3.1.0",
        "info": {"title": title, "version": &job.held.tag},
        "servers": [{"url": job.server.address_for(job.asked)}],
        "paths": paths,
        "components": {
            "schemas": {"Problem": problem()},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "responses": {"Problem": {
                "description": "What went wrong",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }},
        },
    }))
}

fn problem() -> Value {
    json!({
        "type": "object",
        "required": ["title", "status", "detail"],
        "properties": {
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "line": {"type": "integer", "description": "Of the query, from 1"},
            "column": {"type": "integer", "description": "In code points, from 1"},
            "hints": {"type": "array", "items": {"type": "string"}},
            "text": {"type": "string", "description": "The whole message, with the line and a caret below it"},
            "limit": {"type": "string", "enum": ["time", "memory", "rows", "bytes"]},
        },
    })
}

/// The paths that every server has.
fn fixed() -> Map<String, Value> {
    let text = |name: &str, required: bool, description: &str| {
        parameter(name, required, description, &json!({"type": "string"}))
    };
    let iri = |name: &str, required: bool, description: &str| {
        parameter(name, required, description, &json!({"type": "string", "format": "iri"}))
    };
    let graphs = |name: &str, description: &str| {
        let schema = json!({"type": "array", "items": {"type": "string", "format": "iri"}});
        parameter(name, false, description, &schema)
    };
    let query = [
        text("query", false, "A SPARQL query; without one, the service describes itself"),
        graphs("default-graph-uri", "The graphs that the query looks into"),
        graphs("named-graph-uri", "The graphs that the query looks into by name"),
    ];
    let query: Vec<Value> = query.into_iter().chain(of_answers()).collect();
    let routes = [
        ("/sparql", "Answers a query, by the SPARQL 1.1 Protocol", query, any_answer()),
        (
            "/graphs",
            "A graph as a whole, by the Graph Store Protocol",
            vec![iri("graph", false, "The name of the graph"), text("default", false, "The default graph is meant")],
            formats(Form::Construct),
        ),
        (
            "/find",
            "Things by the names that people give them",
            vec![
                text("text", true, "A name, its beginning, or words of it"),
                text("lang", false, "The language in which things are called"),
                text("kind", false, "class, property, thing, or a class whose members are meant"),
                parameter(
                    "limit",
                    false,
                    "How many at most",
                    &json!({"type": "integer", "minimum": 0, "maximum": 100}),
                ),
            ],
            json_alone(),
        ),
        (
            "/about",
            "All about one thing",
            vec![iri("iri", true, "The thing, by its IRI or as a CURIE")],
            formats(Form::Construct),
        ),
        ("/query", "The canned queries", Vec::new(), json_alone()),
        ("/readyz", "Whether the server answers from the files as they are", Vec::new(), json_alone()),
    ];
    let path = |(path, summary, parameters, content): (&str, &str, Vec<Value>, Value)| {
        let get = json!({"summary": summary, "parameters": parameters, "responses": responses(&content)});
        let of_path = match path {
            "/sparql" => json!({ "post": posted(&get, true), "get": get }),
            _ => json!({ "get": get }),
        };
        (path.to_owned(), of_path)
    };
    routes.into_iter().map(path).collect()
}

/// Adds the operations that change the files, if the server accepts changes.
fn add_writing(paths: &mut Map<String, Value>) {
    let problem = json!({"$ref": "#/components/responses/Problem"});
    let secured = json!([{ "token": [] }]);
    if let Some(content) = paths.get_mut("/sparql").map(|path| &mut path["post"]["requestBody"]["content"]) {
        content["application/sparql-update"] = json!({ "schema": {"type": "string"} });
        let form = &mut content["application/x-www-form-urlencoded"]["schema"];
        form["properties"]["update"] = json!({"type": "string", "description": "A SPARQL Update, which needs a token"});
        form["properties"]["message"] = json!({"type": "string", "description": "What the commit of an update says"});
        if let Value::Object(form) = form {
            form.remove("required");
            form.insert("oneOf".into(), json!([{ "required": ["query"] }, { "required": ["update"] }]));
        }
    }
    let Some(graphs) = paths.get_mut("/graphs") else { return };
    let bodies: Map<String, Value> =
        RdfFormat::ALL.iter().map(|format| (format.media_type().to_owned(), json!({}))).collect();
    let patch = json!({ "application/sparql-update": {"schema": {"type": "string"}} });
    let operations = [
        ("put", "Replaces a graph", Some(Value::Object(bodies.clone()))),
        ("post", "Adds to a graph, or makes one without a name", Some(Value::Object(bodies))),
        ("patch", "Changes a graph by an update that sees it alone", Some(patch)),
        ("delete", "Removes a graph", None),
    ];
    let header = |name: &str, description: &str| json!({"name": name, "in": "header", "description": description, "schema": {"type": "string"}});
    for (method, summary, content) in operations {
        let mut parameters = graphs["get"]["parameters"].as_array().cloned().unwrap_or_default();
        let message = parameter("message", false, "What the commit says", &json!({"type": "string"}));
        parameters.push(message);
        parameters.push(header("If-Match", "The `ETag` of an answer: the graph must not have changed since"));
        parameters.push(header("If-None-Match", "`*`: the graph must not be there"));
        let mut operation = json!({
            "summary": summary,
            "parameters": parameters,
            "security": secured,
            "responses": {
                "200": {"description": "It is done, but for what the report says", "content": json_alone()},
                "201": {"description": "It was made"},
                "204": {"description": "It is done"},
                "default": problem,
            },
        });
        if let Some(content) = content {
            operation["requestBody"] = json!({"content": content, "required": true});
        }
        graphs[method] = operation;
    }
}

/// The same operation with its parameters in the body, as forms send them; a query may also be the whole body.
fn posted(get: &Value, takes_queries: bool) -> Value {
    let (mut properties, mut encoding, mut required) = (Map::new(), Map::new(), Vec::new());
    for parameter in get["parameters"].as_array().into_iter().flatten() {
        let Some(name) = parameter["name"].as_str() else { continue };
        let mut schema = parameter["schema"].clone();
        schema["description"] = parameter["description"].clone();
        properties.insert(name.to_owned(), schema);
        if parameter["required"] == true || takes_queries && name == "query" {
            required.push(name);
        }
        if parameter["explode"] == false {
            encoding.insert(name.to_owned(), json!({ "explode": false }));
        }
    }
    let schema = json!({"type": "object", "properties": properties, "required": required});
    let mut content = json!({ "application/x-www-form-urlencoded": {"schema": schema, "encoding": encoding} });
    if takes_queries {
        content["application/sparql-query"] = json!({ "schema": {"type": "string"} });
    }
    let mut post = get.clone();
    post["requestBody"] = json!({"content": content, "required": takes_queries});
    if let Value::Object(fields) = &mut post {
        fields.remove("parameters");
    }
    post
}

fn parameter(name: &str, required: bool, description: &str, schema: &Value) -> Value {
    json!({"name": name, "in": "query", "required": required, "description": description, "schema": schema})
}

/// The parameters that determine how an answer is delivered.
fn of_answers() -> impl Iterator<Item = Value> {
    let describe = |name: &str| match name {
        "format" => {
            "The format by name or media type, instead of the header Accept; `bundle` is a ZIP archive with what proves the answer"
        }
        "timeout" => "How long it may take at most, such as 5s",
        "why" => {
            "Instead of the answer, what makes the row of this number: statements, places, citations (JSON-LD, PROV-O)"
        }
        "cite" => "1: each row with its sources, as one more column or field",
        "why-not" => {
            "Instead of the answer, why it has no row with this, written COLUMN=VALUE; empty where nothing answers"
        }
        "why-not-value" => "The value of a `why-not` that names a column alone, as forms send it",
        _ => "The language in which things are called",
    };
    let schema = |name: &str| match name {
        "format" => json!({"type": "string", "examples": names()}),
        "timeout" => json!({"type": "string", "pattern": "^(none|[0-9]{1,9}(\\.[0-9]{1,9})?(ms|s|m|h)?)$"}),
        "why" => json!({"type": "integer", "minimum": 1, "maximum": LAST}),
        "cite" => json!({"type": "string", "enum": ["0", "1", "true", "false"]}),
        _ => json!({"type": "string"}),
    };
    OF_ANSWERS.into_iter().map(move |name| parameter(name, false, describe(name), &schema(name)))
}

/// The names of all answer formats.
fn names() -> Vec<&'static str> {
    let graphs = Format::of(Form::Construct).filter(|format| matches!(format, Format::Rdf(_)));
    Format::of(Form::Select).chain(graphs).map(Format::name).chain(["bundle"]).collect()
}

fn json_alone() -> Value {
    json!({"application/json": {}})
}

fn formats(form: Form) -> Value {
    Value::Object(negotiate::media_types(form).map(|name| (name.to_owned(), json!({}))).collect())
}

/// The content of an answer with rows, a graph, a `why-not` report or a bundle.
fn any_answer() -> Value {
    let all = negotiate::media_types(Form::Select).chain(negotiate::media_types(Form::Construct));
    let all = all.chain(["application/json", bundle::MEDIA_TYPE]);
    Value::Object(all.map(|name| (name.to_owned(), json!({}))).collect())
}

fn responses(content: &Value) -> Value {
    let problem = json!({"$ref": "#/components/responses/Problem"});
    json!({
        "200": {"description": "The answer", "content": content},
        "304": {"description": "The client has the answer already"},
        "default": problem,
    })
}

fn canned(query: &CannedQuery, known: &dyn ParameterContext, language: &str) -> Result<Value> {
    let mut parameters = Vec::new();
    for (name, param) in &query.header.params {
        let kind = query.kind(name, param, known)?;
        parameters.push(of_query(name, param, &kind, known, language));
    }
    parameters.extend(of_answers());
    let description = query.header.description.as_ref().or(query.header.question.as_ref());
    Ok(json!({
        "summary": query.title(language),
        "description": description.map_or("", |text| text.in_language(language)),
        "tags": query.header.tags,
        "parameters": parameters,
        "responses": responses(&any_answer()),
    }))
}

fn of_query(name: &str, param: &Param, kind: &ParamKind, known: &dyn ParameterContext, language: &str) -> Value {
    let (mut schema, what) = match kind {
        ParamKind::Integer => (json!({"type": "integer"}), String::new()),
        ParamKind::Number | ParamKind::Decimal => (json!({"type": "number"}), String::new()),
        ParamKind::Boolean => (json!({"type": "boolean"}), String::new()),
        ParamKind::Date => (json!({"type": "string", "format": "date"}), String::new()),
        ParamKind::MemberOf(class) => (
            json!({"type": "string"}),
            format!("A {}, by its IRI, CURIE or a label", known.prefixes().display(class.as_str())),
        ),
        ParamKind::Iri => (json!({"type": "string"}), "A thing, by its IRI, CURIE or a label".into()),
        ParamKind::LangString => (json!({"type": "string"}), "A text with its language, as in 贸易@zh".into()),
        ParamKind::Language(tag) => (json!({"type": "string"}), format!("A text in the language {tag}")),
        ParamKind::Datatype(datatype) => {
            (json!({"type": "string"}), format!("A value of {}", known.prefixes().display(datatype.as_str())))
        }
        ParamKind::String => (json!({"type": "string"}), String::new()),
    };
    if !param.values.is_empty() {
        schema["enum"] = param.values.clone().into();
    }
    if let Some(default) = &param.default {
        schema["default"] = default.texts().join(",").into();
    }
    let name = &parameter_in_address(name);
    let is_required = param.required && param.default.is_none();
    let said = param.description.as_ref().map_or("", |text| text.in_language(language));
    let description = [said, &what].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(". ");
    if !param.list {
        return parameter(name, is_required, &description, &schema);
    }
    // A list is sent as one value, with commas between its members.
    let mut whole = parameter(name, is_required, &description, &json!({"type": "array", "items": schema}));
    whole["explode"] = false.into();
    whole
}
