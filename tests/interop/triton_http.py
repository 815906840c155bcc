"""`tritonclient.http` against the host: usage `triton_http.py REST GRPC`."""

import base64
import json
import sys
import time
import urllib.request

import numpy as np
import tritonclient.http as http
from tritonclient.utils import InferenceServerException

import tensors


def refused(call, words):
    try:
        call()
    except InferenceServerException as error:
        assert words in str(error), f"{error} does not say {words!r}"
        return
    raise AssertionError(f"nothing was refused with {words!r}")


def inputs_of(all_tensors, binary):
    inputs = []
    for name, (datatype, elements) in all_tensors.items():
        tensor = http.InferInput(name, list(elements.shape), datatype)
        inputs.append(tensor.set_data_from_numpy(elements, binary_data=binary))
    return inputs


def every_datatype_in_binary(client):
    for all_tensors in (tensors.ALL, tensors.EMPTY):
        result = client.infer("all", inputs_of(all_tensors, True), request_id="r-1")
        assert result.get_response()["id"] == "r-1"
        assert result.get_response()["model_version"].startswith("champion@")
        for name, (_, elements) in all_tensors.items():
            tensors.check(name, elements, result.as_numpy(name))


def every_datatype_in_json(client):
    # This client has no JSON for brain floats, and its JSON for what is not finite is none.
    inputs, expected = [], {}
    for name, (datatype, elements) in tensors.ALL.items():
        if name == "bf16s":
            tensor = http.InferInput(name, list(elements.shape), datatype)
            inputs.append(tensor.set_data_from_numpy(elements))
            expected[name] = elements
            continue
        some = np.array([b"abc", b""], dtype=np.object_) if name == "blobs" else tensors.finite(elements)
        tensor = http.InferInput(name, list(some.shape), datatype)
        inputs.append(tensor.set_data_from_numpy(some, binary_data=False))
        expected[name] = some
    outputs = [http.InferRequestedOutput(name, binary_data=name == "bf16s") for name in expected]
    result = client.infer("all", inputs, outputs=outputs)
    for name, elements in expected.items():
        found = result.as_numpy(name)
        if name == "blobs":
            assert result.get_output(name)["parameters"]["content_type"] == "base64"
            found = np.array([base64.b64decode(item) for item in found], dtype=np.object_)
        tensors.check(name, elements, found)


def what_is_not_finite_is_a_text_in_json(rest):
    values = ["NaN", "Infinity", "-Infinity", -0.0, 1e-45]
    inputs = [
        {"name": name, "shape": [0], "datatype": datatype, "data": []}
        for name, (datatype, _) in tensors.ALL.items()
        if not name.startswith(("f", "bf"))
    ]
    for name, datatype in [("f16s", "FP16"), ("bf16s", "BF16"), ("f32s", "FP32"), ("f64s", "FP64")]:
        inputs.append({"name": name, "shape": [5], "datatype": datatype, "data": values})
    body = json.dumps({"inputs": inputs}).encode()
    request = urllib.request.Request(f"http://{rest}/v2/models/all/infer", data=body, headers={"content-type": "application/json"})
    response = json.load(urllib.request.urlopen(request))
    for output in response["outputs"]:
        if output["name"] in ("f32s", "f64s"):
            assert output["data"] == values, output


def some_outputs_only(client):
    inputs = inputs_of(tensors.ALL, True)
    outputs = [http.InferRequestedOutput("texts"), http.InferRequestedOutput("u8s", binary_data=False)]
    response = client.infer("all", inputs, outputs=outputs).get_response()
    assert [output["name"] for output in response["outputs"]] == ["texts", "u8s"], response
    assert "data" in response["outputs"][1] and "data" not in response["outputs"][0]
    unknown = [http.InferRequestedOutput("nothing")]
    refused(lambda: client.infer("all", inputs, outputs=unknown), "outputs[0].name")


def one_model_is_a_version(client):
    x = http.InferInput("x", [1], "FP64").set_data_from_numpy(np.array([3.0]))
    assert client.infer("e", [x]).as_numpy("y")[0] == 6.0
    assert client.infer("e", [x], model_version="triple").as_numpy("y")[0] == 9.0
    refused(lambda: client.infer("e", [x], model_version="nobody"), "has no model")


def the_server_says_what_it_is(client):
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("e")
    assert client.is_model_ready("e", "triple") and not client.is_model_ready("e", "broken")
    server = client.get_server_metadata()
    assert server["name"] == "understudy"
    for extension in ("binary_tensor_data", "statistics", "model_repository", "schedule_policy"):
        assert extension in server["extensions"], server
    metadata = client.get_model_metadata("e")
    assert metadata["inputs"] == [{"name": "x", "datatype": "FP64", "shape": [1]}], metadata
    index = {(entry["name"], entry["version"]): entry for entry in client.get_model_repository_index()}
    assert index["e", "champion"]["state"] == "READY", index
    assert index["e", "broken"]["state"] == "UNAVAILABLE" and index["e", "broken"]["reason"], index


def statistics_count_truly(client):
    def counts():
        (model,) = client.get_inference_statistics("e", "champion")["model_stats"]
        return model

    before = counts()
    x = http.InferInput("x", [1], "FP64").set_data_from_numpy(np.array([3.0]))
    for _ in range(3):
        client.infer("e", [x])
    after = counts()
    assert after["inference_count"] - before["inference_count"] == 3, (before, after)
    assert after["inference_stats"]["success"]["count"] == after["inference_count"]
    assert after["inference_stats"]["compute_infer"]["ns"] > before["inference_stats"]["compute_infer"]["ns"]
    assert sum(batch["batch_size"] * batch["compute_infer"]["count"] for batch in after["batch_stats"]) == after["inference_count"]
    assert after["last_inference"] > 1_600_000_000_000
    assert after["memory_usage"][0]["byte_size"] > 0
    assert len(client.get_inference_statistics()["model_stats"]) >= 3


def models_are_unloaded_and_loaded(client, rest):
    def state(model):
        index = client.get_model_repository_index()
        (entry,) = [entry for entry in index if (entry["name"], entry["version"]) == ("spare", model)]
        return entry["state"]

    def until(model, expected):
        for _ in range(600):
            if state(model) == expected:
                return
            time.sleep(0.05)
        raise AssertionError(f"{model} is {state(model)}, expected {expected}")

    def change(path, body=b"{}"):
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(f"http://{rest}/v2/repository/models/spare/{path}", data=body, headers=headers)
        urllib.request.urlopen(request).read()

    x = http.InferInput("x", [1], "FP64").set_data_from_numpy(np.array([3.0]))
    until("champion", "READY")
    client.unload_model("spare")
    until("champion", "UNAVAILABLE")
    refused(lambda: client.infer("spare", [x]), "paused")
    client.load_model("spare")
    until("champion", "READY")
    assert client.infer("spare", [x]).as_numpy("y")[0] == 6.0
    change("versions/second/unload")
    until("second", "UNAVAILABLE")
    change("versions/second/load")
    until("second", "READY")


def what_is_wrong_is_said(client):
    x = http.InferInput("x", [2], "FP64").set_data_from_numpy(np.array([3.0, 4.0]))
    refused(lambda: client.infer("e", [x]), "found FP64 [2], expected FP64 [1]")
    x = http.InferInput("x", [1], "FP64").set_data_from_numpy(np.array([3.0]))
    x._raw_data = b"1234567"
    x._parameters["binary_data_size"] = 7
    refused(lambda: client.infer("e", [x]), "found 7 bytes, expected 8 for FP64 [1]")
    refused(lambda: client.infer("nobody", [x]), "")


def main():
    rest = sys.argv[1]
    with http.InferenceServerClient(rest) as client:
        every_datatype_in_binary(client)
        every_datatype_in_json(client)
        what_is_not_finite_is_a_text_in_json(rest)
        some_outputs_only(client)
        one_model_is_a_version(client)
        the_server_says_what_it_is(client)
        statistics_count_truly(client)
        what_is_wrong_is_said(client)
        models_are_unloaded_and_loaded(client, rest)


main()
