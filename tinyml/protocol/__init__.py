"""What travels on the serial line: frames and messages, also as C and Markdown."""
