//! Fixtures: clock, tiny repos, Redis, processes.
