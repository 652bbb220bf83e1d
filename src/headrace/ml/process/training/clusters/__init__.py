"""Training without a label: clusters by several algorithms, and how many of them there are, if any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from headrace.ml.contract import Form, View
from headrace.ml.process.feature_engineering.unlabelled import UnlabelledFeatures
from headrace.ml.process.preparation import Preparation
from headrace.ml.process.progress import Progress

Codes = npt.NDArray[np.int64]
Points = npt.NDArray[np.float64]

NONE = "none"
"""The name of belonging to no cluster."""
_SAMPLE = 800
"""Rows that the number of clusters is chosen on."""
_MOST_ROWS = {"k_means": 200_000, "gaussian_mixture": 50_000, "hdbscan": 5_000}
_STABLE = 0.6
_FEWEST = 10
"""Rows a cluster should have on average for its number to be tried."""


@dataclass(frozen=True)
class ClusterCandidate:
    """One algorithm with one number of clusters, and the evidence for it on the training sample.

    `silhouette` stands against `reference`, its mean on data of the same spread without clusters, and
    `reference_high`, the largest seen there; `excess` is silhouette less reference. `stability` is the mean adjusted
    Rand index of clusterings learnt from two halves, `stability_low` the least. `gap` (k-means) and `bic` (Gaussian
    mixture) are the classical criteria, `noise` the share of rows in no cluster (HDBSCAN).
    """

    algorithm: str
    clusters: int
    hyperparameters: dict[str, Any]
    silhouette: float
    reference: float
    reference_high: float
    stability: float
    stability_low: float
    noise: float
    gap: float | None
    bic: float | None
    reason: str = ""

    @property
    def excess(self) -> float:
        """How far the silhouette lies above that of data without clusters."""
        return self.silhouette - self.reference

    @property
    def eligible(self) -> bool:
        """Whether there are clusters that come again, and that data without clusters do not show."""
        return self.silhouette > self.reference_high + 0.01 and self.stability >= _STABLE and self.noise < 0.5


@dataclass(frozen=True)
class ClusterMember:
    """The final model as the compiler takes it."""

    form: Form
    view: View = View.SCALED
    weight: float = 1.0


@dataclass(frozen=True)
class Clustering:
    """What was tried, what was chosen and why, and the final model, learnt on training and validation rows.

    `chosen` is None where no candidate is eligible: all rows are then one cluster. `names` are the clusters, the
    largest first, and `none` last where rows may belong to none; `codes` [rows of the preparation's frame] index it,
    and `memberships` [rows learnt from, names] are probabilities.
    `directions` [features, fewer] are the principal components that clusters were looked for in.
    """

    candidates: tuple[ClusterCandidate, ...]
    chosen: ClusterCandidate | None
    reason: str
    names: tuple[str, ...]
    codes: Codes
    memberships: Points
    member: ClusterMember
    directions: Points
    notes: tuple[str, ...]

    @property
    def members(self) -> tuple[ClusterMember, ...]:
        """The final model, alone."""
        return (self.member,)


def find_clusters(
    preparation: Preparation, engineering: UnlabelledFeatures, *, seed: int, progress: Progress
) -> Clustering:
    """Try k-means, Gaussian mixture and HDBSCAN with 2 to 10 clusters, and keep what the evidence is for, or nothing.

    A candidate is eligible where its silhouette beats that of every reference (data of the same spread and without
    clusters) and halves of the rows agree on it; of those, the one that beats the reference by most is kept.
    """
    from headrace.ml.adapters.memberships import Projected
    from headrace.ml.compiler.parity import run_form
    from headrace.ml.process.training.clusters.candidates import fit_clusters, try_candidates
    from headrace.ml.process.training.clusters.evidence import groups_of, principal_directions, quiet

    learnt = np.concatenate([preparation.train, preparation.validation])
    random = np.random.default_rng(seed)
    matrix = engineering.matrix[learnt].astype(np.float64)
    sample = np.sort(random.permutation(len(preparation.train))[:_SAMPLE])
    with quiet():
        directions = principal_directions(matrix[sample])
        names = engineering.plan.names(engineering.view)
        groups = groups_of(names, matrix[sample])
        most = max(2, min(10, len(sample) // _FEWEST))
        candidates, untried = try_candidates(matrix[sample], directions, groups, most, seed=seed, progress=progress)
        chosen, reason = choose_clusters(candidates)
        progress.tell("fitting the final clusters")
        algorithm = chosen.algorithm if chosen else "k_means"
        rows = np.sort(random.permutation(len(learnt))[: _MOST_ROWS[algorithm]])
        values = chosen.hyperparameters if chosen else {"clusters": 1}
        fitted = fit_clusters(algorithm, (matrix[rows] @ directions).astype(np.float32), seed, values)
    form = Projected(directions, fitted.form)
    codes = run_form(form, engineering.matrix).argmax(axis=1)
    form = replace(form, form=_by_size(fitted.form, codes[learnt]))
    memberships = run_form(form, engineering.matrix)
    clusters = memberships.shape[1] - (algorithm == "hdbscan")
    notes = [untried] if untried else []
    if len(sample) < len(preparation.train):
        notes.append(f"The number of clusters was chosen on a random sample of {len(sample):,} training rows.")
    if len(rows) < len(learnt):
        notes.append(f"The final clusters were learnt from a random sample of {len(rows):,} of {len(learnt):,} rows.")
    if algorithm == "hdbscan":
        notes.append("New rows are placed by the nearest of at most 1,000 members: an approximation of HDBSCAN.")
    return Clustering(
        candidates=tuple(candidates),
        chosen=chosen,
        reason=reason,
        names=(*(f"cluster_{i + 1}" for i in range(clusters)), *((NONE,) if algorithm == "hdbscan" else ())),
        codes=memberships.argmax(axis=1),
        memberships=memberships[learnt].astype(np.float64),
        member=ClusterMember(form),
        directions=directions,
        notes=tuple(notes),
    )


def choose_clusters(candidates: Sequence[ClusterCandidate]) -> tuple[ClusterCandidate | None, str]:
    """Return the eligible candidate furthest above the reference, or None, and why."""
    eligible = [c for c in candidates if c.eligible]
    if not eligible:
        best = max(candidates, key=lambda c: c.excess, default=None)
        if best is None:
            return None, "No clusters could be found: too few rows differ."
        return None, (
            "There are no clusters here that can be relied on: the best candidate "
            f"({best.algorithm.replace('_', ' ')} with {best.clusters} clusters) has a silhouette of "
            f"{best.silhouette:.2f}, where data without clusters reach {best.reference_high:.2f}, and halves of the "
            f"rows agree on it by {best.stability:.2f} (adjusted Rand; {_STABLE} is asked for)."
        )
    best = max(eligible, key=lambda c: c.excess)
    return best, (
        f"{best.algorithm.replace('_', ' ').capitalize()} with {best.clusters} clusters: silhouette "
        f"{best.silhouette:.2f} against {best.reference:.2f} on data of the same spread without clusters (at most "
        f"{best.reference_high:.2f}), and halves of the rows agree on it by {best.stability:.2f} (adjusted Rand); of "
        f"{len(candidates)} candidates, {len(eligible)} pass both tests, and this one stands out most."
    )


def _by_size(form: Any, codes: Codes) -> Any:
    """Renumber the clusters of a form, the largest first."""
    from headrace.ml.adapters.memberships import Densities

    count = len(form.centres) if isinstance(form, Densities) else form.count
    order = np.argsort(-np.bincount(codes, minlength=count)[:count], kind="stable")
    if isinstance(form, Densities):
        return replace(form, centres=form.centres[order], scales=form.scales[order], logarithms=form.logarithms[order])
    return replace(form, clusters=np.argsort(order)[form.clusters].astype(np.int64))
