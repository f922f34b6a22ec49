"""Our own REST interface: one file for the serializers and views of each subject."""
