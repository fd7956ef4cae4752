//! The simulator: virtual-time executor, models and the sim driver.
