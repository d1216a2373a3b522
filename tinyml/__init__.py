"""tinyml: from recordings to proven TensorFlow Lite Micro firmware on a microcontroller."""

__version__ = "0.1.0"
