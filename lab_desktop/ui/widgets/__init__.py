"""The parts that pages are made of; none knows a page, a project or a job."""
