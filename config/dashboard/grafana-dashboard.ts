/** The Grafana dashboard as JSON, for import and provisioning: schema version 39, which Grafana 10 and later read. */
import { clientRows } from './client-rows.ts';
import { evidenceRows } from './evidence-rows.ts';
import { messageRows } from './message-rows.ts';
import type { Panel, Row } from './panel.ts';

type Json = Record<string, unknown>;

const datasource = { type: 'prometheus', uid: '$datasource' };

/** Grafana's grid has 24 columns. */
const columns = 24;
const sizes: Readonly<Record<Panel['kind'], { w: number; h: number }>> = {
  stat: { w: 4, h: 7 },
  time: { w: 8, h: 7 },
  table: { w: 12, h: 7 },
};

/** The label matchers of the chosen gateways. A label that the series do not have matches `.*`. */
const gateway = 'namespace=~"$namespace",job=~"$job",instance=~"$instance"';

/** The dashboard's JSON text. */
export function grafanaDashboard(): string {
  const rows = [...messageRows, ...clientRows, ...evidenceRows];
  return `${JSON.stringify(dashboardOf(rows), null, 2)}\n`;
}

function dashboardOf(rows: readonly Row[]): Json {
  return {
    uid: 'ehi-gateway',
    title: 'ehi-gateway',
    description:
      'The mutual-TLS gateway for EHI: is it up, is it in time, who is refused and why, what expires when, are trust and revocation fresh, which upstream, are audit and log complete.',
    tags: ['ehi-gateway', 'mtls'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: 1,
    timezone: 'browser',
    refresh: '30s',
    time: { from: 'now-3h', to: 'now' },
    annotations: { list: [configurationChanges()] },
    templating: { list: variables() },
    links: [],
    panels: panelsOf(rows),
  };
}

function configurationChanges(): Json {
  return {
    name: 'Configuration read',
    datasource,
    enable: true,
    hide: false,
    iconColor: 'blue',
    expr: `changes(ehi_config_last_reload_success_timestamp_seconds{${gateway}}[1m]) > 0`,
    titleFormat: 'Configuration read',
    textFormat: '{{instance}}',
    step: '60s',
  };
}

function variables(): Json[] {
  return [
    {
      name: 'datasource',
      label: 'Data source',
      type: 'datasource',
      query: 'prometheus',
      regex: '',
      refresh: 1,
      hide: 0,
      multi: false,
      includeAll: false,
      options: [],
      current: { selected: false, text: 'default', value: 'default' },
    },
    variable('namespace', 'ehi_build_info'),
    variable('job', 'ehi_build_info{namespace=~"$namespace"}'),
    variable('instance', 'ehi_build_info{namespace=~"$namespace",job=~"$job"}'),
  ];
}

/** All values by default; all also matches series without the label. */
function variable(name: string, series: string): Json {
  const query = `label_values(${series}, ${name})`;
  return {
    name,
    label: `${name[0]?.toUpperCase()}${name.slice(1)}`,
    type: 'query',
    datasource,
    definition: query,
    query: { query, refId: name },
    regex: '',
    refresh: 2,
    sort: 1,
    hide: 0,
    multi: true,
    includeAll: true,
    allValue: '.*',
    options: [],
    current: { selected: true, text: ['All'], value: ['$__all'] },
  };
}

/** Places the panels of each row from left to right, and begins a new line where one does not fit. */
function panelsOf(rows: readonly Row[]): Json[] {
  const placed: Json[] = [];
  let y = 0;
  for (const { title, panels } of rows) {
    placed.push({
      id: placed.length + 1,
      type: 'row',
      title,
      collapsed: false,
      gridPos: { x: 0, y, w: columns, h: 1 },
      panels: [],
    });
    y += 1;
    let x = 0;
    let height = 0;
    for (const panel of panels) {
      const { w, h } = sizes[panel.kind];
      if (x + w > columns) {
        x = 0;
        y += height;
      }
      placed.push(panelOf(panel, { id: placed.length + 1, gridPos: { x, y, w, h } }));
      x += w;
      height = h;
    }
    y += height;
  }
  return placed;
}

function panelOf(panel: Panel, position: Json): Json {
  const { title, description, kind, queries } = panel;
  return {
    ...position,
    type: kind === 'time' ? 'timeseries' : kind,
    title,
    description,
    datasource,
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode(65 + index),
      datasource,
      expr: expr.replaceAll('$gateway', gateway),
      legendFormat: legend,
      editorMode: 'code',
      range: kind === 'time',
      instant: kind !== 'time',
      ...(kind === 'table' ? { format: 'table' } : {}),
    })),
    fieldConfig: { defaults: fieldOf(panel), overrides: [] },
    options: optionsOf(kind),
    ...(kind === 'table' ? { transformations: tableColumns } : {}),
  };
}

/** One table of all queries, without the time of the query. */
const tableColumns = [
  { id: 'merge', options: {} },
  { id: 'organize', options: { excludeByName: { Time: true }, indexByName: {}, renameByName: {} } },
];

function fieldOf({ unit, limits, redBelow, words, kind }: Panel): Json {
  return {
    unit,
    color: { mode: kind === 'time' ? 'palette-classic' : 'thresholds' },
    thresholds: { mode: 'absolute', steps: stepsOf(limits, redBelow) },
    mappings: words ? [{ type: 'value', options: mappingsOf(words) }] : [],
    ...(kind === 'time' ? { custom: lineOf(limits !== undefined || redBelow !== undefined) } : {}),
  };
}

function lineOf(isLimited: boolean): Json {
  return {
    drawStyle: 'line',
    fillOpacity: 8,
    lineWidth: 1,
    showPoints: 'never',
    spanNulls: false,
    thresholdsStyle: { mode: isLimited ? 'line' : 'off' },
  };
}

function stepsOf(limits: Panel['limits'], redBelow: number | undefined): Json[] {
  if (redBelow !== undefined)
    return [
      { color: 'red', value: null },
      { color: 'green', value: redBelow },
    ];
  const [yellow, red] = limits ?? [];
  return [
    { color: 'green', value: null },
    ...(yellow === undefined || yellow === red ? [] : [{ color: 'yellow', value: yellow }]),
    ...(red === undefined ? [] : [{ color: 'red', value: red }]),
  ];
}

function mappingsOf(words: Readonly<Record<string, string>>): Json {
  return Object.fromEntries(Object.entries(words).map(([value, text], index) => [value, { text, index }]));
}

function optionsOf(kind: Panel['kind']): Json {
  switch (kind) {
    case 'stat':
      return {
        reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
        colorMode: 'value',
        graphMode: 'none',
        justifyMode: 'auto',
        orientation: 'auto',
        textMode: 'auto',
        wideLayout: true,
        showPercentChange: false,
        percentChangeColorMode: 'standard',
      };
    case 'time':
      return {
        legend: { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] },
        tooltip: { mode: 'multi', sort: 'desc' },
      };
    case 'table':
      return { showHeader: true, cellHeight: 'sm', frameIndex: 0 };
    default:
      return kind satisfies never;
  }
}
