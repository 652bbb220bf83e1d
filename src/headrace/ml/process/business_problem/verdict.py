"""Whether machine learning is the right tool for what the charter describes."""

from __future__ import annotations

from headrace.ml.process.business_problem.charter import Charter

USE_ML = "use ml"
USE_INTERPRETABLE_ML = "use interpretable ml"
DO_NOT_USE_ML = "do not use ml"


def judge(charter: Charter) -> tuple[str, tuple[str, ...]]:
    """Return the verdict and its reasons, by the four signs for and the four against machine learning.

    Source: the ramp-up guide's page on when to use machine learning.
    """
    favour = [
        sentence
        for holds, sentence in (
            (charter.complex_logic, "The logic is too complex to be written down as rules."),
            (charter.scale, "There are more decisions than people can take by hand."),
            (charter.personalisation, "Each customer or item needs its own answer."),
            (charter.responsiveness, "Answers are needed faster than people can give them."),
        )
        if holds
    ]
    against = [
        sentence
        for holds, sentence in (
            (charter.fixed_rule_is_enough, "A fixed rule is enough, which is cheaper to build, to check and to run."),
            (not charter.data_changes, "Nothing changes over time, so that a fixed rule would stay right."),
            (charter.requires_full_accuracy, "Every decision must be right, and no model that learns from data is."),
        )
        if holds
    ]
    if not favour:
        against.append("Nothing calls for it: neither complex logic, scale, personalisation nor responsiveness.")
    if against:
        return DO_NOT_USE_ML, tuple(against)
    if charter.interpretability == "required":
        return USE_INTERPRETABLE_ML, (
            *favour,
            "Full interpretability is required, so that only models that can be read are tried.",
        )
    return USE_ML, tuple(favour)
