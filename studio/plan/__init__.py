"""Rows to the fewest passes: the algebra as data. No torch.

:func:`compile_plan` is the way in; :class:`Plan` is what comes out.
"""

from studio.plan.compile import compile_plan
from studio.plan.passes import Condition, Pass, Weights
from studio.plan.plan import Plan

__all__ = ["Condition", "Pass", "Plan", "Weights", "compile_plan"]
