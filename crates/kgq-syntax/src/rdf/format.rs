//! The RDF formats that are read and written, each with its names, media type and file endings; and compression by file
//! ending.

/// A serialisation of RDF. N3 and the community group's star formats are read only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RdfFormat {
    Turtle,
    TriG,
    NTriples,
    NQuads,
    N3,
    RdfXml,
    JsonLd,
    /// Turtle-star of the W3C community group's report of 2021.
    TurtleStar,
    /// TriG-star of the same report.
    TriGStar,
}

impl RdfFormat {
    pub const ALL: &'static [Self] = &[
        Self::Turtle,
        Self::TriG,
        Self::NTriples,
        Self::NQuads,
        Self::N3,
        Self::RdfXml,
        Self::JsonLd,
        Self::TurtleStar,
        Self::TriGStar,
    ];

    /// The name for `--format` and `--input-format`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Turtle => "turtle",
            Self::TriG => "trig",
            Self::NTriples => "ntriples",
            Self::NQuads => "nquads",
            Self::N3 => "n3",
            Self::RdfXml => "rdfxml",
            Self::JsonLd => "jsonld",
            Self::TurtleStar => "turtle-star",
            Self::TriGStar => "trig-star",
        }
    }

    /// File endings, the usual one first.
    pub fn endings(self) -> &'static [&'static str] {
        match self {
            Self::Turtle => &["ttl", "turtle", "shacl"],
            Self::TriG => &["trig"],
            Self::NTriples => &["nt", "ntriples"],
            Self::NQuads => &["nq", "nquads"],
            Self::N3 => &["n3"],
            Self::RdfXml => &["rdf", "owl", "rdfxml", "xml"],
            Self::JsonLd => &["jsonld", "json", "jsonl", "ndjson"],
            Self::TurtleStar => &["ttls"],
            Self::TriGStar => &["trigs"],
        }
    }

    /// The registered media type; the star formats have none of their own.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Turtle => "text/turtle",
            Self::TriG => "application/trig",
            Self::NTriples => "application/n-triples",
            Self::NQuads => "application/n-quads",
            Self::N3 => "text/n3",
            Self::RdfXml => "application/rdf+xml",
            Self::JsonLd => "application/ld+json",
            Self::TurtleStar => "text/x-turtle-star",
            Self::TriGStar => "application/x-trig-star",
        }
    }

    /// Whether the format can name graphs.
    pub fn holds_named_graphs(self) -> bool {
        matches!(self, Self::TriG | Self::NQuads | Self::JsonLd | Self::TriGStar)
    }

    /// Whether the format can express RDF 1.2's triple terms and base direction.
    pub fn holds_rdf_12(self) -> bool {
        !matches!(self, Self::JsonLd | Self::N3)
    }

    pub fn is_written(self) -> bool {
        !matches!(self, Self::N3 | Self::TurtleStar | Self::TriGStar)
    }

    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        Self::ALL.iter().copied().find(|f| f.name() == name || f.endings()[0] == name || f.media_type() == name).or(
            match name.as_str() {
                "n-triples" => Some(Self::NTriples),
                "n-quads" => Some(Self::NQuads),
                "rdf/xml" | "rdf-xml" => Some(Self::RdfXml),
                "json-ld" => Some(Self::JsonLd),
                _ => None,
            },
        )
    }

    /// The format indicated by a file's name, ignoring `.gz` or `.zst` at its end.
    pub fn from_path(path: &str) -> Option<Self> {
        let (path, _) = Compression::strip(path);
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
        let (_, ending) = name.rsplit_once('.')?;
        let ending = ending.to_ascii_lowercase();
        Self::ALL.iter().copied().find(|f| f.endings().contains(&ending.as_str()))
    }

    /// The names of all formats that are read, or of those that are written, for messages.
    pub fn list(written: bool) -> String {
        let names: Vec<_> = Self::ALL.iter().filter(|f| !written || f.is_written()).map(|f| f.name()).collect();
        names.join(", ")
    }
}

/// The compression of a file, indicated by the end of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    None,
    Gzip,
    Zstd,
}

impl Compression {
    /// The name without the ending for compression, and the compression.
    pub fn strip(path: &str) -> (&str, Self) {
        let lower = path.to_ascii_lowercase();
        if lower.ends_with(".gz") {
            (&path[..path.len() - 3], Self::Gzip)
        } else if lower.ends_with(".zst") {
            (&path[..path.len() - 4], Self::Zstd)
        } else {
            (path, Self::None)
        }
    }

    /// The kind of compression or archive that the ending indicates, if it is one that is neither read nor written.
    pub fn unknown(path: &str) -> Option<&'static str> {
        const UNKNOWN: [(&str, &str); 14] = [
            (".bz2", "bzip2"),
            (".bz", "bzip2"),
            (".xz", "xz"),
            (".lzma", "LZMA"),
            (".lz", "lzip"),
            (".lz4", "LZ4"),
            (".lzo", "LZO"),
            (".br", "Brotli"),
            (".z", "compress"),
            (".tgz", "tar"),
            (".tar", "tar"),
            (".zip", "ZIP"),
            (".7z", "7-Zip"),
            (".rar", "RAR"),
        ];
        let lower = path.to_ascii_lowercase();
        UNKNOWN.iter().find(|(ending, _)| lower.ends_with(ending)).map(|(_, name)| *name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compressed_file_has_the_format_below_its_ending() {
        assert_eq!(RdfFormat::from_path("a/b.nt.gz"), Some(RdfFormat::NTriples));
        assert_eq!(RdfFormat::from_path("b.TTL.zst"), Some(RdfFormat::Turtle));
        assert_eq!(RdfFormat::from_path("a.b/c"), None);
        assert_eq!(RdfFormat::from_path("b.gz"), None);
    }

    #[test]
    fn every_format_is_found_by_its_name() {
        for format in RdfFormat::ALL {
            assert_eq!(RdfFormat::from_name(format.name()), Some(*format));
        }
    }
}
