#!/bin/sh
# Makes inference.bin of inference.proto. Needs a Python with the package grpcio-tools; nobody who
# builds or runs the host does.
set -eu
cd "$(dirname "$0")"
"${PYTHON:-python3}" -m grpc_tools.protoc --proto_path=. --descriptor_set_out=inference.bin inference.proto
