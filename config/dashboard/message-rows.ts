/** Rows of the dashboard on messages: is it up, is it in time, which upstream. */
import { perSecond, type Row, timesOf } from './panel.ts';

const inTime = '1 - (sum(rate(ehi_messages_late_total{$gateway}[$__rate_interval])) or vector(0))';

export const messageRows: readonly Row[] = [
  {
    title: 'Is it up?',
    panels: [
      {
        title: 'Gateways',
        description:
          'Gateway processes that Prometheus reads. Zero: none runs, or Prometheus does not reach the admin port (alert EhiGatewayDown).',
        kind: 'stat',
        unit: 'none',
        queries: [{ expr: 'count(ehi_build_info{$gateway}) or vector(0)', legend: 'gateways' }],
        redBelow: 0.5,
      },
      {
        title: 'Messages in time',
        description:
          'Share of the messages of the last interval that got a complete response within the budget of their route (200 ms by default). The objective of the alerts is 99.9 %.',
        kind: 'stat',
        unit: 'percentunit',
        queries: [
          {
            expr: `${inTime} / sum(rate(ehi_message_budget_ratio_count{$gateway}[$__rate_interval]))`,
            legend: 'in time',
          },
        ],
        redBelow: 0.999,
      },
      {
        title: 'Configuration',
        description:
          'Refused: the last change of the configuration or of a certificate was not accepted, and the one before it stays in use. The log names every problem, with line and column (alert EhiReloadFailed).',
        kind: 'stat',
        unit: 'none',
        queries: [{ expr: 'min(ehi_config_last_reload_successful{$gateway})', legend: 'configuration' }],
        redBelow: 0.5,
        words: { 0: 'refused', 1: 'accepted' },
      },
      {
        title: 'Versions',
        description: 'Version of the gateway and of Node by instance. During a rolling update there are two.',
        kind: 'table',
        unit: 'none',
        queries: [
          {
            expr: 'max by (instance, version, node) (ehi_build_info{$gateway})',
            legend: '{{instance}} {{version}}',
          },
        ],
      },
      {
        title: 'Messages a second',
        description:
          'Messages by response status. 499: the client closed the connection before the response began. docs/message-reasons.md explains each status; the audit records have the reason.',
        kind: 'time',
        unit: 'reqps',
        queries: [{ expr: perSecond('ehi_messages_total', 'code'), legend: '{{code}}' }],
      },
      {
        title: 'Connections and messages in flight',
        description:
          'Open client connections, TLS handshakes that are not finished, and messages in flight. Many unfinished handshakes are slow clients, packet loss or an attack.',
        kind: 'time',
        unit: 'short',
        queries: [
          { expr: 'sum(ehi_connections{$gateway})', legend: 'connections' },
          { expr: 'sum(ehi_unfinished_handshakes{$gateway})', legend: 'unfinished handshakes' },
          { expr: 'sum(ehi_in_flight{$gateway})', legend: 'messages in flight' },
        ],
      },
      {
        title: 'Relay threads replaced',
        description:
          'Relay threads that ended unexpectedly and were replaced. The connections of the thread were closed; the log names the cause (alert EhiRelayThreadRestarted).',
        kind: 'time',
        unit: 'short',
        queries: [
          {
            expr: 'sum by (instance) (increase(ehi_relay_thread_restarts_total{$gateway}[$__rate_interval]))',
            legend: '{{instance}}',
          },
        ],
      },
    ],
  },
  {
    title: 'Is it in time?',
    panels: [
      {
        title: 'Budget used',
        description:
          'Time of a message divided by the budget of its route. Above 1 the message was late. At 0.75 for p99 the alert EhiBudgetNearlyUsed fires.',
        kind: 'time',
        unit: 'percentunit',
        queries: timesOf('ehi_message_budget_ratio'),
        limits: [0.75, 1],
      },
      {
        title: 'Late messages',
        description:
          'Share of the messages without a complete response within the budget of their route: late, failed, cut, or abandoned by the client (alert EhiMessagesLate above 0.1 %).',
        kind: 'time',
        unit: 'percentunit',
        queries: [
          {
            expr: `${perSecond('ehi_messages_late_total', 'route')} / ${perSecond('ehi_message_budget_ratio_count', 'route')}`,
            legend: '{{route}}',
          },
        ],
        limits: [0.0005, 0.001],
      },
      {
        title: 'Error budget spent in 30 days',
        description:
          'Share of the late messages that the objective of 99.9 % allows in 30 days. At 100 % the objective is missed (alerts EhiBudgetBurnsFast and EhiBudgetBurnsSlowly). Prometheus must keep 30 days for it; with less it covers what is kept.',
        kind: 'stat',
        unit: 'percentunit',
        queries: [
          {
            expr: '(sum(increase(ehi_messages_late_total{$gateway}[30d])) or vector(0)) / sum(increase(ehi_message_budget_ratio_count{$gateway}[30d])) / 0.001',
            legend: 'spent',
          },
        ],
        limits: [0.5, 1],
      },
      {
        title: 'Total time of messages',
        description:
          'From the complete request head to the last byte of the response: upstream time plus overhead.',
        kind: 'time',
        unit: 's',
        queries: timesOf('ehi_message_seconds'),
      },
      {
        title: 'Upstream time',
        description: 'The part of the total time that the host and the network to it need.',
        kind: 'time',
        unit: 's',
        queries: timesOf('ehi_upstream_seconds'),
      },
      {
        title: 'Overhead of the gateway',
        description:
          'Total time minus upstream time: what the gateway and the client’s network add. If it rises with the delay of the event loop, the gateway needs more CPU or more relay threads.',
        kind: 'time',
        unit: 's',
        queries: timesOf('ehi_overhead_seconds'),
      },
      {
        title: 'Delay of the event loop',
        description:
          'Time that every message of the most delayed relay thread waits for the event loop. Above limits.delay messages are refused with 503.',
        kind: 'time',
        unit: 's',
        queries: [
          { expr: 'max by (instance) (ehi_relay_loop_delay_seconds{$gateway})', legend: '{{instance}}' },
        ],
      },
      {
        title: 'Messages refused because of load',
        description:
          'Messages that got 503 before anything was sent to the host, by reason (docs/message-reasons.md; alert EhiMessagesShed).',
        kind: 'time',
        unit: 'reqps',
        queries: [
          { expr: perSecond('ehi_messages_shed_total', 'route, reason'), legend: '{{route}} {{reason}}' },
        ],
      },
    ],
  },
  {
    title: 'Which upstream?',
    panels: [
      {
        title: 'Endpoints in use',
        description:
          '1: every relay thread uses the endpoint. 0: all pass it over after failures. Between: some do (alert EhiUpstreamEndpointOut).',
        kind: 'time',
        unit: 'none',
        queries: [{ expr: 'min by (endpoint) (ehi_upstream_up{$gateway})', legend: '{{endpoint}}' }],
        redBelow: 0.999,
      },
      {
        title: 'Failed messages by endpoint',
        description:
          'Messages that failed on an established connection because of the host, by reason (docs/message-reasons.md).',
        kind: 'time',
        unit: 'reqps',
        queries: [
          {
            expr: perSecond('ehi_upstream_message_failures_total', 'endpoint, reason'),
            legend: '{{endpoint}} {{reason}}',
          },
        ],
      },
      {
        title: 'Connection attempts',
        description:
          'Connection attempts to endpoints by result. upstream_tls: the gateway or the host refused TLS.',
        kind: 'time',
        unit: 'cps',
        queries: [
          {
            expr: perSecond('ehi_upstream_connects_total', 'endpoint, result'),
            legend: '{{endpoint}} {{result}}',
          },
        ],
      },
      {
        title: 'Connections to endpoints',
        description: 'Open connections to each endpoint. in_use: a message is on it. idle: it waits for one.',
        kind: 'time',
        unit: 'short',
        queries: [
          {
            expr: 'sum by (endpoint, state) (ehi_upstream_connections{$gateway})',
            legend: '{{endpoint}} {{state}}',
          },
        ],
      },
      {
        title: 'Health checks and endpoints passed over',
        description:
          'Health checks by result, and how often a relay thread began to pass an endpoint over after failures.',
        kind: 'time',
        unit: 'cps',
        queries: [
          {
            expr: perSecond('ehi_upstream_checks_total', 'endpoint, result'),
            legend: 'check {{endpoint}} {{result}}',
          },
          { expr: perSecond('ehi_upstream_ejections_total', 'endpoint'), legend: 'passed over {{endpoint}}' },
        ],
      },
      {
        title: 'Messages in flight by route',
        description: 'The inFlight limit of a route applies to each relay thread; this is the sum of all.',
        kind: 'time',
        unit: 'short',
        queries: [{ expr: 'sum by (route) (ehi_route_in_flight{$gateway})', legend: '{{route}}' }],
      },
    ],
  },
];
