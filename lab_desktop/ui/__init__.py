"""The window. The only room that knows Qt; it imports no model library and no step that runs a model."""
