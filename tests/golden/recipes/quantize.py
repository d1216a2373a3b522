"""QUANTIZE: from float, and between integer types with other scales and zero points."""

from __future__ import annotations

from collections.abc import Iterator

from builder import ModelBuilder, Quant, schema
from grower import Grower, Live


def models() -> Iterator[ModelBuilder]:
    for name, dtype, quant in (
        ("float_to_int8", "int8", Quant(0.05, -3)),
        ("float_to_int8_low", "int8", Quant(1 / 256, -128)),
        ("float_to_int16", "int16", Quant(0.003, 0)),
    ):
        model = ModelBuilder(name)
        x = model.input([256], dtype="float32", float_step=float(quant.scale))
        model.op("QUANTIZE", [x], [model.output([256], quant, dtype)], schema.QuantizeOptionsT())
        yield model

    near, far = Quant(0.05, -3), Quant(0.031, 40)
    for name, before, x, after, y in (
        ("rescaled", "int8", near, "int8", far),
        ("shrunk", "int8", Quant(0.05, 100), "int8", Quant(0.9, -30)),
        ("enlarged", "int8", Quant(0.9, 100), "int8", Quant(0.004, 5)),
        ("same", "int8", near, "int8", near),
        ("moved", "int8", near, "int8", Quant(0.05, 60)),
        ("int8_to_uint8", "int8", Quant(0.05, -128), "uint8", Quant(0.05, 0)),
        ("int8_to_uint8_rescaled", "int8", near, "uint8", Quant(0.031, 99)),
        ("uint8_to_int8", "uint8", Quant(0.05, 131), "int8", Quant(0.05, 3)),
        ("uint8_to_int8_rescaled", "uint8", Quant(0.05, 12), "int8", far),
        ("int8_to_int16", "int8", near, "int16", Quant(0.0004, 0)),
        ("int16_to_int8", "int16", Quant(0.0004, 0), "int8", near),
        ("int16_to_int16", "int16", Quant(0.0004, 0), "int16", Quant(0.0003, 0)),
    ):
        model = ModelBuilder(name)
        inputs, outputs = [model.input([256], x, before)], [model.output([256], y, after)]
        model.op("QUANTIZE", inputs, outputs, schema.QuantizeOptionsT())
        yield model


def grow(g: Grower, x: Live) -> bool:
    """Add one to a random graph."""
    return g.emit("QUANTIZE", [x.index], x.shape, g.near(x.quant.scale), schema.QuantizeOptionsT())
