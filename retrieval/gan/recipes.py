"""What `train --objective NAME --with SWITCH,...` offers, one line each; cheap to import.

The recipes themselves are `retrieval.gan.objectives` and `retrieval.gan.switches`.
"""

from __future__ import annotations

from retrieval.catalogue.errors import TrainingError

#: The objectives by name; f is the discriminator's verdict, x a real mark, g a generated one.
RECIPES: dict[str, str] = {
    "contrastive": "SimCLR's contrast, generated marks held apart (Jeong & Shin 2021); the default",
    "simclr": "the contrast alone, no generator: the control (Chen et al. 2020)",
    "minimax": "the original game, G minimises log(1 - D(g)) (Goodfellow et al. 2014)",
    "non-saturating": "the same, but G maximises log D(g) (Goodfellow et al. 2014)",
    "least-squares": "f(x) to 1 and f(g) to 0 in squares, LSGAN (Mao et al. 2017)",
    "wasserstein": "mean f(g) - f(x), weights clipped, RMSprop, WGAN (Arjovsky et al. 2017)",
    "wasserstein-gp": "the same, slope of f held at 1, WGAN-GP (Gulrajani et al. 2017)",
    "hinge": "f(x) above 1 and f(g) below -1 (Lim & Ye 2017; Zhang et al. 2019)",
    "loss-sensitive": "f(x) above f(g) by their pictures' distance, LS-GAN (Qi 2017)",
}
#: The switches by name: what may be added to any of the adversarial objectives.
SWITCH_HELP: dict[str, str] = {
    "minibatch": "D sees how alike a batch's marks are (Salimans et al. 2016)",
    "conditional": "both players are told each mark's archive series (Mirza & Osindero 2014)",
    "spectral-norm": "each layer of D has norm 1 (Miyato et al. 2018)",
    "r1": "the slope of D on real marks is held down (Mescheder et al. 2018)",
    "diffaugment": "real and generated marks are augmented alike (Zhao et al. 2020)",
}
#: A run's seeds, from 0 to this: a step's own, made of the run's, stays one that torch takes.
LARGEST_SEED = 2**32 - 1


def parse_switches(text: str) -> tuple[str, ...]:
    """Return the switches of "r1,spectral-norm", each once, in the order of `SWITCH_HELP`.

    Raises TrainingError for a name that is not among them.
    """
    asked = {part.strip() for part in text.split(",") if part.strip()}
    for name in sorted(asked - SWITCH_HELP.keys()):
        raise TrainingError(f"There is no switch {name!r}; choose from: {', '.join(SWITCH_HELP)}.")
    return tuple(name for name in SWITCH_HELP if name in asked)
