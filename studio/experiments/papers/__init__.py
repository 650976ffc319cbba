"""The three papers' tables and figures in miniature, one file each; importing this fills the table.

``pg``: Steering Guidance (personalization guidance). ``gcfg``: generalized classifier-free guidance.
``accord``: dependence regularization.
"""

from studio.experiments.papers import (
    accord_curves,
    accord_face,
    accord_losses,
    accord_style,
    accord_targets,
    gcfg_alignment,
    gcfg_attributes,
    gcfg_decoupling,
    gcfg_drift,
    gcfg_fid,
    gcfg_signs,
    gcfg_weights,
    pg_baselines,
    pg_best_step,
    pg_cfgpp,
    pg_cost,
    pg_lambda,
    pg_omega,
    pg_rank,
    pg_styles,
)

__all__ = [
    "accord_curves",
    "accord_face",
    "accord_losses",
    "accord_style",
    "accord_targets",
    "gcfg_alignment",
    "gcfg_attributes",
    "gcfg_decoupling",
    "gcfg_drift",
    "gcfg_fid",
    "gcfg_signs",
    "gcfg_weights",
    "pg_baselines",
    "pg_best_step",
    "pg_cfgpp",
    "pg_cost",
    "pg_lambda",
    "pg_omega",
    "pg_rank",
    "pg_styles",
]
