// Carries the precompiled header of the shells; deliberately empty.
