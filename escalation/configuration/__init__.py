"""Policy as code: the site's configuration as one YAML file, exported, compared and applied."""
