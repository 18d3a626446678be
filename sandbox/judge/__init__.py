"""What is installed in the judge image: the pytest plugin and the fixtures that authors use.

Authors import `SolutionError` from here; everything else reaches them as fixtures.
"""

from sandbox.judge.faults import Fault, SolutionError

__all__ = ["Fault", "SolutionError"]
