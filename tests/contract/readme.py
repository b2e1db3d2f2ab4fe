"""README.md's list of what is not there yet: every name that comes later, and no other."""
import re
from fnmatch import fnmatchcase


def forms_of_key(key):
    """All endings of its path."""
    parts = key.replace("[]", "").replace(".*", "").split(".")
    return {".".join(parts[start:]) for start in range(len(parts))}


def forms(contract):
    """Of each name that comes later: how README.md may write it."""
    for key in contract.topmost_later_keys():
        yield key, forms_of_key(key)
    for key, values in contract.names["values"].items():
        for value, state in values.items():
            if state == "later" and not contract.key_is_later(key):
                yield f"{key}: {value}", {value} | {f"{form}: {value}"
                                                    for form in forms_of_key(key)}
    for section in ("verbs", "options", "arguments"):
        for name in contract.having(section, "later"):
            verb = name.rpartition(" ")[0]
            if contract.names["verbs"].get(verb) != "later":
                yield name, {re.sub(r" [A-Z]+", "", name)}
    pages = contract.having("pages", "later")
    for page in pages:
        yield page, {page, page.split(" ")[1]}
    for name in contract.having("parameters", "later"):
        page, _, parameter = name.partition("?")
        if page not in pages:
            yield name, {"?" + parameter}
    for metric in contract.having("metrics", "later"):
        yield metric, {metric.partition("{")[0].removeprefix("penstock_")}
    for section in ("close_reasons", "log_fields"):
        for name in contract.having(section, "later"):
            yield name, {name}


def judge(contract):
    text = (contract.source / "README.md").read_text()
    section = re.search(r"\n### Not there yet\n.*?\n- (.*?)\n#", text + "\n#", re.S)
    contract.check(section, "README.md has no section 'Not there yet'")
    words = re.findall(r"`([^`]+)`", section[1]) if section else []
    needed = list(forms(contract))
    for name, written in needed:
        contract.check(any(fnmatchcase(form, word) for form in written for word in words),
                       f"README.md, 'Not there yet', lacks {name}")
    for word in words:
        contract.check(any(fnmatchcase(form, word) for _, written in needed for form in written),
                       f"README.md, 'Not there yet': `{word}` is nothing that comes later")
