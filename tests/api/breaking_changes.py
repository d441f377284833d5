"""Finds the changes between two versions of the OpenAPI document that break clients."""

METHODS = ("get", "post", "put", "patch", "delete")
LOWER_LIMITS = ("minLength", "minimum", "minItems", "minProperties")
UPPER_LIMITS = ("maxLength", "maximum", "maxItems")


def breaking_changes(old, new):
    """Return a sentence for each change that would break a client of `old`."""
    return list(dict.fromkeys(Comparison(old, new).run()))


class Comparison:
    """A comparison of two documents; each pair of objects is compared once per direction."""

    def __init__(self, old, new):
        self.documents, self.known = (old, new), {}

    def run(self):
        old, new = (document["paths"] for document in self.documents)
        for path, item in old.items():
            for method in METHODS:
                if method in item:
                    place = f"{method.upper()} {path}"
                    if method not in new.get(path, {}):
                        yield f"{place}: removed"
                    else:
                        yield from self.operations(place, item, new[path], method)

    def found(self, number, value):
        """Return the object that a reference of the old (0) or the new (1) document points to."""
        while "$ref" in value:
            _, _, kind, name = value["$ref"].split("/")
            value = self.documents[number]["components"][kind][name]
        return value

    def operations(self, place, old_item, new_item, method):
        old, new = old_item[method], new_item[method]
        yield from self.parameters(
            place, self.named(0, old_item, old), self.named(1, new_item, new)
        )
        if "requestBody" in new:
            given = old.get("requestBody", {"content": {}})
            if new["requestBody"].get("required") and not given.get("required"):
                yield f"{place}: a body is required now"
            yield from self.bodies(f"{place} body", given, new["requestBody"], True)
        for status, response in old["responses"].items():
            if status not in new["responses"]:
                yield f"{place}: no longer answers {status}"
            elif status < "300":
                answers = (
                    self.found(n, one) for n, one in enumerate((response, new["responses"][status]))
                )
                yield from self.bodies(f"{place} {status}", *answers, False)

    def named(self, number, item, operation):
        every = [*item.get("parameters", ()), *operation.get("parameters", ())]
        parameters = [self.found(number, one) for one in every]
        return {f"{one['in']} parameter {one['name']}": one for one in parameters}

    def parameters(self, place, old, new):
        for name in old.keys() - new.keys():
            yield f"{place}: {name} removed"
        for name, one in new.items():
            if one.get("required") and not old.get(name, {}).get("required"):
                yield f"{place}: {name} is required now"
            if name in old:
                yield from self.schemas(f"{place} {name}", old[name]["schema"], one["schema"], True)

    def bodies(self, place, old, new, sent):
        for mime, content in old.get("content", {}).items():
            if mime not in new.get("content", {}):
                yield f"{place}: {mime} removed"
            else:
                schemas = content["schema"], new["content"][mime]["schema"]
                yield from self.schemas(place, *schemas, sent)

    def schemas(self, place, old, new, sent):
        """Compare two schemas of values that clients send, if `sent`, or read."""
        if "$ref" in old:
            place = old["$ref"].rpartition("/")[2] + (" as sent" if sent else "")
        old, new = self.forms(0, old), self.forms(1, new)
        nothing = [{"type": "null"} in forms for forms in (old, new)]
        if nothing == ([True, False] if sent else [False, True]):
            yield f"{place}: null is {'refused' if sent else 'possible'} now"
        new = [form for form in new if form != {"type": "null"}]
        for form in old:
            if form != {"type": "null"}:
                yield from self.best(place, form, new, sent)

    def best(self, place, old, news, sent):
        """Yield the breaking changes between a form and the most similar new one."""
        each = [self.between(place, old, new, sent) for new in news]
        yield from min(each, key=len, default=[f"{place}: a form of it is gone"])

    def between(self, place, old, new, sent):
        """Return the breaking changes between two forms; objects may refer to themselves."""
        key = id(old), id(new), sent
        if key not in self.known:
            self.known[key] = (
                [],
                (old, new),
            )  # keeps both objects alive, so that their ids stay valid
            self.known[key] = list(dict.fromkeys(self.values(place, old, new, sent))), (old, new)
        return self.known[key][0]

    def forms(self, number, schema):
        """Return the forms of a value: alternatives, and types if there are several."""
        schema = self.found(number, schema)
        several = schema.get("anyOf") or schema.get("oneOf")
        if several:
            return [form for one in several for form in self.forms(number, one)]
        if "allOf" in schema:
            parts = [part for one in schema["allOf"] for part in self.forms(number, one)]
            known = {k: v for part in parts for k, v in part.get("properties", {}).items()}
            required = [name for part in parts for name in part.get("required", ())]
            return [{"type": "object", "properties": known, "required": required}]
        if isinstance(schema.get("type"), list):
            rest = {k: v for k, v in schema.items() if k != "type"}
            return [{"type": k} if k == "null" else {**rest, "type": k} for k in schema["type"]]
        return [schema]

    def values(self, place, old, new, sent):
        for name in ("type", "format"):
            wider = {old.get(name), new.get(name)} == {"integer", "number"} and sent
            if old.get(name) != new.get(name) and name in (new if sent else old) and not wider:
                yield f"{place}: {name} {new.get(name)} instead of {old.get(name)}"
        yield from (f"{place}: {gone} removed" for gone in words(old) - words(new) if words(new))
        if sent:
            yield from narrower_limits(place, old, new)
        if "items" in old and "items" in new:
            yield from self.schemas(f"{place}[]", old["items"], new["items"], sent)
        yield from self.properties(place, old, new, sent)

    def properties(self, place, old, new, sent):
        known, now = old.get("properties", {}), new.get("properties", {})
        required = set(old.get("required", ())), set(new.get("required", ()))
        changed = required[1] - required[0] if sent else required[0] - required[1]
        for name in sorted(changed & (now.keys() if sent else known.keys() & now.keys())):
            yield f"{place}.{name}: {'required' if sent else 'may be missing'} now"
        for name, one in known.items():
            if name not in now:
                yield f"{place}.{name}: removed"
            else:
                yield from self.schemas(f"{place}.{name}", one, now[name], sent)


def words(schema):
    """Return the values of an enumeration."""
    return {str(one) for one in schema.get("enum", [schema["const"]] if "const" in schema else ())}


def narrower_limits(place, old, new):
    """Yield the limits of sent values that have become stricter."""
    if words(new) and not words(old):
        yield f"{place}: only some words are allowed now"
    if new.get("pattern", old.get("pattern")) != old.get("pattern"):
        yield f"{place}: another pattern"
    for names, tighter in ((LOWER_LIMITS, 1), (UPPER_LIMITS, -1)):
        for name in names:
            if name in new and (name not in old or (new[name] - old[name]) * tighter > 0):
                yield f"{place}: {name} {new[name]} instead of {old.get(name)}"
