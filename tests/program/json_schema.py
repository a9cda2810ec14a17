"""As much of JSON Schema as the API's description uses. What is described must be there and of its type; more may be."""

TYPES = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}
KNOWN = {"type", "enum", "required", "properties", "additionalProperties", "items", "$ref", "default", "description",
         "format", "minimum", "maximum"}


def complaints(value, schema, document, path="$"):
    """What of a value is not as its schema says."""
    if unknown := set(schema) - KNOWN:
        raise ValueError(f"{path}: the test does not know {unknown}")
    if "$ref" in schema:
        target = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return complaints(value, target, document, path)
    found = []
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(TYPES[name](value) for name in types):
        return [f"{path}: {value!r} is no {' or '.join(types)}"]
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{path}: {value!r} is none of {schema['enum']}")
    if isinstance(value, dict):
        found += [f"{path}.{name} is missing" for name in schema.get("required", []) if name not in value]
        for name, inner in schema.get("properties", {}).items():
            if name in value:
                found += complaints(value[name], inner, document, f"{path}.{name}")
        if "additionalProperties" in schema:
            for name in set(value) - set(schema.get("properties", {})):
                found += complaints(value[name], schema["additionalProperties"], document, f"{path}.{name}")
    if isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            found += complaints(item, schema["items"], document, f"{path}[{index}]")
    return found
