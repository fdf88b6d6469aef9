/** The metrics of JSON Web Key Sets. */

export const keySetsMetrics = [
  {
    name: 'ehi_key_set_age_seconds',
    help: 'Time since a key set was last fetched, confirmed or read. source is its URL or file. Absent: it was never read.',
    type: 'gauge',
    labels: ['source'],
  },
  {
    name: 'ehi_key_set_usable_keys',
    help: 'Keys of a key set that serve what it is configured for: an algorithm of the route, or the comparison of clients.registered; of several uses the one with the fewest. 0: everything that needs the set is refused. Absent: it was never read, it is a set of inactive registrations, or only policies in mode shadow use it.',
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
    help: 'Signatures that name a kid which no key of the set has, and signatures of bodies that name none and that no key of the set verifies. Each may start a fetch, at most one in 30 s.',
    type: 'counter',
    labels: ['source'],
  },
] as const;
