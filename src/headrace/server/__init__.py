"""The platform: durable jobs, stores, identity, audit; knows neither AWS's wire formats nor botocore."""
