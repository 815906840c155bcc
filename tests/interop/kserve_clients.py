"""The clients of `kserve` against the host: usage `kserve_clients.py REST GRPC`."""

import asyncio
import sys

import grpc
import httpx
import numpy as np
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest, RESTConfig

import tensors

# Brain floats are unknown to it.
KNOWN = {name: tensor for name, tensor in tensors.ALL.items() if name != "bf16s"}


def request_of(binary, elements_of=lambda name, elements: elements):
    inputs = []
    for name, (datatype, elements) in KNOWN.items():
        some = elements_of(name, elements)
        tensor = InferInput(name=name, shape=list(some.shape), datatype=datatype)
        tensor.set_data_from_numpy(some, binary_data=binary)
        inputs.append(tensor)
    return InferRequest(model_name="halves", request_id="r-1", infer_inputs=inputs)


def readable(name, elements):
    """Over REST this client reads no bytes but UTF-8."""
    return np.array([b"", b"abc"], dtype=np.object_) if name == "blobs" else elements


def the_x(value, model="e"):
    tensor = InferInput(name="x", shape=[1], datatype="FP64")
    tensor.set_data_from_numpy(np.array([value]), binary_data=False)
    return InferRequest(model_name=model, infer_inputs=[tensor])


def check(response, elements_of=lambda name, elements: elements):
    assert response.id == "r-1"
    assert len(response.outputs) == len(KNOWN)
    for output in response.outputs:
        expected = elements_of(output.name, KNOWN[output.name][1])
        tensors.check(output.name, expected, np.asarray(output.as_numpy()))


async def over_rest(rest):
    client = InferenceRESTClient(RESTConfig(protocol="v2", retries=0))
    base = f"http://{rest}"
    assert await client.is_server_live(base) and await client.is_server_ready(base)
    assert await client.is_model_ready(base, "e")
    request = request_of(True, readable)
    request.parameters = {"binary_data_output": True}
    check(await client.infer(base, request, model_name="halves"), readable)
    answer = await client.infer(base, the_x(3.0), model_name="e")
    assert answer.outputs[0].as_numpy()[0] == 6.0
    try:
        await client.infer(base, the_x(3.0), model_name="nobody")
    except httpx.HTTPStatusError as error:
        assert error.response.status_code == 404, error
    else:
        raise AssertionError("an endpoint that is not there answered")


async def over_grpc(address):
    async with InferenceGRPCClient(url=address) as client:
        assert await client.is_server_live() and await client.is_server_ready()
        assert await client.is_model_ready("e")
        check(await client.infer(request_of(True)))
        answer = await client.infer(the_x(3.0))
        assert np.asarray(answer.outputs[0].as_numpy())[0] == 6.0
        for model, code in [("nobody", grpc.StatusCode.NOT_FOUND), ("slow", grpc.StatusCode.DEADLINE_EXCEEDED)]:
            try:
                await client.infer(the_x(3.0, model), timeout=0.2)
            except grpc.RpcError as error:
                assert error.code() == code, error
            else:
                raise AssertionError(f"{model} answered")


async def main():
    await over_rest(sys.argv[1])
    await over_grpc(sys.argv[2])


asyncio.run(main())
