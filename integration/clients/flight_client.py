"""A foreign Arrow Flight client: pyarrow only, nothing of this project.

    flight_client.py exchange ADDRESS SPINE.parquet COMMAND_JSON OUT.parquet
    flight_client.py upload   ADDRESS SPINE.parquet COMMAND_JSON OUT.parquet

`exchange` sends the spine and reads the training set in one DoExchange. `upload` does it in three
calls: DoPut, GetFlightInfo, DoGet. Both tell the record that the schema of the training set carries,
and the one that the file has that pyarrow makes of it; `upload` also that of the FlightInfo.
"""

import json
import sys

import pyarrow.flight as flight
import pyarrow.parquet as pq


def exchange(client, spine, command):
    descriptor = flight.FlightDescriptor.for_command(json.dumps(command))
    writer, reader = client.do_exchange(descriptor)
    with writer:
        writer.begin(spine.schema)
        for batch in spine.to_batches(max_chunksize=8192):
            writer.write_batch(batch)
        writer.done_writing()
        return reader.read_all()


def upload(client, spine, command):
    writer, metadata = client.do_put(flight.FlightDescriptor.for_command(json.dumps(command)), spine.schema)
    with writer:
        for batch in spine.to_batches(max_chunksize=8192):
            writer.write_batch(batch)
        writer.done_writing()
        receipt = json.loads(metadata.read().to_pybytes())
    info = client.get_flight_info(flight.FlightDescriptor.for_command(json.dumps(command | receipt)))
    answer = client.do_get(info.endpoints[0].ticket).read_all()
    assert json.loads(info.app_metadata) == record(answer.schema.metadata)
    return answer


def record(metadata):
    return json.loads(metadata[b"fs.training_set"])


def main():
    mode, address, spine_path, command, out = sys.argv[1:]
    client = flight.connect(f"grpc://{address}")
    spine = pq.read_table(spine_path)
    answer = {"exchange": exchange, "upload": upload}[mode](client, spine, json.loads(command))
    pq.write_table(answer, out)
    told = {
        "rows": answer.num_rows,
        "columns": answer.column_names,
        "record": record(answer.schema.metadata),
        "record_of_file": record(pq.read_metadata(out).metadata),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
