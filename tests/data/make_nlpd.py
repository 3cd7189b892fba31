"""Write nlpd.npz: three small image pairs with the values of published NLPD code.

The pairs and values come from the conformance cases beside the repository
(``shared/cases/images.json`` and ``images.npz``): the authors' ``NLP_dist.m`` run under Octave
(``laparra2016``), pyiqa (the same without the far tap), google-research/perceptual-quality
``nlpd`` (``laparra2017``) and alexhepburn/normalised_laplacian_pyramid (``hepburn``), each in
double precision. The images are crops of scikit-image's ``camera`` and ``astronaut`` (public
domain) and a pattern of impulses.

Run it with: python tests/data/make_nlpd.py
"""

import json
from pathlib import Path

import numpy as np

CASES = ("p08_cam66x65_noise", "p12_impulses65x97", "p20_ast33x47_noise")
SOURCES = {
    "laparra2016": "matlab2016",
    "pyiqa": "pyiqa",
    "laparra2017": "google_tf",
    "hepburn": "hepburn_torch",
}


def main() -> None:
    here = Path(__file__).resolve().parent
    folder = here.parents[2] / "shared" / "cases"
    values = json.loads((folder / "images.json").read_text())["nlpd"]
    images = np.load(folder / "images.npz")
    golden = {}
    for case in CASES:
        golden[f"{case}__pair"] = np.stack([images[f"{case}__ref"], images[f"{case}__dist"]])
        for name, source in SOURCES.items():
            found = values[case]["implementations"].get(source)
            if found is not None and found.get("value") is not None:
                golden[f"{case}__{name}"] = np.array([found["value"], *found["level_rms"]])
    np.savez_compressed(here / "nlpd.npz", **golden)


if __name__ == "__main__":
    main()
