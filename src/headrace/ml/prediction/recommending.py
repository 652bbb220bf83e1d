"""A model of association rules at work: items to recommend for a basket."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headrace.ml.errors import InputError, ModelError
from headrace.ml.prediction.baskets import Codes, Layout
from headrace.ml.prediction.manifest import Manifest, read_content, record_content

if TYPE_CHECKING:
    import polars as pl

    from headrace.ml.tables.table import Table

RULES_FILE = "rules.json"
MOST = 5
_BASKETS_AT_ONCE = 2_000


@dataclass(frozen=True)
class RuleSet:
    """Rules by the codes of their items: if a basket has all of `antecedents[r]`, then also `consequents[r]`.

    `popular` are the items by how often they occur, for baskets that no rule speaks of.
    """

    items: tuple[str, ...]
    antecedents: tuple[tuple[int, ...], ...]
    consequents: Codes
    confidences: npt.NDArray[np.float64]
    lifts: npt.NDArray[np.float64]
    popular: Codes
    layout: Layout

    def to_json(self) -> str:
        """Render as the text of rules.json."""
        rules = [
            {"if": list(a), "then": int(c), "confidence": float(p), "lift": float(x)}
            for a, c, p, x in zip(self.antecedents, self.consequents, self.confidences, self.lifts, strict=True)
        ]
        layout = {"group": self.layout.group, "item": self.layout.item, "columns": self.layout.columns}
        document = {"items": self.items, "popular": self.popular.tolist(), "layout": layout, "rules": rules}
        return json.dumps(document, ensure_ascii=False, indent=1) + "\n"

    @classmethod
    def from_json(cls, content: bytes, source: Path) -> RuleSet:
        """Read rules.json; `ModelError` where it is damaged."""
        try:
            document = json.loads(content)
            rules, items = document["rules"], tuple(map(str, document["items"]))
            codes = np.array([c for r in rules for c in (*r["if"], r["then"])] + document["popular"], np.int64)
            if len(codes) and not 0 <= codes.min() <= codes.max() < len(items):
                raise ValueError("an item without a name")
            return cls(
                items,
                tuple(tuple(r["if"]) for r in rules),
                np.array([r["then"] for r in rules], np.int64),
                np.array([r["confidence"] for r in rules], np.float64),
                np.array([r["lift"] for r in rules], np.float64),
                np.array(document["popular"], np.int64),
                Layout(**document["layout"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"'{source}' is damaged ({error}); copy or train the model again") from error

    def recommend(self, held: npt.NDArray[np.bool_], most: int = MOST) -> list[list[tuple[int, int]]]:
        """Return for each basket of `held` [baskets, items] up to `most` (item, rule), the best first.

        The rules that apply are ranked by confidence, then lift; the rest are popular items, with rule -1.
        """
        sizes = np.array([len(a) for a in self.antecedents], np.float32)
        wanted = np.zeros((held.shape[1], len(sizes)), np.float32)
        for rule, antecedent in enumerate(self.antecedents):
            wanted[list(antecedent), rule] = 1
        order = np.lexsort((-self.lifts, -self.confidences))
        results = []
        for start in range(0, len(held), _BASKETS_AT_ONCE):
            block = held[start : start + _BASKETS_AT_ONCE]
            applies = (block.astype(np.float32) @ wanted == sizes) & ~block[:, self.consequents]
            for basket, rules in zip(block, applies[:, order], strict=True):
                best: dict[int, int] = {}
                for rule in order[rules].tolist():
                    best.setdefault(int(self.consequents[rule]), rule)
                    if len(best) == most:
                        break
                for item in self.popular.tolist():
                    if len(best) == most:
                        break
                    if not basket[item]:
                        best.setdefault(item, -1)
                results.append(list(best.items()))
        return results


class Recommender:
    """A saved model of rules: `predict` takes a basket, `predict_table` a table of baskets."""

    def __init__(self, manifest: Manifest, rules: RuleSet, folder: Path) -> None:
        """Take what was loaded."""
        self.manifest, self.rules, self.folder = manifest, rules, folder
        self.notes: tuple[str, ...] = ()
        self.columns = manifest.columns
        self._codes = {item: code for code, item in enumerate(rules.items)}

    @classmethod
    def load(cls, folder: Path, manifest: Manifest) -> Recommender:
        """Load the rules beside `manifest`; raises `ModelError` where they are damaged."""
        content = read_content(folder / RULES_FILE)
        if record_content(content) != manifest.files.get(RULES_FILE):
            raise ModelError(f"'{folder / RULES_FILE}' is damaged; copy or train the model again")
        return cls(manifest, RuleSet.from_json(content, folder / RULES_FILE), folder)

    def predict(self, basket: Sequence[str], most: int = MOST) -> list[dict[str, Any]]:
        """Recommend items for one basket: [{item, confidence, lift, because}], the best first."""
        if isinstance(basket, str | Mapping):
            raise InputError("a basket is a list of items, such as ['bread', 'milk']; give one")
        held = np.zeros((1, len(self.rules.items)), bool)
        held[0, [self._codes[item] for item in basket if item in self._codes]] = True
        return [self._described(item, rule) for item, rule in self.rules.recommend(held, most)[0]]

    def predict_table(self, table: Table, proba: bool = True, sets: bool = False) -> pl.DataFrame:  # noqa: ARG002
        """Recommend up to five items for every basket of a table: a line each, with its rank and its reason."""
        import polars as pl

        names, numbers, items = self.rules.layout.read(table.frame)
        known = np.array([self._codes.get(item, -1) for item in items], np.int64)
        unknown = int((known < 0).sum())
        self.notes = (f"{unknown:,} items were not learnt from and say nothing",) if unknown else ()
        held = np.zeros((len(names), len(self.rules.items)), bool)
        held[numbers[known >= 0], known[known >= 0]] = True
        lines = [
            {"basket": name, "rank": rank + 1} | self._described(item, rule)
            for name, found in zip(names, self.rules.recommend(held), strict=True)
            for rank, (item, rule) in enumerate(found)
        ]
        schema = {
            "basket": pl.String, "rank": pl.Int64, "item": pl.String, "confidence": pl.Float64, "lift": pl.Float64,
            "because": pl.String,
        }  # fmt: skip
        return pl.DataFrame(lines, schema=schema)

    def _described(self, item: int, rule: int) -> dict[str, Any]:
        rules = self.rules
        if rule < 0:
            return {"item": rules.items[item], "confidence": None, "lift": None, "because": "often bought"}
        because = " and ".join(rules.items[code] for code in rules.antecedents[rule])
        figures = {"confidence": float(rules.confidences[rule]), "lift": float(rules.lifts[rule])}
        return {"item": rules.items[item]} | figures | {"because": because}
