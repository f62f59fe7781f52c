"""From demonstrations to a policy that can be trusted, and the cause when it fails."""
