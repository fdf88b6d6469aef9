/** The metrics of relay threads: restarts, and the delay of their event loops. */

export const relayThreadsMetrics = [
  {
    name: 'ehi_relay_loop_delay_seconds',
    help: 'Minimum time that every message of a relay thread waited for the event loop during the last half second, in the most delayed thread. limits.delay is compared with it.',
    type: 'gauge',
    labels: [],
  },
  {
    name: 'ehi_relay_thread_restarts_total',
    help: 'Relay threads that ended unexpectedly, possibly during their start, and were replaced.',
    type: 'counter',
    labels: [],
  },
] as const;
