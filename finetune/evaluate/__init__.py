"""Evaluation: what is measured, on which people, against which baselines, and whether anything leaked.

data.py       interactions and items as arrays, from a workspace or a folder
splits.py     who is asked what: histories, and the targets that are held out
metrics.py    from ranks and lists to numbers
baselines.py  the systems that every table holds; sasrec.py is the sequential one
systems.py    retrieval as served and the whole agent, and the list of all systems with their trials
audit.py      the leak audit, which fails a run
bootstrap.py  paired intervals over people
run.py        fit, tune, rank, keep: one small file a system and seed
report.py     a table, two files and a figure
"""
