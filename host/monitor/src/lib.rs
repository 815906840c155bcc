//! Counters, histograms and comparisons that never touch an answer.
