"""The plain structure of an opened vault, in the form of the vectors in spec/vectors/vault."""

import base64

from .slots import KINDS


def _pin(pin):
    return pin and {"provider": pin.provider, "hosts": pin.hosts.hex()}


def _field(field):
    return {
        "kind": field.kind,
        "sensitive": field.sensitive,
        "hint": field.hint,
        "aliases": field.aliases,
        "forced": field.forced,
        "searched": field.searched,
    }


def _version(version, values):
    return {"number": version.number, "created": version.created, "values": values}


def secret(opened, value):
    """One secret; `value` turns the bytes of a value into what is shown for it."""
    head = opened.head
    versions = []
    for version in head.versions:
        values = opened.values[version.number]
        versions.append(_version(version, {name: value(values[name]) for name in values}))
    return {
        "group": head.group,
        "key": head.key,
        "pin": _pin(head.pin),
        "created": head.created,
        "modified": head.modified,
        "expires": head.expires,
        "removed": head.removed,
        "tags": head.tags,
        "note": head.note,
        "url": head.url,
        "fields": {name: _field(field) for name, field in head.fields.items()},
        "bindings": head.bindings,
        "versions": versions,
    }


def as_base64(value):
    return base64.b64encode(value).decode()


def workspaces(vault, value=as_base64):
    """The secrets of every workspace by its name, in the order of group and key."""
    return {
        workspace.name: [secret(opened, value) for opened in workspace.secrets]
        for workspace in vault.workspaces
    }


def structure(vault, value=as_base64):
    """All of a vault but its keys."""
    return {
        "vault": vault.id.hex(),
        "created": vault.created,
        "fingerprint": vault.fingerprint.hex(),
        "slots": [
            {
                "id": slot.id.hex(),
                "kind": KINDS[slot.kind],
                "label": slot.label,
                "created": slot.created,
            }
            for slot in vault.slots
        ],
        "documents": sorted(vault.documents),
        "policy": vault.documents.get("policy", b"").decode() or None,
        "workspaces": workspaces(vault, value),
    }
