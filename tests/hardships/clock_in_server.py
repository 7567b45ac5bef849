"""An extension of the local AWS's server: the processes of handlers see the clock that the server sees."""

import importlib
import os

NAMES = ("LD_PRELOAD", "SET_CLOCK")
processes = importlib.import_module("nbchalice_local_aws.server.processes")
start = processes.Spawner.start


def start_with_clock(spawner, request, descriptors):
    request["environment"].update({name: os.environ[name] for name in NAMES})
    return start(spawner, request, descriptors)


processes.Spawner.start = start_with_clock


def extension(app):
    return app
