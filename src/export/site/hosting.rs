//! Recipes for those who serve the site: content negotiation for Apache and nginx, redirects for w3id.org, a note for GitHub Pages.

use super::html::POLICY;
use super::model::Model;
use std::fmt::Write as _;

/// Media types by the ending of the file that has them, the most wanted first.
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
    ("application/wasm", "wasm"),
];

/// The files: path and text.
pub fn files(model: &Model<'_>) -> Vec<(String, String)> {
    vec![
        ("hosting/README.md".into(), readme(model)),
        ("hosting/apache.htaccess".into(), apache(model)),
        ("hosting/nginx.conf".into(), nginx(model)),
        ("hosting/w3id.htaccess".into(), w3id(model)),
        // GitHub Pages then serves the files as they are.
        (".nojekyll".into(), String::new()),
    ]
}

/// The things whose page has another path than their IRI: (path of the IRI, path of the page without ending).
fn renamed<'m>(model: &'m Model<'_>) -> Vec<(&'m str, &'m str)> {
    let mut found = Vec::new();
    for thing in &model.things {
        let tail = thing.as_str().strip_prefix(model.source.base).unwrap_or_default().trim_start_matches('/');
        let Some(stem) = model.names.get(thing.as_str()) else { continue };
        // A fragment never reaches a server; what no rule could hold is left out.
        let plain = tail.chars().all(|c| c.is_alphanumeric() || "-._~/!$&'()*+,;=:@%".contains(c));
        if stem != tail && plain && !tail.is_empty() {
            found.push((tail, stem));
        }
    }
    found
}

fn pattern(path: &str) -> String {
    let mut out = String::new();
    for c in path.chars() {
        if c.is_ascii() && !c.is_ascii_alphanumeric() && !matches!(c, '/' | '-' | '_' | '~') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn apache(model: &Model<'_>) -> String {
    let mut out = String::from(
        "# Content negotiation for Apache: put this at the root of the site as .htaccess.\n\
         # It needs mod_rewrite, mod_mime and mod_headers, and AllowOverride FileInfo Options.\n\
         Options -MultiViews -Indexes\n\
         ErrorDocument 404 /404.html\n\
         AddDefaultCharset utf-8\n",
    );
    for (media, ending) in TYPES {
        let _ = writeln!(out, "AddType {media} .{ending}");
    }
    let _ = write!(
        out,
        "\n<IfModule mod_headers.c>\n  Header always set X-Content-Type-Options nosniff\n  Header always set Referrer-Policy no-referrer\n  \
         # The page of queries says its own; two policies would both hold.\n  <FilesMatch \"^(?!ask\\.html$).*\\.html$\">\n    \
         Header always set Content-Security-Policy \"{POLICY}; frame-ancestors 'none'\"\n  </FilesMatch>\n  \
         <FilesMatch \"\\.(ttl|jsonld|nt|nq|trig|rdf|csv|json)$\">\n    Header always set Access-Control-Allow-Origin \"*\"\n  </FilesMatch>\n</IfModule>\n\
         \nRewriteEngine On\n"
    );
    for (tail, stem) in renamed(model) {
        let _ = writeln!(out, "RewriteRule ^{}$ {stem} [R=303,L]", pattern(tail));
    }
    out.push_str("\n# A thing's IRI leads to what the client asks for.\n");
    for (media, ending) in NEGOTIATED {
        let _ = writeln!(
            out,
            "RewriteCond %{{HTTP_ACCEPT}} {media} [NC]\nRewriteCond %{{REQUEST_FILENAME}}.{ending} -f\nRewriteRule ^(.+)$ $1.{ending} [R=303,L,E=NEGOTIATED:1]"
        );
    }
    out.push_str(
        "RewriteCond %{REQUEST_FILENAME}.html -f\nRewriteRule ^(.+)$ $1.html [R=303,L,E=NEGOTIATED:1]\n\
         <IfModule mod_headers.c>\n  Header always merge Vary Accept env=NEGOTIATED\n</IfModule>\n",
    );
    out
}

fn nginx(model: &Model<'_>) -> String {
    let mut out = String::from(
        "# Content negotiation for nginx. The two maps belong in the http block, the rest in the server block.\n\
         map $http_accept $kgq_ending {\n    default html;\n",
    );
    for (media, ending) in NEGOTIATED {
        let _ = writeln!(out, "    \"~*{media}\" {ending};");
    }
    out.push_str("}\nmap $uri $kgq_renamed {\n    default \"\";\n");
    for (tail, stem) in renamed(model) {
        let _ = writeln!(out, "    \"/{}\" \"/{stem}\";", tail.replace('$', "${dollar}"));
    }
    out.push_str(
        "}\n\n# root /srv/www/site;\ncharset utf-8;\nerror_page 404 /404.html;\ninclude mime.types;\ntypes {\n",
    );
    for (media, ending) in TYPES {
        let _ = writeln!(out, "    {media} {ending};");
    }
    let _ = write!(
        out,
        "}}\nadd_header X-Content-Type-Options nosniff always;\nadd_header Referrer-Policy no-referrer always;\nadd_header Vary Accept always;\n\
         \nlocation / {{\n    if ($kgq_renamed) {{ return 303 $kgq_renamed; }}\n    try_files $uri @thing;\n}}\nlocation = / {{ try_files /index.html =404; }}\n\
         location @thing {{\n    if (-f $document_root$uri.$kgq_ending) {{ return 303 $uri.$kgq_ending; }}\n    if (-f $document_root$uri.html) {{ return 303 $uri.html; }}\n    return 404;\n}}\n"
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
        let _ = writeln!(out, "RewriteRule ^{}$ {target}{stem}.html [R=303,L]", pattern(tail));
    }
    let _ = writeln!(out, "RewriteRule ^$ {target}index.html [R=303,L]");
    for (media, ending) in NEGOTIATED {
        let _ = writeln!(
            out,
            "RewriteCond %{{HTTP_ACCEPT}} {media} [NC]\nRewriteRule ^([^.]+)$ {target}$1.{ending} [R=303,L]"
        );
    }
    let _ = writeln!(out, "RewriteRule ^([^.]+)$ {target}$1.html [R=303,L]\nRewriteRule ^(.*)$ {target}$1 [R=302,L]");
    out
}

fn readme(model: &Model<'_>) -> String {
    format!(
        "# Serving this site\n\n\
         Every file is static. Any server will do; pages and search also work from a folder on disk. The page of queries (`ask.html`) needs a server.\n\n\
         - `apache.htaccess`: put it at the root of the site as `.htaccess`. A thing's IRI then leads, by 303, to HTML, Turtle, JSON-LD or N-Triples, as the client asks.\n\
         - `nginx.conf`: the same for nginx.\n\
         - `w3id.htaccess`: for permanent IRIs at w3id.org that lead to this site at <{}>.\n\
         - GitHub Pages: push the folder as it is; `.nojekyll` is in it. `/id/thing` shows `/id/thing.html`, but there is no content negotiation: clients find the data by the pages' `rel=alternate` links.\n\
         - Object storage (S3 and its like): set the media types that `apache.htaccess` lists.\n",
        model.base_url()
    )
}
