"""What is learned from what went wrong: reviews, their actions, and samples of resolutions."""
