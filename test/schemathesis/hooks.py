"""What Schemathesis cannot read in an OpenAPI 3.1 document. Named in schemathesis.toml."""

import hashlib
import re

import schemathesis

EVENTS = {
    "streamOrderEvents": ("status", "OrderEvent"),
    "streamBulkActionEvents": ("progress", "BulkActionEvent"),
}


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Says what each event of a stream is, in the words of OpenAPI 3.2. In 3.1, `schema` is that of the whole stream."""
    for path in raw_schema["paths"].values():
        for operation in path.values():
            if operation["operationId"] not in EVENTS:
                continue
            name, data = EVENTS[operation["operationId"]]
            operation["responses"]["200"]["content"]["text/event-stream"]["itemSchema"] = {
                "type": "object",
                "required": ["event", "data"],
                "properties": {
                    "event": {"const": name},
                    "data": {
                        "type": "string",
                        "contentMediaType": "application/json",
                        "contentSchema": {"$ref": f"#/components/schemas/{data}"},
                    },
                },
            }


@schemathesis.hook
def before_call(context, case, kwargs):
    """Gives each body an Idempotency-Key of its own, as a client does, and waits for no order longer than a second."""
    key = case.headers.get("Idempotency-Key")
    if isinstance(key, str) and re.fullmatch("[!-~]{1,255}", key):
        body = hashlib.sha256(repr(case.body).encode("utf-8", "surrogatepass")).hexdigest()[:32]
        case.headers["Idempotency-Key"] = key[:200] + body
    prefer = case.headers.get("Prefer")
    if isinstance(prefer, str):
        case.headers["Prefer"] = re.sub(r"(wait\s*=\s*\"?)\d+", r"\g<1>1", prefer, flags=re.IGNORECASE)
