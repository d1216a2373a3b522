"""What a model file is and what it answers: bundles, the reference, the host build."""
