"""What openstacksdk makes of each case given on standard input; one line of JSON per case."""

import importlib
import json
import os
import sys
import warnings

# Loaded once, as it takes a second: every case then is a fork that reads the module with the folders anew.
from openstack.config import loader

warnings.simplefilter("ignore")


def read(path):
    if not isinstance(path, str):
        return None
    with open(os.path.expanduser(path)) as file:
        return file.read()


def resolve(case):
    region = importlib.reload(loader).OpenStackConfig().get_one(
        **{key: case[key] for key in ("cloud", "region_name") if case.get(key)}
    )
    verify, cert = region.get_requests_verify_args()
    if verify is True:
        verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
    cert_path, key_path = cert if isinstance(cert, tuple) else (cert, cert)
    auth = dict(region.config["auth"])
    endpoint = region.get_endpoint("baremetal") or auth.get("endpoint")
    version = region.get_api_version("baremetal")
    if region.config["auth_type"] != "none":
        # The plug-in exists only if nothing that it needs is missing.
        region.get_session()
    interface = region.get_interface("baremetal")
    return {
        "authType": region.config["auth_type"],
        "auth": {key: auth[key] for key in sorted(auth) if key != "endpoint"},
        "authMethods": region.config.get("auth_methods") or auth.get("auth_methods"),
        "endpoint": endpoint,
        "region": region.get_region_name("baremetal") or None,
        "interfaces": [interface] if isinstance(interface, str) else interface,
        "serviceType": region.get_service_type("baremetal"),
        "insecure": verify is False,
        "ca": read(verify),
        "cert": read(cert_path),
        "key": read(key_path),
        "microversion": region.get_default_microversion("baremetal")
        or (version if version and "." in version else None),
        "timeout": region.config.get("api_timeout"),
    }


def run(case):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with os.fdopen(writing, "w") as out:
            try:
                os.chdir(case["cwd"])
                os.environ.clear()
                os.environ.update(case["env"])
                result = resolve(case)
            except BaseException as error:  # noqa: BLE001
                result = {"error": f"{type(error).__name__}: {error}"}
            out.write(json.dumps(result))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        text = answer.read()
    os.waitpid(child, 0)
    return text or '{"error": "no result"}'


for case in json.load(sys.stdin):
    print(run(case), flush=True)
