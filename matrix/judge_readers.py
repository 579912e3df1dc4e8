"""What cloud-init and Glean make of config drives: reads cases as JSON on standard input, writes what it found on standard output.

Runs in an environment with Glean, and with cloud-init on PYTHONPATH. Glean writes its files below a folder of the case.
"""
import base64
import contextlib
import io
import json
import os
import sys
import tempfile
import traceback

from cloudinit import distros, helpers
from cloudinit.net import eni, netplan, network_state, networkd, sysconfig
from cloudinit.sources import DataSourceConfigDrive
from glean import cmd as glean


def unpack(files, folder):
    for path, content in files.items():
        target = os.path.join(folder, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as stream:
            stream.write(base64.b64decode(content))


def failure():
    kind, error, _ = sys.exc_info()
    place = traceback.extract_tb(error.__traceback__)[-1].name
    return {"error": "%s in %s" % (kind.__name__, place)}


def cloud_init(files, cards):
    """The network state that every renderer of cloud-init starts from, after each of them has written its files."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            unpack(files, os.path.join(folder, "seed", "config_drive"))
            paths = helpers.Paths({"cloud_dir": folder, "run_dir": folder})
            paths.seed_dir = os.path.join(folder, "seed")
            source = DataSourceConfigDrive.DataSourceConfigDrive({}, distros.fetch("debian")("debian", {}, paths), paths)
            source.known_macs = {mac: name for name, mac in cards.items()}
            if not source.get_data():
                return {"error": "no data source"}
            state = network_state.parse_net_config_data(source.network_config)
            renderers = [
                eni.Renderer(),
                netplan.Renderer({"netplan_path": "netplan.yaml"}),
                networkd.Renderer(),
                sysconfig.Renderer(distros.fetch("rhel").renderer_configs["sysconfig"]),
            ]
            for number, renderer in enumerate(renderers):
                target = os.path.join(folder, "root%d" % number)
                os.makedirs(os.path.join(target, "etc", "network"))
                renderer._postcmds = False
                renderer.render_network_state(state, target=target)
            return {
                "metadata": {key: source.metadata.get(key) for key in ("local-hostname", "instance-id")},
                "keys": source.get_public_ssh_keys(),
                "userdata": (source.userdata_raw or b"").decode()
                if isinstance(source.userdata_raw, bytes)
                else source.userdata_raw,
                "interfaces": list(state.iter_interfaces()),
                "dns": state.dns_nameservers,
            }
    except Exception:
        return failure()


def run_glean(files, cards, distro):
    """Files that Glean writes for a machine with these cards, by path."""
    try:
        with tempfile.TemporaryDirectory() as root:
            unpack(files, os.path.join(root, "mnt", "config"))
            for name, mac in cards.items():
                folder = os.path.join(root, "sys", "class", "net", name)
                os.makedirs(folder)
                for key, value in (("address", mac), ("addr_assign_type", "0"), ("carrier", "1")):
                    with open(os.path.join(folder, key), "w") as stream:
                        stream.write(value + "\n")
            written = []
            finish = glean.finish_files

            def below_root(found, args):
                moved = {root + path: content for path, content in found.items()}
                for path in moved:
                    os.makedirs(os.path.dirname(path), exist_ok=True)
                written.extend(found)
                finish(moved, args)

            glean.finish_files = below_root
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    glean.main(["--distro", distro, "--root", root, "--no-dhcp-fallback"])
                return {"files": {path: open(root + path).read() for path in written if os.path.exists(root + path)}}
            finally:
                glean.finish_files = finish
    except Exception:
        return failure()


def judge(case):
    cards = case["cards"]
    return {
        "cloudInitJson": cloud_init(case["built"], cards),
        "cloudInitIso": cloud_init(case["ours"], cards),
        "glean": {distro: run_glean(case["ours"], cards, distro) for distro in ("debian", "redhat", "networkd")},
        "gleanJson": {distro: run_glean(case["built"], cards, distro) for distro in ("debian", "redhat", "networkd")},
    }


results = [judge(case) for case in json.load(sys.stdin)]
json.dump(results, sys.stdout, default=str)
