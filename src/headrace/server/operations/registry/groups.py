"""Groups of model packages."""
