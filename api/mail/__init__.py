"""The door of mail: read without trust, thread by proof, kept before anything else."""
