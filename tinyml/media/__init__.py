"""The file formats of recordings: sound, pictures and motion, from and to disk."""
