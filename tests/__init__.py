"""The suite; its folders mirror the modules they test."""
