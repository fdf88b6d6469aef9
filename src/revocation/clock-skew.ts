/** Tolerated difference between the clock of a CA or responder and ours, ms. */
export const CLOCK_SKEW = 300_000;
