"""The report: report.json from the records of the steps, and report.html from report.json."""
