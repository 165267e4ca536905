"""A foreign gRPC client: grpcio and the .proto files, nothing of this project.

    grpc_client.py PROTO_FOLDER ADDRESS REQUEST_JSON

Compiles the protos, sends REQUEST_JSON (a GetOnlineFeaturesRequest in protobuf's JSON form), prints
the answer in the same form, or {"code": …, "message": …} where the server refuses.
"""

import importlib
import json
import pathlib
import sys
import tempfile

import grpc
import grpc_tools
from google.protobuf import json_format
from grpc_tools import protoc


def compile_protos(folder):
    out = tempfile.mkdtemp()
    bundled = pathlib.Path(grpc_tools.__file__).parent / "_proto"
    protos = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.proto"))
    arguments = ["protoc", f"-I{folder}", f"-I{bundled}", f"--python_out={out}", f"--grpc_python_out={out}"]
    if protoc.main(arguments + protos) != 0:
        raise SystemExit("the protos do not compile")
    sys.path.insert(0, out)


def main():
    folder, address, request = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    compile_protos(folder)
    messages = importlib.import_module("fs.v1.feature_store_pb2")
    services = importlib.import_module("fs.v1.feature_store_pb2_grpc")
    with grpc.insecure_channel(address) as channel:
        stub = services.FeatureStoreStub(channel)
        message = json_format.Parse(request, messages.GetOnlineFeaturesRequest())
        try:
            answer = stub.GetOnlineFeatures(message, timeout=20)
        except grpc.RpcError as error:
            print(json.dumps({"code": error.code().name, "message": error.details()}))
            return
    print(json_format.MessageToJson(answer, preserving_proto_field_name=True))


if __name__ == "__main__":
    main()
