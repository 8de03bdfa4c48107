"""Junheng: departments' files in, checked and traceable releases of public-service statistics out."""
