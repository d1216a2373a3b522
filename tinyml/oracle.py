"""The documented name of the reference interpreter: `from tinyml.oracle import Oracle`."""

from tinyml.model.oracle import Oracle

__all__ = ["Oracle"]
