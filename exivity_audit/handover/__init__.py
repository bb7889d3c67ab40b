"""The handover pack: one archive of a judged snapshot with its reports, evidence and config, and the proof that nothing of it changed."""
