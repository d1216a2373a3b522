"""DEQUANTIZE: from every integer type, and float at both ends of a model."""

from __future__ import annotations

from collections.abc import Iterator

from builder import ModelBuilder, Quant, schema


def models() -> Iterator[ModelBuilder]:
    for name, dtype, quant in (
        ("int8", "int8", Quant(0.0473, -3)),
        ("int8_tiny_scale", "int8", Quant(1.7e-9, 127)),
        ("uint8", "uint8", Quant(0.0473, 131)),
        ("int16", "int16", Quant(0.000123, 0)),
    ):
        model = ModelBuilder(name)
        x, y = model.input([256], quant, dtype), model.output([256], dtype="float32")
        model.op("DEQUANTIZE", [x], [y], schema.DequantizeOptionsT())
        yield model

    model = ModelBuilder("float_in_float_out")
    quant = Quant(0.05, -3)
    x = model.input([3, 8], dtype="float32", float_step=0.05)
    inner, relu = model.tensor([3, 8], quant), model.tensor([3, 8], quant)
    model.op("QUANTIZE", [x], [inner], schema.QuantizeOptionsT())
    model.op("RELU", [inner], [relu])
    y = model.output([3, 8], dtype="float32")
    model.op("DEQUANTIZE", [relu], [y], schema.DequantizeOptionsT())
    yield model
