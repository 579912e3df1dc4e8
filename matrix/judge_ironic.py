"""Ironic's own judgement of config drives: reads cases as JSON on standard input, writes what it found on standard output.

Runs in an environment with Ironic: its network data schema, its builder of drives and its checker.
"""
import base64
import copy
import gzip
import io
import json
import os
import sys
import warnings

warnings.simplefilter("ignore")

import jsonschema  # noqa: E402
import pycdlib  # noqa: E402
import ironic  # noqa: E402
from ironic.conductor import configdrive_utils  # noqa: E402

SCHEMA = os.path.join(os.path.dirname(ironic.__file__), "api", "controllers", "v1", "network-data-schema.json")


class Node:
    uuid = "11111111-1111-4111-8111-111111111111"
    name = "node-1"
    instance_uuid = None
    instance_info = {}


class Task:
    node = Node
    ports = []
    portgroups = []


def files_of(drive):
    """Files of a drive by path, read through Rock Ridge."""
    image = pycdlib.PyCdlib()
    image.open_fp(io.BytesIO(gzip.decompress(base64.b64decode(drive))))
    found = {}
    for directory, _, names in image.walk(rr_path="/"):
        for name in names:
            path = directory.rstrip("/") + "/" + name
            content = io.BytesIO()
            image.get_file_from_iso_fp(content, rr_path=path)
            found[path.lstrip("/")] = base64.b64encode(content.getvalue()).decode()
    image.close()
    return found


def rebuilt(drive):
    """What Ironic's re-mastering makes of the drive when it replaces the network data."""
    image = pycdlib.PyCdlib()
    image.open_fp(io.BytesIO(gzip.decompress(base64.b64decode(drive))))
    target = os.path.join(os.environ["TMPDIR"], "rebuilt.iso")
    configdrive_utils.regenerate_iso(image, target, {"/openstack/latest/network_data.json": "{}"}, node_uuid=Node.uuid)
    with open(target, "rb") as stream:
        found = files_of(base64.b64encode(gzip.compress(stream.read())).decode())
    os.unlink(target)
    return sorted(found)


def judge(case):
    with open(SCHEMA) as stream:
        validator = jsonschema.Draft7Validator(json.load(stream))
    drive = json.loads(case["json"])
    schema = [error.message[:200] for error in validator.iter_errors(drive["network_data"])]
    built = configdrive_utils.build_configdrive(Node, copy.deepcopy(drive))
    checked = configdrive_utils.check_and_fix_configdrive(Task, copy.deepcopy(drive))
    return {
        "schema": schema,
        "built": files_of(built),
        "ours": files_of(case["iso"]),
        "jsonKept": checked == drive,
        "isoKept": configdrive_utils.check_and_fix_configdrive(Task, case["iso"]) == case["iso"],
        "rebuilt": rebuilt(case["iso"]),
    }


json.dump([judge(case) for case in json.load(sys.stdin)], sys.stdout)
