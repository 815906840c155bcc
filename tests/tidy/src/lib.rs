//! Tidiness as a test.
