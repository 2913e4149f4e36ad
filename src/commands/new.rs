//! `kgq new`.

use super::output::{Output, write_file};
use kgq_graph::graph::Graph;
use kgq_graph::project::MANIFEST;
use kgq_syntax::error::{Error, Result};
use std::fs;
use std::path::PathBuf;

/// Make a small working project in a new folder
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder, which must be empty or not exist
    // Not `folder`: an argument of that name is the global `-C`.
    #[arg(value_name = "DIR")]
    pub place: PathBuf,
}

pub fn run(args: &Args, _: &Graph, output: &mut Output) -> Result<u8> {
    let folder = &args.place;
    let shown = folder.display();
    if folder.join(MANIFEST).exists() {
        return Err(Error::input(format!("{shown} is a project already")));
    }
    if folder.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Error::input(format!("{shown} is not empty")).hint("name a folder that does not exist yet"));
    }
    let name = folder.file_name().map_or_else(|| "my-graph".to_owned(), |n| n.to_string_lossy().into_owned());
    let name: String =
        name.chars().map(|c| if c.is_alphanumeric() || c == '-' || c == '_' { c } else { '-' }).collect();
    // The manifest is written last: without it, a folder is no project.
    for (path, text) in FILES.into_iter().rev() {
        let path = folder.join(path);
        let io = |e: std::io::Error| Error::io(path.display(), &e);
        fs::create_dir_all(path.parent().unwrap_or(folder)).map_err(io)?;
        write_file(&path, |out| out.write_all(text.replace("NAME", &name).as_bytes()).map_err(io))?;
    }
    output.line(&format!("made {shown}: {}", FILES.map(|(path, _)| path).join(", ")))?;
    output.line(&format!(
        "try: kgq -C {shown} run people-by-team; and with its sources: kgq -C {shown} run people-by-team --cite"
    ))?;
    Ok(0)
}

const FILES: [(&str, &str); 5] = [
    ("kgq.toml", include_str!("new/kgq.toml")),
    ("ontology/ontology.ttl", include_str!("new/ontology.ttl")),
    ("data/people.ttl", include_str!("new/people.ttl")),
    ("sources/handbook.txt", include_str!("new/handbook.txt")),
    ("queries/people-by-team.rq", include_str!("new/people-by-team.rq")),
];
