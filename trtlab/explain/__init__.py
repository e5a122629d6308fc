"""What a failure means, and what to do next.

`diagnosis` holds the results; `building` recognises the failures that the steps of a build can meet.
"""

from trtlab.explain.diagnosis import Cause, Diagnosis, Place, Remedy

__all__ = ["Cause", "Diagnosis", "Place", "Remedy"]
