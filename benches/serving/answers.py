"""Asks every system for a few entities and compares all values with what was generated."""

import json
import random
import struct
import urllib.request

import grpc
import numpy as np
from feast.protos.feast.serving import ServingService_pb2 as serving

import generate
from cases import KEY, Size, features
from processes import Server

NATIVE = "/fs.v1.FeatureStore/GetOnlineFeatures"
FEAST = "/feast.serving.ServingService/GetOnlineFeatures"
FLOOR = "/fs.bench.Floor/Read"


class Expected:
    """What was generated."""

    def __init__(self, entities: int, views: tuple[str, ...]) -> None:
        self.entities = entities
        self.values = {view: generate.values(view, entities) for view in views}

    def some(self, number: int) -> list[int]:
        return random.Random(number).sample(range(self.entities), number)

    def columns(self, size: Size, chosen: list[int]) -> dict[str, np.ndarray]:
        return {
            name: self.values[view][chosen, column] for view in size.views for column, name in enumerate(features(view))
        }

    def compare(self, who: str, size: Size, chosen: list[int], found: dict[str, object]) -> None:
        for name, values in self.columns(size, chosen).items():
            if name not in found or not np.array_equal(values, np.array(found[name], float)):
                raise SystemExit(f"{who} answers wrongly: {name} of {chosen} is {found.get(name)}, not {values}")


def over_http(server: Server, size: Size, chosen: list[int]) -> dict[str, list[float]]:
    body = json.dumps({"feature_service": size.service, "entities": {KEY: chosen}}).encode()
    request = urllib.request.Request(
        f"http://{server.http}/get-online-features", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        answer = json.load(response)
    names = answer["metadata"]["feature_names"]
    return {name: result["values"] for name, result in zip(names, answer["results"], strict=True)}


def over_feast_grpc(server: Server, size: Size, chosen: list[int]) -> dict[str, list[float]]:
    request = serving.GetOnlineFeaturesRequest(feature_service=size.service)
    for entity in chosen:
        request.entities[KEY].val.add(int64_val=entity)
    answer = serving.GetOnlineFeaturesResponse.FromString(unary(server, FEAST, request.SerializeToString()))
    names = answer.metadata.feature_names.val
    return {
        name: [value.double_val for value in result.values]
        for name, result in zip(names, answer.results, strict=True)
        if name != KEY
    }


def over_native_grpc(server: Server, size: Size, chosen: list[int]) -> dict[str, np.ndarray]:
    """Reads `fs.v1` without its generated code: columns are fields 3 of the answer."""
    keys = b"".join(varint(entity << 1) for entity in chosen)
    column = field(3, field(1, keys))
    request = field(1, size.service.encode()) + field(3, field(1, KEY.encode()) + field(2, column))
    found = {}
    for number, content in fields(unary(server, NATIVE, request)):
        if number == 3:
            parts = dict(fields(content))
            doubles = dict(fields(dict(fields(parts[2]))[5]))[1]
            found[parts[1].decode()] = np.frombuffer(doubles, "<f8")
    return found


def from_floor(server: Server, size: Size, chosen: list[int], expected: Expected) -> dict[str, object]:
    """The floor answers with rows as they are stored, in which the values of a view lie side by side."""
    request = bytes([len(size.views)]) + struct.pack(f"<{len(chosen)}q", *chosen)
    answer = unary(server, FLOOR, request)
    for view in size.views:
        for entity in chosen:
            if expected.values[view][entity].astype("<f8").tobytes() not in answer:
                raise SystemExit(f"the floor answers wrongly: no row of {view} for {entity}")
    return expected.columns(size, chosen)


def unary(server: Server, method: str, request: bytes) -> bytes:
    with grpc.insecure_channel(server.grpc, options=[("grpc.max_receive_message_length", 64 << 20)]) as channel:
        call = channel.unary_unary(method, request_serializer=None, response_deserializer=None)
        return call(request, timeout=60)


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(number: int) -> bytes:
    octets = bytearray()
    while number > 0x7F:
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*octets, number])


def fields(message: bytes):
    """The fields of a message: numbers are given as such, all else as bytes."""
    at = 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            octet = message[at]
            at += 1
            value |= (octet & 0x7F) << shift
            shift += 7
            if octet < 0x80:
                return value

    while at < len(message):
        key = number()
        if key & 7 == 0:
            yield key >> 3, number()
            continue
        length = {1: 8, 2: None, 5: 4}[key & 7]
        length = number() if length is None else length
        yield key >> 3, message[at : at + length]
        at += length
