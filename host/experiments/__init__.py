"""Experiments around the evaluation: one question, one file, one picture and one sentence each."""
