//! A knowledge graph kept as files in a folder: its project, canned queries, citations, checks, expected answers, inference and export.

pub mod advice;
pub mod answers;
pub mod audit;
pub mod catalog;
pub mod check;
pub mod export;
pub mod format;
pub mod infer;
pub mod project;
pub mod render;
pub mod session;
