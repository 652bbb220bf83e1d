"""Amazon Forecast: datasets and their imports, predictors, forecasts, what-if analyses, explanations and monitors."""
