//! The terms of the SHACL vocabulary that validation reads and writes.

use kgq_syntax::rdf::NamedNodeRef;

macro_rules! terms {
    ($($constant:ident = $name:literal,)*) => {
        $(pub const $constant: NamedNodeRef<'static> =
            NamedNodeRef::new_unchecked(concat!("http://www.w3.org/ns/shacl#", $name));)*
    };
}

terms! {
    // Shapes and their targets.
    NODE_SHAPE = "NodeShape",
    PROPERTY_SHAPE = "PropertyShape",
    TARGET_NODE = "targetNode",
    TARGET_CLASS = "targetClass",
    TARGET_SUBJECTS_OF = "targetSubjectsOf",
    TARGET_OBJECTS_OF = "targetObjectsOf",
    SEVERITY = "severity",
    MESSAGE = "message",
    DEACTIVATED = "deactivated",
    // Paths.
    PATH = "path",
    INVERSE_PATH = "inversePath",
    ALTERNATIVE_PATH = "alternativePath",
    ZERO_OR_MORE_PATH = "zeroOrMorePath",
    ONE_OR_MORE_PATH = "oneOrMorePath",
    ZERO_OR_ONE_PATH = "zeroOrOnePath",
    // Parameters of constraints.
    CLASS = "class",
    DATATYPE = "datatype",
    NODE_KIND = "nodeKind",
    MIN_COUNT = "minCount",
    MAX_COUNT = "maxCount",
    MIN_EXCLUSIVE = "minExclusive",
    MIN_INCLUSIVE = "minInclusive",
    MAX_EXCLUSIVE = "maxExclusive",
    MAX_INCLUSIVE = "maxInclusive",
    MIN_LENGTH = "minLength",
    MAX_LENGTH = "maxLength",
    PATTERN = "pattern",
    FLAGS = "flags",
    LANGUAGE_IN = "languageIn",
    UNIQUE_LANG = "uniqueLang",
    EQUALS = "equals",
    DISJOINT = "disjoint",
    LESS_THAN = "lessThan",
    LESS_THAN_OR_EQUALS = "lessThanOrEquals",
    NOT = "not",
    AND = "and",
    OR = "or",
    XONE = "xone",
    NODE = "node",
    PROPERTY = "property",
    QUALIFIED_VALUE_SHAPE = "qualifiedValueShape",
    QUALIFIED_VALUE_SHAPES_DISJOINT = "qualifiedValueShapesDisjoint",
    QUALIFIED_MIN_COUNT = "qualifiedMinCount",
    QUALIFIED_MAX_COUNT = "qualifiedMaxCount",
    CLOSED = "closed",
    IGNORED_PROPERTIES = "ignoredProperties",
    HAS_VALUE = "hasValue",
    IN = "in",
    // Kinds of nodes.
    IRI = "IRI",
    BLANK_NODE = "BlankNode",
    LITERAL = "Literal",
    BLANK_NODE_OR_IRI = "BlankNodeOrIRI",
    BLANK_NODE_OR_LITERAL = "BlankNodeOrLiteral",
    IRI_OR_LITERAL = "IRIOrLiteral",
    // Constraints and constraint components in SPARQL.
    SPARQL = "sparql",
    SELECT = "select",
    ASK = "ask",
    PREFIXES = "prefixes",
    DECLARE = "declare",
    PREFIX = "prefix",
    NAMESPACE = "namespace",
    CONSTRAINT_COMPONENT = "ConstraintComponent",
    PARAMETER = "parameter",
    OPTIONAL = "optional",
    VALIDATOR = "validator",
    NODE_VALIDATOR = "nodeValidator",
    PROPERTY_VALIDATOR = "propertyValidator",
    // Reports.
    VALIDATION_REPORT = "ValidationReport",
    VALIDATION_RESULT = "ValidationResult",
    CONFORMS = "conforms",
    RESULT = "result",
    FOCUS_NODE = "focusNode",
    RESULT_PATH = "resultPath",
    VALUE = "value",
    SOURCE_SHAPE = "sourceShape",
    SOURCE_CONSTRAINT = "sourceConstraint",
    SOURCE_CONSTRAINT_COMPONENT = "sourceConstraintComponent",
    RESULT_SEVERITY = "resultSeverity",
    RESULT_MESSAGE = "resultMessage",
    VIOLATION = "Violation",
}
