"""The nine steps from a business goal to a decision, in order."""

STEPS = {
    "business_problem": "Business problem",
    "problem_framing": "Machine-learning problem",
    "datasets": "Datasets",
    "preparation": "Data preparation",
    "exploration": "Exploration",
    "feature_engineering": "Feature engineering",
    "training": "Training",
    "evaluation": "Evaluation",
    "business_goals": "Business goals",
}
