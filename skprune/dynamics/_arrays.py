"""The names of the arrays that training dynamics consist of."""

REQUIRED = ("target_proba", "target_margin", "error")
OPTIONAL = ("kl_step", "logit_margin", "grad_norm")
EPOCH_ARRAYS = (*REQUIRED, *OPTIONAL, "seen")
LAST_ARRAYS = ("entropy", "top_margin")
