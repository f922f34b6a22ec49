"""What the pages of majors, cases, vendors, problems and changes show."""
