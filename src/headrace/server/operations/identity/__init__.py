"""Who exists and what they may do: IAM's entities and policies, and STS's sessions."""
