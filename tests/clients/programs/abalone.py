"""Rows like those of the abalone set (4,177 of 8 features, a whole number of rings), made from a seed, as libsvm."""

import random
from pathlib import Path


def rows(count: int, seed: int) -> list[tuple[int, list[float]]]:
    """Return (rings, features) of `count` made-up abalones."""
    draw = random.Random(seed)
    made = []
    for _ in range(count):
        size = draw.betavariate(4, 2.5)
        sex = draw.randint(1, 3)
        features = [
            sex,
            *(round(size * share * draw.uniform(0.9, 1.1), 4) for share in (0.8, 0.65, 0.22, 1.4, 0.6, 0.3, 0.4)),
        ]
        made.append((max(1, round(4 + 11 * size + (sex == 1) + draw.gauss(0, 1.2))), features))
    return made


def write(folder: Path, name: str, count: int, seed: int) -> Path:
    """Write rows as libsvm and return the file."""
    folder.mkdir(exist_ok=True)
    lines = (
        f"{rings} " + " ".join(f"{at}:{value}" for at, value in enumerate(features, 1))
        for rings, features in rows(count, seed)
    )
    (folder / name).write_text("".join(f"{line}\n" for line in lines))
    return folder / name
