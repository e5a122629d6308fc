"""All that touches TensorRT: choosing the flavour, logger, parse, build, inspect. Runs inside a worker only.

One code path serves TensorRT 10, 11 and RTX: what a release has is asked of the release (`features`), never derived from
its version number.
"""
