"""Experiments, lineage, search and tags of SageMaker's resources."""
