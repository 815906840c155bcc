"""`tritonclient.grpc` against hosts that share a stream: usage `triton_grpc_hosts.py GRPC GRPC...`.

Whoever is asked, each answer is that to the question, and one idempotency key has one answer on all hosts.
"""

import sys

import numpy as np
import tritonclient.grpc as grpc


def ask(client, x, request_id="", key=None):
    tensor = grpc.InferInput("x", [1], "FP64").set_data_from_numpy(np.array([x]))
    headers = {"idempotency-key": key} if key else None
    return client.infer("e", [tensor], request_id=request_id, headers=headers, client_timeout=60)


def main(addresses):
    clients = [grpc.InferenceServerClient(address) for address in addresses]
    for number in range(40):
        for client in clients:
            result = ask(client, float(number), request_id=f"r-{number}")
            assert result.get_response().id == f"r-{number}", result.get_response()
            assert result.as_numpy("y")[0] == 2.0 * number, result.get_response()
    for number in range(10):
        results = [ask(client, 1.0, key=f"g-{number}") for client in clients]
        first = results[0].get_response()
        assert first.parameters["request_id"].string_param == f"g-{number}", first
        assert all(result.get_response() == first for result in results), results
    for client in clients:
        client.close()


main(sys.argv[1:])
