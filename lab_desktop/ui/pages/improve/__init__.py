"""Improve: four stations on one page, from practice questions to a model that is used."""
