"""The objectives of `train`: one module a recipe, and the registry that names them."""

from __future__ import annotations

from retrieval.catalogue.errors import TrainingError
from retrieval.gan.objectives.contrastive import CONTRASTIVE
from retrieval.gan.objectives.hinge import HINGE
from retrieval.gan.objectives.least_squares import LEAST_SQUARES
from retrieval.gan.objectives.loss_sensitive import LOSS_SENSITIVE
from retrieval.gan.objectives.minimax import MINIMAX
from retrieval.gan.objectives.non_saturating import NON_SATURATING
from retrieval.gan.objectives.objective import Objective
from retrieval.gan.objectives.simclr import SIMCLR
from retrieval.gan.objectives.wasserstein import WASSERSTEIN
from retrieval.gan.objectives.wasserstein_gp import WASSERSTEIN_GP

#: The objectives by name; `retrieval.gan.recipes` has a line about each.
OBJECTIVES: dict[str, Objective] = {
    "contrastive": CONTRASTIVE,
    "simclr": SIMCLR,
    "minimax": MINIMAX,
    "non-saturating": NON_SATURATING,
    "least-squares": LEAST_SQUARES,
    "wasserstein": WASSERSTEIN,
    "wasserstein-gp": WASSERSTEIN_GP,
    "hinge": HINGE,
    "loss-sensitive": LOSS_SENSITIVE,
}


def objective(name: str) -> Objective:
    """Return the objective called `name`; TrainingError lists the known ones."""
    try:
        return OBJECTIVES[name]
    except KeyError:
        known = ", ".join(OBJECTIVES)
        raise TrainingError(f"There is no objective {name!r}; choose one of: {known}.") from None
