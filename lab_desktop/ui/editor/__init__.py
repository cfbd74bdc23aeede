"""The lesson editors: a page or two with its passages and questions, or a table of examples; what is left to do."""
