// Carries the precompiled header of the cores; deliberately empty.
