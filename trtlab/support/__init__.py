"""Which nodes of a model TensorRT does not take, and why."""
