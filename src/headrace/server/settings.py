"""What can be set: flags over environment variables (HEADRACE_*) over the config file over defaults.

Owner fills in (pydantic-settings); the members others use: data (Path), host, port, proxy_port, region, database (URL),
objects (URL or folder), log_format, log_level, sts/audit periods, worker count, trust_scripts, insecure, tls_cert, tls_key.
"""
