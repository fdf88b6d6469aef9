/** The metrics of: JSON Web Key Sets. */

export const keySetsMetrics = [
  {
    name: 'ehi_key_set_age_seconds',
    help: 'Time since a key set was last fetched, confirmed or read. source is its URL or file. Absent: it was never read.',
    type: 'gauge',
    labels: ['source'],
  },
  {
    name: 'ehi_key_set_fetch_failures_total',
    help: 'Fetches of a key set that failed, or whose content was refused; the last good set stays in use.',
    type: 'counter',
    labels: ['source'],
  },
  {
    name: 'ehi_key_set_unknown_kid_total',
    help: 'Signatures that name a kid which no key of the set has. Each may start a fetch, at most one in 30 s.',
    type: 'counter',
    labels: ['source'],
  },
] as const;
