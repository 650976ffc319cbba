"""The algebra on tensors: guidance, parameterisations, schedulers, sampling. Knows no model or prompt."""
