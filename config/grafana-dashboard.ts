/** The Grafana dashboard, made from a list of questions and the queries that answer them. */

type Unit = 'short' | 's' | 'reqps' | 'percentunit' | 'dtdurations' | 'bytes';

interface Query {
  /** PromQL; `$series` stands for the labels that select this gateway. */
  readonly expr: string;
  readonly legend: string;
}

interface Panel {
  readonly title: string;
  /** What the panel shows, and which value is a reason to act. */
  readonly description: string;
  readonly type: 'timeseries' | 'stat' | 'table';
  readonly unit: Unit;
  readonly queries: readonly Query[];
  /** A value from which the panel is red; `below`: red under it instead. */
  readonly red?: { readonly from: number } | { readonly below: number };
  /** Columns of 24; default 8. */
  readonly width?: number;
  readonly stack?: true;
}

interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

const query = (expr: string, legend: string): Query => ({ expr, legend });
const sumRate = (metric: string, by: string, filter = '') =>
  `sum by (${by}) (rate(${metric}{$series${filter}}[$__rate_interval]))`;
const quantile = (of: number, metric: string) =>
  `histogram_quantile(${of}, sum by (le) (rate(${metric}_bucket{$series}[$__rate_interval])))`;

const rows: readonly Row[] = [
  {
    title: 'Is it up?',
    panels: [
      {
        title: 'Gateways with metrics',
        description:
          'Gateways that Prometheus reaches. 0: none runs, or the scrape fails (alert EhiGatewayDown).',
        ...{ type: 'stat', unit: 'short', red: { below: 1 } },
        queries: [query('count(ehi_connections{$series})', 'gateways')],
      },
      {
        title: 'Messages in flight',
        description: 'Messages that wait for their response now.',
        ...{ type: 'stat', unit: 'short' },
        queries: [query('sum(ehi_in_flight{$series})', 'in flight')],
      },
      {
        title: 'Open client connections',
        description: 'Connections of clients, and those whose handshake is not finished.',
        ...{ type: 'stat', unit: 'short' },
        queries: [
          query('sum(ehi_connections{$series})', 'open'),
          query('sum(ehi_unfinished_handshakes{$series})', 'unfinished handshakes'),
        ],
      },
      {
        title: 'Messages by response status',
        description:
          '499: the client left before the response. 502, 503 and 504 are the gateway’s own (docs/message-reasons.md).',
        ...{ type: 'timeseries', unit: 'reqps', width: 12, stack: true },
        queries: [query(sumRate('ehi_messages_total', 'code'), '{{code}}')],
      },
      {
        title: 'Relay threads: delay of the event loop, restarts',
        description:
          'How long every message waits for a relay thread. Above limits.delay messages get 503. Restarts should be 0.',
        ...{ type: 'timeseries', unit: 's', width: 12 },
        queries: [
          query('max(ehi_relay_loop_delay_seconds{$series})', 'delay'),
          query('sum(increase(ehi_relay_thread_restarts_total{$series}[1h]))', 'restarts in an hour'),
        ],
      },
    ],
  },
  {
    title: 'Is it in time?',
    panels: [
      {
        title: 'Late messages',
        description:
          'Share of messages without a complete response within the budget of their route (200 ms by default). The objective is 0.1 % (alerts EhiMessagesLate, EhiBudgetBurnsFast).',
        ...{ type: 'timeseries', unit: 'percentunit', red: { from: 0.001 } },
        queries: [
          query(
            `${sumRate('ehi_messages_late_total', 'route')} / ${sumRate('ehi_message_budget_ratio_count', 'route')}`,
            '{{route}}',
          ),
        ],
      },
      {
        title: 'Time of a message',
        description:
          'From the complete request head to the last byte of the response, as the client waits for it.',
        ...{ type: 'timeseries', unit: 's', red: { from: 0.2 } },
        queries: [
          query(quantile(0.5, 'ehi_message_seconds'), 'p50'),
          query(quantile(0.99, 'ehi_message_seconds'), 'p99'),
        ],
      },
      {
        title: 'Whose time: host or gateway (p99)',
        description:
          'Time of the host beside the gateway’s own. If the host is slow, repair the host; if the gateway is, look at its CPU.',
        ...{ type: 'timeseries', unit: 's' },
        queries: [
          query(quantile(0.99, 'ehi_upstream_seconds'), 'host'),
          query(quantile(0.99, 'ehi_overhead_seconds'), 'gateway'),
        ],
      },
      {
        title: 'Messages refused to shed load',
        description: 'Messages that got 503 because of a limit, by reason (docs/message-reasons.md).',
        ...{ type: 'timeseries', unit: 'reqps', red: { from: 0.001 }, width: 12 },
        queries: [query(sumRate('ehi_messages_shed_total', 'route, reason'), '{{route}} {{reason}}')],
      },
      {
        title: 'Time of a handshake',
        description: 'From accept to the verdict.',
        ...{ type: 'timeseries', unit: 's', width: 12 },
        queries: [
          query(quantile(0.5, 'ehi_handshake_seconds'), 'p50'),
          query(quantile(0.99, 'ehi_handshake_seconds'), 'p99'),
        ],
      },
    ],
  },
  {
    title: 'Who is refused, and why?',
    panels: [
      {
        title: 'Handshakes by verdict',
        description: 'allow: the client was admitted. deny: it was refused. failed: TLS did not complete.',
        ...{ type: 'timeseries', unit: 'reqps', stack: true },
        queries: [query(sumRate('ehi_handshakes_total', 'verdict'), '{{verdict}}')],
      },
      {
        title: 'Reasons of denied connections',
        description: 'docs/deny-reasons.md says for each reason what happened and what to do.',
        ...{ type: 'timeseries', unit: 'short', stack: true },
        queries: [
          query('sum by (reason) (increase(ehi_handshakes_total{$series,verdict="deny"}[5m]))', '{{reason}}'),
        ],
      },
      {
        title: 'Reasons of failed handshakes',
        description: 'Port scans and health checks of load balancers cause closed_silent and not_tls.',
        ...{ type: 'timeseries', unit: 'short', stack: true },
        queries: [
          query(
            'sum by (reason) (increase(ehi_handshakes_total{$series,verdict="failed"}[5m]))',
            '{{reason}}',
          ),
        ],
      },
      {
        title: 'Open connections that were ended',
        description:
          'Clients that are no longer authorized, and connections closed because of what they sent.',
        ...{ type: 'timeseries', unit: 'short', width: 12 },
        queries: [
          query('sum by (reason) (increase(ehi_permits_withdrawn_total{$series}[5m]))', '{{reason}}'),
          query('sum by (reason) (increase(ehi_connections_closed_total{$series}[5m]))', '{{reason}}'),
        ],
      },
      {
        title: 'Shadow policy: what it would deny',
        description:
          'Reasons for which the shadow policy would have denied a handshake. Empty without a shadow policy.',
        ...{ type: 'timeseries', unit: 'short', width: 12 },
        queries: [query('sum by (reason) (increase(ehi_shadow_denials_total{$series}[5m]))', '{{reason}}')],
      },
    ],
  },
  {
    title: 'What expires when?',
    panels: [
      {
        title: 'Certificates by time left',
        description:
          'The server’s chain, the CAs of the trust anchors, and client certificates. Renew below 30 days.',
        ...{ type: 'table', unit: 'dtdurations', width: 24, red: { below: 7 * 86_400 } },
        queries: [
          query(
            'sort(min by (role, name, serial) (ehi_certificate_not_after_timestamp_seconds{$series}) - time())',
            '{{role}} {{name}}',
          ),
        ],
      },
    ],
  },
  {
    title: 'Are trust and revocation fresh?',
    panels: [
      {
        title: 'Age of the trust anchors',
        description:
          'Time since an anchor was last fetched, confirmed or read. Above a day its URL has failed (alert EhiTrustStale); anchors from files are read at the start only.',
        ...{ type: 'timeseries', unit: 'dtdurations', red: { from: 86_400 } },
        queries: [query('max by (anchor) (ehi_trust_age_seconds{$series})', '{{anchor}}')],
      },
      {
        title: 'Time until CRLs and OCSP responses end',
        description: 'Below 0 the grace runs; after it the status is unknown and clients are denied.',
        ...{ type: 'timeseries', unit: 'dtdurations', red: { below: 0 } },
        queries: [
          query(
            'min by (anchor, kind, address) (ehi_revocation_next_update_timestamp_seconds{$series}) - time()',
            '{{anchor}} {{kind}} {{address}}',
          ),
        ],
      },
      {
        title: 'Revocation status of admitted and denied clients',
        description: 'unknown: no CRL and no OCSP response gave the status.',
        ...{ type: 'timeseries', unit: 'short', stack: true },
        queries: [
          query('sum by (status) (increase(ehi_revocation_checks_total{$series}[5m]))', '{{status}}'),
        ],
      },
      {
        title: 'Failed attempts in a row',
        description: 'Attempts that brought no usable CRL or OCSP response. 0: the last attempt succeeded.',
        ...{ type: 'timeseries', unit: 'short', red: { from: 3 }, width: 12 },
        queries: [
          query(
            'max by (anchor, kind, address) (ehi_revocation_failures{$series})',
            '{{anchor}} {{kind}} {{address}}',
          ),
        ],
      },
      {
        title: 'Clients admitted with unknown status; certificates passed over',
        description: 'Both should be 0.',
        ...{ type: 'timeseries', unit: 'short', red: { from: 1 }, width: 12 },
        queries: [
          query('sum(ehi_revocation_soft_failing{$series})', 'open, status unknown'),
          query(
            'max by (anchor, reason) (ehi_trust_certificates_passed_over{$series})',
            '{{anchor}} {{reason}}',
          ),
        ],
      },
    ],
  },
  {
    title: 'Which upstream?',
    panels: [
      {
        title: 'Endpoints in use',
        description: '1: used by all relay threads. 0: passed over by all. Between: by some.',
        ...{ type: 'timeseries', unit: 'short', red: { below: 1 } },
        queries: [query('min by (endpoint) (ehi_upstream_up{$series})', '{{endpoint}}')],
      },
      {
        title: 'Failed messages and connections by endpoint',
        description: 'docs/message-reasons.md explains each reason.',
        ...{ type: 'timeseries', unit: 'reqps' },
        queries: [
          query(
            sumRate('ehi_upstream_message_failures_total', 'endpoint, reason'),
            '{{endpoint}} {{reason}}',
          ),
          query(
            sumRate('ehi_upstream_connects_total', 'endpoint, result', ',result!="ok"'),
            '{{endpoint}} {{result}}',
          ),
        ],
      },
      {
        title: 'Connections to endpoints',
        description: 'idle connections wait for a message.',
        ...{ type: 'timeseries', unit: 'short', stack: true },
        queries: [
          query('sum by (endpoint, state) (ehi_upstream_connections{$series})', '{{endpoint}} {{state}}'),
        ],
      },
    ],
  },
  {
    title: 'Is the evidence complete?',
    panels: [
      {
        title: 'Audit: waiting bytes',
        description: 'Records that wait to be written. Beyond 64 MiB records are lost.',
        ...{ type: 'timeseries', unit: 'bytes' },
        queries: [query('sum(ehi_audit_queue_bytes{$series})', 'waiting')],
      },
      {
        title: 'Audit: lost records, failed seals, truncations; dropped log lines',
        description: 'All should be 0.',
        ...{ type: 'timeseries', unit: 'short', red: { from: 1 } },
        queries: [
          query('sum(increase(ehi_audit_records_lost_total{$series}[5m]))', 'lost records'),
          query('sum(ehi_audit_seal_failures_total{$series})', 'failed seals'),
          query('sum(increase(ehi_audit_truncations_total{$series}[5m]))', 'truncations'),
          query('sum(increase(ehi_log_lines_dropped_total{$series}[5m]))', 'dropped log lines'),
        ],
      },
      {
        title: 'Audit: seals',
        description: 'Seals a second. It is 0 while there is nothing to seal, and without audit.seal.',
        ...{ type: 'timeseries', unit: 'reqps' },
        queries: [query('sum(rate(ehi_audit_seals_total{$series}[$__rate_interval]))', 'seals')],
      },
    ],
  },
];

const series = 'namespace=~"$namespace",job=~"$job"';
const datasource = { type: 'prometheus', uid: '$datasource' };

/** The JSON of the dashboard, for import and for provisioning. */
export function grafanaDashboard(): string {
  return `${JSON.stringify(
    {
      title: 'ehi-gateway',
      uid: 'ehi-gateway',
      description:
        'Mutual-TLS gateway for card messages: is it up, is it in time, who is refused, what expires, is trust fresh, which upstream.',
      tags: ['ehi-gateway'],
      schemaVersion: 39,
      version: 1,
      editable: true,
      graphTooltip: 1,
      time: { from: 'now-3h', to: 'now' },
      refresh: '30s',
      timezone: 'utc',
      templating: { list: [datasourceVariable, ...['namespace', 'job'].map(labelVariable)] },
      annotations: { list: [] },
      links: [],
      panels: placed(),
    },
    null,
    2,
  )}\n`;
}

const datasourceVariable = {
  ...{ name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', hide: 0 },
  ...{ options: [], refresh: 1, regex: '', multi: false, includeAll: false },
};

/** Without Kubernetes the series have no namespace: `.*` matches those too. */
function labelVariable(name: string) {
  return {
    ...{ name, label: name, type: 'query', datasource, hide: 0, refresh: 2, sort: 1, regex: '' },
    query: { query: `label_values(ehi_connections, ${name})`, refId: name },
    ...{ multi: true, includeAll: true, allValue: '.*', options: [] },
    current: { text: 'All', value: '$__all' },
  };
}

const columns = 24;
const panelHeight = 8;

function placed(): object[] {
  const panels: object[] = [];
  let y = 0;
  for (const row of rows) {
    panels.push({
      ...{ id: panels.length + 1, type: 'row', title: row.title, collapsed: false, panels: [] },
      gridPos: { x: 0, y, w: columns, h: 1 },
    });
    y++;
    let x = 0;
    for (const panel of row.panels) {
      const w = panel.width ?? 8;
      if (x + w > columns) {
        x = 0;
        y += panelHeight;
      }
      panels.push(panelOf(panel, { id: panels.length + 1, gridPos: { x, y, w, h: panelHeight } }));
      x += w;
    }
    y += panelHeight;
  }
  return panels;
}

function panelOf(panel: Panel, place: object): object {
  const { title, description, type, unit, queries } = panel;
  return {
    ...place,
    ...{ title, description, type, datasource },
    fieldConfig: { defaults: { unit, thresholds: thresholdsOf(panel), ...customOf(panel) }, overrides: [] },
    options: optionsOf(panel),
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + index),
      datasource,
      expr: expr.replaceAll('$series', series),
      legendFormat: legend,
      ...(type === 'table' ? { instant: true, format: 'table' } : { range: true }),
    })),
    ...(type === 'table' ? { transformations: tableColumns } : {}),
  };
}

const tableColumns = [
  { id: 'organize', options: { excludeByName: { Time: true }, renameByName: { Value: 'time left' } } },
];

function thresholdsOf({ red }: Panel): object {
  const neutral = { color: 'text', value: null };
  if (red === undefined) return { mode: 'absolute', steps: [neutral] };
  if ('from' in red) return { mode: 'absolute', steps: [neutral, { color: 'red', value: red.from }] };
  return {
    mode: 'absolute',
    steps: [
      { color: 'red', value: null },
      { color: 'text', value: red.below },
    ],
  };
}

function customOf({ type, stack, red }: Panel): object {
  if (type !== 'timeseries') return {};
  return {
    min: 0,
    ...(red !== undefined && 'below' in red ? { min: undefined } : {}),
    custom: {
      ...{ drawStyle: 'line', lineWidth: 1, fillOpacity: stack ? 30 : 0, showPoints: 'never' },
      stacking: { mode: stack ? 'normal' : 'none', group: 'A' },
      thresholdsStyle: { mode: red === undefined ? 'off' : 'line' },
    },
  };
}

function optionsOf({ type }: Panel): object {
  switch (type) {
    case 'stat':
      return { reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false }, graphMode: 'area' };
    case 'timeseries':
      return {
        legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
        tooltip: { mode: 'multi', sort: 'desc' },
      };
    case 'table':
      return { showHeader: true, sortBy: [{ displayName: 'time left', desc: false }] };
    default:
      return type satisfies never;
  }
}
