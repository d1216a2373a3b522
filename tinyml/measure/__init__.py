"""Is a model right, is it good, is it fast: validation, evaluation, benchmarks."""
