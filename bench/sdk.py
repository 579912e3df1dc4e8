"""openstacksdk as its users call it: a thread per node, deploy (or undeploy) and wait."""

import concurrent.futures
import json
import sys

import openstack


def main():
    order = json.load(sys.stdin)
    cloud = openstack.connect()
    info = order["instance_info"]

    def work(node):
        try:
            if order["target"] == "active":
                cloud.baremetal.update_node(node, instance_info=info)
            cloud.baremetal.set_node_provision_state(
                node, order["target"], wait=True, timeout=order["timeout"]
            )
            return None
        except Exception as error:
            return f"{type(error).__name__}: {error}"

    with concurrent.futures.ThreadPoolExecutor(order["threads"]) as pool:
        errors = [e for e in pool.map(work, order["nodes"]) if e]
    json.dump(errors, sys.stdout)


main()
