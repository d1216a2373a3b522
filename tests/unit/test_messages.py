"""The message table keeps its promises: numbers, sizes, forms."""

from __future__ import annotations

from tinyml.protocol import as_c, frames, messages


def test_numbers_and_names_are_unique() -> None:
    numbers = [message.number for message in messages.MESSAGES]
    assert len(set(numbers)) == len(numbers)
    assert len({message.name for message in messages.MESSAGES}) == len(numbers)
    assert all(1 <= number <= 255 for number in numbers)


def test_numbers_that_devices_in_the_field_know_never_change() -> None:
    assert {message.name: message.number for message in messages.MESSAGES} == {
        "HELLO": 1, "INFO": 2, "INPUT": 3, "INFER": 4, "LAYERS": 5, "STREAM": 6, "SENSOR": 7,
        "BENCH": 8, "RESET": 9, "CAPTURE": 10, "SLOT": 11, "LOAD": 12, "USE": 13,
        "RESEND": 14, "WATCH": 15,
        "RESULT": 64, "CREDIT": 65, "ENDED": 66, "LOG": 67, "FAULT": 68, "ERROR": 69,
        "CHUNK": 70, "TRACE": 71,
    }  # fmt: skip
    sizes = {record.__name__: record.fixed_bytes() for record in messages.RECORDS}
    assert sizes == {
        "Header": 6, "Piece": 4, "Nothing": 0, "Hello": 4, "HelloReply": 14, "Info": 1,
        "Identity": 41, "TensorRecord": 38, "Label": 0, "Parameter": 8, "Status": 44, "StepInfo": 8,
        "ModelState": 4,
        "Input": 5, "InputReply": 4, "Infer": 2, "InferReply": 16, "Layers": 2, "Layer": 12,
        "StreamRequest": 1, "Totals": 16, "SensorSamples": 8, "Capture": 10, "Captured": 12,
        "Bench": 4, "Reset": 1, "StreamResult": 43, "Chunk": 8, "Credit": 17, "Log": 0,
        "Fault": 32, "Error": 6, "SlotReply": 37, "Load": 4, "LoadReply": 4, "Use": 100,
        "Resend": 4, "Watch": 2, "Trace": 10,
    }  # fmt: skip


def test_every_message_of_the_table_is_in_the_list() -> None:
    named = [value for value in vars(messages).values() if isinstance(value, messages.Message)]
    assert named == list(messages.MESSAGES)


def test_records_are_fixed_fields_then_variable_ones() -> None:
    for record in messages.RECORDS:
        kinds = [kind for _, kind in record.layout()]
        fixed = [kind.is_fixed for kind in kinds]
        assert fixed == sorted(fixed, reverse=True), record
        assert all(kind.c != "rest" for kind in kinds[:-1]), record
        assert record.fixed_bytes() <= frames.MAX_PAYLOAD, record


def test_c_has_the_same_records() -> None:
    structs = {struct.name: struct for struct in as_c.structs()}
    assert structs["hello_reply"].bytes == messages.HelloReply.fixed_bytes()
    assert structs["hello_reply"].fields[-1] == "uint16_t window"
    assert structs["hello_reply"].puts[-1] == "tml_put_u16(out + 12, record->window)"
    assert structs["hello_reply"].gets == ()
    assert structs["input"].puts == ()
    assert structs["input"].gets[1] == "record->offset = tml_get_u32(in + 1)"
    assert structs["fault"].fields == ("uint32_t registers[8]",)
    assert structs["fault"].puts[7] == "tml_put_u32(out + 28, record->registers[7])"
    assert structs["header"].puts
    assert structs["header"].gets
    assert "label" not in structs
    named = [name for _, members in as_c.enums() for name, _ in members]
    assert {"TML_TYPE_HELLO", "TML_FLAG_MORE", "TML_ERROR_CODE_BAD_ARG",
            "TML_RESET_TARGET_BOOTLOADER"} <= {*named}  # fmt: skip
