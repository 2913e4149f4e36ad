//! Findings about a project.

pub mod shacl;
