"""What the platform tracks by itself: jobs as trial components; what they read and made, deployments, registrations."""
