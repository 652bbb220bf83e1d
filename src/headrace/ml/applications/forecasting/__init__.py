"""Forecasting: many series in, forecasts with quantiles out.

`command` walks `headrace forecast`; `predictor` backtests, weighs, calibrates and saves; `models` are the algorithms;
`panel` is the data; `accuracy`, `frequencies` and `options` are what all of them share.
"""
