"""Search: SageMaker's resources by their properties, in pages."""
