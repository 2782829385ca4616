"""The members of the model's shapes, deep: what can be asked for, and what can be answered."""

from botocore.model import OperationModel, Shape

from contract import Contract

# What the server does not answer, with the reason: a member, or the end of its path without the brackets of lists.
ABSENT = {
    "statusMessage": "tells why something failed, and nothing fails here after it was taken",
    "resourceGroupArn": "no resource comes into a share through a resource group",
    "resourceShareInvitation.resourceShareAssociations": "deprecated by AWS, which leaves it out too",
    "resourceShareInvitations.resourceShareAssociations": "deprecated by AWS, which leaves it out too",
}
ABSENT_IN = {
    # As AWS: what a call has just written is answered without these.
    "CreateResourceShare": {"featureSet", "tags"},
    "UpdateResourceShare": {"featureSet", "tags"},
    "AssociateResourceShare": {"resourceShareName", "creationTime", "lastUpdatedTime"},
    "DisassociateResourceShare": {"resourceShareName", "creationTime", "lastUpdatedTime"},
    # Parameters have values where a permission is in a share.
    "CreatePermission": {"values"},
    "ListPermissions": {"values"},
    "ListPermissionVersions": {"values"},
    # What RAM makes of a policy has neither.
    "PromotePermissionCreatedFromPolicy": {"permissionTemplateParameters", "tags"},
}


def members(shape: Shape | None, path: str = "") -> dict[str, Shape]:
    """Every member of a shape by its path, lists and structures with what is in them: `tags[].key`."""
    found = {}
    if shape is not None and shape.type_name == "structure":
        for name, member in shape.members.items():
            place = f"{path}.{name}" if path else name
            found |= {place: member} | members(member, place)
    elif shape is not None and shape.type_name == "list":
        found |= {f"{path}[]": shape.member} | members(shape.member, f"{path}[]")
    return found


def present(shape: Shape | None, value, path: str = "") -> set[str]:
    """The paths that a value has something at; an empty list is nothing."""
    found = set()
    if shape is not None and shape.type_name == "structure":
        for name, member in shape.members.items():
            if value.get(name) not in (None, []):
                place = f"{path}.{name}" if path else name
                found |= {place} | present(member, value[name], place)
    elif shape is not None and shape.type_name == "list":
        for item in value:
            found |= {f"{path}[]"} | present(shape.member, item, f"{path}[]")
    return found


def is_absent(operation: str, path: str) -> bool:
    """Whether the table above says that a member, or what it is in, is never answered."""
    names = path.replace("[]", "").split(".")
    places = {".".join(names[begin:end]) for begin in range(len(names)) for end in range(begin + 1, len(names) + 1)}
    return not places.isdisjoint(ABSENT.keys() | ABSENT_IN.get(operation, set()))


class Coverage(Contract):
    """A contract that also keeps which members were sent in calls that succeeded, and which were answered."""

    def __init__(self):
        super().__init__()
        self.sent: dict[str, set[str]] = {}
        self.answered: dict[str, set[str]] = {}
        self.parameters = {}

    def watch(self, client):
        def keep(params, model, **_):
            self.parameters = {"shape": model.input_shape, "value": params}

        client.meta.events.register("before-parameter-build.ram", keep)
        client.meta.events.register("after-call.ram", self.succeeded)
        return super().watch(client)

    def succeeded(self, http_response, parsed, model: OperationModel, **_):
        if http_response.status_code == 200:
            self.sent.setdefault(model.name, set()).update(
                present(self.parameters["shape"], self.parameters["value"])
            )
            self.answered.setdefault(model.name, set()).update(present(model.output_shape, parsed))
