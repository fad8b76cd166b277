"""Serves one GGUF model on 127.0.0.1 until standard input closes: `python serve.py MODEL THREADS CONTEXT`.

Prints `ready PORT` when the server answers. Whoever started it holds the other end of standard input, so even a
killed parent leaves no server behind.
"""

import os
import sys

import xllamacpp

params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = int(sys.argv[2])
params.n_ctx = int(sys.argv[3])
params.n_parallel = 1
params.hostnames = ["127.0.0.1"]
params.port = 0  # any free one
server = xllamacpp.Server(params)
print("ready", server.listening_address.rsplit(":", 1)[1], flush=True)
sys.stdin.read()
os._exit(0)  # at once, whatever the server's threads are doing
