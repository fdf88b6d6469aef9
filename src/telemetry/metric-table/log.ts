/** The metrics of the operational log. */

export const logMetrics = [
  {
    name: 'ehi_log_lines_dropped_total',
    help: 'Lines of the operational log that stderr did not accept.',
    type: 'counter',
    labels: [],
  },
  {
    name: 'ehi_log_lines_collapsed_total',
    help: 'Repeated lines of the operational log that were counted in one line instead of written each.',
    type: 'counter',
    labels: [],
  },
] as const;
