"""Health and reflection of the host, and whether the descriptors are those of the `.proto`: usage `grpc_services.py REST GRPC PROTO`."""

import pathlib
import subprocess
import sys
import tempfile

import grpc
from google.protobuf import descriptor_pool, message_factory
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase


def the_descriptors_are_those_of_the_file(proto):
    with tempfile.TemporaryDirectory() as folder:
        made = pathlib.Path(folder, "inference.bin")
        compiler = [sys.executable, "-m", "grpc_tools.protoc"]
        subprocess.run([*compiler, f"--proto_path={proto.parent}", f"--descriptor_set_out={made}", proto.name], check=True)
        assert made.read_bytes() == proto.with_suffix(".bin").read_bytes(), "run build.sh beside the .proto"


def health(channel):
    stub = health_pb2_grpc.HealthStub(channel)
    serving = health_pb2.HealthCheckResponse.SERVING
    for service in ("", "inference.GRPCInferenceService", "e"):
        assert stub.Check(health_pb2.HealthCheckRequest(service=service)).status == serving, service
    try:
        stub.Check(health_pb2.HealthCheckRequest(service="nobody"))
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.NOT_FOUND, error
    else:
        raise AssertionError("a service that is not there is healthy")
    watch = stub.Watch(health_pb2.HealthCheckRequest(service="nobody"))
    assert next(watch).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
    watch.cancel()
    watch = stub.Watch(health_pb2.HealthCheckRequest(service="e"))
    assert next(watch).status == serving
    watch.cancel()


def reflection(channel):
    """Asks with nothing but what reflection tells."""
    database = ProtoReflectionDescriptorDatabase(channel)
    services = set(database.get_services())
    for service in ("inference.GRPCInferenceService", "grpc.health.v1.Health"):
        assert service in services, services
    pool = descriptor_pool.DescriptorPool(database)
    service = pool.FindServiceByName("inference.GRPCInferenceService")

    def call(rpc, **fields):
        method = service.FindMethodByName(rpc)
        request = message_factory.GetMessageClass(method.input_type)(**fields)
        response = message_factory.GetMessageClass(method.output_type)
        path = f"/{service.full_name}/{rpc}"
        ask = channel.unary_unary(path, type(request).SerializeToString, response.FromString)
        return ask(request)

    assert call("ServerLive").live and call("ServerReady").ready
    assert call("ModelReady", name="e").ready
    assert list(call("ModelMetadata", name="e").inputs[0].shape) == [1]
    x = {"name": "x", "datatype": "FP64", "shape": [1], "contents": {"fp64_contents": [3.0]}}
    answer = call("ModelInfer", model_name="e", inputs=[x])
    assert answer.outputs[0].name == "y" and answer.parameters["reason"].string_param == "preferred", answer
    assert call("ModelStatistics", name="e").model_stats[0].inference_stats.success.count > 0
    assert len(call("RepositoryIndex").models) >= 3


def main():
    the_descriptors_are_those_of_the_file(pathlib.Path(sys.argv[3]))
    with grpc.insecure_channel(sys.argv[2]) as channel:
        health(channel)
        reflection(channel)


main()
