//! Recipes for hosting the site: content negotiation for Apache and nginx, redirects for w3id.org, a note for GitHub Pages.

use super::html::POLICY;
use super::links::unescape;
use super::model::Model;
use std::fmt::Write as _;

/// The media types to negotiate with their file extensions, the preferred first.
const NEGOTIATED: &[(&str, &str)] =
    &[("text/turtle", "ttl"), ("application/ld\\+json", "jsonld"), ("application/n-triples", "nt")];

const TYPES: &[(&str, &str)] = &[
    ("text/turtle", "ttl"),
    ("application/ld+json", "jsonld"),
    ("application/n-triples", "nt"),
    ("application/n-quads", "nq"),
    ("application/trig", "trig"),
    ("application/rdf+xml", "rdf"),
    ("application/sparql-query", "rq"),
    ("application/gzip", "gz"),
    ("application/wasm", "wasm"),
];

/// The extensions of the site's files, as alternatives of a regular expression.
const ENDINGS: &str = "html|ttl|jsonld|nt|nq|trig|rdf|gz|txt|xml|rq|csv|json|js|css|svg|wasm";

/// The paths of the recipes. The last one makes GitHub Pages serve all files unchanged.
pub const FILES: [&str; 5] =
    ["hosting/README.md", "hosting/apache.htaccess", "hosting/nginx.conf", "hosting/w3id.htaccess", ".nojekyll"];

/// The text of a recipe. A server needs none.
pub fn file(model: &Model<'_>, path: &str) -> Option<String> {
    match path {
        _ if model.source.served => None,
        "hosting/README.md" => Some(readme(model)),
        "hosting/apache.htaccess" => Some(apache(model)),
        "hosting/nginx.conf" => Some(nginx(model)),
        "hosting/w3id.htaccess" => Some(w3id(model)),
        ".nojekyll" => Some(String::new()),
        _ => None,
    }
}

/// Things whose page has another path than their IRI: (path of the IRI as servers see it, path of the page without extension).
fn renamed<'m>(model: &'m Model<'_>) -> Vec<(String, &'m str)> {
    let mut found = Vec::new();
    for thing in model.pages() {
        let tail = thing.as_str().strip_prefix(model.source.base).unwrap_or_default().trim_start_matches('/');
        let Some(stem) = model.names.get(thing.as_str()) else { continue };
        // Servers match paths with percent signs decoded.
        let path = unescape(tail);
        // A fragment never reaches a server; paths that no rule can express are left out.
        let plain = path.chars().all(|c| c.is_alphanumeric() || " -._~/!$&'()*+,;=:@%".contains(c));
        if stem != path && plain && !path.is_empty() {
            found.push((path, stem));
        }
    }
    found
}

/// A regular expression that matches exactly this path.
fn pattern(path: &str) -> String {
    let mut out = String::new();
    for c in path.chars() {
        match c {
            ' ' => out.push_str("\\x20"),
            '/' | '-' | '_' | '~' => out.push(c),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// Regular expressions for the `Accept` header, each with the extension that it selects. The type named first counts most; a
/// client that names none of our types is taken for a browser.
fn preferences() -> Vec<(String, &'static str)> {
    let first = std::iter::once(("^text/html".to_owned(), "html"))
        .chain(NEGOTIATED.iter().map(|(media, ending)| (format!("^{media}"), *ending)));
    first.chain(NEGOTIATED.iter().map(|(media, ending)| ((*media).to_owned(), *ending))).collect()
}

fn apache(model: &Model<'_>) -> String {
    let root = model.root_path();
    let mut out = format!(
        "# Content negotiation for Apache: put this at the root of the site as .htaccess.\n\
         # It needs mod_rewrite, mod_mime and mod_headers, and AllowOverride FileInfo Options.\n\
         # {root} is the path at which the site stands: change it here where it stands elsewhere.\n\
         Options -MultiViews -Indexes\n\
         ErrorDocument 404 {root}404.html\n\
         AddDefaultCharset utf-8\n",
    );
    for (media, ending) in TYPES {
        let _ = writeln!(out, "AddType {media} .{ending}");
    }
    let _ = write!(
        out,
        "\n<IfModule mod_headers.c>\n  Header always set X-Content-Type-Options nosniff\n  Header always set Referrer-Policy no-referrer\n  \
         # Pages of others may read it, redirects included.\n  Header always set Access-Control-Allow-Origin \"*\"\n  \
         # The page of queries says its own; two policies would both hold.\n  <FilesMatch \"^(?!ask\\.html$).*\\.html$\">\n    \
         Header always set Content-Security-Policy \"{POLICY}; frame-ancestors 'none'\"\n  </FilesMatch>\n</IfModule>\n\
         \nRewriteEngine On\nRewriteBase {root}\n"
    );
    for (tail, stem) in renamed(model) {
        let _ = writeln!(out, "RewriteRule ^{}$ {stem} [R=303,L]", pattern(&tail));
    }
    out.push_str("\n# A thing's IRI leads to what the client asks for.\n");
    for (accept, ending) in preferences() {
        let _ = writeln!(
            out,
            "RewriteCond %{{HTTP_ACCEPT}} {accept} [NC]\nRewriteCond %{{REQUEST_FILENAME}}.{ending} -f\nRewriteRule ^(.+)$ $1.{ending} [R=303,L,E=NEGOTIATED:1]"
        );
    }
    out.push_str(
        "RewriteCond %{REQUEST_FILENAME}.html -f\nRewriteRule ^(.+)$ $1.html [R=303,L,E=NEGOTIATED:1]\n\
         <IfModule mod_headers.c>\n  Header always merge Vary Accept env=NEGOTIATED\n</IfModule>\n",
    );
    out
}

fn nginx(model: &Model<'_>) -> String {
    let root = model.root_path();
    let mut out = String::from(
        "# Content negotiation for nginx: a file for /etc/nginx/conf.d/. Change the name, the port and the root.\n\
         map $http_accept $kgq_ending {\n    default html;\n",
    );
    for (accept, ending) in preferences() {
        let _ = writeln!(out, "    \"~*{accept}\" {ending};");
    }
    out.push_str("}\nmap $uri $kgq_renamed {\n    default \"\";\n");
    for (tail, stem) in renamed(model) {
        // A plain key would match both of two names that differ only in case.
        let _ = writeln!(out, "    \"~^{root}{}$\" \"{root}{stem}\";", pattern(&tail));
    }
    let _ = write!(
        out,
        "}}\n# The page of queries says its own policy; two would both hold.\nmap $uri $kgq_policy {{\n    \"~/ask\\.html$\" \"\";\n    \
         \"~\\.html$\" \"{POLICY}; frame-ancestors 'none'\";\n    default \"\";\n}}\n\n\
         server {{\n    listen 80;\n    server_name {};\n    # {root} of the site is this folder.\n    root /srv/www/site;\n    charset utf-8;\n    \
         error_page 404 {root}404.html;\n    include mime.types;\n    types {{\n",
        model.host(),
    );
    // nginx knows WebAssembly already, and warns of duplicates.
    for (media, ending) in TYPES.iter().filter(|(_, ending)| *ending != "wasm") {
        let _ = writeln!(out, "        {media} {ending};");
    }
    let _ = write!(
        out,
        "    }}\n    add_header X-Content-Type-Options nosniff always;\n    add_header Referrer-Policy no-referrer always;\n    \
         add_header Vary Accept always;\n    add_header Content-Security-Policy $kgq_policy always;\n    \
         add_header Access-Control-Allow-Origin * always;\n    absolute_redirect off;\n\n    \
         location {root} {{\n        if ($kgq_renamed) {{ return 303 $kgq_renamed; }}\n        try_files $uri @thing;\n    }}\n    \
         location = {root} {{ try_files {root}index.html =404; }}\n    \
         location @thing {{\n        if (-f $document_root$uri.$kgq_ending) {{ return 303 $uri.$kgq_ending; }}\n        \
         if (-f $document_root$uri.html) {{ return 303 $uri.html; }}\n        return 404;\n    }}\n}}\n"
    );
    out
}

fn w3id(model: &Model<'_>) -> String {
    let target = model.base_url();
    let mut out = String::from(
        "# Redirects for w3id.org: the .htaccess of the project's folder there. It assumes that the IRIs begin with that folder.\n\
         Options +FollowSymLinks\nRewriteEngine on\nHeader always set Access-Control-Allow-Origin *\n\n",
    );
    for (tail, stem) in renamed(model) {
        // The following rules see the name of the page. A slash at the end would reappear as path info after the file name.
        let _ = writeln!(out, "RewriteRule ^{}$ {stem} [DPI]", pattern(&tail));
    }
    let _ = writeln!(
        out,
        "RewriteRule ^$ {target}index.html [R=303,L]\n# Files by their names, things by what the client asks for."
    );
    let _ = writeln!(out, "RewriteRule ^(.+\\.({ENDINGS})|dump/SHA256SUMS)$ {target}$1 [R=302,L]");
    for (accept, ending) in preferences() {
        let _ = writeln!(
            out,
            "RewriteCond %{{HTTP_ACCEPT}} {accept} [NC]\nRewriteRule ^(.+)$ {target}$1.{ending} [R=303,L]"
        );
    }
    let _ = writeln!(out, "RewriteRule ^(.+)$ {target}$1.html [R=303,L]");
    out
}

fn readme(model: &Model<'_>) -> String {
    format!(
        "# Serving this site\n\n\
         Every file is static. Any server will do; pages and search also work from a folder on disk. The page of queries (`ask.html`) needs a server.\n\n\
         - `apache.htaccess`: put it at the root of the site as `.htaccess`. A thing's IRI then leads, by 303, to HTML, Turtle, JSON-LD or N-Triples, as the client asks.\n\
         - `nginx.conf`: the same for nginx, as a file for `/etc/nginx/conf.d/`.\n\
         - `w3id.htaccess`: for permanent IRIs at w3id.org that lead to this site at <{}>.\n\
         - GitHub Pages: push the folder as it is; `.nojekyll` is in it. `/id/thing` shows `/id/thing.html`, but there is no content negotiation: clients find the data by the pages' `rel=alternate` links.\n\
         - Object storage (S3 and its like): set the media types that `apache.htaccess` lists.\n",
        model.base_url()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_its_path_and_no_other() {
        for path in ["a b", "v1.0", "$x(1)", "x:y", "商务部", "p/"] {
            let found = regex::Regex::new(&format!("^{}$", pattern(path))).unwrap();
            assert!(found.is_match(path), "{path}");
            assert!(!found.is_match("v1x0") && !found.is_match(&format!("{path}.")), "{path}");
        }
    }
}
