"""What the golden models are. One file per operator, named like it; `graph.py` holds whole graphs.

To add an operator's models:
1. write `recipes/<op>.py` with `models()`, which yields one `ModelBuilder` per model;
2. run `scripts/golden <op>`: it writes `tests/golden/<op>/<model>.tflite` and, beside it, `.npz`
   with the oracle's answers;
3. commit both. No test code changes.

`grow(grower, tensor)` in the same file adds the operator to the random graphs of the differential
tests, see `grower.py`; WEIGHT says how often.
"""
