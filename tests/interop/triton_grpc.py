"""`tritonclient.grpc` against the host: usage `triton_grpc.py REST GRPC`."""

import queue
import sys

import numpy as np
import tritonclient.grpc as grpc
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import InferenceServerException

import tensors


def refused(call, code, words):
    try:
        call()
    except InferenceServerException as error:
        assert code in str(error.status()), f"{error.status()}, expected {code}: {error}"
        assert words in error.message(), f"{error.message()} does not say {words!r}"
        return
    raise AssertionError(f"nothing was refused with {words!r}")


def inputs_of(all_tensors):
    inputs = []
    for name, (datatype, elements) in all_tensors.items():
        inputs.append(grpc.InferInput(name, list(elements.shape), datatype).set_data_from_numpy(elements))
    return inputs


def the_x(value):
    return [grpc.InferInput("x", [1], "FP64").set_data_from_numpy(np.array([value]))]


def every_datatype_as_raw_contents(client):
    for all_tensors in (tensors.ALL, tensors.EMPTY):
        result = client.infer("all", inputs_of(all_tensors), request_id="r-1")
        assert result.get_response().id == "r-1"
        assert result.get_response().model_version.startswith("champion@")
        for name, (datatype, elements) in all_tensors.items():
            assert result.get_output(name).datatype == datatype
            tensors.check(name, elements, result.as_numpy(name))


def every_datatype_as_contents(client):
    """The fields that a client fills who does not know of raw contents."""
    fields = {
        "BOOL": "bool_contents", "INT8": "int_contents", "INT16": "int_contents", "INT32": "int_contents",
        "INT64": "int64_contents", "UINT8": "uint_contents", "UINT16": "uint_contents", "UINT32": "uint_contents",
        "UINT64": "uint64_contents", "FP32": "fp32_contents", "FP64": "fp64_contents", "BYTES": "bytes_contents",
    }
    request = service_pb2.ModelInferRequest(model_name="all")
    for name, (datatype, elements) in tensors.ALL.items():
        some = elements if datatype in fields else elements[:0]
        tensor = request.inputs.add(name=name, datatype=datatype, shape=some.shape)
        if datatype in fields:
            getattr(tensor.contents, fields[datatype]).extend(some.tolist())
    stub = service_pb2_grpc.GRPCInferenceServiceStub(client._channel)
    try:
        stub.ModelInfer(request)
    except Exception as error:
        assert "contents have no field for it" in error.details(), error
    else:
        raise AssertionError("halves without raw contents were taken")
    request.inputs.pop(list(tensors.ALL).index("bf16s"))
    request.inputs.pop(list(tensors.ALL).index("f16s"))
    request.model_name = "typed"
    response = stub.ModelInfer(request)
    assert len(response.outputs) == len(tensors.ALL) - 2
    for output, raw in zip(response.outputs, response.raw_output_contents):
        assert raw == tensors.serialized(tensors.ALL[output.name][1]), output.name


def some_outputs_only(client):
    outputs = [grpc.InferRequestedOutput("texts"), grpc.InferRequestedOutput("u8s")]
    response = client.infer("all", inputs_of(tensors.ALL), outputs=outputs).get_response()
    assert [output.name for output in response.outputs] == ["texts", "u8s"]
    unknown = [grpc.InferRequestedOutput("nothing")]
    refused(lambda: client.infer("all", inputs_of(tensors.ALL), outputs=unknown), "INVALID_ARGUMENT", "outputs[0].name")


def the_server_says_what_it_is(client):
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("e")
    assert client.is_model_ready("e", "triple") and not client.is_model_ready("e", "broken")
    assert client.get_server_metadata().name == "understudy"
    metadata = client.get_model_metadata("e", as_json=True)
    assert metadata["inputs"] == [{"name": "x", "datatype": "FP64", "shape": ["1"]}], metadata
    index = {(entry.name, entry.version): entry for entry in client.get_model_repository_index().models}
    assert index["e", "champion"].state == "READY"
    assert index["e", "broken"].state == "UNAVAILABLE" and index["e", "broken"].reason
    before = client.get_inference_statistics("e", "champion").model_stats[0]
    client.infer("e", the_x(3.0))
    after = client.get_inference_statistics("e", "champion").model_stats[0]
    assert after.inference_count == before.inference_count + 1
    assert after.inference_stats.success.count == after.inference_count
    assert after.inference_stats.compute_infer.ns > before.inference_stats.compute_infer.ns


def what_is_wrong_has_a_status(client):
    assert client.infer("e", the_x(3.0), model_version="triple").as_numpy("y")[0] == 9.0
    refused(lambda: client.infer("nobody", the_x(3.0)), "NOT_FOUND", "there is no endpoint `nobody`")
    refused(lambda: client.infer("e", the_x(3.0), model_version="nobody"), "NOT_FOUND", "has no model")
    two = [grpc.InferInput("x", [2], "FP64").set_data_from_numpy(np.array([3.0, 4.0]))]
    refused(lambda: client.infer("e", two), "INVALID_ARGUMENT", "expected FP64 [1]")
    refused(lambda: client.infer("e", the_x(3.0), model_version="prude"), "INVALID_ARGUMENT", "I would rather not")
    refused(lambda: client.infer("e", the_x(3.0), model_version="broken"), "UNAVAILABLE", "not ready")
    refused(lambda: client.infer("slow", the_x(3.0), client_timeout=0.2), "DEADLINE_EXCEEDED", "")


def a_stream_answers_each_question(client):
    answers = queue.Queue()
    client.start_stream(callback=lambda result, error: answers.put((result, error)))
    for number in range(50):
        client.async_stream_infer("e", the_x(float(number)), request_id=str(number))
    client.async_stream_infer("nobody", the_x(3.0), request_id="lost")
    found, errors = {}, []
    for _ in range(51):
        result, error = answers.get(timeout=60)
        if error is None:
            found[result.get_response().id] = result.as_numpy("y")[0]
        else:
            errors.append(error.message())
    client.stop_stream()
    assert found == {str(number): number * 2.0 for number in range(50)}, found
    assert len(errors) == 1 and "there is no endpoint `nobody`" in errors[0], errors


def models_are_unloaded_and_loaded(client):
    client.unload_model("spare")
    refused(lambda: client.infer("spare", the_x(3.0)), "UNAVAILABLE", "paused")
    client.load_model("spare")
    assert client.infer("spare", the_x(3.0)).as_numpy("y")[0] == 6.0
    refused(lambda: client.unload_model("nobody"), "NOT_FOUND", "there is no endpoint `nobody`")


def main():
    with grpc.InferenceServerClient(sys.argv[2]) as client:
        every_datatype_as_raw_contents(client)
        every_datatype_as_contents(client)
        some_outputs_only(client)
        the_server_says_what_it_is(client)
        what_is_wrong_has_a_status(client)
        a_stream_answers_each_question(client)
        models_are_unloaded_and_loaded(client)


main()
