"""A recorded incident log lived through again, live and compressed, on a scratch site."""
