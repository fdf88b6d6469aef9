/** The metrics of the configuration in use and its reloads, and the version of the gateway. */

export const configurationMetrics = [
  {
    name: 'ehi_config_last_reload_successful',
    help: '1 if the last change of the configuration was accepted, 0 if it was refused and the previous configuration stays in use.',
    type: 'gauge',
    labels: [],
  },
  {
    name: 'ehi_config_last_reload_success_timestamp_seconds',
    help: 'Unix time at which the configuration in use was read.',
    type: 'gauge',
    labels: [],
  },
  {
    name: 'ehi_build_info',
    help: 'Always 1. The labels name the version of the gateway and of Node.',
    type: 'gauge',
    labels: ['version', 'node'],
  },
] as const;
