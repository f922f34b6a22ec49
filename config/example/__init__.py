"""The example site: a small service organisation in which a newcomer can watch escalations."""
