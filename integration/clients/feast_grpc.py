"""A gRPC client of Feast's services: grpcio, and stubs.

    feast_grpc.py ours|theirs PROTO_FOLDER ADDRESS CALLS_JSON

The stubs are generated from the .proto files of this project (`ours`), or those of the feast package
(`theirs`). CALLS_JSON is a list of [service, method, request in protobuf's JSON form, metadata]. Prints a list
with the answer of each in the same form, or {"code", "message"} where the server refuses.

    feast_grpc.py compare PROTO_FOLDER

Prints every message, field and method of ours that the feast package has otherwise, or not at all.
"""

import importlib
import json
import pathlib
import sys
import tempfile

import grpc
import grpc_tools
from google.protobuf import descriptor_pb2, json_format
from grpc_tools import protoc

FILES = ("feast/types/Value", "feast/serving/ServingService", "feast/serving/GrpcServer")


def generate(folder):
    """Modules generated from our files."""
    out = pathlib.Path(tempfile.mkdtemp())
    bundled = pathlib.Path(grpc_tools.__file__).parent / "_proto"
    arguments = ["protoc", f"-I{folder}", f"-I{bundled}", f"--python_out={out}", f"--grpc_python_out={out}"]
    if protoc.main(arguments + [f"{file}.proto" for file in FILES]) != 0:
        raise SystemExit("the protos do not compile")
    # Packages, so that they come before the one that is installed.
    for package in ("feast", "feast/types", "feast/serving"):
        (out / package / "__init__.py").touch()
    sys.path.insert(0, str(out))


def module(which, file, suffix):
    name = file.replace("/", ".")
    return importlib.import_module(f"feast.protos.{name}_{suffix}" if which == "theirs" else f"{name}_{suffix}")


def call(which, channel, service, method, request, metadata):
    file = "feast/serving/ServingService" if service == "ServingService" else "feast/serving/GrpcServer"
    services, messages = module(which, file, "pb2_grpc"), module(which, file, "pb2")
    described = messages.DESCRIPTOR.services_by_name[service].methods_by_name[method].input_type
    message = json_format.ParseDict(request, described._concrete_class())
    stub = getattr(services, f"{service}Stub")(channel)
    try:
        answer = getattr(stub, method)(message, timeout=20, metadata=list((metadata or {}).items()))
    except grpc.RpcError as error:
        return {"code": error.code().name, "message": error.details()}
    return json_format.MessageToDict(answer, preserving_proto_field_name=True)


def described(which):
    """Every field, enum value and method, and what is on the wire of it."""
    found = {}
    for file in FILES:
        proto = descriptor_pb2.FileDescriptorProto()
        module(which, file, "pb2").DESCRIPTOR.CopyToProto(proto)

        def messages(prefix, all_messages):
            for message in all_messages:
                name = f"{prefix}.{message.name}"
                for field in message.field:
                    found[f"{name}.{field.name}"] = [field.number, field.type, field.label, field.type_name]
                messages(name, message.nested_type)

        messages(proto.package, proto.message_type)
        for enum in proto.enum_type:
            found.update({f"{proto.package}.{enum.name}.{value.name}": value.number for value in enum.value})
        for service in proto.service:
            for method in service.method:
                wire = [method.input_type, method.output_type, method.server_streaming]
                found[f"{proto.package}.{service.name}/{method.name}"] = wire
    return found


def main():
    which, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    if which == "compare":
        # Two definitions of one message do not fit into one process.
        import subprocess

        ours, theirs = (
            json.loads(subprocess.check_output([sys.executable, __file__, "describe", str(folder), which]))
            for which in ("ours", "theirs")
        )
        print(json.dumps({"compared": len(ours), "different": {k: v for k, v in ours.items() if theirs.get(k) != v}}))
        return
    if which == "describe":
        which = sys.argv[3]
        if which == "ours":
            generate(folder)
        print(json.dumps(described(which)))
        return
    if which == "ours":
        generate(folder)
    address, calls = sys.argv[3], json.loads(sys.argv[4])
    with grpc.insecure_channel(address) as channel:
        print(json.dumps([call(which, channel, *one) for one in calls]))


if __name__ == "__main__":
    main()
