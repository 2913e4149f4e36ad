"""For schemathesis (`SCHEMATHESIS_HOOKS=schema_types`): how bodies that are SPARQL are written."""

import schemathesis


@schemathesis.serializer("application/sparql-query", "application/sparql-update")
def sparql(_, value):
    return value.encode() if isinstance(value, str) else str(value).encode()
